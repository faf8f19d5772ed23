"""The list of gates, in the order of operations.md 1.3 (ruling 53), with what each reads and can answer."""

from __future__ import annotations

from collections.abc import Callable

from evenkeel.model.reason import Reason
from evenkeel.risk.gates import rows_engine, rows_margin, rows_market, rows_money, rows_size
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import Check, Gate, Kind, Scope

_A, _E = Scope.ALL, Scope.ENTRY


def _gate(
    number: int, name: str, scope: Scope, judge: Callable[[Case], Check], codes: str, needs: str = "",
    kind: Kind = Kind.OPERATIONAL,
) -> Gate:  # fmt: skip
    return Gate(
        number=number,
        name=name,
        scope=scope,
        kind=kind,
        codes=tuple(Reason[code] for code in codes.split()),
        needs=tuple(needs.split()),
        judge=judge,
    )


GATES: tuple[Gate, ...] = (
    _gate(1, "request shape", _A, rows_engine.shape, "BAD_REQUEST BAD_PRICE BAD_BRACKET MARKET_ENTRY"),
    _gate(2, "halt flag", _A, rows_engine.halt, "HALT_FLAG KILL_PATH_ONLY", "engine.halt_level engine.halt_epoch"),
    _gate(3, "panic", _A, rows_engine.panic, "PANIC", "engine.panic"),
    _gate(4, "mode, key and endpoint", _A, rows_engine.access, "MODE_MISMATCH LIVE_NOT_ARMED",
          "engine.mode engine.access"),
    _gate(5, "lease", _A, rows_engine.lease, "LEASE_LOST", "engine.lease_until_ns engine.lease_epoch"),
    _gate(6, "engine state", _E, rows_engine.phase, "PAUSED ENGINE_NOT_READY",
          "engine.phase engine.reconciled market.warm"),
    _gate(7, "idempotency", _A, rows_engine.same_id, "DUPLICATE_SUPPRESSED IDEMPOTENCY_UNKNOWN ORDER_STATE_UNKNOWN",
          "strategy.same_id market.unknown engine.unknown_ns"),
    _gate(8, "duplicate signal", _E, rows_engine.duplicate, "DUPLICATE_SIGNAL",
          "strategy.signal_used strategy.recent"),
    _gate(9, "instrument", _A, rows_market.instrument,
          "UNKNOWN_INSTRUMENT NOT_TRADABLE NOT_SHORTABLE SHORT_NOT_ALLOWED MIXED_ASSET_CLASS",
          "market.instrument market.instrument_ns market.tradable market.shortable market.fractionable account.kinds "
          "strategy.numeric", Kind.NUMERIC),
    _gate(10, "grid and least size", _A, rows_market.grid, "BELOW_MIN_SIZE QUANTITY_ABOVE_LIMIT OFF_GRID",
          "market.instrument market.position"),
    _gate(11, "session", _E, rows_market.session, "SESSION_CLOSED NO_TRADE_WINDOW AFTER_FLATTEN", "market.session"),
    _gate(12, "economic events", _E, rows_market.events, "EVENT_BLACKOUT EVENT_CALENDAR_STALE", "market.events"),
    _gate(13, "regime lockout", _E, rows_market.lockout, "REGIME_LOCKOUT", "market.lockout_ns"),
    _gate(14, "quality of data", _E, rows_market.data_quality, "DVS_TOO_LOW", "market.dvs"),
    _gate(15, "quality of execution", _E, rows_market.execution_quality, "EQS_TOO_LOW", "market.eqs"),
    _gate(16, "feed and streams", _E, rows_market.freshness, "STALE_DATA STREAM_UNHEALTHY",
          "market.bar_ns market.interval_ns market.quote_ns engine.streams"),
    _gate(17, "price collar", _A, rows_market.collar, "PRICE_COLLAR NO_REFERENCE_PRICE",
          "market.last market.last_ns"),
    _gate(18, "spread", _E, rows_market.spread, "SPREAD_TOO_WIDE", "market.bid market.ask market.instrument"),
    _gate(19, "participation", _E, rows_market.participation, "PARTICIPATION",
          "market.daily_volume market.minute_volume"),
    _gate(20, "quantity", _E, rows_size.quantity, "QTY_LIMIT", "market.position"),
    _gate(21, "notional of the order", _E, rows_size.notional, "NOTIONAL_LIMIT", "market.instrument account.permit"),
    _gate(22, "size of the position", _E, rows_size.position, "POSITION_SIZE_LIMIT SIZE_CLAMPED",
          "account.equity account.scale account.holdings"),
    _gate(23, "gross exposure", _E, rows_size.gross, "GROSS_EXPOSURE SIZE_CLAMPED",
          "account.equity account.holdings"),
    _gate(24, "net exposure", _E, rows_size.net, "NET_EXPOSURE", "account.equity account.holdings"),
    _gate(25, "sector exposure", _E, rows_size.sector, "SECTOR_EXPOSURE",
          "account.equity account.holdings market.sector"),
    _gate(26, "correlation", _E, rows_size.correlation, "CORRELATION_LIMIT", "account.holdings"),
    _gate(27, "positions", _E, rows_size.positions, "MAX_POSITIONS", "account.holdings"),
    _gate(28, "owner", _E, rows_size.owner, "POSITION_CONFLICT RESERVATION_FAILED", "account.holdings"),
    _gate(29, "adding", _E, rows_size.adding, "NO_ADDING POSITION_UNKNOWN", "market.position"),
    _gate(30, "open orders", _E, rows_size.open_orders, "TOO_MANY_OPEN_ORDERS", "market.orders account.orders"),
    _gate(31, "order rate", _A, rows_size.rate, "ORDER_RATE ENTRY_COOLDOWN",
          "engine.rates account.hour_entries account.entry_ns"),
    _gate(32, "signal cooldown", _E, rows_size.signal, "SIGNAL_COOLDOWN", "strategy.signal_ns"),
    _gate(33, "trades of the session", _E, rows_size.trades, "TRADES_PER_DAY", "account.trades"),
    _gate(34, "protective stop", _E, rows_money.stop, "STOP_REQUIRED STOP_DISTANCE STOP_TOO_CLOSE STOP_BEYOND_ZERO",
          "strategy.waiver_ns strategy.numeric market.instrument account.equity", Kind.NUMERIC),
    _gate(35, "loss of the trade", _E, rows_money.trade_loss, "TRADE_RISK SIZE_CLAMPED",
          "market.costs account.equity"),
    _gate(36, "friction", _E, rows_money.friction, "FRICTION", "market.costs market.instrument"),
    _gate(37, "loss of the day", _E, rows_money.daily_loss, "DAILY_LOSS",
          "account.realised_day account.open_profit account.session_equity market.costs"),
    _gate(38, "loss of week and month", _E, rows_money.longer_loss, "WEEKLY_LOSS MONTHLY_LOSS",
          "account.realised_week account.realised_month account.open_profit account.session_equity market.costs"),
    _gate(39, "losses in a row", _E, rows_money.streak, "CONSECUTIVE_LOSSES",
          "account.streak account.loss_ns strategy.streak strategy.streak_scale"),
    _gate(40, "drawdown", _E, rows_money.drawdown, "DRAWDOWN",
          "account.equity account.session_peak account.peak account.scale"),
    _gate(41, "health of the strategy", _E, rows_money.health, "STRATEGY_NOT_ALLOWED STRATEGY_QUARANTINED",
          "strategy.allowed strategy.health strategy.scale"),
    _gate(42, "statistical risk", _E, rows_money.statistics, "VAR ES VOLATILITY PORTFOLIO_RISK INSUFFICIENT_HISTORY",
          "market.statistics strategy.volatility_scale account.equity account.open_risk account.holdings"),
    _gate(43, "leverage", _E, rows_margin.leverage, "LEVERAGE",
          "account.equity account.holdings market.leverage market.instrument"),
    _gate(44, "margin", _E, rows_margin.margin,
          "REDUCE_ONLY_SYMBOL INSUFFICIENT_MARGIN LIQUIDATION_TOO_CLOSE SL_BEYOND_LIQUIDATION LIQUIDATING MARGIN",
          "strategy.numeric account.free account.margin market.reduce_only market.leverage", Kind.NUMERIC),
    _gate(45, "buying power and settlement", _E, rows_margin.buying_power, "PDT_LIMIT BUYING_POWER WASH_SALE",
          "strategy.numeric account.day_trades account.buying_power account.settled_cash market.costs "
          "market.wash_sale", Kind.NUMERIC),
    _gate(46, "funding", _E, rows_margin.funding, "FUNDING_COST", "market.funding_rate market.leverage"),
    _gate(47, "reconciliation", _E, rows_engine.reconciliation, "RECON_UNHEALTHY", "engine.recon market.blocked"),
    _gate(48, "clock", _E, rows_engine.clock, "CLOCK_SKEW", "engine.clock_offset_ns"),
    _gate(49, "journal", _A, rows_engine.journal, "AUDIT_UNAVAILABLE", "engine.journal_writable"),
)  # fmt: skip
"""Every gate; the place in the list is its number."""
