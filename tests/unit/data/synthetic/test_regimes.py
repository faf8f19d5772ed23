"""Every regime does what the table of the play specification (8.4) says of it, whatever the seed and the length.

The figures are those of the table: T is 0.20, the range is 0.08 wide, fractions are of the number of bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from evenkeel.data.synthetic import EXTENSIONS, REGIMES, Parameters, Recipe, generate, regime_of
from evenkeel.model.bar import Floats

RUNS = [(20_000, 1), (20_000, 2), (60_000, 3), (60_000, 42)]
"""Minutes and seeds."""

EXACT = 1e-4
"""Where a leg of the table ends the price is the one of the table, but for the tick."""

TABLE = """
trend_up_clean trend_down_clean trend_grinding trend_parabolic trend_exhaustion trend_stairs
range_tight range_wide range_ascending range_descending
reversal_v_bottom reversal_v_top reversal_double_bottom reversal_double_top
breakout_clean breakout_false breakout_retest
vol_squeeze_expand vol_spike_recover vol_spike_continue vol_decay
liquidity_hunt_lows liquidity_hunt_highs choppy_whipsaw accumulation distribution
mtf_aligned_bull mtf_aligned_bear mtf_pullback_bull mtf_pullback_bear
trending ranging volatile multi_tf_aligned
"""

WAYPOINTS: dict[str, dict[float, float]] = {
    "trend_up_clean": {0.35: 1.10, 0.70: 1.20, 0.85: 1.14, 1.0: 1.14 + 0.8 * 0.2 * 15 / 70},
    "trend_down_clean": {0.35: 0.90, 0.70: 0.80, 0.85: 0.86, 1.0: 0.86 - 0.8 * 0.2 * 15 / 70},
    "trend_grinding": {1.0: 1.10},
    "trend_parabolic": {1.0: 1.20},
    "trend_exhaustion": {0.60: 1.20, 0.75: 1.20, 1.0: 1.20 - 0.12},
    "trend_stairs": {0.15: 1.05, 0.25: 1.05, 0.40: 1.10, 0.50: 1.10, 0.65: 1.15, 0.75: 1.15, 0.90: 1.20, 1.0: 1.20},
    "reversal_v_bottom": {0.50: 0.80, 1.0: 1.00},
    "reversal_v_top": {0.50: 1.20, 1.0: 1.00},
    "reversal_double_bottom": {0.25: 0.80, 0.50: 0.90, 0.75: 0.80, 1.0: 1.00},
    "reversal_double_top": {0.25: 1.20, 0.50: 1.10, 0.75: 1.20, 1.0: 1.00},
    "breakout_clean": {0.60: 1.04, 0.70: 1.04 + 0.06, 1.0: 1.10 + 0.10},
    "breakout_false": {0.50: 1.04, 0.60: 1.04 + 0.04, 0.80: 0.96, 1.0: 0.94},
    "breakout_retest": {0.40: 1.04, 0.50: 1.04 + 0.10, 0.65: 1.04, 1.0: 1.04 + 0.10},
    "vol_squeeze_expand": {0.60: 1.00, 0.75: 1.10},
    "vol_spike_recover": {0.40: 1.00, 0.42: 0.80, 0.70: 1.00, 1.0: 1.00},
    "vol_spike_continue": {0.40: 1.00, 0.42: 0.80, 1.0: 0.56},
    "vol_decay": {1.0: 1.00},
    "liquidity_hunt_lows": {0.50: 1.00, 0.60: 0.94, 0.75: 0.94 + 0.8 * 0.06, 1.0: 0.988 + 0.06},
    "liquidity_hunt_highs": {0.50: 1.00, 0.60: 1.06, 0.75: 1.06 - 0.8 * 0.06, 1.0: 1.012 - 0.06},
    "accumulation": {1.0: 1.06},
    "distribution": {1.0: 0.94},
    "mtf_aligned_bull": {1.0: 1.20},
    "mtf_aligned_bear": {1.0: 0.80},
    "mtf_pullback_bull": {1.0: 1.20},
    "mtf_pullback_bear": {1.0: 0.80},
    "trending": {1.0: 1.20},
    "volatile": {1.0: 1.00},
    "multi_tf_aligned": {1.0: 1.00},
    "displacement_impulse": {0.25: 1.05, 0.50: 1.10, 0.75: 1.15, 1.0: 1.20},
    "trending_with_gaps": {step / 8: 1.0 + step * 0.025 for step in range(1, 9)},
    "equal_highs_lows": {0.12: 1.04, 0.24: 0.96, 0.36: 1.04, 0.48: 0.96, 0.60: 1.04, 0.72: 0.96, 0.80: 1.06, 1.0: 0.94},
    "ob_retest": {0.30: 1.00, 0.33: 0.98, 0.35: 1.08, 0.50: 1.10, 0.70: 0.99, 1.0: 1.20},
}  # fmt: skip

HALF_WAY = {"trend_up_clean", "trend_down_clean"}
"""Regimes with a waypoint inside a leg, where the noise of the leg stands beside it."""


@dataclass(frozen=True)
class Seen:
    """A market as a person would look at it."""

    close: Floats
    open: Floats
    low: Floats
    high: Floats
    volume: Floats

    @property
    def minutes(self) -> int:
        return len(self.close)

    def at(self, share: float) -> float:
        """Level of the close at a share of the path."""
        return float(self.close[int(share * self.minutes + 0.5) - 1])

    def part(self, start: float, stop: float) -> Floats:
        return self.close[int(start * self.minutes + 0.5) : int(stop * self.minutes + 0.5)]

    def volatility(self, start: float = 0.0, stop: float = 1.0) -> float:
        """Deviation of the return of a day, from the minutes of a part."""
        close = self.part(start, stop)
        return float(np.std(np.diff(close) / close[:-1]) * np.sqrt(1440))

    def traded(self, start: float, stop: float) -> float:
        return float(np.mean(self.volume[int(start * self.minutes) : int(stop * self.minutes)]))


@cache
def see(regime: str, minutes: int, seed: int) -> Seen:
    bars = generate(Recipe(regime=regime, minutes=minutes, seed=seed)).bars
    return Seen(*(getattr(bars, name) / 50_000.0 for name in ("close", "open", "low", "high")), bars.volume)


def upside_down(seen: Seen) -> Seen:
    return Seen(2.0 - seen.close, 2.0 - seen.open, 2.0 - seen.high, 2.0 - seen.low, seen.volume)


def look(regime: str, run: tuple[int, int]) -> Seen:
    return see(regime, *run)


runs = pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run[0]}-{run[1]}")


def test_the_names_are_those_of_the_table_in_its_order() -> None:
    assert list(REGIMES) == TABLE.split()
    assert len(REGIMES) == 34
    assert EXTENSIONS == ("displacement_impulse", "trending_with_gaps", "equal_highs_lows", "ob_retest")
    groups = list(dict.fromkeys(regime_of(name).group for name in REGIMES))
    assert groups == ["trend", "range", "reversal", "breakout", "volatility", "liquidity", "multi-tf", "basic"]


@runs
@pytest.mark.parametrize("regime", WAYPOINTS)
def test_the_path_passes_where_the_table_says(regime: str, run: tuple[int, int]) -> None:
    seen = look(regime, run)

    assert seen.open[0] == 1.0
    for share, level in WAYPOINTS[regime].items():
        beside = 0.02 if regime in HALF_WAY and share == 0.35 else EXACT
        assert seen.at(share) == pytest.approx(level, abs=beside), share


@pytest.mark.parametrize("regime", [name for name in (*REGIMES, *EXTENSIONS) if name not in WAYPOINTS])
def test_a_regime_without_waypoints_stays_around_the_base_price(regime: str) -> None:
    for run in RUNS:
        assert abs(look(regime, run).close - 1.0).max() < 0.051


@runs
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_a_clean_trend_turns_at_70_percent_and_is_hardly_interrupted(run: tuple[int, int], down: bool) -> None:
    market = look("trend_down_clean" if down else "trend_up_clean", run)
    seen = upside_down(market) if down else market
    trend = seen.part(0.0, 0.7)

    assert market.volatility() == pytest.approx(0.3 * 0.02, rel=0.06)
    assert 0.6 <= (np.argmax(seen.close) + 1) / seen.minutes <= 0.8
    assert np.max(np.maximum.accumulate(trend) - trend) < 0.05
    hourly = trend[59::60]
    assert np.corrcoef(hourly, np.arange(len(hourly)))[0, 1] > 0.97


@runs
def test_a_grinding_trend_has_a_third_of_the_noise(run: tuple[int, int]) -> None:
    noise = look("trend_parabolic", run).volatility()

    assert look("trend_grinding", run).volatility() == pytest.approx(0.3 * noise, rel=0.05)


def test_a_parabolic_trend_ends_four_times_as_fast_as_it_starts() -> None:
    early = np.mean([look("trend_parabolic", run).at(0.25) - 1.0 for run in RUNS])
    late = np.mean([1.2 - look("trend_parabolic", run).at(0.75) for run in RUNS])

    # The speed 1 + 3u covers 1.375 parts of 10 in the first quarter and 3.625 in the last.
    assert early == pytest.approx(0.2 * 0.1375, abs=0.012)
    assert late == pytest.approx(0.2 * 0.3625, abs=0.012)


@runs
def test_an_exhausted_trend_stalls_nervously_before_it_turns(run: tuple[int, int]) -> None:
    seen = look("trend_exhaustion", run)

    assert seen.volatility(0.6, 0.75) == pytest.approx(2 * seen.volatility(0.0, 0.6), rel=0.08)
    assert 0.55 < (np.argmax(seen.close) + 1) / seen.minutes < 0.8


@runs
def test_stairs_advance_and_pause_as_often_as_they_are_told_to(run: tuple[int, int]) -> None:
    seen = Seen(*_columns("trend_stairs", run, stairs_steps=5))

    for step in range(5):
        assert seen.at((step + 0.6) / 5) - (seen.at(step / 5) if step else 1.0) == pytest.approx(0.04, abs=EXACT)
        assert seen.at((step + 1) / 5) - seen.at((step + 0.6) / 5) == pytest.approx(0.0, abs=EXACT)


@runs
def test_a_tight_range_is_squeezed_and_comes_back(run: tuple[int, int]) -> None:
    seen = look("range_tight", run)

    assert seen.volatility() == pytest.approx(0.005, rel=0.08)
    assert np.std(seen.close) < 0.008
    assert np.sum(np.diff(np.sign(seen.close[:: seen.minutes // 200] - 1.0)) != 0) > 15


@runs
@pytest.mark.parametrize(("regime", "volatility"), [("range_wide", 0.03), ("ranging", 0.02)])
def test_ranges_use_their_room_and_stay_inside(run: tuple[int, int], regime: str, volatility: float) -> None:
    seen = look(regime, run)

    assert seen.volatility() == pytest.approx(volatility, rel=0.06)
    assert 0.96 - EXACT <= seen.close.min() < 0.98
    assert 1.02 < seen.close.max() <= 1.04 + EXACT


@runs
@pytest.mark.parametrize("down", [False, True], ids=["ascending", "descending"])
def test_a_triangle_has_one_flat_edge_and_one_that_moves(run: tuple[int, int], down: bool) -> None:
    seen = upside_down(look("range_descending", run)) if down else look("range_ascending", run)
    quarters = [seen.part(start / 4, (start + 1) / 4) for start in range(4)]

    for number, quarter in enumerate(quarters):
        assert quarter.max() == pytest.approx(1.04, abs=2e-3)
        support = 0.96 + 0.05 * number / 4
        assert support - EXACT <= quarter.min() < support + 0.05 / 4 + 2e-3
    assert seen.close.max() <= 1.04 + EXACT
    lows = [quarter.min() for quarter in quarters]
    assert lows == sorted(lows)


@runs
@pytest.mark.parametrize(
    ("regime", "until"), [("breakout_clean", 0.6), ("breakout_false", 0.5), ("breakout_retest", 0.4)]
)
def test_a_breakout_comes_out_of_a_range_that_was_held(run: tuple[int, int], regime: str, until: float) -> None:
    range_part = look(regime, run).part(0.0, until)

    assert 0.96 - EXACT <= range_part.min() < 0.975
    assert range_part.max() <= 1.04 + EXACT
    assert np.sum(np.diff(np.sign(range_part[::50] - 1.0)) != 0) >= 3


@runs
def test_a_clean_breakout_never_comes_back_and_a_false_one_does_at_once(run: tuple[int, int]) -> None:
    clean, false = look("breakout_clean", run), look("breakout_false", run)

    assert clean.part(0.65, 1.0).min() > 1.04
    assert clean.traded(0.6, 0.7) > 1.5 * clean.traded(0.0, 0.6)
    assert 0.55 < (np.argmax(false.close) + 1) / false.minutes < 0.7
    assert false.part(0.8, 1.0).max() <= 0.96 + EXACT


@runs
def test_a_retest_holds_the_edge(run: tuple[int, int]) -> None:
    seen = look("breakout_retest", run)

    assert seen.part(0.5, 0.6).min() > 1.05
    assert seen.part(0.5, 1.0).min() == pytest.approx(1.04, abs=0.012)


@runs
def test_a_squeeze_is_followed_by_a_storm_and_unrest(run: tuple[int, int]) -> None:
    seen = look("vol_squeeze_expand", run)

    assert seen.volatility(0.0, 0.05) == pytest.approx(0.02, rel=0.15)
    assert seen.volatility(0.55, 0.6) == pytest.approx(0.2 * 0.02, rel=0.25)
    assert seen.volatility(0.6, 0.75) == pytest.approx(0.10, rel=0.1)
    assert seen.volatility(0.75, 1.0) == pytest.approx(0.04, rel=0.1)


@runs
def test_a_crash_is_sudden_and_the_rest_differs(run: tuple[int, int]) -> None:
    for regime in ("vol_spike_recover", "vol_spike_continue"):
        seen = look(regime, run)
        assert abs(seen.part(0.0, 0.4) - 1.0).max() < 0.13
        assert seen.volatility(0.4, 0.45) > 3.5 * seen.volatility(0.0, 0.4)
        assert seen.volatility(0.0, 0.4) == pytest.approx(0.02, rel=0.05)
    assert look("vol_spike_continue", run).part(0.6, 1.0).max() < 0.95


@runs
def test_volatility_decays_from_storm_to_squeeze(run: tuple[int, int]) -> None:
    seen = look("vol_decay", run)
    fifths = [seen.volatility(start / 5, (start + 1) / 5) for start in range(5)]

    assert fifths == sorted(fifths, reverse=True)
    assert fifths[0] == pytest.approx(0.10 - 0.0095, rel=0.1)
    assert seen.volatility(0.98, 1.0) == pytest.approx(0.006, rel=0.25)
    assert seen.traded(0.8, 1.0) < 0.5 * seen.traded(0.0, 0.2)
    assert [seen.at(tie / 20) for tie in range(1, 21)] == pytest.approx([1.0] * 20, abs=EXACT)


@runs
@pytest.mark.parametrize("highs", [False, True], ids=["lows", "highs"])
def test_a_hunt_sweeps_the_edge_and_leaves_the_other_way(run: tuple[int, int], highs: bool) -> None:
    seen = upside_down(look("liquidity_hunt_highs", run)) if highs else look("liquidity_hunt_lows", run)

    assert seen.part(0.0, 0.5).min() >= 0.96 - EXACT
    assert seen.close.min() == pytest.approx(0.94, abs=EXACT)
    assert 0.5 < (np.argmin(seen.close) + 1) / seen.minutes < 0.7
    assert seen.at(0.75) > 0.96
    assert seen.traded(0.57, 0.63) > 1.5 * seen.traded(0.0, 0.5)


@runs
def test_a_whipsaw_pushes_up_and_down_in_turn(run: tuple[int, int]) -> None:
    seen = look("choppy_whipsaw", run)
    levels = np.array([1.0, *(seen.at((push + 1) / 40) for push in range(40))])
    pushes = np.sign(np.diff(levels))

    assert (pushes[1:] * pushes[:-1] == -1).all()
    assert np.abs(np.diff(levels)).mean() > 0.025
    assert abs(seen.close - 1.0).max() <= 0.05 + EXACT


@runs
def test_volume_rises_in_accumulation_and_falls_in_distribution(run: tuple[int, int]) -> None:
    up, down = look("accumulation", run), look("distribution", run)

    for early, late in ((up.traded(0.0, 0.2), up.traded(0.8, 1.0)), (down.traded(0.8, 1.0), down.traded(0.0, 0.2))):
        assert late == pytest.approx(1.85 / 0.65 * early, rel=0.15)
    assert up.volatility() == pytest.approx(0.5 * 0.3 * 0.02, rel=0.05)
    assert down.volatility() == pytest.approx(0.5 * 0.3 * 0.02, rel=0.05)


@runs
@pytest.mark.parametrize("down", [False, True], ids=["bull", "bear"])
def test_an_aligned_market_has_slow_and_fast_waves_on_its_trend(run: tuple[int, int], down: bool) -> None:
    seen = upside_down(look("mtf_aligned_bear", run)) if down else look("mtf_aligned_bull", run)
    place = np.arange(1, seen.minutes + 1) / seen.minutes
    rest = seen.close - 1.0 - 0.2 * place

    for cycles, height in ((4, 0.15 * 0.2), (20, 0.05 * 0.2)):
        wave = np.sin(2 * np.pi * cycles * place)
        assert 2 * np.mean(rest * wave) == pytest.approx(height, rel=0.35)


@runs
@pytest.mark.parametrize("down", [False, True], ids=["bull", "bear"])
def test_a_pullback_stands_against_the_trend_in_its_middle(run: tuple[int, int], down: bool) -> None:
    seen = upside_down(look("mtf_pullback_bear", run)) if down else look("mtf_pullback_bull", run)

    assert seen.at(0.5) < seen.at(0.4) - 0.01
    assert seen.at(0.6) > seen.at(0.5) + 0.03
    assert seen.at(0.5) == pytest.approx(1.0 + 0.1 - 0.3 * 0.2, abs=0.03)


@runs
def test_the_basic_ones_have_the_whole_volatility(run: tuple[int, int]) -> None:
    for regime in ("trending", "multi_tf_aligned"):
        assert look(regime, run).volatility() == pytest.approx(0.02, rel=0.06)
    waves = look("multi_tf_aligned", run)
    place = np.arange(1, waves.minutes + 1) / waves.minutes
    for cycles, height in ((2, 0.10), (16, 0.02)):
        wave = np.sin(2 * np.pi * cycles * place)
        assert 2 * np.mean((waves.close - 1.0) * wave) == pytest.approx(height, rel=0.4)


@runs
def test_a_volatile_market_jumps_in_one_quarter_of_an_hour_in_twenty(run: tuple[int, int]) -> None:
    seen = look("volatile", run)
    returns = np.abs(np.diff(seen.close, prepend=1.0)) / seen.close
    quarter = 0.02 / np.sqrt(96)
    whole = seen.minutes // 15 * 15
    largest = returns[:whole].reshape(-1, 15).max(axis=1)

    jumped = largest > 3 * quarter
    assert jumped.mean() == pytest.approx(0.05, abs=0.015)
    assert np.median(largest[jumped]) == pytest.approx(5 * quarter, rel=0.05)
    assert largest[~jumped].max() < 2 * quarter


@runs
def test_an_impulse_is_fast_and_keeps_its_way(run: tuple[int, int]) -> None:
    seen = look("displacement_impulse", run)

    for number in range(4):
        start = (number + 0.7) / 4
        assert abs(seen.at(start) - (1.0 + 0.05 * number)) < EXACT
        assert seen.at(start + 0.005) - seen.at(start) == pytest.approx(0.0625, abs=2 * EXACT)
        assert seen.at((number + 1) / 4) - seen.at(start) == pytest.approx(0.05, abs=2 * EXACT)
        assert seen.traded(start, start + 0.005) > 4 * seen.traded(start - 0.1, start)


@runs
def test_gaps_open_away_from_the_close_and_nothing_trades_between(run: tuple[int, int]) -> None:
    seen = look("trending_with_gaps", run)
    step = seen.open[1:] / seen.close[:-1] - 1.0

    assert np.sum(step > 0.008) == 8
    for row in np.flatnonzero(step > 0.008):
        assert (row + 1) / seen.minutes % 0.125 == pytest.approx(0.0625, abs=1e-3)
        assert seen.low[row + 1] > seen.high[row] + 0.005


@runs
def test_equal_highs_are_equal_and_swept_once(run: tuple[int, int]) -> None:
    seen = look("equal_highs_lows", run)

    for turn in range(3):
        assert seen.part(0.24 * turn, 0.24 * turn + 0.2).max() == pytest.approx(1.04, abs=1e-3)
        assert seen.part(0.24 * turn + 0.12, 0.24 * turn + 0.3).min() == pytest.approx(0.96, abs=1e-3)
    assert seen.part(0.0, 0.72).max() <= 1.04 + EXACT
    assert seen.close.max() == pytest.approx(1.06, abs=EXACT)


@runs
def test_an_order_block_is_left_fast_and_visited_again(run: tuple[int, int]) -> None:
    seen = look("ob_retest", run)

    assert seen.at(0.35) - seen.at(0.33) == pytest.approx(0.10, abs=2 * EXACT)
    assert seen.part(0.36, 0.6).min() > 1.01
    assert 0.96 < seen.part(0.6, 0.8).min() < 1.0


@pytest.mark.parametrize("regime", [*REGIMES, *EXTENSIONS])
def test_the_extremes_of_the_parameters_leave_a_market(regime: str) -> None:
    low = {"trend_magnitude": 0.01, "pullback_depth": 0.0, "stairs_steps": 1, "volatility_base": 0.001, "spike": 0.01}
    low |= {"squeeze": 0.0005, "range_width": 0.005, "noise_level": 0.05, "hunt_depth": 0.001, "hunt_recovery": 0.0}
    high = {"trend_magnitude": 0.75, "pullback_depth": 1.0, "stairs_steps": 20, "volatility_base": 0.5, "spike": 0.4}
    high |= {"squeeze": 0.5, "range_width": 0.5, "noise_level": 1.0, "hunt_depth": 0.2, "hunt_recovery": 1.0}
    for values in (low, high):
        bars = generate(Recipe(regime=regime, minutes=5_000, parameters=Parameters.of(values))).bars
        assert (bars.low > 0).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()


@pytest.mark.parametrize(
    ("regime", "name", "value"),
    [
        ("trend_up_clean", "trend_magnitude", 0.1), ("trend_up_clean", "pullback_depth", 0.5),
        ("trend_stairs", "stairs_steps", 3), ("volatile", "volatility_base", 0.03), ("vol_decay", "spike", 0.2),
        ("range_tight", "squeeze", 0.01), ("ranging", "range_width", 0.2),
        ("range_ascending", "triangle_slope", 0.0005),
        ("trend_grinding", "noise_level", 0.6), ("liquidity_hunt_lows", "hunt_depth", 0.05),
        ("liquidity_hunt_lows", "hunt_recovery", 0.2),
    ],
)  # fmt: skip
def test_every_parameter_changes_the_regime_that_reads_it(regime: str, name: str, value: float) -> None:
    usual = generate(Recipe(regime=regime, minutes=2_000))
    other = generate(Recipe(regime=regime, minutes=2_000, parameters=Parameters.of({name: value})))

    assert not np.array_equal(usual.bars.close, other.bars.close)


def _columns(regime: str, run: tuple[int, int], **parameters: float) -> tuple[Floats, ...]:
    recipe = Recipe(regime=regime, minutes=run[0], seed=run[1], parameters=Parameters.of(parameters))
    bars = generate(recipe).bars
    return (*(getattr(bars, name) / 50_000.0 for name in ("close", "open", "low", "high")), bars.volume)
