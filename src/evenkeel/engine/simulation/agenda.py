"""Virtual time: what is to happen when, in the order of time, and of scheduling at one instant."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Agenda:
    """A queue of what is to happen.

    Attributes:
        now_ns: Virtual time.
    """

    def __init__(self, start_ns: int) -> None:
        self.now_ns = start_ns
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0

    def schedule(self, at_ns: int, act: Callable[[int], None]) -> None:
        """Do something at an instant; it is told the time."""
        self._count += 1
        heapq.heappush(self._queue, (at_ns, self._count, act))

    def until(self, at_ns: int) -> None:
        """Let happen what is due by an instant, which then is now."""
        while self._queue and self._queue[0][0] <= at_ns:
            self.now_ns, _, act = heapq.heappop(self._queue)
            act(self.now_ns)
        self.now_ns = at_ns
