"""What live features keep over a restart, and whose it is.

A snapshot is a cache (ruling 44): one of other features or other code is refused by name, and whoever asked warms up
anew.
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Mapping

import msgspec

from evenkeel.data.forming import FormingSaved
from evenkeel.features.graph import Graph
from evenkeel.features.live_sheet import SheetSaved, TrackSaved
from evenkeel.features.node import Node
from evenkeel.features.timeline import Held, Program
from evenkeel.kernel import CACHE_FOLDER, PLUGIN_MODULE, source_digest
from evenkeel.model.errors import StorageError
from evenkeel.model.time import Timeframe

VERSION = 1
"""Of the form of `LiveSaved`."""


class Identity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whose state it is.

    Attributes:
        version: Of the form.
        code: Digest of what compiled code depends on: kernels, compiler, processor.
        features: Digest of the graphs, their nodes and parameters, and of the plug-ins among them.
        base: Timeframe of the base bars.
        calendar: Name of the market's calendar.
    """

    version: int
    code: str
    features: str
    base: str
    calendar: str

    @classmethod
    def of(cls, program: Program, base: Timeframe, calendar: str) -> Identity:
        """Return the identity of the features of a program."""
        code = source_digest() if CACHE_FOLDER is None else CACHE_FOLDER.name
        return cls(version=VERSION, code=code, features=_digest(program), base=str(base), calendar=calendar)


class LiveSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Live features between two base bars; see `LiveFeatures` for what the names mean."""

    identity: Identity
    segment: int
    settled_ns: int
    last_open_ns: int
    first: int | None
    scale: float
    exec_close: float
    counts: list[int]
    recent: list[tuple[int, float]]
    forming: FormingSaved
    sheets: list[SheetSaved]
    tracks: list[TrackSaved]
    side: dict[str, float]
    pending: dict[str, list[tuple[int, float]]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LiveSaved).decode
_identity = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


def write_saved(saved: LiveSaved) -> bytes:
    """Return it as bytes."""
    return _encode(saved)


def read_saved(data: bytes, own: Identity) -> LiveSaved:
    """Return what was saved, if it belongs to the features that are to go on with it.

    Raises:
        StorageError: If it cannot be read, or is of other features or of other code.
    """
    try:
        found = msgspec.msgpack.decode(_identity(data)["identity"], type=Identity)
        if (complaint := _complaint(found, own)) is None:
            return _decode(data)
    except (msgspec.MsgspecError, KeyError) as error:
        raise StorageError(
            f"the saved state of features cannot be read ({error}); start without it: they warm up anew"
        ) from None
    raise StorageError(f"the saved state of features {complaint}; it cannot be gone on with: they warm up anew")


def _complaint(found: Identity, own: Identity) -> str | None:
    if found.version != own.version:
        return f"has version {found.version}, and this is version {own.version}"
    if found.features != own.features:
        return "is of another strategy, other parameters or another plug-in"
    if (found.base, found.calendar) != (own.base, own.calendar):
        return f"is of {found.base} bars on {found.calendar}, and these are {own.base} bars on {own.calendar}"
    return None if found.code == own.code else "was written by other code, or on another kind of machine"


def _digest(program: Program) -> str:
    graphs = {str(timeframe): _graph_facts(graph) for timeframe, graph in program.graphs.items()}
    grids = [
        (str(timeframe), _graph_facts(grid.graph), _held_facts(grid.held), sorted(map(str, grid.timeframes)))
        for timeframe, grid in sorted(program.grids.items())
    ]
    decides = _graph_facts(program.decisions), _held_facts(program.held)
    warmup = sorted((str(timeframe), bars) for timeframe, bars in program.warmup.items())
    plugins = sorted({text for node in program.nodes if (text := _plugin_text(node))})
    facts = (str(program.exec), sorted(graphs.items()), grids, decides, warmup, plugins)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _graph_facts(graph: Graph) -> object:
    steps = [(step.node.name, step.params, step.inputs, step.outputs) for step in graph.steps]
    return steps, list(graph.columns.items()), graph.rows


def _held_facts(held: Mapping[str, Held]) -> object:
    return [(name, str(one.timeframe), one.row, one.of_grid) for name, one in held.items()]


def _plugin_text(node: Node) -> str:
    """Return the whole text of the plug-in that declares a node; nothing for a node of the package."""
    function = node.kernel.py_func
    if function.__module__ != PLUGIN_MODULE:
        return ""
    return "".join(linecache.getlines(function.__code__.co_filename))
