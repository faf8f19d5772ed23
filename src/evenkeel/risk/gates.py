"""The numeric gates of an entry, then its size: one kernel for both lanes, and the only mint of `Approved`.

Gates run in order and the first refusal is the reason. A gate whose input is missing refuses. `execution` accepts
nothing but an `Approved`, and its constructor asks for a key that only this module has.
"""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import numpy as np
from numba import types

from evenkeel.kernel import FLOATS, compiled, kernel
from evenkeel.model.bar import Floats
from evenkeel.model.errors import invariant
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Enter
from evenkeel.model.number import POSTINGS_PER_UNIT, postings_from_money, to_float
from evenkeel.model.reason import REASONS, Reason, reason_number
from evenkeel.risk.sizing import SIZING_TERMS, Sizing, SizingModel, size_entry
from evenkeel.strategies.terms import Terms

_KEY = object()

_TICK = int(Sizing.TICK)
_TOO_CLOSE = reason_number(Reason.STOP_TOO_CLOSE)
_BEYOND_ZERO = reason_number(Reason.STOP_BEYOND_ZERO)

_JUDGE = types.UniTuple(types.int64, 2)(
    FLOATS, types.float64, types.float64, types.float64, types.int64, types.float64, types.float64
)


class Approved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry that passed every gate.

    Attributes:
        intent: The wish.
        lots: Size, unsigned.
        quantity: The same in units.
        key: Proof that `risk` made it.
    """

    intent: Enter
    lots: int
    quantity: Decimal
    key: object

    def __post_init__(self) -> None:
        invariant(self.key is _KEY, "only the gates approve an entry")


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry that a gate refused.

    Attributes:
        reason: The first gate that said no.
    """

    reason: Reason


@kernel
def judge_entry(
    t: Floats, equity: float, free: float, price: float, direction: int, stop_distance: float, target_distance: float
) -> tuple[int, int]:
    """Pass an entry through the numeric gates and size it.

    Args:
        t: Terms, see `Sizing`.
        equity: Of the account.
        free: Equity not used as margin.
        price: Decision price.
        direction: +1 or -1.
        stop_distance: From the price to the stop, NaN without one.
        target_distance: From the price to the target, NaN without one.

    Returns:
        Lots, and the number of a reason; 0 lots unless it is OK.
    """
    if stop_distance < t[_TICK] or target_distance < t[_TICK]:
        return 0, _TOO_CLOSE
    if (stop_distance if direction > 0 else target_distance) >= price:
        return 0, _BEYOND_ZERO
    return size_entry(t, equity, free, price, stop_distance)


def gate_terms(terms: Terms, instrument: Instrument) -> Floats:
    """Return the terms of gates and sizing as their kernel reads them; a cap that does not exist is infinite."""
    values = np.zeros(SIZING_TERMS)
    account, sizing, lot = terms.account, terms.sizing, instrument.lot_grid
    values[Sizing.MODEL] = SizingModel[sizing.model.upper()]
    values[Sizing.VALUE] = to_float(sizing.value)
    values[Sizing.BASIS_NOTIONAL] = float(sizing.basis == "notional")
    values[Sizing.INCLUDE_COSTS] = float(sizing.include_costs)
    values[Sizing.LEVERAGE] = to_float(sizing.max_leverage)
    values[Sizing.MAX_POSITION] = to_float(account.max_position)
    values[Sizing.INCLUDE_CLOSE_FEE] = float(account.include_close_fee)
    values[Sizing.MIN_NOTIONAL] = to_float(max(account.min_notional, instrument.min_notional))
    values[Sizing.MAX_NOTIONAL] = _or_infinite(account.max_notional)
    values[Sizing.MAX_MARGIN] = _or_infinite(account.max_margin)
    values[Sizing.MIN_QUANTITY] = to_float(instrument.min_quantity)
    values[Sizing.MAX_QUANTITY] = _or_infinite(instrument.max_quantity)
    values[Sizing.TAKER], values[Sizing.SLIPPAGE] = to_float(account.taker), to_float(account.slippage)
    values[Sizing.PER_CONTRACT] = to_float(account.per_contract)
    values[Sizing.MULTIPLIER] = to_float(instrument.multiplier)
    values[Sizing.TICK] = to_float(instrument.tick_size)
    values[Sizing.LOT_NUMERATOR], values[Sizing.LOT_DENOMINATOR] = lot.numerator, lot.denominator
    return values


def _or_infinite(cap: Decimal | None) -> float:
    return math.inf if cap is None else to_float(cap)


class EntryGates:
    """The gates of one account and instrument, as the core asks them."""

    def __init__(self, terms: Terms, instrument: Instrument) -> None:
        compiled(judge_entry, _JUDGE)
        self._terms = gate_terms(terms, instrument)
        self._lot = instrument.lot_grid

    def judge(self, intent: Enter, *, equity: Decimal, price: float) -> Approved | Refused:
        """Approve an entry with its size, or refuse it with the first reason.

        Args:
            intent: The wish.
            equity: Of the account, all of it free: an entry needs a flat account.
            price: Decision price.
        """
        money = float(postings_from_money(equity)) / POSTINGS_PER_UNIT  # the same two roundings as in the loop
        lots, reason = judge_entry(
            self._terms, money, money, price, intent.direction.sign,
            _or_missing(intent.stop_distance), _or_missing(intent.target_distance),
        )  # fmt: skip
        if lots == 0:
            return Refused(reason=REASONS[reason])
        return Approved(intent=intent, lots=lots, quantity=self._lot.value(lots), key=_KEY)


def _or_missing(distance: Decimal | None) -> float:
    return math.nan if distance is None else to_float(distance)
