"""A CSV file read column by column: strict, with file, line and column named in every refusal.

A file whose columns are plainly what they should be is read at once, and its records are made when somebody looks at
them; any other one is parsed text by text, so that the refusal names the place.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import polars as pl

from evenkeel.readiness.audit.document import Unreadable, finite
from evenkeel.readiness.audit.moment import parse_instant

Record = TypeVar("Record")
Value = TypeVar("Value")
Parser = Callable[[str, str], Value]
"""Turns a text into a value; the second argument is its place, for the message of `Unreadable`."""


CHUNK = 1024
"""Rows in memory at once as texts; within them each text of a column is parsed once."""


class Records(Sequence[Record], Generic[Record]):
    """The rows of a file: records made when they are asked for, beside the table of their texts.

    Args:
        texts: The columns; null where the file has none of that name.
        parsers: Of each column, in the order of the record.
        record: Takes the values of a row.
        made: The records where they are made already.
        times: Columns of instants where they are read already, nanoseconds.

    Attributes:
        texts: As given; None where the file was not plain.
    """

    def __init__(
        self,
        texts: pl.DataFrame | None,
        parsers: Sequence[Parser[Any]],
        record: Callable[..., Record],
        made: Sequence[Record] = (),
        times: dict[str, pl.Series] | None = None,
    ) -> None:
        self.texts = texts
        self._parsers = parsers
        self._record = record
        self._made: dict[int, Record] = dict(enumerate(made))
        self._instants: dict[str, pl.Series] = dict(times or {})
        self._count = len(made) if texts is None else texts.height

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        place = index + self._count if index < 0 else index
        if not 0 <= place < self._count:
            raise IndexError(index)
        if place not in self._made:
            self._made[place] = self._parsed(place)
        return self._made[place]

    def values(self, column: str, attribute: str) -> pl.Series:
        """Return the texts of a column, which the records have as an attribute."""
        if self.texts is None:
            return pl.Series([str(getattr(record, attribute)) for record in self], dtype=pl.String)
        return self.texts[column]

    def times(self, column: str, attribute: str) -> pl.Series:
        """Return the instants of a column, nanoseconds."""
        if column not in self._instants:
            found = None if self.texts is None else instants(self.texts[column])
            if found is None:
                found = pl.Series([getattr(record, attribute) for record in self], dtype=pl.Int64)
            self._instants[column] = found
        return self._instants[column]

    def total(self, name: str) -> Decimal:
        """Return the sum of a column of money."""
        if self.texts is None:
            return sum((getattr(record, name) for record in self), Decimal(0))
        return Decimal(str(self.texts[name].cast(pl.Decimal(38, 8)).sum() or 0))

    def _parsed(self, place: int) -> Record:
        texts = () if self.texts is None else self.texts.row(place)
        values = (None if text is None else parse(text, "") for parse, text in zip(self._parsers, texts, strict=True))
        return self._record(*values)


def read_records(
    path: Path,
    parsers: dict[str, Parser[Any]],
    record: Callable[..., Record],
    *,
    appended: dict[str, Parser[Any]] | None = None,
) -> Records[Record]:
    """Return one record for each row of a CSV file.

    Args:
        path: The file.
        parsers: By name the columns that its header must begin with, in order.
        record: Takes the values of a row, in the same order, then one for each appended column.
        appended: By name columns that stand anywhere after them; None for each row where the file has no such column.

    Raises:
        Unreadable: If the file is missing or damaged, has another header, or a parser refuses a text.
    """
    known = {**parsers, **(appended or {})}
    texts, times = _plain_texts(path, list(parsers), known)
    made = _parsed_rows(path, list(parsers), known, record) if texts is None else ()
    return Records(texts, list(known.values()), record, made, times)


def _plain_texts(
    path: Path, names: list[str], known: dict[str, Parser[Any]]
) -> tuple[pl.DataFrame | None, dict[str, pl.Series]]:
    """Return the texts of a file in which every one is plainly what its column asks for, and its columns of instants.

    Of any other file there are none.
    """
    nothing: tuple[None, dict[str, pl.Series]] = None, {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file, strict=True), [])
        if header[: len(names)] != names or len(set(header)) != len(header):
            return nothing
        wanted = [name for name in known if name in header]
        table = pl.read_csv(path, columns=wanted, infer_schema=False, empty_string_is_null=False)
    except (OSError, UnicodeDecodeError, csv.Error, pl.exceptions.PolarsError):
        return nothing
    if not all(plainly(known[name], table[name]) for name in wanted):
        return nothing
    times = {name: instants(table[name]) for name in wanted if known[name] is parse_instant}
    read = {name: found for name, found in times.items() if found is not None}
    if len(read) < len(times):
        return nothing
    missing = [pl.lit(None, pl.String).alias(name) for name in known if name not in header]
    return table.with_columns(missing).select(list(known)), read


def _parsed_rows(
    path: Path, names: list[str], known: dict[str, Parser[Any]], record: Callable[..., Record]
) -> list[Record]:
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


class OneOf:
    """A parser that knows some texts only.

    Args:
        values: By text.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __call__(self, text: str, place: str) -> Any:
        """Return the value of a text, `place` says where it stood."""
        if text not in self.values:
            raise Unreadable(f"{place} is {text!r}, one of {', '.join(self.values)} was expected")
        return self.values[text]


def one_of(*values: str) -> Parser[str]:
    """Return a parser that knows these texts only."""
    return OneOf({value: value for value in values})


def sign_of(*, positive: str, negative: str) -> Parser[int]:
    """Return a parser of +1 and -1."""
    return OneOf({positive: 1, negative: -1})


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


def never_negative(text: str, place: str) -> Decimal:
    """Return a number from zero on."""
    value = finite(text, place)
    if value < 0:
        raise Unreadable(f"{place} is {value}, it must not be negative")
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


_PLAIN: dict[Parser[Any], str] = {
    some_text: r".",
    any_text: r"",
    ordinal: r"^[1-9]\d{0,8}$",
    finite: r"^-?\d{1,17}(\.\d+)?$",
    money: r"^-?\d{1,10}(\.\d{1,8})?$",
    positive: r"^0*[1-9]\d{0,16}(\.\d+)?$|^0\.\d*[1-9]\d*$",
    never_negative: r"^\d{1,17}(\.\d+)?$",
    level: r"^$|^0*[1-9]\d{0,16}(\.\d+)?$|^0\.\d*[1-9]\d*$",
    parse_instant: r"^(19[7-9]|20\d|21\d)\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$",
}
"""What a text must look like that a parser certainly takes."""


def plainly(parse: Parser[Any], column: pl.Series) -> bool:
    """Whether every text of a column is one that the parser certainly takes."""
    if isinstance(parse, OneOf):
        return bool(column.is_in(list(parse.values)).all())
    return bool(column.str.contains(_PLAIN[parse]).all())


def instants(column: pl.Series) -> pl.Series | None:
    """Return the nanoseconds of instants; None where one of them does not exist."""
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ"):
        found = column.str.to_datetime(form, time_unit="ns", strict=False)
        if not found.null_count():
            return found.to_physical()
    return None
