"""The command line program in this process: `tapeworks ...` or `python -m tapeworks ...`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Runs the program with the arguments of this process; gives its exit code."""
    from tapeworks._native import command_line

    # The program has its own answer to Ctrl-C; Python's would wait until it is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command_line(["tapeworks", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
