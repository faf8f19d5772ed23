"""`keel audit DIR`: derive the results of a run again from its files and, where the catalog has them, its bars."""

from __future__ import annotations

import difflib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import announce_compilation, print_table
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option
from evenkeel.cli.running import catalog_folder
from evenkeel.engine.runs import INSTRUMENTS_FOLDER
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from evenkeel.data.calendar import Calendar
    from evenkeel.data.sources import Sources
    from evenkeel.engine.results import Table
    from evenkeel.model.bar import Bars
    from evenkeel.model.ids import InstrumentId
    from evenkeel.model.instrument import Instrument
    from evenkeel.readiness.audit import Check, Tables

_WORDS = {True: "ok", False: "FAILED"}
_COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


@click.command(name="audit")
@click.argument("folder", metavar="DIR", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Catalog that has the bars of the run. Default: that of the home, then the shipped sample.",
)
@click.option(
    "--explain", metavar="CHECK", help="Say what a check is about, or `all` of them, instead of running them."
)
@json_option
def command(folder: Path | None, catalog: Path | None, explain: str | None, as_json: bool) -> int:
    """Check stored results again, with code that shares nothing with the engine.

    Every figure of the run in DIR is derived again in exact decimals from its fills and, if the catalog has them, from
    the bars that the run used. Exit code 1 when a check fails. A check that could not run is listed as skipped. For the
    run of a playbook it checks what its plays may only do together, for one of several instruments what these share;
    the run of each is audited by itself.

    \b
    Example:
      keel audit out
      keel audit out --catalog data/catalog --json
      keel audit --explain TP_SL_FIRST
    """
    if explain is not None:
        return _explain(explain, as_json=as_json)
    if folder is None:
        raise UsageError("name the folder of a run, or a check with --explain; `keel audit --explain all` lists them")
    from evenkeel.data.sources import Sources
    from evenkeel.readiness.audit import audit, audit_playbook, audit_portfolio

    if (folder / "plays").is_dir():
        checks = audit_playbook(folder)
    elif (folder / INSTRUMENTS_FOLDER).is_dir():
        announce_compilation()
        checks = audit_portfolio(folder, _tables_of(folder, Sources.of(catalog_folder(catalog))))
    else:
        announce_compilation()
        checks = audit(folder, **_data_of_run(folder, Sources.of(catalog_folder(catalog))))
    failed = sum(check.failed for check in checks)
    if as_json:
        emit(_document(folder, checks))
    else:
        _print(checks)
    return 1 if failed else 0


