"""Files of instrument definitions: shipped ones and the user's own, read with errors that name file and key.

    {"schema": "evenkeel.instruments/1", "as_of": "2025-06", "source": "...",
     "defaults": {"kind": "perpetual", "quote": "USDT", ...},
     "instruments": [{"id": "BTCUSDT.BYBIT", "base": "BTC", "tick_size": "0.1", ...}]}

`defaults` fill the keys that an instrument leaves out. Numbers are written as text, so that 0.1 stays 0.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import msgspec

from evenkeel.data.atomic import make_folder, write_atomically
from evenkeel.data.calendar import calendar_names
from evenkeel.model.errors import DataError, StorageError, UsageError
from evenkeel.model.instrument import ContractMargin, Fees, Instrument, RiskTier
from evenkeel.model.number import plain

SCHEMA = "evenkeel.instruments/1"
_TOP_KEYS = ("schema", "as_of", "source", "defaults", "instruments")
_INSTRUMENT_KEYS = tuple(Instrument.__struct_fields__)
_FEE_KEYS = tuple(Fees.__struct_fields__)
_TIER_KEYS = tuple(RiskTier.__struct_fields__)
_MARGIN_KEYS = tuple(ContractMargin.__struct_fields__)
_NUMBERS = ("tick_size", "lot_size", "multiplier", "min_quantity", "max_quantity", "min_notional")
_ID = re.compile(r"[A-Z0-9][A-Z0-9_^-]*(\.[A-Z0-9_-]+)*\.[A-Z0-9_-]+")
_NUMBER = re.compile(r"-?\d{1,24}(\.\d{1,24})?")
_AT_KEY = re.compile(r" - at `\$\.?([^`]*)`")


def read_file(path: Path) -> list[Instrument]:
    """Return the definitions in a file.

    Raises:
        StorageError: If it cannot be read.
        DataError: If it is not a file of definitions; the message names file, entry and key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    return parse(data, where=str(path))


def parse(data: bytes, *, where: str) -> list[Instrument]:
    """Return the definitions in the bytes of a file.

    Args:
        data: JSON.
        where: The file, for messages.

    Raises:
        DataError: If it is not such a file.
    """
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise DataError(f"{where}: not JSON: {error}") from None
    entries, defaults = _entries(document, where)
    return [_instrument(entry, defaults, f"{where}: instruments[{row}]") for row, entry in enumerate(entries)]


