"""tapeworks against the frozen records of the peers: `python oracles/check_goldens.py`.

Needs tapeworks and pyarrow; `make test` runs it through python/tests.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import compare  # noqa: E402
import ours  # noqa: E402


def names():
    return sorted(os.listdir(os.path.join(HERE, "goldens")))


def cell(name):
    """The comparison of one file: cases, and the first that differs."""
    with open(os.path.join(HERE, "goldens", name)) as file:
        golden = json.load(file)
    mine = [ours.run(job, HERE) for job in golden["jobs"]]
    return compare.cell_difference(golden["jobs"], mine, golden["results"])


def main():
    differing = 0
    for name in names():
        found = cell(name)
        differing += found["differing"]
        print(f"{name:32} {found['cases']:4} cases {found['differing']:4} differ {found['first']}")
    return 3 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
