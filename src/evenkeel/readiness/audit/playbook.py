"""The audit of a playbook: what its plays may only do together, derived again from the files of their runs.

The run of each play is audited by itself, like any other. Here stand the checks that need all of them: one owner of an
instrument at a time, no more plays in the market than allowed, no entry without a share, and sums that agree.
"""

from __future__ import annotations

import csv
import decimal
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from evenkeel.readiness.audit.audit import PRECISION
from evenkeel.readiness.audit.check import Check, judged
from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.moment import instant_text, parse_instant

POSTING = Decimal("0.00000001")
SUM_TOLERANCE = Decimal("1e-9")
"""Shares of probability are printed with twelve digits."""

Row = dict[str, str]


@dataclass(frozen=True)
class _Position:
    """A position of a play.

    Attributes:
        play: Whose.
        number: Its number there.
        symbol: In what.
        decided_ns: When it was decided.
        entry_ns: Open of the base bar in which it was opened.
        exit_ns: Open of the base bar in which the last of it was closed.
        net: Result after costs.
    """

    play: str
    number: str
    symbol: str
    decided_ns: int
    entry_ns: int
    exit_ns: int
    net: Decimal

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"trade {self.number} of {self.play}"


@dataclass(frozen=True)
class _Book:
    """The files of a playbook's run, as far as they are compared."""

    result: Document
    capital: Decimal
    max_active: Decimal
    plays: dict[str, Document]
    positions: list[_Position]
    changes: list[tuple[int, Row]]
    attributed: list[Row]


def audit_playbook(folder: Path) -> list[Check]:
    """Check the files of a playbook's run against each other.

    Returns:
        The checks in a fixed order. If the files cannot be read, `PLAYBOOK_LOAD` fails and is the only one.
    """
    with decimal.localcontext(decimal.Context(prec=PRECISION)):
        try:
            book = _read(folder)
            return [
                judged("PLAYBOOK_LOAD", [], f"{len(book.plays)} plays, {len(book.positions)} positions"),
                _equity(book), _attribution(book), _owners(book), _active(book), _shares(book), _capital(book),
            ]  # fmt: skip
        except Unreadable as refusal:
            return [judged("PLAYBOOK_LOAD", [str(refusal)], "")]


def _read(folder: Path) -> _Book:
    result, manifest = Document(folder / "result.json"), Document(folder / "manifest.json")
    names = sorted(path.name for path in (folder / "plays").glob("*")) if (folder / "plays").is_dir() else []
    if not names:
        raise Unreadable("there are no runs of plays beside result.json")
    changes = [(parse_instant(row["time"], "regimes.csv: time"), row) for row in _rows(folder / "regimes.csv", "time")]
    return _Book(
        result=result,
        capital=result.number("account.start_equity"),
        max_active=manifest.number("playbook.resolved.risk.max_active_plays"),
        plays={name: Document(folder / "plays" / name / "result.json") for name in names},
        positions=[position for name in names for position in _positions(folder / "plays" / name, name)],
        changes=changes,
        attributed=_rows(folder / "attribution.csv", "net_pnl"),
    )


