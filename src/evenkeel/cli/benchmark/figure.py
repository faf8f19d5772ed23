"""A measured figure, what it is compared with, and what it was meant to be."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

Result = TypeVar("Result")

HIGHER_IS_BETTER = ("bars/s", "events/s", "entries/s")
"""Units of which more is better; of all others less is."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much better a figure is than a peer's of the same run.

    Attributes:
        peer: Its name.
        times: Above 1 we are better.
        aim: What it was meant to be at least; None without an aim.
    """

    peer: str
    times: float
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None without one."""
        return None if self.aim is None else self.times >= self.aim


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure.

    Attributes:
        part: What it belongs to: a workload, `live`, `start`, `drawn`.
        name: What was measured.
        value: Median of the runs.
        unit: Of the value.
        worst: The worst run.
        runs: How many.
        aim: Limit that the value was meant to reach, in the same unit; None without one.
        ratios: The peers beside it.
    """

    part: str
    name: str
    value: float
    unit: str
    worst: float
    runs: int
    aim: float | None = None
    ratios: tuple[Ratio, ...] = ()

    @property
    def more_is_better(self) -> bool:
        """Whether a larger value is a better one."""
        return self.unit in HIGHER_IS_BETTER

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None without one."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.more_is_better else self.value <= self.aim

    def beside(self, peer: str, value: float, aim: float | None = None) -> Figure:
        """Return the figure with a peer's value of the same unit beside it."""
        times = self.value / value if self.more_is_better else value / self.value
        return replace(self, ratios=(*self.ratios, Ratio(peer, times, aim)))


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of several runs of the same work."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def figure(
        self, part: str, name: str, *, unit: str, aim: float | None = None, count: int = 1, scale: float = 1.0
    ) -> Figure:
        """Return the seconds, or things a second where the unit counts those, as a figure.

        Args:
            part: See `Figure`.
            name: See `Figure`.
            unit: See `Figure`.
            aim: See `Figure`.
            count: How many things one run was about: bars, events.
            scale: Units in a second, for a unit of time.
        """
        if unit in HIGHER_IS_BETTER:
            return Figure(part, name, count / self.median, unit, count / max(self.seconds), len(self.seconds), aim)
        each = scale / count
        return Figure(part, name, self.median * each, unit, max(self.seconds) * each, len(self.seconds), aim)


def timed(work: Callable[[], Result], runs: int) -> tuple[Timing, Result]:
    """Do the same work several times; return the seconds of each, and the last result."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return Timing(tuple(seconds)), result
