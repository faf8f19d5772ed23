"""Requirements of plays.md 10 told bar by bar: M1 priority, M2 time in force, H1 liquidation, L1 legs.

Plays are spoken to by volume: an ordinary minute trades 1 unit, one of 200 or more asks for an entry at its close, one
of less than a half for an exit. Whole plays run, in both lanes, which must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import yaml

import desk
from evenkeel.engine.record import RunRecord
from evenkeel.model.number import money_from_postings

BUY, SELL, EXIT, HALF = 200.0, 300.0, 0.3, 0.1
"""Volumes that speak: enter long, enter short, leave by the first percentage, leave by the second."""

Minute = tuple[float, float, float, float, float]


def flat(price: float, count: int = 1, volume: float = 1.0) -> list[Minute]:
    return [(price, price, price, price, volume)] * count


def minute(o: float, h: float, l: float, c: float, volume: float = 1.0) -> list[Minute]:
    return [(o, h, l, c, volume)]


def play(risk: dict[str, Any], *, leverage: float = 10, exits: Sequence[float] = (100, 50), **facts: Any) -> str:
    """Return a play that the volumes speak to.

    Args:
        risk: Stop, target and what moves them.
        leverage: Of account and position.
        exits: Percent of what is held that the two exit volumes close.
        facts: Sections to add, and keys of `account` to set.
    """
    sections = {name: facts.pop(name) for name in ("entry", "timeframes") if name in facts}
    words = {
        "enter_long": (["volume", ">=", BUY], ["volume", "<", SELL]), "enter_short": (["volume", ">=", SELL],),
        "leave_half": (["volume", "<=", HALF],), "leave": (["volume", "<=", EXIT],),
    }  # fmt: skip
    emits: dict[str, Any] = {
        "enter_long": "entry_long", "enter_short": "entry_short",
        "leave_half": {"action": "exit_all", "percent": float(exits[1])},
        "leave": {"action": "exit_all", "percent": float(exits[0])},
    }  # fmt: skip
    document = {
        "version": "3.0.0", "name": "spoken_to", "symbol": "TEST",
        "timeframes": {"low_tf": "1m", "med_tf": "1m", "high_tf": "1m", "exec": "low_tf"},
        "account": {
            "starting_equity": 1_000_000.0, "max_leverage": float(leverage), "max_drawdown_pct": 100,
            "slippage_bps": 2.0, "fee_model": {"taker_bps": 5.5, "maker_bps": 2.0}, "min_liq_distance_pct": 0,
            "funding": {"enabled": False}, **facts,
        },
        "features": {"sma_1": {"indicator": "sma", "params": {"length": 1}}},
        "actions": [
            {"id": name, "cases": [{"when": list(phrases), "emit": [emits[name]]}]} for name, phrases in words.items()
        ],
        "position_policy": {"mode": "long_short", "exit_mode": "first_hit"},
        "risk_model": {"sizing": {"model": "fixed_quantity", "value": 0.2}, **risk},
        **sections,
    }  # fmt: skip
    return yaml.safe_dump(document, sort_keys=False)


def run(text: str, minutes: Sequence[Minute]) -> RunRecord:
    strategy = desk.play_of(text)
    return desk.both_lanes(strategy, desk.play_market(strategy, desk.bars(minutes)))


def story(record: RunRecord, first: int) -> list[tuple[str, int, str, float]]:
    """Return leg or reason, minute counted from `first`, point and price of every fill."""
    found = []
    for fill in record.fills:
        event = fill.event
        at = (event.event_ns - desk.minute(first)) // desk.MINUTE
        found.append((str(event.exit_reason or "entry"), at, event.point.value, float(event.price)))
    return found


BEFORE = 20
"""Quiet minutes in which features warm up; minute 0 of a story is the one whose volume asks for the entry."""


def told(text: str, minutes: Sequence[Minute], price: float = 50_000) -> list[tuple[str, int, str, float]]:
    return story(run(text, [*flat(price, BEFORE), *minutes]), BEFORE)


STOPPED = {"stop_loss": {"type": "fixed_points", "value": 1000.0}}
BOTH = {**STOPPED, "take_profit": {"type": "fixed_points", "value": 1000.0}}
ASKED = [*flat(50_000, volume=BUY), *flat(50_000), *flat(50_000, volume=EXIT)]
"""Bought at the open of minute 1; at the close of minute 2 a close is scheduled for the open of minute 3."""


@pytest.mark.parametrize(
    ("third", "reason", "point", "price"),
    [
        pytest.param((48_900, 48_950, 48_800, 48_900), "sl", "open", 48_900 * 0.9998, id="gap over the stop"),
        pytest.param((51_200, 51_300, 51_100, 51_200), "tp", "open", 51_200 * 0.9998, id="gap over the target"),
        pytest.param((44_000, 44_000, 44_000, 44_000), "liquidation", "open", 45_033.76864, id="gap over bankruptcy"),
        pytest.param((50_000, 51_300, 48_000, 50_000), "signal", "open", 49_990, id="both reached after the open"),
        pytest.param((49_020, 49_020, 48_000, 48_500), "signal", "open", 49_020 * 0.9998, id="stop reached after it"),
    ],
)
def test_m1_at_one_instant_protection_comes_before_a_scheduled_close(
    third: tuple[float, ...], reason: str, point: str, price: float
) -> None:
    """Otherwise strict order of time: the close is worked at the open, before anything inside the minute."""
    found = told(play(BOTH), [*ASKED, (*third, 1.0), *flat(50_000)])

    assert found[1] == (reason, 3, point, pytest.approx(price, abs=0.01))


def test_m1_liquidation_comes_before_a_scheduled_close() -> None:
    """Liquidation 45,251.14 and bankruptcy 45,024.76 per 50,000; the entry paid 50,010."""
    found = told(play({}), [*ASKED, *minute(45_200, 45_400, 45_100, 45_300), *flat(45_300)])

    assert found[1] == ("liquidation", 3, "open", pytest.approx(45_024.763619991 * 1.0002, abs=1e-6))


def test_m1_a_trailed_stop_is_protection_too() -> None:
    trailed = {**STOPPED, "trailing": {"type": "trailing_pct", "trail_pct": 1.0}}
    minutes = [
        *flat(50_000, volume=BUY), *minute(50_000, 51_000, 50_000, 51_000), *flat(51_000, volume=EXIT),
        *minute(50_400, 50_450, 50_300, 50_400), *flat(50_400),
    ]  # fmt: skip

    assert told(play(trailed), minutes)[1] == ("trailing", 3, "open", pytest.approx(50_400 * 0.9998))


@pytest.mark.parametrize(
    ("tif", "first", "filled"),
    [
        ("IOC", (50_000, 50_000, 49_000, 50_000), None),
        ("FOK", (50_000, 50_000, 49_000, 50_000), None),
        ("GTC", (50_000, 50_000, 49_000, 50_000), ("entry", 1, "inside", 49_950.0)),
        ("PostOnly", (50_000, 50_000, 49_000, 50_000), ("entry", 1, "inside", 49_950.0)),
        ("IOC", (49_900, 49_990, 49_900, 49_950), ("entry", 1, "open", 49_909.98)),
        ("FOK", (49_900, 49_990, 49_900, 49_950), ("entry", 1, "open", 49_909.98)),
        ("GTC", (49_900, 49_990, 49_900, 49_950), ("entry", 1, "open", 49_909.98)),
        ("PostOnly", (49_900, 49_990, 49_900, 49_950), None),
    ],
)
def test_m2_what_may_not_rest_is_decided_on_its_first_minute(
    tif: str, first: tuple[float, ...], filled: tuple[str, int, str, float] | None
) -> None:
    """The limit is 49,950; later minutes trade far below it, and nobody fills there."""
    entry = {"order_type": "LIMIT", "limit_offset_pct": 0.1, "time_in_force": tif}
    minutes = [*flat(50_000, BEFORE), *flat(50_000, volume=BUY), (*first, 1.0), *flat(49_000, 5)]

    record = run(play(STOPPED, entry=entry, leverage=1), minutes)

    if filled is None:
        died = {"PostOnly": "POST_ONLY_WOULD_CROSS"}.get(tif, f"{tif}_UNFILLED")
        assert record.fills == []
        assert [(dead.reason.value, dead.event_ns) for dead in record.dead_entries] == [(died, desk.minute(BEFORE + 1))]
    else:
        assert story(record, BEFORE)[0] == (*filled[:3], pytest.approx(filled[3]))
        assert record.dead_entries == []


@pytest.mark.parametrize(
    ("tif", "died"),
    [("IOC", "IOC_UNFILLED"), ("FOK", "FOK_UNFILLED"), ("GTC", None), ("PostOnly", "POST_ONLY_WOULD_CROSS")],
)
def test_m2_a_first_minute_without_volume_is_the_end_of_what_may_not_rest(tif: str, died: str | None) -> None:
    """Where size moves the price nothing fills in it; for the others the next minute is the first."""
    entry = {"order_type": "LIMIT", "limit_offset_pct": 0.1, "time_in_force": tif}
    minutes = [
        *flat(50_000, BEFORE), *flat(50_000, volume=BUY), *flat(49_900, volume=0.0), *flat(49_900, 3, volume=100)
    ]  # fmt: skip

    record = run(play(STOPPED, entry=entry, leverage=1, impact={"mode": "linear"}), minutes)

    dead = [(dead.reason.value, dead.event_ns) for dead in record.dead_entries]
    if died is None:
        assert (dead, record.fills[0].event.row, record.fills[0].event.taker) == ([], BEFORE + 2, True)
    else:
        minute_of = BEFORE + (1 if tif in ("IOC", "FOK") else 2)
        assert (dead, list(record.fills)) == ([(died, desk.minute(minute_of))], [])


def test_the_last_close_pays_slippage_and_impact_where_nothing_is_traded_any_more() -> None:
    """2 bps, and 50 at a participation of 1."""
    minutes = [*flat(50_000, BEFORE), *flat(50_000, volume=BUY), *flat(50_000, volume=1e9), *flat(50_000, volume=0.0)]

    leave = run(play({}, leverage=1, impact={"mode": "sqrt"}), minutes).fills[1].event

    assert (leave.point.value, float(leave.price)) == ("close", pytest.approx(50_000 * (1 - 0.0052)))


@pytest.mark.parametrize(
    ("volume", "far", "near", "level", "bankruptcy"),
    [
        pytest.param(BUY, 45_260.20, 45_260.10, 45_260.194, 45_033.7686, id="long"),
        pytest.param(SELL, 54_685.49, 54_685.50, 54_685.4955, 54_958.7727, id="short"),
    ],
)
def test_h1_liquidation_looks_at_the_adverse_extreme_of_the_present_minute(
    volume: float, far: float, near: float, level: float, bankruptcy: float
) -> None:
    """Of 50,000 slipped to 50,010 (49,990 short): a wick is enough, however well the minute closes."""
    wick = {
        True: lambda price: minute(50_000, 50_000, price, 50_000),
        False: lambda price: minute(50_000, price, 50_000, 50_000),
    }
    asked = [*flat(50_000, volume=volume), *flat(50_000)]

    held = told(play({}), [*asked, *wick[volume == BUY](far), *flat(50_000)])
    gone = told(play({}), [*asked, *wick[volume == BUY](near), *flat(50_000)])

    assert min(far, near) < level < max(far, near)
    assert held[1][0] == "end_of_data"
    assert gone[1] == ("liquidation", 2, "inside", pytest.approx(bankruptcy, abs=1e-3))


def test_h1_the_mark_of_the_minute_before_liquidates_nobody() -> None:
    """A close just above the level and an open far above it: no minute was below."""
    minutes = [
        *flat(50_000, volume=BUY),
        *minute(50_000, 50_000, 45_262, 45_262),
        *minute(47_000, 47_000, 46_000, 47_000),
    ]

    assert told(play({}), [*minutes, *flat(47_000)])[1][0] == "end_of_data"


def test_h1_a_liquidation_loses_the_margin_and_ends_the_run() -> None:
    minutes = [
        *flat(50_000, BEFORE),
        *flat(50_000, volume=BUY),
        *flat(50_000),
        *flat(45_000),
        *flat(45_000, 3, volume=BUY),
    ]

    record = run(play({}), minutes)

    entry, end = (fill.event for fill in record.fills)
    assert record.stop_reason.value == "liquidated"
    assert (end.leg.value, end.kind.value, end.taker) == ("guard", "market", True)
    assert end.gross - end.fee == pytest.approx(-Decimal("1000.2"), abs=Decimal("2e-8"))
    assert entry.fee == Decimal("5.5011")


def test_h1_a_run_that_a_limit_stopped_is_not_stopped_again_by_the_liquidation_that_follows() -> None:
    """The close of 45,300 loses more than the limit allows; the next open is beyond liquidation."""
    minutes = [
        *flat(50_000, BEFORE), *flat(50_000, volume=BUY), *minute(50_000, 50_000, 45_300, 45_300), *flat(45_200),
        *flat(45_200),
    ]  # fmt: skip

    record = run(play({}, starting_equity=2000.0, max_drawdown_pct=20), minutes)

    assert [str(fill.event.exit_reason) for fill in record.fills[1:]] == ["liquidation"]
    assert record.stop_reason.value == "max_drawdown"


def test_h1_a_liquidation_costs_nothing_per_contract() -> None:
    """T19: loss and fee are the margin, 0.2 units of 50,010 at leverage 10, whatever other fills cost."""
    fees = {"taker_bps": 5.5, "maker_bps": 2.0, "per_contract": 7.0}
    minutes = [*flat(50_000, BEFORE), *flat(50_000, volume=BUY), *flat(50_000), *flat(45_000)]

    entry, end = (fill.event for fill in run(play({}, fee_model=fees), minutes).fills)

    assert entry.fee == Decimal("5.5011") + Decimal("1.4")
    assert end.gross - end.fee == pytest.approx(-Decimal("1000.2"), abs=Decimal("2e-8"))


def test_h1_a_run_may_go_on_after_a_liquidation() -> None:
    minutes = [*flat(50_000, volume=BUY), *flat(50_000), *flat(45_000), *flat(45_000, volume=BUY), *flat(45_000, 2)]

    found = told(play({}, continue_after_liquidation=True), minutes)

    assert [(what, at) for what, at, _, _ in found] == [
        ("entry", 1), ("liquidation", 2), ("entry", 4), ("end_of_data", 5),
    ]  # fmt: skip


def three_legs() -> RunRecord:
    """Vectors 44 to 46 with one leg more: 40 % by a signal, half of the rest by another, the last at its target."""
    risk = {"take_profit": {"type": "fixed_points", "value": 990.0}, "tp_order_type": "Limit"}
    text = play(risk, exits=(40, 50), funding={"fixed_rate": 0.0001})
    minutes = [
        *flat(50_000, 478), *flat(50_000, volume=BUY), *flat(50_000), *flat(50_100), *flat(50_100, volume=EXIT),
        *flat(50_500, volume=HALF), *flat(50_700), *minute(50_900, 51_000, 50_900, 50_950), *flat(50_950),
    ]  # fmt: skip
    return run(text, minutes)


def test_l1_each_reduction_is_a_leg_with_its_share_of_fee_and_funding() -> None:
    record = three_legs()

    legs = record.trades()

    assert story(record, 480) == [
        ("entry", -1, "open", 50_010.0), ("signal", 2, "open", pytest.approx(50_489.9)),
        ("signal", 3, "open", pytest.approx(50_689.86)), ("tp", 4, "inside", 51_000.0),
    ]  # fmt: skip
    assert [leg.quantity for leg in legs] == [Decimal("0.08"), Decimal("0.06"), Decimal("0.06")]
    assert [leg.gross for leg in legs] == [Decimal("38.392"), Decimal("40.7916"), Decimal("59.4")]
    assert [leg.fees for leg in legs] == [
        Decimal("2.20044") + Decimal("2.2215556"), Decimal("1.65033") + Decimal("1.67276538"),
        Decimal("1.65033") + Decimal("0.612"),
    ]  # fmt: skip
    assert [leg.funding for leg in legs] == [Decimal("-0.4008"), Decimal("-0.3006"), Decimal("-0.3006")]
    assert [leg.net for leg in legs] == [Decimal("33.5692044"), Decimal("37.16790462"), Decimal("56.83707")]
    assert [(leg.number, leg.leg) for leg in legs] == [(1, 1), (1, 2), (1, 3)]


def test_l1_the_legs_add_up_to_the_change_of_the_account() -> None:
    record = three_legs()

    change = money_from_postings(int(record.curve[1, -1])) - 1_000_000

    assert change == sum((leg.net for leg in record.trades()), Decimal(0)) == Decimal("127.57417902")
