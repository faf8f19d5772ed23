"""The only place that reads clocks: wall time for stamps, a monotonic one for durations.

Neither reaches the core. What is measured here goes into timings and stamps, which no hash covers.
"""

from __future__ import annotations

import time


def wall_ns() -> int:
    """Return the wall clock, nanoseconds since the epoch, UTC."""
    return time.time_ns()


def monotonic_s() -> float:
    """Return seconds on a clock that never runs backwards; only differences mean anything."""
    return time.perf_counter()


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
