"""Replay: decide again from the recorded facts and compare every decision and command with the recorded one.

The journal names its data by revision; a replay loads that revision, computes the features anew, feeds the events to a
fresh core, and holds what it concludes against what was written, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evenkeel.engine.core import Core, RunFacts, Step
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.steps import encode_step
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.bar import Floats
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import BarsClosed
from evenkeel.model.time import format_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome of a replay.

    Attributes:
        steps: Steps replayed.
        decisions: Decisions compared.
        commands: Commands compared.
        difference: The first difference in words, or None.
    """

    steps: int
    decisions: int
    commands: int
    difference: str | None

    @property
    def equal(self) -> bool:
        """Whether every decision and command is the recorded one."""
        return self.difference is None


class ReplayFeatures:
    """Features computed anew, block by block, in the order in which the journal asks for them."""

    def __init__(self, strategy: Strategy, market: Market) -> None:
        self._program = strategy.program
        self._stretches = {stretch.number: stretch for stretch in market.stretches}
        self._current: tuple[Stretch, FeatureRun] | None = None

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        """Return window, column, close time and close of an execution bar."""
        if self._current is None or self._current[0].number != segment:
            stretch = self._stretches.get(segment)
            if stretch is None:
                raise InvariantBroken(f"the journal names stretch {segment}, which the data does not have")
            self._current = stretch, FeatureRun(self._program, stretch.series)
        run = self._current[1]
        while bar >= run.stop and run.advance():
            pass
        if not run.start <= bar < run.stop:
            raise InvariantBroken(f"the journal names bar {bar} of stretch {segment}, which the data does not have")
        bars = run.bars.bars
        return run.x, run.column + bar, int(bars.close_ns[bar]), float(bars.close[bar])


def replay(facts: RunFacts, strategy: Strategy, market: Market, recorded: Sequence[Step]) -> Replay:
    """Decide again on every recorded event and compare."""
    core = Core(facts, strategy, EntryGates(strategy.terms, strategy.instrument), ReplayFeatures(strategy, market))
    decisions = commands = 0
    for number, step in enumerate(recorded, 1):
        again = core.apply(step.event)
        decisions += len(step.decisions)
        commands += len(step.commands)
        difference = next(_differences(step, again), None)
        if difference is not None:
            return Replay(number, decisions, commands, difference)
    return Replay(len(recorded), decisions, commands, None)


def _differences(recorded: Step, again: Step) -> Iterator[str]:
    if encode_step(recorded) == encode_step(again):
        return
    at = format_time(recorded.event.event_ns)
    bar = f", bar {recorded.event.bar}" if isinstance(recorded.event, BarsClosed) else ""
    was = [*recorded.decisions, *recorded.commands]
    now = [*again.decisions, *again.commands]
    for place in range(max(len(was), len(now))):
        before = was[place] if place < len(was) else "nothing"
        after = now[place] if place < len(now) else "nothing"
        if before != after:
            yield f"at {at}{bar}: recorded was {before}; decided again it is {after}"
    yield f"at {at}{bar}: the same decisions are written differently"
