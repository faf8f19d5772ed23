"""Lane against lane: the first place where two records of the same run differ, or none."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from evenkeel.engine.record import Fill, RunRecord
from evenkeel.model.time import format_time
from evenkeel.venues.simulated.book import Curve


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records held against each other.

    Attributes:
        fills: Fills compared.
        points: Points of the equity curve compared.
        difference: The first difference in words, or None.
    """

    fills: int
    points: int
    difference: str | None

    @property
    def equal(self) -> bool:
        """Whether nothing differs: times, sides, quantities, prices, reasons and money."""
        return self.difference is None


def compare(one: RunRecord, other: RunRecord) -> Comparison:
    """Compare two records fill by fill, then their dead entries, equity and ends."""
    difference = (
        _fills(one, other) or _dead_entries(one, other) or _curve(one, other) or _end(one, other) or _hash(one, other)
    )
    return Comparison(len(one.fills), len(one.times_ns), difference)


def _fills(one: RunRecord, other: RunRecord) -> str | None:
    for number, (a, b) in enumerate(zip(one.fills, other.fills, strict=False), 1):
        if _bare(a) != _bare(b):
            return f"fill {number}: {_first_field(a, b, one.lane, other.lane)}"
    return _counts("fills", len(one.fills), len(other.fills), one, other)


def _bare(fill: Fill) -> Fill:
    """Return a fill without ids and arrival stamps, which no lane shares."""
    event = msgspec.structs.replace(fill.event, client_id=None, known_ns=0)
    return msgspec.structs.replace(fill, event=event)


def _first_field(a: Fill, b: Fill, lane: str, other_lane: str) -> str:
    flat_a, flat_b = _flat(a), _flat(b)
    name = next(key for key in flat_a if flat_a[key] != flat_b[key])
    at = format_time(a.event.event_ns)
    return f"{name} is {flat_a[name]} in the {lane} lane and {flat_b[name]} in the {other_lane} lane, at {at}"


def _flat(fill: Fill) -> dict[str, object]:
    own = {name: value for name, value in msgspec.structs.asdict(fill).items() if name != "event"}
    return {**msgspec.structs.asdict(_bare(fill).event), **own}


def _counts(what: str, a: int, b: int, one: RunRecord, other: RunRecord) -> str | None:
    return None if a == b else f"the {one.lane} lane has {a} {what}, the {other.lane} lane {b}"


def _dead_entries(one: RunRecord, other: RunRecord) -> str | None:
    for number, (a, b) in enumerate(zip(one.dead_entries, other.dead_entries, strict=False), 1):
        if a != b:
            return f"dead entry {number}: {a} in the {one.lane} lane, {b} in the {other.lane} lane"
    return _counts("dead entries", len(one.dead_entries), len(other.dead_entries), one, other)


def _curve(one: RunRecord, other: RunRecord) -> str | None:
    if not np.array_equal(one.times_ns, other.times_ns):
        return (
            _counts("points of equity", len(one.times_ns), len(other.times_ns), one, other) or "times of equity differ"
        )
    differing = np.flatnonzero((one.curve != other.curve).any(axis=0))
    if len(differing) == 0:
        return None
    at = int(differing[0])
    a, b = one.curve[Curve.EQUITY, at], other.curve[Curve.EQUITY, at]
    return f"equity at {format_time(int(one.times_ns[at]))}: {a} and {b} counts of 1e-8"


def _end(one: RunRecord, other: RunRecord) -> str | None:
    ends = [(record.stop_reason, record.stop_ns, record.drawdown_intrabar) for record in (one, other)]
    return None if ends[0] == ends[1] else f"the runs end differently: {ends[0]} and {ends[1]}"


def _hash(one: RunRecord, other: RunRecord) -> str | None:
    return None if one.result_hash() == other.result_hash() else "the result hashes differ"
