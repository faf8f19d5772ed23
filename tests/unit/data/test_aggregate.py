"""Higher bars, against hand-made cases, another library and the vendor's own daily bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenkeel.data.aggregate import aggregate, multiples_of
from evenkeel.data.calendar import Calendar, load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.importers import Request, import_files
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.time import MINUTE, Timeframe, format_time, parse_time

ALWAYS = load_calendar("24/7")


def tf(name: str) -> Timeframe:
    return Timeframe.parse(name)


def bars_at(times: list[str], timeframe: str, calendar: Calendar) -> Bars:
    """Bars whose prices are their row number plus 100, with volume 1."""
    opens = np.array([parse_time(time) for time in times], dtype=np.int64)
    closes = calendar.bar_close(opens, tf(timeframe))
    price = 100.0 + np.arange(len(times))
    return Bars(tf(timeframe), opens, closes, price, price + 0.5, price - 0.5, price + 0.25, np.ones(len(times)))


def minutes_between(start: str, stop: str, calendar: Calendar) -> Bars:
    opens = range(parse_time(start), parse_time(stop), MINUTE)
    return bars_at([format_time(open_ns) for open_ns in opens], "1m", calendar)


def spans(bars: Bars) -> list[tuple[str, str]]:
    return [(format_time(int(a)), format_time(int(b))) for a, b in zip(bars.open_ns, bars.close_ns, strict=True)]


def test_values_and_rows_of_a_bar_made_by_hand() -> None:
    opens = np.arange(4, dtype=np.int64) * MINUTE
    base = Bars(
        tf("1m"), opens, opens + MINUTE,
        np.array([10.0, 11.0, 9.0, 12.0]), np.array([12.0, 15.0, 10.0, 13.0]), np.array([8.0, 10.5, 7.0, 11.0]),
        np.array([11.0, 10.5, 9.5, 12.5]), np.array([1.0, 2.0, 4.0, 8.0]),
    )  # fmt: skip

    result = aggregate(base, tf("3m"), ALWAYS)

    assert spans(result.bars) == [("1970-01-01T00:00:00Z", "1970-01-01T00:03:00Z")]
    assert [getattr(result.bars, name)[0] for name in ("open", "high", "low", "close", "volume")] == [10, 15, 7, 9.5, 7]
    assert (result.first.tolist(), result.last.tolist()) == ([0], [2])


def test_a_first_bar_that_was_not_seen_from_its_open_is_dropped() -> None:
    base = bars_at(["2024-01-01T00:01", "2024-01-01T00:05", "2024-01-01T00:10"], "1m", ALWAYS)

    assert spans(aggregate(base, tf("5m"), ALWAYS).bars) == [("2024-01-01T00:05:00Z", "2024-01-01T00:10:00Z")]


def test_a_later_bar_completes_one_whose_last_minutes_had_no_trade() -> None:
    base = bars_at(["2024-01-01T00:00", "2024-01-01T00:02", "2024-01-01T00:07"], "1m", ALWAYS)
    result = aggregate(base, tf("5m"), ALWAYS)

    assert spans(result.bars) == [("2024-01-01T00:00:00Z", "2024-01-01T00:05:00Z")]
    assert result.last.tolist() == [1]


def test_the_last_bar_is_complete_only_when_the_base_reaches_its_close() -> None:
    whole = minutes_between("2024-01-01T00:00", "2024-01-01T00:10", ALWAYS)

    assert len(aggregate(whole, tf("5m"), ALWAYS).bars) == 2
    assert len(aggregate(whole.rows(0, 9), tf("5m"), ALWAYS).bars) == 1


def test_a_bar_in_the_middle_without_its_first_minute_is_kept() -> None:
    base = bars_at(["2024-01-01T00:00", "2024-01-01T00:06", "2024-01-01T00:10"], "1m", ALWAYS)
    result = aggregate(base, tf("5m"), ALWAYS)

    assert spans(result.bars)[1] == ("2024-01-01T00:05:00Z", "2024-01-01T00:10:00Z")
    assert result.first.tolist() == [0, 1]


def test_the_timeframe_of_the_base_gives_the_base() -> None:
    base = minutes_between("2024-01-01T00:00", "2024-01-01T00:03", ALWAYS)
    result = aggregate(base, tf("1m"), ALWAYS)

    assert result.bars is base
    assert result.first.tolist() == result.last.tolist() == [0, 1, 2]


def test_no_bars_give_no_bars() -> None:
    base = minutes_between("2024-01-01T00:00", "2024-01-01T00:03", ALWAYS)

    assert len(aggregate(base.rows(0, 0), tf("5m"), ALWAYS).bars) == 0


@pytest.mark.parametrize(("base", "higher"), [("3m", "5m"), ("1h", "30m"), ("4h", "6h"), ("W", "M"), ("D", "12h")])
def test_a_timeframe_that_is_no_multiple_is_refused(base: str, higher: str) -> None:
    bars = bars_at(["2024-01-01"], base, ALWAYS)

    with pytest.raises(UsageError, match=f"{higher} bars cannot be made of {base} bars"):
        aggregate(bars, tf(higher), ALWAYS)


def test_what_can_be_made_of_five_minutes() -> None:
    assert [str(each) for each in multiples_of(tf("5m"))] == [
        "15m",
        "30m",
        "1h",
        "2h",
        "4h",
        "6h",
        "12h",
        "D",
        "W",
        "M",
    ]


class TestSessions:
    def test_hours_of_the_stock_market_begin_at_its_open_and_end_with_it(self) -> None:
        nyse = load_calendar("NYSE")
        hours = aggregate(minutes_between("2024-07-02T13:30", "2024-07-02T20:00", nyse), tf("1h"), nyse).bars

        assert spans(hours)[0] == ("2024-07-02T13:30:00Z", "2024-07-02T14:30:00Z")
        assert spans(hours)[-1] == ("2024-07-02T19:30:00Z", "2024-07-02T20:00:00Z")
        assert len(hours) == 7

    def test_a_half_day_ends_early(self) -> None:
        nyse = load_calendar("NYSE")
        base = minutes_between("2024-07-03T13:30", "2024-07-03T17:00", nyse)

        assert spans(aggregate(base, tf("D"), nyse).bars) == [("2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z")]
        assert spans(aggregate(base, tf("1h"), nyse).bars)[-1] == ("2024-07-03T16:30:00Z", "2024-07-03T17:00:00Z")

    def test_the_closing_auction_belongs_to_the_last_bar(self) -> None:
        nyse = load_calendar("NYSE")
        base = minutes_between("2024-07-02T13:30", "2024-07-02T20:01", nyse)
        day = aggregate(base, tf("D"), nyse)

        assert base.close_ns[-1] == base.open_ns[-1]
        assert day.bars.close[0] == base.close[-1]
        assert day.last[0] == len(base) - 1

    def test_bars_after_hours_belong_to_no_bar_and_complete_the_day(self) -> None:
        nyse = load_calendar("NYSE")
        regular = minutes_between("2024-07-02T13:30", "2024-07-02T19:58", nyse)
        late = parse_time("2024-07-02T20:00")
        columns = [np.append(getattr(regular, name), 999.0) for name in ("open", "high", "low", "close", "volume")]
        base = Bars(
            tf("1m"), np.append(regular.open_ns, late), np.append(regular.close_ns, late + MINUTE), *columns
        )  # fmt: skip

        day = aggregate(base, tf("D"), nyse)

        assert len(day.bars) == 1
        assert day.bars.high[0] == regular.high[-1]
        assert day.last[0] == len(regular) - 1

    def test_a_halt_splits_no_day(self) -> None:
        """Until 2021 CME equity futures halted from 15:15 to 15:30 in Chicago; the day went on until 16:15 or 16:00."""
        globex = load_calendar("CME_EQUITY")
        opens, closes = globex.open_intervals(parse_time("2013-10-07T20:00"), parse_time("2013-10-07T21:00"))
        assert [format_time(int(each)) for each in (closes[0], opens[1])] == [
            "2013-10-07T20:15:00Z",
            "2013-10-07T20:30:00Z",
        ]
        base = bars_at(["2013-10-06T22:00", "2013-10-07T20:14", "2013-10-07T20:30", "2013-10-07T22:00"], "1m", globex)

        day = aggregate(base, tf("D"), globex)

        assert day.bars.open_ns[0] == parse_time("2013-10-06T22:00")
        assert (day.first.tolist(), day.last.tolist()) == ([0], [2])

    def test_a_stray_bar_inside_a_halt_ends_no_day(self) -> None:
        globex = load_calendar("CME_EQUITY")
        times = ["2013-10-06T22:00", "2013-10-07T20:14", "2013-10-07T20:20", "2013-10-07T20:30", "2013-10-07T22:00"]
        base = bars_at(times, "1m", globex)

        day = aggregate(base, tf("D"), globex)

        assert (day.first.tolist(), day.last.tolist()) == ([0], [3])
        assert day.bars.volume.tolist() == [3.0]

    def test_days_of_futures_follow_new_york_over_the_change_of_clocks(self) -> None:
        globex = load_calendar("CME_EQUITY")
        days = bars_at(["2024-03-07T23:00", "2024-03-10T22:00", "2024-03-11T22:00"], "D", globex)

        week = aggregate(days, tf("W"), globex).bars
        assert len(week) == 0

        base = minutes_between("2024-03-08T21:55", "2024-03-08T22:00", globex)
        assert globex.bucket_of(base.open_ns, tf("D"))[0][0] == parse_time("2024-03-07T23:00")
        assert globex.bucket_of(np.array([parse_time("2024-03-11T00:00")]), tf("D"))[0][0] == parse_time(
            "2024-03-10T22:00"
        )

    def test_months_are_those_of_trade_dates(self) -> None:
        globex = load_calendar("CME_EQUITY")
        opens = globex.session_bounds(globex.trading_days(19722, 19792))[0]
        days = bars_at([format_time(int(open_ns)) for open_ns in opens], "D", globex)

        months = aggregate(days, tf("M"), globex).bars

        assert spans(months)[0][0] == "2024-01-01T23:00:00Z"
        assert [span[0] for span in spans(months)][1] == "2024-01-31T23:00:00Z"

    def test_bars_that_reach_over_a_border_are_refused(self) -> None:
        nyse = load_calendar("NYSE")
        base = bars_at(["2024-07-02T14:00", "2024-07-02T15:00"], "1h", nyse)

        with pytest.raises(DataError, match="1h bar of 2024-07-02T15:00:00Z reaches over the end of its 2h bar"):
            aggregate(base, tf("2h"), nyse)


@pytest.mark.parametrize(
    ("name", "every"), [("5m", "5m"), ("1h", "1h"), ("12h", "12h"), ("D", "1d"), ("W", "1w"), ("M", "1mo")]
)
def test_another_library_gives_the_same_bars_of_a_market_that_never_closes(
    shared_data: Path, name: str, every: str
) -> None:
    path = shared_data / "binance_usdm" / "BTCUSDT" / "1m.parquet"
    base = import_files([path], Request(Definitions.load().find("BTCUSDT"), ALWAYS, tf("1m"))).bars

    ours = aggregate(base, tf(name), ALWAYS).bars

    theirs = (
        pl.read_parquet(path)
        .group_by_dynamic("ts", every=every)
        .agg(
            pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(),
            pl.col("volume").sum(),
        )
        .with_columns(pl.col("ts").cast(pl.Int64))
    )  # fmt: skip
    kept = theirs.filter(pl.col("ts").is_in(ours.open_ns.tolist()))
    assert len(theirs) - 2 <= len(ours) == len(kept)
    for column in ("open", "high", "low", "close"):
        assert getattr(ours, column).tolist() == kept[column].to_list()
    assert ours.volume == pytest.approx(kept["volume"].to_numpy(), rel=1e-12)


def test_minutes_rebuild_the_daily_bars_of_the_vendor(shared_data: Path) -> None:
    """The data's own notes say that they do for these days, with one low off by 0.01."""
    spy, nyse = Definitions.load().find("SPY"), load_calendar("NYSE")
    folder = shared_data / "us_equity" / "SPY"
    minutes = import_files([folder / "1m.parquet"], Request(spy, nyse, tf("1m"))).bars
    daily = import_files([folder / "1d.parquet"], Request(spy, nyse, tf("D"))).bars

    ours = aggregate(minutes, tf("D"), nyse).bars

    rows = np.searchsorted(daily.open_ns, ours.open_ns)
    assert len(ours) == 6
    assert ours.close_ns.tolist() == daily.close_ns[rows].tolist()
    for column in ("open", "high", "close"):
        assert getattr(ours, column).tolist() == getattr(daily, column)[rows].tolist()
    off = np.abs(ours.low - daily.low[rows])
    assert (off > 0).sum() == 1
    assert off.max() == pytest.approx(0.01)
