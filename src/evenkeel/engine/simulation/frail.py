"""A disk whose power can fail in the middle of a write, or before what was written is safe."""

from __future__ import annotations

from collections.abc import Callable

from evenkeel.engine.journal.memory import NO_HOLE, UNLIMITED, MemoryDisk


class PowerLost(Exception):
    """The machine is off; nobody hears of it before it is on again.

    Attributes:
        survives: How many unsynced bytes of each file the disk has then.
    """

    def __init__(self, survives: int) -> None:
        super().__init__("the power failed")
        self.survives = survives


class FrailDisk(MemoryDisk):
    """A disk in memory that asks, at each write and each sync, whether the power fails.

    Attributes:
        writes: Takes a path and what is to be written; returns how much of it is, None for all.
        syncs_file: Takes a path; returns how many unsynced bytes survive a power failure now, None where there is none.
    """

    def __init__(self, *, capacity: int = UNLIMITED) -> None:
        super().__init__(capacity=capacity)
        self.writes: Callable[[str, bytes], int | None] = lambda _path, _data: None
        self.syncs_file: Callable[[str], int | None] = lambda _path: None

    def crash(self, *, surviving_bytes: int, names_survive: bool, hole: slice = NO_HOLE) -> FrailDisk:
        """Return the disk that the machine finds; its power can fail again."""
        after = FrailDisk(capacity=self.capacity)
        after.writes, after.syncs_file = self.writes, self.syncs_file
        return self._survive(after, surviving_bytes, hole, names_survive=names_survive)

    def _append(self, path: str, data: bytes | bytearray) -> None:
        kept = self.writes(path, bytes(data))
        if kept is None:
            super()._append(path, data)
            return
        super()._append(path, data[:kept])
        raise PowerLost(len(self.files[path]))

    def _sync(self, path: str) -> None:
        survives = self.syncs_file(path)
        if survives is not None:
            raise PowerLost(survives)
        super()._sync(path)
