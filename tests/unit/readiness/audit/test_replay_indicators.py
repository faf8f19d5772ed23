"""The audit's whole-column indicators against the slow ones of the reference: prices of all sorts, gaps, short runs."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from evenkeel.readiness.audit.replay.indicators import INDICATORS, compute
from evenkeel.readiness.audit.replay.stages import Floats
from reference.golden import golden_columns
from reference.indicators import reference

Columns = dict[str, Floats]


def coarse(seed: int, bars: int) -> Columns:
    """Return bars of few different prices, some without volume: ties and flat windows everywhere."""
    rng, close, rows = random.Random(seed), 100.0, []
    for i in range(bars):
        opened, close = close, close + rng.choice((0, 0, 0, 0.5, -0.5, 1.0, -1.0)) * (seed % 2)
        reach = rng.choice((0, 0.5)) * (seed % 2), rng.choice((0, 0.5)) * (seed % 2)
        high, low = max(opened, close) + reach[0], min(opened, close) - reach[1]
        rows.append((opened, high, low, close, rng.choice((0, 0, 1, 5)), i // 50))
    columns = np.array(rows, dtype=np.float64).T
    return dict(zip(("open", "high", "low", "close", "volume", "session"), columns, strict=True))


MARKETS: dict[str, Columns] = {
    "golden": {name: column[:450] for name, column in golden_columns().items()},
    "coarse": coarse(1, 300), "still": coarse(2, 150), "short": coarse(5, 30), "three bars": coarse(7, 3),
    "one bar": coarse(9, 1),
}  # fmt: skip
OTHER_PARAMS: dict[str, dict[str, Any]] = {
    "ema": {"length": 1}, "trima": {"length": 22}, "zlma": {"length": 9}, "kama": {"length": 3, "fast": 3, "slow": 20},
    "alma": {"length": 9, "sigma": 4, "offset": 0.5}, "macd": {"fast": 5, "slow": 35, "signal": 5},
    "stoch": {"k": 5, "smooth_k": 1, "d": 5}, "donchian": {"lower_length": 10, "upper_length": 30},
    "adx": {"length": 5}, "psar": {"af0": 0.01, "af": 0.03, "max_af": 0.25}, "fisher": {"length": 9, "signal": 3},
    "vwap": {"anchor": "W"}, "sma": {"length": 7}, "bbands": {"length": 13, "std": 1.5}, "atr": {"length": 3},
    "cci": {"length": 5}, "aroon": {"length": 4}, "supertrend": {"length": 3, "multiplier": 1.0},
}  # fmt: skip


def inputs_of(name: str, columns: Columns) -> Columns:
    """Return what an indicator reads; `source` is the close, a session stands for the period of an anchor."""
    names = {"source": "close", "period": "session"}
    return {wanted: columns[names.get(wanted, wanted)].copy() for wanted in INDICATORS[name].inputs}


def assert_same(name: str, params: dict[str, Any], inputs: Columns) -> None:
    told = {"session" if wanted == "period" else wanted: column.tolist() for wanted, column in inputs.items()}
    if name == "vwap" and params.get("anchor") == "W":
        inputs = {**inputs, "period": (inputs["period"] - 4) // 7}
    wanted = reference(name, {**INDICATORS[name].defaults, **params}, told)
    found = compute(name, params, list(inputs.values()))
    assert set(found) == set(wanted) == set(INDICATORS[name].outputs)
    for output, values in wanted.items():
        np.testing.assert_allclose(found[output], values, rtol=1e-10, atol=1e-10, err_msg=f"{name}.{output}")


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("name", INDICATORS)
def test_every_indicator_equals_the_slow_one(name: str, market: str) -> None:
    assert_same(name, {}, inputs_of(name, MARKETS[market]))
    assert_same(name, OTHER_PARAMS.get(name, {}), inputs_of(name, MARKETS[market]))


@pytest.mark.parametrize("name", [name for name, one in INDICATORS.items() if one.inputs == ("source",)])
def test_missing_inputs_are_skipped_first_and_start_anew_later(name: str) -> None:
    inputs = inputs_of(name, MARKETS["coarse"])
    inputs["source"][:7] = np.nan
    inputs["source"][[120, 121, 170]] = np.nan

    assert_same(name, {}, inputs)


def test_there_are_43_indicators_with_the_outputs_of_the_specification() -> None:
    assert len(INDICATORS) == 43
    assert all(one.primary in one.outputs for one in INDICATORS.values())
