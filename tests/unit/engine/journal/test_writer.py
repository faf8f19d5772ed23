from __future__ import annotations

from threading import Event

import pytest

from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.engine.journal.segment import BEGINNING, create_segment
from evenkeel.engine.journal.writer import QUEUE_BYTES_MAX, InlineWriter, NewSegment, SyncThread, Tail
from evenkeel.model.errors import StorageError

WAIT_S = 10


class SlowDisk(MemoryDisk):
    """Each sync says that it has begun and waits until it may end."""

    def __init__(self) -> None:
        super().__init__()
        self.began = Event()
        self.may_end = Event()

    def _sync(self, path: str) -> None:
        self.began.set()
        if not self.may_end.wait(WAIT_S):
            raise StorageError("the test forgot the disk")
        super()._sync(path)


def tail_on(disk: MemoryDisk, *, durable: bool = True) -> Tail:
    create_segment(disk, "j", 1, BEGINNING.encode(), durable=False)
    return Tail(disk, "j", 1, durable=durable)


def test_one_sync_serves_every_barrier_that_is_waiting() -> None:
    disk = SlowDisk()
    writer = SyncThread(tail_on(disk), 0)
    writer.write([bytearray(b"first")])
    first = writer.request_barrier(1)
    assert disk.began.wait(WAIT_S)
    waiting = []
    for sequence in range(2, 12):
        writer.write([bytearray(b"more")])
        waiting.append(writer.request_barrier(sequence))
    assert not first.done()
    disk.may_end.set()
    for future in (first, *waiting):
        future.result(WAIT_S)
    assert disk.syncs == 2
    assert writer.promised == 11
    writer.close()


def test_a_barrier_returns_only_when_its_bytes_are_on_the_disk() -> None:
    disk = MemoryDisk()
    writer = SyncThread(tail_on(disk), 0)
    for step in range(50):
        writer.write([bytearray(b"%03d" % step)])
        writer.barrier(step + 1)
        after = disk.crash(surviving_bytes=0, names_survive=True)
        assert after.files["j/000001.seg"].endswith(b"%03d" % step)
    writer.close()


def test_writing_waits_for_no_disk() -> None:
    disk = SlowDisk()
    writer = SyncThread(tail_on(disk), 0)
    writer.request_barrier(0)
    assert disk.began.wait(WAIT_S)
    writer.write([bytearray(b"queued while the disk is busy")])
    assert b"queued" not in disk.files["j/000001.seg"]
    disk.may_end.set()
    writer.barrier(1)
    assert b"queued" in disk.files["j/000001.seg"]
    writer.close()


def test_a_queue_that_is_too_long_waits_for_the_disk() -> None:
    from threading import Thread

    disk = SlowDisk()
    writer = SyncThread(tail_on(disk), 0)
    writer.request_barrier(0)
    assert disk.began.wait(WAIT_S)
    writer.write([bytearray(QUEUE_BYTES_MAX + 1)])
    blocked = Thread(target=writer.write, args=([bytearray(b"one more")],))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    disk.may_end.set()
    blocked.join(WAIT_S)
    assert not blocked.is_alive()
    writer.close()


def test_a_waiter_cannot_cancel_what_others_rely_on() -> None:
    disk = SlowDisk()
    writer = SyncThread(tail_on(disk), 0)
    future = writer.request_barrier(1)
    assert not future.cancel()
    disk.may_end.set()
    future.result(WAIT_S)
    writer.close()


def test_a_failed_sync_reaches_every_waiter_and_all_who_come_later() -> None:
    """After a failed sync the operating system may have dropped the bytes: a second one proves nothing."""
    disk = SlowDisk()
    writer = SyncThread(tail_on(disk), 0)
    waiting = [writer.request_barrier(1), writer.request_barrier(2)]
    disk.sync_fails = True
    disk.may_end.set()
    for future in waiting:
        with pytest.raises(StorageError, match="cannot sync"):
            future.result(WAIT_S)
    disk.sync_fails = False
    with pytest.raises(StorageError, match="cannot sync"):
        writer.barrier(3)
    with pytest.raises(StorageError, match="cannot sync"):
        writer.write([bytearray(b"x")])
    assert writer.promised == 0
    with pytest.raises(StorageError, match="cannot sync"):
        writer.close()


def test_a_failed_write_without_a_waiter_is_told_at_the_next_call() -> None:
    disk = MemoryDisk(capacity=50)
    writer = SyncThread(tail_on(disk), 0)
    writer.write([bytearray(100)])
    with pytest.raises(StorageError, match="disk is full"):
        writer.barrier(1)
    with pytest.raises(StorageError, match="disk is full"):
        writer.close()


def test_closing_writes_and_syncs_what_was_taken() -> None:
    disk = MemoryDisk()
    writer = SyncThread(tail_on(disk), 0)
    writer.write([bytearray(b"last words")])
    writer.close()
    assert disk.crash(surviving_bytes=0, names_survive=True).files["j/000001.seg"].endswith(b"last words")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_our_own_in_the_thread_leaves_nobody_waiting() -> None:
    class BrokenDisk(MemoryDisk):
        def _sync(self, path: str) -> None:
            raise ZeroDivisionError

    writer = SyncThread(tail_on(BrokenDisk()), 0)
    with pytest.raises(StorageError, match="writer thread ended unexpectedly"):
        writer.request_barrier(1).result(WAIT_S)
    with pytest.raises(StorageError, match="writer thread ended unexpectedly"):
        writer.close()


@pytest.mark.parametrize("durable", [False, True])
def test_a_new_segment_is_on_the_disk_before_it_is_used_if_it_has_to_be(durable: bool) -> None:
    disk = MemoryDisk()
    tail = tail_on(disk, durable=durable)
    tail.write([bytearray(b"old"), NewSegment(2, b"header"), bytearray(b"new")])
    after = disk.crash(surviving_bytes=0, names_survive=False)
    if durable:
        assert after.files["j/000001.seg"].endswith(b"old")
        assert after.files["j/000002.seg"] == b"header"
    else:
        assert after.files == {}
    assert disk.files["j/000002.seg"] == b"headernew"


def test_the_inline_writer_never_syncs() -> None:
    disk = MemoryDisk()
    writer = InlineWriter(tail_on(disk, durable=False), 0)
    writer.write([bytearray(b"a"), NewSegment(2, b"header"), bytearray(b"b")])
    writer.barrier(1)
    assert writer.request_barrier(2).done()
    writer.close()
    assert disk.syncs == 0
    assert writer.promised == 2


def test_the_inline_writer_refuses_after_a_failure() -> None:
    disk = MemoryDisk(capacity=45)
    writer = InlineWriter(tail_on(disk, durable=False), 0)
    with pytest.raises(StorageError, match="disk is full"):
        writer.write([bytearray(10)])
    disk.capacity = 1000
    with pytest.raises(StorageError, match="disk is full"):
        writer.barrier(1)
