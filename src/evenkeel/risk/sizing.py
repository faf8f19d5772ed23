"""How many lots: the sizing models and the caps on every one of them.

One float64 kernel serves both lanes. Notional `N` is quantity times price times multiplier; `lev` the leverage; `f` the
taker fee of one side as a fraction of the notional, commissions per contract included.

    percent_equity   free * value * lev
    risk_based       equity * value / (|price - stop| / price [+ 2 f + slippage])
    fixed_usdt       value * lev (margin) or value (notional), account currency
    fixed_quantity   value units; never shrunk: what does not fit is refused

Caps: `equity * max_position * lev`, `free * lev / (1 + 2 f lev)` (so that the fees fit too), `max_notional`,
`max_margin * lev`. Source: plays.md 6.8, with its golden vectors 13 to 22 as tests.
"""

from __future__ import annotations

import math
from enum import IntEnum

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats
from evenkeel.model.reason import Reason, reason_number


class SizingModel(IntEnum):
    """How the size of an entry is found; the number is what the kernel gets."""

    PERCENT_EQUITY = 0
    RISK_BASED = 1
    FIXED_USDT = 2
    FIXED_QUANTITY = 3


class Sizing(IntEnum):
    """Places in the array of sizing terms; fractions, account currency and units, missing caps as infinity.

    MAINTENANCE is the maintenance margin rate; TARGET_RATIO the multiple of the stop's distance at which a target lies,
    NaN for any other target. NEAREST_RATIO and NEAREST_FRACTION are the smallest steps of a ladder, of the stop's
    distance and of the price; NaN where there is none. CONTRACT is the margin of a contract, 0 where there is none;
    CREDIT_FROM the equity below which there is no credit; DAY_TRADES how many day trades may stand, DAY_TRADE_EQUITY
    the equity from which on they do not matter; LONG_ONLY 1 where the account never sells short. TIERS counts the risk
    tiers, whose table begins at TIER_TABLE.
    """

    MODEL = 0
    VALUE = 1
    BASIS_NOTIONAL = 2
    INCLUDE_COSTS = 3
    LEVERAGE = 4
    MAX_POSITION = 5
    INCLUDE_CLOSE_FEE = 6
    MIN_NOTIONAL = 7
    MAX_NOTIONAL = 8
    MAX_MARGIN = 9
    MIN_QUANTITY = 10
    MAX_QUANTITY = 11
    TAKER = 12
    PER_CONTRACT = 13
    SLIPPAGE = 14
    MULTIPLIER = 15
    LOT_NUMERATOR = 16
    LOT_DENOMINATOR = 17
    TICK = 18
    LIQUIDATES = 19
    MAINTENANCE = 20
    DEDUCTION = 21
    MIN_LIQUIDATION_DISTANCE = 22
    BEYOND_LIQUIDATION = 23
    TARGET_RATIO = 24
    NEAREST_RATIO = 25
    NEAREST_FRACTION = 26
    TIERS = 27
    CONTRACT = 28
    CREDIT_FROM = 29
    DAY_TRADES = 30
    DAY_TRADE_EQUITY = 31
    LONG_ONLY = 32
    TIER_TABLE = 33


class BeyondLiquidation(IntEnum):
    """What becomes of an entry whose stop lies behind its liquidation price."""

    REJECT = 0
    ADJUST = 1
    WARN = 2


SIZING_TERMS = int(Sizing.TIER_TABLE)
"""Numbers before the table of risk tiers."""

_MODEL, _VALUE, _BASIS, _COSTS, _LEVERAGE = (
    int(Sizing.MODEL), int(Sizing.VALUE), int(Sizing.BASIS_NOTIONAL), int(Sizing.INCLUDE_COSTS), int(Sizing.LEVERAGE),
)  # fmt: skip
_MAX_POSITION, _CLOSE_FEE = int(Sizing.MAX_POSITION), int(Sizing.INCLUDE_CLOSE_FEE)
_MIN_NOTIONAL, _MAX_NOTIONAL, _MAX_MARGIN = int(Sizing.MIN_NOTIONAL), int(Sizing.MAX_NOTIONAL), int(Sizing.MAX_MARGIN)
_MIN_QUANTITY, _MAX_QUANTITY = int(Sizing.MIN_QUANTITY), int(Sizing.MAX_QUANTITY)
_TAKER, _PER_CONTRACT, _SLIPPAGE = int(Sizing.TAKER), int(Sizing.PER_CONTRACT), int(Sizing.SLIPPAGE)
_MULTIPLIER, _LOT_N, _LOT_D = int(Sizing.MULTIPLIER), int(Sizing.LOT_NUMERATOR), int(Sizing.LOT_DENOMINATOR)
_CONTRACT, _CREDIT_FROM = int(Sizing.CONTRACT), int(Sizing.CREDIT_FROM)
_PERCENT, _RISK, _FIXED, _QUANTITY = (int(model) for model in SizingModel)

