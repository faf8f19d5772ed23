"""The compiled loop against the slow exchange of `reference.exchange`: the same fills on random markets and terms."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import cache

import pytest

import scripted_runs
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Bars
from evenkeel.model.number import money_from_postings
from reference.exchange import Outcome

CASES = 800
SEEDS = range(CASES)
PRICE = 1e-9
MONEY = Decimal("1e-8")
"""A tie of a float product is not always one of the decimal product: a posting may differ by its last digit."""

TIES_MAX = 0.02
"""Share of postings that may so differ."""


@cache
def both_worlds(seed: int) -> tuple[RunRecord, Outcome, Bars]:
    """Run one random case through the engine and through the reference, once."""
    return scripted_runs.both_worlds(seed)


@pytest.mark.parametrize("first", range(0, CASES, 50))
def test_every_fill_of_random_runs_is_the_one_that_the_specification_gives(first: int) -> None:
    for seed in range(first, first + 50):
        record, outcome, _ = both_worlds(seed)

        scripted_runs.compare(record, outcome, f"case {seed}")


def test_postings_are_rounded_as_the_exact_product_is_but_for_ties() -> None:
    postings = equal = 0
    for seed in range(100):
        record, outcome, _ = both_worlds(seed)
        for ours, theirs in zip(record.fills, outcome.fills, strict=True):
            pairs = [(ours.event.fee, theirs.fee), (ours.event.gross, theirs.gross)]
            postings += len(pairs)
            equal += sum(a == b for a, b in pairs)
    assert postings > 1000
    assert equal >= (1 - TIES_MAX) * postings


def test_the_equity_curve_of_random_runs_is_the_account_marked_at_each_close() -> None:
    for seed in range(40):
        record, outcome, bars = both_worlds(seed)
        points = dict(zip(record.times_ns.tolist(), record.curve[0].tolist(), strict=True))

        for number, equity in list(outcome.equity.items())[:-1]:
            marked = money_from_postings(points[int(bars.close_ns[number])])
            assert abs(marked - equity) <= MONEY * (1 + len(outcome.fills)), (seed, number)


MET = (
    "5.4 trailing moves the stop", "5.4 break-even moves the stop", "6.1 market entry", "6.1 stop entry inside the bar",
    "6.1 stop entry opened over", "6.1 stop-limit taken at its trigger", "6.1 stop-limit rests after its trigger",
    "6.1 an order comes later by its latency", "6.1 a close is on its way", "6.1 close of all", "6.1 close of a part",
    "6.1 stop fires where its entry arrived", "6.1 stop of type Limit takes", "6.1 stop of type Limit rests",
    "6.2 taken at its first open", "6.2 improved by the open", "6.2 held to its limit", "6.2 resting, opened through",
    "6.2 resting, touched", "6.2 queue: not far enough beyond", "6.2 queue: waits behind others",
    "6.2 queue: worked off", "6.3 half a spread is paid",
    "6.2 GTC expires", "6.2 IOC dies", "6.2 FOK dies", "6.2 PostOnly would cross",
    "6.2 PostOnly makes", "6.2 stop in the minute of an entry inside", "6.2 target beyond the close of that minute",
    "6.2 target of that minute not granted", "6.4 taker fee", "6.4 maker fee", "6.4 maker fee of a target",
    "6.4 liquidation fee", "6.5 long pays", "6.5 long receives", "6.5 short pays", "6.5 short receives",
    "6.6 gap over the stop", "6.6 gap over a limit target", "6.6 gap over a market target", "6.6 stop inside",
    "6.6 target inside", "6.6 stop and target in one minute", "6.6 signal close at the open",
    "6.6 no exit beyond bankruptcy", "6.7 liquidation of a long", "6.7 liquidation of a short",
    "6.8 percent_equity", "6.8 risk_based", "6.8 risk_based with costs", "6.8 fixed_usdt", "6.8 fixed_usdt as notional",
    "6.8 fixed_quantity", "6.9 linear impact", "6.9 square-root impact", "6.9 no volume, no fill",
    "6.9 entry in pieces", "6.9 exit in pieces", "6.10 second leg",
    "6.10 third leg or later", "6.11 stopped by drawdown", "6.11 stopped by equity", "6.11 stopped by liquidation",
)  # fmt: skip


def test_the_random_cases_meet_the_rules_of_every_kind_of_order() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        counts.update(both_worlds(seed)[1].met.keys())

    assert [rule for rule in MET if counts[rule] < 2] == [], counts
