"""Any node over bars: what it reads is filled in, and prices are told from other numbers."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.synthetic import random_walk
from evenkeel.features.compute import compute, price_levels, read_by
from evenkeel.features.registry import find_any
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError

CALENDAR = load_calendar("24/7")
ZONE = {"zone_type": "demand", "width_atr": 1.0}


@pytest.fixture(scope="module")
def bars() -> Bars:
    return random_walk(3000)


def test_values_are_those_of_the_formula_over_more_than_one_block(bars: Bars) -> None:
    values = compute(find_any("sma"), {"length": 3}, bars, CALENDAR, source="hl2")["value"]

    middle = (bars.high + bars.low) / 2
    expected = np.convolve(middle, np.ones(3) / 3, mode="valid")
    assert len(values) == len(bars)
    assert np.isnan(values[:2]).all()
    np.testing.assert_allclose(values[2:], expected, rtol=1e-12)


def test_a_zone_gets_the_swing_that_is_asked_for_and_else_one_of_five_bars(bars: Bars) -> None:
    zone = find_any("zone")

    usual = compute(zone, ZONE, bars, CALENDAR)["version"][-1]
    narrow = compute(zone, ZONE, bars, CALENDAR, uses={"swing": {"left": 2, "right": 2}})["version"][-1]

    assert read_by(zone)["swing"]["left"] == 5
    assert read_by(zone)["atr"] == {"length": 14}
    assert narrow > 1.5 * usual > 0


def test_an_indicator_reads_no_other_node() -> None:
    assert read_by(find_any("rsi")) == {}


@pytest.mark.parametrize(
    ("name", "params", "prices"),
    [
        ("ema", {}, {"value"}),
        ("rsi", {}, set()),
        ("macd", {}, set()),
        ("atr", {}, set()),
        ("bbands", {}, {"lower", "middle", "upper"}),
        ("supertrend", {}, {"trend", "long", "short"}),
        ("zone", ZONE, {"lower", "upper"}),
    ],
)
def test_prices_are_the_outputs_that_rise_with_all_prices(
    name: str, params: dict[str, object], prices: set[str], bars: Bars
) -> None:
    assert price_levels(find_any(name), params, bars, CALENDAR) == prices


def test_an_unknown_source_is_refused_with_the_known_ones(bars: Bars) -> None:
    with pytest.raises(UsageError, match="'mid' is not a source; there are open, high, low, close, volume, hl2"):
        compute(find_any("ema"), {}, bars, CALENDAR, source="mid")