def write_file(path: Path, instruments: list[Instrument]) -> None:
    """Write definitions whole or not at all.

    Raises:
        StorageError: If the folder cannot be written.
    """
    make_folder(path.parent)
    document = {"schema": SCHEMA, "instruments": [as_json(each) for each in instruments]}
    write_atomically(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def from_json(entry: dict[str, Any], *, where: str) -> Instrument:
    """Return the definition that an object of such a file holds; the inverse of `as_json`.

    Args:
        entry: Keys of `Instrument`.
        where: For messages.

    Raises:
        DataError: If it is not acceptable; the message names the key.
    """
    return _instrument(entry, {}, where)


def as_json(instrument: Instrument) -> dict[str, Any]:
    """Return a definition as it stands in files: decimals as plain text, absent keys left out."""
    fields = {key: getattr(instrument, key) for key in _INSTRUMENT_KEYS}
    fields["fees"] = {key: plain(getattr(instrument.fees, key)) for key in _FEE_KEYS}
    fields["risk_tiers"] = [_plain(tier, _TIER_KEYS) for tier in instrument.risk_tiers] or None
    margin = instrument.contract_margin
    fields["contract_margin"] = None if margin is None else _plain(margin, _MARGIN_KEYS)
    for key in _NUMBERS:
        if fields[key] is not None:
            fields[key] = plain(fields[key])
    fields["kind"] = instrument.kind.value
    return {key: value for key, value in fields.items() if value is not None}


def _plain(part: RiskTier | ContractMargin, keys: tuple[str, ...]) -> dict[str, str]:
    return {key: plain(getattr(part, key)) for key in keys if getattr(part, key) is not None}


def check(instrument: Instrument, *, where: str) -> None:
    """Refuse a definition that could not be stored or used.

    Raises:
        DataError: If the id is no file name, the calendar is unknown, or dates are no dates or do not follow.
    """
    if not _ID.fullmatch(instrument.id):
        raise DataError(
            f"{where}: id '{instrument.id}' is not SYMBOL.VENUE in capital letters, digits, '-', '_' and '^'"
        )
    for key in ("calendar", "extended_calendar"):
        name = getattr(instrument, key)
        if name is not None and name not in calendar_names():
            near = _nearest(name.upper(), calendar_names())
            raise DataError(f"{where}: {key} '{name}' is not known{near}; known are {', '.join(calendar_names())}")
    for key in ("valid_from", "valid_to", "expiry"):
        day = getattr(instrument, key)
        if day is not None and not _is_day(day):
            raise DataError(f"{where}: {key} '{day}' is not a date; write 2024-01-31")
    if instrument.valid_from and instrument.valid_to and instrument.valid_from >= instrument.valid_to:
        raise DataError(
            f"{where}: valid_to {instrument.valid_to} must be later than valid_from {instrument.valid_from}"
        )
    if instrument.min_notional < 0:
        raise DataError(f"{where}: min_notional {plain(instrument.min_notional)} must not be negative")
    if instrument.max_quantity is not None and instrument.max_quantity < instrument.min_quantity:
        raise DataError(f"{where}: max_quantity {plain(instrument.max_quantity)} is below min_quantity")


def known_keys(mapping: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Refuse a key that nobody reads.

    Raises:
        DataError: If there is one; the message offers the nearest known key.
    """
    for key in mapping:
        if key not in known:
            raise DataError(f"{where}: unknown key '{key}'{_nearest(key, known)}; known are {', '.join(known)}")


def _entries(document: object, where: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if not isinstance(document, dict):
        raise DataError(f'{where}: expected an object with "schema" and "instruments"')
    known_keys(document, _TOP_KEYS, where)
    if document.get("schema") != SCHEMA:
        raise DataError(f'{where}: schema is {document.get("schema")!r}; expected "{SCHEMA}"')
    entries, defaults = document.get("instruments"), document.get("defaults", {})
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"{where}: instruments must be a list of objects")
    if not isinstance(defaults, dict):
        raise DataError(f"{where}: defaults must be an object")
    known_keys(defaults, _INSTRUMENT_KEYS, f"{where}: defaults")
    return cast("list[dict[str, Any]]", entries), cast("dict[str, Any]", defaults)


def _instrument(entry: dict[str, Any], defaults: dict[str, Any], where: str) -> Instrument:
    known_keys(entry, _INSTRUMENT_KEYS, where)
    merged = {**defaults, **entry}
    if isinstance(merged.get("fees"), dict):
        known_keys(merged["fees"], _FEE_KEYS, f"{where}.fees")
    if isinstance(merged.get("id"), str):
        where = f"{where} ({merged['id']})"
    _require_finite(merged, _NUMBERS, where)
    _require_finite(merged.get("fees"), _FEE_KEYS, f"{where}.fees")
    if isinstance(merged.get("contract_margin"), dict):
        known_keys(merged["contract_margin"], _MARGIN_KEYS, f"{where}.contract_margin")
    _require_finite(merged.get("contract_margin"), _MARGIN_KEYS, f"{where}.contract_margin")
    tiers = merged.get("risk_tiers")
    for row, tier in enumerate(tiers if isinstance(tiers, list) else ()):
        if isinstance(tier, dict):
            known_keys(tier, _TIER_KEYS, f"{where}.risk_tiers[{row}]")
        _require_finite(tier, _TIER_KEYS, f"{where}.risk_tiers[{row}]")
    try:
        instrument = msgspec.convert(merged, Instrument)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}{_key_of(error)}") from None
    except UsageError as error:
        raise DataError(f"{where}: {error.message}") from None
    check(instrument, where=where)
    return instrument


def _require_finite(mapping: object, keys: tuple[str, ...], where: str) -> None:
    """Refuse texts that are no plain number; `Decimal` would take NaN and Infinity."""
    for key in keys if isinstance(mapping, dict) else ():
        value = cast("dict[str, Any]", mapping).get(key)
        if isinstance(value, str) and not _NUMBER.fullmatch(value):
            raise DataError(f"{where}: {key} '{value}' is not a number; write 0.25")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _key_of(error: msgspec.ValidationError) -> str:
    """Return msgspec's sentence with the key in front of it."""
    text = str(error)
    at = _AT_KEY.search(text)
    sentence = _AT_KEY.sub("", text).replace("Object missing required field", "misses the key")
    return f".{at[1]}: {sentence}" if at else f": {sentence}"


def _nearest(text: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(text, known, n=1)
    return f", did you mean '{near[0]}'?" if near else ""
