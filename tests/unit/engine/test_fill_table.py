"""Fills as columns say what the records say, from the reports and from the records; legs share exactly."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import msgspec
import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine.fill_table import FillTable, _part, legs_of, table_of
from evenkeel.engine.record import RunRecord
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.number import Grid, money_from_postings

ROWS = [*flat(100, 2), (100, 106, 99, 104), *flat(104, 2), (104, 104, 90, 95), *flat(95, 2)]


def record_of(**facts: object) -> RunRecord:
    return desk.run(
        piece(ROWS, {0: long(stop=4, target=5), 3: short(stop=50)}),
        costs=account(taker="0.0005", slippage="0.0002", **facts),
    )


def texts_of(table: FillTable) -> dict[str, object]:
    found = {one.name: getattr(table, one.name) for one in fields(table)}
    shown = {name: value.tolist() for name, value in found.items() if isinstance(value, np.ndarray)}
    shown["reason"] = [table.words[number] for number in table.reason.tolist()]
    shown["lots"] = [table.unit.value(count) for count in table.lots.tolist()]
    missing = ("stop", "target", "average")
    return {name: [None if one != one or abs(one) == np.inf else one for one in value] if name in missing
            else value for name, value in shown.items()}  # fmt: skip


def test_columns_from_reports_and_from_records_say_the_same() -> None:
    record = record_of()

    assert texts_of(record.table()) == texts_of(table_of(list(record.fills)))
    assert len(record.table()) == len(record.fills) == 4


def test_the_digest_is_of_the_events_as_messagepack_has_them() -> None:
    record = record_of()
    digest, encode = hashlib.sha256(), msgspec.msgpack.Encoder().encode
    for fill in record.fills:
        plain = msgspec.structs.replace(fill.event, client_id=None, known_ns=0)
        digest.update(encode((plain, fill.trade, fill.decided_ns, fill.reason, fill.notes)))
    for other in (*record.dead_entries, *record.fundings):
        digest.update(encode(other))
    digest.update(record.times_ns.tobytes() + record.curve.tobytes())
    digest.update(encode((record.stop_reason, record.stop_ns)))

    assert record.result_hash() == digest.hexdigest()


@pytest.mark.parametrize("left", [7, -7, 3, 1000, -1])
def test_a_part_of_a_posting_is_rounded_half_to_even(left: int) -> None:
    for amount in range(-30, 31):
        for closed in range(1, abs(left) + 1, max(1, abs(left) // 7)):
            signed = closed if left > 0 else -closed
            exact = Fraction(amount * signed, left)
            whole, half = exact.numerator // exact.denominator, exact - exact.numerator // exact.denominator
            expected = whole + (half > Fraction(1, 2) or (half == Fraction(1, 2) and whole % 2 == 1))
            assert _part(amount, signed, left) == expected == round(exact)


def hand_made(lots: list[int], fees: list[int]) -> FillTable:
    """Return fills of given lots: one is an entry where nothing is held."""
    held = np.cumsum(lots) - lots
    zeros, prices = np.zeros(len(lots), dtype=np.int64), np.ones(len(lots))
    return FillTable(
        event_ns=zeros, leg=np.where(held == 0, 0, 3), kind=zeros, lots=np.array(lots), left=zeros, price=prices,
        average=prices * np.nan,
        fee=np.array(fees), gross=zeros, slippage=np.array(fees) * 2, taker=zeros, row=zeros, bar=zeros, point=zeros,
        exit=zeros, stop=prices, target=prices, adverse=prices, favourable=prices, bars_held=zeros,
        trade=np.cumsum(held == 0), decided_ns=zeros, reason=zeros, words=("why",), unit=Grid.of(Decimal(1)),
    )  # fmt: skip


def test_legs_share_the_fee_of_their_entry_by_what_is_left_and_the_last_takes_the_rest() -> None:
    fills = hand_made([-7, 2, 2, 3, 5, -5], [1001, 1, 2, 3, 50, 4])
    legs = legs_of(fills, np.array([1, 1, 3]), np.array([700, 7, -31]))

    def share(amount: Decimal, closed: int, left: int) -> Decimal:
        return (amount * closed / left).quantize(Decimal(1), ROUND_HALF_EVEN)

    first = share(Decimal(1001), 2, 7)
    second = share(1001 - first, 2, 5)
    assert legs.entry_fee.tolist() == [first, second, 1001 - first - second, 50]
    paid = share(Decimal(707), 2, 7)
    more = share(707 - paid, 2, 5)
    assert legs.funding.tolist() == [paid, more, 707 - 31 - paid - more, 0]
    assert legs.number.tolist() == [1, 2, 3, 1]
    assert legs.is_long.tolist() == [False, False, False, True]
    assert legs.fees.tolist() == (legs.entry_fee + np.array([1, 2, 3, 4])).tolist()
    assert legs.slippage.sum() == 2 * sum([1001, 1, 2, 3, 50, 4])


@pytest.mark.parametrize(
    ("lots", "says"),
    [([5, -5, 5], "a run ends flat"), ([5, -3, -3], "an exit follows an entry"), ([5, -2], "a run ends flat")],
)
def test_fills_that_do_not_make_whole_legs_are_refused(lots: list[int], says: str) -> None:
    with pytest.raises(InvariantBroken, match=says):
        legs_of(hand_made(lots, [1] * len(lots)), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def test_trades_are_the_legs_as_records() -> None:
    record = record_of()
    legs = record.legs()

    assert [trade.net for trade in record.trades()] == [money_from_postings(count) for count in legs.net.tolist()]
    assert [trade.fees for trade in record.trades()] == [money_from_postings(count) for count in legs.fees.tolist()]