def _rows(path: Path, needed: str) -> list[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    if needed not in (reader.fieldnames or ()):
        raise Unreadable(f"{path.name} has no column {needed}")
    return rows


def _positions(folder: Path, play: str) -> list[_Position]:
    legs: dict[str, list[Row]] = {}
    for row in _rows(folder / "trades.csv", "decided_time"):
        legs.setdefault(row["trade"], []).append(row)
    place = f"{play}: trades.csv"
    return [
        _Position(
            play=play, number=number, symbol=rows[0]["symbol"],
            decided_ns=parse_instant(rows[0]["decided_time"], place),
            entry_ns=parse_instant(rows[0]["entry_time"], place),
            exit_ns=max(parse_instant(row["exit_time"], place) for row in rows),
            net=sum((finite(row["net_pnl"], place) for row in rows), Decimal(0)),
        )
        for number, rows in legs.items()
    ]  # fmt: skip


def _equity(book: _Book) -> Check:
    """Check that the playbook ends with its capital and what each play has gained."""
    gained = sum(
        (play.number("account.end_equity") - play.number("account.start_equity") for play in book.plays.values()),
        Decimal(0),
    )
    recorded, expected = book.result.number("account.end_equity"), book.capital + gained
    problems = [] if recorded == expected else [f"the end equity is {recorded}, capital and gains give {expected}"]
    return judged("PLAYBOOK_EQUITY", problems, f"{expected} from the gains of {len(book.plays)} plays")


def _attribution(book: _Book) -> Check:
    """Check that what is attributed to a play over all regimes is what its trades made."""
    return judged("PLAYBOOK_ATTRIBUTION", _attribution_problems(book), f"the net of {len(book.plays)} plays")


def _attribution_problems(book: _Book) -> Iterator[str]:
    for name in book.plays:
        said = sum(
            (finite(row["net_pnl"], "attribution.csv") for row in book.attributed if row["play"] == name), Decimal(0)
        )
        made = sum((position.net for position in book.positions if position.play == name), Decimal(0))
        if said != made:
            yield f"{said} is attributed to {name}, its trades made {made}"


def _owners(book: _Book) -> Check:
    """Check that no two plays hold one instrument at the same time (ruling 27)."""
    problems = [
        f"{one.label} and {other.label} both hold {one.symbol} at {instant_text(max(one.entry_ns, other.entry_ns))}"
        for place, one in enumerate(book.positions)
        for other in book.positions[place + 1 :]
        if one.play != other.play and one.symbol == other.symbol
        and one.entry_ns < other.exit_ns and other.entry_ns < one.exit_ns
    ]  # fmt: skip
    return judged("PLAYBOOK_OWNERS", problems, f"{len(book.positions)} positions, one owner of an instrument at a time")


def _active(book: _Book) -> Check:
    """Check that a play enters only while fewer others are in the market than the playbook allows."""
    problems = []
    for one in book.positions:
        others = {o.play for o in book.positions if o.play != one.play and o.entry_ns <= one.entry_ns < o.exit_ns}
        if len(others) >= book.max_active:
            problems.append(f"{one.label} is one of {len(others) + 1} at work; the limit is {book.max_active}")
    return judged("PLAYBOOK_ACTIVE", problems, f"never more than {book.max_active} plays at work")


def _shares(book: _Book) -> Check:
    """Check that every trade was decided while its play had a share of the capital."""
    return judged("PLAYBOOK_SHARES", _share_problems(book), f"{len(book.positions)} entries, each with a share")


def _share_problems(book: _Book) -> Iterator[str]:
    times = [time for time, _ in book.changes]
    for position in book.positions:
        row = bisect_right(times, position.decided_ns) - 1
        if row < 0:
            yield f"{position.label} was decided before the playbook began"
        elif not finite(book.changes[row][1].get(f"share_{position.play}", ""), "regimes.csv"):
            yield f"{position.label} was decided at {instant_text(position.decided_ns)} without a share"


def _capital(book: _Book) -> Check:
    """Check that shares never sum to more than the capital, and probabilities to 1."""
    return judged("PLAYBOOK_CAPITAL", _capital_problems(book), f"{len(book.changes)} changes of shares")


def _capital_problems(book: _Book) -> Iterator[str]:
    for time, row in book.changes:
        shared = sum((finite(v, "regimes.csv") for k, v in row.items() if k.startswith("share_")), Decimal(0))
        whole = sum((finite(v, "regimes.csv") for k, v in row.items() if k.startswith("p_")), Decimal(0))
        if shared > book.capital + POSTING * len(row):
            yield f"at {instant_text(time)} the shares sum to {shared}, the capital is {book.capital}"
        if abs(whole - 1) > SUM_TOLERANCE:
            yield f"at {instant_text(time)} the probabilities sum to {whole}"
