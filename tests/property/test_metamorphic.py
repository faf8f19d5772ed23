"""What must not change when everything else does: plays.md 8.3, over drawn plays with every kind of exit.

* scale: prices in another unit give the same trades, eight times to the last bit;
* mirror: on 1/price a play whose conditions and levels are mirrored trades the other side at the same instants;
* save and restore: a run taken up again after any step ends as the uninterrupted one.

No look-ahead is in `test_lookahead`; incremental equals vectorised in `test_lanes` (blocks of any size, down to one
bar) and, node by node, in `test_nodes`.
"""

from __future__ import annotations

import copy
from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.record import Fill, RunRecord
from evenkeel.engine.research import run_research
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument
from mirrored_plays import MIRROR, MirrorWriter, mirrored, without_gaps
from plain_plays import plain_play, volatile
from random_plays import random_play

MONEY = Decimal("2e-8")
"""At ten times the price a product rounds otherwise, and so may the last digit of a posting."""

NAMES_OF_LEVELS = ("_hash", "_instance_id")
"""Outputs that are made of the bits of levels: plays that read them say nothing about another unit."""

PRICE_NAMES = ("open", "high", "low", "close", "last_price")


@pytest.fixture(scope="module")
def walks() -> list[Bars]:
    return [desk.walk(100 + seed, 3000) for seed in range(4)]


def happened(fill: Fill) -> tuple[Any, ...]:
    """Return where, what and why, without prices and quantities."""
    event = fill.event
    return event.row, event.point, event.leg, event.exit_reason, event.taker, event.bars_held, fill.trade, fill.reason


def ended(record: RunRecord) -> tuple[Any, ...]:
    """Return how a run ended and what became of the entries that made no trade."""
    deaths = [(dead.event_ns, dead.reason, dead.decided_ns) for dead in record.dead_entries]
    return deaths, record.refusals, record.stop_reason, record.stop_ns


def in_another_unit(bars: Bars, times: int, digits: int | None = None) -> Bars:
    """Return the market with prices so many times as high and volumes so many times as low.

    Args:
        digits: Decimals that the prices have; None multiplies exactly, by a power of two.
    """
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    for name, values in columns.items():
        other = values / times if name == "volume" else values * times
        columns[name] = other if digits is None else np.round(other, digits + (2 if name == "volume" else -1))
    return Bars(bars.timeframe, bars.open_ns, bars.close_ns, **columns)


def times(value: float, factor: Decimal) -> float:
    """Return a number that a person wrote in another unit."""
    return float(Decimal(str(value)) * factor)


def play_in_another_unit(document: dict[str, Any], factor: int) -> dict[str, Any]:
    """Return a play whose money stays as it is while a unit of the instrument is worth so many times as much."""
    found, up = copy.deepcopy(document), Decimal(factor)
    fees, risk = found["account"]["fee_model"], found["risk_model"]
    fees["per_contract"] = times(fees["per_contract"], up)
    if risk["sizing"]["model"] == "fixed_quantity":
        risk["sizing"]["value"] = times(risk["sizing"]["value"], 1 / up)
    for level in ("stop_loss", "take_profit"):
        if risk.get(level, {}).get("type") == "fixed_points":
            risk[level]["value"] = times(risk[level]["value"], up)
    return found


def instruments(factor: int, **facts: str) -> tuple[Instrument, Instrument]:
    """Return an instrument in one unit and in another."""
    up = Decimal(factor)
    other = {name: str(Decimal(value) * (up if name == "tick_size" else 1 / up)) for name, value in facts.items()}
    return desk.instrument(**facts), desk.instrument(**other)


UNITS: tuple[dict[str, str], ...] = (
    {"tick_size": "0.01", "lot_size": "0.001", "min_quantity": "0.001"},
    {"tick_size": "0.05", "lot_size": "0.1", "min_quantity": "0.3", "max_quantity": "400"},
)


@pytest.mark.parametrize("first", range(0, 60, 15))
def test_eight_times_the_price_gives_the_same_trades_to_the_last_bit(first: int, walks: list[Bars]) -> None:
    """Every indicator, structure and exit: a power of two changes no rounding anywhere."""
    fills = 0
    for seed in range(first, first + 15):
        text, bars = random_play(np.random.default_rng(80_000 + seed)), walks[seed % len(walks)]
        if any(name in text for name in NAMES_OF_LEVELS):
            continue
        here, there = instruments(8, **UNITS[seed % len(UNITS)])
        other = yaml.safe_dump(play_in_another_unit(yaml.safe_load(text), 8))
        one, two = desk.play_of(text, here), desk.play_of(other, there)

        low = run_research(one, desk.play_market(one, bars))
        high = run_research(two, desk.play_market(two, in_another_unit(bars, 8)))

        told = f"play {seed}\n{text}"
        assert [happened(fill) for fill in high.fills] == [happened(fill) for fill in low.fills], told
        assert ended(high) == ended(low), told
        assert np.array_equal(high.curve, low.curve), told
        for a, b in zip(low.fills, high.fills, strict=True):
            assert float(b.event.price) == 8 * float(a.event.price), told
            assert b.event.quantity * 8 == a.event.quantity, told
            assert [b.event.fee, b.event.gross, b.event.slippage] == [a.event.fee, a.event.gross, a.event.slippage]
            assert [b.event.adverse, b.event.favourable] == [a.event.adverse, a.event.favourable], told
        fills += len(low.fills)
    assert fills > 200


