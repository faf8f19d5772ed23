"""What a run traded, as plain columns, and how two of them differ.

Two backtesters are compared only after their rules are aligned: the same first bar, the same fee, and one of two rules
for the price of a market order. What the end of the data closes here stays open elsewhere, so it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from evenkeel.cli.benchmark.workload import Prepared
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.number import POSTINGS_PER_UNIT, to_float
from evenkeel.model.reason import ExitReason
from evenkeel.venues.simulated.book import Curve

FillRule = Literal["next open", "this close"]

PRICE_TOLERANCE = 1e-6
QUANTITY_TOLERANCE = 1e-9
EQUITY_TOLERANCE = 0.01
"""Of an account of a million, after ten thousand trades; we round each posting to 1e-8 and others do not."""


@dataclass(frozen=True, slots=True)
class Fills:
    """What a run traded.

    Attributes:
        bars: Number of the bar of each fill.
        signs: +1 bought, -1 sold.
        prices: Of each fill.
        quantities: Units, positive.
        equity: At the last close, what is held marked at it.
        curve: The same at each of the last closes; empty where only the last is known.
    """

    bars: Ints
    signs: Ints
    prices: Floats
    quantities: Floats
    equity: float
    curve: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.bars)


def fills_of_run(record: RunRecord, prepared: Prepared) -> Fills:
    """Return what one of our runs traded, without the close at the end of the data."""
    events = [fill.event for fill in record.fills]
    cash = prepared.strategy.terms.account.start_equity + sum((event.gross - event.fee for event in events), start=0)
    curve = record.curve[Curve.EQUITY] / POSTINGS_PER_UNIT
    if events and events[-1].exit_reason is ExitReason.END_OF_DATA:
        fee = events.pop().fee
        cash += fee
        curve[-1] += to_float(fee)
    quantities = np.array([to_float(event.quantity) for event in events])
    return Fills(
        bars=np.array([event.row for event in events], dtype=np.int64),
        signs=np.sign(quantities).astype(np.int64),
        prices=np.array([to_float(event.price) for event in events]),
        quantities=np.abs(quantities),
        equity=to_float(cash),
        curve=curve,
    )


def fills_of_peer(document: Mapping[str, Any]) -> Fills:
    """Return what a peer traded, from the document that it wrote."""
    return Fills(
        bars=np.array(document["bars"], dtype=np.int64),
        signs=np.where(np.array(document["buys"], dtype=np.bool_), 1, -1),
        prices=np.array(document["prices"], dtype=np.float64),
        quantities=np.array(document["quantities"], dtype=np.float64),
        equity=float(document["equity"]),
        curve=np.array(document["curve"], dtype=np.float64),
    )


def expected_of_peer(ours: Fills, bars: Bars, rule: FillRule, *, cash: float, fee: float) -> Fills:
    """Return what a peer with that rule must trade when it decides what we decided.

    Args:
        ours: Market orders only, filled at the open after the decision.
        bars: The series.
        rule: `this close` fills one bar earlier, at the close on which the decision was made.
        cash: At the start.
        fee: As a fraction of the notional.
    """
    if rule == "next open":
        return ours
    decided = ours.bars - 1
    prices = bars.close[decided]
    held = float((ours.signs * ours.quantities).sum())
    spent = float((ours.signs * ours.quantities * prices + ours.quantities * prices * fee).sum())
    return Fills(decided, ours.signs, prices, ours.quantities, cash - spent + held * float(bars.close[-1]))


def differences(expected: Fills, found: Fills) -> list[str]:
    """Return how two runs differ, in sentences; nothing when they are equal."""
    told = []
    shared = min(len(expected), len(found))
    if len(expected) != len(found):
        told.append(f"{len(found):,} fills instead of {len(expected):,}")
    wrong = np.flatnonzero(
        (expected.bars[:shared] != found.bars[:shared])
        | (expected.signs[:shared] != found.signs[:shared])
        | (np.abs(expected.prices[:shared] - found.prices[:shared]) > PRICE_TOLERANCE)
        | (np.abs(expected.quantities[:shared] - found.quantities[:shared]) > QUANTITY_TOLERANCE)
    )
    if len(wrong):
        first = int(wrong[0])
        told.append(f"fill {first + 1} is {_words(found, first)} instead of {_words(expected, first)}")
    if not told and abs(expected.equity - found.equity) > EQUITY_TOLERANCE:
        told.append(f"equity {found.equity:.4f} instead of {expected.equity:.4f}")
    shared = min(len(expected.curve), len(found.curve))
    apart = np.abs(expected.curve[-shared:] - found.curve[-shared:]) if shared else np.zeros(1)
    if not told and not apart.max() <= EQUITY_TOLERANCE:
        place = int(np.argmax(~(apart <= EQUITY_TOLERANCE)))
        close = len(found.curve) - shared + place
        told.append(
            f"equity {found.curve[close]:.4f} at close {close:,} instead of {expected.curve[place - shared]:.4f}"
        )
    return told


def _words(fills: Fills, place: int) -> str:
    side = "buy" if fills.signs[place] > 0 else "sell"
    return f"{side} {fills.quantities[place]:g} at {fills.prices[place]:g} in bar {fills.bars[place]:,}"
