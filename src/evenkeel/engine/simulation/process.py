"""The process: the real account and its real journal, which is started, dies at the worst moments, and starts again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from evenkeel.engine.account.account import Account, AccountEvent, AccountStep, Entry, HaltChanged, OfDesk
from evenkeel.engine.account.halting import operated
from evenkeel.engine.account.log import AccountLog, encode_step, rebuild
from evenkeel.engine.journal import Journal, read_journal
from evenkeel.engine.journal.frame import FRAME_HEADER_BYTES
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.engine.simulation.agenda import Agenda
from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.engine.simulation.wire import MS, SECOND, Wire
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.errors import StorageError
from evenkeel.model.event import Operated, Operation, SessionBegan, TimePassed
from evenkeel.model.halt import Act, Halt, permits
from evenkeel.model.ids import Leg

FOLDER = "journal"
SEGMENT_BYTES = 256 * 1024
DOWN_S = 20
"""Seconds until a process that died is started again, at most."""
RETRY_NS = 5 * SECOND
"""Until a process that could not start is started again."""


class Violation(Exception):
    """A promise that did not hold.

    Attributes:
        check: Which promise, as a name.
    """

    def __init__(self, check: str, text: str) -> None:
        super().__init__(f"{check}: {text}")
        self.check = check


class CrashPoint(NamedTuple):
    """Where a journal ended when its process died.

    Attributes:
        last: Kind of the last entry that was written.
        next: Kind of the one that would have followed, or "nothing".
    """

    last: str
    next: str


class Witness(Protocol):
    """Who looks at what a process does."""

    def stepped(self, process: Process, step: AccountStep) -> None:
        """See a step that was folded."""

    def sent(self, process: Process, command: VenueCommand) -> None:
        """See a command that leaves."""

    def ended(self, process: Process, point: CrashPoint) -> None:
        """See the end of a process."""

    def started(self, process: Process) -> None:
        """See an account that was rebuilt from its journal, before it heard that a session began."""


def kind_of(entry: AccountEvent | Entry) -> str:
    """Return what kind of journal entry it is."""
    return f"OfDesk {type(entry.what).__name__}" if isinstance(entry, OfDesk) else type(entry).__name__


class Process:
    """The process of an account.

    Attributes:
        account: The account; the last one while the process is down.
        disk: Where its journal is.
        flag: What the halt flag on the disk says; operators write it whether the process lives or not.
        up: Whether it lives.
        up_since_ns: Since when, virtual time.
        wall_ns: By how much the wall clock is ahead of virtual time.
        stopped: The state of its account when it was stopped in order, until it has started again.
    """

    def __init__(
        self, make: Callable[[], Account], agenda: Agenda, wire: Wire, faults: Faults, draw: Draw,
        witnesses: tuple[Witness, ...],
    ) -> None:  # fmt: skip
        self._make, self._agenda, self._wire, self._faults, self._draw = make, agenda, wire, faults, draw
        self._witnesses = witnesses
        self.disk, self.flag = MemoryDisk(), Halt()
        self.up, self.up_since_ns, self.wall_ns = False, agenda.now_ns, 0
        self.stopped: dict[str, msgspec.Struct] | None = None
        self.account = make()
        self._stamp = 0
        self._anchor: tuple[int, int] = (0, 0)
        self._woken_ns: int | None = None
        self._pending: list[AccountStep] = []
        self._last_written = "nothing"
        self._trouble: Callable[[MemoryDisk], None] = lambda _: None
        self.start(agenda.now_ns)

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        return self._agenda.now_ns

    def known(self, now_ns: int) -> int:
        """Return an instant on the time axis of the account: anchored at the start, driven by a monotonic clock."""
        known, at_ns = self._anchor
        return known + now_ns - at_ns

    def tell(self, event: AccountEvent) -> None:
        """Hand an event to the process: fold and decide, write, and only then send."""
        if not self.up:
            return
        self._stamp = max(self._stamp + 1, self.known(self.now_ns))
        step = self.account.apply(msgspec.structs.replace(event, known_ns=self._stamp))
        self._pending.append(step)
        if self._faults.strikes(Fault.CRASH_BEFORE_JOURNAL) is not None:
            self._die(UNLIMITED)
        elif self._write(step):
            for witness in self._witnesses:
                witness.stepped(self, step)
            if self._send_all(step):
                self._wake()

    def operate(self, operation: Operation, at_ns: int) -> None:
        """Let an operator write the flag; the process hears of it a little later, if it lives."""
        event = Operated(event_ns=at_ns, known_ns=at_ns, operation=operation, by="operator")
        self.flag = operated(self.flag, event)
        self._agenda.schedule(at_ns + self._draw.randint(1, 900) * MS, lambda _: self.tell(event))

    def crash(self) -> None:
        """Let the process die; what it had not written is gone."""
        if self.up:
            self._die(UNLIMITED)

    def stop(self) -> None:
        """Stop the process in order: what it did is written."""
        if not self.up:
            return
        try:
            self._journal.barrier()
        except StorageError:
            self._die(UNLIMITED)
            return
        self._written()
        self._journal.close()
        self.stopped = self.account.state()
        self._end(self.disk)

    def trouble_disk(self, trouble: Callable[[MemoryDisk], None]) -> None:
        """Let the disk behave in another way, over crashes too."""
        self._trouble = trouble
        trouble(self.disk)

    def start(self, now_ns: int) -> None:
        """Start the process: rebuild the account from its journal, and tell it that a session began."""
        try:
            journal = Journal.open(self.disk, FOLDER, segment_bytes_max=SEGMENT_BYTES, durable=True, threaded=False)
        except StorageError:
            self._agenda.schedule(now_ns + RETRY_NS, self.start)
            return
        self._journal, self._log = journal, AccountLog(journal)
        self.account = self._make()
        rebuild(self.account, read_journal(self.disk, FOLDER))
        self._stamp = self.account.now_ns
        self._anchor = (max(self._stamp + 1, now_ns + self.wall_ns), now_ns)
        self.up, self.up_since_ns, self._woken_ns, self._pending = True, now_ns, None, []
        for witness in self._witnesses:
            witness.started(self)
        self.stopped = None
        self.tell(SessionBegan(event_ns=now_ns, known_ns=now_ns, halt=self.flag))

    def flushed(self) -> MemoryDisk:
        """Return the disk with all that the process did on it."""
        self._journal.barrier()
        self._written()
        return self.disk

    def rebuilt(self) -> Account:
        """Return what folding the journal gives."""
        again = self._make()
        rebuild(again, read_journal(self.flushed(), FOLDER))
        return again

    def _write(self, step: AccountStep) -> bool:
        """Write a step; return whether the process lives on."""
        cut: CrashPoint | None = None
        survives = UNLIMITED
        if step.commands:
            if (torn := self._faults.strikes(Fault.CRASH_IN_WRITE)) is not None:
                cut = self._tear(torn)
            elif (lost := self._faults.strikes(Fault.CRASH_IN_SYNC)) is not None:
                self.disk.sync_fails, survives = True, int(lost * 4096)
        try:
            self._log.write(step)
        except StorageError:
            self._die(survives, cut)
            return False
        if step.commands:
            self._written()
        for entry in step.entries:
            if isinstance(entry, HaltChanged) and entry.halt.epoch > self.flag.epoch:
                self.flag = entry.halt
        return True

    def _written(self) -> None:
        if self._pending:
            self._last_written = _kinds(self._pending)[-1]
            self._pending = []

    def _tear(self, badly: float) -> CrashPoint:
        """Let the disk take a part of what is about to be written; return between which entries it ends."""
        frames = [frame for step in self._pending for frame in encode_step(step)]
        sizes = [FRAME_HEADER_BYTES + len(payload) for _, payload in frames]
        kinds = [self._last_written, *_kinds(self._pending)]
        points = [CrashPoint(*pair) for pair in itertools.pairwise(kinds)]
        distinct = list(dict.fromkeys(points))
        chosen = distinct[int(badly * len(distinct))]
        place = len(points) - 1 - points[::-1].index(chosen)
        part = int((badly * len(distinct) % 1) * sizes[place])
        used = self.disk.capacity - self.disk.free(FOLDER)
        self.disk.capacity = used + sum(sizes[:place]) + part
        return chosen

    def _send_all(self, step: AccountStep) -> bool:
        """Send what a step commands; return whether the process lives on."""
        for command in step.commands:
            if self._faults.strikes(Fault.CRASH_BEFORE_SEND) is not None:
                self._die(UNLIMITED)
                return False
            if (what := self._faults.strikes(Fault.OPERATOR_AT_SEND)) is not None:
                self.operate((Operation.PAUSE, Operation.HALT, Operation.RESUME)[int(what * 3)], self.now_ns)
            self._send(command)
            if self._faults.strikes(Fault.CRASH_AFTER_SEND) is not None:
                self._die(UNLIMITED)
                return False
        return True

    def _send(self, command: VenueCommand) -> None:
        """Pass the border: an entry that was approved under another epoch of the flag does not leave."""
        if isinstance(command, PlaceOrder) and command.order.leg is Leg.ENTRY:
            if command.halt_epoch != self.flag.epoch:
                self._wire.hold_back(command, self.now_ns)
                return
            if not permits(self.flag.level, Act.ENTRY):
                raise Violation("halted entry", f"an entry left at level {self.flag.level}")
        for witness in self._witnesses:
            witness.sent(self, command)
        self._wire.carry(command, self.now_ns)

    def _wake(self) -> None:
        """Let the process be told when the next deadline of its state comes."""
        due = self.account.next_deadline()
        if due is None or due == self._woken_ns:
            return
        self._woken_ns = due

        def wake(at_ns: int) -> None:
            if self.up and self.account.next_deadline() == due:
                self._woken_ns = None
                self.tell(TimePassed(event_ns=at_ns, known_ns=at_ns))

        self._agenda.schedule(self.now_ns + max(due - self.known(self.now_ns), 1), wake)

    def _die(self, survives: int, point: CrashPoint | None = None) -> None:
        """End at once; with the power much of what was not synced may go."""
        self.disk.capacity = UNLIMITED
        power = survives != UNLIMITED or point is not None
        names = not power or self._draw.random() < 0.5
        after = self.disk.crash(surviving_bytes=survives, names_survive=names)
        self._end(after, point)

    def _end(self, disk: MemoryDisk, point: CrashPoint | None = None) -> None:
        if point is None:
            point = CrashPoint(self._last_written, _kinds(self._pending)[0] if self._pending else "nothing")
        self._wire.session += 1
        self.up = False
        self.disk = disk
        self._trouble(disk)
        for witness in self._witnesses:
            witness.ended(self, point)
        self._agenda.schedule(self.now_ns + self._draw.randint(1, DOWN_S) * SECOND, self.start)


def _kinds(steps: list[AccountStep]) -> list[str]:
    return [kind_of(entry) for step in steps for entry in (step.event, *step.entries)]
