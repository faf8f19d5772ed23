"""Generated bars: the same everywhere, shaped like bars, and as wild as they say."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.data.synthetic import Walk, normals, random_walk, split_mix, uniforms
from evenkeel.model.errors import UsageError
from evenkeel.model.time import MINUTE

WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mixed(counter: int) -> int:
    """SplitMix64 in plain integers."""
    z = counter * GOLDEN & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def drawn(seed: int, column: int, row: int) -> float:
    """One uniform number in plain Python."""
    return (mixed(row + 1 + seed * GOLDEN + (column << 40) & WORD) >> 11) / 2**53


def bell(seed: int, column: int, row: int) -> float:
    total = 0.0
    for summand in range(12):
        total += drawn(seed, column * 12 + summand, row)
    return total - 6.0


def test_the_generator_gives_the_published_words_of_splitmix64() -> None:
    words = split_mix(np.arange(1, 4, dtype=np.uint64))

    assert [hex(int(word)) for word in words] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_a_walk_equals_the_same_walk_in_plain_python() -> None:
    bars = random_walk(200)

    close, before = 30_000.0, 30_000.0
    product = 1.0
    for row in range(200):
        product *= 1.0 + bell(7, 0, row) * (5.0 * 1e-4)
        close = 30_000.0 * product
        opened = before * (1.0 + bell(7, 1, row) * (0.5 * 1e-4))
        high = max(opened, close) * (1.0 + abs(bell(7, 2, row)) * (2.0 * 1e-4))
        low = min(opened, close) * (1.0 - abs(bell(7, 3, row)) * (2.0 * 1e-4))
        found = (bars.open[row], bars.high[row], bars.low[row], bars.close[row])
        assert found == tuple(np.round([opened, high, low, close], 2)), row
        before = close


def test_a_shorter_walk_is_the_beginning_of_a_longer_one() -> None:
    short, long = random_walk(500), random_walk(2_000)

    for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(short, name), getattr(long, name)[:500]), name


def test_the_bars_are_bars_without_a_gap() -> None:
    bars = random_walk(5_000)

    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.volume > 0).all()
    assert (np.diff(bars.open_ns) == MINUTE).all()
    assert (bars.close_ns - bars.open_ns == MINUTE).all()
    assert np.array_equal(np.round(bars.close, 2), bars.close)


@pytest.mark.parametrize("sigma", [1.0, 5.0, 20.0])
def test_returns_are_as_wild_as_asked_for_and_do_not_remember(sigma: float) -> None:
    close = random_walk(100_000, Walk(sigma_bps=sigma, decimals=8)).close
    returns = np.diff(close) / close[:-1] * 1e4

    assert returns.std() == pytest.approx(sigma, rel=0.02)
    assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.02


def test_numbers_lie_where_they_should_and_columns_are_independent() -> None:
    flat, one, other = uniforms(3, 0, 100_000), normals(3, 0, 100_000), normals(3, 1, 100_000)

    assert (flat >= 0).all()
    assert (flat < 1).all()
    assert flat.mean() == pytest.approx(0.5, abs=0.01)
    assert one.mean() == pytest.approx(0.0, abs=0.02)
    assert one.std() == pytest.approx(1.0, abs=0.02)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


def test_another_seed_is_another_walk() -> None:
    assert not np.array_equal(random_walk(10, Walk(seed=8)).close, random_walk(10).close)


def test_a_walk_without_bars_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one bar, not 0"):
        random_walk(0)
