"""The plain loop of limit.rs: compiles it, hands it raw columns, passes its line on."""

import json
import os
import subprocess
import sys
import tempfile

import workloads as w

REPEATS = {"D1": 9, "D1-shuffled": 9, "D1-subset": 9, "M1-small": 5, "M1": 3}


def main(workload, folder):
    data_set, kind, cash = w.WORKLOADS[workload][:3]
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        binary = os.path.join(scratch, "limit")
        options = ["--edition", "2024", "-C", "opt-level=3", "-C", "target-cpu=native"]
        source = os.path.join(here, "limit.rs")
        subprocess.run(["rustc", *options, source, "-o", binary], check=True)
        _, symbols, columns = w.panel(workload, folder)
        for name, values in columns.items():
            values.astype("<f8").tofile(os.path.join(scratch, name + ".f64"))
        n_assets = len(symbols)
        del columns
        arguments = [scratch, str(n_assets), str(cash), kind, str(REPEATS[data_set])]
        output = subprocess.run([binary, *arguments], check=True, capture_output=True, text=True)
    facts = json.loads(output.stdout.removeprefix("RESULT ")) | {"workload": workload}
    print("RESULT " + json.dumps(facts), flush=True)


main(sys.argv[1], sys.argv[2])
