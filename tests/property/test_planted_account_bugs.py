"""Bugs planted in the account's core are found, each by a seed that finds nothing without it."""

from __future__ import annotations

import pytest

from evenkeel.engine.simulation.seeds import play_seed
from planted.account_bugs import BUGS, Bug
from planted.account_hunt import draws_of, played
from planted.interpreted import changed
from planted.planting import SOURCE


def test_the_bugs_are_in_the_text() -> None:
    for bug in BUGS:
        for file, edits in bug.edits.items():
            changed((SOURCE / file).read_text("utf-8"), edits)
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    assert played(bug, bug.seed).violation is not None


@pytest.mark.parametrize(("profile", "seed"), sorted({(bug.profile, bug.seed) for bug in BUGS}))
def test_without_a_bug_the_same_seeds_find_nothing(profile: str, seed: int) -> None:
    assert play_seed(seed, draws_of(seed), profile).violation is None
