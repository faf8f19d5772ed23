"""Golden vectors 3, 11, 28, 31 and 44 to 47 of plays.md 6.13, through whole runs of hand-made bars in both lanes."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short, units
from evenkeel.kernel import kernel
from evenkeel.risk.gates.entry import gate_terms
from evenkeel.risk.sizing import required_margin
from evenkeel.strategies.terms import (
    AccountTerms,
    EvenTerms,
    ImpactTerms,
    MarginTerms,
    OrderTerms,
    SizingTerms,
)
from evenkeel.venues.simulated.carry import MarkBars, fundings

TEN = D("1e-10")
FEES = {"taker": "0.00055", "maker": "0.0002", "slippage": "0.0002"}


def perpetual(**facts: object) -> AccountTerms:
    """Return an account of the table: MMR 0.5 %, taker and liquidation 5.5 bps, maker and slippage 2 bps."""
    margin = MarginTerms(liquidates=True, liquidation_fee=D("0.00055"), min_distance=D(0), stop_beyond="warn")
    return account(margin=margin, max_position="1", **{**FEES, **facts})


def lots(quantity: str, leverage: int = 10) -> SizingTerms:
    return SizingTerms(model="fixed_quantity", value=D(quantity), max_leverage=D(leverage))


@kernel
def needed(t, count, price):
    """Call the inlined function from outside."""
    return required_margin(t, count, price)


@pytest.mark.parametrize(("close_fee", "money"), [(True, 1011.0), (False, 1005.5)])
def test_11_an_entry_needs_its_margin_and_its_fees(close_fee: bool, money: float) -> None:
    t = gate_terms(desk.terms(perpetual(include_close_fee=close_fee), lots("0.2")), desk.instrument())

    assert needed(t, 200, 50000.0) == pytest.approx(money, abs=1e-9)


@pytest.mark.parametrize(("low", "liquidated"), [(45251.15, False), (45251.14, True)])
def test_1_and_3_a_long_is_liquidated_where_its_margin_is_the_maintenance_margin(low: float, liquidated: bool) -> None:
    rows = [*flat(50000.0, 2), (50000.0, 50000.0, low, 50000.0), *flat(50000.0, 2)]
    record = desk.run(piece(rows, {0: long()}), costs=perpetual(slippage="0", start_equity="20000"), sizing=lots("1"))

    assert (record.stop_reason.value == "liquidated") is liquidated
    if liquidated:
        event = record.fills[1].event
        assert abs(event.price - D("45024.763619991")) < D("1e-8")
        assert -event.gross + event.fee == 5000


@pytest.mark.parametrize(("wish", "peak", "stop"), [(long(stop=20), 191.0, "187.7"), (short(stop=20), 184.0, "187.12")])
def test_28_break_even_lies_beyond_the_entry_on_the_tick(wish: desk.Wish, peak: float, stop: str) -> None:
    rows = [*flat(187.41, 3), (peak, peak, peak, peak), *flat(187.41, 2)]
    even = OrderTerms(break_even=EvenTerms(activation=D("0.01"), offset=D("0.0015")))
    record = desk.run(piece(rows, {0: wish}), order=even)

    assert (record.fills[1].event.stop_price, str(record.fills[1].event.exit_reason)) == (D(stop), "breakeven")


@pytest.mark.parametrize(("mode", "price"), [("linear", "50022.5"), ("sqrt", "50065.9016994375")])
def test_31_impact_is_added_to_slippage(mode: str, price: str) -> None:
    impact = ImpactTerms(mode=mode, coefficient=D("0.005"), largest=D("0.01"))
    rows = [(50000.0, 50000.0, 50000.0, 50000.0, 20.0)] * 4
    record = desk.run(
        piece(rows, {0: long()}), costs=account(slippage="0.0002", impact=impact, start_equity="1000000"),
        sizing=units(1),
    )  # fmt: skip

    assert abs(record.fills[0].event.price - D(price)) < TEN


def test_44_to_46_a_position_closed_in_two_legs() -> None:
    rows = [
        *flat(50000.0, 4), (50500.0, 50500.0, 50400.0, 50500.0), (50500.0, 51100.0, 50500.0, 51000.0),
        *flat(51000.0, 1),
    ]  # fmt: skip
    carry = fundings(np.array([3]), np.array([0.0001]), np.array([50100.0]))
    part = piece(rows, {0: long(target=990)}, {3: 0.4}, carry=carry)
    record = desk.run(
        part, costs=perpetual(start_equity="20000"), sizing=lots("0.2"), order=OrderTerms(target_is_limit=True)
    )

    entry, first, last = (fill.event for fill in record.fills)
    assert (entry.price, entry.fee) == (50010, D("5.5011"))
    assert (first.price, first.gross, first.fee) == (D("50489.9"), D("38.392"), D("2.2215556"))
    assert (last.price, last.gross, last.fee, last.taker) == (51000, D("118.8"), D("1.224"), False)
    one, two = record.trades()
    assert (one.entry_fee, one.funding, one.net) == (D("2.20044"), D("-0.4008"), D("33.5692044"))
    assert (two.quantity, two.entry_fee, two.funding) == (D("0.12"), D("3.30066"), D("-0.6012"))
    assert two.net == D("113.67414")
    assert one.net + two.net == D("147.2433444")


def test_47_a_gap_beyond_bankruptcy_is_a_liquidation_there() -> None:
    rows = [*flat(50000.0, 2), (44000.0, 44100.0, 43900.0, 44000.0), *flat(44000.0, 2)]
    record = desk.run(
        piece(rows, {0: long(stop=1000)}, mark=MarkBars(*(np.full(5, 50000.0) for _ in range(3)))),
        costs=perpetual(start_equity="20000"), sizing=lots("0.1"),
    )  # fmt: skip
    exact = desk.run(
        piece(rows, {0: long(stop=1000)}), costs=perpetual(start_equity="20000", slippage="0"), sizing=lots("0.1")
    )

    for one in (record, exact):
        assert str(one.fills[1].event.exit_reason) == "liquidation"
    event = exact.fills[1].event
    assert abs(event.price - D("45024.763619991")) < D("1e-8")
    assert (event.gross, event.fee) == (D("-497.52363800"), D("2.47636200"))
    assert event.fee - event.gross == 500
