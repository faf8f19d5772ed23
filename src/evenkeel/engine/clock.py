"""The only place that reads clocks: wall time for stamps, a monotonic one for durations.

Neither reaches the core. What is measured here goes into timings and stamps, which no hash covers.
"""

from __future__ import annotations

import time


def wall_ns() -> int:
    """Return the wall clock, nanoseconds since the epoch, UTC."""
    return time.time_ns()


class Stopwatch:
    """Measures the parts of a piece of work.

    >>> watch = Stopwatch()
    >>> watch.lap() >= 0.0
    True
    """

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the start or the last lap."""
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed
