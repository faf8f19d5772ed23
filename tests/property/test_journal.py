"""Whatever is appended and however it ends, a barrier is kept and recovery finds whole steps, in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evenkeel
from evenkeel.engine.journal import Journal, RealDisk, verify
from evenkeel.engine.journal.frame import FRAME_HEADER_BYTES
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError

Step = list[bytes]

payloads = st.binary(max_size=60)
steps = st.lists(payloads, min_size=1, max_size=4)
acts = st.lists(st.one_of(steps, st.just("barrier")), max_size=25)


class PowerCutDisk(MemoryDisk):
    """Loses power after so many writes and syncs; the last write may be torn."""

    def __init__(self, operations: int, torn: int) -> None:
        super().__init__()
        self.operations = operations
        self.torn = torn

    def _append(self, path: str, data: bytes | bytearray) -> None:
        if self.operations == 0:
            self.files[path] += data[: self.torn]
        self._spend()
        super()._append(path, data)

    def _sync(self, path: str) -> None:
        self._spend()
        super()._sync(path)

    def sync_folder(self, folder: str) -> None:
        self._spend()
        super().sync_folder(folder)

    def _spend(self) -> None:
        self.operations -= 1
        if self.operations < 0:
            raise StorageError("the power is gone")


def record(journal: Journal, done: list[Step], todo: list[Step | str]) -> int:
    """Carry out the acts and return how many steps were promised when it ended, well or not."""
    promised = len(done)
    try:
        for act in todo:
            if isinstance(act, str):
                journal.barrier()
                promised = len(done)
            else:
                done.append(act)
                for place, payload in enumerate(act, start=1):
                    journal.append(1, payload, last_of_step=place == len(act))
    except StorageError:
        return promised
    return promised


def recovered(journal: Journal) -> list[Step]:
    found: list[Step] = [[]]
    for frame in journal.read():
        found[-1].append(frame.payload)
        if frame.last_of_step:
            found.append([])
    return found[:-1]


@settings(max_examples=150, deadline=None)
@given(
    sessions=st.lists(acts, min_size=1, max_size=4),
    operations=st.lists(st.integers(0, 30), min_size=4, max_size=4),
    torn=st.integers(0, 80),
    surviving=st.integers(0, 300),
    names_survive=st.booleans(),
    hole=st.tuples(st.integers(0, 200), st.integers(0, 200)),
)
def test_a_power_cut_at_any_operation_keeps_every_promised_step(
    sessions: list[list[Step | str]],
    operations: list[int],
    torn: int,
    surviving: int,
    names_survive: bool,
    hole: tuple[int, int],
) -> None:
    """Session after session on what the power cut before left; each may lose, tear or never write unsynced bytes."""
    survivors = MemoryDisk()
    done: list[Step] = []
    for todo, budget in zip(sessions, operations, strict=False):
        disk = PowerCutDisk(budget, torn)
        for path, content in survivors.files.items():
            disk._put(path, content)
        promised = len(done)
        try:
            journal = Journal.open(disk, "j", segment_bytes_max=200, durable=True)
        except StorageError:
            pass
        else:
            promised = record(journal, done, [*todo, "barrier"])
            with_power = journal._writer.failure is None
            try:
                journal.close()
            except StorageError:
                with_power = False
            promised = len(done) if with_power else promised
        survivors = disk.crash(surviving_bytes=surviving, names_survive=names_survive, hole=slice(*hole))
        with Journal.open(survivors, "j", segment_bytes_max=200, durable=True) as journal:
            found = recovered(journal)
        assert found == done[: len(found)]
        assert len(found) >= promised
        assert verify(survivors, "j").ok
        done = found


@settings(max_examples=100, deadline=None)
@given(todo=acts, cut=st.integers(0, 2_000))
def test_a_killed_process_keeps_every_promised_step_without_a_sync(todo: list[Step | str], cut: int) -> None:
    disk = MemoryDisk(capacity=cut)
    done: list[Step] = []
    try:
        journal = Journal.open(disk, "j", segment_bytes_max=200, durable=False)
    except StorageError:
        promised = 0
    else:
        promised = record(journal, done, todo)
    assert disk.syncs == 0
    after = disk.copy()
    after.capacity = 10_000
    with Journal.open(after, "j", segment_bytes_max=200, durable=False) as journal:
        found = recovered(journal)
    assert promised <= len(found)
    assert found == done[: len(found)]


@settings(max_examples=50, deadline=None)
@given(todo=acts, segment_bytes_max=st.integers(41, 2_000))
def test_entries_do_not_depend_on_where_segments_end(todo: list[Step | str], segment_bytes_max: int) -> None:
    heads = []
    for size in (segment_bytes_max, 1_000_000):
        disk = MemoryDisk()
        done: list[Step] = []
        with Journal.open(disk, "j", segment_bytes_max=size, durable=False) as journal:
            record(journal, done, todo)
        with Journal.open(disk, "j", segment_bytes_max=size, durable=False) as journal:
            assert recovered(journal) == done
            heads.append(journal.head)
    assert heads[0] == heads[1]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(todo=st.lists(steps, min_size=2, max_size=8), data=st.data())
def test_altered_bytes_never_pass_as_recorded_ones(todo: list[Step], data: st.DataObject) -> None:
    disk = MemoryDisk()
    with Journal.open(disk, "j", segment_bytes_max=200, durable=False) as journal:
        done: list[Step] = []
        record(journal, done, [act for step in todo for act in (step, "barrier")])
    path = data.draw(st.sampled_from(sorted(disk.files)))
    content = disk.files[path]
    before = bytes(content)
    start = data.draw(st.integers(0, len(content) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=80))[: len(content) - start]
    content[start : start + len(junk)] = junk
    last_step = len(content) - sum(FRAME_HEADER_BYTES + len(payload) for payload in todo[-1])
    reaches_the_end = path == max(disk.files) and start + len(junk) > last_step
    found = verify(disk, "j")
    assert content == before or not found.ok or (reaches_the_end and found.torn_bytes and found.steps < len(done))


CHILD = """
import sys
from evenkeel.engine.journal import Journal, RealDisk
journal = Journal.open(RealDisk(), sys.argv[1], segment_bytes_max=5_000, durable=False)
step = 0
while True:
    for part in range(3):
        journal.append(1, b"%d.%d" % (step, part), last_of_step=part == 2)
    if step % 3 == 0:
        journal.barrier()
        sys.stdout.write(f"{step}\\n")
        sys.stdout.flush()
    step += 1
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 300])
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that nobody can catch")
def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    folder = str(tmp_path / "journal")
    paths = os.pathsep.join([str(Path(evenkeel.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, folder],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    with child:
        assert child.stdout is not None
        last = [int(child.stdout.readline()) for _ in range(acknowledged)][-1]
        child.kill()
        last = [last, *map(int, child.stdout.read().splitlines())][-1]
    with Journal.open(RealDisk(), folder, segment_bytes_max=5_000, durable=False) as journal:
        found = recovered(journal)
    assert found == [[b"%d.%d" % (step, part) for part in range(3)] for step in range(len(found))]
    assert len(found) > last
    assert verify(RealDisk(), folder).ok
