"""Worlds: markets and how plays look at them, for random conditions over several timeframes, grids and sessions.

text = play_text("minutes", condition, setups={})
series_of("minutes")
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import yaml

import desk
from evenkeel.data.calendar import day_number, load_calendar
from evenkeel.features.timeline import Series
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import MINUTE, Timeframe
from random_conditions import Desk
from reference import language

ROLES = ("low_tf", "med_tf", "high_tf")
BAR_COLUMNS = ("open", "high", "low", "close", "volume")
FORMING = {"bar_open": "open", "bar_high": "high", "bar_low": "low"}
STRUCTURE_OUTPUTS = ("high_level", "low_level", "version", "high_accepted")


@dataclass(frozen=True)
class World:
    """A market and how a play looks at it.

    Attributes:
        intervals: low_tf, med_tf and high_tf.
        execution: Which of them decides.
        evaluate: `bar_close` or `intrabar`.
        calendar: Of the market.
        days: Trading days for a market with sessions, days for one without.
        anchors: Intervals that windows may name.
        whole: Whether it begins with a whole bar of each.
    """

    intervals: tuple[str, str, str]
    execution: str
    evaluate: str = "bar_close"
    calendar: str = "24/7"
    days: tuple[str, ...] = ("2024-01-01",)
    anchors: tuple[str, ...] = ()
    whole: bool = True

    @property
    def exec(self) -> Timeframe:
        return Timeframe.parse(self.intervals[ROLES.index(self.execution)])

    @property
    def instrument(self) -> Instrument:
        return desk.instrument(calendar=self.calendar, absence_is_fault=self.calendar == "24/7")


WORLDS = {
    "minutes": World(("1m", "3m", "15m"), "med_tf", anchors=("1m", "3m", "15m")),
    "quarters": World(("3m", "5m", "15m"), "high_tf", anchors=("3m", "5m", "15m")),
    "odd": World(("3m", "5m", "30m"), "med_tf", anchors=("3m", "5m", "30m"), whole=False),
    "slow": World(
        ("15m", "4h", "D"), "med_tf", days=("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"),
        anchors=("15m", "4h", "D"),
    ),
    "intrabar": World(("1m", "5m", "15m"), "med_tf", evaluate="intrabar", anchors=("1m", "5m", "15m"), whole=False),
    "intrabar slow": World(("3m", "15m", "1h"), "med_tf", evaluate="intrabar", anchors=("3m", "15m", "1h")),
    "sessions": World(
        ("5m", "30m", "D"), "med_tf", calendar="NYSE", anchors=("5m", "30m", "D"),
        days=("2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05"),
    ),
    "sessions minutes": World(
        ("1m", "5m", "1h"), "med_tf", calendar="NYSE", anchors=("1m", "5m", "1h"), days=("2024-07-02", "2024-07-03"),
        whole=False,
    ),
    "sessions intrabar": World(
        ("3m", "15m", "1h"), "med_tf", evaluate="intrabar", calendar="NYSE", anchors=("3m", "15m", "1h"),
        days=("2024-07-03", "2024-07-05"),
    ),
}  # fmt: skip


@cache
def minutes_of(name: str) -> Bars:
    """Return the minutes of a world: all of them without an end of trading, some of them missing in sessions."""
    world = WORLDS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    calendar = load_calendar(world.calendar)
    opens, closes = calendar.session_bounds(np.array([day_number(day) for day in world.days], dtype=np.int64))
    starts = np.concatenate([np.arange(a, b, MINUTE) for a, b in zip(opens, closes, strict=True)])
    if world.calendar == "24/7" and len(world.days) == 1:
        starts = starts[0 if world.whole else 7 : 700]
    if world.calendar != "24/7":
        kept = rng.random(len(starts)) > 0.25
        kept[0] = world.whole
        starts = starts[kept]
    close = 100 + np.cumsum(rng.integers(-4, 5, len(starts))) / 20
    opened = np.concatenate([[100.0], close[:-1]])
    reach = rng.integers(0, 3, (2, len(starts))) / 20
    prices = [opened, np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1], close]
    rounded = [np.round(column, 2) for column in prices]
    volume = rng.integers(0, 9, len(starts)).astype(np.float64)
    return Bars(Timeframe.parse("1m"), starts, starts + MINUTE, *rounded, volume)


@cache
def series_of(name: str) -> Series:
    """Return the stretch of a world, with a mark price and rates known at instants of their own."""
    bars = minutes_of(name)
    rng = np.random.default_rng(5)
    marked = np.flatnonzero(rng.random(len(bars)) > 0.1)
    told = bars.open_ns[11::37] + 20_000_000_000
    side = {
        "mark_price": (bars.close_ns[marked], bars.close[marked] + rng.integers(-2, 3, len(marked)) / 20),
        "funding_rate": (told, rng.integers(-2, 3, len(told)) / 1e4),
    }
    return Series(bars, load_calendar(WORLDS[name].calendar), side)


def features_of(world: World) -> dict[str, tuple[str, str, dict[str, Any]]]:
    found: dict[str, tuple[str, str, dict[str, Any]]] = {}
    for role, tf in zip("lmh", world.intervals, strict=True):
        found[f"ema_{role}3"] = ("ema", tf, {"length": 3})
        found[f"st_{role}2"] = ("supertrend", tf, {"length": 2, "multiplier": 0.7})
    return found | {"rsi_l2": ("rsi", world.intervals[0], {"length": 2})}


@cache
def desk_of(name: str, setups: tuple[str, ...] = ()) -> Desk:
    world = WORLDS[name]
    prices = [f"ema_{role}3.value" for role in "lmh"] + [f"st_{role}2.{o}" for role in "lmh" for o in ("trend", "long")]
    prices += [f"sw_{role}.{o}" for role in "lmh" for o in ("high_level", "low_level")]
    step = world.exec.minutes
    return Desk(
        prices=(*prices, "open", "high", "low", "close", *["last_price", "mark_price"] * 2, *FORMING),
        whole=tuple(f"{kind}" for role in "lmh" for kind in (f"st_{role}2.direction", f"sw_{role}.version")),
        truths=tuple(f"sw_{role}.high_accepted" for role in "lmh"),
        percents=("rsi_l2.value",), rates=("funding_rate", "open_interest"),
        anchors=tuple(Timeframe.parse(tf).minutes for tf in world.anchors),
        durations=tuple(n * step for n in (1, 2, 4) if n * step <= 300), setups=setups,
    )  # fmt: skip


def play_text(name: str, condition: Any, setups: dict[str, Any]) -> str:
    world = WORLDS[name]
    names = {Timeframe.parse(tf).minutes: tf for tf in world.intervals}
    document = {
        "version": "3.0.0", "name": "condition", "symbol": "X",
        "timeframes": {
            **dict(zip(ROLES, world.intervals, strict=True)), "exec": world.execution, "evaluate": world.evaluate,
        },
        "account": {"max_drawdown_pct": 100},
        "features": {
            feature: {"indicator": kind, "tf": tf, "params": params}
            for feature, (kind, tf, params) in features_of(world).items()
        },
        "structures": {
            role: [{"type": "swing", "key": f"sw_{letter}", "params": {"left": 2, "right": 2}}]
            for role, letter in zip(ROLES, "lmh", strict=True)
        },
        "setups": {key: {"all": [language.yaml_of(value, names)]} for key, value in setups.items()},
        "actions": {"entry_long": {"all": [language.yaml_of(condition, names)]}},
        "risk": {"stop_loss_pct": 1, "take_profit_pct": 1},
    }  # fmt: skip
    return yaml.safe_dump({key: value for key, value in document.items() if value != {}})
