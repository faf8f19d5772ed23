"""Zones, levels and breaks beside the slow restatement of their definition, on hard markets and on recorded ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenkeel.features.registry import all_structures, find_indicator, find_structure
from reference import levels
from reference.markets import MARKETS, Columns, market
from reference.structures import Row, swing, trend
from reference.wiring import compute

SWINGS: list[dict[str, Any]] = [
    {"left": 1, "right": 1},
    {"left": 4, "right": 2, "min_atr_move": 1.0},
    {"left": 2, "right": 6, "strict_alternation": True},
    {"mode": "atr_zigzag", "atr_multiplier": 1.5},
]

CASES: list[tuple[str, dict[str, Any]]] = [
    ("zone", {"zone_type": "demand", "width_atr": 0.5}),
    ("zone", {"zone_type": "supply", "width_atr": 2.0}),
    ("fibonacci", {"levels": [0.5, 0.618, 1.0]}),
    ("fibonacci", {"levels": [0.382], "directional": True}),
    ("fibonacci", {"levels": [-0.27, 1.618], "mode": "extension"}),
    ("fibonacci", {"levels": [0.5], "use_trend_anchor": True, "directional": True}),
    ("fibonacci", {"levels": [0.5], "use_trend_anchor": True, "mode": "extension"}),
    ("fibonacci", {"levels": [0.5], "use_paired_anchor": False, "directional": True}),
    ("fibonacci", {"levels": [0.5], "use_paired_anchor": False, "mode": "extension_up"}),
    ("fibonacci", {"levels": [0.5], "mode": "extension_down"}),
    ("derived_zone", {"levels": [0.5, 0.618], "max_active": 4}),
    ("derived_zone", {"levels": [0.25, 0.5, 0.75], "max_active": 2, "width_pct": 1.0, "break_tolerance_pct": 0.0}),
    ("derived_zone", {"levels": [1.272], "max_active": 9, "mode": "extension", "width_pct": 0.05}),
    ("derived_zone", {"levels": [0.5], "max_active": 3, "use_paired_source": False, "width_pct": 0.3}),
    ("rolling_window", {"mode": "min", "size": 1}),
    ("rolling_window", {"mode": "max", "size": 20, "source": "high", "exclude_current": True}),
    ("rolling_window", {"mode": "min", "size": 77, "source": "low"}),
    ("rolling_window", {"mode": "max", "size": 7, "source": "volume"}),
    ("market_structure", {}),
    ("market_structure", {"confirmation_close": False}),
    ("market_structure", {"rearm_after_choch": False}),
    ("market_structure", {"rearm_after_choch": False, "confirmation_close": False}),
]

RECORDED = ("cme/ESZ2013/1m.parquet", "binance_usdm/BTCUSDT/5m.parquet", "us_equity/SPY/1d.parquet")
BARS = 400
RECORDED_BARS = 1000


Series = tuple[Columns, list[list[Row]], list[list[Row]]]
"""Columns, and what each of `SWINGS` and a trend over it are on them."""


def prepared(columns: Columns) -> Series:
    atr = compute(find_indicator("atr"), columns, {"length": 5})["value"]
    atr[200:260] = np.nan
    atr[300:310] = 0.0
    lists = [columns[name].tolist() for name in ("high", "low")]
    swings = [swing(find_structure("swing").resolve(params), *lists, atr.tolist()) for params in SWINGS]
    return {**columns, "atr": atr}, swings, [trend(rows) for rows in swings]


@cache
def hard(kind: str) -> Series:
    return prepared(market(kind, seed=5, bars=BARS))


@cache
def recorded(file: Path) -> Series:
    frame = pl.read_parquet(file).head(RECORDED_BARS)
    names = ("open", "high", "low", "close", "volume")
    return prepared({name: frame[name].cast(pl.Float64).to_numpy().copy() for name in names})


def expected_of(name: str, params: dict[str, Any], columns: Columns, swings: list[Row], trends: list[Row]) -> list[Row]:
    """Return what the references say."""
    bars = {key: columns[key].tolist() for key in ("open", "high", "low", "close", "volume", "atr")}
    values = find_structure(name).resolve(params)
    match name:
        case "zone":
            return levels.zone(values, bars, bars["atr"], swings)
        case "fibonacci":
            return levels.fibonacci(values, swings, trends)
        case "derived_zone":
            return levels.derived_zone(values, bars, swings)
        case "rolling_window":
            return levels.rolling_window(values, bars)
        case _:
            return levels.market_structure(values, bars, swings)


def assert_equal_to_reference(name: str, params: dict[str, Any], series: Series) -> None:
    columns, *rows = series
    for below, swings, trends in zip(SWINGS, *rows, strict=True):
        outputs = compute(find_structure(name), columns, {**{f"swing.{key}": v for key, v in below.items()}, **params})

        expected = expected_of(name, params, columns, swings, trends)
        assert set(outputs) == set(expected[0])
        for output, values in outputs.items():
            np.testing.assert_allclose(values, [row[output] for row in expected], rtol=1e-12, err_msg=output)


def test_every_structure_is_held_against_a_reference() -> None:
    assert {name for name, _ in CASES} | {"swing", "trend"} == set(all_structures())


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize(("name", "params"), CASES)
def test_structures_equal_their_reference_on_hard_markets(name: str, params: dict[str, Any], kind: str) -> None:
    assert_equal_to_reference(name, params, hard(kind))


@pytest.mark.parametrize("file", RECORDED)
@pytest.mark.parametrize(("name", "params"), CASES)
def test_structures_equal_their_reference_on_recorded_markets(
    name: str, params: dict[str, Any], file: str, shared_data: Path
) -> None:
    assert_equal_to_reference(name, params, recorded(shared_data / file))
