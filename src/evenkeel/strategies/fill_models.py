"""What a simulation assumes of the market and the venue, by name: the head of a report, the console and the manifest.

    for model in terms.models():
        print(model.kind, model.name, model.text)

Each assumption is a switch of `Terms`; nothing here computes a fill. Sources: plays.md 6.1 to 6.9 and ruling 37.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from evenkeel.model.number import plain

if TYPE_CHECKING:
    from evenkeel.strategies.terms import AccountTerms, MarginTerms, OrderTerms

KINDS = ("fees", "slippage", "impact", "latency", "queue", "liquidity", "trigger", "funding", "liquidation")
"""Kinds of models, in the order in which they are told."""

_BPS = Decimal(10_000)
_PERCENT = Decimal(100)


class FillModel(msgspec.Struct, frozen=True, kw_only=True):
    """One assumption.

    Attributes:
        kind: What it is about, one of `KINDS`.
        name: Its name, lower_snake.
        text: What it does, for a person.
    """

    kind: str
    name: str
    text: str


def fill_models(account: AccountTerms, order: OrderTerms) -> tuple[FillModel, ...]:
    """Return the assumptions of a run, one of each kind, in the order of `KINDS`."""
    told = (
        _fees(account), _slippage(account), _impact(account), _latency(account), _queue(account, order),
        _liquidity(account), _trigger(account, order), _funding(account), _liquidation(account.margin),
    )  # fmt: skip
    return tuple(FillModel(kind=kind, name=name, text=text) for kind, (name, text) in zip(KINDS, told, strict=True))


def _fees(account: AccountTerms) -> tuple[str, str]:
    if not (account.taker or account.maker or account.per_contract):
        return "none", "no fees"
    text = f"taker {_bps(account.taker)}, maker {_bps(account.maker)} of the notional"
    if account.per_contract:
        text += f", and {plain(account.per_contract)} {account.currency} a unit and side"
    return "by_liquidity", text


def _slippage(account: AccountTerms) -> tuple[str, str]:
    against = f"{_bps(account.slippage)} against us on every fill that takes"
    if account.half_spread:
        return "half_spread", f"half a spread of {_bps(2 * account.half_spread)}, and {against}"
    return ("fixed", against) if account.slippage else ("none", "no slippage")


def _impact(account: AccountTerms) -> tuple[str, str]:
    impact = account.impact
    if impact.mode == "disabled":
        return "none", "the size of a fill does not move the price"
    part = "participation in the bar" if impact.mode == "linear" else "root of the participation in the bar"
    return impact.mode, f"{_bps(impact.coefficient)} times the {part}, at most {_bps(impact.largest)}"


def _latency(account: AccountTerms) -> tuple[str, str]:
    if not account.latency_ms:
        return "next_open", "an order can fill from the next base open on"
    return "fixed", f"an order can fill from the first base open {account.latency_ms} ms after its decision on"


def _queue(account: AccountTerms, order: OrderTerms) -> tuple[str, str]:
    queue = account.queue
    if queue.model == "trade_through":
        return "trade_through", f"a resting limit fills when the price goes {queue.ticks} ticks beyond it"
    if queue.model == "volume_ahead":
        share = f"{plain(queue.share * _PERCENT)} % of a bar's volume"
        return "volume_ahead", f"a resting limit fills when {share} before it is worked off, or beyond its price"
    if order.trade_through:
        return "strict_touch", "a resting entry fills when the price goes beyond it"
    return "touch", "a resting limit fills when the price touches it"


def _liquidity(account: AccountTerms) -> tuple[str, str]:
    share = account.max_volume_fraction
    if share is None:
        return "unlimited", "a fill is as large as its order"
    return "volume_share", f"a bar fills at most {plain(share * _PERCENT)} % of its volume"


def _trigger(account: AccountTerms, order: OrderTerms) -> tuple[str, str]:
    price = {"LastPrice": "last", "MarkPrice": "mark", "IndexPrice": "index"}[account.trigger_source]
    kind = "a limit at its level" if order.stop_is_limit else "a market order"
    return f"{price}_price", f"stops are set off by the {price} price, and become {kind}"


def _funding(account: AccountTerms) -> tuple[str, str]:
    if not account.funding:
        return "none", "no funding"
    if account.funding_rate is None:
        return "history", "recorded rates, where the data has them"
    rate = f"{plain(account.funding_rate * _PERCENT)} % each 8 hours"
    return "history_or_fixed", f"recorded rates, and {rate} where the data has none"


def _liquidation(margin: MarginTerms) -> tuple[str, str]:
    if not margin.liquidates:
        return "none", "positions are not liquidated"
    fee = f"{_bps(margin.liquidation_fee)} fee"
    return "isolated", f"isolated margin: a position loses its margin, never more, at the bankruptcy price with a {fee}"


def _bps(fraction: Decimal) -> str:
    return f"{plain(fraction * _BPS)} bps"