_OK = reason_number(Reason.OK)
_MISSING = reason_number(Reason.RISK_INPUT_MISSING)
_SMALL_NOTIONAL = reason_number(Reason.BELOW_MIN_NOTIONAL)
_SMALL_QUANTITY = reason_number(Reason.BELOW_MIN_QUANTITY)
_MARGIN = reason_number(Reason.INSUFFICIENT_MARGIN)
_LARGE = reason_number(Reason.QUANTITY_ABOVE_LIMIT)
_DISABLED = reason_number(Reason.ENTRIES_DISABLED)

SNAP = 1.0 + 1e-12
"""A quantity this close below a whole lot counts as that lot: prices and lots as floats would lose it otherwise."""


@inlined
def entry_leverage(t: Floats, equity: float, price: float) -> float:
    """Return the leverage of an entry: less where a contract ties up more, none where equity is too small for it."""
    leverage = t[_LEVERAGE]
    if t[_CONTRACT] > 0.0:
        leverage = min(leverage, price * t[_MULTIPLIER] / t[_CONTRACT])
    return min(leverage, 1.0) if equity < t[_CREDIT_FROM] else leverage


@inlined
def wanted_notional(t: Floats, equity: float, free: float, price: float, stop_distance: float) -> float:
    """Return the notional that the model asks for before any cap; NaN when an input is missing."""
    model, value, leverage = t[_MODEL], t[_VALUE], entry_leverage(t, equity, price)
    if model == _PERCENT:
        return free * value * leverage
    if model == _RISK:
        if not stop_distance > 0.0:
            return math.nan
        loss = stop_distance / price
        if t[_COSTS] == 1.0:
            loss += 2.0 * fee_fraction(t, price) + t[_SLIPPAGE]
        return equity * value / loss
    if model == _FIXED:
        return value if t[_BASIS] == 1.0 else value * leverage
    return value * price * t[_MULTIPLIER]


@inlined
def fee_fraction(t: Floats, price: float) -> float:
    """Return the taker fee of one side as a fraction of the notional."""
    return t[_TAKER] + t[_PER_CONTRACT] / (price * t[_MULTIPLIER])


@inlined
def notional_cap(t: Floats, equity: float, free: float, price: float) -> float:
    """Return the largest notional that the account can carry, its fees included."""
    leverage = entry_leverage(t, equity, price)
    sides = 2.0 if t[_CLOSE_FEE] == 1.0 else 1.0
    fee_safe = free * leverage / (1.0 + sides * fee_fraction(t, price) * leverage)
    return min(equity * t[_MAX_POSITION] * leverage, fee_safe, t[_MAX_NOTIONAL], t[_MAX_MARGIN] * leverage)


@inlined
def required_margin(t: Floats, lots: int, price: float) -> float:
    """Return the money that an entry of so many lots keeps from others: its margin and the fees that it must carry."""
    quantity = lots * t[_LOT_N] / t[_LOT_D]
    notional = quantity * price * t[_MULTIPLIER]
    sides = 2.0 if t[_CLOSE_FEE] == 1.0 else 1.0
    return max(notional / t[_LEVERAGE], quantity * t[_CONTRACT]) + sides * notional * fee_fraction(t, price)


@inlined
def size_entry(t: Floats, equity: float, free: float, price: float, stop_distance: float) -> tuple[int, int]:
    """Return the number of lots to open and the number of a reason; 0 lots unless the reason is OK.

    Where the account cannot carry the least order even if all of it is free, entries are disabled (plays.md 6.11).

    Args:
        t: Terms, see `Sizing`.
        equity: Of the account, account currency.
        free: Equity not used as margin.
        price: Decision price.
        stop_distance: From the price to the stop, NaN without one.
    """
    if equity * t[_LEVERAGE] < t[_MIN_NOTIONAL]:
        return 0, _DISABLED
    if not free > 0.0:
        return 0, _MARGIN
    wanted = wanted_notional(t, equity, free, price, stop_distance)
    if not (wanted > 0.0 and price > 0.0):
        return 0, _MISSING
    cap = notional_cap(t, equity, free, price)
    if t[_MODEL] == _QUANTITY and wanted > cap * SNAP:
        return 0, _MARGIN
    quantity = min(wanted, cap) / (price * t[_MULTIPLIER])
    if t[_MODEL] == _QUANTITY:
        quantity = t[_VALUE]
    lots = math.floor(quantity * t[_LOT_D] / t[_LOT_N] * SNAP)
    rounded = lots * t[_LOT_N] / t[_LOT_D]
    if lots < 1 or rounded < t[_MIN_QUANTITY]:
        return 0, _MARGIN if cap <= 0.0 else _SMALL_QUANTITY
    if rounded > t[_MAX_QUANTITY]:
        return 0, _LARGE
    if rounded * price * t[_MULTIPLIER] < t[_MIN_NOTIONAL]:
        return 0, _SMALL_NOTIONAL
    return int(lots), _OK
