"""All that gates read, in one frozen record."""

from __future__ import annotations

import msgspec

from evenkeel.risk.gates.facts.account import AccountFacts
from evenkeel.risk.gates.facts.engine import EngineFacts
from evenkeel.risk.gates.facts.market import MarketFacts
from evenkeel.risk.gates.facts.strategy import StrategyFacts


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gates read.

    Attributes:
        now_ns: The instant of the decision, on the axis of `known_ns`.
        engine: About the engine and its account at the broker.
        account: About money and positions.
        market: About the instrument.
        strategy: About the strategy that asks.
    """

    now_ns: int
    engine: EngineFacts = EngineFacts()
    account: AccountFacts = AccountFacts()
    market: MarketFacts = MarketFacts()
    strategy: StrategyFacts = StrategyFacts()
