"""What a search is after: a figure of the run, and whether more or less of it is better.

goal = read_goal("sharpe")
goal.better(1.2, 0.9)  # True
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evenkeel.model.errors import UsageError

METRICS = {
    "sharpe": True, "sortino": True, "return_pct": True, "cagr_pct": True, "net_pnl": True, "profit_factor": True,
    "expectancy": True, "win_rate": True, "trades": True, "max_drawdown_pct": False,
    "max_drawdown_intrabar_pct": False, "fees": False, "slippage": False, "exposure_pct": False, "avg_bars_held": False,
}  # fmt: skip
"""Figures that can be searched for, and whether more is better."""

GOALS_MAX = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure to search for.

    Attributes:
        metric: Its name in `result.json`.
        most: Whether more is better.
    """

    metric: str
    most: bool

    def better(self, one: float, other: float) -> bool:
        """Whether one value is better than another."""
        return one > other if self.most else one < other

    def of(self, metrics: Mapping[str, float | int | None]) -> float | None:
        """Return the value of a run; None where it does not exist."""
        value = metrics.get(self.metric)
        return None if value is None else float(value)


def read_goals(names: Sequence[str]) -> tuple[Goal, ...]:
    """Return the goals of a search.

    Raises:
        UsageError: If there is no such figure, one is named twice, or there are more than two.
    """
    for place, name in enumerate(names):
        if name not in METRICS:
            near = difflib.get_close_matches(name, METRICS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(METRICS)}"
            raise UsageError(f"--metric '{name}' is no figure of a run; {hint}")
        if name in names[:place]:
            raise UsageError(f"--metric {name} is given twice")
    if len(names) > GOALS_MAX:
        raise UsageError(f"--metric is given {len(names)} times; a search has one or two goals")
    return tuple(Goal(name, METRICS[name]) for name in names)


def front(values: Sequence[tuple[float, ...]], goals: Sequence[Goal]) -> list[int]:
    """Return the places of the values that no other one beats in one goal without losing in another, best first.

    With one goal that is the best one. Of equal values the first is taken.
    """
    kept = [
        place for place, one in enumerate(values)
        if not any(_beats(other, one, goals) or (other == one and k < place) for k, other in enumerate(values))
    ]  # fmt: skip
    return sorted(kept, key=lambda place: -values[place][0] if goals[0].most else values[place][0])


def _beats(one: tuple[float, ...], other: tuple[float, ...], goals: Sequence[Goal]) -> bool:
    pairs = list(zip(goals, one, other, strict=True))
    return any(goal.better(a, b) for goal, a, b in pairs) and not any(goal.better(b, a) for goal, a, b in pairs)
