"""The only place that reads clocks: wall time for stamps, a monotonic one for durations.

Neither reaches the core. What is measured here goes into timings and stamps, which no hash covers.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def wall_ns() -> int:
    """Return the wall clock, nanoseconds since the epoch, UTC."""
    return time.time_ns()


def monotonic_s() -> float:
    """Return seconds on a clock that never runs backwards; only differences mean anything."""
    return time.perf_counter()


def monotonic_ns() -> int:
    """Return nanoseconds on a clock that never runs backwards; only differences mean anything."""
    return time.monotonic_ns()


class SessionClock:
    """Time as an account knows it: the wall clock once, when a session begins, and from there on the monotonic one.

    It begins after everything that earlier sessions knew, whatever the wall clock says, and a jump of that moves
    nothing (decision 0017).
    """

    def __init__(self, begun_ns: int, known_ns: int, monotonic: Callable[[], int] = monotonic_ns) -> None:
        """Begin.

        Args:
            begun_ns: What the wall clock said when the session began.
            known_ns: Last stamp of the account.
            monotonic: Nanoseconds on a clock that never runs backwards.
        """
        self._monotonic = monotonic
        self._offset = max(begun_ns, known_ns + 1) - monotonic()

    def now(self) -> int:
        """Return `known_ns` of now."""
        return self._monotonic() + self._offset


class Stopwatch:
    """Measures the parts of a piece of work.

    >>> watch = Stopwatch()
    >>> watch.lap() >= 0.0
    True
    """

    def __init__(self) -> None:
        self._last = monotonic_s()

    def lap(self) -> float:
        """Return the seconds since the start or the last lap."""
        now = monotonic_s()
        passed, self._last = now - self._last, now
        return passed
