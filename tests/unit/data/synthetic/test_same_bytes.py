"""Generated markets are the same bytes everywhere: told again slowly, pinned, and drawn from independent numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evenkeel.data.synthetic import EXTENSIONS, REGIMES, Readings, Recipe, generate
from evenkeel.data.synthetic.stream import Draws, bells, key_of, words
from reference import synthetic as slow

COLUMNS = ("open_ns", "open", "high", "low", "close", "volume")
ALL = (*COLUMNS, "close_ns")

SLOW = ("trend_up_clean", "reversal_v_top", "mtf_pullback_bull", "volatile", "range_wide", "trending_with_gaps")
"""Between them: long legs, mirrors, waves, shocks, walls with drawn turns, and gaps."""

# Regression pins: the digests of two days of each regime. They say that no platform and no edit changed a bit; that the
# bits are the right ones is what the slow restatement above and the tests of the shapes are for.
PINNED = {
    "trend_up_clean": "a25ffaa7eeea",
    "trend_down_clean": "df3f1d017ee6",
    "trend_grinding": "ab91bca65a2c",
    "trend_parabolic": "ac5eb5f16bf9",
    "trend_exhaustion": "4c2ab88d6d9e",
    "trend_stairs": "0d171090b28c",
    "range_tight": "ff3fac7fe748",
    "range_wide": "79528843bf6a",
    "range_ascending": "7918fd750360",
    "range_descending": "69b4bad6a3f0",
    "reversal_v_bottom": "ecc2597cf8cf",
    "reversal_v_top": "cc79c71d6a3d",
    "reversal_double_bottom": "d314b561dac1",
    "reversal_double_top": "e2ee218fbc47",
    "breakout_clean": "26bfe15024f0",
    "breakout_false": "35301f04dc5e",
    "breakout_retest": "5275f4fce863",
    "vol_squeeze_expand": "6a16032c2ff4",
    "vol_spike_recover": "542bb3d8b62c",
    "vol_spike_continue": "4cb03023768c",
    "vol_decay": "d97ade4101c6",
    "liquidity_hunt_lows": "c02913087a9a",
    "liquidity_hunt_highs": "8fd75b0bd043",
    "choppy_whipsaw": "96e52ff5e51d",
    "accumulation": "72feab767da1",
    "distribution": "ffbc5be04c99",
    "mtf_aligned_bull": "330a1fae806e",
    "mtf_aligned_bear": "90779b2bdd2e",
    "mtf_pullback_bull": "d66b8c8611ed",
    "mtf_pullback_bear": "e893db4071a2",
    "trending": "f773cb29af56",
    "ranging": "0f8d00c8d5eb",
    "volatile": "9f7788dc0d43",
    "multi_tf_aligned": "e3c635476bdb",
    "displacement_impulse": "e8010c273246",
    "trending_with_gaps": "9ad1e69cf61a",
    "equal_highs_lows": "b5cacd4885d5",
    "ob_retest": "80b5fbc939c3",
    "absent": "2c881db9422a",
}


@pytest.mark.parametrize("regime", SLOW)
@pytest.mark.parametrize(("minutes", "seed"), [(100, 1), (960, 7), (1_501, 42)])
def test_a_market_equals_the_same_market_in_plain_python(regime: str, minutes: int, seed: int) -> None:
    market = generate(Recipe(regime=regime, minutes=minutes, seed=seed))
    told = slow.market(regime, minutes, seed)

    for name in COLUMNS:
        column = np.array(told[name], dtype=getattr(market.bars, name).dtype)
        assert getattr(market.bars, name).tobytes() == column.tobytes(), name
    assert market.funding.values.tolist() == slow.funding(regime, seed, told["close"])
    assert market.open_interest.values.tolist() == slow.open_interest(regime, seed, told["close"])


def test_a_leg_of_weeks_is_tied_where_the_slow_one_is() -> None:
    # The longest leg has 33,600 minutes: two pieces of 16,000 are not enough.
    market = generate(Recipe(regime="trend_up_clean", minutes=48_000, seed=5))

    assert market.bars.close.tolist() == slow.market("trend_up_clean", 48_000, 5)["close"]


@pytest.mark.parametrize("regime", [*REGIMES, *EXTENSIONS])
def test_the_digest_of_a_regime_is_the_pinned_one(regime: str) -> None:
    assert generate(Recipe(regime=regime, minutes=2_880)).digest == PINNED[regime]


def test_the_digest_of_a_market_with_absent_bars_is_the_pinned_one() -> None:
    assert generate(Recipe(regime="ranging", minutes=2_880, halts=2, missing=0.01)).digest == PINNED["absent"]


def test_the_digest_depends_on_every_column_and_on_nothing_else() -> None:
    market = generate(Recipe(regime="ranging", minutes=1_000))
    others = [replace(market, bars=replace(market.bars, **{name: getattr(market.bars, name) + 1})) for name in ALL]
    for name in ("funding", "open_interest"):
        times, values = getattr(market, name)
        others += [replace(market, **{name: Readings(times + 1, values)})]
        others += [replace(market, **{name: Readings(times, values + 1)})]

    assert len({market.digest, *(other.digest for other in others)}) == 12
    assert replace(market, recipe=Recipe(regime="ranging", minutes=1_001)).digest == market.digest


def test_numbers_begin_alike_whatever_their_count_and_where_they_are_cut() -> None:
    key = key_of("ranging", 42)

    assert np.array_equal(bells(key, 3, 40_000)[:100], bells(key, 3, 100))
    assert np.array_equal(words(key, 2, 50, first=30), words(key, 2, 80)[30:])
    assert bells(key, 0, 70_000)[65_000] == slow.Source("ranging", 42).bell(0, 65_000)


def test_bells_are_bells_and_columns_seeds_and_regimes_do_not_share_them() -> None:
    drawn = [
        bells(key_of(regime, seed), column, 60_000)
        for regime, seed, column in [("ranging", 1, 0), ("ranging", 1, 1), ("ranging", 2, 0), ("volatile", 1, 0)]
    ]

    for one in drawn:
        assert one.mean() == pytest.approx(0.0, abs=0.02)
        assert one.std() == pytest.approx(1.0, abs=0.02)
        assert np.percentile(one, [2.275, 97.725]) == pytest.approx([-2.0, 2.0], abs=0.05)
    correlation = np.corrcoef(drawn)
    assert np.abs(correlation - np.eye(4)).max() < 0.02


def test_the_draws_of_a_shape_are_even_and_bell_shaped() -> None:
    draws = Draws(key_of("ranging", 42), 64)
    even = [draws.uniform() for _ in range(2_000)]
    bell = [draws.normal() for _ in range(2_000)]

    assert 0.0 <= min(even) < 0.01 < 0.99 < max(even) < 1.0
    assert np.mean(even) == pytest.approx(0.5, abs=0.03)
    assert (np.mean(bell), np.std(bell)) == (pytest.approx(0.0, abs=0.08), pytest.approx(1.0, abs=0.08))
