"""The flag on a healthy disk and on each kind of a bad one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evenkeel.engine.halt_document import SLOT_BYTES, flag_document, seal, seal_slot, unseal
from evenkeel.engine.halt_flag import STALE_NS, HaltFlag
from evenkeel.engine.journal.disk import Disk, RealDisk
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.halt import Halt, HaltCode, HaltLevel
from evenkeel.risk.halt import raised, unpaused
from halt_flags import (
    COPIES,
    FOLDER,
    HALT,
    KILL,
    PAUSE,
    PLACES,
    SLOTS,
    Clock,
    flag_on,
    raising,
    reason,
    releasing,
)  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


class BadDisk(MemoryDisk):
    """Some of its sectors cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[str] = set()

    def read(self, path: str, offset: int, length: int) -> bytes:
        if path in self.unreadable:
            raise StorageError(f"cannot read {path}: input/output error")
        return super().read(path, offset, length)


@pytest.fixture
def disk(clock: Clock) -> BadDisk:
    disk = BadDisk()
    flag_on(disk, clock).init_account(by="anna")
    return disk


@pytest.fixture(params=["real", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Disk, str]:
    return (RealDisk(), str(tmp_path / "state" / "halt")) if request.param == "real" else (MemoryDisk(), FOLDER)


def test_a_first_start_is_level_0_and_changes_survive_every_process(place: tuple[Disk, str], clock: Clock) -> None:
    disk, folder = place
    flag = flag_on(disk, clock, folder=folder)
    assert flag.init_account(by="anna") == Halt(set_by="anna")
    assert disk.list(folder) == [
        *(name for name in [".lock"] if name in disk.list(folder)), "acc-paper.json", "acc-paper.second.json",
        "acc-paper.slot-0", "acc-paper.slot-1",
    ]  # fmt: skip
    written = flag.change(raising(PAUSE, HALT))
    assert (written.level, written.epoch) == (HaltLevel.HALTED, 2)
    assert flag_on(disk, clock, folder=folder).read() == written
    assert flag_on(disk, clock, folder=folder).change(raising(KILL)).epoch == 3
    assert flag.read().level is HaltLevel.KILLED


def test_a_copy_is_read_by_a_person(disk: BadDisk, clock: Clock) -> None:
    flag_on(disk, clock).change(raising(reason(HaltCode.MANUAL, HaltLevel.KILLED, text="fat finger")))
    first, second = (msgspec.json.decode(disk.files[path]) for path in COPIES)
    assert first == second
    flag = first["flag"]
    assert (flag["schema"], flag["account"], flag["mode"], flag["level"]) == (1, "acc", "paper", 4)
    assert (flag["host"], flag["pid"], flag["halt"]["epoch"]) == ("here", 7, 2)
    assert flag["halt"]["reasons"][0]["text"] == "fat finger"


def test_a_change_that_changes_nothing_is_not_written(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    flag.change(raising(PAUSE))
    syncs = disk.syncs
    assert flag.change(raising(PAUSE)).epoch == 2
    assert disk.syncs == syncs


def test_no_flag_at_all_is_level_3(clock: Clock) -> None:
    halt = flag_on(MemoryDisk(), clock, known=Halt(epoch=8)).read()
    assert (halt.level, halt.epoch) == (HaltLevel.HALTED, 9)
    assert halt.reason(HaltCode.FLAG_MISSING) is not None


def test_a_known_account_is_not_created_again(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    assert flag.init_account(by="anna").level is HaltLevel.NORMAL
    flag.change(raising(KILL))
    for path in COPIES:
        disk.remove(path)
        with pytest.raises(StorageError, match="account acc had a halt flag already") as refused:
            flag_on(disk, clock).init_account(by="eve")
        assert refused.value.reason == "ACCOUNT_KNOWN"
        flag.change(raising(reason(HaltCode.INVARIANT, HaltLevel.KILLED, text=path)))


def test_an_account_that_the_journal_knows_is_not_created_again_where_its_flag_is_gone(clock: Clock) -> None:
    with pytest.raises(StorageError, match="had a halt flag already"):
        flag_on(MemoryDisk(), clock, known=Halt()).init_account(by="eve")


def test_a_creation_that_was_interrupted_can_be_finished(disk: BadDisk, clock: Clock) -> None:
    for path in PLACES[:3]:
        disk.remove(path)
        assert flag_on(disk, clock).init_account(by="anna").level is HaltLevel.NORMAL
        assert flag_on(disk, clock).read().level is HaltLevel.NORMAL


def test_a_flag_that_goes_back_under_a_running_engine_means_level_3(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    old = {path: bytes(disk.files[path]) for path in PLACES}
    flag.change(raising(PAUSE))
    assert flag.change(lambda halt: unpaused(halt, by="anna")).level is HaltLevel.NORMAL
    for path, content in old.items():
        disk.files[path][:] = content
    clock.forward(STALE_NS)
    seen = flag.read()
    assert (seen.level, seen.epoch) == (HaltLevel.HALTED, 4)


def test_another_writer_of_the_same_epoch_drops_nothing_that_this_process_knows(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    flag.change(raising(PAUSE))
    other = flag_document(raised(Halt(), HALT), account="acc", mode="paper", host="there", pid=1)
    for path in COPIES:
        disk.files[path][:] = seal(other)
    clock.forward(STALE_NS)
    assert set(flag.read().reasons) == {PAUSE, HALT}
    assert flag.read().epoch == 3


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    "damage", ["gone", "empty", "cut", "zeros", "flipped", "another epoch", "other account", "unreadable"]
)
def test_any_place_that_is_damaged_means_level_3_until_a_person_has_looked(
    disk: BadDisk, clock: Clock, path: str, damage: str
) -> None:
    """Catalogue row 50: halt flag file deleted or corrupted."""
    flag = flag_on(disk, clock)
    flag.change(raising(PAUSE))
    before = flag.read()
    spoil(disk, path, damage)
    clock.forward(STALE_NS)
    for seen in (flag.read(), flag_on(disk, clock).read()):
        assert seen.level is HaltLevel.HALTED
        assert seen.epoch > before.epoch
        found = seen.reason(HaltCode.FLAG_DAMAGED)
        assert found is not None
        assert path in found.text
    assert not flag.stands(before.epoch)


@pytest.mark.parametrize("path", PLACES)
def test_damage_of_one_place_hides_no_kill(disk: BadDisk, clock: Clock, path: str) -> None:
    flag_on(disk, clock).change(raising(KILL))
    spoil(disk, path, "flipped")
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED


def test_damage_that_heals_by_itself_still_waits_for_a_person(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    content = bytes(disk.files[COPIES[0]])
    spoil(disk, COPIES[0], "flipped")
    assert flag.read().level is HaltLevel.HALTED
    disk.files[COPIES[0]][:] = content
    clock.forward(STALE_NS)
    seen = flag.read()
    assert seen.level is HaltLevel.HALTED
    assert flag_on(disk, clock, known=seen).read().level is HaltLevel.HALTED


def test_a_release_repairs_every_place(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    for path in PLACES[1:]:
        spoil(disk, path, "zeros")
    damaged = flag.read()
    assert damaged.level is HaltLevel.HALTED
    healed = flag.change(releasing)
    assert (healed.level, healed.epoch) == (HaltLevel.NORMAL, damaged.epoch + 1)
    assert flag_on(disk, clock, known=healed).read() == healed


def test_a_flag_from_a_backup_is_older_than_the_journal_and_means_level_3(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    old = disk.copy()
    flag.change(raising(KILL))
    halt = flag_on(old, clock, known=Halt(epoch=2)).read()
    assert (halt.level, halt.epoch) == (HaltLevel.HALTED, 3)
    found = halt.reason(HaltCode.FLAG_DAMAGED)
    assert found is not None
    assert "epoch 1, that of 2 was seen before" in found.text


def test_the_newest_epoch_of_the_copies_counts(disk: BadDisk, clock: Clock) -> None:
    old = bytes(disk.files[COPIES[1]])
    flag_on(disk, clock).change(raising(KILL))
    disk.files[COPIES[1]][:] = old
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED
    newest = bytes(disk.files[COPIES[0]])
    disk.files[COPIES[0]][:], disk.files[COPIES[1]][:] = old, newest
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED


def test_two_writers_of_one_epoch_are_heard_both(disk: BadDisk, clock: Clock) -> None:
    for path, raise_it in zip(COPIES, (PAUSE, KILL), strict=True):
        halt = raised(Halt(), raise_it)
        disk.files[path][:] = seal(flag_document(halt, account="acc", mode="paper", host="here", pid=1))
    seen = flag_on(disk, clock).read()
    assert set(seen.reasons) == {PAUSE, KILL}
    assert seen.epoch == 3


def test_a_halt_between_check_and_send_is_seen_by_the_sender(disk: BadDisk, clock: Clock) -> None:
    """Catalogue row 51: the epoch that an order was approved under is compared right before its bytes leave."""
    engine, operator = flag_on(disk, clock), flag_on(disk, clock)
    approved = engine.read().epoch
    assert engine.stands(approved)
    operator.change(raising(HALT))
    assert not engine.stands(approved)
    assert engine.read().level is HaltLevel.HALTED


def test_what_the_file_system_does_not_tell_is_seen_after_200_ms(
    disk: BadDisk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = flag_on(disk, clock)
    flag.read()
    stats = {path: disk.stat(path) for path in PLACES}
    monkeypatch.setattr(disk, "stat", stats.__getitem__)
    halt = raised(Halt(), KILL)
    content = seal(flag_document(halt, account="acc", mode="paper", host="here", pid=1))
    disk.files[COPIES[0]][:] = content
    monkeypatch.setattr(disk, "read", lambda path, offset, length: bytes(disk.files[path]))
    clock.forward(STALE_NS - 1)
    assert flag.read().level is HaltLevel.NORMAL
    clock.forward(1)
    assert flag.read().level is HaltLevel.KILLED


def test_a_cached_reading_costs_no_reading_of_content(
    disk: BadDisk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = flag_on(disk, clock)
    flag.read()
    reads = 0

    def counted(path: str, offset: int, length: int) -> bytes:
        nonlocal reads
        reads += 1
        return MemoryDisk.read(disk, path, offset, length)

    monkeypatch.setattr(disk, "read", counted)
    for _ in range(5):
        clock.forward(1_000_000)
        flag.read()
    assert reads == 0
    flag_on(disk, clock).change(raising(PAUSE))
    reads = 0
    assert flag.read().level is HaltLevel.PAUSED
    assert reads == len(PLACES)


def test_a_halt_is_written_on_a_full_disk(disk: BadDisk, clock: Clock) -> None:
    """Catalogue row 45: the slot is written; exits and kill work by it."""
    disk.capacity = sum(map(len, disk.files.values()))
    flag = flag_on(disk, clock)
    copies = [bytes(disk.files[path]) for path in COPIES]
    for step, each in enumerate((PAUSE, HALT, KILL), start=2):
        assert flag.change(raising(each)).epoch == step
        assert flag_on(disk, clock).read().level is each.level
    assert [bytes(disk.files[path]) for path in COPIES] == copies
    disk.capacity += 100_000
    assert flag.change(releasing).level is HaltLevel.PAUSED
    assert flag_on(disk, clock).read().level is HaltLevel.PAUSED
    assert [bytes(disk.files[path]) for path in COPIES] != copies


def test_tearing_a_slot_hides_nothing_that_the_other_one_says(disk: BadDisk, clock: Clock) -> None:
    disk.capacity = sum(map(len, disk.files.values()))
    flag = flag_on(disk, clock)
    flag.change(raising(KILL))
    disk.tears_at = 30
    with pytest.raises(StorageError, match=r"could not be written to halt, and binds this process only"):
        flag.change(raising(PAUSE))
    assert set(flag.read().reasons) >= {KILL, PAUSE}
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED


def test_what_cannot_be_written_binds_this_process_and_is_written_when_it_can(disk: BadDisk, clock: Clock) -> None:
    """Catalogue row 46: on a read-only disk the writer hears of it."""
    flag = flag_on(disk, clock)
    disk.read_only = True
    with pytest.raises(StorageError, match="binds this process only; free some space or check") as refused:
        flag.change(raising(KILL))
    assert refused.value.reason == "FLAG_UNWRITABLE"
    for _ in range(3):
        assert flag.read().level is HaltLevel.KILLED
        clock.forward(STALE_NS)
    disk.read_only = False
    flag.change(raising(PAUSE))
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED


def test_a_change_of_nothing_brings_the_disk_up_to_date(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    spoil(disk, SLOTS[1], "flipped")
    damaged = flag.read()
    assert flag.change(lambda halt: halt) == damaged
    assert flag_on(disk, clock).read() == damaged


def test_a_lift_that_cannot_be_written_lifts_nothing(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    flag.change(raising(KILL))
    disk.read_only = True
    with pytest.raises(StorageError, match="so nothing was lifted"):
        flag.change(releasing)
    assert flag.read().level is HaltLevel.KILLED


def test_a_hanging_writer_keeps_nobody_from_raising_and_cannot_hide_it(disk: BadDisk, clock: Clock) -> None:
    """Catalogue row 52: an engine that is stopped within a write, a kill, and the engine that goes on."""
    frozen = disk.lock(FOLDER)
    stale = seal(flag_document(raised(Halt(), PAUSE), account="acc", mode="paper", host="here", pid=1))
    killer = flag_on(disk, clock)
    assert killer.change(raising(KILL)).level is HaltLevel.KILLED
    with pytest.raises(StorageError, match="being written"):
        killer.change(releasing)
    for path in COPIES:
        disk.files[path][:] = stale
    frozen.release()
    assert flag_on(disk, clock).read().level is HaltLevel.KILLED


def test_what_lifts_one_reason_of_several_waits_for_the_other_writer(disk: BadDisk, clock: Clock) -> None:
    flag = flag_on(disk, clock)
    flag.change(raising(PAUSE, KILL))
    disk.lock(FOLDER)
    lower = reason(HaltCode.MANUAL, HaltLevel.HALTED)
    for fewer in ((KILL,), (lower, PAUSE)):
        with pytest.raises(StorageError, match="being written") as refused:
            flag.change(lambda halt, fewer=fewer: msgspec.structs.replace(halt, reasons=fewer, epoch=halt.epoch + 1))  # type: ignore[misc]
        assert refused.value.reason == "STORAGE_BUSY"
    assert set(flag.read().reasons) == {PAUSE, KILL}


def test_slots_are_one_block_and_readings_a_fifth_of_a_second_old_at_most() -> None:
    assert (SLOT_BYTES, STALE_NS) == (4096, 200_000_000)


def test_a_slot_holds_every_reason_at_once() -> None:
    reasons = [
        reason(code, HaltLevel.HALTED, text="words that a person would read, at length " * 5) for code in HaltCode
    ]
    halt = raised(Halt(), *reasons)
    content = seal_slot(flag_document(halt, account="a" * 64, mode="backtest", host="h" * 64, pid=4_000_000))
    assert len(content) == SLOT_BYTES
    document = unseal(content, account="a" * 64, mode="backtest")
    assert not isinstance(document, str)
    assert [each.code for each in document.halt.reasons] == sorted(HaltCode)


def test_a_flag_of_a_newer_program_is_not_understood(disk: BadDisk, clock: Clock) -> None:
    document = flag_document(Halt(), account="acc", mode="paper", host="here", pid=1)
    for newer in (
        msgspec.structs.replace(document, schema=2),
        msgspec.structs.replace(document, level=HaltLevel.DERISK),
    ):
        assert isinstance(unseal(seal(newer), account="acc", mode="paper"), str)
    other_code = seal(flag_document(raised(Halt(), KILL), account="acc", mode="paper", host="here", pid=1))
    assert isinstance(unseal(other_code.replace(b"MANUAL", b"UNSEEN"), account="acc", mode="paper"), str)


@pytest.mark.parametrize("account", ["", "../other", "a/b", "a" * 65, "a b"])
def test_an_account_with_an_odd_name_is_refused(account: str) -> None:
    with pytest.raises(UsageError, match="an account's name"):
        HaltFlag(MemoryDisk(), FOLDER, account=account, mode="paper", host="", pid=1, clock=Clock())


def spoil(disk: BadDisk, path: str, damage: str) -> None:
    content = disk.files[path]
    if damage == "gone":
        del disk.files[path]
    elif damage == "empty":
        content.clear()
    elif damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "zeros":
        content[:] = bytes(len(content))
    elif damage == "flipped":
        content[len(content) // 2] ^= 64
    elif damage == "another epoch" and content.strip():
        content[:] = content.replace(b'"epoch":2', b'"epoch":9')
    elif damage == "another epoch":
        content[:1] = b"0"
    elif damage == "other account":
        content[:] = seal(flag_document(Halt(), account="b", mode="paper", host="h", pid=1)).ljust(len(content))
    else:
        disk.unreadable.add(path)
