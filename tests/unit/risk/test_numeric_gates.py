"""The numeric gates for a size that is settled say what the kernel of the research lane says, and all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import desk
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.intent import Direction, Enter
from evenkeel.model.reason import Reason
from evenkeel.risk.gates.check import Outcome
from evenkeel.risk.gates.entry import EntryGates, Sized
from evenkeel.risk.gates.numeric import Against, NumericGates
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.strategies.terms import MarginTerms, SizingTerms, Terms
from gate_desk import GateDesk, equity, numeric, perpetual


def cash() -> GateDesk:
    """Return the shares of an account that never sells short."""
    return with_terms(equity(), desk.terms(desk.account(rules=AccountRules(kind=AccountKind.CASH))))


def margin_account() -> GateDesk:
    """Return the shares of an account that counts day trades."""
    rules = AccountRules(kind=AccountKind.MARGIN, day_trades=3)
    return with_terms(equity(), desk.terms(desk.account(rules=rules), SizingTerms(max_leverage=D(2))))


def with_terms(found: GateDesk, terms: Terms) -> GateDesk:
    asset = found.facts.market.instrument
    assert asset is not None
    return found.with_(strategy__numeric=numeric(asset, terms))


def perpetual_at(leverage: int, **margin: Any) -> GateDesk:
    costs = desk.account(taker="0.00055", margin=MarginTerms(liquidates=True, **margin))
    return with_terms(perpetual(), desk.terms(costs, SizingTerms(max_leverage=D(leverage))))


CASES: dict[str, tuple[Callable[[], GateDesk], dict[str, Any], int, Reason]] = {
    "short of a cash account": (cash, {"request.quantity": D(-50)}, 9, Reason.SHORT_NOT_ALLOWED),
    "long of a cash account": (cash, {}, 9, Reason.OK),
    "three day trades below 25,000": (
        margin_account, {"account.day_trades": 3, "account.equity": D("24999.99")}, 45, Reason.PDT_LIMIT,
    ),
    "three day trades at 25,000": (
        margin_account, {"account.day_trades": 3, "account.equity": D(25_000)}, 45, Reason.OK,
    ),
    "two day trades": (margin_account, {"account.day_trades": 2, "account.equity": D(20_000)}, 45, Reason.OK),
    "a stop of half a tick": (equity, {"request.stop_distance": D("0.005")}, 34, Reason.STOP_TOO_CLOSE),
    "a target of half a tick": (equity, {"request.target_distance": D("0.005")}, 34, Reason.STOP_TOO_CLOSE),
    "more than the account carries": (equity, {"account.free": D(4000)}, 44, Reason.INSUFFICIENT_MARGIN),
    "liquidated 4.4 % away": (lambda: perpetual_at(20), {}, 44, Reason.LIQUIDATION_TOO_CLOSE),
    "a stop behind the liquidation": (
        lambda: perpetual_at(4), {"request.stop_distance": D(4912)}, 44, Reason.SL_BEYOND_LIQUIDATION,
    ),
    "a stop before the liquidation": (lambda: perpetual_at(4), {"request.stop_distance": D(4911)}, 44, Reason.OK),
    "a stop behind it where the terms only warn": (
        lambda: perpetual_at(4, stop_beyond="warn"), {"request.stop_distance": D(4912)}, 44, Reason.OK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_numeric_gate_gives_the_reason_of_the_kernel(name: str) -> None:
    """At leverage 4 a long at 20,000 goes at 15,000 / 0.99445: 4,916.28 away, 4,911.4 of it inside (plays.md 6.7)."""
    make, changes, gate, reason = CASES[name]

    check = make().with_(**changes).check(gate)

    assert check.reason is reason
    assert (check.outcome is Outcome.REFUSE) == (reason is not Reason.OK)


def test_more_units_than_the_instrument_takes_are_refused() -> None:
    asset = equity().facts.market.instrument
    assert asset is not None
    most = {size: msgspec.structs.replace(asset, max_quantity=D(size)) for size in ("50", "49")}

    found = {size: equity(market__instrument=one).check(10).reason for size, one in most.items()}

    assert found == {"50": Reason.OK, "49": Reason.QUANTITY_ABOVE_LIMIT}


def test_all_reasons_are_found_at_once() -> None:
    found = NumericGates(desk.terms(), desk.instrument()).against(
        Direction.LONG, D(1000), equity=D(10), free=D(10), price=D(100), stop_distance=D(100),
        target_distance=D("0.001"), day_trades=0,
    )  # fmt: skip

    for reason in (Reason.STOP_TOO_CLOSE, Reason.STOP_BEYOND_ZERO, Reason.INSUFFICIENT_MARGIN):
        assert found.names(reason), reason
    assert not found.names(Reason.SHORT_NOT_ALLOWED)
    assert found == Against(found.reasons, float("inf"))


distances = st.none() | st.decimals(D(0), D(60), places=2)


@settings(max_examples=150)
@given(
    st.sampled_from(list(Direction)), st.decimals(D(1), D(500), places=2), distances, distances,
    st.sampled_from([1, 4, 20]), st.integers(100, 20_000),
)  # fmt: skip
def test_what_the_kernel_sized_and_let_through_nothing_stands_against(
    side: Direction, price: D, stop: D | None, target: D | None, leverage: int, money: int
) -> None:
    """Row 9 to 45 in both lanes: the size that `judge_entry` gives passes `judge_lots`."""
    asset = desk.instrument(kind=InstrumentKind.PERPETUAL)
    costs = desk.account(taker="0.00055", margin=MarginTerms(liquidates=True))
    terms = desk.terms(costs, SizingTerms(max_leverage=D(leverage)))
    wish = Enter(direction=side, stop_distance=stop, target_distance=target)

    sized = EntryGates(terms, asset).judge(wish, equity=D(money), price=float(price))
    if not isinstance(sized, Sized):
        return
    found = numeric(asset, terms).against(
        side, sized.quantity, equity=D(money), free=D(money), price=price, stop_distance=sized.stop_distance,
        target_distance=sized.target_distance, day_trades=0,
    )  # fmt: skip

    assert found.reasons == 0
