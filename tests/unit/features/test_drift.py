"""Running sums stay exact over hundreds of thousands of bars, and after prints far out of range."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.features.node import DRIFT_BARS
from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Floats
from reference.wiring import compute

BARS = 300_000
LENGTH = 20


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
