"""Random conditions over several timeframes, grids and markets: the audit reads what the language says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenkeel.model.time import Timeframe
from evenkeel.readiness.audit.bars import columns_of
from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.replay.market import Market, sheet_of
from evenkeel.readiness.audit.replay.play import read_play
from evenkeel.readiness.audit.replay.said import Stretch
from evenkeel.strategies.play.load import load_play
from random_conditions import tree

from . import test_grids as grids

TREES = 40
NAMES = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def market_of(name: str) -> Market:
    """Return the bars of a world as the audit is given them."""
    world, series = grids.WORLDS[name], grids.series_of(name)
    sheets = {}
    for text in {"1m", *world.intervals}:
        found = series.on(Timeframe.parse(text))
        table = pl.DataFrame({
            **{column: getattr(found.bars, column) for column in NAMES}, "first": found.first, "last": found.last,
        })  # fmt: skip
        sheets[text] = sheet_of(columns_of(table), 0, len(series.base))
    execution = "1m" if world.evaluate == "intrabar" else str(world.exec)
    return Market("1m", execution, sheets, world.calendar == "24/7", dict(series.side))


def read_again(name: str, text: str, tmp_path: Any) -> list[bool]:
    """Return at each decision whether the audit finds the entry of a play asked for."""
    resolved = load_play(text, instruments=lambda _: grids.WORLDS[name].instrument).resolved
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"strategy": {"kind": "play", "resolved": resolved}}))
    voices = [Stretch(read_play(Document(path)), market_of(name), 0).voices(leeway) for leeway in (0, 1)]
    assert (voices[0][0].may == voices[0][0].must).all()
    assert (voices[1][0].may | ~voices[0][0].may).all()
    found: list[bool] = voices[0][0].must.tolist()
    return found


@pytest.mark.parametrize("name", grids.WORLDS)
def test_random_trees_are_read_again_as_the_language_says(name: str, tmp_path: Any) -> None:
    met = 0
    for seed in range(TREES):
        rng = np.random.default_rng(900_000 + 1000 * len(name) + seed)
        setups = {"deep": tree(rng, grids.desk_of(name), 1)}
        condition = tree(rng, grids.desk_of(name, ("deep",)), 3)

        found = read_again(name, grids.play_text(name, condition, setups), tmp_path)

        right = grids.expected(name, condition, setups)
        differing = [at for at, (a, b) in enumerate(zip(found, right, strict=True)) if a is not b]
        assert differing == [], f"tree {seed} of {name}: {condition}\n{setups}"
        met += sum(right)
    assert met > 50
