"""Rows of the failure catalogue (operations.md 12) about disk, journal and stored state, through a whole session.

A session runs at a venue that answers; then something happens to its disk, while it runs or while it is down.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.log import AccountOpened, decode_entries, rebuild
from evenkeel.engine.clock import SessionClock
from evenkeel.engine.journal import Frame, JournalDamaged, read_journal, verify
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.engine.steps import EntryKind
from evenkeel.model.command import PlaceOrder
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.event import Event
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import Leg
from evenkeel.model.order import OrderState
from evenkeel.model.told import StorageTold, Store
from object_graph import differences
from property.test_world import SYMBOL
from session_desk import FOLDER, Place

JOURNAL, SNAPSHOTS = f"{FOLDER}/journal", f"{FOLDER}/snapshots"


def frames(disk: MemoryDisk) -> list[Frame]:
    return list(read_journal(disk, JOURNAL))


def opened(disk: MemoryDisk) -> list[AccountOpened]:
    return [entry for entry in decode_entries(frames(disk)) if isinstance(entry, AccountOpened)]


def stored(disk: MemoryDisk, kind: str) -> list[str]:
    """Return the paths of stored files of a kind, oldest first."""
    return sorted(path for path in disk.files if path.endswith(kind))


def folded(place: Place, disk: MemoryDisk) -> object:
    """Return the state of an account into which the whole journal was folded."""
    account = place.make()
    rebuild(account, read_journal(disk, JOURNAL))
    return account.state()


def killed(place: Place) -> MemoryDisk:
    """Kill the process when all it knows is written; return what the next one finds."""
    assert isinstance(place.disk, MemoryDisk)
    place.session.flush()
    place.disk = place.disk.copy()
    return place.disk


def holds_protected(place: Place) -> bool:
    held = place.exchange.positions.get(SYMBOL, D(0))
    stops = [order for order in place.account.supervisor.book.open.values() if order.leg is Leg.STOP]
    return held != 0 and [order.state for order in stops] == [OrderState.WORKING]


@pytest.fixture
def place() -> Place:
    """An account that holds a position with its stop, some hours in."""
    place = Place(MemoryDisk())
    place.open()
    place.run(90)
    place.until(lambda: holds_protected(place))
    return place


def test_rows_10_restart_is_no_restart_with_and_without_snapshot(place: Place) -> None:
    """Invariant I10: killed at any moment, the account is what it was, from a snapshot and from the whole journal."""
    before, disk = place.account.state(), killed(place)
    assert len(stored(disk, ".snap")) == 2
    assert folded(place, disk) == before
    session = place.open()

    assert session.begun > 0
    whole = place.make()
    opening = rebuild(whole, read_journal(disk, JOURNAL))
    assert opening is not None
    assert differences(session.account, whole, leave_out=frozenset({"_told"})) == []


def test_row_62_a_torn_tail_is_cut_kept_and_journaled(place: Place) -> None:
    disk = killed(place)
    path = stored(disk, ".seg")[-1]
    whole = disk.read(path, 0, UNLIMITED)
    disk.open(path).append(b"\x07torn")
    before = folded(place, disk)

    session = place.open()

    (note,) = session.notes
    assert note.startswith(
        f"5 bytes of an interrupted write were cut from {path.rpartition('/')[2]} at byte {len(whole)}"
    )
    (kept,) = stored(disk, ".torn")
    assert disk.read(kept, 0, 99) == b"\x07torn"
    assert opened(disk)[-1].notes == session.notes
    assert folded(place, disk) == session.account.state()
    assert before != session.account.state()


def test_row_47_a_damaged_snapshot_falls_back_to_the_one_before(place: Place) -> None:
    state, disk = place.account.state(), killed(place)
    older, newest = stored(disk, ".snap")
    disk.files[newest][200] ^= 1

    session = place.open()

    assert session.begun == int(older.rpartition("/")[2].removesuffix(".snap"))
    assert session.notes == (f"snapshot {newest.rpartition('/')[2]} is not what was written: its digest differs",)
    assert opened(disk)[-1].notes == session.notes
    assert session.account.halt.level is HaltLevel.NORMAL
    assert session.account.state()["books"] == state["books"]
    assert folded(place, disk) == session.account.state()


@pytest.mark.parametrize("length", [0, 7, 60, 4000])
def test_row_47_a_snapshot_that_was_cut_short_is_passed_over(place: Place, length: int) -> None:
    disk = killed(place)
    older, newest = stored(disk, ".snap")
    disk.truncate(newest, length)

    session = place.open()

    assert session.begun == int(older.rpartition("/")[2].removesuffix(".snap"))
    assert len(session.notes) == 1


def test_row_48_without_a_whole_snapshot_the_journal_is_folded_and_the_account_halts(place: Place) -> None:
    disk = killed(place)
    for path in stored(disk, ".snap"):
        disk.files[path][-1] ^= 1

    session = place.open()

    assert session.begun == 0
    assert len(session.notes) == 2
    assert session.account.halt.level is HaltLevel.HALTED
    assert session.account.halt.reason(HaltCode.STATE_REBUILT) is not None
    assert folded(place, disk) == session.account.state()


def test_a_journal_without_snapshots_is_folded_without_a_halt(place: Place) -> None:
    """Snapshots are a cache: deleting them all is no damage."""
    disk = killed(place)
    for path in stored(disk, ".snap"):
        disk.remove(path)

    session = place.open()

    assert (session.begun, session.notes) == (0, ())
    assert session.account.halt.level is HaltLevel.NORMAL


def test_row_63_an_altered_entry_refuses_the_start_and_names_the_place(place: Place) -> None:
    disk = killed(place)
    path = stored(disk, ".seg")[-1]
    disk.files[path][100] ^= 1
    files = {path: bytes(content) for path, content in disk.files.items()}

    with pytest.raises(JournalDamaged, match=rf"{path.rpartition('/')[2]} at byte 40, entry \d+: .*restore the file"):
        place.open()

    assert {path: bytes(content) for path, content in disk.files.items()} == files


def test_row_63_an_altered_entry_before_the_snapshots_is_found_by_verify_and_at_the_close(place: Place) -> None:
    """Start verifies from the snapshot on (ruling 45); the close of the session walks all of it."""
    disk = killed(place)
    first = stored(disk, ".seg.gz")[0]
    content = bytearray(gzip.decompress(bytes(disk.files[first])))
    content[100] ^= 1
    disk.remove(first)
    disk.open(first).append(gzip.compress(bytes(content)))
    place.open()

    found = place.session.close()

    assert found is not None
    assert not found.ok
    assert (found.segment, found.offset, found.sequence) == ("000001.seg", 40, 0)


def test_row_64_a_journal_that_lost_its_end_is_refused(place: Place) -> None:
    """The snapshot is the anchor: it knows how far the journal had come."""
    disk = killed(place)
    del place.session
    last = stored(disk, ".seg")[-1]
    disk.remove(last)

    with pytest.raises(JournalDamaged, match="its end is missing"):
        place.open()


def test_row_49_a_journal_restored_from_another_time_does_not_fit_its_snapshot(place: Place) -> None:
    disk = killed(place)
    other = Place(MemoryDisk(), seed=2)
    other.open()
    other.run(240)
    assert isinstance(other.disk, MemoryDisk)
    for path in [path for path in disk.files if path.startswith(JOURNAL)]:
        disk.remove(path)
    for path, content in other.disk.copy().files.items():
        if path.startswith(JOURNAL):
            disk.open(path).append(bytes(content))

    with pytest.raises(JournalDamaged, match="taken of another journal"):
        place.open()


def test_rows_57_and_65_a_second_engine_of_the_account_is_refused(place: Place) -> None:
    with pytest.raises(StorageError, match="already"):
        place.open()


def test_a_missing_segment_refuses_the_start_by_its_name(place: Place) -> None:
    disk = killed(place)
    disk.remove(stored(disk, ".seg.gz")[0])

    with pytest.raises(JournalDamaged, match=r"000001.seg at byte 0: the file is missing"):
        place.open()


def test_an_archive_that_does_not_unpack_is_damage(place: Place) -> None:
    disk = killed(place)
    first = stored(disk, ".seg.gz")[0]
    disk.files[first][-20] ^= 1

    found = verify(disk, JOURNAL)

    assert not found.ok
    assert found.segment == "000001.seg.gz"


def test_row_102_old_segments_are_archived_and_read_as_before(place: Place) -> None:
    disk = killed(place)
    archived, plain = stored(disk, ".seg.gz"), stored(disk, ".seg")

    assert len(archived) >= 2
    assert len(plain) == 2
    assert verify(disk, JOURNAL).ok
    assert folded(place, disk) == place.account.state()
    packed = sum(len(disk.files[path]) for path in archived)
    assert packed < sum(len(gzip.decompress(bytes(disk.files[path]))) for path in archived) / 2


def test_row_46_a_read_only_disk_refuses_the_start() -> None:
    disk = MemoryDisk()
    disk.read_only = True

    with pytest.raises(StorageError, match="read-only; check the disk and its permissions"):
        Place(disk).open()


def test_row_45_a_full_disk_at_the_start_is_refused_with_the_space_that_is_needed() -> None:
    with pytest.raises(StorageError, match=r"has 0 MB of free space left; .* Free some space") as refused:
        Place(MemoryDisk(capacity=1000)).open()

    assert refused.value.reason == "DISK_FULL"


def told(disk: MemoryDisk, store: Store) -> list[bool]:
    """Return what the journal says the account was told of a store."""
    entries = decode_entries(frames(disk))
    return [entry.ok for entry in entries if isinstance(entry, StorageTold) and entry.store is store]


def test_row_45_on_a_full_disk_the_exit_is_journaled_from_the_reserve(place: Place) -> None:
    disk = place.disk
    assert isinstance(disk, MemoryDisk)
    full_at = len(place.sent)
    disk.capacity = sum(map(len, disk.files.values()))

    place.until(lambda: place.exchange.positions[SYMBOL] == 0)

    assert told(disk, Store.JOURNAL) == [False]
    assert f"{JOURNAL}/reserve" not in disk.files
    left = [one.order.leg for one in place.sent[full_at:] if isinstance(one, PlaceOrder)]
    assert left
    assert Leg.ENTRY not in left
    place.session.flush()
    assert folded(place, disk) == place.account.state()

    disk.capacity = UNLIMITED
    place.session.mend(place.now_ns)
    place.session.flush()

    assert told(disk, Store.JOURNAL) == [False, True]
    assert f"{JOURNAL}/reserve" in disk.files


@pytest.mark.parametrize("fault", ["read_only", "sync_fails"])
def test_rows_45_and_46_a_journal_that_fails_holds_entries_back_and_lets_exits_go(place: Place, fault: str) -> None:
    """Row 49 of the gates: entries refused, exits proceed with the emergency ring; the journal catches up later."""
    disk = place.disk
    assert isinstance(disk, MemoryDisk)
    failed_at = len(place.sent)
    setattr(disk, fault, True)

    place.until(lambda: place.exchange.positions[SYMBOL] == 0)
    place.run(60)

    left = [one.order.leg for one in place.sent[failed_at:] if isinstance(one, PlaceOrder)]
    assert left
    assert Leg.ENTRY not in left
    setattr(disk, fault, False)
    place.session.mend(place.now_ns)

    assert told(disk, Store.JOURNAL) == [False, True]
    assert folded(place, disk) == place.account.state()
    assert verify(disk, JOURNAL).ok


def test_a_snapshot_that_cannot_be_written_is_told_and_the_older_ones_stay(place: Place) -> None:
    disk = place.disk
    assert isinstance(disk, MemoryDisk)
    snapshots = stored(disk, ".snap")
    place.session.flush()
    disk.capacity = sum(map(len, disk.files.values())) + 5_000

    place.session.save()
    place.run(1)
    place.session.flush()

    assert stored(disk, ".snap") == snapshots
    assert not any(told(disk, Store.STATE))
    assert told(disk, Store.STATE)
    disk.capacity = UNLIMITED
    place.session.mend(place.now_ns)
    place.session.flush()
    assert told(disk, Store.STATE)[-1]
    assert stored(disk, ".snap") != snapshots


def test_row_40_a_clock_that_went_back_over_a_restart_stops_no_stamp_and_is_noted(place: Place) -> None:
    disk, last = killed(place), place.account.now_ns

    session = place.open(behind_ns=2 * 3_600_000_000_000)

    assert session.account.now_ns > last
    (note,) = session.notes
    assert note == "the clock stands 7200.000 s before the last entry of the journal"
    stamps = [entry.known_ns for entry in decode_entries(frames(disk)) if isinstance(entry, Event)]
    assert stamps == sorted(set(stamps))


def test_row_40_a_session_counts_on_the_monotonic_clock_from_where_the_one_before_ended() -> None:
    """Two hours back, and again two hours on: deadlines neither wait for the wall clock nor jump with it."""
    ticks = iter([1_000, 1_007, 5_000])
    clock = SessionClock(begun_ns=50, known_ns=7_200, monotonic=lambda: next(ticks))

    assert (clock.now(), clock.now()) == (7_208, 11_201)


def test_a_journal_of_a_newer_version_is_refused_with_the_remedy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenkeel.engine.account.session.SCHEMA", 7)
    disk = place.disk = MemoryDisk()
    place.open()
    monkeypatch.undo()
    place.disk = disk.copy()

    with pytest.raises(UsageError, match=r"written by a newer version .*in schema 7.*install that version") as refused:
        place.open()

    assert refused.value.reason == "JOURNAL_SCHEMA"


def other(account: Account) -> Account:
    """Return the account with strategies of other code."""
    for desk in account.desks.values():
        vars(desk.core.strategy)["hash"] = "another"
    return account


def test_a_changed_strategy_keeps_the_position_and_its_stop_and_starts_paused(
    place: Place,
) -> None:
    before, held = place.account.state(), place.account.books.position(SYMBOL)
    killed(place)
    made, place.make = place.make, lambda: other(made())

    session = place.open()

    assert session.begun == 0
    assert session.account.books.position(SYMBOL) == held
    assert session.account.state()["trades"] == before["trades"]
    assert session.account.state()["books"] == before["books"]
    reason = session.account.halt.reason(HaltCode.STRATEGY_CHANGED)
    assert reason is not None
    assert (reason.level, reason.text) == (HaltLevel.PAUSED, f"changed: restless on {SYMBOL}")
    place.until(lambda: place.exchange.positions[SYMBOL] == 0)
    place.run(60)
    assert place.exchange.positions[SYMBOL] == 0


class Mind:
    """What the strategy of these accounts remembers: how often it was asked since it was made."""

    def __init__(self, account: Account, name: str) -> None:
        (desk,) = account.desks.values()
        self.memory: dict[str, Any] = {"asked": 0}
        self.given: list[Mapping[str, Any]] = []
        vars(desk.core.strategy).update(hash=name, checkpoint=self.checkpoint, restore=self.restore)

    def checkpoint(self) -> dict[str, Any]:
        return dict(self.memory)

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.given.append(saved)


@pytest.mark.parametrize("snapshots", [True, False])
def test_what_a_strategy_remembered_is_given_to_the_same_one_only(snapshots: bool) -> None:
    """From A to B and back: B gets nothing of A's, and A begins anew, as it would without the first session."""
    place = Place(MemoryDisk())
    made, minds = place.make, list[Mind]()

    def session(name: str, remembers: int) -> Mind:
        def make() -> Account:
            account = made()
            minds.append(Mind(account, name))
            return account

        place.make = make
        account, mind = place.open().account, minds[-1]
        (desk,) = account.desks.values()
        mind.memory = {"asked": remembers}
        if remembers:
            place.run(1)
            assert desk.core.state.memory == {"asked": remembers}
            place.session.save()
        disk = killed(place)
        for path in [] if snapshots else stored(disk, ".snap"):
            disk.remove(path)
        return mind

    session("A", 3)
    assert session("A", 0).given[-1] == {"asked": 3}
    assert {"asked": 3} not in session("B", 5).given
    assert session("B", 0).given[-1] == {"asked": 5}
    assert session("A", 0).given[-1] == {}


