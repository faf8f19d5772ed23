"""The quality report finds what was broken on purpose, and nothing in sound bars."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evenkeel.data.calendar import Calendar, load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.importers import Request, import_files
from evenkeel.data.quality import FindingKind, Gap, check, faults
from evenkeel.data.sources import bundled_catalog
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import MINUTE, Timeframe, format_time, parse_time

DEFINITIONS = Definitions.load()
BTC, SPY = DEFINITIONS.find("BTCUSDT"), DEFINITIONS.find("SPY")
ALWAYS, NYSE = load_calendar("24/7"), load_calendar("NYSE")


def steady(opens: list[int], timeframe: str, calendar: Calendar) -> Bars:
    """Bars whose close moves by a tick up and down."""
    tf = Timeframe.parse(timeframe)
    open_ns = np.array(opens, dtype=np.int64)
    closes = calendar.bar_close(open_ns, tf)
    close = np.where(np.arange(len(opens)) % 2 == 0, 100.0, 100.1)
    price = np.full(len(opens), 100.0)
    closes = np.where(closes < 0, open_ns + MINUTE, closes)
    return Bars(tf, open_ns, closes, price, np.maximum(price, close), price - 0.1, close, np.ones(len(opens)))


def minutes(count: int, *, without: range = range(0)) -> Bars:
    start = parse_time("2024-01-01")
    return steady([start + i * MINUTE for i in range(count) if i not in without], "1m", ALWAYS)


def days(calendar: Calendar, first: str, last: str, *, without: tuple[str, ...] = ()) -> Bars:
    numbers = calendar.trading_days(parse_time(first) // (1440 * MINUTE), parse_time(last) // (1440 * MINUTE))
    opens = [int(open_ns) for open_ns in calendar.session_bounds(numbers)[0]]
    return steady([each for each in opens if format_time(each)[:10] not in without], "D", calendar)


def changed(bars: Bars, row: int, **values: float) -> Bars:
    columns = {}
    for name, value in values.items():
        columns[name] = getattr(bars, name).copy()
        columns[name][row] = value
    return replace(bars, **columns)


def kinds(bars: Bars, instrument: Instrument, calendar: Calendar) -> list[FindingKind]:
    return [finding.kind for finding in check(bars, instrument, calendar).findings]


def test_sound_bars_score_a_hundred() -> None:
    report = check(minutes(300), BTC, ALWAYS)

    assert report.score == 100.0
    assert report.findings == ()
    assert (report.rows, report.first_ns, report.last_ns) == (
        300, parse_time("2024-01-01"), parse_time("2024-01-01T05:00"),
    )  # fmt: skip


class TestGaps:
    def test_a_missing_minute_of_a_market_that_never_closes_is_a_fault(self) -> None:
        bars = minutes(300, without=range(100, 103))
        start = parse_time("2024-01-01T01:40")

        assert faults(bars, ALWAYS, BTC) == [Gap(start, start + 3 * MINUTE, 3)]
        report = check(bars, BTC, ALWAYS)
        assert [finding.kind for finding in report.faults] == [FindingKind.GAP]
        assert report.missing_share == pytest.approx(3 / 300)
        assert report.score == 99.0
        assert "3 bars are missing from 2024-01-01T01:40:00Z to 2024-01-01T01:43:00Z" in report.faults[0].sentence

    def test_a_missing_minute_inside_a_session_is_normal(self) -> None:
        open_ns = parse_time("2024-07-02T13:30")
        bars = steady([open_ns + i * MINUTE for i in range(60) if i not in (7, 8, 9)], "1m", NYSE)

        assert faults(bars, NYSE, SPY) == []

    def test_nights_weekends_and_holidays_are_no_gaps(self) -> None:
        assert faults(days(NYSE, "2024-06-28", "2024-07-08"), NYSE, SPY) == []

    def test_missing_sessions_in_a_row_are_one_fault(self) -> None:
        bars = days(NYSE, "2024-06-28", "2024-07-12", without=("2024-07-03", "2024-07-05", "2024-07-10"))

        found = faults(bars, NYSE, SPY)

        assert found == [
            Gap(parse_time("2024-07-03T13:30"), parse_time("2024-07-05T20:00"), 2),
            Gap(parse_time("2024-07-10T13:30"), parse_time("2024-07-10T20:00"), 1),
        ]

    def test_a_session_without_a_minute_is_missing(self) -> None:
        opens = [parse_time("2024-07-01T13:30"), parse_time("2024-07-03T13:31")]
        missing = Gap(parse_time("2024-07-02T13:30"), parse_time("2024-07-02T20:00"), 1)

        assert faults(steady(opens, "1m", NYSE), NYSE, SPY) == [missing]

    def test_a_missing_week_is_found(self) -> None:
        opens = [parse_time(f"2024-01-{day:02d}") for day in (1, 8, 22)]

        found = faults(steady(opens, "W", ALWAYS), ALWAYS, BTC)

        assert found == [Gap(parse_time("2024-01-15"), parse_time("2024-01-22"), 1)]

    def test_a_missing_minute_is_a_fault_within_a_session_where_the_instrument_says_so(self) -> None:
        strict = Instrument(**{name: getattr(SPY, name) for name in SPY.__struct_fields__} | {"absence_is_fault": True})
        evening, morning = parse_time("2024-07-01T19:58"), parse_time("2024-07-02T13:30")
        bars = steady([evening, morning, morning + 2 * MINUTE], "1m", NYSE)

        assert faults(bars, NYSE, strict) == [
            Gap(evening + MINUTE, evening + 2 * MINUTE, 1),
            Gap(morning + MINUTE, morning + 2 * MINUTE, 1),
        ]


class TestRemarks:
    def test_a_jump_that_stays_is_an_outlier(self) -> None:
        bars = minutes(300)
        shifted = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
        for column in shifted.values():
            column[200:] += 50
        report = check(replace(bars, **shifted), BTC, ALWAYS)

        assert [finding.kind for finding in report.findings] == [FindingKind.OUTLIER]
        assert report.findings[0].first_ns == bars.open_ns[200]
        assert report.score == pytest.approx(100 * 299 / 300, abs=0.01)

    def test_a_close_that_comes_straight_back_is_a_ghost(self) -> None:
        report = check(changed(minutes(300), 200, close=150.0, high=150.0), BTC, ALWAYS)

        assert [(finding.kind, finding.bars) for finding in report.findings] == [(FindingKind.GHOST_PRINT, 1)]

    def test_a_spike_inside_a_bar_is_a_ghost(self) -> None:
        assert kinds(changed(minutes(300), 200, low=50.0), BTC, ALWAYS) == [FindingKind.GHOST_PRINT]

    def test_a_move_over_night_is_no_outlier(self) -> None:
        first, second = parse_time("2024-07-01T13:30"), parse_time("2024-07-02T13:30")
        bars = steady([start + i * MINUTE for start in (first, second) for i in range(100)], "1m", NYSE)
        shifted = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
        for column in shifted.values():
            column[100:] += 50

        assert kinds(replace(bars, **shifted), SPY, NYSE) == []

    def test_bars_without_volume_off_the_tick_and_outside_sessions_are_counted(self) -> None:
        bars = steady([parse_time("2024-07-02T13:28") + i * MINUTE for i in range(4)], "1m", NYSE)
        bars = changed(changed(bars, 3, volume=0.0), 1, low=99.901)
        report = check(bars, SPY, NYSE)

        assert [(finding.kind, finding.bars) for finding in report.remarks] == [
            (FindingKind.OUTSIDE_SESSION, 2),
            (FindingKind.ZERO_VOLUME, 1),
            (FindingKind.OFF_TICK, 1),
        ]
        assert report.off_tick_share == 1 / 16
        assert report.score == 100.0


class TestBroken:
    @pytest.mark.parametrize(
        "values", [{"high": 99.0}, {"low": 101.0}, {"close": float("nan")}, {"open": -1.0}, {"volume": -1.0}]
    )
    def test_impossible_values_are_a_fault_and_score_nothing(self, values: dict[str, float]) -> None:
        report = check(changed(minutes(50), 30, **values), BTC, ALWAYS)

        assert [finding.kind for finding in report.faults] == [FindingKind.OHLC]
        assert report.score == 0.0

    def test_times_that_repeat_are_a_fault(self) -> None:
        bars = minutes(50)
        opens = bars.open_ns.copy()
        opens[30] = opens[29]

        assert FindingKind.ORDER in kinds(replace(bars, open_ns=opens), BTC, ALWAYS)


def test_the_shipped_sample_has_no_faults() -> None:
    for entry in bundled_catalog().entries():
        instrument = DEFINITIONS.find(entry.instrument)
        bars = bundled_catalog().read(entry.instrument, entry.timeframe).bars
        report = check(bars, instrument, load_calendar(instrument.calendar))
        assert report.faults == []
        assert report.score > 99


def test_the_shipped_bars_close_when_the_calendars_say() -> None:
    for entry in bundled_catalog().entries():
        calendar = load_calendar(DEFINITIONS.find(entry.instrument).calendar)
        bars = bundled_catalog().read(entry.instrument, entry.timeframe).bars
        closes = calendar.bar_close(bars.open_ns, entry.timeframe)
        inside = closes >= 0
        assert bars.close_ns[inside].tolist() == closes[inside].tolist()


def test_dirty_data_is_recognised(shared_data: Path) -> None:
    """A file that is known for stale bars and prices beside the tick."""
    msft = DEFINITIONS.find("MSFT")
    request = Request(msft, NYSE, Timeframe.parse("5m"))
    bars = import_files([shared_data / "us_equity_dirty" / "MSFT" / "5m.parquet"], request).bars

    report = check(bars, msft, NYSE)

    assert report.zero_volume_share > 0.5
    assert report.outside_share > 0.5
    assert report.off_tick_share > 0.4


def test_the_days_that_a_file_is_known_to_lack_are_one_fault(shared_data: Path) -> None:
    future, globex = DEFINITIONS.find("ESZ2013"), load_calendar("CME_EQUITY")
    path = shared_data / "cme" / "ESZ2013" / "1m.parquet"
    bars = import_files([path], Request(future, globex, Timeframe.parse("1m"))).bars

    (gap,) = faults(bars, globex, future)

    assert (format_time(gap.start_ns), format_time(gap.stop_ns)) == ("2013-10-15T22:00:00Z", "2013-12-17T22:15:00Z")
