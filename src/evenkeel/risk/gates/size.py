"""The size of an entry: scales shrink it, caps cut it, the lot rounds it down; nothing ever makes it larger.

desired -> the strategy's fraction -> volatility -> streak -> drawdown ladder -> event -> correlation -> hard caps ->
lot (operations.md 1.5). All gates judge what comes out. A cap that would leave less than makes sense is not applied:
its gate refuses instead, and says how far beyond it the order is.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.market_told import Upcoming
from evenkeel.risk.gates.exposure import ONE, ZERO, Exposure
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.request import Request
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.market import EventWindow, Impact


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Something that made an entry smaller.

    Attributes:
        name: What.
        quantity: Units that it left.
    """

    name: str
    quantity: Decimal


class Size(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The size of an entry.

    Attributes:
        wished: Units that were asked for.
        final: Units that are left.
        steps: What made it smaller, in order.
    """

    wished: Decimal
    final: Decimal
    steps: tuple[Step, ...] = ()

    def cut_by(self, name: str) -> bool:
        """Whether that step made it smaller."""
        return any(step.name == name for step in self.steps)


class Caps(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an entry may come to at most, account currency; None is no limit, or not known.

    Attributes:
        position: Notional of the position, its fraction of equity scaled by the drawdown ladder.
        gross: Notional of all positions.
        loss: Worst case of the trade.
    """

    position: Decimal | None = None
    gross: Decimal | None = None
    loss: Decimal | None = None


NO_CAPS = Caps()


def caps_of(facts: Facts, limits: Limits) -> Caps:
    """Return what an entry may come to at most; of a sum and a fraction the smaller counts."""
    exposure, trade, account = limits.exposure, limits.trade, facts.account
    equity, position, gross, loss = account.equity, exposure.max_position_notional, exposure.gross_notional, trade.loss
    if equity is not None:
        if exposure.max_position_size is not None and account.scale is not None:
            scaled = exposure.max_position_size * equity
            position = least(position, scaled * account.scale if account.scale < ONE else scaled)
        if exposure.gross is not None:
            gross = least(gross, exposure.gross * equity)
        if trade.loss_fraction is not None:
            loss = least(loss, trade.loss_fraction * equity)
    for tier in trade.tiers:
        if tier.below is None or (equity is not None and equity < tier.below):
            loss = least(loss, tier.trade_loss)
    return Caps(position=position, gross=gross, loss=loss)


def size_entry(
    request: Request, facts: Facts, limits: Limits, sums: Exposure | None, caps: Caps, *, unit: Decimal | None,
    loss: Decimal | None,
) -> Size:  # fmt: skip
    """Return the size of an entry.

    Args:
        request: What is asked.
        facts: What is known.
        limits: Of the account.
        sums: Of what is held; None is not known, and its gates refuse.
        caps: What it may come to at most.
        unit: Notional of one unit; None is not known.
        loss: Worst case of one unit; None is not known.
    """
    wished = size = abs(request.quantity)
    steps = []
    for name, factor in _scales(facts, limits, sums):
        if factor is not None and factor < ONE:
            size *= max(factor, ZERO)
            steps.append(Step(name, size))
    if sums is not None and unit:
        for name, cap in _rooms(limits, sums, caps, unit, loss):
            if cap is not None and cap < size and _makes_sense(name, cap, size, unit, limits):
                size = cap
                steps.append(Step(name, size))
    instrument = facts.market.instrument
    if steps and instrument is not None:
        size = size // instrument.lot_size * instrument.lot_size
    return Size(wished=wished, final=size, steps=tuple(steps))


def _scales(facts: Facts, limits: Limits, sums: Exposure | None) -> tuple[tuple[str, Decimal | None], ...]:
    strategy, cap, event, alike = facts.strategy, limits.exposure.correlation, None, None
    if facts.market.events and near(facts.market.events, limits.market.events) is Impact.MEDIUM:
        event = limits.market.medium_event_scale
    if cap is not None and sums is not None and sums.correlation > cap and not limits.exposure.strict_correlation:
        alike = cap / sums.correlation
    return (
        ("strategy", strategy.scale), ("volatility", strategy.volatility_scale), ("streak", strategy.streak_scale),
        ("drawdown", facts.account.scale), ("event", event), ("correlation", alike),
    )  # fmt: skip


def _rooms(
    limits: Limits, sums: Exposure, caps: Caps, unit: Decimal, loss: Decimal | None
) -> tuple[tuple[str, Decimal | None], ...]:
    """Return what each cap leaves, in units."""
    return (
        ("position", None if caps.position is None else (caps.position - abs(sums.symbol)) / unit),
        ("gross", None if caps.gross is None else (caps.gross - sums.gross) / unit),
        ("loss", caps.loss / loss if limits.trade.clips and loss and caps.loss is not None else None),
    )


def _makes_sense(name: str, cap: Decimal, size: Decimal, unit: Decimal, limits: Limits) -> bool:
    """Whether a cap leaves enough: of the gross room a part of the wish, of anything the smallest entry."""
    if cap <= 0 or (name == "gross" and cap < size * limits.exposure.least_room):
        return False
    smallest = limits.exposure.least_notional
    return smallest is None or cap * unit >= smallest


def least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the smaller of two limits; None is none."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def near(events: tuple[Upcoming, ...], windows: tuple[EventWindow, ...]) -> Impact | None:
    """Return the largest impact of the events whose windows hold now; a kind without a window is taken as the worst."""
    found: Impact | None = None
    for event in events:
        known = [one for one in windows if one.kind == event.kind] or _UNKNOWN_KIND
        for window in known:
            holds = -window.after_s <= event.in_s <= window.before_s
            if holds and (found is None or _RANK[window.impact] > _RANK[found]):
                found = window.impact
    return found


_RANK = {Impact.LOW: 0, Impact.MEDIUM: 1, Impact.HIGH: 2}
_UNKNOWN_KIND = [EventWindow(kind="", impact=Impact.HIGH, before_s=7_200, after_s=7_200)]
