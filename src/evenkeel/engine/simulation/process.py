"""The process: the real account in its real session, which is started, dies at the worst moments, and starts again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeGuard

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import AccountEvent, AccountStep, HaltChanged, OfDesk
from evenkeel.engine.account.halting import operated
from evenkeel.engine.account.keeping import Storage
from evenkeel.engine.account.log import decode_entries, rebuild
from evenkeel.engine.account.manifest import AccountManifest, Code, DeskFacts
from evenkeel.engine.account.session import Session
from evenkeel.engine.journal import JOURNAL_FOLDER, JournalDamaged, read_journal
from evenkeel.engine.journal.frame import decode
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.engine.simulation.agenda import Agenda
from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.engine.simulation.frail import FrailDisk, PowerLost
from evenkeel.engine.simulation.overheard import Overheard
from evenkeel.engine.simulation.wire import MS, SECOND, Wire
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.errors import StorageError
from evenkeel.model.event import Operated, Operation, SessionBegan, TimePassed
from evenkeel.model.halt import Halt
from evenkeel.model.ids import Leg, RunId
from evenkeel.model.told import FlagTold
from evenkeel.risk.halt import carried, united

FOLDER = "run"
JOURNAL = f"{FOLDER}/{JOURNAL_FOLDER}"
STORAGE = Storage(segment_bytes_max=64 * 1024, reserve_bytes=32 * 1024, threaded=False)
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


def kind_of(entry: object) -> str:
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
        self, make: Callable[[], Overheard], agenda: Agenda, wire: Wire, faults: Faults, draw: Draw,
        witnesses: tuple[Witness, ...],
    ) -> None:  # fmt: skip
        self._make, self._agenda, self._wire, self._faults, self._draw = make, agenda, wire, faults, draw
        self._witnesses = witnesses
        self.disk, self.flag, self._halt = FrailDisk(), Halt(), Halt()
        self.disk.writes, self.disk.syncs_file = self._writes, self._syncs
        self.up, self.up_since_ns, self.wall_ns = False, agenda.now_ns, 0
        self.stopped: dict[str, msgspec.Struct] | None = None
        self.account: Account = make()
        self._manifest = manifest_of(self.account)
        self._anchor: tuple[int, int] = (0, 0)
        self._woken_ns: int | None = None
        self._heard: list[AccountStep] = []
        self._unwritten: list[str] = []
        self._last_written = "nothing"
        self._point: CrashPoint | None = None
        self._trouble: Callable[[MemoryDisk], None] | None = None
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
        if self._faults.strikes(Fault.CRASH_BEFORE_JOURNAL) is not None:
            self._die(UNLIMITED)
            return
        try:
            commands = self._session.tell(event, self.known(self.now_ns))
        except PowerLost as lost:
            self._die(lost.survives)
            return
        if self._finish(commands):
            self._wake()

    def before(self, account: Account, event: AccountEvent) -> None:
        """Hear what an account is about to fold: with the beginning of a session it was recovered."""
        if isinstance(event, SessionBegan):
            self.account, self._halt = account, account.halt
            self.flag = united(account.halt, self.flag)
            for witness in self._witnesses:
                witness.started(self)
            self.stopped = None

    def after(self, step: AccountStep) -> None:
        """Hear what an event led to."""
        self._heard.append(step)
        self._unwritten += [kind_of(entry) for entry in (step.event, *step.entries)]

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
        """Stop the process in order: what it did is written, with a snapshot."""
        if not self.up:
            return
        try:
            self._session.close()
        except PowerLost as lost:
            self._die(lost.survives)
            return
        if self._trouble is None:
            self.stopped = self.account.state()
        self._end(self.disk)

    def trouble_disk(self, trouble: Callable[[MemoryDisk], None] | None) -> None:
        """Let the disk behave in another way, over crashes too; None: it works again."""
        self._trouble = trouble
        if trouble is not None:
            trouble(self.disk)
            return
        self.disk.capacity, self.disk.read_only = UNLIMITED, False
        self.mend()

    def mend(self) -> None:
        """Let the session make its storage whole again, as a driver does every few seconds."""
        if not self.up:
            return
        try:
            commands = self._session.mend(self.known(self.now_ns))
        except PowerLost as lost:
            self._die(lost.survives)
            return
        if self._finish(commands):
            self._wake()

    def start(self, now_ns: int) -> None:
        """Start the process: recover the account, and tell it that a session began."""
        self._heard, self._unwritten, self._woken_ns = [], [], None
        self._anchor = (max(self.account.now_ns + 1, now_ns + self.wall_ns), now_ns)
        try:
            self._session, commands = Session.open(
                self.disk, FOLDER, self._listened, self._manifest, now_ns=self.known(now_ns), halt=self.flag,
                storage=STORAGE,
            )  # fmt: skip
        except PowerLost as lost:
            self._die(lost.survives)
            return
        except JournalDamaged as damaged:
            raise Violation("journal", str(damaged)) from None
        except StorageError:
            self._agenda.schedule(now_ns + RETRY_NS, self.start)
            return
        self.up, self.up_since_ns = True, now_ns
        if self._finish(commands):
            self._wake()

    def flushed(self) -> MemoryDisk:
        """Return the disk with all that the process did on it."""
        self._session.flush()
        return self.disk

    def rebuilt(self) -> Account:
        """Return what folding the whole journal gives."""
        again = self._make()
        rebuild(again, read_journal(self.flushed(), JOURNAL))
        return again

    def _listened(self) -> Overheard:
        account = self._make()
        account.listener = self
        return account

    def _write_flag(self, halt: Halt) -> None:
        """Write what stops the account; what another process wrote meanwhile stays, and the account hears of it."""
        self.flag, self._halt = carried(self.flag, self._halt, halt), halt
        if self.flag.epoch != halt.epoch:
            flag = self.flag
            self._agenda.schedule(
                self.now_ns + MS, lambda at_ns: self.tell(FlagTold(event_ns=at_ns, known_ns=at_ns, halt=flag))
            )

    def _finish(self, commands: tuple[VenueCommand, ...]) -> bool:
        """Show the steps that were written, and send what may leave; return whether the process lives on."""
        steps, self._heard = self._heard, []
        for step in steps:
            for entry in step.entries:
                if isinstance(entry, HaltChanged):
                    self._write_flag(entry.halt)
            for witness in self._witnesses:
                witness.stepped(self, step)
        for command in commands:
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
        if _is_entry(command) and command.halt_epoch != self.flag.epoch:
            self._wire.hold_back(command, self.now_ns)
            return
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

    def _writes(self, path: str, data: bytes) -> int | None:
        """Say how much of a write the disk takes before the power fails; None is all of it."""
        if not path.startswith(JOURNAL):
            return None
        torn = self._faults.strikes(Fault.CRASH_IN_WRITE)
        if torn is not None:
            return self._torn(data, torn)
        if self._unwritten:
            self._last_written, self._unwritten = self._unwritten[-1], []
        return None

    def _torn(self, data: bytes, badly: float) -> int:
        """Choose a place at which a write ends: between two entries, or inside the second; each kind of pair alike."""
        kinds, ends, offset = [self._last_written], [0], 0
        while (placed := decode(data, offset)) is not None:
            with suppress(StorageError):
                kinds += [kind_of(entry) for entry in decode_entries([placed.frame])]
            offset += placed.size
            ends.append(offset)
        points = [CrashPoint(*pair) for pair in itertools.pairwise(kinds)]
        if not points:
            return int(badly * len(data))
        distinct = list(dict.fromkeys(points))
        self._point = distinct[int(badly * len(distinct))]
        place = len(points) - 1 - points[::-1].index(self._point)
        return ends[place] + int((badly * len(distinct) % 1) * (ends[place + 1] - ends[place]))

    def _syncs(self, path: str) -> int | None:
        lost = self._faults.strikes(Fault.CRASH_IN_SYNC) if path.startswith(JOURNAL) else None
        return None if lost is None else int(lost * 4096)

    def _die(self, survives: int) -> None:
        """End at once; with the power, what was not synced may go."""
        self.disk.capacity = UNLIMITED
        names = survives == UNLIMITED or self._draw.random() < 0.5
        self._end(self.disk.crash(surviving_bytes=survives, names_survive=names))

    def _end(self, disk: FrailDisk) -> None:
        point, self._point = self._point, None
        if point is None:
            point = CrashPoint(self._last_written, self._unwritten[0] if self._unwritten else "nothing")
        self._wire.session += 1
        self.up, self.disk = False, disk
        if self._trouble is not None:
            self._trouble(disk)
        for witness in self._witnesses:
            witness.ended(self, point)
        self._agenda.schedule(self.now_ns + self._draw.randint(1, DOWN_S) * SECOND, self.start)


def _is_entry(command: VenueCommand) -> TypeGuard[PlaceOrder]:
    return isinstance(command, PlaceOrder) and command.order.leg is Leg.ENTRY


def manifest_of(account: Account) -> AccountManifest:
    """Return what an account of a world is made of."""
    desks = tuple(
        DeskFacts(strategy=key.strategy, instrument=key.instrument, kind="python", hash=desk.core.strategy.hash)
        for key, desk in account.desks.items()
    )
    return AccountManifest(
        run=RunId("simulated"), mode="live", start=Decimal(10_000), currency="USDT", desks=desks, instruments={},
        code=Code(version="0", source="0"),
    )  # fmt: skip
