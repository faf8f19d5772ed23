"""One seed from its beginning to its end: a session with faults, rest, and a flat account."""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.engine.simulation.checks import Safety, look_at_rest, look_flat
from evenkeel.engine.simulation.counters import Counting, Tally
from evenkeel.engine.simulation.draw import Draws
from evenkeel.engine.simulation.faults import Fault, Mishap
from evenkeel.engine.simulation.process import Violation, Witness
from evenkeel.engine.simulation.scenario import START_NS, STEP_NS, Scenario, scenario_of
from evenkeel.engine.simulation.world import World
from evenkeel.model.errors import InvariantBroken, StorageError

FLAT_S = 300
"""Seconds in which an account that is to be flat must be."""
ESCAPES = (InvariantBroken, StorageError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""Faults of the core that end a seed as a violation: none of them may leave it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a seed led to.

    Attributes:
        seed: Its number.
        profile: Its profile.
        violation: What did not hold, as `check: what`; None if all did.
        check: Name of that.
        step: Step of the market at which it was found; that of the end if at rest.
        mishaps: The faults that happened.
        tally: What was met.
    """

    seed: int
    profile: str
    violation: str | None
    check: str | None
    step: int
    mishaps: tuple[Mishap, ...]
    tally: Tally


def play(
    scenario: Scenario, draws: Draws, *, masked: frozenset[tuple[Fault, int]] = frozenset(), steps: int | None = None,
    witnesses: tuple[Witness, ...] = (),
) -> Verdict:  # fmt: skip
    """Play a scenario to its end.

    Args:
        scenario: What the world is like.
        draws: Generators of its seed.
        masked: Faults that are left out.
        steps: So many steps of the market; None is all.
        witnesses: Who looks on, after safety was looked at.
    """
    safety, counting = Safety(scenario), Counting()
    failed: Violation | None = None
    text = ""
    world = World(scenario, draws, masked=masked, witnesses=(*witnesses, safety, counting))
    safety.exchange, safety.faults = world.exchange, world.faults
    try:
        world.run(steps)
        _end(world)
    except Violation as violation:
        failed, text = violation, str(violation)
    except ESCAPES as escaped:
        failed = Violation("escaped", f"{type(escaped).__name__} {escaped}")
        text = str(failed)
    tally = counting.tally
    tally.trades = sum(desk.core.state.trades for desk in world.account.desks.values())
    tally.pairs, tally.faults = world.faults.states, world.faults.counts()
    tally.virtual_ns = world.agenda.now_ns - START_NS
    return Verdict(
        scenario.seed, scenario.profile, text or None, None if failed is None else failed.check,
        min((world.agenda.now_ns - START_NS) // STEP_NS, scenario.steps), tuple(world.faults.happened), tally,
    )  # fmt: skip


def play_seed(seed: int, draws: Draws, profile: str = "all") -> Verdict:
    """Play a seed of a profile to its end."""
    return play(scenario_of(draws, seed, profile), draws)


def _end(world: World) -> None:
    world.awake()
    if world.process.rebuilt().state() != world.account.state():
        raise Violation("replay", "the journal, folded again, gives another state")
    world.settle()
    look_at_rest(world.account, world.exchange)
    world.flatten()
    world.settle(FLAT_S)
    look_flat(world.account, world.exchange)
