"""What a run of several instruments leaves behind: a record for each of them, and the account that they share.

The record of an instrument holds its fills, dead entries and funding, numbered as in a run of its own; `order` says
where each of its fills lies among those of the run. Equity, its end and its falls belong to the account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from evenkeel.engine.fill_table import Legs
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Ints
from evenkeel.model.ids import InstrumentId
from evenkeel.model.reason import StopReason
from evenkeel.venues.simulated.desks import Point, PointLine


def line_of(number: int, line: PointLine) -> int:
    """Return the line of equity points that tells something of an instrument."""
    return int(Point.FIRST) + number * len(PointLine) + int(line)


@dataclass(slots=True)
class PortfolioRecord:
    """The outcome of one lane.

    Attributes:
        lane: `research` or `engine`.
        instruments: Ids, in order.
        parts: What happened on each; its equity is what it would be if nothing else had traded.
        order: Numbers from 0 in the run of the fills of each part.
        times_ns: Instants at which execution bars closed, from the first decision on, and the moment after the last
            exit.
        curve: Lines by `Point` and `PointLine` at each.
        stop_reason: How the run ended.
        stop_ns: When.
        drawdown_intrabar: Deepest fall of the account from its peak at any close of a base bar, as a fraction.
        features_s: Seconds spent in features, where that was measured.
    """

    lane: str
    instruments: tuple[InstrumentId, ...]
    parts: tuple[RunRecord, ...]
    order: Sequence[Ints] = ()
    times_ns: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    curve: Ints = field(default_factory=lambda: np.zeros((2, 0), dtype=np.int64))
    stop_reason: StopReason = StopReason.END_OF_DATA
    stop_ns: int = 0
    drawdown_intrabar: float = 0.0
    features_s: float = 0.0

    @property
    def refusals(self) -> dict[str, int]:
        """Entries refused on all instruments, by reason."""
        counted: dict[str, int] = {}
        for part in self.parts:
            for reason, count in part.refusals.items():
                counted[reason] = counted.get(reason, 0) + count
        return dict(sorted(counted.items()))

    def legs(self) -> list[Legs]:
        """Return the closed legs on each instrument, as columns."""
        return [part.legs() for part in self.parts]

    def trade_numbers(self) -> list[Ints]:
        """Return for each instrument the number in the run of its trades 1, 2, ...: counted by their entries."""
        entered = [order[part.table().is_entry] for part, order in zip(self.parts, self.order, strict=True)]
        ranked = np.sort(np.concatenate(entered)) if entered else np.zeros(0, dtype=np.int64)
        return [np.searchsorted(ranked, own) + 1 for own in entered]

    def result_hash(self) -> str:
        """Return the digest of all that must repeat: the instruments and what happened on each, equity, the end."""
        digest = hashlib.sha256()
        encode = msgspec.msgpack.Encoder().encode
        for name, part, order in zip(self.instruments, self.parts, self.order, strict=True):
            digest.update(encode((name, part.result_hash())))
            digest.update(np.ascontiguousarray(order).tobytes())
        digest.update(np.ascontiguousarray(self.times_ns).tobytes())
        digest.update(np.ascontiguousarray(self.curve).tobytes())
        digest.update(encode((self.stop_reason, self.stop_ns)))
        return digest.hexdigest()
