"""YAML with positions: a text becomes plain values, and every value knows its line and column.

The rules are those of YAML 1.2's core schema, so `on` and `12:30` are words and `010` is ten, which they are not for
the library below. What a play has no use for is refused: tags, merge keys, keys that are not text, duplicate keys,
nesting beyond `DEPTH_MAX` (the parser would run out of stack), aliases that grow beyond `NODES_MAX` values.

    >>> source = read("entry: { order_type: LIMIT }", "play.yaml")
    >>> source.value
    {'entry': {'order_type': 'LIMIT'}}
    >>> source.spans[("entry", "order_type")].column
    22
"""

from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import yaml

from evenkeel.model.errors import StorageError, UsageError
from evenkeel.strategies.play.problems import PROBLEMS_MAX, Path, Problem, Span, dotted

SIZE_MAX = 1_000_000
"""Largest text, in characters."""

TEXTS_KEPT = 256
"""Texts whose reading is remembered."""

DEPTH_MAX = 64
"""Deepest nesting of lists and maps."""

NODES_MAX = 100_000
"""Most values in a document after aliases are followed."""

WHOLE_MAX = 2**53
"""Largest whole number: beyond it float64 is no longer exact."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+\Z", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


@dataclass(frozen=True)
class Source:
    """A document with positions.

    Attributes:
        name: File name for messages.
        text: What was read.
        value: Maps, lists, text, numbers, booleans and None; None where the text could not be read.
        spans: Path of a value to its place.
        key_spans: Path of a map entry to the place of its key.
        faults: What is wrong with the text as YAML, in the order found.
        origins: Path of a value given on the command line to the option that gave it.
        inserts: Path of a part that stands elsewhere (in the file of a block) to where it does.
    """

    name: str
    text: str
    value: Any
    spans: dict[Path, Span] = field(default_factory=dict)
    key_spans: dict[Path, Span] = field(default_factory=dict)
    faults: tuple[Problem, ...] = ()
    origins: dict[Path, str] = field(default_factory=dict)
    inserts: dict[Path, Insert] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[str]:
        """The text line by line."""
        return self.text.splitlines()

    def problem(self, path: Path, message: str, *, kind: Any = "error", remedy: str = "", key: bool = False) -> Problem:
        """Return a problem of the value at `path`, or of its key; a value that is not there is shown at its parent."""
        for length in range(len(path), -1, -1):
            origin = self.origins.get(path[:length])
            if origin is not None:
                return Problem(kind=kind, file=origin, path=dotted(path), message=message, remedy=remedy)
            insert = self.inserts.get(path[:length])
            if insert is not None:
                place = (*insert.path, *path[length:])
                return insert.source.problem(place, f"{message}{insert.note}", kind=kind, remedy=remedy, key=key)
        span = self._span(path, key=key)
        return _problem(self, span, message, kind=kind, remedy=remedy, path=path)

    def place(self, path: Path) -> str:
        """Return in words where the key at `path` stands, seen from this file."""
        found = self.problem(path, "", key=True)
        if not found.line:
            return "on the command line"
        return f"in line {found.line}" if found.file == self.name else f"in {found.file}, line {found.line}"

    def is_inserted(self, path: Path) -> bool:
        """Whether what stands at `path` was written in another file."""
        found = next((self.inserts[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.inserts), None)
        return found is not None and found.source.name != self.name

    def _span(self, path: Path, *, key: bool) -> Span | None:
        if key and path in self.key_spans:
            return self.key_spans[path]
        if path in self.spans:
            return self.spans[path]
        for length in range(len(path) - 1, 0, -1):
            found = self.key_spans.get(path[:length]) or self.spans.get(path[:length])
            if found is not None:
                return found
        return self.spans.get(())


@dataclass(frozen=True)
class Insert:
    """Where a part of a document really stands.

    Attributes:
        source: The file that holds it.
        path: Its place there.
        note: Added to messages: how it came to be in the document.
    """

    source: Source
    path: Path
    note: str = ""


def read_file(path: pathlib.Path, *, what: str = "play") -> Source:
    """Return the document in a file.

    Args:
        path: The file.
        what: What it should hold, for the message if it is not there.

    Raises:
        UsageError: If there is no such file, or it is not text.
        StorageError: If the disk refuses.
    """
    return read(file_text(path, what=what), str(path))


def file_text(path: pathlib.Path, *, what: str = "play") -> str:
    """Return the text of a file; arguments and errors as of `read_file`."""
    try:
        with path.open("rb") as file:
            data = file.read(4 * SIZE_MAX + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageError(f"there is no file '{path}'; give the path of a {what}, or the name of an example") from None
    except OSError as error:
        raise StorageError(f"'{path}' cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start + 1} is {data[error.start]:#04x}, in line {line}"
        raise UsageError(f"'{path}' is not UTF-8 text: {byte}; save the file as UTF-8") from None
    return text


@lru_cache(maxsize=TEXTS_KEPT)
def read_again(text: str, name: str) -> Source:
    """Return what `read` returns, remembered: a sweep reads the same few texts for each of its sets.

    Whoever changes something in it takes a copy first.
    """
    return read(text, name)


def read(text: str, name: str) -> Source:
    """Return the document in `text`.

    Args:
        text: YAML; one document.
        name: File name for messages.

    Returns:
        The values with their positions. A text with faults gives a source with `faults`, never an exception.
    """
    reader = _Reader(Source(name, text, None))
    node = reader.compose()
    value = None if node is None else reader.convert(node, (), 0)
    source = reader.source
    return Source(name, text, value, source.spans, source.key_spans, tuple(reader.faults))


def scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]  # type: ignore[no-any-return]
    if len(text) <= 400 and _INT.match(text):
        return int(text)
    if len(text) <= 400 and _OTHER_BASE.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    return text


class _Reader:
    """One pass over one text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[Problem] = []
        self._nodes = 0

    def compose(self) -> yaml.Node | None:
        """Return the tree of the text if nothing stands against it."""
        if not self._fits():
            return None
        try:
            self._guard_events()
            node = None if self.faults else yaml.compose(self.source.text, Loader=_LOADER)
        except yaml.YAMLError as error:
            self._syntax(error)
            return None
        if node is None and not self.faults:
            self._fault(None, "the file is empty", "start from `keel new NAME`, or with `name: my_play`")
        return node

    def convert(self, node: yaml.Node, path: Path, depth: int) -> Any:
        """Return the value of a node and note its place."""
        self._nodes += 1
        span = _span_of(node)
        self.source.spans[path] = span
        if self._nodes > NODES_MAX or depth > DEPTH_MAX:
            if self._nodes <= NODES_MAX + 1:
                self._fault(span, "its aliases unfold into too many values", "write the values out")
            self._nodes = NODES_MAX + 2
            return None
        if isinstance(node, yaml.MappingNode):
            return self._map(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(child, (*path, index), depth + 1) for index, child in enumerate(node.value)]
        return self._scalar(node, path) if isinstance(node, yaml.ScalarNode) else None

    def _map(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            place = (*path, key)
            if key in found:
                self._duplicate(key, place, key_node)
                continue
            self.source.key_spans[place] = _span_of(key_node)
            found[key] = self.convert(value_node, place, depth + 1)
        return found

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        if plain and node.value == "<<":
            self._fault(_span_of(node), "merge keys (`<<`) are not allowed", "write the keys out", path)
            return None
        key = scalar(node.value) if plain else node.value
        if isinstance(node, yaml.ScalarNode) and isinstance(key, str):
            return key
        remedy = 'quote it: "..."'
        if isinstance(node, yaml.MappingNode):
            remedy = 'a variable must be quoted: "{{ name }}"'
        self._fault(_span_of(node), "a key must be text", remedy, path)
        return None

    def _duplicate(self, key: str, place: Path, node: yaml.Node) -> None:
        first = self.source.key_spans[place].line
        second = node.start_mark.line + 1
        message = f"the key '{key}' stands twice, in line {first} and in line {second}"
        self._fault(_span_of(node), message, "keep one", place)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.style:
            return node.value
        value = scalar(node.value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > WHOLE_MAX:
            self._fault(_span_of(node), f"a whole number must lie within ±{WHOLE_MAX}", "quote it if it is text", path)
            return None
        return value

    def _fits(self) -> bool:
        text = self.source.text
        if len(text) > SIZE_MAX:
            self._fault(None, f"the file has {len(text)} characters; the limit is {SIZE_MAX}", "")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self._fault(None, f"character {error.start + 1} is not valid Unicode", "save the file as UTF-8")
        return not self.faults

    def _guard_events(self) -> None:
        depth = 0
        for event in yaml.parse(self.source.text, Loader=_LOADER):
            tag = getattr(event, "tag", None)
            if tag is not None:
                self._fault(_span_of(event), f"the tag '{tag}' is not allowed", "remove it")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEPTH_MAX:
                self._fault(_span_of(event), f"nested deeper than {DEPTH_MAX} levels", "use `setups` to name parts")
                return

    def _syntax(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        span = Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else None
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        if "but found another document" in str(what):
            what = "a file holds one play, but a second document begins here"
        if mark and self._at(mark) == "\t":
            what = "a tab stands where only spaces may indent"
        context = getattr(error, "context", None)
        self._fault(span, f"this is not YAML: {what}{f' ({context})' if context else ''}", _syntax_remedy(str(what)))

    def _at(self, mark: Any) -> str:
        """Return the character at a mark; empty behind the end of its line."""
        lines = self.source.lines
        return lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""

    def _fault(self, span: Span | None, message: str, remedy: str, path: Path = ()) -> None:
        if len(self.faults) < PROBLEMS_MAX:
            self.faults.append(_problem(self.source, span, message, kind="error", remedy=remedy, path=path))


def _syntax_remedy(what: str) -> str:
    if "tab" in what or "'\\t'" in what:
        return "indent with spaces"
    if "mapping values are not allowed" in what:
        return "check the indentation, or quote a text that contains ': '"
    return ""


def _span_of(node: Any) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _problem(source: Source, span: Span | None, message: str, *, kind: Any, remedy: str, path: Path) -> Problem:
    if span is None:
        return Problem(kind=kind, file=source.name, path=dotted(path), message=message, remedy=remedy)
    excerpt = source.lines[span.line - 1] if span.line <= len(source.lines) else ""
    end = span.end_column if span.end_line == span.line else len(excerpt) + 1
    return Problem(
        kind=kind, file=source.name, line=span.line, column=span.column, width=max(1, end - span.column),
        path=dotted(path), message=message, remedy=remedy, excerpt=excerpt,
    )  # fmt: skip
