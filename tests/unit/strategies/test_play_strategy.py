"""A play as a strategy: its decision by the one kernel of both lanes, and its terms."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel.kernel import NODE_SIGNATURE, compiled
from evenkeel.model.instrument import Fees
from evenkeel.model.intent import Abstain, Direction, Enter, Leave, OrderKind, TimeInForce
from evenkeel.model.reason import REASONS, Reason
from evenkeel.strategies.decision import SLOTS, Action, EntryKind, Slot
from evenkeel.strategies.play.decide import PlayRow, Wish, play_decide
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.strategy import View
from evenkeel.strategies.terms import SizingTerms

NAN = float("nan")
L, S, XL, XS, X = Wish.ENTRY_LONG, Wish.ENTRY_SHORT, Wish.EXIT_LONG, Wish.EXIT_SHORT, Wish.EXIT_ALL


def decide(
    said: list[tuple[Wish, bool]],
    position: float = 0.0,
    *,
    kind: EntryKind = EntryKind.MARKET,
    offset: float = 0.0,
    stops: tuple[float, float] = (5.0, 6.0),
    targets: tuple[float, float] = (7.0, 8.0),
    trail: float = 9.0,
    has: tuple[bool, bool, bool] = (True, True, False),
    since: float | None = None,
    age: float = 0.0,
) -> tuple[Action, int, Reason, dict[str, float]]:
    """Ask the kernel; the close is 100. Return action, signal, reason and the wish."""
    x = np.zeros((int(PlayRow.WISHES) + len(said), 1))
    x[:, 0] = [100.0, *stops, *targets, trail, age, *(float(speaks) for _, speaks in said)]
    wishes = (number for wish, _ in said for number in (float(wish), 0.5))
    params = np.array([kind, offset, *map(float, has), float(since is not None), *wishes])
    slots = np.full(SLOTS, 99.0)
    slots[Slot.POSITION] = position
    slots[Slot.SINCE_ENTRY] = math.inf if since is None else since
    compiled(play_decide.kernel, NODE_SIGNATURE)(params, slots, x, np.arange(len(x)), 0, 1)
    names = ("DIRECTION", "KIND", "PRICE", "STOP_DISTANCE", "TARGET_DISTANCE", "TRAIL_DISTANCE", "FRACTION")
    wish = {name: float(slots[Slot[name]]) for name in names}
    return Action(int(slots[Slot.ACTION])), int(slots[Slot.SIGNAL]), REASONS[int(slots[Slot.REASON])], wish


def test_an_exit_says_how_much_it_closes_and_a_trailing_entry_how_far() -> None:
    action, _, _, wish = decide([(Wish.EXIT_ALL, True)], position=1)
    assert (action, wish["FRACTION"]) == (Action.EXIT, 0.5)

    action, _, reason, wish = decide([(Wish.ENTRY_LONG, True)], has=(True, True, True))
    assert (action, reason, wish["TRAIL_DISTANCE"]) == (Action.ENTER, Reason.OK, 9.0)
    assert math.isnan(decide([(Wish.ENTRY_LONG, True)])[3]["TRAIL_DISTANCE"])

    action, _, reason, _ = decide([(Wish.ENTRY_LONG, True)], has=(True, True, True), trail=math.nan)
    assert (action, reason) == (Action.NONE, Reason.RISK_INPUT_MISSING)


@pytest.mark.parametrize(("since", "age", "enters"), [(3, 3, False), (4, 3, True), (0, 0, False), (1, 0, True)])
def test_an_execution_bar_takes_one_entry(since: float, age: float, enters: bool) -> None:
    action, *_ = decide([(Wish.ENTRY_LONG, True)], since=since, age=age)

    assert action is (Action.ENTER if enters else Action.NONE)


@pytest.mark.parametrize(
    ("said", "position", "action", "signal", "reason"),
    [
        ([(L, False), (S, False)], 0, Action.NONE, -1, Reason.OK),
        ([(L, True)], 0, Action.ENTER, 0, Reason.OK),
        ([(X, True), (L, False), (L, True)], 0, Action.ENTER, 2, Reason.OK),
        ([(S, True), (S, True)], 0, Action.ENTER, 0, Reason.OK),
        ([(L, True), (S, True)], 0, Action.NONE, -1, Reason.CONFLICT),
        ([(L, True), (X, True), (S, True)], 0, Action.NONE, -1, Reason.CONFLICT),
        ([(X, True), (XL, True)], 0, Action.NONE, -1, Reason.OK),
        ([(L, True), (S, True)], 1, Action.NONE, -1, Reason.OK),
        ([(L, True), (XS, True), (XL, True)], 1, Action.EXIT, 2, Reason.OK),
        ([(XL, True), (XS, True)], -1, Action.EXIT, 1, Reason.OK),
        ([(XL, True)], -1, Action.NONE, -1, Reason.OK),
        ([(XS, False), (X, True), (XS, True)], -1, Action.EXIT, 1, Reason.OK),
    ],
)
def test_the_first_wish_that_can_be_acted_on_is_taken(
    said: list[tuple[Wish, bool]], position: float, action: Action, signal: int, reason: Reason
) -> None:
    assert decide(said, position)[:3] == (action, signal, reason)


def test_an_entry_takes_the_distances_of_its_own_side() -> None:
    *_, bought = decide([(L, True)])
    *_, sold = decide([(S, True)])

    assert (bought["DIRECTION"], bought["STOP_DISTANCE"], bought["TARGET_DISTANCE"]) == (1, 5, 7)
    assert (sold["DIRECTION"], sold["STOP_DISTANCE"], sold["TARGET_DISTANCE"]) == (-1, 6, 8)
    assert np.isnan(bought["PRICE"])


def test_a_limit_lies_the_offset_on_its_own_side_of_the_close() -> None:
    assert decide([(L, True)], kind=EntryKind.LIMIT, offset=0.01)[3]["PRICE"] == 99
    assert decide([(S, True)], kind=EntryKind.LIMIT, offset=0.01)[3]["PRICE"] == 101


@pytest.mark.parametrize("bad", [NAN, 0.0, -1.0])
def test_a_distance_that_is_asked_for_and_missing_refuses_the_entry(bad: float) -> None:
    """Trap T4: never a position without the stop that was asked for."""
    assert decide([(L, True)], stops=(bad, 6.0))[:3] == (Action.NONE, -1, Reason.RISK_INPUT_MISSING)
    assert decide([(L, True)], targets=(bad, 8.0))[:3] == (Action.NONE, -1, Reason.RISK_INPUT_MISSING)
    assert decide([(S, True)], stops=(bad, 6.0))[0] is Action.ENTER
    action, *_, wish = decide([(L, True)], stops=(bad, bad), targets=(bad, bad), has=(False, False, False))
    assert action is Action.ENTER
    assert np.isnan([wish["STOP_DISTANCE"], wish["TARGET_DISTANCE"]]).all()


TEXT = """
version: "3.0.0"
name: both_ways
symbol: X
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { max_drawdown_pct: 100 }
actions:
  - { id: up, cases: [{ when: [["close", ">", 101]], emit: [entry_long] }] }
  - id: down
    cases:
      - { when: [["close", "<", 99]], emit: [entry_short] }
      - { when: [["close", "<", 100]], emit: [exit_all] }
