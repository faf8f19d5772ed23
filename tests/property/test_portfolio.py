"""Several instruments on one account: lanes agree, order means nothing, one alone is a run of its own, money adds up.

Plays and markets are drawn: random walks that begin, end and break off at different times, some with coarser bars.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

import desk
from evenkeel.engine.portfolio.instance import Instance
from evenkeel.engine.portfolio.record import line_of
from evenkeel.engine.portfolio.research import run_portfolio_research
from evenkeel.engine.research import run_research
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.number import money_from_postings
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.venues.simulated.desks import Point, PointLine
from plain_plays import volatile
from portfolio_desk import differences, engine_run, instance
from random_plays import random_play

RUNS = 32
BLOCKS = 2
MINUTES = 2400
NAMES = ("ZETA.DESK", "YOTA.DESK", "XI.DESK", "WYE.DESK")
TICKS, LOTS = ("0.01", "0.05", "0.1", "0.01"), ("0.001", "0.01", "0.1", "1")
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def thinned(bars: Bars, rng: np.random.Generator) -> Bars:
    """Return bars that begin and end anywhere and lack a piece here and there."""
    kept = np.arange(int(rng.integers(0, 300)), len(bars) - int(rng.integers(0, 300)))
    for _ in range(int(rng.integers(0, 3))):
        gap = int(rng.integers(kept[0] + 200, kept[-1] - 200))
        kept = kept[(kept < gap) | (kept >= gap + int(rng.integers(1, 80)))]
    return Bars(bars.timeframe, *(getattr(bars, name)[kept] for name in COLUMNS))


def coarser(bars: Bars) -> Bars:
    """Return the bars of five minutes that whole ones make."""
    first = int(np.argmax(bars.open_ns % (5 * MINUTE) == 0))
    count = (len(bars) - first) // 5
    rows = first + np.arange(count * 5).reshape(count, 5)
    return Bars(
        Timeframe.parse("5m"), bars.open_ns[rows[:, 0]], bars.close_ns[rows[:, 4]], bars.open[rows[:, 0]],
        bars.high[rows].max(axis=1), bars.low[rows].min(axis=1), bars.close[rows[:, 4]], bars.volume[rows].sum(axis=1),
    )  # fmt: skip


def drawn(seed: int) -> list[Instance]:
    """Return two to four instruments of one play; those that have too few bars for it are left out."""
    rng = np.random.default_rng(seed)
    shapes = (("5m", "5m", "15m"), ("5m", "15m", "1h")) if seed % 5 == 4 else (("1m", "1m", "5m"), ("1m", "3m", "15m"))
    by_minutes = seed % 5 != 4
    text = random_play(rng, intervals=shapes, intrabar=by_minutes, by_minutes=by_minutes)
    found = []
    for place in range(int(rng.integers(2, 5))):
        own = np.random.default_rng([seed, place])
        bars = desk.bars(volatile(own, MINUTES)) if rng.random() < 0.4 else desk.walk(seed * 10 + place, MINUTES)
        asset = desk.instrument(
            id=InstrumentId(NAMES[place]), tick_size=TICKS[place], lot_size=LOTS[place], min_quantity=LOTS[place]
        )
        strategy = desk.play_of(text, asset)
        whole = coarser(bars) if not by_minutes and place % 2 else thinned(bars, rng)
        try:
            found.append(Instance(strategy, desk.play_market(strategy, whole, gaps="report")))
        except UsageError:
            continue
    return found


@pytest.mark.parametrize("seeds", [range(n, RUNS, BLOCKS) for n in range(BLOCKS)], ids=str)
def test_both_lanes_make_the_same_of_several_instruments_in_any_order(seeds: range) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds:
        instances = drawn(seed)
        if len(instances) < 2:
            continue
        research = run_portfolio_research(instances)
        assert differences(research, engine_run(instances)) == [], seed
        assert run_portfolio_research(instances[::-1]).result_hash() == research.result_hash(), seed
        seen["several traded"] += sum(len(part.fills) > 0 for part in research.parts) > 1
    assert seen["several traded"] >= 3


def test_the_drawn_runs_end_in_every_way() -> None:
    seen: Counter[str] = Counter()
    for seed in range(RUNS):
        instances = drawn(seed)
        if len(instances) < 2:
            continue
        record = run_portfolio_research(instances)
        seen[record.stop_reason.value] += 1
        seen.update(str(fill.event.exit_reason) for part in record.parts for fill in part.fills)
        seen["two timeframes"] += len({one.market.base for one in instances}) > 1
    assert all(seen[what] > 0 for what in ("max_drawdown", "end_of_data", "sl", "tp", "data_gap", "two timeframes")), (
        seen
    )


def test_one_instrument_alone_is_a_run_of_it() -> None:
    traded = 0
    for seed in range(30):
        instance = drawn(seed)[0]
        alone = run_research(instance.strategy, instance.market)
        record = run_portfolio_research([instance])
        assert record.parts[0].result_hash() == alone.result_hash(), seed
        assert np.array_equal(record.curve[Point.EQUITY], alone.curve[0]), seed
        assert record.drawdown_intrabar == record.parts[0].drawdown_intrabar == alone.drawdown_intrabar, seed
        assert record.refusals == alone.refusals, seed
        traded += len(alone.fills) > 0
    assert traded >= 15


def test_cash_is_the_start_and_every_posting() -> None:
    """Of all instruments, at the end and at every point: nothing is lost between them, and nothing appears."""
    for seed in range(30):
        instances = drawn(seed)
        record = run_portfolio_research(instances)
        start = instances[0].strategy.terms.account.start_equity
        posted = sum(
            (fill.event.gross - fill.event.fee for part in record.parts for fill in part.fills), Decimal(0)
        ) + sum((paid.amount for part in record.parts for paid in part.fundings), Decimal(0))
        assert money_from_postings(int(record.curve[Point.CASH][-1])) == start + posted, seed
        count = len(record.parts)
        own = sum(record.curve[line_of(k, PointLine.CASH)] for k in range(count))
        opened = sum(record.curve[line_of(k, PointLine.OPEN)] for k in range(count))
        begun = int(start * 10**8)
        assert np.array_equal(record.curve[Point.CASH], own - (count - 1) * begun), seed
        assert np.array_equal(record.curve[Point.EQUITY], record.curve[Point.CASH] + opened), seed


def test_instruments_that_trade_fixed_units_one_after_the_other_add_up() -> None:
    """Two that never hold at one time and whose size does not depend on money: together they are their sum."""
    first = desk.piece([*desk.flat(100, 5), *desk.flat(103, 5), *desk.flat(103, 20)], {1: desk.long()}, leaves=[7])
    later = desk.piece([*desk.flat(50, 20), *desk.flat(47, 10)], {15: desk.short()}, leaves=[25])
    terms = desk.terms(desk.account(taker="0.001"))
    instances = [instance("A.DESK", first, terms), instance("B.DESK", later, terms)]
    together = run_portfolio_research(instances)
    apart = [run_research(one.strategy, one.market) for one in instances]
    gained = [int(record.curve[0][-1]) - 10_000 * 10**8 for record in apart]
    assert [len(part.fills) for part in together.parts] == [2, 2]
    assert int(together.curve[Point.EQUITY][-1]) - 10_000 * 10**8 == sum(gained)
    assert gained[0] != 0 != gained[1]
