"""Drawn runs, for comparisons of one world with another: any play on any market, from a seed.

    case = plain_case(7)   # a play that anybody can evaluate by hand: both lanes and the slow exchange
    case = rich_case(7)    # any play of the format: both lanes

`compare_lanes` and `compare_reference` raise an AssertionError that tells the play; `coverage` tells how often each
rule of section 6 is met.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from drawn_markets import DrawnMarket, drawn_market
from evenkeel.engine.market import Market
from evenkeel.engine.record import Fill as EngineFill
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.engine.research import run_research
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument, InstrumentKind, RiskTier
from evenkeel.model.number import money_from_postings
from evenkeel.model.time import MINUTE
from evenkeel.strategies.play.program import PlayStrategy
from plain_plays import MINUTES, decisions_of, plain_play
from random_plays import chance, pick, random_play
from reference.exchange import Fill, Outcome, simulate
from reference.margin import INFINITE
from reference.plays import rules_of
from reference.rules import RULES
from reference.terms import Rules, Tier

PLAIN_ROWS = 1300
RICH_ROWS = 2500
PRICE = 1e-9
MONEY = Decimal("1e-8")
"""A tie of a float product is not always one of the decimal product: a posting may differ by its last digit."""

NOTIONAL_MAX = Decimal("1e8")
"""Where an account has grown so far, a lot is less than what a float of its money tells apart."""

RICH_RUNS = int(os.environ.get("KEEL_RICH_RUNS", "150"))
PLAIN_RUNS = int(os.environ.get("KEEL_PLAIN_RUNS", "240"))
"""How many are drawn; the whole by `tools/soak.py`."""

ASSETS: tuple[dict[str, str], ...] = (
    {"tick": "0.01", "lot": "0.001", "min_quantity": "0.001"},
    {"tick": "0.01", "lot": "0.001", "min_quantity": "0.001", "tiers": "yes"},
    {"tick": "0.05", "lot": "0.1", "min_quantity": "0.3"},
    {"tick": "0.02", "lot": "1", "min_quantity": "1"},
    {"tick": "0.01", "lot": "0.01", "min_quantity": "40"},
    {"tick": "0.01", "lot": "1", "min_quantity": "1", "multiplier": "0.1"},
    {"tick": "0.01", "lot": "0.001", "min_quantity": "0.001", "tiers": "yes"},
)
TIERS = (
    RiskTier(max_notional=Decimal(2_000), maintenance=Decimal("0.005"), max_leverage=Decimal(25)),
    RiskTier(max_notional=Decimal(20_000), maintenance=Decimal("0.05"), deduction=Decimal(90),
             max_leverage=Decimal(10)),
    RiskTier(maintenance=Decimal("0.15"), deduction=Decimal(2_090), max_leverage=Decimal(5)),
)  # fmt: skip
"""Of instruments that have them: a deduction is what makes the margin go on where a tier begins."""


@dataclass(frozen=True)
class Case:
    """One play on one market, and what either world made of it.

    Attributes:
        told: The seed and the play, for a message.
        research: What the research lane left.
        engine: What the engine lane left.
        rules: As the slow exchange reads them; None for a rich play.
        outcome: What the slow exchange left; None for a rich play.
    """

    told: str
    market: DrawnMarket
    research: RunRecord
    engine: RunRecord
    rules: Rules | None = None
    outcome: Outcome | None = None


def beside(market: Market, drawn: DrawnMarket, start_ns: int) -> Market:
    """Return a market with what lies beside its bars."""
    stretches = []
    for stretch in market.stretches:
        base = stretch.series.base
        first = (int(base.open_ns[0]) - start_ns) // MINUTE
        there = replace(drawn, rows=drawn.rows[: first + len(base)])
        if there.rates is not None:
            there = replace(there, rates=[one for one in there.rates if one[0] < first + len(base)])
        if there.marks is not None:
            there = replace(there, marks=there.marks[: first + len(base)])
        stretches.append(replace(stretch, carry=there.carry(first), mark=there.mark_bars(first)))
    return replace(market, stretches=tuple(stretches))


def asset_of(facts: dict[str, str]) -> Instrument:
    """Return the instrument of a plain case."""
    return desk.instrument(
        kind=InstrumentKind.PERPETUAL, tick_size=facts["tick"], lot_size=facts["lot"],
        min_quantity=facts["min_quantity"], multiplier=facts.get("multiplier", "1"),
        risk_tiers=TIERS if "tiers" in facts else (),
    )  # fmt: skip


def facts_of(facts: dict[str, str]) -> dict[str, Any]:
    """Return the same instrument as the slow exchange reads it."""
    found: dict[str, Any] = {name: Decimal(value) for name, value in facts.items() if name != "tiers"}
    if "tiers" in facts:
        found["tiers"] = tuple(
            Tier(one.max_notional or INFINITE, one.maintenance, one.deduction, one.max_leverage) for one in TIERS
        )
    return found


def plain_case(seed: int, *, slowly_only: bool = False, lanes: bool = True) -> Case:
    """Run a drawn play of plain conditions through both lanes and through the slow exchange.

    Args:
        slowly_only: Leaves the lanes out; the records are then of nothing.
        lanes: Whether both lanes run; otherwise the research lane alone, whose record then stands for both.
    """
    rng = np.random.default_rng(70_000 + seed)
    drawn = drawn_market(rng, PLAIN_ROWS, marks=True)
    facts = pick(rng, *ASSETS)
    text, said = plain_play(rng, drawn.rows, marks=drawn.marks is not None)
    play = yaml.safe_load(text)
    strategy = desk.play_of(text, asset_of(facts))
    market = beside(desk.play_market(strategy, desk.bars(drawn.rows)), drawn, desk.START)
    nothing: Any = None
    research = nothing if slowly_only else run_research(strategy, market)
    engine = research if slowly_only or not lanes else desk.engine_run(strategy, market)[0]
    stretch = market.stretches[0]
    first = len(drawn.rows) - len(stretch.series.base)
    rules = rules_of(play, facts_of(facts))
    minutes = MINUTES[play["timeframes"]["low_tf"]]
    bars = drawn.exact(int(stretch.series.base.open_ns[0]) // MINUTE, first)
    first_row = int(stretch.series.on(stretch.exec).last[stretch.first_exec])
    outcome = simulate(
        bars, range(minutes - 1, len(bars), minutes),
        decisions_of(play, said, drawn.rows[first:], first_row=first_row), rules, first_row=first_row,
        intrabar=play["timeframes"].get("evaluate") == "intrabar", rows_per_exec=minutes,
    )  # fmt: skip
    return Case(f"plain play {seed} ({drawn.shape})\n{text}", drawn, research, engine, rules, outcome)


RICH_ASSETS: tuple[Instrument, ...] = (
    desk.instrument(),
    desk.instrument(),
    desk.instrument(kind=InstrumentKind.FUTURE, tick_size="0.25", lot_size="1", min_quantity="1", multiplier="5"),
    desk.instrument(tick_size="0.05", lot_size="0.1", min_quantity="0.3", max_quantity="40"),
)


def rich_strategy(seed: int) -> tuple[PlayStrategy, Market, DrawnMarket, str]:
    """Return any play of the format and its market, which may have gaps."""
    rng = np.random.default_rng(1_000_000 + seed)
    asset = RICH_ASSETS[int(rng.integers(len(RICH_ASSETS)))]
    perpetual = asset.kind is InstrumentKind.PERPETUAL
    drawn = drawn_market(rng, RICH_ROWS, marks=perpetual)
    if not perpetual:
        drawn = replace(drawn, rates=None)
    text = random_play(rng, perpetual=perpetual, price=drawn.rows[0][0], marks=drawn.marks is not None)
    strategy = desk.play_of(text, asset)
    series = desk.bars(drawn.rows)
    if chance(rng, 0.2):
        at, lost = int(rng.integers(1200, 2200)), int(rng.integers(1, 90))
        kept = np.r_[0:at, at + lost : len(series)]
        columns = (getattr(series, n)[kept] for n in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"))
        series = Bars(series.timeframe, *columns)
    try:
        market = desk.play_market(strategy, series, gaps="report")
    except UsageError:  # neither part is long enough to warm up
        market = desk.play_market(strategy, desk.bars(drawn.rows))
    return strategy, beside(market, drawn, desk.START), drawn, text


def rich_case(seed: int) -> Case:
    """Run any drawn play through both lanes."""
    strategy, market, drawn, text = rich_strategy(seed)
    research, engine = run_research(strategy, market), desk.engine_run(strategy, market)[0]
    return Case(f"rich play {seed} ({drawn.shape})\n{text}", drawn, research, engine)


def compare_lanes(case: Case) -> None:
    """Both lanes left the same: times, quantities, prices, reasons, money."""
    assert desk.differences(case.research, case.engine) == [], case.told
    assert case.research.result_hash() == case.engine.result_hash(), case.told


def compare_reference(case: Case) -> None:
    """The slow exchange left the same, but for the last digit of a posting."""
    outcome, record, told = case.outcome, case.research, case.told
    assert outcome is not None
    if any(abs(fill.quantity) * fill.price > NOTIONAL_MAX for fill in outcome.fills):
        return
    assert [(f.event.row, f.event.point.value, f.event.leg.value) for f in record.fills] == [
        (f.row, f.point, f.leg) for f in outcome.fills
    ], told
    for number, (ours, theirs) in enumerate(zip(record.fills, outcome.fills, strict=True)):
        assert_same_fill(ours, theirs, f"fill {number} of {told}")
    legs = [fill for fill in outcome.fills if fill.leg != "entry"]
    for row, leg in zip(record.trades(), legs, strict=True):
        assert_same_leg(row, leg, f"leg {leg.number} of trade {leg.position} of {told}")
    assert [dead.reason.value for dead in record.dead_entries] == [reason for _, reason in outcome.dead], told
    assert record.refusals == dict(Counter(reason for _, reason in outcome.refused)), told
    assert record.stop_reason.value == (outcome.stopped or "end_of_data"), told
    assert record.drawdown_intrabar == pytest.approx(float(outcome.drawdown), abs=1e-9), told
    final = money_from_postings(int(record.curve[1, -1]))
    assert abs(final - outcome.cash) <= MONEY * (1 + len(outcome.fills)), told


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
    assert ours.trade == theirs.position, told
    if theirs.leg != "entry":
        assert event.bars_held == theirs.bars_held, told
    else:
        assert (event.stop_price, event.target_price) == (theirs.stop, next(iter(theirs.targets), None)), told


def assert_same_leg(ours: Trade, theirs: Fill, told: str) -> None:
    """Compare a row of `trades.csv` with a leg: shares of fee and funding, the stop in force, the result (6.10)."""
    assert (ours.number, ours.leg, ours.quantity) == (theirs.position, theirs.number, abs(theirs.quantity)), told
    assert ours.exit.event.stop_price == theirs.final_stop, told
    for name in ("entry_fee", "funding", "net"):
        assert abs(getattr(ours, name) - getattr(theirs, name)) <= 4 * MONEY, f"{name}: {told}"


def met_in(case: Case) -> set[str]:
    """Return the rules of section 6 that a plain case met, and what else is counted of it."""
    assert case.outcome is not None
    found = set(case.outcome.met) | {f"market: {case.market.shape}"}
    found |= {"with a mark price"} if case.market.marks is not None else set()
    return found | ({"with a history of funding"} if case.market.rates is not None else set())


def table(counts: Counter[str], runs: int) -> str:
    """Return how many runs met each rule, as text."""
    lines = [f"{rule:<48} {counts[rule]:>6}" for rule in (*RULES, *sorted(set(counts) - set(RULES)))]
    return "\n".join([f"{'rule':<48} {'runs':>6}", *lines, f"{'all runs':<48} {runs:>6}"])


def coverage(runs: int) -> str:
    """Return how often each rule is met in so many plain runs, as a table."""
    counts: Counter[str] = Counter()
    for seed in range(runs):
        counts.update(met_in(plain_case(seed, slowly_only=True)))
    return table(counts, runs)
