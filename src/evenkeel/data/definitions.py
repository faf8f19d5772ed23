"""Instrument definitions: what ships, what the user added, and how a name finds one.

A name is an id (`BTCUSDT.BYBIT`) or a symbol that only one instrument has (`BTCUSDT`). Futures contracts are made by
rule, so any month and year works (`ESZ2013`). Nothing is guessed: an unknown name is refused with the nearest ones.

    >>> definitions = Definitions.load()
    >>> definitions.find("BTCUSDT").id
    'BTCUSDT.BYBIT'
    >>> definitions.find("ESZ2013").expiry
    '2013-12-20'
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import msgspec

from evenkeel.data.contracts import MONTH_CODES, Family, split_symbol
from evenkeel.data.definition_file import check, parse, read_file, write_file
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.instrument import Instrument

GENERATED_VENUE = "SIM"
"""Venue of generated markets; their symbols never make those of real instruments ambiguous."""

NEAREST_MAX = 3
ALIKE_MIN = 0.7
"""How like a name must be to be offered, as `difflib` measures it."""


class _FamilyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    as_of: str
    source: str
    families: list[Family]


class Definitions:
    """All instruments known here. The user's definitions of an id stand in for the shipped ones of that id."""

    def __init__(self, shipped: Iterable[Instrument], families: Iterable[Family], folder: Path | None) -> None:
        self._families: dict[str, list[Family]] = defaultdict(list)
        for family in families:
            self._families[family.root].append(family)
        self._folder = folder
        self._by_id: dict[str, list[Instrument]] = defaultdict(list)
        for instrument in shipped:
            self._by_id[instrument.id].append(instrument)
        for id_, own in _own_definitions(folder).items():
            self._by_id[id_] = own
        for dated in self._by_id.values():
            dated.sort(key=_since)

    @classmethod
    def load(cls, home_folder: Path | None = None) -> Definitions:
        """Read the shipped definitions and those in `<home_folder>/instruments`.

        Args:
            home_folder: The home of all state; None reads only what ships.

        Raises:
            DataError: If a file of the user's is not acceptable; the message names file and key.
        """
        instruments, families = _shipped()
        return cls(instruments, families, home_folder / "instruments" if home_folder else None)

    def find(self, text: str, *, on: str | None = None) -> Instrument:
        """Return the definition with that id, or with that symbol where it is unique.

        Args:
            text: `BTCUSDT.BYBIT`, `BTCUSDT`, `ESZ2013.CME` or `ESZ2013`; small letters are understood.
            on: ISO date at which the definition must hold. By default a contract's last trading day, else the newest.

        Raises:
            UsageError: If nothing or more than one is named so, or nothing held on that day; the message says what
                is near.
        """
        name = text.strip().upper()
        dated = self._by_id.get(name) or self._by_symbol(name) or self._contract(name)
        if not dated:
            raise UsageError(self._unknown(text), reason="UNKNOWN_INSTRUMENT")
        return _held_on(dated, on or dated[-1].expiry, strict=on is not None)

    def all(self) -> list[Instrument]:
        """Return every definition by id and date, without the contracts that are made by rule."""
        return [instrument for id_ in sorted(self._by_id) for instrument in self._by_id[id_]]

    def families(self) -> list[Family]:
        """Return the futures families whose contracts are made by rule, each with its newest terms."""
        return [self._families[root][-1] for root in sorted(self._families)]

    def nearest(self, text: str) -> list[str]:
        """Return the ids that a mistyped name may have meant, best first; at most three."""
        name = text.strip().upper()
        bare = name.replace("-", "").replace("/", "").replace(":", "")
        symbols: dict[str, list[str]] = defaultdict(list)
        for id_ in self._by_id:
            symbols[id_.rpartition(".")[0]].append(id_)
        found = [
            *self._contracts_of_short_year(name),
            *(id_ for symbol, ids in symbols.items() for id_ in ids if symbol.replace("-", "") == bare),
            *get_close_matches(name, self._by_id, n=NEAREST_MAX, cutoff=ALIKE_MIN),
            *(id_ for symbol in get_close_matches(name, symbols, cutoff=ALIKE_MIN) for id_ in symbols[symbol]),
        ]
        return list(dict.fromkeys(found))[:NEAREST_MAX]

    def add(self, instrument: Instrument) -> Path:
        """Store a definition of the user's in `<home>/instruments/<ID>.json` and use it from now on.

        A definition with the same `valid_from` is replaced, another one is kept beside it.

        Returns:
            The file.

        Raises:
            DataError: If the definition is not acceptable, or its dates overlap those of another one of the same id.
            StorageError: If the folder cannot be written; nothing was changed.
        """
        return self.add_all([instrument])[0]

    def add_all(self, instruments: list[Instrument]) -> list[Path]:
        """Store several definitions as `add` does; nothing is stored unless all are acceptable.

        Returns:
            The file of each id, in the order of the ids.

        Raises:
            DataError: As `add`.
            StorageError: If the folder cannot be written; files already written stay, each one whole.
        """
        if self._folder is None:
            raise UsageError("definitions can only be added where a home is known; give one with --home")
        merged: dict[str, list[Instrument]] = {}
        for instrument in instruments:
            path = self._folder / f"{instrument.id}.json"
            check(instrument, where=instrument.id)
            known = merged[instrument.id] if instrument.id in merged else _own_file(path)
            kept = [each for each in known if each.valid_from != instrument.valid_from]
            merged[instrument.id] = sorted([*kept, instrument], key=_since)
        for id_, dated in merged.items():
            _require_apart(dated, where=str(self._folder / f"{id_}.json"))
        return [self._store(self._folder / f"{id_}.json", merged[id_]) for id_ in sorted(merged)]

    def _store(self, path: Path, dated: list[Instrument]) -> Path:
        write_file(path, dated)
        self._by_id[dated[0].id] = dated
        return path

    def _contract(self, name: str) -> list[Instrument]:
        symbol, _, venue = name.rpartition(".")
        parts = split_symbol(symbol or name, set(self._families))
        if parts is None:
            return []
        root, code, year = parts
        families = [family for family in self._families[root] if not symbol or family.venue == venue]
        return [family.contract(code, year) for family in families]

    def _contracts_of_short_year(self, name: str) -> list[str]:
        """Return what `ESZ3` or `ESZ13` may mean; people write contracts so, but the decade would be a guess."""
        match = re.fullmatch(rf"(.+?)([{MONTH_CODES}])(\d\d?)(\..*)?", name)
        if match is None or match[1] not in self._families or match[2] not in self._families[match[1]][-1].months:
            return []
        family = self._families[match[1]][-1]
        years = [f"20{match[3]}"] if len(match[3]) == 2 else [f"202{match[3]}", f"201{match[3]}"]
        return [f"{family.root}{match[2]}{year}.{family.venue}" for year in years if int(year) >= family.first_year]

    def _by_symbol(self, name: str) -> list[Instrument]:
        venues = sorted(id_.rpartition(".")[2] for id_ in self._by_id if id_.rpartition(".")[0] == name)
        ids = [f"{name}.{venue}" for venue in venues if venue != GENERATED_VENUE or len(venues) == 1]
        if len(ids) > 1:
            message = f"'{name}' is not unique: {', '.join(ids)}; name one of them"
            raise UsageError(message, reason="AMBIGUOUS_INSTRUMENT")
        return self._by_id[ids[0]] if ids else []

    def _unknown(self, text: str) -> str:
        near = self.nearest(text)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        return (
            f"there is no instrument '{text}'; {hint}`keel instruments list` shows all, "
            "`keel instruments add` defines another"
        )


