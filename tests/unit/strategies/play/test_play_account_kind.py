"""How an account pays for positions: the kind that an instrument asks for, its own keys, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.data.definitions import Definitions
from evenkeel.model.instrument import ContractMargin
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import PlayErrors

from .play_desk import SmallRegistry, document, text_of

FIND = Definitions.load().find
SHORTS = {
    "actions": {"entry_short": ["close", "<", "ema_20"], "exit_short": ["close", ">", "ema_20"]},
    "position_policy": {"mode": "short_only", "exit_mode": "first_hit"},
}


def rules(symbol: str, **account: Any) -> AccountRules:
    """Return the rules of a play on a shipped instrument."""
    text = text_of(document(symbol=symbol, account=account))
    return load_play(text, instruments=FIND, registry=SmallRegistry()).account.rules


def told(symbol: str, changes: dict[str, Any] | None = None, **account: Any) -> list[str]:
    """Return what is wrong with such a play."""
    text = text_of(document(symbol=symbol, account=account, **(changes or {})))
    with pytest.raises(PlayErrors) as caught:
        load_play(text, instruments=FIND, registry=SmallRegistry())
    return [f"{one.path}: {one.message}; {one.remedy}" for one in caught.value.problems if one.kind != "warning"]


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("BTCUSDT.BYBIT", AccountKind.ISOLATED), ("SPY.US", AccountKind.UNLEVERED),
        ("ESZ2013.CME", AccountKind.UNLEVERED),
        ("MESZ2024.CME", AccountKind.FUTURES), ("BTC-USDT.BINANCE", AccountKind.CASH),
    ],
)  # fmt: skip
def test_the_instrument_says_how_it_is_paid_for(symbol: str, kind: AccountKind) -> None:
    assert rules(symbol).kind is kind


def test_a_contract_margin_of_the_account_makes_a_futures_account() -> None:
    found = rules("ESZ2013.CME", contract_margin={"initial": 4510, "maintenance": 4100})

    assert found.kind is AccountKind.FUTURES
    assert found.contract == ContractMargin(initial=Decimal(4510), maintenance=Decimal(4100))


def test_coins_settle_at_once_and_stocks_by_the_rule_of_the_day() -> None:
    assert rules("BTC-USDT.BINANCE").settlement == 0
    assert rules("SPY.US", kind="cash").settlement is None


def test_a_margin_account_counts_day_trades_unless_told_not_to() -> None:
    assert rules("SPY.US", kind="margin", borrow_rate_pct=3.0).day_trades == 3
    found = rules("SPY.US", kind="margin", pattern_day_trader=False, borrow_rate_pct=3.0)
    assert (found.day_trades, found.borrow_rate) == (None, Decimal("0.03"))


@pytest.mark.parametrize(
    ("symbol", "account", "message"),
    [
        (
            "SPY.US", {"kind": "futures"},
            "account.kind: SPY.US is equity and has no futures account; write one of cash, margin, unlevered, or "
            "remove the key",
        ),
        (
            "ESZ2013.CME", {"kind": "futures"},
            "account.kind: the margin of a contract of ESZ2013.CME is not known; add `contract_margin: { initial: …, "
            "maintenance: … }` with your broker's figures",
        ),
        (
            "SPY.US", {"kind": "cash", "borrow_rate_pct": 1.0},
            "account.borrow_rate_pct: the account is cash and has no borrow_rate_pct; remove it, or set `kind: margin`",
        ),
        (
            "SPY.US", {"max_leverage": 2},
            "account.max_leverage: the account is unlevered and gives no credit; write 1, or set `kind: futures` or "
            "`kind: margin` where the instrument has one",
        ),
        (
            "ESZ2013.CME", {"contract_margin": {"initial": 10, "maintenance": 11}},
            "account.contract_margin.maintenance: a maintenance margin of 11 is above the initial one of 10; it is at "
            "most the initial margin",
        ),
        (
            "BTCUSDT.BYBIT", {"extended_hours": True},
            "account.extended_hours: BTCUSDT.BYBIT has no extended hours; remove the key",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_sentence(symbol: str, account: dict[str, Any], message: str) -> None:
    assert told(symbol, **account) == [message]


def test_a_cash_account_never_sells_short() -> None:
    assert told("SPY.US", SHORTS, kind="cash") == [
        "position_policy.mode: a cash account never sells short; set mode long_only, or `account.kind: margin`"
    ]
