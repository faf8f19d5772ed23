"""Seeds of the simulated world: nothing that must hold is broken, whatever goes wrong.

Five hundred seeds in parts, so that they spread over the processors.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest

from evenkeel.engine.simulation.counters import Tally
from evenkeel.engine.simulation.draw import Draws
from evenkeel.engine.simulation.profiles import PROFILES
from evenkeel.engine.simulation.seeds import play_seed
from evenkeel.engine.simulation.shrink import Case, play_case

SEEDS, PARTS = 500, 20
STORIES = sorted((Path(__file__).parent.parent / "stories").glob("*.json"))
"""What was found once, each as short as it goes: `keel simtest --save` wrote it."""


def draws_of(seed: int) -> Draws:
    return lambda name: Random(f"{seed}/{name}")


@pytest.mark.parametrize("part", range(PARTS))
def test_no_promise_is_broken_whatever_goes_wrong(part: int) -> None:
    tally = Tally()
    for seed in range(part, SEEDS, PARTS):
        verdict = play_seed(seed, draws_of(seed))
        assert verdict.violation is None, f"keel simtest --seeds {seed}:{seed + 1}\n{verdict.violation}"
        assert verdict.tally.events >= 2_000, seed
        tally.add(verdict.tally)
    seeds = SEEDS // PARTS
    assert sum(tally.faults.values()) >= 20 * seeds
    assert tally.trades >= 3 * seeds


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_by_itself(profile: str) -> None:
    for seed in range(3):
        verdict = play_seed(seed, draws_of(seed), profile)
        assert verdict.violation is None, f"keel simtest --seeds {seed}:{seed + 1} --profile {profile}"
        assert (profile == "none") == (not verdict.mishaps)


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_what_was_found_once_holds(story: Path) -> None:
    case = msgspec.json.decode(story.read_bytes(), type=Case)
    assert play_case(case, draws_of(case.seed)).violation is None


def test_a_seed_tells_the_same_story_again() -> None:
    first, second = (play_seed(11, draws_of(11)) for _ in range(2))
    assert first.mishaps
    assert first == second
