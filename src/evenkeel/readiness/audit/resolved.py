"""What the resolved play in the manifest says about decisions: its ATR features, its partial exits, its schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.number import HUNDRED, ONE

PLAY = "strategy.resolved"
EXIT_SIDES = {"exit_long": (1,), "exit_short": (-1,), "exit_all": (1, -1)}
LENGTH_DEFAULT = Decimal(14)


@dataclass(frozen=True, slots=True)
class AverageRange:
    """An `atr` feature: its timeframe and its length in bars."""

    timeframe: str
    length: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the strategy decides.

    Attributes:
        intrabar: Whether at each base close too, not only at those of execution bars.
        entries_max: How many entries one execution bar may decide then.
    """

    intrabar: bool
    entries_max: int


def read_schedule(manifest: Document) -> Schedule:
    """Return the schedule of decisions; without a word on it each execution bar decides once."""
    mode, most = f"{PLAY}.timeframes.evaluate", f"{PLAY}.timeframes.max_entries_per_bar"
    return Schedule(
        intrabar=manifest.has(mode) and manifest.value(mode) == "intrabar",
        entries_max=int(manifest.number(most)) if manifest.has(most) else 1,
    )


def read_average_ranges(manifest: Document) -> dict[str, AverageRange]:
    """Return by feature id each `atr` of the play."""
    key = f"{PLAY}.features"
    features = (manifest.section(key) if manifest.has(key) else None) or {}
    found = {}
    for name, feature in features.items():
        if not isinstance(feature, dict) or feature.get("indicator") != "atr":
            continue
        params, timeframe = feature.get("params") or {}, feature.get("tf")
        stated = params.get("length", LENGTH_DEFAULT) if isinstance(params, dict) else params
        length = finite(stated, f"{manifest.name}: {key}.{name}.params.length")
        if not isinstance(timeframe, str) or length < 1:
            raise Unreadable(f"{manifest.name}: {key}.{name} needs a timeframe and a length from 1 on")
        found[name] = AverageRange(timeframe, int(length))
    return found


def read_exit_shares(manifest: Document) -> dict[int, frozenset[Decimal]] | None:
    """Return by side what fractions of a position the signals of the play close; None where it is no play.

    A whole exit is among them for each side that has an exit action without a percentage.
    """
    key = f"{PLAY}.actions"
    if not manifest.has(key):
        return None
    shares: dict[int, set[Decimal]] = {1: set(), -1: set()}
    for action, percent in _exits(manifest.value(key)):
        for side in EXIT_SIDES[action]:
            shares[side].add(ONE if percent is None else finite(percent, f"{manifest.name}: {key}.percent") / HUNDRED)
    return {side: frozenset(found) for side, found in shares.items()}


def _exits(actions: object) -> Iterator[tuple[str, object]]:
    """Yield each exit action with its percentage; actions are a map from action to rule, or blocks that emit them."""
    if isinstance(actions, dict):
        yield from ((action, None) for action in actions if action in EXIT_SIDES)
        return
    for block in actions if isinstance(actions, list) else []:
        cases = block.get("cases", []) if isinstance(block, dict) else []
        otherwise = block.get("else") if isinstance(block, dict) else None
        for case in [*(cases if isinstance(cases, list) else []), otherwise]:
            emits = case.get("emit", []) if isinstance(case, dict) else []
            yield from _emitted(emits if isinstance(emits, list) else [])


def _emitted(emits: list[object]) -> Iterator[tuple[str, object]]:
    for emit in emits:
        action, percent = (emit.get("action"), emit.get("percent")) if isinstance(emit, dict) else (emit, None)
        if isinstance(action, str) and action in EXIT_SIDES:
            yield action, percent
