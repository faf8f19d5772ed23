"""The 43 indicators of plays.md 3 by name: what they read, their outputs, and what missing inputs do to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evenkeel.readiness.audit.replay import averages, channels, oscillators
from evenkeel.readiness.audit.replay.averages import Outputs
from evenkeel.readiness.audit.replay.stages import Bools, Floats

FLOAT, INT, BOOL, ENUM = "float", "int", "bool", "enum"

SOURCE = ("source",)
HLC = ("high", "low", "close")
HLCV = (*HLC, "volume")
EXACT = "exact"
"""Of an output that is one of the prices, a whole number or a flag: float64 arithmetic has no say in it."""

LINEAR = "linear"
"""Of one that is added up of its inputs: known to a part of the largest of them."""

RATIO = "ratio"
"""Of one that divides sums: known to a part of a percent."""

SKIPPING = ("vwap", "obv")
"""A bar with a missing input changes nothing; every other indicator starts again behind it."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of an indicator or structure.

    Attributes:
        kind: `float`, `int`, `bool` or `enum`.
        known: How exactly it is known: `exact`, `linear` or `ratio`.
        words: Of an enum, by number.
    """

    kind: str = FLOAT
    known: str = EXACT
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator.

    Attributes:
        inputs: The columns it reads, in order; `source` is what the feature chooses.
        defaults: Its parameters.
        primary: The output that its name alone means.
        outputs: By name.
        compute: Takes parameters and columns without missing values.
    """

    inputs: tuple[str, ...]
    defaults: Mapping[str, Any]
    primary: str
    outputs: Mapping[str, Output]
    compute: Callable[..., Outputs]


def _of(
    compute: Callable[..., Outputs],
    inputs: tuple[str, ...],
    names: str,
    known: str,
    /,
    primary: str | None = None,
    others: Mapping[str, Output] | None = None,
    **defaults: Any,
) -> Indicator:
    outputs = {name: Output(known=known) for name in names.split()} | dict(others or {})
    return Indicator(inputs, defaults, primary or names.split()[0], outputs, compute)


_FLAGS = {name: Output(BOOL) for name in ("on", "off", "no_sqz")}