def test_other_code_folds_the_journal_anew_and_goes_on(place: Place) -> None:
    killed(place)
    code = place.session._manifest.code

    session = place.open(code=type(code)(version="2", source="other"))

    assert session.begun == 0
    assert all("another program (version 0)" in note for note in session.notes)
    assert session.account.halt.level is HaltLevel.NORMAL


def test_a_strategy_that_holds_something_cannot_be_left_out(place: Place) -> None:
    killed(place)

    with pytest.raises(UsageError, match=rf"restless holds -?[\d.]+ of {SYMBOL} or has orders there") as refused:
        place.open(desks=())

    assert refused.value.reason == "UPGRADE_REFUSED"


@pytest.mark.parametrize(("name", "value"), [("run", "r2"), ("mode", "demo"), ("currency", "EUR"), ("start", D(5_000))])
def test_another_run_is_refused_by_what_differs(place: Place, name: str, value: Any) -> None:
    killed(place)

    with pytest.raises(UsageError, match=f"belongs to {name} .*{name} {value} was asked for"):
        place.open(**{name: value})


def test_the_multiplier_of_a_held_instrument_cannot_change() -> None:
    instrument = Definitions.load().find(SYMBOL)
    changed = msgspec.structs.replace(instrument, multiplier=D(10))
    place = Place(MemoryDisk())
    place.open(instruments={SYMBOL: instrument})
    place.until(lambda: holds_protected(place))
    killed(place)

    with pytest.raises(UsageError, match=f"the multiplier of {SYMBOL} was 1 when .* is 10 now"):
        place.open(instruments={SYMBOL: changed})

    place.open(instruments={SYMBOL: instrument})
    place.until(lambda: place.exchange.positions[SYMBOL] == 0 and not place.account.supervisor.brackets)
    killed(place)
    place.open(instruments={SYMBOL: changed})


