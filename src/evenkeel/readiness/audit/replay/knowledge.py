"""What a play knew at each instant: features and structures over the bars of their timeframes, and built-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from evenkeel.readiness.audit.moment import DAY_NS
from evenkeel.readiness.audit.replay.evaluate import Values
from evenkeel.readiness.audit.replay.grid import Grid, Unsupported
from evenkeel.readiness.audit.replay.indicators import INDICATORS, LINEAR, RATIO, Output, compute
from evenkeel.readiness.audit.replay.language import (
    BAR_PRICES,
    FORMING,
    MINUTE,
    MINUTE_PRICES,
    SIDE_RATES,
    Reference,
)
from evenkeel.readiness.audit.replay.market import FIRST_MONDAY, WEEK_DAYS, Market, Sheet
from evenkeel.readiness.audit.replay.play import Play
from evenkeel.readiness.audit.replay.stages import Floats, Ints, missing
from evenkeel.readiness.audit.replay.structures import PRIMARY, Structure, build

PARTS = {LINEAR: 1e-11, RATIO: 1e-9}
"""To what part of its scale a figure is known: long recurrences lose some digits of the sixteen."""


class Features:
    """The features and structures of a play over a market, each worked out when it is first asked for."""

    def __init__(self, play: Play, market: Market) -> None:
        self._play = play
        self._market = market
        self._structures = {one["key"]: (role, one) for role, one in play.structures}
        self._outputs: dict[str, Mapping[str, Floats]] = {}
        self._built: dict[str, Structure] = {}

    def timeframe(self, name: str) -> str:
        """Return on whose bars a feature or structure lives."""
        if name in self._structures:
            role = self._structures[name][0]
            return self._play.roles.get(role, role)
        if name not in self._play.features:
            raise Unsupported(f"the play speaks of {name!r}, which it does not declare")
        timeframe = self._play.features[name].get("tf") or self._play.execution
        return self._play.roles.get(timeframe, timeframe)

    def column(self, name: str, field: str) -> tuple[Floats, Output, float]:
        """Return an output over the bars of its timeframe, what it is, and the scale of what it was made of.

        Raises:
            Unsupported: If the audit has no such indicator or structure.
        """
        if name in self._structures:
            built = self._structure(name)
            field = field or PRIMARY[built.kind]
            if field not in built.columns:
                raise Unsupported(f"{name} has no output {field!r}")
            return built.columns[field](), built.output(field), self._scale(name)
        feature = self._play.features[name]
        if feature["indicator"] not in INDICATORS:
            raise Unsupported(f"the indicator {feature['indicator']} is a plug-in; plug-ins are not read again")
        indicator = INDICATORS[feature["indicator"]]
        field = field or indicator.primary
        if name not in self._outputs:
            self._outputs[name] = compute(
                feature["indicator"], feature.get("params") or {}, self._inputs(name, feature, indicator.inputs)
            )
        return self._outputs[name][field], indicator.outputs[field], self._scale(name)

    def sheet(self, name: str) -> Sheet:
        """Return the bars of a feature or structure."""
        timeframe = self.timeframe(name)
        if timeframe not in self._market.sheets:
            raise Unsupported(f"the {timeframe} bars of {name} were not given")
        return self._market.sheets[timeframe]

    def _scale(self, name: str) -> float:
        """Return the largest figure that a feature was made of."""
        sheet = self.sheet(name)
        feature = self._play.features.get(name, {})
        source = feature.get("source") or "high"
        if source.startswith("indicator:"):
            return float(np.nanmax(np.abs(self._source(name, source)), initial=0.0))
        volumes = source == "volume" or "volume" in INDICATORS[feature["indicator"]].inputs if feature else False
        return float(sheet.columns["volume" if volumes else "high"].max(initial=1.0))

    def _inputs(self, name: str, feature: Any, wanted: tuple[str, ...]) -> list[Floats]:
        sheet = self.sheet(name)
        found = []
        for column in wanted:
            if column == "source":
                found.append(self._source(name, feature.get("source") or "close"))
            elif column == "period":
                found.append(self._period(sheet, (feature.get("params") or {}).get("anchor", "D")))
            else:
                found.append(sheet.columns[column])
        return found

    def _source(self, name: str, source: str) -> Floats:
        bars = self.sheet(name).columns
        if source.startswith("indicator:"):
            other, _, field = source.removeprefix("indicator:").partition(".")
            return self.column(other, field)[0]
        if source in bars:
            return bars[source]
        o, h, low, c = (bars[price] for price in BAR_PRICES[:4])
        return {"hl2": (h + low) / 2, "hlc3": (h + low + c) / 3, "ohlc4": (o + h + low + c) / 4}[source]

    def _period(self, sheet: Sheet, anchor: str) -> Floats:
        """Return the number of the anchor's period of each bar: the trading day or ISO week of its open."""
        if anchor == "none":
            return np.zeros(len(sheet))
        if self._market.always_open:
            days = (sheet.open_ns // DAY_NS).astype(np.float64)
        elif "session" in sheet.columns:
            days = sheet.columns["session"]
        else:
            raise Unsupported("the trading days of the bars were not given, from which a VWAP starts anew")
        return days if anchor == "D" else (days - FIRST_MONDAY) // WEEK_DAYS

    def _structure(self, name: str) -> Structure:
        if name not in self._built:
            _, one = self._structures[name]
            params = dict(one.get("params") or {})
            key = params.pop("atr_key", None)
            uses = one.get("uses") or []
            used = [self._structure(key) for key in ([uses] if isinstance(uses, str) else uses)]
            bars = self.sheet(name).columns
            atr = None if key is None else self.column(key, "")[0]
            self._built[name] = build(one["type"], params, bars, atr, {other.kind: other for other in used})
        return self._built[name]


class Knowledge:
    """Every value that a play can name, at every instant of a grid."""

    def __init__(self, play: Play, market: Market, features: Features, grid: Grid) -> None:
        self._play = play
        self._market = market
        self._features = features
        self._grid = grid
        self._known: dict[Reference, Values] = {}
        self._forming: tuple[Ints, Mapping[str, Floats]] | None = None

    def values(self, wanted: Reference) -> Values:
        """Return a value at every instant."""
        if wanted not in self._known:
            self._known[wanted] = self._values(wanted)
        return self._known[wanted]

    def _values(self, wanted: Reference) -> Values:
        name, offset = wanted.name, wanted.offset
        if name in BAR_PRICES:
            sheet = self._market.sheets[self._play.execution]
            return Values(self._held(sheet.columns[name], self._play.execution, offset))
        if name in FORMING:
            return Values(self._forming_bar(name, offset))
        if name == MINUTE_PRICES[0]:
            minute = MINUTE if MINUTE in self._market.sheets else self._market.base
            return Values(self._held(self._market.sheets[minute].columns["close"], minute, offset))
        if name in (*MINUTE_PRICES, *SIDE_RATES):
            return Values(self._beside(name, offset))
        column, output, scale = self._features.column(name, wanted.field)
        at = self._held(column, self._features.timeframe(name), offset)
        part = PARTS.get(output.known, 0.0)
        if part and output.known == RATIO:
            scale = float(np.nanmax(np.abs(column), initial=1.0))
        return Values(at, output.kind, part * scale, output.words)

    def _held(self, column: Floats, timeframe: str, offset: int) -> Floats:
        """Return the value of the last bar closed by each instant, or of one so many bars before it."""
        rows = self._grid.closed(timeframe) - offset
        if len(rows) == len(column) and len(rows) and rows[0] == 0 and rows[-1] == len(rows) - 1:
            return column
        return _taken(column, rows)

    def _beside(self, name: str, offset: int) -> Floats:
        """Return what lies beside the bars; where a market has nothing there, it is missing."""
        if self._market.sides is None:
            raise Unsupported(f"the {name} that the play reads was not given")
        if name not in self._market.sides:
            return missing(len(self._grid))
        known, values = self._market.sides[name]
        if name in SIDE_RATES:
            instants, before = self._grid.instants, self._grid.before(self._play.execution) if offset else None
            place = np.arange(len(instants))
            for _ in range(offset):
                place = np.where(place >= 0, before[np.maximum(place, 0)], -1)  # type: ignore[index]
            found = _taken(values, np.searchsorted(known, instants, side="right") - 1)
            return _taken(found, place)
        minute = MINUTE if MINUTE in self._market.sheets else self._market.base
        closes = self._market.sheets[minute].close_ns
        return self._held(_taken(values, np.searchsorted(known, closes, side="right") - 1), minute, offset)

    def _forming_bar(self, name: str, offset: int) -> Floats:
        """Return the first, highest or lowest price of the bar in progress, from the minutes closed so far."""
        intervals = self._market.intervals(self._play.execution)
        if intervals is None:
            raise Unsupported(f"the {self._play.execution} bars were not given")
        base = self._market.sheets[self._market.base]
        number = np.searchsorted(intervals.first, np.arange(len(base)), side="right") - 1
        whole = len(base) > 0 and base.open_ns[0] == intervals.open_ns[0]
        bars = pl.DataFrame({"bar": number, **{price: base.columns[price] for price in ("open", "high", "low")}})
        running = {
            "bar_open": pl.col("open").first().over("bar"),
            "bar_high": pl.col("high").cum_max().over("bar"),
            "bar_low": pl.col("low").cum_min().over("bar"),
        }[name]
        values = bars.select(running).to_series().to_numpy()
        row = np.searchsorted(base.close_ns, self._grid.instants, side="right") - 1
        bar = np.where(row >= 0, number[np.maximum(row, 0)], -1) - offset
        if offset:
            ends = np.append(intervals.first[1:], len(base)) - 1
            row = np.where(bar >= 0, ends[np.maximum(bar, 0)], -1)
        seen = bar >= (0 if whole or intervals.first[0] > 0 else 1)
        return np.where(seen, _taken(values, row), np.nan)


def _taken(column: Floats, rows: Ints) -> Floats:
    """Return the values at rows, missing before the first."""
    if not len(column):
        return missing(len(rows))
    return np.where(rows >= 0, column[np.maximum(rows, 0)], np.nan)
