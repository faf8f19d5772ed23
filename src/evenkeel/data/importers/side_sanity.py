"""What no row beside bars may be: out of order, without a number, or impossible. The first such row is named."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from evenkeel.data.importers.table import Place
from evenkeel.data.side import SideKind
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import DataError
from evenkeel.model.time import format_time

RATE_MAX = 0.1
"""A funding rate beyond it, for one settlement, is a percentage that was taken for a fraction."""

BORROW_MAX = 10.0
"""A borrow rate beyond it, for a year, likewise."""

SPLIT_MAX = 1_000.0
"""Splits and their reverses beyond it do not happen."""

Flags = npt.NDArray[np.bool_]


def require_order(place: Place, stamps: Ints, kind: SideKind) -> None:
    """Refuse times that go back, or repeat where only one row may have an instant.

    Raises:
        DataError: Naming the first such row, and the remedy where the whole file runs backwards.
    """
    steps = np.diff(stamps)
    bad = steps < 0 if kind.is_event else steps <= 0
    if not bad.any():
        return
    if len(steps) > 1 and (steps <= 0).all() and (steps < 0).any():
        raise DataError(
            f"{place.label} runs backwards in time, newest first; import it with --newest-first", reason="REVERSED"
        )
    row = int(np.argmax(bad)) + 1
    now, before = format_time(int(stamps[row])), format_time(int(stamps[row - 1]))
    said = f"{now} appears twice" if steps[row - 1] == 0 else f"{now} comes after {before}"
    raise DataError(
        f"{place.of(row)}: the times must rise from row to row, but {said}. Nothing was stored; sort the file"
        f"{'' if kind.is_event else ' and remove repeated rows'}"
    )


def require_sane(place: Place, columns: Mapping[str, Floats], kind: SideKind) -> None:
    """Refuse impossible values.

    Raises:
        DataError: Naming the first bad row, its value, and how many there are.
    """
    problems = _problems(columns, kind)
    bad = np.any([flags for flags, _, _ in problems], axis=0)
    if not bad.any():
        return
    row = int(np.argmax(bad))
    column, said = next((column, said) for flags, column, said in problems if flags[row])
    others = int(bad.sum()) - 1
    more = f" ({others:,} other row{'s are' if others > 1 else ' is'} bad too)" if others else ""
    value = columns[column][row]
    raise DataError(f"{place.of(row)}: {column} {said} ({value}){more}. Nothing was stored; correct or remove the row")


def _problems(columns: Mapping[str, Floats], kind: SideKind) -> list[tuple[Flags, str, str]]:
    match kind:
        case SideKind.FUNDING:
            limit = f"is beyond {RATE_MAX}, so it is no fraction of the notional; write 0.0001 for 0.01 %"
            return [*_numbers(columns), (np.abs(columns["rate"]) > RATE_MAX, "rate", limit)]
        case SideKind.BORROW:
            rate = columns["rate"]
            wrong = f"is not an annual fraction from 0 to {BORROW_MAX:g}"
            return [*_numbers(columns), ((rate < 0) | (rate > BORROW_MAX), "rate", wrong)]
        case SideKind.OPEN_INTEREST:
            return [*_numbers(columns), (columns["value"] < 0, "value", "is negative")]
        case SideKind.ACTIONS:
            return _actions(columns["split"], columns["dividend"])
        case SideKind.TRADES:
            return [
                *_numbers({name: columns[name] for name in ("price", "size")}),
                (columns["price"] <= 0, "price", "is not above zero"), (columns["size"] < 0, "size", "is negative"),
            ]  # fmt: skip
        case SideKind.QUOTES:
            return _quotes(columns)
        case SideKind.MARK | SideKind.INDEX:
            return [*_numbers(columns), *((price <= 0, name, "is not above zero") for name, price in columns.items()),
                    *(_bars(columns) if "open" in columns else [])]  # fmt: skip


def _numbers(columns: Mapping[str, Floats]) -> list[tuple[Flags, str, str]]:
    return [(~np.isfinite(values), name, "is not a number") for name, values in columns.items()]


def _bars(columns: Mapping[str, Floats]) -> list[tuple[Flags, str, str]]:
    top = np.maximum(columns["open"], columns["close"])
    bottom = np.minimum(columns["open"], columns["close"])
    return [
        (columns["high"] < top, "high", "is below open or close"),
        (columns["low"] > bottom, "low", "is above open or close"),
    ]


def _actions(split: Floats, dividend: Floats) -> list[tuple[Flags, str, str]]:
    wrong = (split <= 0) | (split > SPLIT_MAX) | (split < 1 / SPLIT_MAX) | np.isinf(split)
    return [
        (wrong, "split", "is no ratio of new shares to an old one"),
        ((dividend <= 0) | np.isinf(dividend), "dividend", "is no cash above zero"),
        (np.isnan(split) & np.isnan(dividend), "split", "and dividend are both empty"),
    ]


def _quotes(columns: Mapping[str, Floats]) -> list[tuple[Flags, str, str]]:
    bid, ask = columns["bid"], columns["ask"]
    return [
        *((values <= 0, name, "is not above zero") for name, values in (("bid", bid), ("ask", ask))),
        *((np.isinf(values), name, "is not a number") for name, values in columns.items()),
        *((columns[name] < 0, name, "is negative") for name in ("bid_size", "ask_size")),
        (np.isnan(bid) & np.isnan(ask), "bid", "and ask are both empty"),
    ]
