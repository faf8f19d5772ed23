"""Running sums stay exact over hundreds of thousands and millions of bars, and after prints far out of range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from evenkeel.features.node import DRIFT_BARS
from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Floats
from reference.wiring import Columns, compute, graph_of

BARS = 300_000
LENGTH = 20
MANY_CHUNKS, CHUNK = 160, 62_500
"""Ten million bars, drawn a chunk at a time so that they never lie in memory together."""

FRESH = 500
"""So many bars at the end of each chunk are computed afresh."""


def closes() -> Floats:
    """A price that moves by its tick for long and doubles now and then."""
    rng = np.random.default_rng(5)
    levels = np.repeat(50_000.0 * 2.0 ** rng.integers(-3, 4, BARS // 10_000), 10_000)
    return levels + np.cumsum(rng.integers(-5, 6, BARS)) / 100.0


def windows(values: Floats) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(values, LENGTH)


def test_a_moving_average_does_not_drift() -> None:
    values = closes()

    means = compute(find_indicator("sma"), {"source": values}, block=2048)["value"]

    np.testing.assert_allclose(means[LENGTH - 1 :], windows(values).mean(axis=1), rtol=1e-13)


def test_bands_do_not_drift() -> None:
    values = closes()

    bands = compute(find_indicator("bbands"), {"source": values}, {"std": 1.0}, block=2048)

    # Less the newest value first: numpy's own rounding at large prices would be the larger error.
    exact = (windows(values) - values[LENGTH - 1 :, None]).std(axis=1, ddof=1)
    half = (bands["bandwidth"] * bands["middle"] / 200.0)[LENGTH - 1 :]
    np.testing.assert_allclose(half, exact, rtol=1e-9)


def test_a_weighted_average_and_a_line_do_not_drift() -> None:
    values = closes()
    weights = np.arange(1.0, LENGTH + 1.0)

    means = compute(find_indicator("wma"), {"source": values}, block=2048)["value"]
    ends = compute(find_indicator("linreg"), {"source": values}, {"length": LENGTH}, block=2048)["value"]

    exact = windows(values) @ (weights / weights.sum())
    np.testing.assert_allclose(means[LENGTH - 1 :], exact, rtol=1e-13)
    np.testing.assert_allclose(ends[LENGTH - 1 :], 3.0 * exact - 2.0 * windows(values).mean(axis=1), rtol=1e-13)


def test_sums_of_changes_do_not_drift() -> None:
    values = closes()

    balance = compute(find_indicator("cmo"), {"source": values}, {"length": LENGTH - 1}, block=2048)["value"]

    steps = np.diff(windows(values), axis=1)
    exact = 100.0 * steps.sum(axis=1) / np.abs(steps).sum(axis=1)
    np.testing.assert_allclose(balance[LENGTH - 1 :], exact, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_moving_average_agrees_with_a_fresh_one_after_ten_million_bars() -> None:
    for means, columns in newest("sma", {"length": LENGTH}):
        exact = windows(columns["source"][-FRESH - LENGTH + 1 :]).mean(axis=1)
        np.testing.assert_allclose(means["value"], exact, rtol=1e-9)


@pytest.mark.slow
def test_bands_agree_with_fresh_ones_after_ten_million_bars() -> None:
    for bands, columns in newest("bbands", {"length": LENGTH, "std": 1.0}):
        last = windows(columns["source"][-FRESH - LENGTH + 1 :])
        middle, half = last.mean(axis=1), (last - last[:, -1:]).std(axis=1, ddof=1)
        np.testing.assert_allclose(bands["bandwidth"] * bands["middle"] / 200.0, half, rtol=1e-9)
        np.testing.assert_allclose(bands["lower"], middle - half, rtol=1e-9)
        np.testing.assert_allclose(bands["upper"], middle + half, rtol=1e-9)


@pytest.mark.slow
def test_a_volume_weighted_price_agrees_with_whole_numbers_after_ten_million_bars() -> None:
    """In ticks and lots the sums are whole numbers, which an int64 adds without error."""
    money, volume = 0, 0
    for prices, columns in newest("vwap", {"anchor": "none"}):
        ticks = np.rint((columns["high"] + columns["low"] + columns["close"]) * 100.0).astype(np.int64)
        lots = columns["volume"].astype(np.int64)
        moneys, volumes = money + np.cumsum(ticks * lots), volume + np.cumsum(lots)
        money, volume = int(moneys[-1]), int(volumes[-1])
        np.testing.assert_allclose(prices["value"], (moneys / volumes / 300.0)[-FRESH:], rtol=1e-9)
    assert money < 2**62


def newest(name: str, params: dict[str, Any]) -> Iterator[tuple[dict[str, Floats], Columns]]:
    """Run an indicator over ten million bars; yield its newest values at the end of each chunk, and the chunk."""
    node = find_indicator(name)
    graph, rows = graph_of(node, params)
    run = graph.start(CHUNK)
    for chunk in chunks():
        at = run.push({key: chunk[key] for key in graph.columns}, CHUNK)
        stop = at + CHUNK
        values = run.x[list(rows), stop - FRESH : stop]
        yield {output.name: values[place] for place, output in enumerate(node.outputs)}, chunk


def chunks() -> Iterator[Columns]:
    """Yield bars on a grid of hundredths whose level halves or doubles from chunk to chunk.

    The source is the close with a print far out of range in each chunk, of which a plain running sum keeps something.
    """
    rng = np.random.default_rng(11)
    for _ in range(MANY_CHUNKS):
        level = 5_000_000 * 2.0 ** rng.integers(-3, 4)
        closes = (level + np.cumsum(rng.integers(-5, 6, CHUNK))) / 100.0
        reach = rng.integers(0, 20, (2, CHUNK)) / 100.0
        source = closes.copy()
        source[CHUNK // 2] *= 1e9
        yield {
            "source": source, "close": closes, "high": closes + reach[0], "low": closes - reach[1],
            "session": np.zeros(CHUNK), "volume": rng.integers(0, 1000, CHUNK).astype(np.float64),
        }  # fmt: skip


WINDOWED: list[tuple[str, str, int]] = [
    # indicator of windows only, output, values that it looks at
    ("sma", "value", 20), ("bbands", "middle", 20), ("bbands", "bandwidth", 20), ("wma", "value", 20),
    ("trima", "value", 20), ("alma", "value", 10), ("linreg", "value", 14), ("midprice", "value", 14),
    ("cci", "value", 14), ("willr", "value", 14), ("mom", "value", 11), ("cmo", "value", 15), ("mfi", "value", 15),
    ("uo", "value", 29), ("cmf", "value", 20), ("ppo", "ppo", 26), ("donchian", "middle", 20), ("stoch", "d", 18),
    ("aroon", "osc", 26), ("vortex", "vip", 15), ("squeeze", "sqz", 18),
]  # fmt: skip


@pytest.mark.parametrize(("name", "output", "reach"), WINDOWED)
def test_a_print_far_out_of_range_leaves_nothing_behind(name: str, output: str, reach: int) -> None:
    calm = 100.0 + np.random.default_rng(2).integers(-9, 10, 200) / 64.0
    spiked = calm.copy()
    spiked[50] = 1e12

    clean, dirty = (compute(find_indicator(name), as_bars(values))[output] for values in (calm, spiked))

    np.testing.assert_allclose(dirty[50 + reach :], clean[50 + reach :], rtol=1e-12, atol=1e-12)
    assert not np.allclose(dirty[50 : 50 + reach], clean[50 : 50 + reach])


@pytest.mark.parametrize("name", ["sma", "bbands", "stoch", "squeeze"])
def test_sums_are_computed_afresh_by_the_count_of_bars_and_not_of_columns(name: str) -> None:
    """After the same bars an instance that began later, its count shifted, agrees to the last digits but is free to
    differ in bits; one that began behind a missing bar agrees in bits with a fresh one."""
    values = closes()[: DRIFT_BARS + 900]
    gapped = np.concatenate([values[:300], [np.nan], values])

    fresh = compute(find_indicator(name), as_bars(values))
    restarted = compute(find_indicator(name), as_bars(gapped))

    for output in fresh:
        np.testing.assert_array_equal(restarted[output][301:], fresh[output])


def as_bars(values: Floats) -> dict[str, Floats]:
    volume = 1.0 + np.arange(len(values)) % 7.0
    return {"source": values, "close": values, "high": values + 0.5, "low": values - 0.25, "volume": volume}
