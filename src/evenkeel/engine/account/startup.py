"""The start of a session as a part of the account: no entry before each step of operations.md 4.2 is done.

The steps before the first are those of the process: by `SessionBegan` it has read configuration and halt flag, holds
the lease, and has folded the journal. Protection and exits are judged from then on; only entries wait.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evenkeel.engine.account.reconciling import Reconciling
from evenkeel.execution.supervisor.supervisor import Supervisor
from evenkeel.model.event import BarsClosed, Event, PriceTold, SessionBegan
from evenkeel.model.ids import InstrumentId
from evenkeel.model.order import OrderState
from evenkeel.risk.gates.facts.engine import Phase


class Step(StrEnum):
    """What a start has come to; the words name what is being waited for."""

    SESSION = "session"
    """Nothing was begun."""
    ORDERS = "orders"
    """Every order on its way when the last session ended is being asked about (step 11)."""
    COMPARED = "compared"
    """The first clean comparison of everything is waited for (12 and 13)."""
    PROTECTED = "protected"
    """The venue's list does not cover each position yet (14)."""
    MARKET = "market"
    """An instrument has told no price and no bar since the session began (16 and 17)."""
    COMPARED_AGAIN = "compared_again"
    """The second clean comparison is waited for: it catches what filled meanwhile (18)."""
    RUNNING = "running"
    """Entries may be opened (19)."""


_NEXT = dict(zip(list(Step), list(Step)[1:], strict=False))


class StepTaken(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="step_taken", tag_field="type"):
    """The start of a session came one step further.

    Attributes:
        step: What is waited for now.
    """

    step: Step


class Starting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A start as it is stored.

    Attributes:
        step: What is waited for.
        told: Instruments that have told a price or a bar since the session began.
    """

    step: Step = Step.SESSION
    told: tuple[InstrumentId, ...] = ()


class Startup:
    """The start of the session that runs.

    Attributes:
        state: All of its state.
    """

    def __init__(self, supervisor: Supervisor, reconciling: Reconciling) -> None:
        self._supervisor, self._reconciling = supervisor, reconciling
        self.state = Starting()

    def saved(self) -> Starting:
        """Return all of it, as it is stored."""
        return self.state

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        self.state = msgspec.msgpack.decode(saved, type=Starting)

    @property
    def phase(self) -> Phase:
        """What the engine does, as the gates ask."""
        if self.state.step is not Step.RUNNING:
            return Phase.STARTING
        return Phase.RUNNING if self._reconciling.reconciled else Phase.RECONNECTING

    def hear(self, event: Event) -> None:
        """Fold that a session began, or that an instrument told a price or a bar."""
        if isinstance(event, SessionBegan):
            self.state = Starting(step=Step.ORDERS)
        elif isinstance(event, BarsClosed | PriceTold) and self.state.step is not Step.RUNNING:
            told = dict.fromkeys((*self.state.told, *([] if event.instrument is None else [event.instrument])))
            self.state = msgspec.structs.replace(self.state, told=tuple(told))

    def need(self) -> StepTaken | None:
        """Return the next step, if what was waited for is there."""
        step = self.state.step
        return StepTaken(step=_NEXT[step]) if self._is_done(step) else None

    def fold(self, entry: StepTaken) -> None:
        """Fold a step."""
        self.state = msgspec.structs.replace(self.state, step=entry.step)

    def _is_done(self, step: Step) -> bool:
        record = self._reconciling.record
        match step:
            case Step.SESSION | Step.RUNNING:
                return False
            case Step.ORDERS:
                return not any(
                    order.state in (OrderState.SENT, OrderState.UNKNOWN)
                    for order in self._supervisor.book.open.values()
                )
            case Step.COMPARED:
                return record.first_clean_ns is not None
            case Step.PROTECTED:
                bare = any(bracket.naked_ns is not None for bracket in self._supervisor.brackets.values())
                return record.protected and not bare
            case Step.MARKET:
                return set(self._reconciling.lots) <= set(self.state.told)
            case Step.COMPARED_AGAIN:
                return record.begun
