"""A watchdog: what takes longer than a generous bound hangs, and a test that hangs tells nobody anything.

with within(20):
    load_play(text)
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Hangs(AssertionError):
    """Something took so long that it will probably never end."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise `Hangs` inside the body once so many seconds have passed; where there are no signals, only run it."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def bark(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"not finished after {seconds} s")

    before = signal.signal(signal.SIGALRM, bark)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
