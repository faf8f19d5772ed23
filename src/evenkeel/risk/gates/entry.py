"""The numeric gates of an entry, then its size: one kernel for both lanes.

Gates run in order and the first refusal is the reason. A gate whose input is missing refuses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
from numba import types

from evenkeel.kernel import FLOATS, compiled, inlined, kernel
from evenkeel.model.bar import Floats
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Enter
from evenkeel.model.number import POSTINGS_PER_UNIT, postings_from_money, to_decimal, to_float
from evenkeel.model.reason import REASONS, Reason, reason_number
from evenkeel.risk.liquidation import liquidation_price
from evenkeel.risk.sizing import SIZING_TERMS, SNAP, BeyondLiquidation, Sizing, SizingModel, size_entry
from evenkeel.risk.tiers import allowed_leverage, margin_rates, tier_cap, tier_table
from evenkeel.strategies.account_rules import AccountKind, entry_margin
from evenkeel.strategies.terms import Terms

_TICK = int(Sizing.TICK)
_LIQUIDATES, _LEVERAGE = int(Sizing.LIQUIDATES), int(Sizing.LEVERAGE)
_MAINTENANCE, _DEDUCTION, _TAKER = int(Sizing.MAINTENANCE), int(Sizing.DEDUCTION), int(Sizing.TAKER)
_MIN_DISTANCE, _BEYOND, _RATIO = (
    int(Sizing.MIN_LIQUIDATION_DISTANCE), int(Sizing.BEYOND_LIQUIDATION), int(Sizing.TARGET_RATIO),
)  # fmt: skip
_TIERS, _TIER_TABLE = int(Sizing.TIERS), int(Sizing.TIER_TABLE)
_NEAREST_RATIO, _NEAREST_FRACTION = int(Sizing.NEAREST_RATIO), int(Sizing.NEAREST_FRACTION)
_LOT_N, _LOT_D, _MULTIPLIER = int(Sizing.LOT_NUMERATOR), int(Sizing.LOT_DENOMINATOR), int(Sizing.MULTIPLIER)
_REJECT, _ADJUST = int(BeyondLiquidation.REJECT), int(BeyondLiquidation.ADJUST)
_LONG_ONLY, _DAY_TRADES, _DAY_TRADE_EQUITY = (
    int(Sizing.LONG_ONLY), int(Sizing.DAY_TRADES), int(Sizing.DAY_TRADE_EQUITY),
)  # fmt: skip
_NO_SHORTS, _PDT = reason_number(Reason.SHORT_NOT_ALLOWED), reason_number(Reason.PDT_LIMIT)
_OK = reason_number(Reason.OK)
_LIQUIDATION_NEAR = reason_number(Reason.LIQUIDATION_TOO_CLOSE)
_STOP_BEYOND = reason_number(Reason.SL_BEYOND_LIQUIDATION)

INSIDE_LIQUIDATION = 1.0 - 0.001
"""A stop must lie within so much of the way to the liquidation price."""

_TOO_CLOSE = reason_number(Reason.STOP_TOO_CLOSE)
_BEYOND_ZERO = reason_number(Reason.STOP_BEYOND_ZERO)

_JUDGE = types.Tuple((types.int64, types.int64, types.float64, types.float64))(
    FLOATS, types.float64, types.float64, types.float64, types.int64, types.float64, types.float64, types.int64
)


class Sized(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry that passed the numeric gates, with its size; the other gates have yet to approve it.

    Attributes:
        intent: The wish.
        lots: Size, unsigned.
        quantity: The same in units.
        stop_distance: Of the wish, or nearer where a gate moved the stop; None without one.
        target_distance: The same of the target.
    """

    intent: Enter
    lots: int
    quantity: Decimal
    stop_distance: Decimal | None
    target_distance: Decimal | None