@cache
def _shipped() -> tuple[tuple[Instrument, ...], tuple[Family, ...]]:
    instruments: list[Instrument] = []
    families: list[Family] = []
    folder = files("evenkeel.data") / "instruments"
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.name == "futures.json":
            families = msgspec.json.decode(entry.read_bytes(), type=_FamilyFile).families
        elif entry.name.endswith(".json"):
            instruments += parse(entry.read_bytes(), where=entry.name)
    instruments += [family.continuous() for family in families]
    return tuple(instruments), tuple(families)


def _own_definitions(folder: Path | None) -> dict[str, list[Instrument]]:
    """Return the user's definitions by id; each file holds one id and is named after it."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.name.removesuffix(".json"): _own_file(path) for path in sorted(folder.glob("*.json"))}


def _own_file(path: Path) -> list[Instrument]:
    if not path.exists():
        return []
    instruments = read_file(path)
    for instrument in instruments:
        if f"{instrument.id}.json" != path.name:
            raise DataError(f"{path}: holds {instrument.id}; the file must be named after the id it defines")
    if not instruments:
        raise DataError(f"{path}: instruments is empty; remove the file or define {path.name.removesuffix('.json')}")
    dated = sorted(instruments, key=_since)
    _require_apart(dated, where=str(path))
    return dated


def _require_apart(dated: list[Instrument], *, where: str) -> None:
    for earlier, later in pairwise(dated):
        if earlier.valid_to is None or earlier.valid_to > (later.valid_from or ""):
            raise DataError(
                f"{where}: the definition from {earlier.valid_from or 'the start'} to {earlier.valid_to or 'the end'} "
                f"overlaps the one from {later.valid_from or 'the start'}; end it with valid_to {later.valid_from}"
            )


def _held_on(dated: list[Instrument], day: str | None, *, strict: bool) -> Instrument:
    """Return the definition that held on a day; without a day, or if none did and `strict` is off, the newest."""
    if day is None:
        return dated[-1]
    for instrument in dated:
        if (instrument.valid_from or "") <= day and (instrument.valid_to is None or day < instrument.valid_to):
            return instrument
    if not strict:
        return dated[-1]
    spans = "; ".join(f"{each.valid_from or 'the start'} to {each.valid_to or 'today'}" for each in dated)
    raise UsageError(f"{dated[-1].id} has no definition on {day}; it has for {spans}", reason="NOT_DEFINED_THEN")


def _since(instrument: Instrument) -> str:
    return instrument.valid_from or ""
