"""Journals to test on: short, in memory, with every kind of border inside."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evenkeel.engine.journal import Journal
from evenkeel.engine.journal.memory import MemoryDisk

SMALL_SEGMENT = 200


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def opened(disk: MemoryDisk) -> Callable[..., Journal]:
    """Open the journal of `disk`, in short segments."""

    def open_journal(durable: bool = False, on: MemoryDisk = disk) -> Journal:
        return Journal.open(on, "j", segment_bytes_max=SMALL_SEGMENT, durable=durable)

    return open_journal


@pytest.fixture
def recorded(disk: MemoryDisk, opened: Callable[..., Journal]) -> MemoryDisk:
    """Six steps of two entries, a barrier behind each; two steps in each of three segments."""
    with opened() as journal:
        for step in range(6):
            journal.append(1, b"event %d" % step, last_of_step=False)
            journal.append(3, b"command %d" % step, last_of_step=True)
            journal.barrier()
    return disk
