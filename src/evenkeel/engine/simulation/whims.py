"""The strategy of the simulated worlds: it wishes, bar by bar, what was drawn for it beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import msgspec
import numpy as np

from evenkeel.engine.simulation.draw import Draw
from evenkeel.model.bar import Floats
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Intent
from evenkeel.model.number import to_float
from evenkeel.strategies.python_strategy import PythonStrategy
from evenkeel.strategies.strategy import View
from evenkeel.strategies.terms import EvenTerms, LadderStep, OrderTerms, TrailTerms

SHARE = "0.2"
"""Part of its money that an entry is sized to."""


class Whim(msgspec.Struct, frozen=True, kw_only=True):
    """What is wished at the close of a bar.

    Attributes:
        direction: +1 buys, -1 sells, 0 closes.
        kind: Market, limit or stop.
        offset: Ticks from the price to that of the order.
        stop: Ticks to the protective stop.
        target: Ticks to the target; None has none.
        part: Of the position, to close.
        lives: Bars that an order which rests lives; 0 is as long as the account lets it.
    """

    direction: int
    kind: str = "market"
    offset: int = 0
    stop: int = 1
    target: int | None = None
    part: float = 1.0
    lives: int = 0


def whims_of(draw: Draw, *, bars: int, ticks: int) -> dict[int, Whim]:
    """Return what is wished at which bar.

    Args:
        draw: Source of every choice.
        bars: So many there are.
        ticks: The price in ticks, from which distances are reckoned.
    """
    chosen: dict[int, Whim] = {}
    for bar in range(bars):
        if draw.random() < 0.45:
            chosen[bar] = _whim(draw, ticks)
    return chosen


def _whim(draw: Draw, ticks: int) -> Whim:
    direction = draw.choice((1, 1, -1, -1, 0))
    if direction == 0:
        return Whim(direction=0, part=draw.choice((1.0, 1.0, 0.5, 0.3)))
    near, far = max(ticks // 1000, 2), max(ticks // 100, 4)
    stop = draw.randint(near, far)
    target = draw.choice((None, 2 * stop, 2 * stop, stop))
    return Whim(
        direction=direction, kind=draw.choice(("market", "market", "limit", "stop")), offset=draw.randint(0, near),
        stop=stop, target=target, lives=draw.choice((0, 0, 1, 2)),
    )  # fmt: skip


class Whimsical(PythonStrategy):
    """Wishes what was drawn for it; made by `strategy_of`."""

    timeframe = "1m"
    symbol = ""
    sizing: ClassVar[Mapping[str, str]] = {"model": "percent_equity", "value": SHARE}
    whims: ClassVar[Mapping[int, Whim]] = {}

    def decide(self, view: View) -> Intent:
        """Answer the close of an execution bar, and remember how often something was wished."""
        whim = self.whims.get(view.bar)
        if whim is None:
            return self.nothing()
        self.memory = {"wishes": self.memory.get("wishes", 0) + 1}
        if whim.direction == 0:
            return self.close("whim", part=whim.part)
        tick = to_float(self.instrument.tick_size)
        away = whim.direction * whim.offset * tick
        limit = view.price - away if whim.kind == "limit" else None
        trigger = view.price + away if whim.kind == "stop" else None
        side = self.long if whim.direction > 0 else self.short
        steps = self.terms.order.ladder
        target = None if whim.target is None or steps else whim.target * tick
        return side(
            stop=whim.stop * tick, target=target, limit=limit, trigger=trigger, expire_bars=whim.lives, reason="whim"
        )  # fmt: skip


def habits_of(draw: Draw) -> OrderTerms:
    """Return how stops and targets are worked: at rest, trailing, to break-even, in steps, as limits."""
    habit = draw.choice(("rests", "rests", "trails", "break-even", "ladder", "limit"))
    share = Decimal(draw.randint(2, 15)) / 1000
    match habit:
        case "trails":
            return OrderTerms(trail=TrailTerms(activation=draw.choice((Decimal(0), share / 4)), fraction=share))
        case "break-even":
            return OrderTerms(break_even=EvenTerms(activation=share / 4, offset=share / 20))
        case "ladder":
            half = Decimal("0.5")
            return OrderTerms(ladder=(LadderStep(ratio=half, share=half), LadderStep(ratio=Decimal(1), share=half)))
        case "limit":
            return OrderTerms(stop_is_limit=True)
    return OrderTerms()


def strategy_of(name: str, instrument: Instrument, whims: Mapping[int, Whim], habits: OrderTerms) -> Whimsical:
    """Return a strategy with its whims, and how its orders are worked."""
    made: type[Whimsical] = type(name, (Whimsical,), {"symbol": instrument.id, "whims": whims})
    strategy = made(lambda _: instrument, "")
    strategy.terms = msgspec.structs.replace(strategy.terms, order=habits)
    return strategy


class Closes:
    """The features of a strategy that looks at nothing but the close."""

    def __init__(self, closes: tuple[float, ...], *, start_ns: int, bar_ns: int) -> None:
        self._closes, self._start_ns, self._bar_ns = closes, start_ns, bar_ns
        self._nothing: Floats = np.zeros((1, 1))

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        """Return window, column, close time and close of an execution bar."""
        del segment
        return self._nothing, 0, self._start_ns + (bar + 1) * self._bar_ns, self._closes[bar]
