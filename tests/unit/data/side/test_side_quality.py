"""What is said of data beside bars: one sentence for each thing that is missing, impossible or odd."""

from __future__ import annotations

import numpy as np
import pytest

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.data.side import SideBatch, SideKind, SideSeries
from evenkeel.data.side.quality import SideReport, check_side
from evenkeel.data.side.series import revision_of
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import HOUR, MINUTE, Timeframe

START = desk.START
NAN = float("nan")
PERPETUAL = desk.instrument()


def judged(
    kind: SideKind, minutes: list[int], columns: dict[str, list[float]], bars: Bars | None = None,
    asset: Instrument = PERPETUAL, tf: str | None = None,
) -> SideReport:  # fmt: skip
    arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    stamps = START + np.array(minutes, dtype=np.int64) * MINUTE
    batch = SideBatch(kind, stamps, arrays, None if tf is None else Timeframe.parse(tf))
    series = SideSeries(kind, stamps, arrays, revision_of(asset.id, batch, source="x", imported_ns=1))
    return check_side(series, asset, load_calendar(asset.calendar), bars)


def sentences(report: SideReport) -> tuple[list[str], list[str]]:
    return [each.sentence for each in report.faults], [each.sentence for each in report.remarks]


def test_sound_funding_has_nothing_said_of_it() -> None:
    assert sentences(judged(SideKind.FUNDING, [0, 480, 960], {"rate": [0.0001, -0.0001, 0.01]})) == ([], [])


def test_missing_settlements_are_faults_and_told_in_runs() -> None:
    report = judged(SideKind.FUNDING, [0, 480, 1920, 2880], {"rate": [0.0] * 4})

    assert sentences(report)[0] == [
        "2 settlements of every 8 hours are missing from 2024-01-01T16:00:00Z to 2024-01-02T00:00:00Z",
        "1 settlements of every 8 hours are missing from 2024-01-02T16:00:00Z to 2024-01-02T16:00:00Z",
    ]
    assert [fault.rows for fault in report.faults] == [2, 1]


def test_settlements_beside_the_interval_and_large_rates_are_odd() -> None:
    report = judged(SideKind.FUNDING, [0, 240, 480], {"rate": [0.0, -0.02, 0.011]})

    assert sentences(report) == ([], [
        "1 settlements lie beside every 8 hours, the interval of TEST.DESK; the first is 2024-01-01T04:00:00Z",
        "2 rates are beyond 1%, the largest 2.0000%; the first is 2024-01-01T04:00:00Z",
    ])  # fmt: skip


def test_missing_mark_bars_and_a_mark_far_from_the_last_price() -> None:
    columns = {name: [100.0, 103.0, 100.0] for name in ("open", "high", "low", "close")}

    report = judged(SideKind.MARK, [0, 1, 5], columns, desk.bars(desk.flat(100.0, 6)), tf="1m")

    assert sentences(report) == (
        ["3 1m bars are missing; the first is 2024-01-01T00:02:00Z"],
        ["1 prices lie more than 2% from the last price, the farthest 3.00%; the first is 2024-01-01T00:01:00Z"],
    )


def test_quotes_crossed_locked_and_of_one_side() -> None:
    report = judged(SideKind.QUOTES, [0, 1, 2, 3], {
        "bid": [10.0, 11.0, 10.0, NAN], "ask": [11.0, 10.0, 10.0, 10.0], "bid_size": [1.0] * 4, "ask_size": [1.0] * 4,
    })  # fmt: skip

    assert sentences(report) == (
        ["1 quotes are crossed: the bid is above the ask; the first is 2024-01-01T00:01:00Z"],
        [
            "1 quotes are locked: bid and ask are equal; the first is 2024-01-01T00:02:00Z",
            "1 quotes hold one side of the book only; the first is 2024-01-01T00:03:00Z",
        ],
    )


def test_trades_outside_sessions_without_size_and_beside_their_bar() -> None:
    share = desk.instrument(kind=InstrumentKind.EQUITY, calendar="NYSE")  # 2024-01-02 opens 14:30
    opened = 24 * 60 + 14 * 60 + 30
    bars = desk.bars(desk.flat(100.0, 1), start=START + opened * MINUTE)

    report = judged(
        SideKind.TRADES, [opened - 1, opened, opened],
        {"price": [99.0, 100.0, 200.0], "size": [1.0, 0.0, 1.0], "side": [NAN] * 3}, bars, share,
    )  # fmt: skip

    assert sentences(report) == ([], [
        "1 lie outside the sessions of NYSE; the first is 2024-01-02T14:29:00Z",
        "1 trades have no size: they move prices and no volume; the first is 2024-01-02T14:30:00Z",
        "1 trades lie outside the high and low of their 1m bar; the first is 2024-01-02T14:30:00Z",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("split", "faults"),
    [(4.0, []), (3.0, []), (1.05, []), (0.25, ["1 splits do not show"]), (20.0, ["1 splits do not"])],
)
def test_a_split_that_the_prices_do_not_show_is_a_fault(split: float, faults: list[str]) -> None:
    share = desk.instrument(kind=InstrumentKind.EQUITY)
    bars = desk.bars([(100, 100, 100, 100), (25, 25, 25, 25)], timeframe="1h")

    report = judged(SideKind.ACTIONS, [60], {"split": [split], "dividend": [NAN]}, bars, share)

    assert [sentence[: len(faults[0])] for sentence in sentences(report)[0]] == faults if faults else not report.faults


def test_a_large_dividend_and_an_action_without_bars_are_odd() -> None:
    bars = desk.bars(desk.flat(100.0, 3), timeframe="1h")

    report = judged(SideKind.ACTIONS, [60, 900], {"split": [NAN, NAN], "dividend": [26.0, 1.0]}, bars)

    assert sentences(report) == ([], [
        "1 actions lie outside the bars; the first is 2024-01-01T15:00:00Z",
        "1 dividends are beyond 25% of the close before; the first is 2024-01-01T01:00:00Z",
    ])  # fmt: skip
    assert HOUR == 60 * MINUTE
