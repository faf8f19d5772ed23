"""Decisions inside execution bars (plays.md 5.3): when they see what, where they fill, and one entry a bar."""

from __future__ import annotations

import desk
from evenkeel.engine.record import RunRecord

HEAD = """
version: "3.0.0"
name: inside
symbol: BTCUSDT
timeframes: { low_tf: 5m, med_tf: 5m, high_tf: 15m, exec: low_tf, evaluate: EVALUATE }
account: { starting_equity: 10000, slippage_bps: 0, fee_model: { taker_bps: 0, maker_bps: 0 } }
features: { sma_2: { indicator: sma, params: { length: 2 } } }
risk_model: { sizing: { model: fixed_quantity, value: 0.1 } }
"""
LEVEL = 'actions: { entry_long: [["last_price", ">", 105]], exit_long: [["last_price", "<", 99]] }\n'
SIGNAL = "position_policy: { mode: long_only, exit_mode: signal }\n"


def run(text: str, closes: list[float], *, evaluate: str = "intrabar") -> RunRecord:
    """Run a play over minutes that open where the one before closed, in both lanes."""
    opens = [closes[0], *closes[:-1]]
    rows = [(a, max(a, b), min(a, b), b) for a, b in zip(opens, closes, strict=True)]
    strategy = desk.play_of(text.replace("EVALUATE", evaluate))
    return desk.both_lanes(strategy, desk.play_market(strategy, desk.bars(rows)))


def entered(record: RunRecord) -> list[int]:
    """Return the minutes in which entries filled."""
    return [fill.event.row for fill in record.fills if fill.event.exit_reason is None]


def test_t14_an_order_fills_in_the_minute_after_its_decision_not_after_the_bar() -> None:
    """T14: the third minute of the third bar crosses the level; the fill is at the open of the fourth."""
    closes = [100.0] * 12 + [106.0] + [104.0] * 12

    inside = run(HEAD + LEVEL + SIGNAL, closes)
    at_close = run(HEAD + LEVEL + SIGNAL, closes, evaluate="bar_close")

    assert entered(inside) == [13]
    assert entered(at_close) == []


def test_t14_the_forming_bar_moves_and_the_closed_one_does_not() -> None:
    rules = 'actions: { entry_long: [["bar_high", ">", "high"]], exit_long: [["close", ">", 200]] }\n'
    closes = [100.0] * 11 + [101.0] + [100.0] * 13

    assert entered(run(HEAD + rules + SIGNAL, closes)) == [12]


def test_an_execution_bar_takes_one_entry() -> None:
    """In and out again within one bar: the next entry waits for the next bar, also where it fell due at its close."""
    closes = [100.0] * 10 + [106.0, 98.0, 106.0, 106.0, 106.0] + [98.0, 106.0, 106.0, 106.0, 106.0] + [98.0] * 5

    record = run(HEAD + LEVEL + SIGNAL, closes)

    assert entered(record) == [11, 15, 20]


def test_an_entry_at_the_close_of_a_bar_counts_for_the_next_one() -> None:
    closes = [100.0] * 14 + [106.0] + [98.0, 106.0, 106.0, 98.0, 98.0] + [106.0] * 5

    assert entered(run(HEAD + LEVEL + SIGNAL, closes)) == [15, 21]


def test_a_resting_entry_lives_execution_bars() -> None:
    rules = LEVEL + SIGNAL + "entry: { order_type: LIMIT, limit_offset_pct: 5, expire_after_bars: 2 }\n"
    closes = [100.0] * 11 + [106.0] + [104.0] * 20

    (dead,) = run(HEAD + rules, closes).dead_entries

    assert (dead.reason, dead.event_ns - dead.decided_ns) == ("EXPIRED", 10 * 60 * 10**9)