def _explain(name: str, *, as_json: bool) -> int:
    from evenkeel.readiness.audit import RULES, SHARED_RULES

    every = (*RULES, *SHARED_RULES)
    known = {rule.name: rule for rule in every}
    if name != "all" and name.upper() not in known:
        near = difflib.get_close_matches(name.upper(), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no check {name}{hint} (`keel audit --explain all` lists them)")
    rules = every if name == "all" else (known[name.upper()],)
    if as_json:
        emit({"schema": "evenkeel.audit.rules/1", "ok": True, "checks": [rule._asdict() for rule in rules]})
    elif name == "all":
        rows = [(rule.name, "" if rule.number is None else str(rule.number), rule.needs, rule.text) for rule in rules]
        print_table(("check", "no.", "needs", "says that"), rows)
    else:
        rule = rules[0]
        number = "an addition to" if rule.number is None else f"check {rule.number} of"
        say(f"{rule.name}, {number} section 6.12 of the specification of plays; needs {rule.needs}.")
        say(f"It says that {rule.text}.")
        say(rule.how)
    return 0


def _document(folder: Path, checks: list[Check]) -> dict[str, object]:
    return {
        "schema": "evenkeel.audit/1",
        "ok": not any(check.failed for check in checks),
        "folder": str(folder),
        "checks": [
            {"name": check.name, "ok": check.ok, "skipped": check.skipped, "detail": check.detail} for check in checks
        ],
    }


def _print(checks: list[Check]) -> None:
    rows = [(check.name, "skipped" if check.skipped else _WORDS[check.ok], check.detail) for check in checks]
    print_table(("check", "", "detail"), rows)
    failed, left_out = sum(check.failed for check in checks), sum(check.skipped for check in checks)
    say(f"{len(checks) - failed - left_out} passed, {failed} failed, {left_out} skipped")


def _tables_of(folder: Path, sources: Sources) -> dict[str, Tables] | None:
    """Return the bars of each instrument of an account, or None where those of one are gone."""
    from evenkeel.readiness.audit import Tables

    found = {}
    for part in sorted(path for path in (folder / INSTRUMENTS_FOLDER).iterdir() if path.is_dir()):
        data = _data_of_run(part, sources)
        if not data:
            return None
        found[part.name] = Tables(data["base_bars"], data["higher_bars"])
    return found


def _data_of_run(folder: Path, sources: Sources) -> dict[str, Any]:
    """Return the bars and the funding that the run's manifest names, or nothing and a note where they are gone."""
    import msgspec

    from evenkeel.model.errors import KeelError

    try:
        return _load_data(msgspec.json.decode((folder / "manifest.json").read_bytes()), sources)
    except KeelError as error:
        note(f"without the bars of the run: {error.message}")
    except (OSError, msgspec.MsgspecError, LookupError, TypeError) as error:
        note(f"without the bars of the run: manifest.json does not name them ({error})")
    return {}


def _load_data(manifest: dict[str, Any], sources: Sources) -> dict[str, Any]:
    """Return base bars and aggregates as the run had them, cut at the gaps that it jumped over, and its funding."""
    import msgspec

    from evenkeel.data.aggregate import aggregate
    from evenkeel.data.calendar import load_calendar
    from evenkeel.engine.results import bar_columns, joined
    from evenkeel.model.instrument import Instrument
    from evenkeel.model.time import Timeframe

    data = manifest["data"]
    instrument = msgspec.convert(manifest["instrument"], Instrument)
    calendar = load_calendar(instrument.calendar)
    stored = sources.read(instrument.id, Timeframe.parse(data["base_tf"]), revision=data["revision"]).bars
    stretches = _stretches(stored, calendar, data)
    higher: dict[str, Table] = {}
    above = [Timeframe.parse(name) for name in data["timeframes"] if name != data["base_tf"]]
    for timeframe in above:
        parts, offset = [], 0
        for stretch in stretches:
            made = aggregate(stretch, timeframe, calendar)
            rows = {"first": made.first + offset, "last": made.last + offset}
            parts.append(bar_columns(calendar, made.bars) | rows)
            offset += len(stretch)
        higher[timeframe.name] = joined(parts)
    return {
        "base_bars": _base_of(instrument, data, calendar, stretches, sources), "higher_bars": higher,
        "funding": _funding_of(instrument.id, data, sources),
        "beside": _beside_of(instrument, data, stretches, sources),
        "actions": _actions_of(instrument.id, data, sources),
        "borrow": _borrow_of(instrument.id, data, sources),
    }  # fmt: skip


def _base_of(
    instrument: Instrument, data: dict[str, Any], calendar: Calendar, stretches: list[Bars], sources: Sources
) -> Table:
    """Return the base bars, with mark and index price over each where the manifest pins them."""
    from evenkeel.data.side import SideKind
    from evenkeel.engine.beside import load_beside
    from evenkeel.engine.results import bar_columns, joined, price_columns

    parts = [bar_columns(calendar, stretch) for stretch in stretches]
    pins = data.get("beside") or {}
    if not stretches:
        return joined(parts)
    span = int(stretches[0].open_ns[0]), int(stretches[-1].close_ns[-1])
    held = load_beside(sources.catalogs, instrument, frozenset(), span, pins)
    for kind in (SideKind.MARK, SideKind.INDEX):
        prices = [held.price_bars(kind, stretch) if kind in pins else None for stretch in stretches]
        if any(price is not None for price in prices):
            pairs = zip(parts, prices, strict=True)
            parts = [part | price_columns(kind.value, price, len(part["open"])) for part, price in pairs]
    return joined(parts)


def _beside_of(
    instrument: Instrument, data: dict[str, Any], stretches: list[Bars], sources: Sources
) -> dict[str, pl.DataFrame]:
    """Return what the run could read beside its bars, by the revisions that the manifest pins."""
    import polars as pl

    from evenkeel.engine.beside import load_beside

    pins = data.get("beside") or {}
    if not pins or not stretches:
        return {}
    span = int(stretches[0].open_ns[0]), int(stretches[-1].close_ns[-1])
    held = load_beside(sources.catalogs, instrument, frozenset(), span, pins)
    found: dict[str, list[pl.DataFrame]] = {}
    for stretch in stretches:
        for name, (known, values) in held.columns(stretch).items():
            found.setdefault(name, []).append(pl.DataFrame({"known_ns": known, "value": values}))
    return {name: pl.concat(parts).unique("known_ns", keep="last").sort("known_ns") for name, parts in found.items()}


def _funding_of(instrument: InstrumentId, data: dict[str, Any], sources: Sources) -> pl.DataFrame | None:
    """Return the recorded funding settlements that the manifest pins, with their mark prices; None if it pins none."""
    import numpy as np
    import polars as pl

    from evenkeel.data.side import SideKind

    pins = data.get("beside", {})
    if data.get("funding") is None:
        return None
    rates = sources.side(instrument, SideKind.FUNDING, revision=pins["funding"])
    frame = pl.DataFrame({"stamp_ns": rates.stamps_ns, "rate": rates.columns["rate"]})
    if "mark" not in pins:
        return frame.with_columns(mark=pl.lit(np.nan))
    marks = sources.side(instrument, SideKind.MARK, revision=pins["mark"])
    price = marks.columns["price" if marks.timeframe is None else "open"]
    known = pl.DataFrame({"stamp_ns": marks.stamps_ns, "mark": price})
    return frame.join(known, on="stamp_ns", how="left", maintain_order="left")


def _actions_of(instrument: InstrumentId, data: dict[str, Any], sources: Sources) -> pl.DataFrame | None:
    """Return the splits and dividends that the manifest pins; None if it pins none."""
    from evenkeel.data.side import SideKind
    from evenkeel.engine.results import action_table

    pin = (data.get("beside") or {}).get("actions")
    return None if pin is None else action_table(sources.side(instrument, SideKind.ACTIONS, revision=pin))


def _borrow_of(instrument: InstrumentId, data: dict[str, Any], sources: Sources) -> pl.DataFrame | None:
    """Return the yearly rates of shorts that the manifest pins; None if it pins none."""
    from evenkeel.data.side import SideKind
    from evenkeel.engine.results import rate_table

    pin = (data.get("beside") or {}).get("borrow")
    return None if pin is None else rate_table(sources.side(instrument, SideKind.BORROW, revision=pin))


def _stretches(stored: Bars, calendar: Calendar, data: dict[str, Any]) -> list[Bars]:
    import numpy as np

    from evenkeel.model.bar import Bars
    from evenkeel.model.time import parse_time

    inside = np.flatnonzero(calendar.session_of(stored.open_ns) >= 0)
    bars = Bars(stored.timeframe, *(getattr(stored, name)[inside] for name in _COLUMNS))
    first = int(np.searchsorted(bars.open_ns, parse_time(data["start"]))) - data["warmup_bars"]
    used = bars.rows(first, first + data["base_bars"])
    cuts = [int(np.searchsorted(used.open_ns, parse_time(stop))) for _, stop, _ in data["gaps"]]
    spans = pairwise([0, *cuts, len(used)])
    return [used.rows(start, stop) for start, stop in spans if stop > start]
