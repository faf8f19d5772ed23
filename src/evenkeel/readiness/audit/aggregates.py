"""Whether bars are sound, and the audit's own aggregation of them: `OHLCV_VALID` (24) and `MTF_AGGREGATION` (30).

Everything is looked at in slices, so that the memory it takes is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.bars import NO_BARS, PRICES, BaseBars, Columns, height, over_ranges
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import DAY_NS, MINUTE_NS, TIMEFRAME_MINUTES, instant_text
from evenkeel.readiness.audit.tally import Bools, Ints
from evenkeel.readiness.audit.terms import Terms

VOLUME_TOLERANCE = 1e-9
"""Relative; a sum of float64 depends on its order. Prices of an aggregate must be equal to the bit."""

SLICE = 1 << 16
"""Bars that are looked at at once."""

NEVER = -(2**62)


def bars_valid(bars: BaseBars | None, higher: Mapping[str, Columns]) -> Check:
    """Check prices, volumes and order of time of the bars of each timeframe."""
    name = "OHLCV_VALID"
    if bars is None:
        return skipped(name, NO_BARS)
    tables = {"base": bars.columns, **higher}
    problems = [problem for label, table in tables.items() for problem in _malformed(label, table)]
    return judged(name, problems, f"{sum(map(height, tables.values()))} bars of {', '.join(tables)}")


def _malformed(label: str, table: Columns) -> Iterator[str]:
    """Report of each fault the first bar that has it; what has no answer is a fault."""
    first: dict[str, int] = {}
    for begin in range(0, height(table), SLICE):
        before = NEVER if begin == 0 else int(table["open_ns"][begin - 1])
        for fault, kept in _rules(_part(table, begin, begin + SLICE), before).items():
            if fault not in first and not kept.all():
                first[fault] = int(table["open_ns"][begin + int(np.argmin(kept))])
    for fault, open_ns in first.items():
        yield f"the {label} bar of {instant_text(open_ns)} has {fault}"


def _part(table: Columns, begin: int, end: int) -> Columns:
    return {name: column[begin:end] for name, column in table.items()}


def _rules(table: Columns, before_ns: int) -> dict[str, Bools]:
    opened, high, low, close = (table[name] for name in PRICES)
    finite = np.logical_and.reduce([np.isfinite(table[name]) for name in (*PRICES, "volume")])
    return {
        "a price or volume that is no number": finite,
        "a low above its open or close": (low <= opened) & (low <= close),
        "a high below its open or close": (high >= opened) & (high >= close),
        "a negative volume": table["volume"] >= 0,
        "a close before its open": table["close_ns"] >= table["open_ns"],
        "an open that is not after the one before": np.diff(table["open_ns"], prepend=before_ns) > 0,
    }


def bars_aggregate(terms: Terms, bars: BaseBars | None, higher: Mapping[str, Columns]) -> Check:
    """Check that each higher bar is the aggregate of its base bars and, for a 24/7 market, that none is missing."""
    name = "MTF_AGGREGATION"
    if bars is None or not higher:
        return skipped(name, NO_BARS if bars is None else "the run has no timeframe above its base")
    problems: list[str] = []
    for label, table in higher.items():
        parts = (list(_unequal(label, _part(table, begin, begin + SLICE), bars.columns))
                 for begin in range(0, height(table), SLICE))  # fmt: skip
        problems += next(filter(None, parts), [])
        if terms.always_open and terms.segments == 1:
            problems += _missing(label, table, bars.columns)
    scope = "from UTC arithmetic" if terms.always_open and terms.segments == 1 else "from the base rows each one names"
    count = sum(map(height, higher.values()))
    return judged(name, problems, f"{count} bars of {', '.join(higher)} derived again {scope}")


def _unequal(label: str, table: Columns, base: Columns) -> Iterator[str]:
    first, last = table["first"], table["last"]
    outside = (first < 0) | (last >= height(base)) | (first > last)
    if outside.any():
        at = int(table["open_ns"][int(np.argmax(outside))])
        yield f"the {label} bar of {instant_text(at)} names base rows that do not exist"
        return
    again = _aggregated(first, last, base)
    rules = {name: table[name] == again[name] for name in PRICES}
    near = VOLUME_TOLERANCE * np.maximum(np.abs(again["volume"]), 1.0)
    rules["volume"] = np.abs(table["volume"] - again["volume"]) <= near
    rules["range of base rows"] = (base["open_ns"][first] >= table["open_ns"]) & (
        base["close_ns"][last] <= table["close_ns"]
    )
    for fault, kept in rules.items():
        if not kept.all():
            at = int(table["open_ns"][int(np.argmin(kept))])
            yield f"the {label} bar of {instant_text(at)} has another {fault} than its base bars"


def _aggregated(first: Ints, last: Ints, base: Columns) -> Columns:
    """Return the higher bars as their base rows make them."""
    return {
        "open": base["open"][first], "close": base["close"][last],
        "high": over_ranges(np.maximum, base["high"], first, last + 1),
        "low": over_ranges(np.minimum, base["low"], first, last + 1),
        "volume": over_ranges(np.add, base["volume"], first, last + 1),
    }  # fmt: skip


class _Buckets(NamedTuple):
    """Borders and base rows of higher bars."""

    open_ns: Ints
    close_ns: Ints
    first: Ints
    last: Ints

    def rows(self) -> pl.DataFrame:
        return pl.DataFrame(self._asdict())


def _missing(label: str, table: Columns, base: Columns) -> Iterator[str]:
    expected = _complete_buckets(label, base)
    got = _Buckets(*(table[name] for name in _Buckets._fields))
    if all(np.array_equal(left, right) for left, right in zip(got, expected, strict=True)):
        return
    here, due = got.rows(), expected.rows()
    for word, bad in (
        ("is missing or has other borders", due.join(here, on=due.columns, how="anti")),
        ("is not complete or has other borders", here.join(due, on=due.columns, how="anti")),
    ):
        if bad.height:
            yield f"the {label} bar of {instant_text(bad['open_ns'].sort()[0])} {word}"


def _complete_buckets(label: str, base: Columns) -> _Buckets:
    """Return the complete buckets of a 24/7 market: the first only if its first base bar opens it (ruling 17)."""
    opens = base["open_ns"]
    first = _firsts(label, opens)
    begin = _begins(label, opens[first])
    last = np.append(first[1:], len(opens)) - 1
    found = _Buckets(begin, _ends(label, begin), first, last)
    if not len(first):
        return found
    starts_late = int(opens[0] > found.open_ns[0])
    goes_on = int(base["close_ns"][-1] < found.close_ns[-1])
    return _Buckets(*(column[starts_late : len(first) - goes_on] for column in found))


def _firsts(label: str, opens: Ints) -> Ints:
    """Return the base rows at which buckets begin; base bars are in order of time."""
    found, before = [], NEVER
    for at in range(0, len(opens), SLICE):
        begins = _begins(label, opens[at : at + SLICE])
        found.append(np.flatnonzero(np.diff(begins, prepend=before)) + at)
        before = int(begins[-1])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _begins(label: str, opens: Ints) -> Ints:
    """Return when the buckets of instants begin, in UTC."""
    if label in TIMEFRAME_MINUTES:
        length = TIMEFRAME_MINUTES[label] * MINUTE_NS
        found: Ints = opens // length * length
        return found
    if label == "D":
        return opens // DAY_NS * DAY_NS
    moment = pl.Series(opens).cast(pl.Datetime("ns")).dt.truncate(_STEPS[label])
    return moment.to_physical().to_numpy()


def _ends(label: str, begins: Ints) -> Ints:
    if label in TIMEFRAME_MINUTES:
        return begins + TIMEFRAME_MINUTES[label] * MINUTE_NS
    moment = pl.Series(begins).cast(pl.Datetime("ns")).dt.offset_by(_STEPS[label])
    return moment.to_physical().to_numpy()


_STEPS = {"D": "1d", "W": "1w", "M": "1mo"}
