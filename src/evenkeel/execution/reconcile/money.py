"""Cash of both sides compared (operations.md 4.4)."""

from __future__ import annotations

from evenkeel.execution.reconcile.comparison import Comparison
from evenkeel.execution.reconcile.terms import POSITION_KINDS, Difference, DifferenceKind, Stop
from evenkeel.model.halt import HaltCode, HaltLevel

_MOVE_CASH = (
    DifferenceKind.EXECUTION_MISSED, DifferenceKind.EXECUTION_GONE, DifferenceKind.EXECUTION_OF_STRANGER,
    DifferenceKind.ORDER_BEHIND, *POSITION_KINDS,
)  # fmt: skip
"""With one of these our cash is not what it will be when they are repaired."""


def compare_cash(made: Comparison) -> None:
    """Tell of cash that differs by more than the tolerance; beyond a fraction of the equity nothing explains it."""
    theirs, mine = made.truth.cash, made.ours.cash
    if theirs is None or mine is None:
        return
    if (
        made.waits
        or any(found.kind in _MOVE_CASH for found in made.differences)
        or any(made.is_moving(instrument) for instrument in made.ours.owned)
    ):
        return
    gap = theirs - mine
    if abs(gap) <= made.policy.cash_tolerance:
        return
    found = Difference(kind=DifferenceKind.CASH, ours=str(mine), theirs=str(theirs), gap=gap)
    share, equity = made.policy.cash_halt, made.ours.equity
    if share is None or (equity is not None and abs(gap) <= share * equity):
        made.explained(found)
    else:
        text = f"cash differs by {gap} from the broker's"
        made.unexplained(found, Stop(code=HaltCode.DESYNC, level=HaltLevel.HALTED, text=text))