@kernel
def judge_entry(
    t: Floats, equity: float, free: float, price: float, direction: int, stop_distance: float, target_distance: float,
    day_trades: int,
) -> tuple[int, int, float, float]:  # fmt: skip
    """Pass an entry through the numeric gates and size it.

    Where the stop lies behind the liquidation price and the terms say so, it is moved before it, a target that is a
    multiple of it follows, and the entry is sized again (plays.md 6.7).

    Args:
        t: Terms, see `Sizing`.
        equity: Of the account.
        free: Equity not used as margin.
        price: Decision price.
        direction: +1 or -1.
        stop_distance: From the price to the stop, NaN without one.
        target_distance: From the price to the target, NaN without one.
        day_trades: That stand within the sessions that count.

    Returns:
        Lots, the number of a reason, and the two distances; 0 lots unless the reason is OK.
    """
    barred = judge_account(t, equity, direction, day_trades)
    if barred != _OK:
        return 0, barred, stop_distance, target_distance
    if too_close(t, price, stop_distance, target_distance):
        return 0, _TOO_CLOSE, stop_distance, target_distance
    if (stop_distance if direction > 0 else target_distance) >= price:
        return 0, _BEYOND_ZERO, stop_distance, target_distance
    lots, reason = size_entry(t, equity, free, price, stop_distance)
    if t[_LIQUIDATES] == 0.0 or reason != _OK:
        return lots, reason, stop_distance, target_distance
    room = liquidation_distance(t, lots, price, direction)
    if room < t[_MIN_DISTANCE] * price:
        return 0, _LIQUIDATION_NEAR, stop_distance, target_distance
    if stop_distance >= room * INSIDE_LIQUIDATION and t[_BEYOND] == _ADJUST:
        stop_distance = room * INSIDE_LIQUIDATION
        if t[_RATIO] == t[_RATIO]:
            target_distance = stop_distance * t[_RATIO]
        if too_close(t, price, stop_distance, target_distance):
            return 0, _TOO_CLOSE, stop_distance, target_distance
        lots, reason = size_entry(t, equity, free, price, stop_distance)
        if reason != _OK:
            return 0, reason, stop_distance, target_distance
        room = liquidation_distance(t, lots, price, direction)
        if stop_distance > room * INSIDE_LIQUIDATION * SNAP:
            return 0, _STOP_BEYOND, stop_distance, target_distance
    elif stop_distance >= room * INSIDE_LIQUIDATION and t[_BEYOND] == _REJECT:
        return 0, _STOP_BEYOND, stop_distance, target_distance
    return lots, _OK, stop_distance, target_distance


@inlined
def judge_account(t: Floats, equity: float, direction: int, day_trades: int) -> int:
    """Return the number of a reason for which the account may not open anything on that side now, else that of OK.

    Args:
        t: Terms, see `Sizing`.
        equity: Of the account.
        direction: +1 or -1.
        day_trades: That stand within the sessions that count (FINRA rule 4210(f)(8)(B)).
    """
    if direction < 0 and t[_LONG_ONLY] == 1.0:
        return _NO_SHORTS
    return _PDT if day_trades >= t[_DAY_TRADES] and equity < t[_DAY_TRADE_EQUITY] else _OK


@inlined
def too_close(t: Floats, price: float, stop_distance: float, target_distance: float) -> bool:
    """Whether stop, target or a step of the ladder lies less than one tick from the price; what is NaN does not."""
    tick = t[_TICK]
    step_too_close = t[_NEAREST_RATIO] * stop_distance < tick or t[_NEAREST_FRACTION] * price < tick
    return stop_distance < tick or target_distance < tick or step_too_close


@inlined
def liquidation_distance(t: Floats, lots: int, price: float, direction: int) -> float:
    """Return how far a position of so many lots at the price is from its liquidation; infinite without one."""
    quantity = lots * t[_LOT_N] / t[_LOT_D] * t[_MULTIPLIER]
    maintenance, deduction = margin_rates(
        t, _TIER_TABLE, int(t[_TIERS]), quantity * price, t[_MAINTENANCE], t[_DEDUCTION]
    )
    at = liquidation_price(direction, quantity, price, t[_LEVERAGE], maintenance + t[_TAKER], deduction, 0.0)
    return direction * (price - at)


