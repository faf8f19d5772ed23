"""The plan of a reconciliation: a pure function of the broker's truth, our state and the policy.

Nothing is repaired here. A repair is a fact of the broker that we had not heard (an execution, the state of an order),
an order to be cancelled or looked up, or a reason to stop; whoever applies the plan folds those like any other. Source:
operations.md 4.4, 4.5 and 4.6.
"""

from __future__ import annotations

from evenkeel.execution.reconcile.comparison import Comparison
from evenkeel.execution.reconcile.money import compare_cash
from evenkeel.execution.reconcile.orders import compare_executions, compare_orders, compare_protection
from evenkeel.execution.reconcile.positions import compare_positions
from evenkeel.execution.reconcile.terms import Ours, Plan, Policy
from evenkeel.model.truth import Truth


def plan(truth: Truth, ours: Ours, policy: Policy) -> Plan:
    """Compare the broker's truth with ours, and say what is to be done.

    Args:
        truth: What the broker said.
        ours: What we have.
        policy: What to do about what nothing explains.
    """
    if not truth.complete:
        return Plan(failed=True)
    made = Comparison(truth, ours, policy)
    compare_executions(made)
    compare_orders(made)
    compare_protection(made)
    compare_positions(made)
    compare_cash(made)
    return Plan(
        whole=truth.positions is not None, waits=made.waits, differences=tuple(made.differences),
        repairs=tuple(made.repairs),
    )  # fmt: skip
