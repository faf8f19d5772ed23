"""A comparison in progress: both sides, and what was found so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from evenkeel.execution.executions import Piece
from evenkeel.execution.reconcile.terms import Difference, Ours, Policy, Repair
from evenkeel.model.ids import InstrumentId
from evenkeel.model.truth import Truth

SETTLED_NS = 5_000_000_000
"""A difference within so much time of the last fill or answer may be a message on its way."""


@dataclass(slots=True)
class Comparison:
    """Both sides, and what was found.

    Attributes:
        truth: What the broker said.
        ours: What we have.
        policy: What to do about what nothing explains.
        differences: In the order in which they were found.
        repairs: Likewise.
        waits: Whether something could not be judged yet.
        gone: Executions that count and that the broker has no more.
    """

    truth: Truth
    ours: Ours
    policy: Policy
    differences: list[Difference] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    waits: bool = False
    gone: list[Piece] = field(default_factory=list)

    def explained(self, difference: Difference, *repairs: Repair) -> None:
        """Note a difference of which the cause is known."""
        self.differences.append(msgspec.structs.replace(difference, explained=True))
        self.repairs += repairs

    def unexplained(self, difference: Difference, *repairs: Repair) -> None:
        """Note a difference that nothing explains; it counts, and is repaired, from the second answer on.

        One that a person lets be is told and no more.
        """
        if difference.key in self.ours.accepted:
            self.explained(difference)
            return
        first_ns = self.ours.doubts.get(difference.key)
        confirmed = first_ns is not None and self.truth.asked_ns >= first_ns + self.policy.confirm_ns
        self.differences.append(msgspec.structs.replace(difference, confirmed=confirmed))
        if confirmed:
            self.repairs += repairs

    def is_moving(self, instrument: InstrumentId | None) -> bool:
        """Whether something happened so lately that a difference may be a message on its way."""
        moved_ns = None if instrument is None else self.ours.moved_ns.get(instrument)
        return moved_ns is not None and self.is_recent(moved_ns)

    def is_recent(self, at_ns: int) -> bool:
        """Whether something happened after the question, or so shortly before it that the answer may lack it."""
        return at_ns > self.truth.asked_ns - SETTLED_NS

    def gap(self, instrument: InstrumentId) -> Decimal | None:
        """Return by how much a position differs from ours; None where it was not asked for."""
        if self.truth.positions is None:
            return None
        theirs, mine = self.truth.positions.get(instrument), self.ours.positions.get(instrument)
        return (Decimal(0) if theirs is None else theirs.quantity) - (Decimal(0) if mine is None else mine.quantity)