def ten_times(document: dict[str, Any]) -> dict[str, Any]:
    """Return a plain play for ten times the price: the numbers in its conditions are prices and volumes."""
    found = play_in_another_unit(document, 10)
    for block in found["actions"]:
        for phrase in block["cases"][0]["when"]:
            left, _, right = phrase
            if not isinstance(right, str):
                phrase[2] = times(right, Decimal(10) if left in PRICE_NAMES else Decimal("0.1"))
    return found


def test_ten_times_the_price_gives_the_same_trades() -> None:
    fills = 0
    for seed in range(60):
        rng = np.random.default_rng(81_000 + seed)
        rows = volatile(rng, 1300)
        text, _ = plain_play(rng, rows)
        here, there = instruments(10, **UNITS[0])
        one = desk.play_of(text, here)
        two = desk.play_of(yaml.safe_dump(ten_times(yaml.safe_load(text))), there)
        bars = desk.bars(rows)

        low = run_research(one, desk.play_market(one, bars))
        high = run_research(two, desk.play_market(two, in_another_unit(bars, 10, digits=2)))

        told = f"play {seed}\n{text}"
        assert [happened(fill) for fill in high.fills] == [happened(fill) for fill in low.fills], told
        assert ended(high) == ended(low), told
        for a, b in zip(low.fills, high.fills, strict=True):
            assert b.event.quantity * 10 == a.event.quantity, told
            assert float(b.event.price) == pytest.approx(10 * float(a.event.price), rel=1e-12), told
            assert abs(b.event.fee - a.event.fee) <= MONEY, told
            assert abs(b.event.gross - a.event.gross) <= MONEY, told
        fills += len(low.fills)
    assert fills > 500


def turned(fill: Fill) -> tuple[Any, ...]:
    """Return what a fill has in common with its mirror image: all but prices and money; buys are sells."""
    return (*happened(fill), -fill.event.quantity)


@pytest.mark.parametrize("levels", [False, True], ids=["signals", "levels"])
def test_on_one_over_the_price_a_mirrored_play_trades_the_other_side(levels: bool, walks: list[Bars]) -> None:
    """Equal are instants, points, legs, reasons, quantities and places of levels; money is not (linear contract)."""
    asset = desk.instrument(tick_size="0.000001")
    seen: Counter[str] = Counter()
    for seed in range(60):
        texts = MirrorWriter(np.random.default_rng(82_000 + seed), levels).plays()
        bars = without_gaps(walks[seed % len(walks)]) if levels else walks[seed % len(walks)]
        one, two = (desk.play_of(text, asset) for text in texts)

        straight = run_research(one, desk.play_market(one, bars))
        image = run_research(two, desk.play_market(two, mirrored(bars)))

        told = f"play {seed}\n{texts[0]}\n{texts[1]}"
        ours = [(*happened(fill), fill.event.quantity) for fill in straight.fills]
        assert [turned(fill) for fill in image.fills] == ours, told
        assert ended(image) == ended(straight), told
        for a, b in zip(straight.fills, image.fills, strict=True):
            for name in ("price", "stop_price", "target_price"):
                level, other = getattr(a.event, name), getattr(b.event, name)
                if level is not None:
                    assert float(other) == pytest.approx(MIRROR / float(level), abs=2e-5), told
        seen.update(str(fill.event.exit_reason) for fill in straight.fills)

    wanted = ("sl", "tp", "signal", "trailing", "breakeven") if levels else ("signal",)
    assert all(seen[reason] >= 10 for reason in wanted), seen


def test_a_run_taken_up_after_any_step_ends_as_the_uninterrupted_one(walks: list[Bars]) -> None:
    """What was recorded is folded, the rest is decided: positions, legs, stops and counters are all where they were."""
    taken_up = 0
    for seed in range(24):
        rng = np.random.default_rng(83_000 + seed)
        strategy = desk.play_of(random_play(rng))
        market = desk.play_market(strategy, walks[seed % len(walks)])
        whole, driver, steps = desk.engine_run(strategy, market)
        for after in sorted(rng.integers(0, len(steps) + 1, 4).tolist()):
            log = desk.Steps()
            again = BacktestDriver(desk.facts_of(strategy), strategy, market, log=log, recorded=steps[:after])

            record = again.run()

            assert record.result_hash() == whole.result_hash()
            assert steps[:after] + log.taken == steps
            assert again.decisions == driver.decisions
            taken_up += 0 < after < len(steps)
    assert taken_up > 40
