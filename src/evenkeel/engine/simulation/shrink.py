"""A failing seed made smaller: fewer faults and wishes, a shorter session, the same violation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from evenkeel.engine.simulation.draw import Draws
from evenkeel.engine.simulation.faults import Fault
from evenkeel.engine.simulation.process import Witness
from evenkeel.engine.simulation.scenario import Scenario, scenario_of
from evenkeel.engine.simulation.seeds import Verdict, play

RUNS_MAX = 300
"""So often a seed is played again, at most, to make its story shorter."""

_Item = TypeVar("_Item")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A seed with some of it left out; it is what a regression test keeps.

    Attributes:
        seed: Its number.
        profile: Its profile.
        check: What did not hold when it was found.
        without: Names of the faults that do not happen at all.
        masked: Name of a fault and the number of its chance that passes.
        wishes: By instrument, the bars whose wishes are kept; None keeps all.
        steps: Steps of the market; None is all.
    """

    seed: int
    profile: str
    check: str = ""
    without: tuple[str, ...] = ()
    masked: tuple[tuple[str, int], ...] = ()
    wishes: tuple[tuple[int, ...], ...] | None = None
    steps: int | None = None


def play_case(case: Case, draws: Draws, witnesses: tuple[Witness, ...] = ()) -> Verdict:
    """Play a seed with what the case leaves out left out."""
    scenario = scenario_of_case(case, draws)
    masked = frozenset((Fault[name], number) for name, number in case.masked)
    return play(scenario, draws, masked=masked, steps=case.steps, witnesses=witnesses)


def scenario_of_case(case: Case, draws: Draws) -> Scenario:
    """Return the scenario of a case."""
    scenario = scenario_of(draws, case.seed, case.profile)
    rates = {fault: rate for fault, rate in scenario.rates.items() if fault.name not in case.without}
    grounds = scenario.grounds
    if case.wishes is not None:
        grounds = tuple(
            replace(ground, whims={bar: whim for bar, whim in ground.whims.items() if bar in kept})
            for ground, kept in zip(grounds, case.wishes, strict=True)
        )
    return replace(scenario, rates=rates, grounds=grounds)


@dataclass(slots=True)
class _Budget:
    left: int = RUNS_MAX


def shrunk(verdict: Verdict, draws: Draws) -> Case:
    """Return the smallest case found of a seed that failed; it fails with the same violation."""
    budget = _Budget()
    case = Case(seed=verdict.seed, profile=verdict.profile, check=verdict.check or "")

    def fails(one: Case) -> bool:
        if budget.left <= 0:
            return False
        budget.left -= 1
        return play_case(one, draws).check == case.check

    case = _shorter(case, verdict.step, fails)
    for fault in sorted({mishap.fault.name for mishap in verdict.mishaps}):
        fewer = msgspec.structs.replace(case, without=(*case.without, fault))
        if fails(fewer):
            case = fewer
    case = _fewer_wishes(case, draws, fails)
    happened = [(mishap.fault.name, mishap.number) for mishap in play_case(case, draws).mishaps]
    before = case
    kept = _needed(
        happened, lambda some: fails(msgspec.structs.replace(before, masked=_others(happened, some)))
    )  # fmt: skip
    return msgspec.structs.replace(case, masked=_others(happened, kept))


def _shorter(case: Case, step: int, fails: Callable[[Case], bool]) -> Case:
    """Cut the session behind the violation, and where that came at rest only, as far as it still comes."""
    lowest, highest = 0, step
    while highest - lowest > 12:
        middle = (lowest + highest) // 2
        if fails(msgspec.structs.replace(case, steps=middle)):
            highest = middle
        else:
            lowest = middle
    shorter = msgspec.structs.replace(case, steps=highest)
    return shorter if fails(shorter) else case


def _fewer_wishes(case: Case, draws: Draws, fails: Callable[[Case], bool]) -> Case:
    grounds = scenario_of_case(case, draws).grounds
    wishes = [(place, bar) for place, ground in enumerate(grounds) for bar in ground.whims]

    def with_wishes(some: Sequence[tuple[int, int]]) -> Case:
        kept = tuple(tuple(bar for place, bar in some if place == number) for number in range(len(grounds)))
        return msgspec.structs.replace(case, wishes=kept)

    return with_wishes(_needed(wishes, lambda some: fails(with_wishes(some))))


def _others(all_of: Sequence[tuple[str, int]], kept: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(one for one in all_of if one not in kept)


def _needed(items: Sequence[_Item], still: Callable[[Sequence[_Item]], bool]) -> list[_Item]:
    """Return few of the items with which it still fails: ever smaller parts are left out while that is so."""
    kept, part = list(items), max(len(items) // 2, 1)
    while kept:
        place = 0
        while place < len(kept):
            fewer = kept[:place] + kept[place + part :]
            if still(fewer):
                kept = fewer
            else:
                place += part
        if part == 1:
            break
        part = max(part // 2, 1)
    return kept
