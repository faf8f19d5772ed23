"""`include`: the blocks of a play are written into it before anything is validated.

    include:
      - trend_filter                                        # ids get the block's name as prefix
      - { block: trend_filter, as: slow, with: { length: 200 } }

Every feature, structure and setup of a block comes in as `prefix_id`. What is wrong inside a block is told with the
line of the block's file. Structures of blocks stand before those of whoever includes them, so that these can use them.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, replace
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.strategies.library import Library
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.block import PARTS, Block, is_scalar, read_block
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.references import Given, Renaming, plain_texts
from evenkeel.strategies.play.schema import IncludeSection
from evenkeel.strategies.play.variables import Writer
from evenkeel.strategies.play.yaml_source import Insert, Source, read_file

DEPTH_MAX = 8
"""Longest chain of blocks that include blocks."""

INCLUDES_MAX = 100
"""Most blocks in a play, those inside blocks included."""


@dataclass(frozen=True)
class Site:
    """Who includes.

    Attributes:
        beside: Folder of its file; None if it is no file.
        trail: Files of the blocks around it, itself last; empty for a play.
    """

    beside: pathlib.Path | None
    trail: tuple[pathlib.Path, ...] = ()

    @property
    def level(self) -> int:
        """How many blocks stand around its text, itself included; 0 for a play."""
        return len(self.trail)


@dataclass(frozen=True)
class _Written:
    """A block as it comes into a document: parameters written in, ids with their prefix.

    Attributes:
        parts: Its features, structures and setups.
        old: New names back to those in the block, by section.
        log: Where the parts stand, and what was told of them.
        note: How it came into the document.
    """

    parts: dict[str, Any]
    old: dict[str, dict[str, str]]
    log: ProblemLog
    note: str

    def insert(self, path: Path) -> Insert:
        """Return where a part stands."""
        return Insert(self.log.source, path, self.note)


def expand(document: dict[str, Any], log: ProblemLog, library: Library, beside: pathlib.Path | None) -> dict[str, Any]:
    """Return the document with every block written in; the log's source then knows where each part stands.

    Args:
        document: A play, or another document with these sections, variables already written in.
        log: Takes the problems.
        library: Where blocks are looked up.
        beside: Folder of the document's file; None if it is no file.

    Raises:
        PlayErrors: If a block could not be brought in: every use of its names would be told as a mistake of its own.
    """
    if "include" not in document:
        return document
    expander = _Expander(library)
    expanded: dict[str, Any] = plain_texts(expander.expand(document, log, Site(beside)))
    if expander.incomplete:
        log.raise_if_failed()
    return expanded


def expand_block(block: Block, log: ProblemLog, library: Library, file: pathlib.Path) -> dict[str, Any]:
    """Return the parts of a block by itself, with its defaults; what needs a parameter without one is not judged."""
    expander = _Expander(library)
    written = expander.fill(block, {n: v for n, v in block.params.items() if v is not None}, block.required, log)
    parts: dict[str, Any] = plain_texts(expander.expand(written, log, Site(file.parent, (file.resolve(),))))
    return parts


class _Expander:
    """One expansion.

    Attributes:
        incomplete: Whether a block could not be brought in.
    """

    def __init__(self, library: Library) -> None:
        self.incomplete = False
        self._library = library
        self._count = 0

    def expand(self, document: dict[str, Any], log: ProblemLog, site: Site) -> dict[str, Any]:
        """Return a document with its blocks written in."""
        merged = {key: value for key, value in document.items() if key != "include"}
        items = document.get("include") or []
        if not isinstance(items, list):
            log.error(("include",), "include must be a list of blocks", "write `- block_name`, one a line")
            self.incomplete = True
            return merged
        merger = _Merger(merged, log)
        for index, item in enumerate(items):
            block = self._block(item, ("include", index), log, site)
            if block is None or not merger.add(block, ("include", index)):
                self.incomplete = True
        merger.finish()
        return merged

    def fill(self, block: Block, values: dict[str, Any], missing: frozenset[str], log: ProblemLog) -> dict[str, Any]:
        """Return the sections of a block with its parameters written in."""
        writer = Writer(values, log, noun="parameter", section="params", open_names=missing)
        written = {key: writer.write(part, (key,)) for key, part in block.parts.items()}
        for name in block.params:
            if name not in writer.used:
                log.warn(("params", name), f"the parameter '{name}' is never used", "remove it, or use it", key=True)
        return written

    def _block(self, item: Any, place: Path, log: ProblemLog, site: Site) -> _Written | None:
        request = {"block": item} if isinstance(item, str) else item
        section = sections.check(IncludeSection, request, place, log)
        if section is None:
            return None
        where = place if isinstance(item, str) else (*place, "block")
        file = self._find(section.block, where, log, site)
        if file is None:
            return None
        inner = ProblemLog(read_file(file, what="block"))
        block = read_block(inner)
        written = None
        if block is not None:
            written = self._write(block, section, request, place, log, inner, Site(file.parent, (*site.trail, file)))
        log.adopt(inner.problems())
        return written

    def _find(self, name: str, place: Path, log: ProblemLog, site: Site) -> pathlib.Path | None:
        try:
            file = self._library.find(name, kind="block", beside=site.beside)
        except UsageError as error:
            log.error(place, error.message)
            return None
        self._count += 1
        known = [path.resolve() for path in site.trail]
        if file.resolve() in known:
            circle = [path.stem for path in site.trail[known.index(file.resolve()) :]]
            log.error(place, f"blocks include each other in a circle: {' -> '.join([*circle, file.stem])}")
        elif site.level >= DEPTH_MAX:
            log.error(place, f"blocks include blocks more than {DEPTH_MAX} deep", "include some in the play itself")
        elif self._count > INCLUDES_MAX:
            log.error(place, f"there are more than {INCLUDES_MAX} blocks, those inside blocks included", "join some")
        else:
            return file
        return None

    def _write(
        self,
        block: Block,
        section: IncludeSection,
        request: dict[str, Any],
        place: Path,
        log: ProblemLog,
        inner: ProblemLog,
        site: Site,
    ) -> _Written:
        prefix = section.as_ or block.name
        note = f" (included as `{prefix}` {_in_words(log.source, place)})"
        given = _arguments(block, request.get("with") or {}, place, log)
        values = {**{n: v for n, v in block.params.items() if v is not None}, **_marked(given, site.level - 1)}
        missing = block.required - given.keys()
        for name in sorted(missing):
            log.error(place, f"the block '{block.name}' needs `{name}`", f"add `with: {{ {name}: … }}`", key=True)
        parts = self.expand(self.fill(block, values, missing, inner), inner, site)
        return _prefixed(parts, prefix, inner, note, site.level)


def _arguments(block: Block, given: dict[str, Any], place: Path, log: ProblemLog) -> dict[str, Any]:
    """Return the values that are given to a block, without those that it does not take."""
    known = {}
    for name, value in given.items():
        path = (*place, "with", name)
        if name not in block.params:
            remedy = suggestion(name, block.params) if block.params else "it takes none"
            log.error(path, f"the block '{block.name}' has no parameter '{name}'", remedy, key=True)
        elif not is_scalar(value):
            log.error(path, f"the parameter '{name}' must be a number, a text, true or false")
        else:
            known[name] = value
    return known


def _marked(values: dict[str, Any], level: int) -> dict[str, Any]:
    return {name: Given(value, level) if isinstance(value, str) else value for name, value in values.items()}


def _in_words(source: Source, place: Path) -> str:
    line = source.problem(place, "").line
    return f"in {source.name}, line {line}" if line else "on the command line"


def _prefixed(parts: dict[str, Any], prefix: str, log: ProblemLog, note: str, level: int) -> _Written:
    features, structures, setups = (parts.get(key, {}) for key in PARTS)
    names: dict[str, dict[str, str]] = {
        "features": {name: f"{prefix}_{name}" for name in features},
        "setups": {name: f"{prefix}_{name}" for name in setups},
        "structures": {key: f"{prefix}_{key}" for _, _, item in _structures(structures) if (key := _key(item))},
    }
    renaming = Renaming({**names["features"], **names["structures"]}, names["setups"], level)
    renamed = {
        "features": {names["features"][name]: renaming.feature(value) for name, value in features.items()},
        "setups": {names["setups"][name]: renaming.condition(value) for name, value in setups.items()},
        "structures": {role: [renaming.structure(item) for item in items] for role, items in structures.items()},
    }
    old = {section: {new: name for name, new in known.items()} for section, known in names.items()}
    return _Written(renamed, old, log, note)


def _structures(section: Any) -> list[tuple[str, int, Any]]:
    """Return role, position and declaration of each structure, as far as the section can be read."""
    if not isinstance(section, dict):
        return []
    lists = [(role, items) for role, items in section.items() if isinstance(items, list)]
    return [(role, index, item) for role, items in lists for index, item in enumerate(items)]


def _key(item: Any) -> str:
    key = item.get("key") if isinstance(item, dict) else None
    return str(key) if isinstance(key, str) else ""


class _Merger:
    """Writes blocks into one document and remembers where each part stands."""

    def __init__(self, document: dict[str, Any], log: ProblemLog) -> None:
        self._document = document
        self._log = log
        self._raw = log.source
        self._places: dict[Path, Insert] = dict(log.source.inserts)
        log.source = replace(log.source, inserts=self._places)
        self._structures: dict[str, list[tuple[Any, _Written, Path]]] = {}
        self._values: dict[str, str] = {
            name: self._raw.place(("features", name)) for name in self._section("features", {}) or {}
        }
        for role, index, item in _structures(self._section("structures", {})):
            if _key(item):
                self._values.setdefault(_key(item), self._raw.place(("structures", role, index, "key")))
        self._setups = {name: self._raw.place(("setups", name)) for name in self._section("setups", {}) or {}}

    def _section(self, name: str, absent: Any) -> Any:
        found = self._document.get(name)
        return absent if not isinstance(found, dict) else found

    def add(self, block: _Written, place: Path) -> bool:
        """Write in the parts of a block; what is there already is told with both places, and the answer is False."""
        twins = self._named(block, "features", self._values)
        for role, index, item in _structures(block.parts["structures"]):
            path: Path = ("structures", role, index)
            if not self._is_twin(_key(item), self._values, block, (*path, "key"), twins):
                self._structures.setdefault(role, []).append((item, block, path))
        twins += self._named(block, "setups", self._setups)
        if twins:
            more = f" (and {len(twins) - 1} more)" if len(twins) > 1 else ""
            where = (*place, "as") if ("include", place[1], "as") in self._raw.spans else place
            self._log.error(where, f"{twins[0]}{more}", "give the block another `as`")
        return not twins

    def _named(self, block: _Written, section: str, known: dict[str, str]) -> list[str]:
        """Write in a section that is a map of names; return the sentences of what is there already."""
        twins: list[str] = []
        for name, value in block.parts[section].items():
            path = (section, block.old[section][name])
            if self._is_twin(name, known, block, path, twins):
                continue
            own = self._document.get(section)
            if own is None:
                own = {}
            if isinstance(own, dict):
                self._document[section] = {**own, name: value}
                self._note((section, name), block, path)
        return twins

    def _is_twin(self, name: str, known: dict[str, str], block: _Written, path: Path, twins: list[str]) -> bool:
        if not name:
            return False
        where = f"{_in_words(block.log.source, path)}{block.note}"
        if name in known:
            twins.append(f"'{name}' is declared twice, {known[name]} and {where}")
            return True
        known[name] = where
        return False

    def _note(self, path: Path, block: _Written, place: Path) -> None:
        self._places[path] = block.insert(place)
        self._log.close_like(path, block.log, place)

    def finish(self) -> None:
        """Put the structures of the blocks before the document's own."""
        section = self._document.get("structures")
        if not self._structures or (section is not None and not isinstance(section, dict)):
            return
        merged = dict(section or {})
        for role, items in self._structures.items():
            own = merged.get(role, [])
            if not isinstance(own, list):
                continue
            merged[role] = [item for item, _, _ in items] + own
            if role not in (section or {}):
                self._note(("structures", role), items[0][1], ("structures", role))
            for index, (_, block, path) in enumerate(items):
                self._note(("structures", role, index), block, path)
            for index in range(len(own)):
                self._places[("structures", role, len(items) + index)] = Insert(self._raw, ("structures", role, index))
        self._document["structures"] = merged