INDICATORS: dict[str, Indicator] = {
    "ema": _of(averages.of_ema, SOURCE, "value", LINEAR, length=20),
    "sma": _of(averages.of_sma, SOURCE, "value", LINEAR, length=20),
    "wma": _of(averages.of_wma, SOURCE, "value", LINEAR, length=20),
    "dema": _of(averages.of_dema, SOURCE, "value", LINEAR, length=20),
    "tema": _of(averages.of_tema, SOURCE, "value", LINEAR, length=20),
    "trima": _of(averages.of_trima, SOURCE, "value", LINEAR, length=20),
    "zlma": _of(averages.of_zlma, SOURCE, "value", LINEAR, length=20),
    "kama": _of(averages.of_kama, SOURCE, "value", LINEAR, length=10, fast=2, slow=30),
    "alma": _of(averages.of_alma, SOURCE, "value", LINEAR, length=10, sigma=6.0, offset=0.85),
    "linreg": _of(averages.of_linreg, SOURCE, "value", LINEAR, length=14),
    "midprice": _of(averages.of_midprice, ("high", "low"), "value", LINEAR, length=14),
    "ohlc4": _of(averages.of_ohlc4, ("open", *HLC), "value", LINEAR),
    "vwap": _of(averages.of_vwap, (*HLCV, "period"), "value", LINEAR, anchor="D"),
    "rsi": _of(oscillators.of_rsi, SOURCE, "value", RATIO, length=14),
    "cci": _of(oscillators.of_cci, HLC, "value", RATIO, length=14),
    "willr": _of(oscillators.of_willr, HLC, "value", RATIO, length=14),
    "roc": _of(oscillators.of_roc, SOURCE, "value", RATIO, length=10),
    "mom": _of(oscillators.of_mom, SOURCE, "value", LINEAR, length=10),
    "cmo": _of(oscillators.of_cmo, SOURCE, "value", RATIO, length=14),
    "mfi": _of(oscillators.of_mfi, HLCV, "value", RATIO, length=14),
    "uo": _of(oscillators.of_uo, HLC, "value", RATIO, fast=7, medium=14, slow=28),
    "obv": _of(oscillators.of_obv, ("close", "volume"), "value", LINEAR),
    "cmf": _of(oscillators.of_cmf, HLCV, "value", RATIO, length=20),
    "atr": _of(oscillators.of_atr, HLC, "value", LINEAR, length=14),
    "natr": _of(oscillators.of_natr, HLC, "value", RATIO, length=14),
    "macd": _of(channels.of_macd, SOURCE, "macd signal histogram", LINEAR, fast=12, slow=26, signal=9),
    "ppo": _of(channels.of_ppo, SOURCE, "ppo histogram signal", RATIO, fast=12, slow=26, signal=9),
    "trix": _of(channels.of_trix, SOURCE, "trix signal", RATIO, length=18, signal=9),
    "tsi": _of(channels.of_tsi, SOURCE, "tsi signal", RATIO, fast=13, slow=25, signal=13),
    "kvo": _of(channels.of_kvo, HLCV, "kvo signal", LINEAR, fast=34, slow=55, signal=13),
    "bbands": _of(
        channels.of_bbands, SOURCE, "lower middle upper", LINEAR, primary="middle", length=20, std=2.0,
        others={"bandwidth": Output(known=RATIO), "percent_b": Output(known=RATIO)},
    ),
    "kc": _of(channels.of_kc, HLC, "lower basis upper", LINEAR, primary="basis", length=20, scalar=2.0),
    "donchian": _of(
        channels.of_donchian, ("high", "low"), "lower middle upper", EXACT, primary="middle",
        lower_length=20, upper_length=20,
    ),
    "stoch": _of(channels.of_stoch, HLC, "k d", RATIO, k=14, smooth_k=3, d=3),
    "stochrsi": _of(channels.of_stochrsi, SOURCE, "k d", RATIO, length=14, rsi_length=14, k=3, d=3),
    "adx": _of(channels.of_adx, HLC, "adx dmp dmn adxr", RATIO, length=14),
    "dm": _of(channels.of_dm, ("high", "low"), "dmp dmn", LINEAR, length=14),
    "aroon": _of(channels.of_aroon, ("high", "low"), "up down osc", RATIO, primary="osc", length=25),
    "vortex": _of(channels.of_vortex, HLC, "vip vim", RATIO, length=14),
    "supertrend": _of(
        channels.of_supertrend, HLC, "trend long short", LINEAR, length=10, multiplier=3.0,
        others={"direction": Output(INT)},
    ),
    "psar": _of(
        channels.of_psar, HLC, "long short af", LINEAR, af0=0.02, af=0.02, max_af=0.2,
        others={"reversal": Output(BOOL)},
    ),
    "squeeze": _of(
        channels.of_squeeze, HLC, "sqz", LINEAR, others=_FLAGS,
        bb_length=20, bb_std=2.0, kc_length=20, kc_scalar=1.5, mom_length=12, mom_smooth=6,
    ),
    "fisher": _of(channels.of_fisher, ("high", "low"), "fisher signal", RATIO, length=9, signal=1),
}  # fmt: skip


def compute(name: str, params: Mapping[str, Any], columns: list[Floats]) -> Outputs:
    """Return the outputs of an indicator over columns that may have missing values.

    Args:
        name: Which.
        params: Those that differ from the defaults.
        columns: Its inputs, in order.
    """
    indicator = INDICATORS[name]
    given = {**indicator.defaults, **params}
    complete = ~np.any([np.isnan(column) for column in columns], axis=0)
    if name == "vwap":
        complete &= columns[3] > 0
    with np.errstate(all="ignore"):
        if complete.all():
            return indicator.compute(given, *columns)
        return (_skipped if name in SKIPPING else _restarted)(indicator, given, columns, complete)


def _skipped(indicator: Indicator, params: Mapping[str, Any], columns: list[Floats], complete: Bools) -> Outputs:
    short = indicator.compute(params, *(column[complete] for column in columns))
    place = np.cumsum(complete) - 1
    rows = {name: np.full(len(complete), np.nan) for name in short}
    for name, values in short.items():
        if len(values):
            rows[name] = np.where(place < 0, np.nan, values[np.maximum(place, 0)])
    return rows


def _restarted(indicator: Indicator, params: Mapping[str, Any], columns: list[Floats], complete: Bools) -> Outputs:
    edges = np.flatnonzero(np.diff(complete.astype(np.int8), prepend=0, append=0))
    rows = {name: np.full(len(complete), np.nan) for name in indicator.outputs}
    for start, stop in edges.reshape(-1, 2):
        for name, values in indicator.compute(params, *(column[start:stop] for column in columns)).items():
            rows[name][start:stop] = values
    return rows
