"""The page of an account that several instruments, or the plays of a playbook, share.

write_account_report(folder, result)    # report.html beside the result of the account, with links to those of its parts

Like the report of a run it leads with what the figures prove; then what each part contributed, and what was held of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evenkeel.data.atomic import write_atomically
from evenkeel.engine.metric_table import FIGURES
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.time import parse_time
from evenkeel.monitor.report.account import account_section, months_section, thinned
from evenkeel.monitor.report.audit import audit_strip, checks_section
from evenkeel.monitor.report.head import assumptions, notices
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.page import REPORT_NAME
from evenkeel.monitor.report.plot import SPAN, Scale, plot, polyline, shape, ticks, time_ticks
from evenkeel.monitor.report.proof import proof_tiles
from evenkeel.monitor.report.results import groups_of_figures, known
from evenkeel.monitor.report.run_files import (
    AccountRange,
    Check,
    EquityCurve,
    read_equity,
    read_manifest,
    read_positions,
)
from evenkeel.monitor.report.words import count, figure, humane, moment, money, share
from evenkeel.monitor.search.sheet import section, sheet, span, table
from evenkeel.readiness.evidence import Evidence


class Part(msgspec.Struct, frozen=True):
    """An instrument of the account, or a play of the playbook, with the folder of its own files.

    `start_equity` is what a play began with; an instrument begins with the whole account.
    """

    folder: str
    trades: int
    net_pnl: float
    refusals: dict[str, int]
    checks_failed: list[str]
    symbol: str = ""
    name: str = ""
    symbols: list[str] = []
    start_equity: str = ""

    @property
    def title(self) -> str:
        """Name for people: a play with what it trades."""
        return f"{self.name} on {', '.join(self.symbols)}" if self.name else self.symbol


class Attributed(msgspec.Struct, frozen=True):
    """What a play earned from decisions made in a regime."""

    play: str
    regime: str
    trades: int
    wins: int
    net_pnl: str


class Account(msgspec.Struct, frozen=True):
    """The part of the `result.json` of an account that the page shows."""

    run: str
    lane: str
    symbols: list[str]
    data: dict[str, Any]
    account: AccountRange
    metrics: dict[str, Any]
    stop_reason: str
    stop_time: str
    marks: list[str]
    checks: list[Check]
    strategy: dict[str, str] = {}
    playbook: dict[str, str] = {}
    metrics_extra: dict[str, Any] = {}
    instruments: list[Part] = []
    plays: list[Part] = []
    attribution: list[Attributed] = []
    evidence: Evidence | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """Its instruments or its plays."""
        return self.instruments or self.plays


@dataclass(frozen=True, slots=True)
class _Line:
    """A part with what its own files hold: what it made of the account, and its positions in units."""

    part: Part
    curve: EquityCurve
    gains: Floats
    held_ns: Ints
    positions: Floats
    models: Mapping[str, Any]


def write_account_report(folder: Path, result: Mapping[str, Any]) -> Path:
    """Write `report.html` into the folder of a finished run of several instruments, or of a playbook.

    Args:
        folder: With `equity.parquet`, and below it the folders of the parts with theirs.
        result: The document of `result.json`.

    Returns:
        Its path.

    Raises:
        DataError: If a file of the run is missing or damaged.
        StorageError: If the page cannot be written.
    """
    path = folder / REPORT_NAME
    write_atomically(path, render_account(folder, result).encode())
    return path


def render_account(folder: Path, result: Mapping[str, Any]) -> str:
    """Return the page; arguments as of `write_account_report`."""
    found = msgspec.convert(result, Account, strict=False)
    curve = read_equity(folder)
    lines = [_read_line(folder, part, found.account) for part in found.parts]
    drawn = [line for line in lines if len(line.gains)]
    across = Scale(float(curve.time_ns[0]), max(float(curve.time_ns[-1]), float(curve.time_ns[0]) + 1.0))
    return sheet(
        eyebrow="Backtest of a playbook" if found.plays else "Backtest of several instruments",
        title=(found.playbook or found.strategy)["name"],
        subject=f"{', '.join(found.symbols)} on one account",
        facts={
            "Range": f"{span(found.data)} UTC",
            "Ended": humane(found.stop_reason),
            "Ended at": f"{moment(parse_time(found.stop_time))} UTC",
            "Lane": humane(found.lane),
            "Mode": humane(found.playbook["mode"]) if found.plays else "",
            "Run": found.run,
        },
        notes=[*_assumed(lines), notices(found.marks)],
        sections=[
            _proof(found),
            audit_strip(found.checks),
            account_section(found.account, curve),
            _contributions(drawn, across),
            _parts(found),
            _regimes(found) if found.attribution else None,
            _exposure(drawn, across),
            months_section(found.account, curve),
            _figures(found),
            checks_section(found.checks),
        ],
    )  # fmt: skip


def _read_line(folder: Path, part: Part, account: AccountRange) -> _Line:
    """Read what the page shows of a part.

    The table of several instruments has the positions of each, to the end of the account; a play has them in its own.
    """
    own = folder / part.folder
    curve = read_equity(own)
    source, column = (own, "position") if part.name else (folder, f"position_{part.symbol}")
    start = float(part.start_equity or account.start_equity)
    models = read_manifest(own).get("models") or {}
    return _Line(part, curve, curve.equity - start, *read_positions(source, column), models)


def _assumed(lines: Sequence[_Line]) -> list[Html | None]:
    """Return what is assumed of all parts, then what is assumed of each where they differ."""
    first, *others = lines
    shared = {kind for kind, one in first.models.items() if all(line.models.get(kind) == one for line in others)}
    found = [assumptions({kind: one for kind, one in first.models.items() if kind in shared})]
    for line in lines:
        own = {kind: one for kind, one in line.models.items() if kind not in shared}
        found.append(assumptions(own, of=line.part.title))
    return found


def _proof(found: Account) -> Html:
    lead = "All parts together, judged by the sessions of the account and by every try that was counted."
    return tag(
        "section", tag("h2", "How much of this could be luck?"), tag("p", lead, class_="quiet"),
        proof_tiles(found.evidence), class_="card", id="proof",
    )  # fmt: skip


def _contributions(lines: Sequence[_Line], across: Scale) -> Html:
    """Return what each part alone made of the account, all on one scale."""
    edges = [float(edge) for one in lines for edge in (one.gains.min(), one.gains.max())]
    level = Scale.around([0.0, *edges], flip=True)
    axis = time_ticks(int(across.low), int(across.high))
    drawn = []
    for one in lines:
        points = [(across(at), level(value)) for at, value in thinned(one.curve.time_ns, one.gains)]
        path, zero = polyline(points), level(0.0)
        end = money(float(one.gains[-1]), signed=True)
        shapes = [
            shape(f"M0 {zero}H{SPAN}", "axis"), shape(f"{path}V{zero}H{points[0][0]}Z", "area"), shape(path, "line"),
        ]  # fmt: skip
        drawn.append(_drawing(f"{one.part.title}: {end}", shapes, axis, y=ticks(level, about=4)))
    lead = "What each alone added, open positions marked; all on one scale, and together the equity above."
    return section("Contribution", lead, *drawn, name="contribution")


def _exposure(lines: Sequence[_Line], across: Scale) -> Html:
    """Return what was held when: long above the line, short below it."""
    axis = time_ticks(int(across.low), int(across.high))
    drawn = []
    for one in lines:
        held = one.positions
        largest = float(np.abs(held).max(initial=0.0))
        level = Scale.around([0.0, float(held.min()), float(held.max())], flip=True, margin=0.1)
        points = [(across(at), level(value)) for at, value in thinned(one.held_ns, held)]
        steps = [points[0], *(p for (_, y), (later, up) in pairwise(points) for p in ((later, y), (later, up)))]
        shapes = [
            shape(f"{polyline(steps)}V{level(0.0)}H{points[0][0]}Z", "area held"),
            shape(f"M0 {level(0.0)}H{SPAN}", "axis"),
        ]  # fmt: skip
        time = share(np.count_nonzero(held) / len(held), digits=0)
        text = f"{one.part.title}: held at {time} of the points, {figure(largest, digits=_digits(largest))} at most"
        drawn.append(_drawing(text, shapes, axis, y=ticks(level, about=4)))
    lead = "Positions in units of the instrument, long above the line and short below it, each on a scale of its own."
    return section("Exposure", lead, *drawn, name="exposure")


def _digits(value: float) -> int:
    """Return the decimals of a quantity: none where it is a whole number."""
    return 0 if value == round(value) else 3


def _drawing(title: str, shapes: Sequence[Html], x: Sequence[Any], *, y: Sequence[Any]) -> Html:
    return tag("figure", tag("h3", title), plot(shapes, label=title, x=x, y=y, look="low"))


def _parts(found: Account) -> Html:
    """Return the parts as a table, each with a link to its own report."""
    rows = [
        (
            part.title, f"{part.trades:,}", money(part.net_pnl, signed=True),
            share(part.net_pnl / float(found.account.start_equity), digits=2, signed=True),
            f"{sum(part.refusals.values()):,}",
            f"{count(len(part.checks_failed), 'check')} failed" if part.checks_failed else "agrees",
            tag("a", "Open its report", href=f"{part.folder}/{REPORT_NAME}"),
        )
        for part in found.parts
    ]  # fmt: skip
    columns = ("Play" if found.plays else "Instrument", "Trades", "Net", "Of the start", "Refused", "Audit", "Report")
    title, lead = "Parts", "Each has files and a report of its own: trades, chart, costs and what luck could have done."
    return section(title, lead, table(columns, rows, numbers=(1, 2, 3, 4)), name="parts")


def _regimes(found: Account) -> Html:
    rows = [
        (one.play, one.regime, f"{one.trades:,}", f"{one.wins:,}", money(float(one.net_pnl), signed=True))
        for one in found.attribution
    ]
    lead = "Net by the regime in which the trade was decided."
    found_table = table(("Play", "Regime", "Trades", "Won", "Net"), rows, numbers=(2, 3, 4))
    return section("Who earned what when", lead, found_table, name="attribution")


def _figures(found: Account) -> Html:
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for one in FIGURES:
        groups.setdefault(one.group, []).extend(known(one, found.metrics, found.metrics_extra))
    lead = f"Of the account. Money in {found.account.currency}. A dash stands for a figure that does not exist."
    return section("Figures", lead, groups_of_figures(groups), name="figures")
