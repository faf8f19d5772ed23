"""`keel instruments`: list, show, add and import definitions of what can be traded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import print_table
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.data.definitions import Definitions
    from evenkeel.model.instrument import Instrument

KINDS = ("perpetual", "future", "continuous_future", "spot", "equity", "fx", "index")
"""As in `evenkeel.model.instrument.InstrumentKind`; a test compares."""

_FEE_KEYS = ("maker_bps", "taker_bps", "per_contract")


@click.group(name="instruments")
def command() -> None:
    """List, show and add instrument definitions.

    \b
    Example:
      keel instruments list --kind perpetual
      keel instruments show ESZ2013
      keel instruments add DOT.US --like SPY --description "Dot Corporation"
    """


@command.command(name="list")
@click.argument("text", required=False)
@click.option("--kind", type=OneOf(KINDS), help="Only instruments of this kind.")
@json_option
def list_command(text: str | None, kind: str | None, as_json: bool) -> None:
    """List the instruments, or those whose id or description holds TEXT.

    Dated futures contracts are made by rule and not listed one by one: any month and year works, `ESZ2013.CME`.

    \b
    Example:
      keel instruments list bitcoin
    """
    definitions = _definitions()
    found = [each for each in definitions.all() if _matches(each, text, kind)]
    if as_json:
        rows = [_document_of(each) for each in found]
        families = [_family_document(family) for family in definitions.families()]
        emit({"schema": "evenkeel.instrument_list/1", "instruments": rows, "contract_families": families})
        return
    columns = ("id", "kind", "tick", "lot", "multiplier", "calendar", "description")
    print_table(columns, [_row(each) for each in found], right=("tick", "lot", "multiplier"))
    roots = ", ".join(f"{family.root} ({family.months})" for family in definitions.families())
    note(f"{len(found)} definitions. Contracts by root, month and year, for example ESZ2013: {roots}")


@command.command(name="show")
@click.argument("name", metavar="ID")
@click.option("--on", metavar="DATE", help="The definition that held on this day.")
@json_option
def show_command(name: str, on: str | None, as_json: bool) -> None:
    """Show one definition; ID is SYMBOL.VENUE, or a symbol that only one instrument has.

    \b
    Example:
      keel instruments show BTCUSDT
      keel instruments show 6E --on 2015-06-30
    """
    instrument = _definitions().find(name, on=_day(on, "--on"))
    document = _document_of(instrument)
    if as_json:
        emit({"schema": "evenkeel.instrument/1", "instrument": document})
        return
    _say_definition(document)


@command.command(name="add")
@click.argument("id_", metavar="ID")
@click.option("--like", metavar="ID", help="Take everything that is not given here from this instrument.")
@click.option("--kind", type=OneOf(KINDS), help="What it is; decides margin, fees and shorting.")
@click.option("--base", help="What one unit is made of. Default: the symbol.")
@click.option("--quote", help="Currency of the price.")
@click.option("--tick", "tick_size", metavar="NUMBER", help="Smallest step of an order price.")
@click.option("--lot", "lot_size", metavar="NUMBER", help="Smallest step of a quantity.")
@click.option("--multiplier", metavar="NUMBER", help="Money per point of price and unit. Default: 1.")
@click.option("--min-quantity", metavar="NUMBER", help="Smallest order, in units. Default: one lot.")
@click.option("--max-quantity", metavar="NUMBER", help="Largest order, in units.")
@click.option("--min-notional", metavar="NUMBER", help="Smallest order, in the quote currency.")
@click.option("--calendar", metavar="NAME", help="Session table, for example NYSE, CME_EQUITY or 24/7.")
@click.option("--maker-bps", metavar="NUMBER", help="Fee of a resting fill, basis points of the notional.")
@click.option("--taker-bps", metavar="NUMBER", help="Fee of a taking fill, basis points of the notional.")
@click.option("--per-contract", metavar="NUMBER", help="Fee per unit and side, in the quote currency, on top.")
@click.option("--shortable/--not-shortable", default=None, help="Whether a short position can be opened.")
@click.option("--absence-is-fault/--absence-is-normal", default=None, help="What an interval without a bar means.")
@click.option("--valid-from", metavar="DATE", help="First day of this definition.")
@click.option("--valid-to", metavar="DATE", help="Day after its last.")
@click.option("--expiry", metavar="DATE", help="Last trading day of a dated contract.")
@click.option("--description", help="For people.")
@json_option
def add_command(id_: str, like: str | None, as_json: bool, **given: Any) -> None:
    """Store a definition in the home folder; it stands in for a shipped one of the same ID.

    \b
    Example:
      keel instruments add MSTR.US --like SPY --description MicroStrategy
      keel instruments add AVAXUSDT.BYBIT --like SOLUSDT --base AVAX --tick 0.001 --lot 0.1
    """
    from evenkeel.data.definition_file import from_json

    definitions = _definitions()
    id_ = id_.upper()
    values = _values(definitions, id_, like, {key: value for key, value in given.items() if value is not None})
    instrument = from_json(values, where="as given")
    had = (current_home().instruments / f"{id_}.json").exists()
    path = definitions.add(instrument)
    if had:
        note(f"{id_} was defined there before; what held on the same dates is replaced")
    if as_json:
        emit({"schema": "evenkeel.instrument/1", "instrument": _document_of(instrument), "file": str(path)})
        return
    _say_definition(_document_of(instrument))
    say(f"\nstored in {path}")


@command.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def import_command(file: Path, as_json: bool) -> None:
    """Store all definitions of FILE in the home folder; one bad entry and none is stored.

    FILE is JSON as in the home folder: {"schema": "evenkeel.instruments/1", "instruments": [...]} with the keys that
    `keel instruments show ID --json` prints.

    \b
    Example:
      keel instruments import my-instruments.json
    """
    from evenkeel.data.definition_file import read_file

    definitions = _definitions()
    instruments = read_file(file)
    paths = definitions.add_all(instruments)
    if as_json:
        rows = [_document_of(each) for each in instruments]
        emit({"schema": "evenkeel.instrument_list/1", "instruments": rows, "files": [str(path) for path in paths]})
        return
    say(f"{len(instruments)} definitions stored in {current_home().instruments}")


def _definitions() -> Definitions:
    from evenkeel.data.definitions import Definitions

    return Definitions.load(current_home().root)


def _matches(instrument: Instrument, text: str | None, kind: str | None) -> bool:
    if kind is not None and instrument.kind.value != kind:
        return False
    return text is None or text.lower() in f"{instrument.id} {instrument.description}".lower()


def _row(instrument: Instrument) -> tuple[str, ...]:
    document = _document_of(instrument)
    shown = [str(document[key]) for key in ("id", "kind", "tick_size", "lot_size", "multiplier", "calendar")]
    dates = [f"from {instrument.valid_from}"] if instrument.valid_from else []
    dates += [f"until {instrument.valid_to}"] if instrument.valid_to else []
    return (*shown, instrument.description + (f" ({', '.join(dates)})" if dates else ""))


def _document_of(instrument: Instrument) -> dict[str, Any]:
    from evenkeel.data.definition_file import as_json

    return as_json(instrument)


def _family_document(family: Any) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(family)
    return document


def _say_definition(document: dict[str, Any]) -> None:
    flat = {key: value for key, value in document.items() if key != "fees"}
    flat |= {f"fees.{key}": value for key, value in document["fees"].items()}
    width = max(len(key) for key in flat)
    for key, value in flat.items():
        shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        if shown != "":
            say(f"{key.ljust(width)}  {shown}")


def _values(definitions: Definitions, id_: str, like: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the new definition: given ones, then those of the model, then defaults that are no guess."""
    values = _document_of(definitions.find(like)) if like else {}
    if like:
        # What belongs to the model's own history is not taken over.
        for key in ("valid_from", "valid_to", "expiry", "description"):
            values.pop(key, None)
    fees = {**values.get("fees", {}), **{key: given.pop(key) for key in _FEE_KEYS if key in given}}
    symbol = id_.rpartition(".")[0]
    if "lot_size" in given and "min_quantity" not in given:
        given["min_quantity"] = given["lot_size"]
    values = {**values, "base": symbol, **given, "id": id_, "fees": fees}
    missing = [key for key in ("kind", "quote", "tick_size", "lot_size", "calendar") if key not in values]
    if missing:
        options = ", ".join(f"--{key.removesuffix('_size')}" for key in missing)
        raise UsageError(f"{id_}: {options} must be given, or --like another instrument")
    return values


def _day(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"{option} '{text}' is not a date; write 2024-01-31") from None
