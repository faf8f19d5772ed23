"""Whole plays through both lanes and through the slow exchange: every leg of every position is the same.

The plays come from `plain_plays`: their conditions are evaluated by hand, their account, entry and risk sections are
read by `reference.plays`, and nothing of the engine is used on that side but where its warm-up ends. The markets come
from `drawn_markets`. `KEEL_PLAIN_RUNS` sets how many are drawn; `tools/soak.py` draws more.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from drawn_runs import MONEY, PLAIN_RUNS, Case, compare_lanes, compare_reference, met_in, plain_case, table
from reference.margin import margin
from reference.rules import RULES

BLOCKS = 10
MET_MIN = 2
"""Runs of the drawn ones that must meet each rule, or the comparison says little."""

NOT_OF_PLAYS = frozenset(
    {
        "6.1 stop entry inside the bar", "6.1 stop entry opened over", "6.1 stop-limit taken at its trigger",
        "6.1 stop-limit rests after its trigger",
    }
)  # fmt: skip
"""Rules that no play can ask for; `test_exchange` meets them."""


def blocks() -> list[range]:
    """Return the seeds of the drawn runs in parts."""
    size = -(-PLAIN_RUNS // BLOCKS)
    return [range(first, min(first + size, PLAIN_RUNS)) for first in range(0, PLAIN_RUNS, size)]


def ledger_holds(case: Case) -> None:
    """6.11, 6 and 9, and 6.6, 6: legs add up, and no position loses more than its margin and what it paid besides."""
    assert case.outcome is not None
    assert case.rules is not None
    rules, fills = case.rules, case.outcome.fills
    legs = [fill for fill in fills if fill.leg != "entry"]
    assert case.outcome.cash - rules.start == sum((leg.net for leg in legs), Decimal(0)), case.told
    for number in {fill.position for fill in fills}:
        own = [leg for leg in legs if leg.position == number]
        entries = [fill for fill in fills if fill.leg == "entry" and fill.position == number]
        held = sum(entry.quantity for entry in entries)
        assert sum(leg.quantity for leg in own) == -held, case.told
        assert sum(leg.entry_fee for leg in own) == sum(entry.fee for entry in entries), case.told
        if rules.liquidation_rate >= rules.taker and rules.per_contract == 0:
            price = sum(entry.quantity * entry.price for entry in entries) / held
            lost = -sum(leg.gross - leg.fee + leg.funding for leg in own)
            paid = sum(max(Decimal(0), -leg.funding) for leg in own)
            assert lost <= margin(rules, abs(held), price) + paid + 2 * MONEY * len(own), case.told


@pytest.mark.parametrize("seeds", blocks(), ids=str)
def test_every_leg_of_a_drawn_play_is_the_one_that_the_specification_gives(seeds: range) -> None:
    for seed in seeds:
        case = plain_case(seed)
        compare_lanes(case)
        compare_reference(case)
        ledger_holds(case)


def test_the_drawn_plays_meet_every_rule_that_a_play_can_ask_for() -> None:
    """A simulation that meets a rule too seldom proves nothing of it."""
    counts: Counter[str] = Counter()
    for seed in range(PLAIN_RUNS):
        counts.update(met_in(plain_case(seed, slowly_only=True)))

    seldom = [rule for rule in RULES if rule not in NOT_OF_PLAYS and counts[rule] < MET_MIN]

    assert seldom == [], table(counts, PLAIN_RUNS)
