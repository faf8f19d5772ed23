"""Funding from a history of rates: its rows, its mark prices, and who pays it (plays.md 6.5, ruling 35)."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
import pytest

from desk import START, account, flat, long, piece, run, short, units
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.time import MINUTE
from evenkeel.venues.simulated.carry import Carry, MarkBars, fundings

NAN = float("nan")


def rates(rows: list[int], values: list[float], prices: list[float] | None = None) -> Carry:
    """Return funding of a desk."""
    marks = None if prices is None else np.array(prices, dtype=np.float64)
    return fundings(np.array(rows, dtype=np.int64), np.array(values, dtype=np.float64), marks)


@pytest.mark.parametrize(
    ("wish", "rate", "amount"), [(long(), 0.0001, "-1.002"), (short(), 0.0001, "1.002"), (long(), -0.00025, "2.505")]
)
def test_42_funding_is_the_rate_of_the_value_at_the_mark_price(wish: object, rate: float, amount: str) -> None:
    part = piece(flat(50000.0, 6), {0: wish}, carry=rates([3], [rate], [50100.0]))
    record = run(part, costs=account(start_equity="20000"), sizing=units("0.2"))
    assert [(one.amount, one.trade) for one in record.fundings] == [(D(amount), 1)]


def test_without_a_mark_price_the_open_of_the_base_bar_counts() -> None:
    rows = [*flat(100.0, 3), (102.0, 103.0, 99.0, 100.0), *flat(100.0, 2)]
    record = run(piece(rows, {0: long()}, carry=rates([3], [0.01], [NAN])))
    assert [one.amount for one in record.fundings] == [D("-1.02")]


def test_a_fixed_rate_is_paid_on_the_mark_price_where_there_is_one() -> None:
    mark = MarkBars(np.full(6, 110.0), np.full(6, 110.0), np.full(6, 110.0))
    part = piece(flat(100.0, 6), {0: long()}, mark=mark, start=START + 477 * MINUTE)
    assert [one.amount for one in run(part, costs=account(funding_rate="0.01")).fundings] == [D("-1.1")]


def test_43_it_is_paid_by_who_held_before_it_and_still_by_who_leaves_at_that_open() -> None:
    carry = rates([1, 3, 4], [0.01, 0.02, 0.04])
    record = run(piece(flat(100.0, 6), {0: long()}, [2], carry=carry))
    assert [one.amount for one in record.fundings] == [D(-2)]


def test_several_payments_may_fall_into_one_base_bar() -> None:
    record = run(piece(flat(100.0, 6), {0: long()}, carry=rates([3, 3, 4], [0.01, 0.02, 0.03])))
    assert [one.amount for one in record.fundings] == [D(-1), D(-2), D(-3)]
    assert [one.fills_before for one in record.fundings] == [1, 1, 1]


def test_an_account_that_pays_no_funding_pays_none_of_a_history_either() -> None:
    part = piece(flat(100.0, 6), {0: long()}, carry=rates([3], [0.01]))
    assert run(part, costs=account(funding=False)).fundings == []


def test_a_history_takes_the_place_of_the_fixed_rate() -> None:
    part = piece(flat(100.0, 600), {0: long()}, carry=rates([3], [0.01]))
    assert [one.amount for one in run(part, costs=account(funding_rate="0.5")).fundings] == [D(-1)]


def test_events_come_in_order_and_whole() -> None:
    with pytest.raises(InvariantBroken, match="order"):
        rates([3, 2], [0.1, 0.1])
    with pytest.raises(InvariantBroken, match="a kind, a value and a price"):
        rates([3, 4], [0.1])
    with pytest.raises(InvariantBroken, match="mark bars"):
        MarkBars(np.zeros(2), np.zeros(2), np.zeros(1))
