"""A desk for tests of plays: a small registry, a few instruments, a whole play to change in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import Fees, Instrument, InstrumentKind
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors, Problem


@dataclass(frozen=True)
class Par:
    name: str
    type: type
    default: Any = None
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Out:
    name: str
    type: str = "FLOAT"
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def _content(_: Mapping[str, Any]) -> str | None:
    return None


def _fast_below_slow(params: Mapping[str, Any]) -> str | None:
    return None if params["fast"] < params["slow"] else "fast must be below slow"


def _fractal_needs_sides(params: Mapping[str, Any]) -> str | None:
    sides = params["left"] and params["right"]
    return None if sides or params["mode"] != "fractal" else "a fractal swing needs left and right"


@dataclass(frozen=True)
class Made:
    name: str
    params: tuple[Par, ...] = ()
    outputs: tuple[Out, ...] = (Out("value"),)
    primary: str = "value"
    inputs: tuple[str, ...] = ("source",)
    uses: tuple[str, ...] = ()
    check: Callable[[Mapping[str, Any]], str | None] = _content

    @property
    def single_series(self) -> bool:
        return self.inputs == ("source",)

    def outputs_of(self, params: Mapping[str, Any]) -> tuple[Out, ...]:
        return self.outputs


def floats(*names: str) -> tuple[Out, ...]:
    return tuple(Out(name) for name in names)


BARS = ("high", "low", "close")
LENGTH = Par("length", int, 20, low=1, high=5000)
WIDTH = Par("multiplier", float, 3.0, low=0.0, above=True)
WAVE = ("none", "bullish", "bearish")

INDICATORS = [
    Made("ema", (LENGTH,)),
    Made("sma", (LENGTH,)),
    Made("rsi", (LENGTH,), (Out("value", low=0, high=100),)),
    Made("roc", (LENGTH,)),
    Made("atr", (LENGTH,), inputs=BARS),
    Made("obv", inputs=("close", "volume")),
    Made("vwap", (Par("anchor", str, "D", choices=("D", "W", "none")),), inputs=(*BARS, "volume")),
    Made(
        "macd",
        (Par("fast", int, 12, low=1), Par("slow", int, 26, low=1), Par("signal", int, 9, low=1)),
        floats("macd", "signal", "histogram"),
        "macd",
        check=_fast_below_slow,
    ),
    Made(
        "bbands",
        (Par("length", int, 20, low=2), Par("std", float, 2.0, low=0.0, above=True)),
        floats("lower", "middle", "upper", "bandwidth", "percent_b"),
        "middle",
    ),
    Made("adx", (Par("length", int, 14, low=2),), floats("adx", "dmp", "dmn", "adxr"), "adx", BARS),
    Made(
        "stoch",
        (Par("k", int, 14), Par("smooth_k", int, 3), Par("d", int, 3)),
        (Out("k", low=0, high=100), Out("d", low=0, high=100)),
        "k",
        BARS,
    ),
    Made(
        "donchian",
        (Par("lower_length", int, 20, low=1), Par("upper_length", int, 20, low=1)),
        floats("lower", "middle", "upper"),
        "middle",
        BARS,
    ),
    Made(
        "supertrend",
        (LENGTH, WIDTH),
        (Out("trend"), Out("direction", "INT", low=-1, high=1), Out("long"), Out("short")),
        "trend",
        BARS,
    ),
]

STRUCTURES = [
    Made(
        "swing",
        (
            Par("mode", str, "fractal", choices=("fractal", "atr_zigzag")),
            Par("left", int, low=1, optional=True),
            Par("right", int, low=1, optional=True),
            Par("min_atr_move", float, low=0.0, optional=True),
        ),
        (
            Out("high_level"), Out("low_level"), Out("high_idx", "INT"), Out("high_accepted", "BOOL"),
            Out("low_accepted", "BOOL"), Out("last_confirmed_pivot_type", "ENUM", ("none", "high", "low")),
            Out("pair_direction", "ENUM", WAVE),
        ),
        "high_level",
        ("high", "low", "atr?"),
        check=_fractal_needs_sides,
    ),
    Made(
        "trend",
        (Par("wave_history_size", int, 4, low=3),),
        (
            Out("direction", "INT", low=-1, high=1), Out("strength", "INT", low=0, high=2),
            Out("last_wave_direction", "ENUM", WAVE), Out("last_hh", "BOOL"),
        ),
        "direction",
        ("swing.high_level",),
        ("swing",),
    ),
]  # fmt: skip


class SmallRegistry:
    """Some indicators and structures, and a few names that stand for none."""

    def indicators(self) -> Mapping[str, Any]:
        return {node.name: node for node in INDICATORS}

    def structures(self) -> Mapping[str, Any]:
        return {node.name: node for node in STRUCTURES}

    def specified_indicators(self) -> tuple[str, ...]:
        return (*self.indicators(), "psar", "squeeze")

    def specified_structures(self) -> tuple[str, ...]:
        return (*self.structures(), "zone", "fibonacci", "derived_zone", "rolling_window", "market_structure")


def _instrument(name: str, kind: InstrumentKind, quote: str, *, shortable: bool, fees: Fees) -> Instrument:
    step = Decimal("0.01")
    return Instrument(
        id=InstrumentId(name), kind=kind, base="X", quote=quote, tick_size=step, lot_size=step, min_quantity=step,
        calendar="24/7", fees=fees, shortable=shortable,
    )  # fmt: skip


_PERP_FEES = Fees(maker_bps=Decimal(2), taker_bps=Decimal("5.5"))
INSTRUMENTS = {
    **{
        name: _instrument(f"{name}.BYBIT", InstrumentKind.PERPETUAL, "USDT", shortable=True, fees=_PERP_FEES)
        for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    },
    "COIN-USDT.X": _instrument("COIN-USDT.X", InstrumentKind.SPOT, "USDT", shortable=False, fees=Fees()),
    "SPY.US": _instrument(
        "SPY.US", InstrumentKind.EQUITY, "USD", shortable=True, fees=Fees(per_contract=Decimal("0.005"))
    ),
}
INSTRUMENTS |= {one.id: one for one in list(INSTRUMENTS.values())}


def find_instrument(name: str) -> Instrument:
    if name not in INSTRUMENTS:
        raise UsageError(f"there is no instrument '{name}'; did you mean 'BTCUSDT.BYBIT'?")
    return INSTRUMENTS[name]


DOCUMENT: dict[str, Any] = {
    "version": "3.0.0",
    "name": "sample",
    "symbol": "BTCUSDT",
    "timeframes": {"low_tf": "15m", "med_tf": "1h", "high_tf": "D", "exec": "low_tf"},
    "account": {"starting_equity": 10000},
    "features": {
        "ema_20": {"indicator": "ema", "params": {"length": 20}},
        "rsi_14": {"indicator": "rsi", "params": {"length": 14}},
        "atr_14": {"indicator": "atr", "params": {"length": 14}},
        "st_10": {"indicator": "supertrend", "params": {"length": 10}},
        "bb_20": {"indicator": "bbands"},
        "dc_20": {"indicator": "donchian"},
        "ema_50_1h": {"indicator": "ema", "tf": "med_tf", "params": {"length": 50}},
    },
    "structures": {
        "exec": [
            {"type": "swing", "key": "sw", "params": {"left": 3, "right": 3}},
            {"type": "trend", "key": "tr", "uses": "sw"},
        ]
    },
    "actions": {"entry_long": ["close", ">", "ema_20"], "exit_long": ["close", "<", "ema_20"]},
    "position_policy": {"mode": "long_only", "exit_mode": "first_hit"},
    "risk": {"stop_loss_pct": 2.0, "take_profit_pct": 4.0},
}
"""A play that loads, as plain values."""


def document(**changes: Any) -> dict[str, Any]:
    """Return the sample with sections replaced; None removes one."""
    changed = {**copy.deepcopy(DOCUMENT), **changes}
    return {key: value for key, value in changed.items() if value is not None}


def text_of(values: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(values), sort_keys=False))


def load(values: Mapping[str, Any] | str, **sets: str) -> Play:
    text = values if isinstance(values, str) else text_of(values)
    return load_play(text, instruments=find_instrument, registry=SmallRegistry(), sets=sets)


def problems(values: Mapping[str, Any] | str, **sets: str) -> list[Problem]:
    """Return what is wrong with a play, warnings left out; none if it loads."""
    try:
        load(values, **sets)
    except PlayErrors as error:
        return [problem for problem in error.problems if problem.kind != "warning"]
    return []


def told(values: Mapping[str, Any] | str, **sets: str) -> list[str]:
    """Return path, message and remedy of everything that is wrong."""
    return [f"{one.path}: {one.message}; {one.remedy}".removesuffix("; ") for one in problems(values, **sets)]


def warned(values: Mapping[str, Any] | str, **sets: str) -> list[str]:
    return [f"{one.path}: {one.message}" for one in load(values, **sets).warnings]


def entry(condition: Any, **changes: Any) -> dict[str, Any]:
    """Return the sample with another condition for its entry."""
    return document(actions={"entry_long": condition, "exit_long": ["close", "<", "ema_20"]}, **changes)
