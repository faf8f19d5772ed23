"""Several instruments on one account through both lanes and through the slow exchange: fills, reasons and money.

Plays and markets are drawn (`joint_runs`): two to four markets that begin and end at different times, lack minutes,
break off, trade by sessions or have coarser bars. `KEEL_JOINT_RUNS` sets how many are drawn.
"""

from __future__ import annotations

from collections import Counter

import pytest

from joint_runs import JOINT_RUNS, SHAPES, JointCase, compare_joint, joint_case

BLOCKS = 8


def met_in(case: JointCase) -> set[str]:
    """Return what of an account of several a run met."""
    parts = case.joint.parts.values()
    found = {f"market: {shape}" for shape in case.shapes} | {f"stopped: {case.joint.stopped}"}
    found |= {f"exit: {fill.reason}" for part in parts for fill in part.fills if fill.leg == "guard"}
    found |= {f"refused: {reason}" for part in parts for _, reason in part.refused}
    found |= {f"died: {reason}" for part in parts for _, reason in part.dead}
    traded = sum(len(part.fills) > 0 for part in parts)
    return found | ({"several traded"} if traded > 1 else set()) | ({"more than two traded"} if traded > 2 else set())


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_drawn_run_of_several_instruments_is_the_one_that_the_specification_gives(block: int) -> None:
    for seed in range(block, JOINT_RUNS, BLOCKS):
        case = joint_case(seed)
        if case is not None:
            compare_joint(case)


def test_the_drawn_runs_meet_what_an_account_of_several_is_for() -> None:
    """A comparison that shares no money and meets no stop proves nothing."""
    met: Counter[str] = Counter()
    for seed in range(60):
        case = joint_case(seed, lanes=False)
        if case is not None:
            met.update(met_in(case))

    wanted = [
        *(f"market: {shape}" for shape in SHAPES), "several traded", "more than two traded",
        "stopped: max_drawdown", "stopped: liquidated", "stopped: equity_stop", "exit: force", "exit: max_drawdown",
        "exit: end_of_data", "exit: data_gap", "refused: INSUFFICIENT_MARGIN",
    ]  # fmt: skip
    assert [what for what in wanted if met[what] < 1] == [], met
