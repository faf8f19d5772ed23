"""An account, the flag on its disk, operators and restarts together: no reason is lost, and none comes back."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from account_desk import AccountDesk
from evenkeel.engine.account.entry import HaltChanged
from evenkeel.engine.account.halting import operated
from evenkeel.engine.halt_flag import HaltFlag
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.event import Operated, Operation, SessionBegan
from evenkeel.model.halt import Halt, HaltCode, HaltLevel
from evenkeel.model.time import SECOND
from evenkeel.model.told import (
    Channel,
    FaultEscaped,
    FlagTold,
    IncidentTold,
    Link,
    LinkChanged,
    MarginCalled,
    Overridden,
    ResumeAsked,
)
from evenkeel.risk.halt import carried
from evenkeel.risk.resume import PHRASE

RAISES = {
    Operation.PAUSE: HaltCode.OPERATOR_PAUSE, Operation.FLATTEN: HaltCode.OPERATOR_FLATTEN,
    Operation.HALT: HaltCode.OPERATOR_HALT, Operation.KILL: HaltCode.MANUAL,
}  # fmt: skip
LASTING = {HaltCode.OPERATOR_HALT, HaltCode.MANUAL, HaltCode.MARGIN_CALL, HaltCode.UNHANDLED}
"""What only the procedure lifts."""


def said(halt: Halt) -> dict[HaltCode, HaltLevel]:
    """Return what stops an account, without words and stamps."""
    return {reason.code: reason.level for reason in halt.reasons}


class AccountHaltMachine(RuleBasedStateMachine):
    """A process with its account, and operators with a flag of their own on the same disk."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = AccountDesk()
        self.desk.ready()
        self.disk = MemoryDisk()
        self.flag(None).init_account(by="a person")
        self.engine = self.flag(None)
        self.known: Halt = self.desk.account.halt
        self.told: list[Operated] = []
        self.must: set[HaltCode] = set()
        self.epochs, self.done = [1], len(self.desk.steps)

    def flag(self, known: Halt | None) -> HaltFlag:
        return HaltFlag(
            self.disk, "halt", account="acc", mode="live", host="h", pid=1, clock=lambda: self.desk.now, known=known
        )

    def process(self) -> None:
        """Do what a driver does: carry each change of the halt over to the flag, and tell what differs."""
        while self.done < len(self.desk.steps):
            step = self.desk.steps[self.done]
            self.done += 1
            for entry in step.entries:
                if isinstance(entry, HaltChanged):
                    before, self.known = self.known, entry.halt
                    self.engine.change(partial(carried, before=before, after=self.known))
        found = self.engine.read()
        if (found.epoch, said(found)) != (self.known.epoch, said(self.known)):
            self.desk.tell(FlagTold, halt=found)
            self.process()

    def tell(self, kind: Any, **fields: Any) -> None:
        self.desk.tell(kind, **fields)
        self.process()

    @rule(operation=st.sampled_from([*RAISES, Operation.RESUME]))
    def somebody_writes_the_flag(self, operation: Operation) -> None:
        event = Operated(event_ns=self.desk.now, known_ns=self.desk.now, operation=operation, by="a person")
        self.flag(None).change(lambda halt: operated(halt, event))
        self.must |= {RAISES[operation]} & LASTING if operation in RAISES else set()
        self.told.append(event)

    @rule()
    def the_process_hears_of_it(self) -> None:
        if self.told:
            event = self.told.pop(0)
            self.tell(Operated, operation=event.operation, by=event.by)

    @rule()
    def margin_is_called(self) -> None:
        self.must.add(HaltCode.MARGIN_CALL)
        self.tell(MarginCalled, text="top up")

    @rule()
    def something_ends(self) -> None:
        self.tell(Overridden, what="margin", until_ns=self.desk.now + SECOND, by="a person")
        self.let_time_pass(2)

    @rule(link=st.sampled_from(Link))
    def the_link_changes(self, link: Link) -> None:
        self.tell(LinkChanged, channel=Channel.ORDERS, link=link)

    @rule(seconds=st.integers(1, 90))
    def let_time_pass(self, seconds: int) -> None:
        self.desk.wait(seconds)
        self.process()

    @rule()
    def the_process_starts_again(self) -> None:
        self.told.clear()
        self.begin()

    @rule()
    def the_process_dies_before_it_writes_the_flag(self) -> None:
        self.must.add(HaltCode.MARGIN_CALL)
        self.desk.tell(MarginCalled, text="top up")
        self.told.clear()
        self.begin()

    @rule()
    def a_fault_escapes(self) -> None:
        self.tell(FaultEscaped, text="division by zero")
        self.must.add(HaltCode.UNHANDLED)

    @rule(pick=st.booleans())
    def somebody_asks_to_trade_again(self, pick: bool) -> None:
        self.tell(IncidentTold, owner="a person", cause="known")
        before = self.desk.account.halt
        self.tell(
            ResumeAsked, phrase=PHRASE, operator="a person", reason="mended", epoch=before.epoch, live=True,
            approver="another" if pick else "", broker_reachable=True, journal_verified=True,
        )  # fmt: skip
        after = self.desk.account.halt
        if before.level >= HaltLevel.HALTED > after.level:
            assert pick or before.level is HaltLevel.HALTED
            self.must.clear()
            assert self.flag(None).read().level < HaltLevel.HALTED

    def begin(self) -> None:
        """Start the process: what its journal knows and what the disk says are both read."""
        self.known = self.desk.account.halt
        self.engine = self.flag(self.known)
        self.done = len(self.desk.steps)
        self.desk.tell(SessionBegan, halt=self.engine.change(lambda halt: halt))
        self.process()

    @invariant()
    def no_lasting_reason_is_lost(self) -> None:
        assert self.must <= {reason.code for reason in self.flag(None).read().reasons}
        assert self.flag(None).read().level >= self.desk.account.halt.level or self.told

    @invariant()
    def the_epoch_never_falls(self) -> None:
        self.epochs.append(self.desk.account.halt.epoch)
        assert self.epochs[-1] >= self.epochs[-2]

    @invariant()
    def where_both_say_the_same_epoch_they_say_the_same(self) -> None:
        found = self.flag(None).read()
        if found.epoch == self.desk.account.halt.epoch:
            assert said(found) == said(self.desk.account.halt)


TestAccountHalt = AccountHaltMachine.TestCase
TestAccountHalt.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
