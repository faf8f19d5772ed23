"""Where each fact comes from, and which gates still wait for one that nothing supplies.

A fact without a source is never known, so a gate that needs it refuses every entry of a profile that limits it: that is
not a gate left out, and `keel doctor --gaps` names it.
"""

from __future__ import annotations

SOURCES: dict[str, str] = {
    "engine.mode": "command line",
    "engine.phase": "start-up sequence",
    "engine.reconciled": "reconciliation",
    "engine.halt_level": "halt flag",
    "engine.halt_epoch": "halt flag",
    "engine.panic": "requests that ran away, faults that escaped",
    "engine.access": "venue driver (KeyTold)",
    "engine.lease_epoch": "lease (LeaseTold)",
    "engine.lease_until_ns": "lease (LeaseTold)",
    "engine.streams": "venue driver (LinkChanged), order reports",
    "engine.recon": "reconciliation",
    "engine.clock_offset_ns": "venue driver (ClockMeasured)",
    "engine.journal_writable": "journal (StorageTold)",
    "engine.rates": "orders sent, folded",
    "engine.unknown_ns": "order book",
    "account.equity": "broker (EquityTold), books where there is none",
    "account.session_equity": "guardrails",
    "account.session_peak": "guardrails",
    "account.peak": "guardrails",
    "account.scale": "halt: rung of the ladder, ease after a resume",
    "account.realised_day": "books, seeded from the broker",
    "account.realised_week": "books, seeded from the broker",
    "account.realised_month": "books, seeded from the broker",
    "account.open_profit": "books",
    "account.open_risk": "books and brackets",
    "account.trades": "guardrails",
    "account.streak": "guardrails",
    "account.loss_ns": "guardrails",
    "account.hour_entries": "verdicts, folded",
    "account.entry_ns": "verdicts, folded",
    "account.holdings": "books and entries at work",
    "account.orders": "order book",
    "account.kinds": "verdicts, folded",
    "account.buying_power": "broker (EquityTold)",
    "account.settled_cash": "broker (EquityTold)",
    "account.free": "equity less margin of positions and entries at work",
    "account.margin": "broker (EquityTold)",
    "account.permit": "approval for live trading (KeyTold)",
    "account.day_trades": "broker (EquityTold), where the account counts them",
    "market.instrument": "venue driver (InstrumentTold), else definitions",
    "market.instrument_ns": "venue driver (InstrumentTold)",
    "market.tradable": "venue driver (InstrumentTold)",
    "market.shortable": "venue driver (InstrumentTold)",
    "market.fractionable": "venue driver (InstrumentTold)",
    "market.reduce_only": "venue driver (InstrumentTold)",
    "market.warm": "features",
    "market.session": "calendar (MarketSessionTold)",
    "market.bar_ns": "market data (BarsClosed)",
    "market.interval_ns": "strategy",
    "market.last": "market data (PriceTold)",
    "market.last_ns": "market data (PriceTold)",
    "market.bid": "market data (QuoteTold)",
    "market.ask": "market data (QuoteTold)",
    "market.quote_ns": "market data (QuoteTold)",
    "market.minute_volume": "market data (QuoteTold)",
    "market.costs": "terms of the run",
    "market.funding_rate": "venue driver (InstrumentTold)",
    "market.leverage": "venue driver (InstrumentTold)",
    "market.position": "books",
    "market.working": "order book",
    "market.orders": "order book",
    "market.unknown": "order book",
    "market.blocked": "reconciliation",
    "strategy.allowed": "command line: a strategy that may not trade has no desk",
    "strategy.health": "trades of the strategy",
    "strategy.streak": "guardrails",
    "strategy.same_id": "order book",
    "strategy.signal_used": "verdicts, folded",
    "strategy.recent": "verdicts, folded",
    "strategy.signal_ns": "verdicts, folded",
    "strategy.waiver_ns": "a person, by name (Waived)",
    "strategy.cost_factor": "trades of the strategy",
    "strategy.scale": "1: the strategy sizes its wish itself",
    "strategy.volatility_scale": "1: no such scaling is built",
    "strategy.streak_scale": "1: no such scaling is built",
    "strategy.numeric": "terms of the run",
}
"""Fact to who supplies it to the engine."""

WAITING: dict[str, str] = {
    "market.events": "a dated calendar of economic events with an expiry",
    "market.lockout_ns": "lockouts after a shock of volatility, spread or news",
    "market.dvs": "the score of data quality (DVS)",
    "market.eqs": "the score of execution quality (EQS)",
    "market.daily_volume": "the average daily volume of twenty sessions",
    "market.statistics": "value at risk, expected shortfall, volatility and drawdown of an instrument",
    "market.sector": "sectors of equities; without one an instrument shares half a cap with all such",
    "market.wash_sale": "losses of sales within thirty days",
}
"""Facts that nobody measures yet, and what would: the account hears of them, and whoever measures them tells it."""

BROUGHT_BY: dict[str, int] = dict.fromkeys(WAITING, 7)
"""Fact that waits to the issue that brings it: feeds and brokers."""

LETS_PASS = frozenset({"market.sector", "market.wash_sale"})
"""Facts that wait and whose gates do not refuse without them: an unknown sector has half a cap, an unknown wash sale is
not told of."""
