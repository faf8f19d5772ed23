"""Scripted runs: what no play can ask for, such as stop entries, drawn on random bars and terms, from a seed.

record, outcome, bars = both_worlds(7)   # both lanes, which must agree, and the slow exchange
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import desk
from drawn_markets import DrawnMarket, drawn_rates
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.features.timeline import Series
from evenkeel.model.bar import Bars
from evenkeel.model.intent import TimeInForce
from evenkeel.model.number import money_from_postings
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.strategies.terms import (
    AccountTerms,
    EvenTerms,
    ImpactTerms,
    LadderStep,
    MarginTerms,
    OrderTerms,
    QueueTerms,
    SizingTerms,
    TrailTerms,
)
from random_plays import Rng, pick
from reference.exchange import Outcome, simulate
from reference.terms import ONE, ZERO, BreakEven, Decision, Plan, Rules, Step, Trail

PRICE = 1e-9
MONEY = Decimal("1e-8")
"""A tie of a float product is not always one of the decimal product: a posting may differ by its last digit."""


def random_bars(rng: Rng) -> tuple[Bars, Decimal]:
    """Return minutes of a walk with gaps at the open, some of them flat, on the tick or off it, and the tick.

    A tick as wide as the steps makes prices that meet limits to the tick, and no further.
    """
    count, level = int(rng.integers(40, 200)), float(pick(rng, 5.0, 100.0, 900.0, 60000.0))
    step = level * float(pick(rng, 2e-4, 1e-3, 4e-3))
    close = np.maximum(level + np.cumsum(rng.normal(0, step, count)), level / 4)
    opened = np.concatenate([[level], close[:-1]]) + np.where(rng.random(count) < 0.4, rng.normal(0, step, count), 0)
    reach = np.where(rng.random((2, count)) < 0.2, 0.0, np.abs(rng.normal(0, step, (2, count))))
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    digits = int(pick(rng, 2, 2, 4, -math.ceil(math.log10(step)), -math.ceil(math.log10(step))))
    volume = np.full(count, 1.0) if rng.random() < 0.5 else np.round(rng.random(count) * 200, 1)
    volume *= rng.random(count) >= float(pick(rng, 0, 0.05))
    prices = np.round(np.column_stack([opened, high, low, close]), digits)
    tick = Decimal("0.01") if digits in (2, 4) else Decimal(1).scaleb(-digits)
    return desk.bars(np.column_stack([prices, volume]).tolist()), tick


def random_rules(rng: Rng) -> Rules:
    """Return terms with every switch in each of its positions now and then."""
    model = pick(rng, "fixed_quantity", "percent_equity", "risk_based", "fixed_usdt")
    value = {"fixed_quantity": "1.5", "percent_equity": "0.6", "risk_based": "0.01", "fixed_usdt": "2500"}[model]
    return Rules(
        taker=Decimal(pick(rng, "0", "0.00055")), maker=Decimal(pick(rng, "0", "0.0002")),
        per_contract=Decimal(pick(rng, "0", "0.62")), slippage=Decimal(pick(rng, "0", "0.0002", "0.0013")),
        multiplier=Decimal(pick(rng, "1", "1", "5")), max_drawdown=Decimal(pick(rng, "1", "1", "0.05", "0.01")),
        stop_equity=Decimal(pick(rng, "0", "0", "9900")),
        time_in_force=pick(rng, "GTC", "GTC", "IOC", "FOK", "PostOnly"),
        expire_bars=pick(rng, 0, 0, 1, 3), target_is_limit=pick(rng, True, False),
        trade_through=pick(rng, True, False), model=model, value=Decimal(value),
        include_costs=model == "risk_based" and pick(rng, True, False), basis=pick(rng, "margin", "notional"),
        max_notional=pick(rng, None, None, Decimal(3000)), min_notional=Decimal(pick(rng, 0, 10)),
        include_close_fee=pick(rng, True, False), perpetual=pick(rng, True, False),
        leverage=Decimal(pick(rng, 1, 3, 20, 50)), liquidation=Decimal(pick(rng, "0", "0.001")),
        deduction=Decimal(pick(rng, 0, 0, 2)), on_sl_beyond_liq=pick(rng, "reject", "adjust", "warn"),
        continue_after_liquidation=pick(rng, True, False), funding=Decimal(pick(rng, "0", "0.0004", "-0.001")),
        impact=pick(rng, "disabled", "disabled", "linear", "sqrt"),
    )  # fmt: skip


def on_its_way(rng: Rng, rules: Rules) -> Rules:
    """Return terms with what lies between an order and its fill: a spread, a way to the venue, others in the queue."""
    queue = pick(rng, "touch", "trade_through", "volume_ahead", "volume_ahead")
    spreads = ("0", "0", "0.00013", "0.00071") if queue == "touch" else ("0", "0", "0", "0", "0.00013")
    return replace(
        rules, half_spread=Decimal(pick(rng, *spreads)), latency_ms=pick(rng, 0, 0, 0, 1, 60_000, 150_000),
        queue=queue, queue_ticks=pick(rng, 1, 1, 2), queue_share=Decimal(pick(rng, "0", "0.4", "1.6")),
        stop_is_limit=pick(rng, False, False, False, True),
        volume_fraction=pick(rng, None, None, None, Decimal("0.04"), Decimal("0.5")),
    )  # fmt: skip


def random_moves(rng: Rng) -> tuple[tuple[Step, ...], Trail | None, BreakEven | None]:
    """Return what every position of a run has beside its own stop: a ladder, a trailing rule, break-even."""
    ladder: tuple[Step, ...] = ()
    if rng.random() < 0.3:
        shares = pick(rng, ("1",), ("0.4", "0.6"), ("0.25", "0.25", "0.5"), ("0.001", "0.999"))
        distances = [Decimal(str(round(float(rng.choice([4e-4, 2e-3, 8e-3])) * (1 + rng.random()), 6))) for _ in shares]
        ladder = tuple(Step(away, share=Decimal(share)) for away, share in zip(distances, shares, strict=True))
    trail = pick(
        rng, None, None, Trail(distance=ONE, activation=Decimal("0.001")),
        Trail(share=Decimal("0.002"), activation=Decimal(pick(rng, "0", "0.003"))),
    )  # fmt: skip
    return ladder, trail, pick(rng, None, None, BreakEven(Decimal("0.002"), Decimal(pick(rng, "0", "0.0015"))))


def random_decisions(
    rng: Rng,
    closes: list[Decimal],
    tick: Decimal,
    ladder: tuple[Step, ...],
    trail: Trail | None,
    even: BreakEven | None,
) -> dict[int, Decision]:
    """Return wishes at a third of the closes, with stops and targets from one tick to far away.

    Steps of `ladder` are shares of the price here, and a fixed distance of `trail` is drawn anew.
    """

    def away(close: Decimal) -> Decimal:
        if rng.random() < 0.5:
            return tick * int(rng.integers(1, 6))
        return (
            close * Decimal(str(round(float(rng.choice([1e-4, 1e-3, 4e-3, 0.02])) * (1 + rng.random()), 6)))
        ).quantize(Decimal("0.000001"))

    decisions = {}
    for number, close in enumerate(closes):
        if rng.random() > 0.4:
            continue
        side, kind = int(pick(rng, 1, -1)), pick(rng, "market", "limit", "limit", "stop", "stop_limit")
        offset = side * away(close) * int(pick(rng, 1, 1, -1))
        trigger = close + offset
        price = {"market": None, "limit": close - offset}.get(kind, trigger)
        limit = trigger + side * away(close) * int(pick(rng, 1, -1)) if kind == "stop_limit" else None
        stop, target = (away(close) if rng.random() < 0.8 else None for _ in range(2))
        leave = Decimal(pick(rng, "1", "0.5", "0.3")) if rng.random() < 0.3 else ZERO
        targets = () if target is None else (Step(target),)
        if ladder:
            targets = tuple(replace(step, distance=close * (step.distance or ZERO)) for step in ladder)
        follows = trail
        if trail is not None and trail.share is None:
            follows = None if stop is None else replace(trail, distance=away(close))
        plan = Plan(stop, targets, ladder != (), follows, even)
        decisions[number] = Decision(side, kind, price, plan, leave, leave, limit=limit)
    return decisions


def terms_of(
    rules: Rules, ladder: tuple[Step, ...], trail: Trail | None, even: BreakEven | None
) -> tuple[AccountTerms, SizingTerms, OrderTerms]:
    """Return the same terms as the engine reads them."""
    costs = desk.account(
        start_equity=rules.start, taker=rules.taker, maker=rules.maker, per_contract=rules.per_contract,
        slippage=rules.slippage, max_drawdown=rules.max_drawdown, stop_equity=rules.stop_equity,
        max_notional=rules.max_notional, min_notional=rules.min_notional, max_position=rules.max_position,
        include_close_fee=rules.include_close_fee, funding_rate=rules.funding,
        margin=MarginTerms(
            liquidates=rules.perpetual, maintenance=rules.maintenance, deduction=rules.deduction,
            liquidation_fee=rules.liquidation_rate, min_distance=rules.min_liq_distance,
            stop_beyond=rules.on_sl_beyond_liq, goes_on=rules.continue_after_liquidation,
        ),
        impact=ImpactTerms(mode=rules.impact, coefficient=rules.impact_coef, largest=rules.impact_max),
        max_volume_fraction=rules.volume_fraction, half_spread=rules.half_spread, latency_ms=rules.latency_ms,
        queue=QueueTerms(model=rules.queue, ticks=rules.queue_ticks, share=rules.queue_share),
    )  # fmt: skip
    sizing = SizingTerms(
        model=rules.model, value=rules.value, include_costs=rules.include_costs, basis=rules.basis,
        max_leverage=rules.leverage,
    )  # fmt: skip
    order = OrderTerms(
        time_in_force=TimeInForce(rules.time_in_force), expire_bars=rules.expire_bars,
        target_is_limit=rules.target_is_limit, stop_is_limit=rules.stop_is_limit, trade_through=rules.trade_through,
        ladder=tuple(LadderStep(fraction=step.distance, share=step.share) for step in ladder),
        trail=None if trail is None else TrailTerms(activation=trail.activation, fraction=trail.share),
        break_even=None if even is None else EvenTerms(activation=even.activation, offset=even.offset),
    )  # fmt: skip
    return costs, sizing, order


def wish_of(decision: Decision) -> desk.Wish:
    """Return an entry decision as the desk's script has it."""
    plan = decision.plan
    target = plan.targets[0].distance if plan.targets and not plan.ladder else None
    trail = None if plan.trail is None else plan.trail.distance
    price, trigger = decision.price, None
    if decision.kind == "stop_limit":
        price, trigger = decision.limit, decision.price
    numbers = {"price": price, "trigger": trigger, "stop": plan.stop, "target": target, "trail": trail}
    return desk.Wish(decision.side, decision.kind, **{k: float(v) for k, v in numbers.items() if v is not None})


