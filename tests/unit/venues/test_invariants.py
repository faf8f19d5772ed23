"""The books are held to the invariants of plays.md 6.11: each fault is found and named, and none is found in a run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

import desk
from desk import account, long, short
from evenkeel.engine import research
from evenkeel.kernel import kernel
from evenkeel.model.errors import InvariantBroken
from evenkeel.strategies.terms import EvenTerms, LadderStep, MarginTerms, OrderTerms, SizingTerms, TrailTerms
from evenkeel.venues.simulated import loop
from evenkeel.venues.simulated.book import Book, Ledger, Mark, Pause, new_book, new_ledger, new_mark
from evenkeel.venues.simulated.invariants import FAULTS, Fault, find_fault
from evenkeel.venues.simulated.venue import SimulatedVenue, venue_terms

TERMS = venue_terms(desk.terms(account(), SizingTerms(max_leverage=D(10))), desk.instrument())


@kernel
def found(book, mark, ledger, terms):
    """Call the inlined function from outside."""
    return find_fault(book, mark, ledger, terms)


def books(held: int) -> tuple[Any, Any, Any]:
    """Return consistent books of a position of so many lots, bought at 100."""
    book, mark, ledger = new_book(), new_mark(), new_ledger(10**12)
    book[Book.LOTS] = book[Book.FILLED] = held
    mark[Mark.ENTRY], mark[Mark.STOP], mark[Mark.TARGET] = 100.0, 90.0, np.inf
    return book, mark, ledger


Change = Callable[[Any, Any, Any], None]


def put(where: str, place: int, value: float) -> Change:
    """Return what writes a number into the books."""

    def change(book: Any, mark: Any, ledger: Any) -> None:
        {"book": book, "mark": mark, "ledger": ledger}[where][place] = value

    return change


@pytest.mark.parametrize("held", [0, 5000, -5000])
def test_consistent_books_have_no_fault(held: int) -> None:
    assert found(*books(held), TERMS) == Fault.NONE


@pytest.mark.parametrize(
    ("held", "change", "fault"),
    [
        (0, put("ledger", Ledger.CASH, 10**12 + 1), Fault.CASH), (5000, put("ledger", Ledger.FEES, 1), Fault.CASH),
        (0, put("ledger", Ledger.FUNDED, 1), Fault.CASH), (5000, put("ledger", Ledger.GROSS, -1), Fault.CASH),
        (5000, put("book", Book.FILLED, 4999), Fault.QUANTITY), (0, put("book", Book.FILLED, -1), Fault.QUANTITY),
        (0, put("book", Book.OPEN, 1), Fault.FLAT), (0, put("book", Book.EXTRA, -1), Fault.FLAT),
        (0, put("book", Book.EXIT, 3), Fault.FLAT), (0, put("book", Book.EXIT_LOTS, 3), Fault.FLAT),
        (0, put("book", Book.FIRED, 1), Fault.FLAT), (5000, put("book", Book.EXTRA, -51 * 10**8), Fault.MARGIN),
        (5000, put("mark", Mark.ENTRY, np.nan), Fault.PRICE), (5000, put("mark", Mark.ENTRY, 0.0), Fault.PRICE),
        (-5000, put("mark", Mark.STOP, np.nan), Fault.PRICE), (5000, put("mark", Mark.TARGET, np.nan), Fault.PRICE),
        (5000, put("book", Book.EXIT_LOTS, 5001), Fault.REDUCE_ONLY),
        (-5000, put("book", Book.EXIT_LOTS, -1), Fault.REDUCE_ONLY),
    ],
)  # fmt: skip
def test_each_fault_is_found(held: int, change: Change, fault: Fault) -> None:
    parts = books(held)
    change(*parts)

    assert found(*parts, TERMS) == fault


def test_every_fault_has_words() -> None:
    assert set(FAULTS) == set(Fault) - {Fault.NONE}


def test_a_fault_stops_the_run_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(SimulatedVenue):
        def open_stretch(self, *args: Any, **facts: Any) -> None:
            super().open_stretch(*args, **facts)
            self.ledger[Ledger.FEES] = 1

    monkeypatch.setattr(research, "SimulatedVenue", Broken)
    with pytest.raises(InvariantBroken, match=r"books of the run broke at base bar 1 .*6\.11\.5"):
        desk.run(desk.piece(desk.flat(100, 4), {0: long()}))
    assert loop.GO_ON not in set(Pause)


def test_checking_each_bar_finds_nothing_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = desk.walk(11, 1500)
    ladder = (LadderStep(fraction=D("0.002"), share=D("0.4")), LadderStep(fraction=D("0.004"), share=D("0.6")))
    order = OrderTerms(
        ladder=ladder, trail=TrailTerms(activation=D("0.001"), fraction=D("0.003")),
        break_even=EvenTerms(activation=D("0.002"), offset=D("0.0005")),
    )  # fmt: skip
    wishes = {n: (long if n % 3 else short)(stop=0.5) for n in range(0, 1490, 5)}
    leaves = dict.fromkeys(range(3, 1490, 11), 0.5)
    costs = account(
        taker="0.0005", slippage="0.0002", funding_rate="0.0001", max_volume_fraction="0.1", start_equity="100000",
        margin=MarginTerms(liquidates=True, min_distance=D(0), stop_beyond="warn", goes_on=True),
    )  # fmt: skip
    sizing = SizingTerms(model="percent_equity", value=D("0.02"), max_leverage=D(20))
    part = desk.Piece(bars, wishes, leaves)
    plain = desk.run(part, costs=costs, sizing=sizing, order=order)

    class EachBar(SimulatedVenue):
        def __init__(self, *args: Any, **facts: Any) -> None:
            super().__init__(*args, each_bar=True, **facts)

    monkeypatch.setattr(research, "SimulatedVenue", EachBar)
    checked = desk.run(part, costs=costs, sizing=sizing, order=order)

    assert len(plain.fills) > 300
    assert plain.result_hash() == checked.result_hash()
