"""What a run leaves behind: trades, digests, and fills in words."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine.record import RunRecord
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import FillPoint
from evenkeel.model.intent import Direction
from evenkeel.model.reason import ExitReason, StopReason

ROWS = [*flat(100, 2), (100, 106, 99, 104), *flat(104, 2), (104, 104, 90, 95), *flat(95, 2)]


def record_of(**facts: object) -> RunRecord:
    return desk.run(
        piece(ROWS, {0: long(stop=4, target=5), 3: short(stop=50)}),
        costs=account(taker="0.0005", slippage="0.0002", **facts),
    )


def test_a_trade_is_an_entry_and_the_exit_after_it() -> None:
    first, second = record_of().trades()

    assert (first.number, first.direction, first.quantity) == (1, Direction.LONG, 1)
    assert (second.number, second.direction) == (2, Direction.SHORT)
    assert first.fees == first.entry.event.fee + first.exit.event.fee
    assert first.net == first.gross - first.fees
    assert first.gross == first.exit.event.gross
    assert (first.exit.event.exit_reason, second.exit.event.exit_reason) == (
        ExitReason.TAKE_PROFIT, ExitReason.END_OF_DATA,
    )  # fmt: skip


def test_money_of_a_fill_has_eight_decimals_and_is_exact() -> None:
    record = record_of()

    for fill in record.fills:
        for amount in (fill.event.fee, fill.event.gross, fill.event.slippage):
            assert amount == amount.quantize(Decimal("1e-8"))
    assert record.fills[0].event.price == Decimal("100.02")
    assert record.fills[0].event.fee == Decimal("0.05001")


def test_levels_belong_to_entries_and_reasons_to_exits() -> None:
    for fill in record_of().fills:
        is_entry = fill.event.exit_reason is None
        assert (fill.event.leg.value == "entry") == is_entry
        assert is_entry or fill.event.target_price is None
    assert record_of().fills[2].event.target_price is None


def test_an_exit_without_its_entry_and_a_position_without_its_end_are_no_list_of_trades() -> None:
    record = record_of()
    with pytest.raises(InvariantBroken, match="a run ends flat"):
        RunRecord("research", fills=record.fills[:3]).trades()
    with pytest.raises(InvariantBroken, match="an exit follows an entry"):
        RunRecord("research", fills=[record.fills[1], record.fills[0]]).trades()


def test_the_digest_of_a_run_repeats() -> None:
    assert record_of().result_hash() == record_of().result_hash()


def test_the_digest_leaves_out_ids_and_the_stamps_of_the_inbox() -> None:
    record = record_of()
    named = RunRecord("engine", **{name: getattr(record, name) for name in record.__slots__ if name != "lane"})  # type: ignore[arg-type]
    named.fills = [
        msgspec.structs.replace(f, event=msgspec.structs.replace(f.event, client_id="kbe-x", known_ns=n))
        for n, f in enumerate(record.fills)
    ]

    assert named.result_hash() == record.result_hash()


def altered(record: RunRecord, what: str) -> RunRecord:
    """Return the record with one thing changed."""
    first = record.fills[0]
    event = {
        "price": {"price": first.event.price + Decimal("1e-12")}, "fee": {"fee": first.event.fee + Decimal("1e-8")},
        "point": {"point": FillPoint.INSIDE}, "stamp": {"event_ns": first.event.event_ns + 1},
        "stop": {"stop_price": None}, "excursion": {"favourable": Decimal(1)},
    }.get(what)  # fmt: skip
    if event is not None:
        changed = msgspec.structs.replace(first, event=msgspec.structs.replace(first.event, **event))
        record.fills = [changed, *record.fills[1:]]
    elif what == "curve":
        record.curve = record.curve.copy()
        record.curve[0, 1] += 1
    elif what == "time":
        record.times_ns = record.times_ns + np.int64(1)
    elif what == "reason":
        record.fills = [msgspec.structs.replace(first, reason="another rule"), *record.fills[1:]]
    elif what == "decided":
        record.fills = [msgspec.structs.replace(first, decided_ns=0), *record.fills[1:]]
    elif what == "order":
        record.fills = record.fills[::-1]
    elif what == "dead":
        record.dead_entries = []
    else:
        record.stop_reason = StopReason.EQUITY_STOP
    return record


@pytest.mark.parametrize(
    "what",
    [
        "price",
        "fee",
        "point",
        "stamp",
        "stop",
        "excursion",
        "curve",
        "time",
        "reason",
        "decided",
        "order",
        "dead",
        "end",
    ],
)
def test_the_digest_changes_with_anything_that_must_repeat(what: str) -> None:
    def fresh() -> RunRecord:
        return desk.run(piece(ROWS, {0: long(stop=4, target=5), 7: long()}), costs=account(taker="0.0005"))

    assert altered(fresh(), what).result_hash() != fresh().result_hash()
