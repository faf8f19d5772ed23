"""Recipes: limits with remedies, and how long a market must be to hold so many bars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.data.aggregate import aggregate
from evenkeel.data.calendar import load_calendar
from evenkeel.data.synthetic import LIMITS, MINUTES_MAX, MINUTES_MIN, Parameters, Recipe, bars_max, generate, minutes_of
from evenkeel.model.errors import UsageError
from evenkeel.model.time import TIMEFRAMES, Timeframe


def recipe(**changes: Any) -> Recipe:
    return Recipe(**{"regime": "trending", **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"regime": "trnding"}, "there is no regime 'trnding'; did you mean trending or ranging"),
        ({"regime": ""}, r"there is no regime ''. `keel data synth --list` shows all"),
        ({"regime": "TREND_UP_CLEAN"}, "did you mean trend_up_clean"),
        ({"minutes": 0}, "0 bars of 1m are 0 minutes; .* 100 to 4,000,000. Ask for more: 100 to 4,000,000 bars of 1m"),
        ({"minutes": 99}, "Ask for more"),
        ({"minutes": 4_000_001}, "Ask for fewer"),
        ({"tick": Decimal(0)}, "tick and lot must be positive"),
        ({"lot": Decimal(-1)}, "tick and lot must be positive"),
        ({"base": 99.9}, r"base price is 99.9 with a tick of 0.1; it must be 1,000 to .* ticks. Take another price"),
        ({"base": 1e12}, "base price is 1e.12"),
        ({"base": float("nan")}, "base price is nan"),
        ({"first_open_ns": 30_000_000_000}, "opens at 1970-01-01T00:00:30Z; it must open on a whole minute"),
        ({"halts": 21}, "0 to 20 halts, not 21"),
        ({"halts": -1}, "0 to 20 halts, not -1"),
        ({"missing": 0.21}, "share of missing bars is 0.21; it must lie from 0 to 0.2"),
        ({"missing": float("nan")}, "share of missing bars is nan"),
    ],
)
def test_a_recipe_that_cannot_be_made_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe(**changes)


@pytest.mark.parametrize("name", LIMITS)
def test_every_parameter_has_a_default_within_limits_that_are_kept(name: str) -> None:
    low, high = LIMITS[name]

    assert low <= getattr(Parameters(), name) <= high
    for value in (low, high):
        assert getattr(Parameters.of({name: value}), name) == value
    for value in (low - 1e-6, high + 1e-6, float("nan"), float("inf")):
        with pytest.raises(UsageError, match=f"the parameter {name} is .*; it must lie from"):
            Parameters.of({name: value})


def test_the_defaults_are_those_of_the_specification() -> None:
    assert Parameters() == Parameters(
        trend_magnitude=0.20, pullback_depth=0.30, stairs_steps=4, volatility_base=0.02, spike=0.10, squeeze=0.005,
        range_width=0.08, triangle_slope=0.001, noise_level=0.3, hunt_depth=0.02, hunt_recovery=0.8,
    )  # fmt: skip
    assert (recipe().seed, recipe().base) == (42, 50_000.0)


def test_an_unknown_parameter_and_a_half_step_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"no parameter 'hunt_dept'; did you mean 'hunt_depth'.*known are trend_magnit"
    ):
        Parameters.of({"hunt_dept": 1})
    with pytest.raises(UsageError, match=r"stairs_steps is 2.5; it must be a whole number"):
        Parameters.of({"stairs_steps": 2.5})
    assert Parameters.of({"stairs_steps": 3.0}).stairs_steps == 3
    assert isinstance(Parameters.of({"stairs_steps": 3.0}).stairs_steps, int)


def test_what_differs_from_the_defaults_is_named() -> None:
    assert Parameters().changed() == {}
    assert Parameters.of({"spike": 0.2, "squeeze": 0.005}).changed() == {"spike": 0.2}


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_so_many_bars_are_so_many_complete_bars(name: str) -> None:
    timeframe = Timeframe.parse(name)
    count = 100 if timeframe.minutes == 1 else 40 if timeframe.minutes < 1440 else 14
    bars = generate(recipe(minutes=minutes_of(count, timeframe))).bars

    slower = bars if timeframe.minutes == 1 else aggregate(bars, timeframe, load_calendar("24/7")).bars
    assert len(slower) == count
    assert slower.close_ns[-1] == bars.close_ns[-1]


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_as_many_bars_as_there_may_be_are_accepted_and_more_are_not(name: str) -> None:
    timeframe = Timeframe.parse(name)
    most = bars_max(timeframe)

    assert MINUTES_MIN <= minutes_of(most, timeframe) <= MINUTES_MAX
    with pytest.raises(UsageError, match=rf"Ask for fewer: \d+ to {most:,} bars of {name}$"):
        minutes_of(most + 10, timeframe)
    with pytest.raises(UsageError, match="Ask for fewer"):
        minutes_of(10**12, timeframe)
    with pytest.raises(UsageError, match="Ask for more"):
        minutes_of(0, timeframe)
