"""Bugs planted in the account's core are found by seeds that find nothing without them.

Every change of the core changes what happens in a seed, so a few seeds from the one on record are played.
"""

from __future__ import annotations

import os

import pytest

from evenkeel.engine.simulation.seeds import play_seed
from planted.account_bugs import BUGS, Bug
from planted.account_hunt import draws_of, played
from planted.interpreted import changed
from planted.planting import SOURCE

FEW, MANY = 6, int(os.environ.get("KEEL_HUNT_SEEDS", "0"))


def test_the_bugs_are_in_the_text() -> None:
    for bug in BUGS:
        for file, edits in bug.edits.items():
            changed((SOURCE / file).read_text("utf-8"), edits)
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25


@pytest.mark.parametrize("bug", [bug for bug in BUGS if not bug.rare], ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    assert_found(bug, FEW)


@pytest.mark.skipif(not MANY, reason="hunts through hundreds of seeds: `make soak`, or KEEL_HUNT_SEEDS=400")
@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.rare], ids=lambda bug: bug.name)
def test_a_planted_bug_that_shows_seldom_is_found(bug: Bug) -> None:
    assert_found(bug, MANY)


def assert_found(bug: Bug, seeds: int) -> None:
    """Assert that one of some seeds finds a bug, and nothing without it."""
    found = (seed for seed in range(bug.seed, bug.seed + seeds) if played(bug, seed).violation is not None)
    first = next(found, None)
    assert first is not None, f"{bug.name}: none of {seeds} seeds from {bug.seed} on finds it"
    assert play_seed(first, draws_of(first), bug.profile).violation is None
