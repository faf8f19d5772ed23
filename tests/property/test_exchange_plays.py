"""Whole plays through both lanes and through the slow exchange: every leg of every position is the same.

The plays come from `plain_plays`: their conditions are evaluated by hand, their account, entry and risk sections are
read by `reference.plays`, and nothing of the engine is used on that side but where its warm-up ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel.engine.record import Fill as EngineFill
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.engine.research import run_research
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.number import money_from_postings
from evenkeel.model.time import MINUTE
from plain_plays import MINUTES, Row, decisions_of, plain_play, volatile
from random_plays import pick
from reference.exchange import Fill, Outcome, simulate
from reference.margin import margin
from reference.plays import rules_of
from reference.terms import Bar, Rules

CASES = 240
ROWS = 1300
PRICE = 1e-9
MONEY = Decimal("1e-8")
"""A tie of a float product is not always one of the decimal product: a posting may differ by its last digit."""

ASSETS = (
    {"tick": "0.01", "lot": "0.001", "min_quantity": "0.001"},
    {"tick": "0.05", "lot": "0.1", "min_quantity": "0.3"},
    {"tick": "0.02", "lot": "1", "min_quantity": "1"},
)


@dataclass(frozen=True)
class Case:
    """One play, and what either world made of it."""

    text: str
    rules: Rules
    record: RunRecord
    outcome: Outcome
    rows: list[Row]
    intrabar: bool


@cache
def case(seed: int) -> Case:
    """Run a drawn play through both lanes, which must agree, and through the slow exchange."""
    rng = np.random.default_rng(70_000 + seed)
    rows = volatile(rng, ROWS)
    facts = pick(rng, *ASSETS)
    text, said = plain_play(rng, rows)
    play = yaml.safe_load(text)
    asset = desk.instrument(
        kind=InstrumentKind.PERPETUAL, tick_size=facts["tick"], lot_size=facts["lot"],
        min_quantity=facts["min_quantity"],
    )  # fmt: skip
    strategy = desk.play_of(text, asset)
    market = desk.play_market(strategy, desk.bars(rows))
    research = run_research(strategy, market)
    engine, _, _ = desk.engine_run(strategy, market)
    assert desk.differences(research, engine) == [], f"play {seed}\n{text}"
    assert research.result_hash() == engine.result_hash()
    stretch = market.stretches[0]
    seen = rows[len(rows) - len(stretch.series.base) :]
    rules = rules_of(play, {name: Decimal(value) for name, value in facts.items()})
    intrabar = play["timeframes"].get("evaluate") == "intrabar"
    minutes = MINUTES[play["timeframes"]["low_tf"]]
    start = int(stretch.series.base.open_ns[0]) // MINUTE
    bars = [Bar(*(Decimal(repr(value)) for value in row), start + place) for place, row in enumerate(seen)]
    first_row = int(stretch.series.on(stretch.exec).last[stretch.first_exec])
    outcome = simulate(
        bars, range(minutes - 1, len(bars), minutes), decisions_of(play, said, seen, first_row=first_row), rules,
        first_row=first_row, intrabar=intrabar, rows_per_exec=minutes,
    )  # fmt: skip
    return Case(text, rules, research, outcome, seen, intrabar)


def assert_same_fill(ours: EngineFill, theirs: Fill, told: str) -> None:
    """Compare what happened, where, why and for how much."""
    event = ours.event
    assert (event.quantity, event.taker) == (theirs.quantity, theirs.taker), told
    assert float(event.price) == pytest.approx(float(theirs.price), rel=PRICE), told
    assert (event.exit_reason or "") == theirs.reason, told
    for name in ("fee", "gross", "slippage"):
        assert abs(getattr(event, name) - getattr(theirs, name)) <= MONEY, f"{name}: {told}"
    assert float(event.adverse) == pytest.approx(float(theirs.adverse), abs=PRICE), told
    assert float(event.favourable) == pytest.approx(float(theirs.favourable), abs=PRICE), told
    assert event.bars_held == theirs.bars_held, told
    assert ours.trade == theirs.position, told
    if theirs.leg == "entry":
        assert (event.stop_price, event.target_price) == (theirs.stop, next(iter(theirs.targets), None)), told


def assert_same_leg(ours: Trade, theirs: Fill, told: str) -> None:
    """Compare a row of `trades.csv` with a leg: shares of fee and funding, the stop in force, the result (6.10)."""
    assert (ours.number, ours.leg, ours.quantity) == (theirs.position, theirs.number, abs(theirs.quantity)), told
    assert ours.exit.event.stop_price == theirs.final_stop, told
    for name in ("entry_fee", "funding", "net"):
        assert abs(getattr(ours, name) - getattr(theirs, name)) <= 4 * MONEY, f"{name}: {told}"


@pytest.mark.parametrize("first", range(0, CASES, 24))
def test_every_leg_of_a_drawn_play_is_the_one_that_the_specification_gives(first: int) -> None:
    for seed in range(first, first + 24):
        found = case(seed)
        told = f"play {seed}\n{found.text}"
        assert [(f.event.row, f.event.point.value, f.event.leg.value) for f in found.record.fills] == [
            (f.row, f.point, f.leg) for f in found.outcome.fills
        ], told
        for number, (ours, theirs) in enumerate(zip(found.record.fills, found.outcome.fills, strict=True)):
            assert_same_fill(ours, theirs, f"fill {number} of {told}")
        legs = [fill for fill in found.outcome.fills if fill.leg != "entry"]
        for row, leg in zip(found.record.trades(), legs, strict=True):
            assert_same_leg(row, leg, f"leg {leg.number} of trade {leg.position} of {told}")
        assert [dead.reason.value for dead in found.record.dead_entries] == [r for _, r in found.outcome.dead], told
        assert found.record.stop_reason.value == (found.outcome.stopped or "end_of_data"), told
        assert found.record.drawdown_intrabar == pytest.approx(float(found.outcome.drawdown), abs=1e-9), told
        final = money_from_postings(int(found.record.curve[1, -1]))
        assert abs(final - found.outcome.cash) <= MONEY * (1 + len(found.outcome.fills)), told


def test_entries_are_refused_for_the_reasons_of_the_specification() -> None:
    for seed in range(CASES):
        found = case(seed)

        refused = Counter(reason for _, reason in found.outcome.refused)

        assert found.record.refusals == dict(refused), f"play {seed}\n{found.text}"


def test_the_drawn_plays_reach_every_kind_of_leg() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(CASES):
        found = case(seed)
        for fill in found.outcome.fills:
            seen[fill.leg, fill.point] += 1
            seen[fill.reason] += 1
            seen["later leg"] += fill.number > 1
            seen["funding"] += fill.funding != 0
            seen["intrabar"] += found.intrabar
        seen.update(reason for _, reason in found.outcome.refused)
        seen[found.outcome.stopped] += 1

    assert all(seen[what] >= 3 for what in (
        "sl", "tp", "signal", "trailing", "breakeven", "liquidation", "end_of_data", "max_drawdown", "later leg",
        "funding", "intrabar", "LIQUIDATION_TOO_CLOSE", "SL_BEYOND_LIQUIDATION", "liquidated", ("stop", "open"),
        ("stop", "inside"), ("target", "open"), ("target", "inside"), ("guard", "open"), ("guard", "inside"),
        ("exit", "open"), ("entry", "open"), ("entry", "inside"),
    )), seen  # fmt: skip


def test_the_slow_exchange_keeps_the_invariants_of_its_own_ledger() -> None:
    """6.11, 6 and 9, and 6.6, 6: legs add up, and no position loses more than its margin and what it paid besides."""
    for seed in range(CASES):
        found = case(seed)
        rules, fills = found.rules, found.outcome.fills
        legs = [fill for fill in fills if fill.leg != "entry"]
        assert found.outcome.cash - rules.start == sum((leg.net for leg in legs), Decimal(0))
        for entry in (fill for fill in fills if fill.leg == "entry"):
            own = [leg for leg in legs if leg.position == entry.position]
            assert sum(leg.quantity for leg in own) == -entry.quantity
            assert sum(leg.entry_fee for leg in own) == entry.fee
            if rules.liquidation_rate >= rules.taker and rules.per_contract == 0:
                lost = -sum(leg.gross - leg.fee + leg.funding for leg in own)
                paid = sum(max(Decimal(0), -leg.funding) for leg in own)
                assert lost <= margin(rules, abs(entry.quantity), entry.price) + paid + 2 * MONEY * len(own)
