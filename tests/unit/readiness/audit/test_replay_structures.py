"""The audit's structures against the slow ones of the reference: each output of each detector, on random markets."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from evenkeel.readiness.audit.replay import breaks, swings, zones
from evenkeel.readiness.audit.replay.stages import Floats
from evenkeel.readiness.audit.replay.structures import KINDS, build
from evenkeel.readiness.audit.replay.swings import Lazy
from reference import levels, structures
from reference.golden import golden_columns
from reference.stages import average, true_ranges

Columns = Mapping[str, Floats]
NAMES = ("open", "high", "low", "close", "volume")


def market(seed: int) -> Columns:
    """Return a random market of few different prices; seed 0 is the golden series."""
    if seed == 0:
        return {name: column[:600] for name, column in golden_columns().items()}
    rng, close, rows = random.Random(seed), 100.0, []
    for _ in range(rng.choice((5, 60, 300))):
        opened = close + rng.choice((0, 0, 0.5, -0.5))
        close = opened + rng.choice((0, 1, -1, 2, -2, 0.5))
        high, low = max(opened, close) + rng.choice((0, 0.5, 1)), min(opened, close) - rng.choice((0, 0.5, 1))
        rows.append((opened, high, low, close, rng.randint(0, 5)))
    return dict(zip(NAMES, np.array(rows, dtype=np.float64).T, strict=True))


def atr_of(bars: Columns) -> Floats:
    return np.array(average(true_ranges(*(bars[name].tolist() for name in ("high", "low", "close"))), 14, 1 / 14))


def swing_params(rng: random.Random) -> dict[str, Any]:
    return {
        "mode": rng.choice(("fractal", "atr_zigzag")), "left": rng.randint(1, 4), "right": rng.randint(1, 4),
        "atr_multiplier": rng.choice((1.0, 2.0)), "major_threshold": 1.5, "min_atr_move": rng.choice((None, 0.5, 1.0)),
        "min_pct_move": rng.choice((None, 1.0)), "strict_alternation": rng.choice((True, False)),
    }  # fmt: skip


def assert_same(rows: Sequence[Mapping[str, float]], columns: Lazy) -> None:
    assert set(columns) == set(rows[0])
    for name, column in columns.items():
        wanted = np.array([row[name] for row in rows], dtype=np.float64)
        np.testing.assert_allclose(column(), wanted, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("seed", range(40))
def test_every_detector_equals_the_slow_one(seed: int) -> None:
    bars, rng = market(seed % 8), random.Random(f"swing {seed}")
    high, low, atr = bars["high"].tolist(), bars["low"].tolist(), atr_of(bars)
    params = swing_params(rng)
    slow, fast = structures.swing(params, high, low, atr.tolist()), swings.swing(params, bars["high"], bars["low"], atr)

    assert_same(slow, fast.outputs())
    slow_trend, trend = structures.trend(slow), swings.Trend(fast)
    assert_same(slow_trend, trend.outputs())
    for kind in ("demand", "supply"):
        of_zone = {"zone_type": kind, "width_atr": rng.choice((0.5, 1.0))}
        assert_same(levels.zone(of_zone, bars, atr, slow), zones.zone(of_zone, bars["close"], atr, fast))
    for anchors in ({"use_trend_anchor": True, "use_paired_anchor": False, "mode": "extension"},
                    {"use_trend_anchor": False, "use_paired_anchor": True, "mode": "retracement"},
                    {"use_trend_anchor": False, "use_paired_anchor": False, "mode": "extension_up"}):  # fmt: skip
        of_fib = {**anchors, "levels": [0.0, 0.618, 1.0], "directional": rng.choice((True, False))}
        assert_same(levels.fibonacci(of_fib, slow, slow_trend), zones.fibonacci(of_fib, len(high), fast, trend))
    of_breaks = {"confirmation_close": rng.choice((True, False)), "rearm_after_choch": rng.choice((True, False))}
    wanted = levels.market_structure(of_breaks, bars, slow)
    assert_same(wanted, breaks.MarketStructure(of_breaks, bars, fast).outputs())


@pytest.mark.parametrize("seed", range(30))
def test_derived_zones_equal_the_slow_ones(seed: int) -> None:
    bars, rng = market(seed % 8), random.Random(f"zones {seed}")
    params = swing_params(rng)
    slow = structures.swing(params, bars["high"].tolist(), bars["low"].tolist(), atr_of(bars).tolist())
    fast = swings.swing(params, bars["high"], bars["low"], atr_of(bars))
    paired = rng.choice((True, False))
    of_zones = {
        "mode": rng.choice(("retracement", "extension")) if paired else "retracement", "levels": [0.5, 0.618],
        "max_active": rng.choice((1, 3, 4)), "width_pct": rng.choice((0.4, 2.0)), "use_paired_source": paired,
        "break_tolerance_pct": 0.1,
    }  # fmt: skip

    assert_same(levels.derived_zone(of_zones, bars, slow), zones.DerivedZones(of_zones, bars, fast).outputs())


@pytest.mark.parametrize("seed", range(8))
def test_rolling_windows_equal_the_slow_ones(seed: int) -> None:
    bars, rng = market(seed), random.Random(f"windows {seed}")
    params = {
        "mode": rng.choice(("min", "max")), "size": rng.randint(1, 20), "source": rng.choice(NAMES),
        "exclude_current": rng.choice((True, False)),
    }  # fmt: skip

    assert_same(levels.rolling_window(params, bars), breaks.rolling_window(params, bars))


def test_every_output_has_a_kind() -> None:
    bars, atr = market(0), atr_of(market(0))
    own = build("swing", {"left": 3, "right": 3}, bars, atr, {})
    trend = build("trend", {}, bars, None, {"swing": own})
    params: dict[str, dict[str, Any]] = {
        "zone": {"zone_type": "demand", "width_atr": 1.0}, "fibonacci": {"levels": [0.5]}, "market_structure": {},
        "derived_zone": {"levels": [0.5], "max_active": 2},
        "rolling_window": {"mode": "max", "size": 5}, "swing": {"left": 1, "right": 1}, "trend": {},
    }  # fmt: skip
    for kind in KINDS:
        built = build(kind, params[kind], bars, atr, {"swing": own, "trend": trend})
        for field, column in built.columns.items():
            values = column()
            if built.output(field).kind != "float":
                assert (values == np.round(values)).all(), f"{kind}.{field} has no whole numbers"