position_policy: { mode: long_short, exit_mode: first_hit }
features: { sma_1: { indicator: sma, params: { length: 1 } } }
"""


def view_of(strategy: PlayStrategy, close: float, position: int = 0) -> View:
    """Return what the strategy sees at the close of one bar."""
    from evenkeel.data.calendar import load_calendar
    from evenkeel.features.timeline import FeatureRun, Series

    run = FeatureRun(strategy.program, Series(desk.bars([(close,) * 4]), load_calendar("24/7")))
    run.advance()
    return View(
        time_ns=0, bar=0, price=close, position=position, entry_price=NAN, bars_held=0, since_entry=None,
        x=run.x, column=run.column,
    )  # fmt: skip


def test_a_play_answers_a_wake_in_the_words_of_its_rules() -> None:
    strategy = desk.play_of(TEXT + "risk: { stop_loss_pct: 2, take_profit_pct: 3 }\n")

    bought = strategy.decide(view_of(strategy, 102))
    sold = strategy.decide(view_of(strategy, 98))

    assert bought == Enter(
        direction=Direction.LONG, stop_distance=Decimal("2.04"), target_distance=Decimal("3.06"), reason="up"
    )
    assert isinstance(sold, Enter)
    assert (sold.direction, sold.reason) == (Direction.SHORT, "down, case 1")
    assert strategy.decide(view_of(strategy, 99.5, position=1)) == Leave(reason="down, case 2")
    assert strategy.decide(view_of(strategy, 100.5)) == Abstain(reason=Reason.OK)
    assert [strategy.signal_text(n) for n in (-1, 0, 2)] == ["", "up", "down, case 2"]


def test_a_play_asks_for_its_limit_and_its_life() -> None:
    strategy = desk.play_of(
        TEXT + "risk: { stop_loss_pct: 2, take_profit_pct: 3 }\n"
        "entry: { order_type: LIMIT, limit_offset_pct: 0.5, time_in_force: PostOnly, expire_after_bars: 4 }\n"
    )

    wish = strategy.decide(view_of(strategy, 102))

    assert isinstance(wish, Enter)
    assert (wish.kind, wish.price, wish.time_in_force, wish.expire_bars) == (
        OrderKind.LIMIT, Decimal("101.49"), TimeInForce.POST_ONLY, 4,
    )  # fmt: skip


def test_a_play_remembers_nothing_of_its_own() -> None:
    strategy = desk.play_of(TEXT + "risk: { stop_loss_pct: 2, take_profit_pct: 3 }\n")

    strategy.restore({"anything": 1})

    assert strategy.checkpoint() == {}


def terms_of(**sections: Any) -> Any:
    document = {**yaml.safe_load(TEXT), **sections}
    asset = desk.instrument(fees=Fees(maker_bps=Decimal(1), taker_bps=Decimal(7), per_contract=Decimal("0.25")))
    return desk.play_of(yaml.safe_dump(document), asset).terms


def test_terms_come_from_the_play_and_where_it_is_silent_from_the_instrument() -> None:
    said = terms_of(
        risk={"stop_loss_pct": 1, "take_profit_pct": 1, "tp_order_type": "Limit"},
        account={
            "starting_equity": 5000, "max_drawdown_pct": 12.5, "slippage_bps": 3, "stop_equity": 100,
            "fee_model": {"taker_bps": 5.5, "maker_bps": 2, "per_contract": 0.62}, "min_trade_notional": 20,
            "max_notional": 900, "max_position_equity_pct": 80, "include_close_fee": False,
            "require_trade_through": True,
        },
    )  # fmt: skip
    silent = terms_of(risk={"stop_loss_pct": 1, "take_profit_pct": 1})

    account = said.account
    assert (account.start_equity, account.max_drawdown, account.slippage, account.stop_equity) == (
        5000, Decimal("0.125"), Decimal("0.0003"), 100,
    )  # fmt: skip
    assert (account.taker, account.maker, account.per_contract) == (
        Decimal("0.00055"), Decimal("0.0002"), Decimal("0.62"),
    )  # fmt: skip
    assert (account.min_notional, account.max_notional, account.max_position) == (20, 900, Decimal("0.8"))
    assert (account.include_close_fee, said.order.target_is_limit, said.order.trade_through) == (False, True, True)
    assert (silent.account.taker, silent.account.maker, silent.account.per_contract) == (
        Decimal("0.0007"), Decimal("0.0001"), Decimal("0.25"),
    )  # fmt: skip
    assert (silent.account.start_equity, silent.account.slippage, silent.account.max_notional) == (
        10_000, Decimal("0.0002"), None,
    )  # fmt: skip
    assert not silent.order.target_is_limit


@pytest.mark.parametrize(
    ("sizing", "expected"),
    [
        ({"model": "percent_equity", "value": 40}, {"model": "percent_equity", "value": "0.4"}),
        (
            {"model": "risk_based", "value": 0.75, "include_costs": True},
            {"model": "risk_based", "value": "0.0075", "include_costs": True},
        ),
        (
            {"model": "fixed_usdt", "value": 1500, "basis": "notional"},
            {"model": "fixed_usdt", "value": "1500", "basis": "notional"},
        ),
        ({"model": "fixed_quantity", "value": 0.3}, {"model": "fixed_quantity", "value": "0.3"}),
    ],
)
def test_the_model_named_in_the_play_is_the_model_of_the_run(sizing: dict[str, Any], expected: dict[str, Any]) -> None:
    """Trap T20."""
    stop = {"type": "percent", "value": 1}

    found = terms_of(risk_model={"stop_loss": stop, "take_profit": stop, "sizing": sizing}).sizing

    assert found == SizingTerms(**{**expected, "value": Decimal(expected["value"])})


@pytest.mark.parametrize(
    ("given", "order"), [({"max_margin": 300}, 300), ({"max_margin": 300, "max_notional": 200}, 200)]
)
def test_a_cap_on_margin_is_a_cap_on_the_position(given: dict[str, int], order: int) -> None:
    found = terms_of(account={"max_drawdown_pct": 100, **given}, risk={"stop_loss_pct": 1, "take_profit_pct": 1})

    assert found.account.max_notional == order
