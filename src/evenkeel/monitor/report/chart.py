"""The interactive chart: candles with entries, exits, stops and targets, over equity and drawdown.

At most `CANDLES_MAX` candles are drawn; a longer run is drawn on the next coarser timeframe that fits. That changes the
picture only: every figure comes from the run itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import DAY, SECOND, TIMEFRAMES, Timeframe
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.packed import counts_of, packed_columns, packed_json, scale_of
from evenkeel.monitor.report.run_files import EquityCurve, Run, Trade
from evenkeel.monitor.report.words import count, exit_words, money, timeframe_words

CANDLES_MAX = 20_000
TRADES_MAX = 20_000
_HELP = "Price, equity and drawdown. Arrow keys move, plus and minus zoom, N and P step through the trades."
_DRAWDOWN_DIGITS = 3
_EQUITY_DIGITS = 2
_EXTRA_PRICE_DIGITS = 2
_KEYS = (
    ("triangle", "entry"),
    ("gain", "exit with a gain"),
    ("loss", "exit with a loss"),
    ("stop", "stop"),
    ("target", "target"),
)
_MONDAY_SHIFT = 3 * DAY
"""The epoch began on a Thursday, three days into its week."""


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles as drawn: one per bar, or several bars in one."""

    timeframe: Timeframe
    open_ns: Ints
    close_ns: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats


def candles_of(bars: Bars, *, limit: int = CANDLES_MAX) -> Candles:
    """Return at most `limit` candles: the bars as they are, or merged on the finest coarser timeframe that fits."""
    if len(bars) <= limit:
        return Candles(bars.timeframe, bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close)
    coarser = [frame for frame in TIMEFRAMES.values() if frame > bars.timeframe and frame.name != "M"]
    for frame in coarser or [TIMEFRAMES["W"]]:
        first = _firsts(bars.open_ns, frame)
        if len(first) <= limit:
            break
    last = np.append(first[1:], len(bars)) - 1
    return Candles(
        frame, bars.open_ns[first], bars.close_ns[last], bars.open[first], np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first), bars.close[last],
    )  # fmt: skip


def _firsts(open_ns: Ints, frame: Timeframe) -> Ints:
    length = 7 * DAY if frame.name == "W" else DAY if frame.name == "D" else frame.nanoseconds
    bucket = (open_ns + _MONDAY_SHIFT) // length if frame.name == "W" else open_ns // length
    return np.flatnonzero(np.append(True, np.diff(bucket) != 0))


def chart_section(run: Run, bars: Bars | None) -> Html:
    """Return the chart's frame, its controls and its data; without bars only the account is drawn."""
    candles = candles_of(bars) if bars is not None and len(bars) else None
    if candles is None and len(run.equity.time_ns) < 2:
        return tag("section", tag("h2", "Chart"), tag("p", "There is nothing to draw.", class_="empty"), id="chart")
    return tag(
        "section",
        tag("h2", "Chart"),
        tag("p", _caption(run, bars, candles), class_="quiet"),
        _controls(bool(run.trades) and candles is not None),
        tag(
            "div",
            tag("div", class_="legend", id="chart-legend", aria_live="off"),
            tag(
                "div",
                class_="canvas",
                id="chart-canvas",
                tabindex="0",
                role="application",
                aria_label=_HELP,
            ),
            class_="chart",
        ),
        tag("noscript", tag("p", "The chart needs a script; everything else on this page does not.", class_="empty")),
        _data(run, candles),
        id="chart",
    )


def _caption(run: Run, bars: Bars | None, candles: Candles | None) -> str:
    if candles is None or bars is None:
        return "The bars of this run are not at hand, so only equity and drawdown are drawn."
    drawn = count(len(candles.open_ns), f"{timeframe_words(candles.timeframe)} candle")
    if len(candles.open_ns) != len(bars):
        merged = count(len(bars), f"{timeframe_words(bars.timeframe)} bar")
        drawn += f", merged from {merged} for the picture only"
    left_out = len(run.trades) - TRADES_MAX
    more = f" The first {TRADES_MAX:,} trades are marked." if left_out > 0 else ""
    return f"{drawn}. Times in UTC.{more}"


