from __future__ import annotations

import pytest

from evenkeel.engine.search.goal import METRICS, Goal, front, read_goals
from evenkeel.model.errors import UsageError

MORE, LESS = Goal("return_pct", True), Goal("max_drawdown_pct", False)


def test_goals_know_which_way_is_better() -> None:
    assert read_goals(["sharpe", "max_drawdown_pct"]) == (Goal("sharpe", True), Goal("max_drawdown_pct", False))
    assert MORE.better(2, 1)
    assert LESS.better(1, 2)
    assert MORE.of({"return_pct": None}) is None
    assert MORE.of({"return_pct": 3}) == 3.0


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["sharp"], "--metric 'sharp' is no figure of a run; did you mean 'sharpe'?"),
        (["zzz"], f"--metric 'zzz' is no figure of a run; there are {', '.join(METRICS)}"),
        (["sharpe", "sharpe"], "--metric sharpe is given twice"),
        (["sharpe", "sortino", "trades"], "--metric is given 3 times; a search has one or two goals"),
    ],
)
def test_goals_that_cannot_be_are_refused(names: list[str], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_goals(names)
    assert refused.value.message == says


def test_with_one_goal_the_front_is_the_first_best() -> None:
    assert front([(1.0,), (3.0,), (2.0,), (3.0,)], [MORE]) == [1]
    assert front([(1.0,), (3.0,), (1.0,)], [LESS]) == [0]


def test_the_front_holds_what_nothing_beats_in_both_goals() -> None:
    """Return up, drawdown down: (5, 9) and (3, 4) and (1, 1) stand; (3, 5), (0, 1) and the second (1, 1) do not."""
    values = [(3.0, 4.0), (5.0, 9.0), (3.0, 5.0), (1.0, 1.0), (0.0, 1.0), (1.0, 1.0)]

    assert front(values, [MORE, LESS]) == [1, 0, 3]
