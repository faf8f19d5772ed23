"""A CSV file read column by column: strict, with file, line and column named in every refusal.

Texts repeat (a side, a fee of zero, the price of a trade and that of its fill), so each is parsed once and shared.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from evenkeel.readiness.audit.document import Unreadable, finite

Record = TypeVar("Record")
Value = TypeVar("Value")
Parser = Callable[[str, str], Value]
"""Turns a text into a value; the second argument is its place, for the message of `Unreadable`."""


CHUNK = 1024
"""Rows in memory at once as texts; within them each text of a column is parsed once."""


def read_records(
    path: Path,
    parsers: dict[str, Parser[Any]],
    record: Callable[..., Record],
    *,
    appended: dict[str, Parser[Any]] | None = None,
) -> list[Record]:
    """Return one record for each row of a CSV file.

    Args:
        path: The file.
        parsers: By name the columns that its header must begin with, in order.
        record: Takes the values of a row, in the same order, then one for each appended column.
        appended: By name columns that stand anywhere after them; None for each row where the file has no such column.

    Raises:
        Unreadable: If the file is missing or damaged, has another header, or a parser refuses a text.
    """
    names, known = list(parsers), {**parsers, **(appended or {})}
    records: list[Record] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if header[: len(names)] != names:
                raise Unreadable(f"{path.name}: the header must begin with {','.join(names)}")
            if len(set(header)) != len(header):
                raise Unreadable(f"{path.name}: two columns have the same name")
            while rows := list(islice(reader, CHUNK)):
                first = len(records) + 2
                _require_fields(rows, len(header), path.name, first)
                columns = dict(zip(header, zip(*rows, strict=True), strict=True))
                values = [
                    _parsed(parse, columns[name], path.name, first, name) if name in columns else [None] * len(rows)
                    for name, parse in known.items()
                ]
                records += map(record, *values)
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is missing") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    return records


def _require_fields(rows: list[list[str]], count: int, name: str, first: int) -> None:
    for line, fields in enumerate(rows, start=first):
        if len(fields) != count:
            raise Unreadable(f"{name} line {line}: {len(fields)} fields under {count} columns")


def _parsed(parse: Parser[Value], texts: Sequence[str], name: str, first: int, column: str) -> list[Value]:
    seen: dict[str, Value] = {}
    for line, text in enumerate(texts, start=first):
        if text not in seen:
            seen[text] = parse(text, f"{name} line {line}: {column}")
    return [seen[text] for text in texts]


def any_text(text: str, _: str) -> str:
    """Return the text as it is."""
    return text


def some_text(text: str, place: str) -> str:
    """Return a text that may not be empty."""
    if not text:
        raise Unreadable(f"{place} is empty")
    return text


def one_of(*values: str) -> Parser[str]:
    """Return a parser that knows these texts only."""

    def parse(text: str, place: str) -> str:
        if text not in values:
            raise Unreadable(f"{place} is {text!r}, one of {', '.join(values)} was expected")
        return text

    return parse


def sign_of(*, positive: str, negative: str) -> Parser[int]:
    """Return a parser of +1 and -1."""
    known = one_of(positive, negative)
    return lambda text, place: 1 if known(text, place) == positive else -1


def ordinal(text: str, place: str) -> int:
    """Return a whole number from 1 on."""
    value = finite(text, place)
    if value < 1 or value != value.to_integral_value():
        raise Unreadable(f"{place} is {text!r}, a whole number from 1 on was expected")
    return int(value)


def positive(text: str, place: str) -> Decimal:
    """Return a number above zero."""
    value = finite(text, place)
    if value <= 0:
        raise Unreadable(f"{place} is {value}, it must be positive")
    return value


def level(text: str, place: str) -> Decimal | None:
    """Return a price, or None where there is none."""
    return positive(text, place) if text else None


def money(text: str, place: str) -> Decimal:
    """Return an amount of at most eight decimals."""
    value = finite(text, place)
    if value != round(value, 8):
        raise Unreadable(f"{place} is {value}, money has at most eight decimals")
    return value
