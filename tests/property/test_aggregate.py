"""However base bars are split, the higher bars are the same: blocks of thousands and live blocks of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.data.aggregate import SIGNATURE, aggregate, aggregate_block, new_state
from evenkeel.data.calendar import load_calendar
from evenkeel.kernel import compiled
from evenkeel.model.bar import Bars
from evenkeel.model.time import MINUTE, Timeframe, parse_time

START = parse_time("2024-07-02T13:20") // MINUTE


@st.composite
def base_bars(draw: st.DrawFn) -> Bars:
    """Minutes around a half day of the stock market, with holes, pre-market and after-hours bars."""
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 7, 45]), min_size=1, max_size=120))
    opens = (START + np.cumsum(np.array(steps, dtype=np.int64))) * MINUTE
    nyse = load_calendar("NYSE")
    closes = nyse.bar_close(opens, Timeframe.parse("1m"))
    closes = np.where(closes < 0, opens + MINUTE, closes)
    prices = draw(st.lists(st.floats(1, 1e6), min_size=len(opens), max_size=len(opens)))
    price = np.array(prices)
    return Bars(Timeframe.parse("1m"), opens, closes, price, price * 1.01, price * 0.99, price * 1.005, price / 3)


def in_blocks(bars: Bars, timeframe: Timeframe, borders: list[int]) -> list[tuple[float, ...]]:
    """Run the kernel block by block and return the completed bars as rows."""
    run: Any = compiled(aggregate_block, SIGNATURE)
    place, partial = new_state()
    bucket_open, bucket_close = load_calendar("NYSE").bucket_of(bars.open_ns, timeframe)
    rows: list[tuple[float, ...]] = []
    for start, stop in zip([0, *borders], [*borders, len(bars)], strict=True):
        times = [np.zeros(stop - start, dtype=np.int64) for _ in range(4)]
        prices = [np.zeros(stop - start, dtype=np.float64) for _ in range(5)]
        written = run(
            place, partial, bucket_open, bucket_close, bars.open_ns,
            bars.open, bars.high, bars.low, bars.close, bars.volume, *times, *prices, start, stop,
        )  # fmt: skip
        rows += [tuple(column[row] for column in (*times, *prices)) for row in range(written)]
    return rows


@settings(deadline=None)
@given(bars=base_bars(), timeframe=st.sampled_from(["3m", "15m", "1h", "D", "W"]), data=st.data())
def test_any_split_of_the_base_bars_gives_the_same_higher_bars(bars: Bars, timeframe: str, data: st.DataObject) -> None:
    tf = Timeframe.parse(timeframe)
    borders = sorted(data.draw(st.sets(st.integers(0, len(bars)))))

    assert in_blocks(bars, tf, borders) == in_blocks(bars, tf, [])
    assert in_blocks(bars, tf, list(range(1, len(bars)))) == in_blocks(bars, tf, [])


@settings(deadline=None)
@given(bars=base_bars(), timeframe=st.sampled_from(["3m", "15m", "1h"]), cut=st.integers(0, 120))
def test_bars_that_were_complete_stay_as_they_were_when_more_arrive(bars: Bars, timeframe: str, cut: int) -> None:
    tf, nyse = Timeframe.parse(timeframe), load_calendar("NYSE")
    cut = min(cut, len(bars))

    early = aggregate(bars.rows(0, cut), tf, nyse)
    late = aggregate(bars, tf, nyse)

    # A closing auction may still join the last bar of a session at the very instant at which it closes.
    count = len(early.bars) - 1 if cut < len(bars) and bars.open_ns[cut] == bars.close_ns[cut] else len(early.bars)
    for column in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
        assert getattr(early.bars, column)[:count].tolist() == getattr(late.bars, column)[:count].tolist()


@settings(deadline=None)
@given(bars=base_bars(), timeframe=st.sampled_from(["3m", "15m", "1h", "D"]))
def test_every_bar_holds_its_base_bars_and_no_other(bars: Bars, timeframe: str) -> None:
    result = aggregate(bars, Timeframe.parse(timeframe), load_calendar("NYSE"))

    for row in range(len(result.bars)):
        inside = slice(result.first[row], result.last[row] + 1)
        assert result.bars.open_ns[row] <= bars.open_ns[inside][0]
        assert bars.close_ns[inside][-1] <= result.bars.close_ns[row]
        assert result.bars.open[row] == bars.open[inside][0]
        assert result.bars.close[row] == bars.close[inside][-1]
        assert result.bars.high[row] == bars.high[inside].max()
        assert result.bars.low[row] == bars.low[inside].min()
