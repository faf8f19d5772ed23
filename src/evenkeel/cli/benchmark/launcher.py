"""Starts a command and tells what it cost: `python -I -S launcher.py COMMAND...`.

A process inherits the memory peak of the one that forks it, so a large one cannot measure a small one; this file runs
in a bare Python and imports nothing of ours. The last line of standard output is `seconds megabytes exit-code`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time


def main(command: list[str]) -> None:
    """Run the command to its end and print its cost; what it prints itself is thrown away, its errors pass."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        seconds, code = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        process.returncode = code
        megabytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    else:
        code = process.wait()
        seconds, megabytes = time.perf_counter() - began, float("nan")
    print(seconds, megabytes, code)


if __name__ == "__main__":
    main(sys.argv[1:])
