"""Bugs planted in `match`, `settle`, `size` and `gate` are found, each of them, by the slow exchange.

Plays and scripts that meet the rule are run with the bug until one comes out otherwise; without a bug none does.

The mutated exchange runs in a process of its own, uncompiled; nothing on disk is changed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import drawn_runs
import evenkeel
import scripted_runs
from planted.bugs import BUGS, Bug
from planted.hunt import NOTHING
from planted.interpreted import changed
from reference.rules import KNOWN

TESTS = Path(__file__).resolve().parent.parent
SOURCE = Path(evenkeel.__file__).resolve().parent.parent
PLAIN, SCRIPTED = 300, 600
CASES_MAX = 60
"""Cases of each kind that are looked at for a bug."""

STEPS = {"match": 8, "settle": 6, "size": 4, "gate": 3}
"""At least so many bugs of each step."""


def test_the_bugs_are_in_the_text_and_of_every_step() -> None:
    for bug in BUGS:
        changed((SOURCE / bug.file).read_text("utf-8"), [(bug.old, bug.new)])
        assert set(bug.rules) <= KNOWN, bug.name
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20
    found = Counter(bug.step for bug in BUGS)
    assert all(found[step] >= least for step, least in STEPS.items()), found


@pytest.fixture(scope="module")
def met() -> dict[str, dict[str, list[int]]]:
    """Seeds of plays and of scripts that meet each rule, as the slow exchange tells."""
    seeds: dict[str, dict[str, list[int]]] = {rule: {"plain": [], "scripted": []} for rule in KNOWN}
    for seed in range(PLAIN):
        for rule in drawn_runs.met_in(drawn_runs.plain_case(seed, slowly_only=True)) & KNOWN:
            seeds[rule]["plain"].append(seed)
    for seed in range(SCRIPTED):
        for rule in scripted_runs.both_worlds(seed, lanes=False)[1].met:
            seeds[rule]["scripted"].append(seed)
    return seeds


def hunt(name: str, seeds: dict[str, list[int]]) -> dict[str, Any]:
    """Run the hunt of a bug in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "planted.hunt", name], input=json.dumps(seeds), capture_output=True, text=True,
        check=False, cwd=TESTS, env={"PYTHONPATH": f"{SOURCE}:{TESTS}", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seeds_for(bug: Bug, met: dict[str, dict[str, list[int]]]) -> dict[str, list[int]]:
    """Return the cases to look at for a bug."""
    return {
        kind: sorted({seed for rule in bug.rules for seed in met[rule][kind]})[:CASES_MAX]
        for kind in ("plain", "scripted")
    }


@pytest.mark.slow
def test_every_planted_bug_is_found_and_the_control_finds_nothing(met: dict[str, dict[str, list[int]]]) -> None:
    control = {"plain": list(range(40)), "scripted": list(range(40))}
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda bug: hunt(bug.name, seeds_for(bug, met)), BUGS))
        nothing = pool.submit(hunt, NOTHING, control).result()

    assert nothing == {"found": None, "cases": 80}
    assert [bug.name for bug, one in zip(BUGS, found, strict=True) if one["found"] is None] == []