def gate_terms(terms: Terms, instrument: Instrument) -> Floats:
    """Return the terms of gates and sizing as their kernel reads them; a cap that does not exist is infinite."""
    table = tier_table(instrument)
    values = np.zeros(SIZING_TERMS + len(table))
    values[Sizing.TIERS], values[SIZING_TERMS:] = len(instrument.risk_tiers), table
    account, sizing, lot = terms.account, terms.sizing, instrument.lot_grid
    leverage = account_leverage(terms, instrument)
    values[Sizing.MODEL] = SizingModel[sizing.model.upper()]
    values[Sizing.VALUE] = to_float(sizing.value)
    values[Sizing.BASIS_NOTIONAL] = float(sizing.basis == "notional")
    values[Sizing.INCLUDE_COSTS] = float(sizing.include_costs)
    values[Sizing.LEVERAGE] = to_float(leverage)
    values[Sizing.MAX_POSITION] = to_float(account.max_position)
    values[Sizing.INCLUDE_CLOSE_FEE] = float(account.include_close_fee)
    values[Sizing.MIN_NOTIONAL] = to_float(max(account.min_notional, instrument.min_notional))
    caps = (account.max_notional, tier_cap(leverage, instrument))
    values[Sizing.MAX_NOTIONAL] = min(_or_infinite(cap) for cap in caps)
    values[Sizing.MAX_MARGIN] = _or_infinite(account.max_margin)
    values[Sizing.MIN_QUANTITY] = to_float(instrument.min_quantity)
    values[Sizing.MAX_QUANTITY] = _or_infinite(instrument.max_quantity)
    values[Sizing.TAKER] = to_float(account.taker)
    values[Sizing.SLIPPAGE] = to_float(account.slippage + account.half_spread)
    values[Sizing.PER_CONTRACT] = to_float(account.per_contract)
    values[Sizing.MULTIPLIER] = to_float(instrument.multiplier)
    values[Sizing.TICK] = to_float(instrument.tick_size)
    margin = account.margin
    values[Sizing.LIQUIDATES] = float(margin.liquidates)
    values[Sizing.MAINTENANCE] = to_float(margin.maintenance)
    values[Sizing.DEDUCTION] = to_float(margin.deduction)
    values[Sizing.MIN_LIQUIDATION_DISTANCE] = to_float(margin.min_distance)
    values[Sizing.BEYOND_LIQUIDATION] = BeyondLiquidation[margin.stop_beyond.upper()]
    ladder = terms.order.ladder
    values[Sizing.NEAREST_RATIO] = _least([step.ratio for step in ladder])
    values[Sizing.NEAREST_FRACTION] = _least([step.fraction for step in ladder])
    values[Sizing.TARGET_RATIO] = math.nan if terms.order.target_ratio is None else to_float(terms.order.target_ratio)
    values[Sizing.LOT_NUMERATOR], values[Sizing.LOT_DENOMINATOR] = lot.numerator, lot.denominator
    rules = account.rules
    values[Sizing.CONTRACT] = to_float(entry_margin(rules))
    values[Sizing.CREDIT_FROM] = to_float(rules.credit_from) if rules.kind is AccountKind.MARGIN else 0.0
    values[Sizing.DAY_TRADES] = math.inf if rules.day_trades is None else rules.day_trades
    values[Sizing.DAY_TRADE_EQUITY] = to_float(rules.day_trade_equity)
    values[Sizing.LONG_ONLY] = float(rules.kind is AccountKind.CASH)
    return values


def account_leverage(terms: Terms, instrument: Instrument) -> Decimal:
    """Return the leverage that a position can have in this account, contract margins aside."""
    leverage = allowed_leverage(terms.sizing.max_leverage, instrument)
    rules = terms.account.rules
    return min(leverage, 1 / rules.initial) if rules.kind is AccountKind.MARGIN else leverage


def _least(values: Sequence[Decimal | None]) -> float:
    """Return the smallest of what is there; NaN where nothing is."""
    return min((to_float(value) for value in values if value is not None), default=math.nan)


def _or_infinite(cap: Decimal | None) -> float:
    return math.inf if cap is None else to_float(cap)


class EntryGates:
    """The gates of one account and instrument, as the core asks them."""

    def __init__(self, terms: Terms, instrument: Instrument) -> None:
        compiled(judge_entry, _JUDGE)
        self._terms = gate_terms(terms, instrument)
        self._lot = instrument.lot_grid

    def judge(
        self, intent: Enter, *, equity: Decimal, price: float, free: Decimal | None = None, day_trades: int = 0
    ) -> Sized | Reason:
        """Return an entry with its size, or the first reason against it.

        Args:
            intent: The wish.
            equity: Of the account.
            price: Decision price.
            free: What of it is not used as margin; None is all of it: one instrument enters from a flat account.
            day_trades: That stand within the sessions that count.
        """
        money = float(postings_from_money(equity)) / POSTINGS_PER_UNIT  # the same two roundings as in the loop
        margin = money if free is None else float(postings_from_money(free)) / POSTINGS_PER_UNIT
        lots, reason, stop, target = judge_entry(
            self._terms, money, margin, price, intent.direction.sign,
            _or_missing(intent.stop_distance), _or_missing(intent.target_distance), day_trades,
        )  # fmt: skip
        if lots == 0:
            return REASONS[reason]
        return Sized(
            intent=intent, lots=lots, quantity=self._lot.value(lots), stop_distance=_or_none(stop),
            target_distance=_or_none(target),
        )  # fmt: skip

    def part(self, quantity: Decimal, fraction: Decimal) -> Decimal:
        """Return a fraction of a held quantity, rounded down to the lot; 0 where that is less than one."""
        if fraction == 1:
            return quantity
        lots = math.floor(abs(self._lot.nearest(quantity)) * to_float(fraction) * SNAP)
        return self._lot.value(lots).copy_sign(quantity) if lots else Decimal(0)


def _or_none(distance: float) -> Decimal | None:
    return None if math.isnan(distance) else to_decimal(distance)


def _or_missing(distance: Decimal | None) -> float:
    return math.nan if distance is None else to_float(distance)
