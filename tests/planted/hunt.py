"""Hunts one planted bug: `python -m planted.hunt NAME`, with the seeds to look at as JSON on standard input.

It compares the research lane, which has the bug, with the slow exchange, case by case, and prints as JSON the first
case in which they differ and what the difference is; or that there is none.
"""

from __future__ import annotations

import json
import sys

from planted.bugs import BUGS
from planted.interpreted import install

NOTHING = "none"
"""The name of the control: no bug at all."""


def hunt(name: str, plain: list[int], scripted: list[int]) -> dict[str, object]:
    """Return where a bug shows, or how many cases did not show it."""
    bug = next((one for one in BUGS if one.name == name), None)
    install({} if bug is None else {bug.file: [(bug.old, bug.new)]})
    import drawn_runs
    import scripted_runs

    for seed in plain:
        case = drawn_runs.plain_case(seed, lanes=False)
        try:
            drawn_runs.compare_reference(case)
        except AssertionError as difference:
            return {"found": f"plain play {seed}", "by": shortly(difference)}
    for seed in scripted:
        record, outcome, _ = scripted_runs.both_worlds(seed, lanes=False)
        try:
            scripted_runs.compare(record, outcome, f"case {seed}")
        except AssertionError as difference:
            return {"found": f"scripted case {seed}", "by": shortly(difference)}
    return {"found": None, "cases": len(plain) + len(scripted)}


def shortly(difference: AssertionError) -> str:
    """Return the first line that tells what differs."""
    return str(difference).splitlines()[0][:200] if str(difference) else "an assertion"


if __name__ == "__main__":
    seeds = json.load(sys.stdin)
    sys.stdout.write(json.dumps(hunt(sys.argv[1], seeds["plain"], seeds["scripted"])) + "\n")
