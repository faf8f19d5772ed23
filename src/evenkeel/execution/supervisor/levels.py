"""Where the stop and the targets of a trade must rest: by the rules that the simulated venue applies, and its kernels.

bracket = anchored(bracket, tick)        # after each fill of the entry
bracket = followed(bracket, close, tick) # after each base close
"""

from __future__ import annotations

import math
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numba import types

from evenkeel.kernel import FLOATS, INTS, compiled, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.number import Grid, to_decimal, to_float
from evenkeel.model.reason import ExitReason
from evenkeel.risk.protection import EVENED, PROFIT_SLACK, TRAILED, lay_ladder, moved_stop, stop_at, target_at

if TYPE_CHECKING:
    from evenkeel.execution.supervisor.bracket import Bracket


class Rung(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of several targets, by its rule.

    Attributes:
        ratio: Distance as a multiple of the stop's; None where `fraction` says it.
        fraction: Distance as a fraction of the decision price; None where `ratio` says it.
        share: Part of the position that it closes.
    """

    ratio: Decimal | None = None
    fraction: Decimal | None = None
    share: Decimal


class Rules(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How stop and targets of a trade move, as its strategy had it when it entered.

    Attributes:
        trail_activation: Profit at a base close, as a fraction of the entry price, from which on the stop follows; None
            does not follow. Likewise `even_activation`, at which it goes to break-even.
        trail_distance: From the close to the stop; used without a `trail_fraction`.
        trail_fraction: The same as a fraction of the close.
        even_offset: How far beyond the entry price the stop lies at break-even, as a fraction of it.
        ladder: Several targets, in place of one.
        reference: Decision price of the entry.
        lot: Smallest step of a quantity; 0 where it is not known.
        stop_offset: How far beyond its trigger the limit of a stop lies; None is a stop without a limit.
    """

    trail_activation: Decimal | None = None
    trail_distance: Decimal | None = None
    trail_fraction: Decimal | None = None
    even_activation: Decimal | None = None
    even_offset: Decimal = Decimal(0)
    ladder: tuple[Rung, ...] = ()
    reference: Decimal | None = None
    lot: Decimal = Decimal(0)
    stop_offset: Decimal | None = None

    @property
    def moves(self) -> bool:
        """Whether the stop can move."""
        return self.trail_activation is not None or self.even_activation is not None


class Rest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A target of a ladder, where it lies.

    Attributes:
        price: None where no price can reach it.
        quantity: Unsigned units that it closes.
    """

    price: Decimal | None
    quantity: Decimal


class _P(IntEnum):
    """Places of the numbers that the kernels read and write."""

    ENTRY = 0
    DIRECTION = 1
    STOP_DISTANCE = 2
    TARGET_DISTANCE = 3
    STOP = 4
    TARGET = 5
    ARMED = 6
    EVENED = 7
    BY = 8
    CLOSE = 9
    TRAIL_DISTANCE = 10
    TRAIL_FRACTION = 11
    TRAIL_ACTIVATION = 12
    EVEN_ACTIVATION = 13
    EVEN_OFFSET = 14
    NUMERATOR = 15
    DENOMINATOR = 16
    REFERENCE = 17
    LOTS = 18
    STEPS = 19


ENTRY, DIRECTION, STOP_DISTANCE, TARGET_DISTANCE = (
    int(_P.ENTRY),
    int(_P.DIRECTION),
    int(_P.STOP_DISTANCE),
    int(_P.TARGET_DISTANCE),
)
STOP, TARGET, ARMED, EVEN, BY, CLOSE = (
    int(_P.STOP),
    int(_P.TARGET),
    int(_P.ARMED),
    int(_P.EVENED),
    int(_P.BY),
    int(_P.CLOSE),
)
TRAIL_DISTANCE, TRAIL_FRACTION, TRAIL_ACTIVATION = (
    int(_P.TRAIL_DISTANCE),
    int(_P.TRAIL_FRACTION),
    int(_P.TRAIL_ACTIVATION),
)
EVEN_ACTIVATION, EVEN_OFFSET, NUMERATOR, DENOMINATOR = (
    int(_P.EVEN_ACTIVATION),
    int(_P.EVEN_OFFSET),
    int(_P.NUMERATOR),
    int(_P.DENOMINATOR),
)
REFERENCE, LOTS, STEPS = int(_P.REFERENCE), int(_P.LOTS), int(_P.STEPS)


@kernel
def anchor_levels(p: Floats, terms: Floats, levels: Floats, lots: Ints) -> None:
    """Set stop and targets at their distances from the entry price."""
    direction = 1 if p[DIRECTION] > 0.0 else -1
    p[STOP] = stop_at(p[ENTRY], direction, p[STOP_DISTANCE], p[NUMERATOR], p[DENOMINATOR])
    p[TARGET] = direction * math.inf
    if p[STEPS] > 0.0:
        lay_ladder(
            levels, 0, lots, 0, terms, 0, int(p[STEPS]), int(p[LOTS]), p[ENTRY], direction, p[STOP_DISTANCE],
            p[REFERENCE], p[NUMERATOR], p[DENOMINATOR],
        )  # fmt: skip
    elif p[TARGET_DISTANCE] == p[TARGET_DISTANCE]:
        p[TARGET] = target_at(p[ENTRY], direction, p[TARGET_DISTANCE], p[NUMERATOR], p[DENOMINATOR])


@kernel
def follow_close(p: Floats) -> None:
    """Move the stop by a base close."""
    direction = 1 if p[DIRECTION] > 0.0 else -1
    p[STOP], p[BY], p[ARMED], p[EVEN] = moved_stop(
        p[CLOSE], direction, p[ENTRY], p[STOP], int(p[ARMED]), int(p[EVEN]), p[TRAIL_DISTANCE], p[TRAIL_FRACTION],
        p[TRAIL_ACTIVATION], p[EVEN_ACTIVATION], p[EVEN_OFFSET], p[NUMERATOR], p[DENOMINATOR],
    )  # fmt: skip


def anchored(bracket: Bracket, tick: Decimal) -> Bracket:
    """Return the bracket with stop and targets at their distances from its average entry price (ruling 36).

    A stop that has moved only tightens. Prices are rounded away from risk: stop and targets nearer (belief.md 5.4).
    """
    rules = bracket.rules
    p = _numbers(bracket, tick)
    p[LOTS], p[STEPS] = float(abs(bracket.bought) // rules.lot if rules.ladder else 0), float(len(rules.ladder))
    p[REFERENCE] = _float(rules.reference)
    terms = np.array([_float(one) for rung in rules.ladder for one in (rung.ratio, rung.fraction, rung.share)] or [0.0])
    levels, lots = np.zeros(len(rules.ladder) or 1), np.zeros(len(rules.ladder) or 1, dtype=np.int64)
    compiled(anchor_levels, types.void(FLOATS, FLOATS, FLOATS, INTS))(p, terms, levels, lots)
    stop, stays = _price(p[STOP]), bracket.stop_by is not ExitReason.STOP_LOSS
    if stays and bracket.stop_price is not None:
        stays = stop is None or bracket.direction * (stop - bracket.stop_price) <= 0
    rests = tuple(
        Rest(price=_price(level), quantity=int(count) * rules.lot)
        for level, count in zip(levels, lots, strict=True)
        if rules.ladder
    )
    return msgspec.structs.replace(
        bracket, stop_price=bracket.stop_price if stays else stop,
        stop_by=bracket.stop_by if stays else ExitReason.STOP_LOSS, target_price=_price(p[TARGET]), rests=rests,
    )  # fmt: skip


def followed(bracket: Bracket, close: Decimal, tick: Decimal) -> Bracket:
    """Return the bracket after a base close: its stop trails, or goes to break-even, and never loosens."""
    rules = bracket.rules
    if not rules.moves or bracket.held * bracket.direction <= 0:
        return bracket
    p = _numbers(bracket, tick)
    p[CLOSE], p[ARMED], p[EVEN] = to_float(close), float(bracket.armed), float(bracket.evened)
    p[STOP] = -bracket.direction * math.inf if bracket.stop_price is None else to_float(bracket.stop_price)
    p[TRAIL_DISTANCE], p[TRAIL_FRACTION] = _float(rules.trail_distance), _float(rules.trail_fraction)
    p[TRAIL_ACTIVATION], p[EVEN_ACTIVATION] = _activation(rules.trail_activation), _activation(rules.even_activation)
    p[EVEN_OFFSET] = to_float(rules.even_offset)
    compiled(follow_close, types.void(FLOATS))(p)
    by = {TRAILED: ExitReason.TRAILING, EVENED: ExitReason.BREAKEVEN}.get(int(p[BY]), bracket.stop_by)
    return msgspec.structs.replace(
        bracket,
        stop_price=_price(p[STOP]),
        stop_by=by,
        armed=bool(p[ARMED] == 1.0),
        evened=bool(p[EVEN] == 1.0),
    )


def _numbers(bracket: Bracket, tick: Decimal) -> Floats:
    p, grid = np.zeros(len(_P)), Grid.of(tick)
    p[ENTRY], p[DIRECTION] = to_float(bracket.average), bracket.direction
    p[STOP_DISTANCE], p[TARGET_DISTANCE] = _float(bracket.stop_distance), _float(bracket.target_distance)
    p[NUMERATOR], p[DENOMINATOR] = grid.numerator, grid.denominator
    return p


def _float(value: Decimal | None) -> float:
    return math.nan if value is None else to_float(value)


def _activation(value: Decimal | None) -> float:
    return math.inf if value is None else to_float(value) - PROFIT_SLACK


def _price(level: float) -> Decimal | None:
    """Return a level as a price; None where no price can reach it."""
    return None if math.isinf(level) else to_decimal(float(level))
