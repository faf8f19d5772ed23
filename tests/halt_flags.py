"""Flags of halts on disks that fail, for tests."""

from __future__ import annotations

from collections.abc import Callable

from evenkeel.engine.halt_flag import HaltFlag
from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk.halt import raised, released

FOLDER = "halt"
COPIES = ("halt/acc-paper.json", "halt/acc-paper.second.json")
SLOTS = ("halt/acc-paper.slot-0", "halt/acc-paper.slot-1")
PLACES = COPIES + SLOTS


class Clock:
    """Nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, by_ns: int) -> None:
        self.now_ns += by_ns


class PowerLost(Exception):
    """The machine stopped in the middle of something."""


class StoppingDisk(MemoryDisk):
    """Loses power before a change of the disk, or within it.

    Attributes:
        left: Changes that are still let through.
        torn: Bytes of the change that is not.
    """

    left = 1_000_000
    torn = 0

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerLost

    def _append(self, path: str, data: bytes | bytearray) -> None:
        if self.left == 0:
            super()._append(path, data[: self.torn])
        self._spend()
        super()._append(path, data)

    def _sync(self, path: str) -> None:
        self._spend()
        super()._sync(path)

    def sync_folder(self, folder: str) -> None:
        self._spend()
        super().sync_folder(folder)

    def rename(self, old: str, new: str) -> None:
        self._spend()
        super().rename(old, new)

    def remove(self, path: str) -> None:
        self._spend()
        super().remove(path)

    def overwrite(self, path: str, data: bytes) -> None:
        if self.left == 0 and not self.read_only:
            content = self.files.get(path, bytearray())
            content[: self.torn] = data[: self.torn]
        self._spend()
        super().overwrite(path, data)


def on_stopping(disk: MemoryDisk, left: int, torn: int) -> StoppingDisk:
    """Return a disk with the same files that stops after so many changes."""
    stopping = StoppingDisk(capacity=disk.capacity)
    for path, content in disk.files.items():
        stopping._put(path, content)
    stopping.left, stopping.torn = left, torn
    return stopping


def flag_on(disk: Disk, clock: Callable[[], int], *, known: Halt | None = None, folder: str = FOLDER) -> HaltFlag:
    """Return the flag of the test account as a process that starts sees it."""
    return HaltFlag(disk, folder, account="acc", mode="paper", host="here", pid=7, clock=clock, known=known)


def reason(code: HaltCode, level: HaltLevel, *, text: str = "") -> HaltReason:
    """Return a reason."""
    return HaltReason(code=code, level=level, source=HaltSource.OPERATOR, at_ns=1, text=text)


PAUSE = reason(HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED)
HALT = reason(HaltCode.OPERATOR_HALT, HaltLevel.HALTED)
KILL = reason(HaltCode.MANUAL, HaltLevel.KILLED)


def raising(*reasons: HaltReason) -> Callable[[Halt], Halt]:
    """Return a change that raises these."""
    return lambda halt: raised(halt, *reasons, by="test")


def releasing(halt: Halt) -> Halt:
    """Lift levels 3 and 4, as the procedure does once its checks pass."""
    return released(halt, by="test", at_ns=0)
