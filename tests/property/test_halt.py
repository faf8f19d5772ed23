"""Whatever happens to a halt and to the disk it lies on, trading is never let go on by accident."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from evenkeel.engine.halt_document import unseal
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.model.errors import StorageError
from evenkeel.model.halt import Halt, HaltCause, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk.halt import EXPIRING, expired, raised, released, scaled, session_opened, unpaused
from halt_flags import HALT, KILL, PAUSE, PLACES, Clock, PowerLost, flag_on, on_stopping, raising, releasing

ABOVE_DERISK = [HaltLevel.PAUSED, HaltLevel.HALTED, HaltLevel.KILLED]


@st.composite
def reasons(draw: st.DrawFn, now_ns: int = 0) -> HaltReason:
    level = draw(st.sampled_from(ABOVE_DERISK))
    ends = draw(st.none() | st.integers(now_ns, now_ns + 1_000)) if level in EXPIRING else None
    return HaltReason(
        code=draw(st.sampled_from([code for code in HaltCode if code is not HaltCode.DERISK])),
        level=level,
        source=draw(st.sampled_from(HaltSource)),
        at_ns=now_ns,
        text=draw(st.text(max_size=20)),
        value=draw(st.none() | st.decimals(allow_nan=False, allow_infinity=False)),
        until_ns=ends,
    )


class HaltMachine(RuleBasedStateMachine):
    """One halt against a plain account of which reasons must still be there."""

    def __init__(self) -> None:
        super().__init__()
        self.halt = Halt()
        self.now_ns = 0
        self.active: dict[HaltCode, tuple[HaltLevel, int | None]] = {}

    def becomes(self, after: Halt) -> None:
        moved = after.reasons != self.halt.reasons
        assert after.epoch == self.halt.epoch + moved
        self.halt = after

    @rule(data=st.data())
    def raise_one(self, data: st.DataObject) -> None:
        reason = data.draw(reasons(self.now_ns))
        before = self.halt.level
        self.becomes(raised(self.halt, reason))
        assert self.halt.level >= max(before, reason.level)
        level, until = self.active.get(reason.code, (reason.level, reason.until_ns))
        level = max(level, reason.level)
        never = until is None or reason.until_ns is None or level is HaltLevel.KILLED
        self.active[reason.code] = (level, None if never else max(until or 0, reason.until_ns or 0))

    @rule(by_ns=st.integers(0, 700))
    def time_passes(self, by_ns: int) -> None:
        self.now_ns += by_ns
        self.becomes(expired(self.halt, self.now_ns))
        self.active = {
            code: (level, until) for code, (level, until) in self.active.items() if until is None or until > self.now_ns
        }

    @rule()
    def a_session_opens(self) -> None:
        self.becomes(session_opened(self.halt))
        self.active = {
            code: (level, until)
            for code, (level, until) in self.active.items()
            if code.cause is not HaltCause.BREAKER or level is HaltLevel.KILLED
        }

    @rule()
    def an_operator_resumes_a_pause(self) -> None:
        self.becomes(unpaused(self.halt, by="anna"))
        self.active = {code: kept for code, kept in self.active.items() if kept[0] is not HaltLevel.PAUSED}

    @rule(scale=st.sampled_from([Decimal(1), Decimal("0.75"), Decimal("0.5"), Decimal(0)]))
    def the_ladder_speaks(self, scale: Decimal) -> None:
        self.becomes(scaled(self.halt, scale, at_ns=self.now_ns))
        self.active.pop(HaltCode.DERISK, None)
        if scale != 1:
            self.active[HaltCode.DERISK] = (HaltLevel.DERISK, None)

    @precondition(lambda self: self.halt.level >= HaltLevel.HALTED)
    @rule()
    def the_procedure_passes(self) -> None:
        self.becomes(released(self.halt, by="anna", at_ns=self.now_ns))
        self.active = {code: kept for code, kept in self.active.items() if kept[0] < HaltLevel.HALTED}

    @invariant()
    def nothing_is_lifted_but_by_its_rule(self) -> None:
        assert {reason.code: (reason.level, reason.until_ns) for reason in self.halt.reasons} == self.active

    @invariant()
    def the_highest_reason_wins(self) -> None:
        assert self.halt.level == max((level for level, _ in self.active.values()), default=HaltLevel.NORMAL)


HaltMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestHalt = HaltMachine.TestCase


def on_disk(disk: MemoryDisk) -> set[int]:
    """Return the epochs of all whole documents that a machine would find."""
    found = [unseal(bytes(content), account="acc", mode="paper") for content in disk.files.values()]
    return {document.halt.epoch for document in found if not isinstance(document, str)}


class FlagMachine(RuleBasedStateMachine):
    """A flag through crashes, full disks and damage; each process that starts knows what the journal has seen."""

    @initialize()
    def create(self) -> None:
        self.clock = Clock()
        self.disk = MemoryDisk()
        self.flag = flag_on(self.disk, self.clock)
        self.seen = self.flag.init_account(by="anna")

    def looks(self, *, known: Halt) -> Halt:
        self.flag = flag_on(self.disk, self.clock, known=known)
        return self.flag.read()

    @rule(reason=reasons())
    def raise_one(self, reason: HaltReason) -> None:
        try:
            after = self.flag.change(lambda halt: raised(halt, reason))
        except StorageError:
            after = self.flag.read()
        assert after.level >= max(reason.level, self.seen.level)
        assert reason.code in {active.code for active in after.reasons}
        self.notes(after)

    @precondition(lambda self: self.seen.level >= HaltLevel.HALTED)
    @rule()
    def release(self) -> None:
        try:
            after = self.flag.change(releasing)
        except StorageError:
            after = self.flag.read()
            assert after.level >= self.seen.level
        self.notes(after)

    @rule(room=st.sampled_from([0, 10, UNLIMITED]))
    def the_disk_fills_or_empties(self, room: int) -> None:
        self.disk.capacity = min(sum(map(len, self.disk.files.values())) + room, UNLIMITED)

    @rule(read_only=st.booleans())
    def the_disk_turns(self, read_only: bool) -> None:
        self.disk.read_only = read_only

    @rule(path=st.sampled_from(PLACES), at=st.integers(0, 4_000), gone=st.booleans())
    def a_place_is_damaged(self, path: str, at: int, gone: bool) -> None:
        content = self.disk.files.get(path)
        if content is None:
            return
        if gone:
            del self.disk.files[path]
        elif content:
            content[at % len(content)] ^= 1
        self.clock.forward(1_000_000_000)
        after = self.flag.read()
        assert after.level >= max(HaltLevel.HALTED, self.seen.level)
        self.notes(after)

    @rule(
        reason=st.none() | reasons(), left=st.integers(0, 14), torn=st.integers(0, 5_000),
        surviving=st.sampled_from([0, 30, UNLIMITED]), names=st.booleans(),
    )  # fmt: skip
    def power_is_lost_within_a_change(
        self, reason: HaltReason | None, left: int, torn: int, surviving: int, names: bool
    ) -> None:
        """At every point of a write the next process reads no lower level, unless the lift was written already."""
        before, writing = self.seen, on_stopping(self.disk, left, torn)
        writing.read_only = self.disk.read_only
        process = flag_on(writing, self.clock, known=before)
        lifts = reason is None and before.level >= HaltLevel.HALTED
        done = False
        try:
            process.change(releasing if lifts else lambda halt: raised(halt, *([reason] if reason else [])))
            done = True
        except (PowerLost, StorageError):
            pass
        held_only = not done and self.disk.read_only
        self.disk = writing.crash(surviving_bytes=surviving, names_survive=names)
        self.disk.capacity = writing.capacity
        after = self.looks(known=before)
        if done and reason is not None:
            assert reason.code in {active.code for active in after.reasons}
        if held_only or not lifts or not on_disk(self.disk) or max(on_disk(self.disk)) <= before.epoch:
            assert after.level >= before.level
        self.seen = after

    def notes(self, after: Halt) -> None:
        same = (after.reasons, after.eased_until_ns) == (self.seen.reasons, self.seen.eased_until_ns)
        assert after.epoch > self.seen.epoch or same
        self.seen = after

    @invariant()
    def reading_again_says_the_same(self) -> None:
        assert self.flag.read() == self.seen
        self.clock.forward(1_000_000_000)
        assert self.flag.read() == self.seen
        assert self.flag.stands(self.seen.epoch)


FlagMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
TestFlag = FlagMachine.TestCase


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("surviving", [0, 40, UNLIMITED])
@pytest.mark.parametrize("torn", [0, 100, 5_000])
def test_at_every_point_of_a_write_the_level_is_the_one_before_or_the_one_after(
    torn: int, surviving: int, names: bool, full: bool
) -> None:
    clock, disk = Clock(), MemoryDisk()
    flag_on(disk, clock).init_account(by="anna")
    for change in (raising(PAUSE), raising(KILL), releasing, raising(HALT), releasing):
        before = flag_on(disk, clock).read()
        for left in range(20):
            writing = on_stopping(disk, left, torn)
            if full:
                writing.capacity = sum(map(len, writing.files.values()))
            process = flag_on(writing, clock, known=before)
            with suppress(PowerLost):
                process.change(change)
            found = writing.crash(surviving_bytes=surviving, names_survive=names)
            after, target = flag_on(found, clock, known=before).read(), change(before)
            torn_slot = after.reason(HaltCode.FLAG_DAMAGED) is not None
            assert torn_slot <= full
            if torn_slot:
                floor = target.level if target.epoch in on_disk(found) else before.level
                assert after.level >= max(floor, HaltLevel.HALTED)
            else:
                assert after.reasons in (before.reasons, target.reasons)
            if writing.left >= 0:
                assert after.reasons == target.reasons
        flag_on(disk, clock).change(change)


@given(st.binary(max_size=300))
@example(b"\xff")
@example(b'{"checksum": "x", "flag": null}')
def test_no_bytes_at_all_are_taken_for_a_flag_or_break_the_reader(content: bytes) -> None:
    assert isinstance(unseal(content, account="acc", mode="paper"), str)