def both_worlds(seed: int, *, lanes: bool = True) -> tuple[RunRecord, Outcome, Bars]:
    """Run one random case through the engine and through the reference.

    Args:
        lanes: Whether both lanes run and are compared; otherwise the research lane alone.
    """
    rng = np.random.default_rng(seed)
    base, tick = random_bars(rng)
    rules = replace(on_its_way(rng, random_rules(rng)), tick=tick)
    exec_tf = Timeframe.parse(pick(rng, "1m", "3m", "5m", "15m"))
    asset = desk.instrument(
        multiplier=rules.multiplier, tick_size=rules.tick, lot_size=rules.lot, min_quantity=rules.min_quantity
    )
    moves = random_moves(rng)
    costs, sizing, order = terms_of(rules, *moves)
    higher = Series(base, desk.load_calendar("24/7")).on(exec_tf)
    decisions = random_decisions(rng, [Decimal(repr(close)) for close in higher.bars.close.tolist()], tick, *moves)
    first = int(rng.integers(0, 4)) if len(higher.bars) > 4 else 0
    rates = drawn_rates(rng, len(base), None) if rules.perpetual and rng.random() < 0.5 else None
    rows = zip(*(getattr(base, name).tolist() for name in ("open", "high", "low", "close", "volume")), strict=True)
    beside = DrawnMarket("walk", list(rows), None, rates)
    part = desk.Piece(
        base, {n: wish_of(d) for n, d in decisions.items() if d.side},
        {n: float(d.leave_long) for n, d in decisions.items() if d.leave_long}, first, beside.carry(0),
    )  # fmt: skip
    if lanes:
        record = desk.run(part, exec_tf=exec_tf.name, asset=asset, costs=costs, sizing=sizing, order=order)
    else:
        strategy = desk.ScriptedStrategy(asset, desk.terms(costs, sizing, order), exec_tf)
        stretch = desk.stretch_of(part, 0, Reason.END_OF_DATA, exec_tf, asset.calendar)
        record = run_research(strategy, desk.market_of([stretch], asset))
    last = higher.last.tolist()
    outcome = simulate(beside.exact(int(base.open_ns[0]) // MINUTE, 0), last, decisions, rules, first_row=last[first])
    return record, outcome, higher.bars


def assert_same_fills(record: RunRecord, outcome: Outcome) -> None:
    """Compare fill by fill."""
    assert [(f.event.row, f.event.point.value, f.event.leg.value) for f in record.fills] == [
        (f.row, f.point, f.leg) for f in outcome.fills
    ]
    for number, (ours, theirs) in enumerate(zip(record.fills, outcome.fills, strict=True)):
        event = ours.event
        assert (event.quantity, event.taker) == (theirs.quantity, theirs.taker), number
        assert float(event.price) == pytest.approx(float(theirs.price), rel=PRICE), number
        assert abs(event.fee - theirs.fee) <= MONEY, number
        assert abs(event.gross - theirs.gross) <= MONEY, number
        assert abs(event.slippage - theirs.slippage) <= MONEY, number
        assert (event.exit_reason or "") == theirs.reason, number
        if event.exit_reason is None:
            assert (event.stop_price, event.target_price) == (theirs.stop, next(iter(theirs.targets), None)), number
        else:
            assert event.stop_price == theirs.final_stop, number
        assert float(event.adverse) == pytest.approx(float(theirs.adverse), abs=PRICE), number
        assert float(event.favourable) == pytest.approx(float(theirs.favourable), abs=PRICE), number
        assert event.bars_held == theirs.bars_held, number


def compare(record: RunRecord, outcome: Outcome, told: str) -> None:
    """Compare a whole run with the slow one."""
    assert_same_fills(record, outcome)
    assert [d.reason.value for d in record.dead_entries] == [reason for _, reason in outcome.dead], told
    assert record.stop_reason.value == (outcome.stopped or "end_of_data"), told
    assert record.refusals == dict(Counter(reason for _, reason in outcome.refused)), told
    assert record.drawdown_intrabar == pytest.approx(float(outcome.drawdown), abs=1e-9), told
    final = money_from_postings(int(record.curve[1, -1]))
    assert abs(final - outcome.cash) <= MONEY * (1 + len(outcome.fills)), told
