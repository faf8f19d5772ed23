"""What is held and at work in an account, added up once for all gates that read it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.risk.gates.facts.account import Holding

ZERO = Decimal(0)
ONE = Decimal(1)


class Exposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Sums over what is held, as seen by one instrument and strategy.

    Attributes:
        gross: Unsigned notional of all.
        net: Signed notional of all.
        symbol: Signed notional in the instrument.
        sector: Unsigned notional in its sector; a sector that is not known is one of its own.
        symbols: Other instruments with something in them.
        correlation: Largest with another that is held; one that is not known counts as 1.
        foreign: Whether the instrument belongs to another strategy.
    """

    gross: Decimal
    net: Decimal
    symbol: Decimal
    sector: Decimal
    symbols: int
    correlation: Decimal
    foreign: bool


def exposure(
    holdings: tuple[Holding, ...], *, instrument: InstrumentId, strategy: StrategyId, sector: str | None
) -> Exposure:
    """Return the sums.

    Args:
        holdings: Of the account.
        instrument: The one that is asked for.
        strategy: Who asks.
        sector: Of the instrument; None is not known.
    """
    gross = net = symbol = in_sector = correlation = ZERO
    others: set[InstrumentId] = set()
    foreign = False
    for held in holdings:
        size = abs(held.notional)
        gross += size
        net += held.notional
        if held.sector == sector:
            in_sector += size
        if held.instrument == instrument:
            symbol += held.notional
            foreign = foreign or held.strategy != strategy
        else:
            others.add(held.instrument)
            correlation = max(correlation, ONE if held.correlation is None else abs(held.correlation))
    return Exposure(
        gross=gross, net=net, symbol=symbol, sector=in_sector, symbols=len(others), correlation=correlation,
        foreign=foreign,
    )  # fmt: skip
