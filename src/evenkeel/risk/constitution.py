"""Limits that hold after a fill, whatever the gates let pass: what is over one of them then is a breach, not a refusal.

Gates judge what an order may become; this judges what it became. A limit that was only reached is kept. What is lost in
a session, week or month counts here where the profile kills for it (`operation.kills`); elsewhere the breaker halts.
Source: operations.md 2.5 `CONSTITUTION`, belief.md 5.7 and 9.1.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.risk.halt_facts import Exceeded
from evenkeel.risk.limits.limits import Limits


class AfterFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account right after a fill; money in account currency, all unsigned.

    Attributes:
        equity: Of the account; None: not known, then limits that are fractions of it are not judged here.
        reference: Of the session; None likewise.
        quantity: Of the position that the fill made or changed.
        notional: Of it.
        trade_loss: What its stop would lose, costs aside; None without a stop, which is `UNPROTECTED`.
        stop_ticks: From its entry to its stop; None without one.
        stop_fraction: The same as a fraction of the entry; None without one.
        trades: Entries of the session, this one included.
        day_loss: Of the session, realised and open; a gain is negative.
        week_loss: Of the week.
        month_loss: Of the month.
    """

    equity: Decimal | None
    reference: Decimal | None
    quantity: Decimal
    notional: Decimal
    trade_loss: Decimal | None
    stop_ticks: Decimal | None
    stop_fraction: Decimal | None
    trades: int
    day_loss: Decimal
    week_loss: Decimal
    month_loss: Decimal


def exceeded(after: AfterFill, limits: Limits) -> tuple[Exceeded, ...]:
    """Return every limit that the fill left exceeded."""
    exposure, trade, losses = limits.exposure, limits.trade, limits.losses
    caps: list[tuple[str, Decimal | None, Decimal | int | None]] = [
        ("position quantity", after.quantity, exposure.position_quantity),
        ("position notional", after.notional, exposure.max_position_notional),
        ("position notional", after.notional, _part(exposure.max_position_size, after.equity)),
        ("trade loss", after.trade_loss, trade.loss),
        ("trade loss", after.trade_loss, _part(trade.loss_fraction, after.equity)),
        ("stop ticks", after.stop_ticks, trade.stop_ticks),
        ("stop distance", after.stop_fraction, trade.stop_fraction),
        ("trades", Decimal(after.trades), limits.pace.trades),
    ]
    if limits.operation.kills:
        caps += [
            ("session loss", after.day_loss, losses.daily),
            ("session loss", after.day_loss, _part(losses.daily_fraction, after.reference)),
            ("week loss", after.week_loss, losses.weekly),
            ("week loss", after.week_loss, _part(losses.weekly_fraction, after.reference)),
            ("month loss", after.month_loss, losses.monthly),
            ("month loss", after.month_loss, _part(losses.monthly_fraction, after.reference)),
        ]
    return tuple(
        Exceeded(name=name, value=value, limit=Decimal(cap))
        for name, value, cap in caps
        if value is not None and cap is not None and value > cap
    )


def _part(fraction: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if fraction is None or whole is None else fraction * whole
