"""A moment of a run: one decision bar, how the account stood before it was decided on, and what was decided.

bar = decision_bar(market, parse_time("2024-03-01T12:00"))
moment = moment_of(core, steps, bar)
moment.state.position
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from evenkeel.engine.core import Core, State, Step
from evenkeel.engine.market import Market, Stretch
from evenkeel.model.decision import Decision, EntryApproved, EntryRefused, ExitOrdered, RunStopped
from evenkeel.model.errors import UsageError
from evenkeel.model.event import AnyEvent, BarsClosed, FundingPosted, OrderFilled, StretchEnded
from evenkeel.model.ids import Leg
from evenkeel.model.time import format_time

Answer: TypeAlias = EntryApproved | EntryRefused | ExitOrdered


@dataclass(frozen=True, slots=True)
class DecisionBar:
    """An execution bar, at whose close a run may decide.

    Attributes:
        stretch: In which it lies.
        bar: Its number within the stretch.
    """

    stretch: Stretch
    bar: int

    @property
    def closed_ns(self) -> int:
        """When it closed."""
        return int(self.stretch.series.on(self.stretch.exec).bars.close_ns[self.bar])

    @property
    def close(self) -> float:
        """Its closing price."""
        return float(self.stretch.series.on(self.stretch.exec).bars.close[self.bar])

    @property
    def warms_up(self) -> bool:
        """Whether no decision is made at it, because the strategy has not seen enough bars."""
        return self.bar < self.stretch.first_exec


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known and decided at a bar.

    Attributes:
        where: The bar.
        state: Of the core, before the decision.
        opened_ns: When what is held was entered; None while flat.
        stopped_ns: When the run stopped; None while it had not.
        asked: Whether the strategy was asked.
        answer: What the core concluded; None if nothing.
    """

    where: DecisionBar
    state: State
    opened_ns: int | None
    stopped_ns: int | None
    asked: bool
    answer: Answer | None


def decision_bar(market: Market, at_ns: int) -> DecisionBar:
    """Return the last execution bar of a run that had closed by an instant.

    Raises:
        UsageError: If the instant lies outside the run.
    """
    found = None
    closes = [stretch.series.on(market.exec).bars.close_ns for stretch in market.stretches]
    for stretch, closed in zip(market.stretches, closes, strict=True):
        index = int(np.searchsorted(closed, at_ns, side="right")) - 1
        found = DecisionBar(stretch, index) if index >= 0 else found
    first, last = _first_close(market), max(int(closed[-1]) for closed in closes if len(closed))
    if found is None or not first <= at_ns <= max(last, market.window[1]):
        raise UsageError(
            f"{format_time(at_ns)} lies outside the run: its {market.exec} bars close from {format_time(first)} to "
            f"{format_time(last)}; choose a moment between them"
        )
    return found


def _first_close(market: Market) -> int:
    """Return the close of the first execution bar that opens inside the window of the run."""
    bars = [stretch.series.on(market.exec).bars for stretch in market.stretches]
    return min(
        int(part.close_ns[index])
        for part in bars
        if (index := int(np.searchsorted(part.open_ns, market.window[0]))) < len(part)
    )


def moment_of(core: Core, steps: Sequence[Step], where: DecisionBar) -> Moment:
    """Fold the steps of a run up to a decision bar.

    Args:
        core: A new core of the run.
        steps: As recorded.
        where: The bar.

    Raises:
        UsageError: If the run was interrupted before the bar.
    """
    opened, stopped = None, None
    asked: Step | None = None
    known = False
    for step in steps:
        event = step.event
        asked = step if _is_asked(event, where) else None
        known = asked is not None or _is_later(event, where)
        if known:
            break
        for entry in (event, *step.decisions, *step.commands):
            core.fold(entry)
        if isinstance(event, OrderFilled) and event.leg is Leg.ENTRY:
            opened = event.event_ns
        if any(isinstance(decision, RunStopped) for decision in step.decisions):
            stopped = event.event_ns
    if not known and stopped is None:
        ends = format_time(steps[-1].event.event_ns) if steps else "its beginning"
        raise UsageError(f"the journal of this run ends at {ends}: it was interrupted; run the backtest again to go on")
    return Moment(
        where=where, state=core.state, opened_ns=None if core.state.position is None else opened, stopped_ns=stopped,
        asked=asked is not None, answer=None if asked is None else _answer(asked.decisions),
    )  # fmt: skip


def _is_asked(event: AnyEvent, where: DecisionBar) -> bool:
    return isinstance(event, BarsClosed) and event.segment == where.stretch.number and event.bar == where.bar


def _is_later(event: AnyEvent, where: DecisionBar) -> bool:
    """Whether an event came after the decision at a bar; a fill counts as known when its base bar has closed."""
    base = where.stretch.series.base
    match event:
        case BarsClosed():
            return (event.segment, event.bar) > (where.stretch.number, where.bar)
        case StretchEnded():
            return event.segment >= where.stretch.number
        case OrderFilled() | FundingPosted():
            return bool(event.event_ns >= base.open_ns[0] and base.close_ns[event.row] > where.closed_ns)
        case _:
            return event.event_ns > where.closed_ns


def _answer(decisions: Sequence[Decision]) -> Answer | None:
    return next((one for one in decisions if isinstance(one, EntryApproved | EntryRefused | ExitOrdered)), None)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A decision behind an order of a trade.

    Attributes:
        rule: The rule that asked for it.
        segment: Stretch of the bar.
        bar: At whose close.
    """

    rule: str
    segment: int
    bar: int


def ruled_orders(steps: Sequence[Step], trade: int) -> tuple[list[Ruled], list[Ruled]]:
    """Return the decisions of the strategy that opened a trade and that closed it, those whose orders were filled."""
    filled = {step.event.client_id for step in steps if isinstance(step.event, OrderFilled)}
    entries: list[Ruled] = []
    exits: list[Ruled] = []
    for event, decision in _decided(steps):
        order = decision.order
        if order.trade == trade and order.client_id in filled:
            ruled = Ruled(order.reason, event.segment, event.bar)
            (entries if isinstance(decision, EntryApproved) else exits).append(ruled)
    return entries, exits


def _decided(steps: Sequence[Step]) -> Iterator[tuple[BarsClosed, EntryApproved | ExitOrdered]]:
    """Yield each order that the strategy asked for at the close of a bar."""
    for step in steps:
        if isinstance(step.event, BarsClosed):
            for decision in step.decisions:
                if isinstance(decision, EntryApproved | ExitOrdered):
                    yield step.event, decision