def test_entries_of_an_older_schema_pass_through_every_migration(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schema 0 called the price of `PriceTold` `price`, schema 1 `tenths`, schema 2 calls it `last`."""
    disk = killed(place)
    old = [_in_schema_0(frame) for frame in frames(disk)]

    def to_1(kind: EntryKind, entry: dict[str, Any]) -> dict[str, Any]:
        if kind is EntryKind.EVENT and entry["type"] == "price_told":
            return {**entry, "tenths": entry.pop("price")}
        return entry

    def to_2(kind: EntryKind, entry: dict[str, Any]) -> dict[str, Any]:
        if kind is EntryKind.EVENT and entry["type"] == "price_told":
            return {**entry, "last": entry.pop("tenths")}
        return entry

    monkeypatch.setattr("evenkeel.engine.account.log.SCHEMA", 2)
    account = place.make()
    for entry in decode_entries(old, migrations={0: to_1, 1: to_2}):
        if isinstance(entry, AccountOpened):
            account.take_up(entry.manifest.hashes)
        else:
            account.fold(entry)

    assert account.state() == place.account.state()


def _in_schema_0(frame: Frame) -> Frame:
    plain = msgspec.msgpack.decode(frame.payload)
    if plain["type"] == "price_told":
        plain["price"] = plain.pop("last")
    if plain["type"] == "account_opened":
        plain["schema"] = 0
    return Frame(frame.sequence, frame.kind, frame.flags, msgspec.msgpack.encode(plain))


def test_an_entry_that_this_code_cannot_understand_is_named(place: Place) -> None:
    disk = killed(place)
    (first, *_) = [frame for frame in frames(disk) if frame.kind == EntryKind.EVENT]
    odd = Frame(first.sequence, first.kind, first.flags, msgspec.msgpack.encode({"type": "never_heard_of"}))

    with pytest.raises(StorageError, match=r"entry 1 of the journal cannot be understood: .*in schema 1"):
        list(decode_entries([odd]))