def _controls(trades: bool) -> Html:
    buttons = [("all", "Whole range")]
    if trades:
        buttons = [("previous", "← Previous trade"), ("next", "Next trade →"), *buttons]
    return tag(
        "div",
        tag("span", *(tag("button", text, type="button", data_chart=name) for name, text in buttons), class_="buttons"),
        tag("span", *(_key(*key) for key in _KEYS), class_="legend") if trades else None,
        class_="controls",
    )


def _key(look: str, text: str) -> Html:
    return tag("span", tag("i", class_=f"key {look}", aria_hidden="true"), text)


def _data(run: Run, candles: Candles | None) -> Html:
    columns, head = _account_columns(run, candles)
    if candles is not None:
        digits = scale_of(_prices(candles), digits_max=_tick_digits(run) + _EXTRA_PRICE_DIGITS)
        whole = counts_of(candles.close, digits)
        columns += [counts_of(part, digits) - whole for part in (candles.open, candles.high, candles.low)]
        columns.append(whole)
        head["price_digits"], head["tick_digits"] = digits, _tick_digits(run)
        head["trades"] = [_trade(trade) for trade in run.trades[:TRADES_MAX]]
    head["rows"] = len(columns[0])
    return join([packed_json("chart-head", head), packed_columns("chart-data", columns)])


def _account_columns(run: Run, candles: Candles | None) -> tuple[list[Ints], dict[str, Any]]:
    """Return time, equity and drawdown at each candle; equity is the last known, drawdown the deepest in the candle."""
    curve = run.equity if candles is not None else _thinned(run.equity)
    time_ns = candles.open_ns if candles is not None else curve.time_ns
    close_ns = candles.close_ns if candles is not None else curve.time_ns
    start = float(run.result.account.start_equity)
    stop = np.searchsorted(curve.time_ns, close_ns, side="right")
    known = np.concatenate([[start], curve.equity])
    falls = np.concatenate([[0.0], curve.drawdown])
    first = np.append(0, stop[:-1])
    deepest = np.where(stop > first, _segment_max(falls, first + 1, stop + 1), falls[stop])
    digits = scale_of(known, digits_max=_EQUITY_DIGITS)
    seconds = time_ns // SECOND
    columns = [
        np.asarray(seconds - seconds[0]),
        counts_of(known[stop], digits),
        counts_of(deepest * 100.0, _DRAWDOWN_DIGITS),
    ]
    head = {"first": int(seconds[0]), "equity_digits": digits, "drawdown_digits": _DRAWDOWN_DIGITS}
    return columns, head | {"currency": run.result.account.currency}


def _thinned(curve: EquityCurve) -> EquityCurve:
    every = slice(None, None, -(-len(curve.time_ns) // CANDLES_MAX))
    return EquityCurve(curve.time_ns[every], curve.equity[every], curve.drawdown[every])


def _segment_max(values: Floats, first: Ints, stop: Ints) -> Floats:
    """Return the largest of `values[first:stop]` for each segment; an empty one gives the value at its start."""
    safe = np.minimum(first, len(values) - 1)
    borders = np.column_stack([safe, np.minimum(np.maximum(stop, safe + 1), len(values))]).ravel()
    return np.asarray(np.maximum.reduceat(np.append(values, 0.0), borders)[::2])


def _prices(candles: Candles) -> Floats:
    return np.concatenate([candles.open, candles.high, candles.low, candles.close])


def _tick_digits(run: Run) -> int:
    exponent = Decimal(str(run.instrument.get("tick_size", "0.01"))).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 2


def _trade(trade: Trade) -> list[Any]:
    """Return what the chart needs of a trade: number, side, times, prices, levels, net and how it ended."""
    levels = [None if level is None else float(level) for level in (trade.stop_price, trade.target_price)]
    return [
        trade.number, 1 if trade.side == "long" else -1, trade.entry_ns // SECOND, trade.exit_ns // SECOND,
        float(trade.entry_price), float(trade.exit_price), *levels, float(trade.net),
        f"{money(trade.net, signed=True)} {exit_words(trade.exit_reason).lower()}",
    ]  # fmt: skip
