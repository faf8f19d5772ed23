"""Drawn plays together on one account: what must hold whatever they do."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

import desk
from book_desk import OPEN, Seat, Shop, seen
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.market import Market
from evenkeel.engine.playbook.regimes import NOTHING_SEEN
from evenkeel.model.ids import InstrumentId
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Pause
from random_plays import random_play

MINUTES = 4000
SEEDS = range(8)
WALKS = [desk.walk(seed, MINUTES) for seed in range(3)]


def drawn(seed: int, *, symbol: str = "TEST.DESK", walk: int = 0) -> tuple[Strategy, Market]:
    """Return a drawn play and its market."""
    asset = desk.instrument(id=InstrumentId(symbol))
    strategy = desk.play_of(random_play(np.random.default_rng(seed)), asset)
    return strategy, desk.play_market(strategy, WALKS[walk])


@pytest.mark.parametrize("seed", SEEDS)
def test_to_pause_after_each_base_bar_changes_nothing(seed: int) -> None:
    strategy, market = drawn(seed)
    whole, _, _ = desk.engine_run(strategy, market)
    stepped = BacktestDriver(desk.facts_of(strategy), strategy, market)
    pauses = [due.pause for due in stepped.pauses(step=True)]
    assert desk.differences(whole, stepped.record) == []
    assert whole.result_hash() == stepped.record.result_hash()
    assert not whole.fills or Pause.TIMER in pauses


@pytest.mark.parametrize("seed", SEEDS)
def test_pauses_come_in_order_of_time(seed: int) -> None:
    strategy, market = drawn(seed)
    times = [due.time_ns for due in BacktestDriver(desk.facts_of(strategy), strategy, market).pauses(step=True)]
    assert times == sorted(times)


def shop_of(seed: int) -> tuple[Shop, dict[str, object]]:
    """Return three drawn plays, two of them on one instrument, and drawn terms of their playbook."""
    rng = np.random.default_rng(1000 + seed)
    shop = Shop(
        drawn(3 * seed, symbol="A.DESK"),
        drawn(3 * seed + 1, symbol="A.DESK"),
        drawn(3 * seed + 2, symbol="B.DESK", walk=1),
    )
    capital = int(rng.integers(5_000, 40_000))
    terms: dict[str, object] = {
        "capital": capital, "max_active": int(rng.integers(1, 4)), "max_exposure": float(rng.uniform(0.3, 2.0)),
        "max_correlation": 1.0, "max_drawdown": float(rng.choice([1.0, 0.003, 0.02])),
        "exits": str(rng.choice(["hold", "close"])),
    }  # fmt: skip
    mode = str(rng.choice(["regime_switch", "parallel", "sequential"]))
    if mode == "regime_switch":
        minutes = sorted(rng.choice(np.arange(60, MINUTES), size=12, replace=False).tolist())
        terms |= {
            "mode": mode, "regimes": ("x", "y"), "weights": [(0.5, 0.0), (0.5, 0.3), (0.0, 0.7)],
            "sightings": seen(*((int(at), int(rng.integers(0, 2))) for at in minutes)),
        }  # fmt: skip
    else:
        terms |= {"mode": mode, "weights": [(1.0,)] * 3 if mode == "sequential" else [(0.4,), (0.3,), (0.3,)]}
    return shop, terms


def positions(shop: Shop) -> list[tuple[int, str, int, int]]:
    """Return play, instrument, first and last base bar of every position, by opens of base bars."""
    found: dict[tuple[int, int], tuple[int, str, int, int]] = {}
    for number, (record, driver) in enumerate(zip(shop.records, shop.drivers, strict=True)):
        symbol = driver.core.facts.instrument
        for trade in record.trades():
            found[number, trade.number] = (number, symbol, trade.entry.event.event_ns, trade.exit.event.event_ns)
    return list(found.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_plays_together_keep_to_the_limits_and_replay(seed: int) -> None:
    shop, terms = shop_of(seed)
    shop.run(**terms)  # type: ignore[arg-type]
    held = positions(shop)
    for place, (play, symbol, start, stop) in enumerate(held):
        others = {o for o, _, first, last in held if o != play and first <= start < last}
        assert len(others) < int(str(terms["max_active"]))
        for other, its, first, last in held[place + 1 :]:
            assert other == play or its != symbol or start >= last or first >= stop
    changes = shop.driver.allotment.changes
    for number, record in enumerate(shop.records):
        for trade in record.trades():
            at = max(place for place, one in enumerate(changes) if one.time_ns <= (trade.entry.decided_ns or 0))
            assert changes[at].shares[number] > 0
    assert all(sum(change.shares) <= Decimal(int(str(terms["capital"]))) for change in changes)
    assert shop.replay_differences() == []

    again, _ = shop_of(seed)
    assert again.run(**terms).hash() == shop.hash()  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(16))
def test_the_research_lane_makes_the_same_of_a_playbook(seed: int) -> None:
    """Times, quantities, prices, reasons, money, shares and falls."""
    shop, terms = shop_of(seed)
    shop.run(**terms)  # type: ignore[arg-type]
    driver, records = shop.in_the_research_lane(terms.get("sightings", NOTHING_SEEN))  # type: ignore[arg-type]
    for research, engine in zip(records, shop.records, strict=True):
        assert desk.differences(research, engine) == []
        assert list(research.dead_entries) == list(engine.dead_entries)
        assert research.result_hash() == engine.result_hash()
    assert driver.allotment.changes == shop.driver.allotment.changes
    assert (driver.deepest, driver.stopped_ns) == (shop.driver.deepest, shop.driver.stopped_ns)


def test_the_drawn_playbooks_do_something() -> None:
    """Without trades, refusals and stops the property above would say nothing."""
    seen_reasons: set[str] = set()
    fills = stops = 0
    for seed in SEEDS:
        shop, terms = shop_of(seed)
        shop.run(**terms)  # type: ignore[arg-type]
        fills += sum(len(record.fills) for record in shop.records)
        stops += shop.driver.stopped_ns is not None
        for record in shop.records:
            seen_reasons |= set(record.refusals)
    assert fills > 200
    assert stops > 0
    wanted = {Reason.POSITION_CONFLICT, Reason.REGIME_INACTIVE, Reason.EXPOSURE_LIMIT, Reason.ACTIVE_PLAYS_LIMIT}
    assert {reason.value for reason in wanted} <= seen_reasons


@pytest.mark.parametrize("seed", SEEDS)
def test_the_largest_drawdown_is_that_of_the_sum(seed: int) -> None:
    """Worked out anew from the fills of all plays, over every minute and the moment after the last close.

    Cash and open positions at the last closes; what is closed there counts in that moment.
    """
    shop, terms = shop_of(seed)
    shop.run(**{**terms, "max_drawdown": 1.0})  # type: ignore[arg-type]
    capital = float(str(terms["capital"]))
    closes = desk.START + MINUTE * np.arange(1, MINUTES + 1, dtype=np.int64)
    total = np.full(MINUTES + 1, capital)
    for number, record in enumerate(shop.records):
        prices = WALKS[1 if number == 2 else 0].close
        prices = np.append(prices, prices[-1])
        cash, units, cost = (np.zeros(MINUTES + 1) for _ in range(3))
        quantity, entry = 0.0, 0.0
        for fill in record.fills:
            event = fill.event
            row = event.row if event.point != "close" else event.row + 1
            if event.leg == "entry":
                entry = float(event.price)
            cash[row:] += float(event.gross - event.fee)
            quantity += float(event.quantity)
            units[row:], cost[row:] = quantity, entry
        for paid in record.fundings:
            cash[int((paid.event_ns - desk.START) // MINUTE) :] += float(paid.amount)
        total += cash + units * (prices - cost)
    peak = np.maximum.accumulate(np.concatenate([[capital], total]))[1:]
    deepest = float(((peak - total) / peak).max())
    assert closes[-1] == desk.minute(MINUTES)
    assert shop.driver.deepest == pytest.approx(deepest, abs=1e-9)


def test_limits_that_nothing_meets_are_open() -> None:
    shop = Shop(Seat(desk.piece(desk.flat(100, 5), {0: desk.long()}))).run(**OPEN)
    assert len(shop.records[0].fills) == 2
