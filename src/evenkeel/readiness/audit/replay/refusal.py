"""Why an entry that the rules asked for was not placed: what it needed was missing, or it was too small or too near.

The gates are those of plays.md 1.11, 6.7 and 6.8. Where float64 may see the border either way, an entry counts as one
that may be refused.
"""

from __future__ import annotations

from decimal import Decimal

from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.broker import with_leverage
from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.funds import Funds
from evenkeel.readiness.audit.margin import STOP_SHARE, Stake, liquidation_price
from evenkeel.readiness.audit.number import GRID_TOLERANCE, ONE, exact, floors
from evenkeel.readiness.audit.replay.distances import Distances, Risk
from evenkeel.readiness.audit.replay.said import Stretch
from evenkeel.readiness.audit.replay.stages import Bools, Floats
from evenkeel.readiness.audit.size import notional_cap, wanted_notional
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms

NEARLY = ONE + Decimal("1e-9")
"""A distance of averages is known to this part of itself."""


class Gates:
    """The gates of a run, asked at single decisions.

    Args:
        terms: The terms of the run.
        manifest: Holds the rules of the play and the instrument.
        bars: The base bars.
        funds: What the broker lets an entry use.
        risk: Distances of stops and targets.
        parts: The stretches of the run.
    """

    def __init__(
        self, terms: Terms, manifest: Document, bars: BaseBars, funds: Funds, risk: Risk, parts: list[Stretch]
    ) -> None:
        self._terms = terms
        self._manifest = manifest
        self._funds = funds
        self._bars = bars
        self._parts = parts
        self._distances = [Distances(risk, part, float(terms.leverage)) for part in parts]
        self._known: dict[tuple[int, int], tuple[Bools, Floats | None, Floats | None]] = {}
        least = "instrument.min_notional"
        stated = manifest.optional_number(least) if manifest.has(least) else None
        self._notional_min = max(terms.notional_min, stated or Decimal(0))

    def refuse(self, decision: int, side: int, equity: Decimal) -> bool:
        """Whether an entry of a side, decided there with that equity, is or may be refused."""
        number, place = self._place(decision)
        part, found = self._parts[number], self._columns(number, side)
        missing, *levels = found
        if missing[place]:
            return True
        row = int(part.last[place])
        if self._funds.barred(row, equity) or self._funds.withdrawn(row + 1 + self._terms.delay):
            return True
        price = self._bars.bar(row).close
        scale = 1.0 if self._bars.scale is None else float(self._bars.scale[row])
        stop, target = (None if one is None else exact(float(one[place]) / scale) for one in levels)
        return self._too_near(price, side, stop, target) or self._unfit(
            price, side, stop, (equity, self._funds.free(row, equity))
        )

    def _place(self, decision: int) -> tuple[int, int]:
        for number, part in enumerate(self._parts):
            if decision < len(part):
                return number, decision
            decision -= len(part)
        raise IndexError(decision)

    def _columns(self, number: int, side: int) -> tuple[Bools, Floats | None, Floats | None]:
        """Return where an input is missing, and the distances of stop and target."""
        if (number, side) not in self._known:
            of = self._distances[number]
            self._known[number, side] = of.missing(side), of.stop(side), of.target(side)
        return self._known[number, side]

    def _too_near(self, price: Decimal, side: int, stop: Decimal | None, target: Decimal | None) -> bool:
        """Whether a level lies within a tick of the price, or beyond zero."""
        near = any(one is not None and one < self._terms.tick * NEARLY for one in (stop, target))
        down = stop if side > 0 else target
        return near or (down is not None and down * NEARLY >= price)

    def _unfit(self, price: Decimal, side: int, stop: Decimal | None, money: tuple[Decimal, Span]) -> bool:
        terms = self._terms
        span = None if stop is None else Span(stop / NEARLY, stop * NEARLY)
        quantity = self._quantity(price, span, money)
        if quantity is None:
            return True
        if not terms.margin.liquidates:
            return False
        at = liquidation_price(terms.margin, Stake(side, quantity * terms.multiplier, price))
        if at is None:
            return False
        room = side * (price - at)
        if room < terms.margin.distance_min * price * NEARLY:
            return True
        beyond = stop is not None and stop * NEARLY >= room * STOP_SHARE
        if not beyond or terms.margin.beyond == "warn":
            return False
        most = room * STOP_SHARE
        return terms.margin.beyond == "reject" or self._quantity(price, Span(most / NEARLY, most), money) is None

    def _quantity(self, price: Decimal, stop: Span | None, money: tuple[Decimal, Span]) -> Decimal | None:
        """Return the smallest quantity that the sizing may give; None where it may give none."""
        (equity, free), unit = money, price * self._terms.multiplier
        terms = with_leverage(self._terms, self._manifest, equity, price)
        wanted = wanted_notional(terms, money, price, stop)
        if wanted is None or wanted.low <= 0:
            return None
        cap = notional_cap(terms, equity, price, free.low)
        if terms.size_model == "fixed_quantity":
            if wanted.low > cap * (1 + GRID_TOLERANCE):
                return None
            quantity = terms.size_value
        else:
            quantity = min(floors(min(wanted.low, cap) / unit, terms.lot))
        small = quantity < max(terms.lot, terms.quantity_min) or quantity * unit < self._notional_min * NEARLY
        large = terms.quantity_max is not None and quantity > terms.quantity_max
        return None if small or large else quantity
