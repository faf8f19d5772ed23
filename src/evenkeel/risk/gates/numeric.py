"""The numeric gates for an entry whose size is settled: the functions that the research lane fuses, all looked at."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
from numba import types

from evenkeel.kernel import FLOATS, compiled, kernel
from evenkeel.model.bar import Floats
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Direction
from evenkeel.model.number import to_float
from evenkeel.model.reason import Reason, reason_number
from evenkeel.risk.gates.entry import INSIDE_LIQUIDATION, gate_terms, judge_account, liquidation_distance, too_close
from evenkeel.risk.sizing import SNAP, BeyondLiquidation, Sizing, notional_cap
from evenkeel.strategies.terms import Terms

_LIQUIDATES, _MIN_DISTANCE, _BEYOND = (
    int(Sizing.LIQUIDATES), int(Sizing.MIN_LIQUIDATION_DISTANCE), int(Sizing.BEYOND_LIQUIDATION),
)  # fmt: skip
_LOT_N, _LOT_D, _MULTIPLIER = int(Sizing.LOT_NUMERATOR), int(Sizing.LOT_DENOMINATOR), int(Sizing.MULTIPLIER)
_WARN = int(BeyondLiquidation.WARN)
_OK, _MARGIN = reason_number(Reason.OK), reason_number(Reason.INSUFFICIENT_MARGIN)
_TOO_CLOSE, _BEYOND_ZERO = reason_number(Reason.STOP_TOO_CLOSE), reason_number(Reason.STOP_BEYOND_ZERO)
_LIQUIDATION_NEAR = reason_number(Reason.LIQUIDATION_TOO_CLOSE)
_STOP_BEYOND = reason_number(Reason.SL_BEYOND_LIQUIDATION)

_SIGNATURE = types.Tuple((types.int64, types.float64))(
    FLOATS, types.int64, types.float64, types.float64, types.float64, types.int64, types.float64, types.float64,
    types.int64,
)  # fmt: skip


@kernel
def judge_lots(
    t: Floats, lots: int, equity: float, free: float, price: float, direction: int, stop_distance: float,
    target_distance: float, day_trades: int,
) -> tuple[int, float]:  # fmt: skip
    """Pass an entry of a given size through the numeric gates; nothing is moved, and none hides another.

    Args:
        t: Terms, see `Sizing`.
        lots: Size.
        equity: Of the account.
        free: Equity not used as margin.
        price: Decision price.
        direction: +1 or -1.
        stop_distance: From the price to the stop, NaN without one.
        target_distance: From the price to the target, NaN without one.
        day_trades: That stand within the sessions that count.

    Returns:
        A bit for each reason against it, at the place of its number, and how far away its liquidation is.
    """
    found = 0
    barred = judge_account(t, equity, direction, day_trades)
    if barred != _OK:
        found |= 1 << barred
    if too_close(t, price, stop_distance, target_distance):
        found |= 1 << _TOO_CLOSE
    if (stop_distance if direction > 0 else target_distance) >= price:
        found |= 1 << _BEYOND_ZERO
    notional = lots * t[_LOT_N] / t[_LOT_D] * price * t[_MULTIPLIER]
    if not notional <= notional_cap(t, equity, free, price) * SNAP:
        found |= 1 << _MARGIN
    if t[_LIQUIDATES] == 0.0:
        return found, math.inf
    room = liquidation_distance(t, lots, price, direction)
    if room < t[_MIN_DISTANCE] * price:
        found |= 1 << _LIQUIDATION_NEAR
    if t[_BEYOND] != _WARN and stop_distance > room * INSIDE_LIQUIDATION * SNAP:
        found |= 1 << _STOP_BEYOND
    return found, room


class Against(msgspec.Struct, frozen=True, gc=False):
    """What the numeric gates have against an entry.

    Attributes:
        reasons: A bit for each, at the place of its number.
        liquidation: Distance from the price at which the position would be liquidated; infinite without one.
    """

    reasons: int
    liquidation: float

    def names(self, reason: Reason) -> bool:
        """Whether a reason is among them."""
        return bool(self.reasons & _BITS[reason])


_BITS = {
    reason: 1 << reason_number(reason)
    for reason in (
        Reason.SHORT_NOT_ALLOWED, Reason.PDT_LIMIT, Reason.STOP_TOO_CLOSE, Reason.STOP_BEYOND_ZERO,
        Reason.INSUFFICIENT_MARGIN, Reason.LIQUIDATION_TOO_CLOSE, Reason.SL_BEYOND_LIQUIDATION,
    )
}  # fmt: skip


class NumericGates:
    """The numeric gates of one account and instrument, for entries whose size is settled."""

    def __init__(self, terms: Terms, instrument: Instrument) -> None:
        self._judge = compiled(judge_lots, _SIGNATURE)
        self._terms = gate_terms(terms, instrument)
        self._lot = instrument.lot_grid

    def against(
        self, direction: Direction, quantity: Decimal, *, equity: Decimal, free: Decimal, price: Decimal,
        stop_distance: Decimal | None, target_distance: Decimal | None, day_trades: int,
    ) -> Against:  # fmt: skip
        """Return what stands against an entry.

        Args:
            direction: Long or short.
            quantity: Units, unsigned.
            equity: Of the account.
            free: What of it is not used as margin.
            price: Decision price.
            stop_distance: To the protective stop; None without one.
            target_distance: To the target; None without one.
            day_trades: That stand within the sessions that count.
        """
        found, liquidation = self._judge(
            self._terms, self._lot.nearest(quantity), to_float(equity), to_float(free), to_float(price),
            direction.sign, _or_missing(stop_distance), _or_missing(target_distance), day_trades,
        )  # fmt: skip
        return Against(found, liquidation)


def _or_missing(distance: Decimal | None) -> float:
    return math.nan if distance is None else to_float(distance)
