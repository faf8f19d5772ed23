"""Each gate: it lets through at its limit, refuses just beyond, refuses what is not known, and says where it has none.

Figures are by hand from operations.md 1.3 to 1.6 and the profiles; the desks are in `gate_desk`.
"""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.instrument import InstrumentKind, RiskTier
from evenkeel.model.intent import OrderKind
from evenkeel.model.market_told import Upcoming
from evenkeel.model.reason import Reason
from evenkeel.model.time import HOUR, MINUTE, SECOND
from evenkeel.risk.gates.check import Kind, Outcome, Scope
from evenkeel.risk.gates.facts.account import Holding
from evenkeel.risk.gates.facts.engine import Phase
from evenkeel.risk.gates.facts.market import SessionFacts
from evenkeel.risk.gates.facts.strategy import Health, Recent, Sent
from evenkeel.risk.gates.rates import RateBook
from evenkeel.risk.gates.table import GATES
from evenkeel.risk.gates.verdict import Approved, Refused
from gate_desk import NOW, equity, micro, perpetual

DESKS = {"equity": equity, "perpetual": perpetual, "micro": micro}
MS = SECOND // 1000


def holding(notional: str, name: str = "THIRD.NYSE", **given: Any) -> Holding:
    """Return a position of `other`."""
    plain = {"sector": "energy", "correlation": D("0.3"), "strategy": StrategyId("other"), **given}
    return Holding(instrument=InstrumentId(name), notional=D(notional), **plain)


def session(**given: Any) -> SessionFacts:
    """Return an open session an hour from its borders."""
    return SessionFacts(**{"open": True, "since_open_s": 3600, "until_close_s": 3600, "minute": 640, **given})


def near(in_s: int, kind: str = "cpi") -> tuple[Upcoming, ...]:
    """Return one economic event."""
    return (Upcoming(kind=kind, in_s=in_s),)


def just(quantity: str = "50", price: str = "100", age_s: int = 10) -> tuple[Recent, ...]:
    """Return one order of a while ago."""
    return (Recent(sent_ns=NOW - age_s * SECOND, quantity=D(quantity), price=D(price)),)


PASS, WARN, REFUSE, UNKNOWN, NA = (
    Outcome.PASS, Outcome.WARN, Outcome.REFUSE, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE,
)  # fmt: skip

ROWS: tuple[tuple[int, str, dict[str, Any], Outcome, str], ...] = (
    # 1: shape and bracket
    (1, "equity", {"request.stop_distance": D("99.99")}, PASS, "OK"),
    (1, "equity", {"request.stop_distance": D(100)}, REFUSE, "BAD_BRACKET"),
    (1, "equity", {"request.quantity": D(-50), "request.target_distance": D(100)}, REFUSE, "BAD_BRACKET"),
    (1, "equity", {"request.kind": OrderKind.MARKET, "request.price": None}, PASS, "OK"),
    (1, "micro", {"request.kind": OrderKind.MARKET, "request.price": None}, REFUSE, "MARKET_ENTRY"),
    # 2: halt flag
    (2, "equity", {"engine.halt_level": 1}, PASS, "OK"),
    (2, "equity", {"engine.halt_level": 2}, REFUSE, "HALT_FLAG"),
    (2, "equity", {"engine.halt_level": None}, UNKNOWN, "HALT_FLAG"),
    # 3: panic
    (3, "equity", {"engine.panic": True}, REFUSE, "PANIC"),
    (3, "equity", {"engine.panic": None}, UNKNOWN, "PANIC"),
    # 4: access
    (4, "equity", {"engine.access.key_mode": "demo"}, REFUSE, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.host_mode": "demo"}, REFUSE, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.account_mode": "demo"}, REFUSE, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.withdraws": True}, REFUSE, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.withdraws": None}, UNKNOWN, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.host_mode": None}, UNKNOWN, "MODE_MISMATCH"),
    (4, "equity", {"engine.access": None}, UNKNOWN, "MODE_MISMATCH"),
    (4, "equity", {"engine.mode": None}, UNKNOWN, "MODE_MISMATCH"),
    (4, "equity", {"engine.access.armed": False}, REFUSE, "LIVE_NOT_ARMED"),
    (4, "equity", {"engine.access.armed": None}, UNKNOWN, "LIVE_NOT_ARMED"),
    (4, "equity", {"engine.mode": "paper", "engine.access": None}, NA, "OK"),
    # 5: lease
    (5, "equity", {"engine.lease_until_ns": NOW + 1}, PASS, "OK"),
    (5, "equity", {"engine.lease_until_ns": NOW}, REFUSE, "LEASE_LOST"),
    (5, "equity", {"engine.lease_until_ns": None}, UNKNOWN, "LEASE_LOST"),
    (5, "equity", {"engine.lease_epoch": None}, UNKNOWN, "LEASE_LOST"),
    # 6: engine state
    (6, "equity", {"engine.phase": Phase.PAUSED}, REFUSE, "PAUSED"),
    (6, "equity", {"engine.phase": Phase.STARTING}, REFUSE, "ENGINE_NOT_READY"),
    (6, "equity", {"engine.phase": Phase.RECONNECTING}, REFUSE, "ENGINE_NOT_READY"),
    (6, "equity", {"engine.phase": Phase.STOPPING}, REFUSE, "ENGINE_NOT_READY"),
    (6, "equity", {"engine.reconciled": False}, REFUSE, "ENGINE_NOT_READY"),
    (6, "equity", {"market.warm": False}, REFUSE, "ENGINE_NOT_READY"),
    (6, "equity", {"market.warm": None}, UNKNOWN, "ENGINE_NOT_READY"),
    (6, "equity", {"engine.phase": None}, UNKNOWN, "ENGINE_NOT_READY"),
    (6, "equity", {"engine.reconciled": None}, UNKNOWN, "ENGINE_NOT_READY"),
    # 7: idempotency and unknown orders
    (7, "equity", {"strategy.same_id": Sent.EXISTS}, REFUSE, "DUPLICATE_SUPPRESSED"),
    (7, "equity", {"strategy.same_id": None}, UNKNOWN, "IDEMPOTENCY_UNKNOWN"),
    (7, "equity", {"market.unknown": True}, REFUSE, "ORDER_STATE_UNKNOWN"),
    (7, "equity", {"market.unknown": None}, UNKNOWN, "ORDER_STATE_UNKNOWN"),
    (7, "equity", {"engine.unknown_ns": NOW - 30 * SECOND + 1}, PASS, "OK"),
    (7, "equity", {"engine.unknown_ns": NOW - 30 * SECOND}, REFUSE, "ORDER_STATE_UNKNOWN"),
    (7, "equity", {"engine.unknown_ns": None}, UNKNOWN, "ORDER_STATE_UNKNOWN"),
    # 8: duplicates: 10 s, 1 %, 5 bps, each itself still alike
    (8, "equity", {"strategy.signal_used": True}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.signal_used": None}, UNKNOWN, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": None}, UNKNOWN, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just()}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just(age_s=11)}, PASS, "OK"),
    (8, "equity", {"strategy.recent": just("50.505")}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just("50.51")}, PASS, "OK"),
    (8, "equity", {"strategy.recent": just(), "request.quantity": D("49.5")}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just(), "request.price": D("100.05")}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just(), "request.price": D("100.06")}, PASS, "OK"),
    (8, "equity", {"strategy.recent": just("-50")}, PASS, "OK"),
    (8, "equity", {"strategy.recent": just(price="100.05")}, REFUSE, "DUPLICATE_SIGNAL"),
    (8, "equity", {"strategy.recent": just(price="100.06")}, PASS, "OK"),
    (8, "equity", {"limits.pace.duplicate_s": None}, NA, "OK"),
    # 9: instrument
    (9, "equity", {"market.instrument": None}, UNKNOWN, "UNKNOWN_INSTRUMENT"),
    (9, "equity", {"market.tradable": None}, UNKNOWN, "UNKNOWN_INSTRUMENT"),
    (9, "equity", {"market.tradable": False}, REFUSE, "NOT_TRADABLE"),
    (9, "equity", {"request.quantity": D(-50), "market.shortable": False}, REFUSE, "NOT_SHORTABLE"),
    (9, "equity", {"request.quantity": D(-50), "market.shortable": None}, UNKNOWN, "NOT_SHORTABLE"),
    (9, "equity", {"market.shortable": False}, PASS, "OK"),
    (9, "perpetual", {"market.fractionable": False}, REFUSE, "NOT_TRADABLE"),
    (9, "perpetual", {"market.fractionable": None}, UNKNOWN, "NOT_TRADABLE"),
    (9, "equity", {"account.kinds": frozenset({InstrumentKind.SPOT})}, REFUSE, "MIXED_ASSET_CLASS"),
    (9, "equity", {"account.kinds": None}, UNKNOWN, "MIXED_ASSET_CLASS"),
    (9, "equity", {"market.instrument_ns": NOW - 24 * HOUR}, PASS, "OK"),
    (9, "equity", {"market.instrument_ns": NOW - 24 * HOUR - 1}, REFUSE, "UNKNOWN_INSTRUMENT"),
    (9, "equity", {"market.instrument_ns": None}, UNKNOWN, "UNKNOWN_INSTRUMENT"),
    # 10: grids and least size
    (10, "perpetual", {"request.price": D("20000.5")}, PASS, "OK"),
    (10, "perpetual", {"request.price": D("20000.25")}, REFUSE, "OFF_GRID"),
    (10, "perpetual", {"request.quantity": D("0.0015")}, REFUSE, "OFF_GRID"),
    (10, "perpetual", {"request.quantity": D("0.0005")}, REFUSE, "BELOW_MIN_SIZE"),
    (10, "perpetual", {"request.quantity": D("0.001"), "request.price": D(5000)}, PASS, "OK"),
    (10, "perpetual", {"request.quantity": D("0.001"), "request.price": D("4999.5")}, REFUSE, "BELOW_MIN_SIZE"),
    (10, "equity", {"market.instrument": None}, UNKNOWN, "OFF_GRID"),
    # 11: session: 300 s after the open, 11:30 to 13:30, 300 s before the close
    (11, "equity", {"market.session": session(open=False)}, REFUSE, "SESSION_CLOSED"),
    (11, "equity", {"market.session": None}, UNKNOWN, "SESSION_CLOSED"),
    (11, "equity", {"market.session": session(since_open_s=300)}, PASS, "OK"),
    (11, "equity", {"market.session": session(since_open_s=299)}, REFUSE, "NO_TRADE_WINDOW"),
    (11, "equity", {"market.session": session(minute=11 * 60 + 29)}, PASS, "OK"),
    (11, "equity", {"market.session": session(minute=11 * 60 + 30)}, REFUSE, "NO_TRADE_WINDOW"),
    (11, "equity", {"market.session": session(minute=13 * 60 + 29)}, REFUSE, "NO_TRADE_WINDOW"),
    (11, "equity", {"market.session": session(minute=13 * 60 + 30)}, PASS, "OK"),
    (11, "equity", {"market.session": session(until_close_s=301)}, PASS, "OK"),
    (11, "equity", {"market.session": session(until_close_s=300)}, REFUSE, "AFTER_FLATTEN"),
    (11, "perpetual", {"market.session": session(around_the_clock=True, until_close_s=0)}, PASS, "OK"),
    (11, "equity", {"limits.market.sessions": False, "market.session": None}, NA, "OK"),
    # 12: events: CPI half an hour before to one and a half after
    (12, "equity", {"market.events": near(1800)}, REFUSE, "EVENT_BLACKOUT"),
    (12, "equity", {"market.events": near(1801)}, PASS, "OK"),
    (12, "equity", {"market.events": near(-5400)}, REFUSE, "EVENT_BLACKOUT"),
    (12, "equity", {"market.events": near(-5401)}, PASS, "OK"),
    (12, "equity", {"market.events": near(60, "ppi")}, WARN, "EVENT_BLACKOUT"),
    (12, "equity", {"market.events": near(-60, "claims")}, PASS, "OK"),
    (12, "equity", {"market.events": near(7200, "nobody knows")}, REFUSE, "EVENT_BLACKOUT"),
    (12, "equity", {"market.events": near(7201, "nobody knows")}, PASS, "OK"),
    (12, "equity", {"market.events": None}, UNKNOWN, "EVENT_CALENDAR_STALE"),
    (12, "equity", {"market.events": None, "engine.mode": "paper"}, WARN, "EVENT_CALENDAR_STALE"),
    (12, "equity", {"limits.market.events": (), "market.events": None}, NA, "OK"),
    # 13: lockouts
    (13, "equity", {"market.lockout_ns": NOW + 1}, REFUSE, "REGIME_LOCKOUT"),
    (13, "equity", {"market.lockout_ns": NOW}, PASS, "OK"),
    (13, "equity", {"market.lockout_ns": None}, UNKNOWN, "REGIME_LOCKOUT"),
    (13, "equity", {"limits.market.lockouts": False, "market.lockout_ns": None}, NA, "OK"),
    # 14 and 15: scores, rounded to nine places first
    (14, "equity", {"market.dvs": D("0.80")}, PASS, "OK"),
    (14, "equity", {"market.dvs": D("0.7999999996")}, PASS, "OK"),
    (14, "equity", {"market.dvs": D("0.79")}, REFUSE, "DVS_TOO_LOW"),
    (14, "equity", {"market.dvs": D("NaN")}, UNKNOWN, "DVS_TOO_LOW"),
    (14, "equity", {"market.dvs": None}, UNKNOWN, "DVS_TOO_LOW"),
    (14, "equity", {"limits.market.dvs_entry": None, "market.dvs": None}, NA, "OK"),
    (15, "equity", {"market.eqs": D("0.75")}, PASS, "OK"),
    (15, "equity", {"market.eqs": D("0.74")}, REFUSE, "EQS_TOO_LOW"),
    (15, "equity", {"market.eqs": None}, UNKNOWN, "EQS_TOO_LOW"),
    (15, "equity", {"limits.market.eqs_entry": None, "market.eqs": None}, NA, "OK"),
    # 16: 2.5 bars, 5 s, 30 s, 30 s
    (16, "equity", {"market.bar_ns": NOW - 150 * SECOND}, PASS, "OK"),
    (16, "equity", {"market.bar_ns": NOW - 150 * SECOND - 1}, REFUSE, "STALE_DATA"),
    (16, "equity", {"market.bar_ns": None}, UNKNOWN, "STALE_DATA"),
    (16, "equity", {"market.interval_ns": None}, UNKNOWN, "STALE_DATA"),
    (16, "equity", {"market.quote_ns": NOW - 5000 * MS}, PASS, "OK"),
    (16, "equity", {"market.quote_ns": NOW - 5000 * MS - 1}, REFUSE, "STALE_DATA"),
    (16, "equity", {"market.quote_ns": None}, UNKNOWN, "STALE_DATA"),
    (16, "equity", {"engine.streams.private_ns": NOW - 30 * SECOND}, PASS, "OK"),
    (16, "equity", {"engine.streams.private_ns": NOW - 30 * SECOND - 1}, REFUSE, "STREAM_UNHEALTHY"),
    (16, "equity", {"engine.streams.unhealthy_ns": NOW - 30 * SECOND}, PASS, "OK"),
    (16, "equity", {"engine.streams.unhealthy_ns": NOW - 30 * SECOND - 1}, REFUSE, "STREAM_UNHEALTHY"),
    (16, "equity", {"engine.streams": None}, UNKNOWN, "STREAM_UNHEALTHY"),
    (16, "equity", {"limits.market.bar_age": None, "limits.market.quote_age_ms": None,
                    "limits.market.private_silence_s": None, "limits.market.unhealthy_s": None}, NA, "OK"),
    # 17: 5 % of 100, legs 25 %, reference 5 s old
    (17, "equity", {"request.price": D(105)}, PASS, "OK"),
    (17, "equity", {"request.price": D("105.01")}, REFUSE, "PRICE_COLLAR"),
    (17, "equity", {"request.price": D("94.99")}, REFUSE, "PRICE_COLLAR"),
    (17, "equity", {"request.stop_distance": D(25)}, PASS, "OK"),
    (17, "equity", {"request.stop_distance": D("25.01")}, REFUSE, "PRICE_COLLAR"),
    (17, "equity", {"request.target_distance": D("25.01")}, REFUSE, "PRICE_COLLAR"),
    (17, "equity", {"request.quantity": D(-50), "request.target_distance": D("25.01")}, REFUSE, "PRICE_COLLAR"),
    (17, "equity", {"market.last": None}, UNKNOWN, "NO_REFERENCE_PRICE"),
    (17, "equity", {"market.last_ns": NOW - 5000 * MS}, PASS, "OK"),
    (17, "equity", {"market.last_ns": NOW - 5000 * MS - 1}, UNKNOWN, "NO_REFERENCE_PRICE"),
    (17, "equity", {"market.last_ns": None}, UNKNOWN, "NO_REFERENCE_PRICE"),
    (17, "equity", {"market.last": D("0.00009999")}, UNKNOWN, "NO_REFERENCE_PRICE"),
    (17, "equity", {"limits.prices.collar": None, "market.last": None}, NA, "OK"),
    (17, "equity", {"limits.prices.leg_collar": None, "request.stop_distance": D(50)}, PASS, "OK"),
    # 18: 12 bps of 100.00, 3 ticks of 0.25
    (18, "equity", {"market.bid": D("99.94"), "market.ask": D("100.06")}, PASS, "OK"),
    (18, "equity", {"market.bid": D("99.94"), "market.ask": D("100.07")}, REFUSE, "SPREAD_TOO_WIDE"),
    (18, "micro", {"market.bid": D("4999.25"), "market.ask": D(5000)}, PASS, "OK"),
    (18, "micro", {"market.bid": D(4999), "market.ask": D(5000)}, REFUSE, "SPREAD_TOO_WIDE"),
    (18, "equity", {"market.bid": None}, UNKNOWN, "SPREAD_TOO_WIDE"),
    (18, "equity", {"limits.prices.spread_bps": None, "market.bid": None}, NA, "OK"),
    # 19: 10 % of either volume: 50 of 500
    (19, "equity", {"market.minute_volume": D(500)}, PASS, "OK"),
    (19, "equity", {"market.minute_volume": D(499)}, REFUSE, "PARTICIPATION"),
    (19, "equity", {"market.daily_volume": D(499)}, REFUSE, "PARTICIPATION"),
    (19, "equity", {"market.minute_volume": D(0)}, REFUSE, "PARTICIPATION"),
    (19, "equity", {"market.minute_volume": None}, UNKNOWN, "PARTICIPATION"),
    (19, "equity", {"market.daily_volume": D("NaN")}, UNKNOWN, "PARTICIPATION"),
    (19, "equity", {"limits.prices.adv_share": None, "limits.prices.minute_share": None}, NA, "OK"),
    # 20: one contract
    (20, "micro", {}, PASS, "OK"),
    (20, "micro", {"request.quantity": D(2)}, REFUSE, "QTY_LIMIT"),
    (20, "micro", {"market.position": D(1)}, REFUSE, "QTY_LIMIT"),
    (20, "micro", {"market.position": None}, UNKNOWN, "QTY_LIMIT"),
    (20, "equity", {}, NA, "OK"),
    # 21: 50 units at 100.00
    (21, "equity", {"limits.exposure.order_notional": D(5000)}, PASS, "OK"),
    (21, "equity", {"limits.exposure.order_notional": D("4999.99")}, REFUSE, "NOTIONAL_LIMIT"),
    (21, "equity", {"account.permit": D(5000)}, PASS, "OK"),
    (21, "equity", {"account.permit": D("4999.99")}, REFUSE, "NOTIONAL_LIMIT"),
    (21, "equity", {"account.permit": None}, UNKNOWN, "NOTIONAL_LIMIT"),
    (21, "equity", {"account.permit": None, "engine.mode": "paper"}, NA, "OK"),
    # 22: 8 % of 100,000 is 80 units
    (22, "equity", {"request.quantity": D(80)}, PASS, "OK"),
    (22, "equity", {"request.quantity": D(81)}, WARN, "SIZE_CLAMPED"),
    (22, "equity", {"account.holdings": (holding("8000", "ACME.NYSE", strategy=StrategyId("trend")),)}, REFUSE,
     "POSITION_SIZE_LIMIT"),
    (22, "equity", {"account.equity": None}, UNKNOWN, "POSITION_SIZE_LIMIT"),
    (22, "equity", {"account.scale": None}, UNKNOWN, "POSITION_SIZE_LIMIT"),
    (22, "equity", {"account.holdings": None}, UNKNOWN, "POSITION_SIZE_LIMIT"),
    (22, "equity", {"limits.exposure.max_position_size": None}, NA, "OK"),
    (22, "perpetual", {"request.quantity": D("0.003")}, WARN, "SIZE_CLAMPED"),
    # 23: 100,000 of equity; below 10 % of the wish is no room
    (23, "equity", {"account.holdings": (holding("95000"),)}, PASS, "OK"),
    (23, "equity", {"account.holdings": (holding("95001"),)}, WARN, "SIZE_CLAMPED"),
    (23, "equity", {"account.holdings": (holding("-99500"),)}, WARN, "SIZE_CLAMPED"),
    (23, "equity", {"account.holdings": (holding("99501"),)}, REFUSE, "GROSS_EXPOSURE"),
    (23, "equity", {"account.holdings": None}, UNKNOWN, "GROSS_EXPOSURE"),
    (23, "equity", {"limits.exposure.gross": None}, NA, "OK"),
    # 24: net
    (24, "equity", {"limits.exposure.gross": D(3), "account.holdings": (holding("95000"),)}, PASS, "OK"),
    (24, "equity", {"limits.exposure.gross": D(3), "account.holdings": (holding("95001"),)}, REFUSE, "NET_EXPOSURE"),
    (24, "equity", {"limits.exposure.gross": D(3), "account.holdings": (holding("-105000"),)}, PASS, "OK"),
    (24, "equity", {"account.equity": None}, UNKNOWN, "NET_EXPOSURE"),
    (24, "equity", {"limits.exposure.net": None}, NA, "OK"),
    # 25: 30 %, half of it where the sector is not known
    (25, "equity", {"account.holdings": (holding("25000", sector="retail"),)}, PASS, "OK"),
    (25, "equity", {"account.holdings": (holding("25001", sector="retail"),)}, REFUSE, "SECTOR_EXPOSURE"),
    (25, "equity", {"account.holdings": (holding("29000"),)}, PASS, "OK"),
    (25, "equity", {"market.sector": None, "account.holdings": (holding("10000", sector=None),)}, PASS, "OK"),
    (25, "equity", {"market.sector": None, "account.holdings": (holding("10001", sector=None),)}, REFUSE,
     "SECTOR_EXPOSURE"),
    (25, "equity", {"account.holdings": None}, UNKNOWN, "SECTOR_EXPOSURE"),
    (25, "equity", {"limits.exposure.sector": None}, NA, "OK"),
    # 26: correlation
    (26, "equity", {"account.holdings": (holding("100", correlation=D("-0.7")),)}, PASS, "OK"),
    (26, "equity", {"account.holdings": (holding("100", correlation=D("0.71")),)}, WARN, "CORRELATION_LIMIT"),
    (26, "equity", {"account.holdings": (holding("100", correlation=None),)}, WARN, "CORRELATION_LIMIT"),
    (26, "equity", {"account.holdings": (holding("100", correlation=D("-0.71")),),
                    "limits.exposure.strict_correlation": True}, REFUSE, "CORRELATION_LIMIT"),
    (26, "equity", {"account.holdings": None}, UNKNOWN, "CORRELATION_LIMIT"),
    (26, "equity", {"limits.exposure.correlation": None}, NA, "OK"),
    # 27: five instruments
    (27, "equity", {"account.holdings": tuple(holding("1", f"N{n}.NYSE") for n in range(4))}, PASS, "OK"),
    (27, "equity", {"account.holdings": tuple(holding("1", f"N{n}.NYSE") for n in range(5))}, REFUSE, "MAX_POSITIONS"),
    (27, "equity", {"account.holdings": None}, UNKNOWN, "MAX_POSITIONS"),
    (27, "equity", {"limits.exposure.positions": None}, NA, "OK"),
    # 28: owner
    (28, "equity", {"account.holdings": (holding("1", "ACME.NYSE"),)}, REFUSE, "POSITION_CONFLICT"),
    (28, "equity", {"account.holdings": (holding("1", "ACME.NYSE", strategy=StrategyId("trend")),)}, PASS, "OK"),
    (28, "equity", {"account.holdings": None}, UNKNOWN, "RESERVATION_FAILED"),
    (28, "equity", {"limits.exposure.owners": False, "account.holdings": None}, NA, "OK"),
    # 29: adding
    (29, "equity", {"market.position": D(10)}, REFUSE, "NO_ADDING"),
    (29, "equity", {"market.position": D(10), "request.adds": True}, PASS, "OK"),
    (29, "equity", {"market.position": D(-10), "request.adds": True}, REFUSE, "NO_ADDING"),
    (29, "micro", {"market.position": D(1), "request.adds": True}, REFUSE, "NO_ADDING"),
    (29, "equity", {"market.position": None}, UNKNOWN, "POSITION_UNKNOWN"),
    # 30: four orders here, fifty in the account
    (30, "equity", {"market.orders": 3}, PASS, "OK"),
    (30, "equity", {"market.orders": 4}, REFUSE, "TOO_MANY_OPEN_ORDERS"),
    (30, "equity", {"account.orders": 49}, PASS, "OK"),
    (30, "equity", {"account.orders": 50}, REFUSE, "TOO_MANY_OPEN_ORDERS"),
    (30, "equity", {"market.orders": None}, UNKNOWN, "TOO_MANY_OPEN_ORDERS"),
    (30, "equity", {"account.orders": None}, UNKNOWN, "TOO_MANY_OPEN_ORDERS"),
    (30, "equity", {"limits.exposure.orders_symbol": None, "limits.exposure.orders_account": None}, NA, "OK"),
    # 31: ten a minute of one strategy: nine may be in use
    (31, "equity", {"engine.rates": RateBook(strategies={StrategyId("trend"): NOW + 9 * 6 * SECOND})}, PASS, "OK"),
    (31, "equity", {"engine.rates": RateBook(strategies={StrategyId("trend"): NOW + 9 * 6 * SECOND + 1})}, REFUSE,
     "ORDER_RATE"),
    (31, "equity", {"engine.rates": RateBook(account=NOW + 49 * SECOND)}, PASS, "OK"),
    (31, "equity", {"engine.rates": RateBook(account=NOW + 49 * SECOND + 1)}, REFUSE, "ORDER_RATE"),
    (31, "equity", {"engine.rates": None}, UNKNOWN, "ORDER_RATE"),
    (31, "micro", {"account.hour_entries": 1}, REFUSE, "ENTRY_COOLDOWN"),
    (31, "micro", {"account.hour_entries": None}, UNKNOWN, "ENTRY_COOLDOWN"),
    (31, "micro", {"account.entry_ns": NOW - 30 * MINUTE}, PASS, "OK"),
    (31, "micro", {"account.entry_ns": NOW - 30 * MINUTE + 1}, REFUSE, "ENTRY_COOLDOWN"),
    (31, "micro", {"account.entry_ns": None}, UNKNOWN, "ENTRY_COOLDOWN"),
    # 32: an hour
    (32, "equity", {"strategy.signal_ns": NOW - HOUR}, PASS, "OK"),
    (32, "equity", {"strategy.signal_ns": NOW - HOUR + 1}, REFUSE, "SIGNAL_COOLDOWN"),
    (32, "equity", {"strategy.signal_ns": None}, UNKNOWN, "SIGNAL_COOLDOWN"),
    (32, "equity", {"limits.pace.signal_cooldown_s": None}, NA, "OK"),
    # 33: two a session
    (33, "micro", {"account.trades": 1}, PASS, "OK"),
    (33, "micro", {"account.trades": 2}, REFUSE, "TRADES_PER_DAY"),
    (33, "micro", {"account.trades": None}, UNKNOWN, "TRADES_PER_DAY"),
    (33, "micro", {"limits.pace.trades": None}, NA, "OK"),
    # 34: 2 to 12 ticks of 0.25, tier S 10; 10 % of 100.00
    (34, "micro", {"request.stop_distance": D("0.5")}, PASS, "OK"),
    (34, "micro", {"request.stop_distance": D("0.25")}, REFUSE, "STOP_DISTANCE"),
    (34, "micro", {"request.stop_distance": D(3)}, PASS, "OK"),
    (34, "micro", {"request.stop_distance": D("3.25")}, REFUSE, "STOP_DISTANCE"),
    (34, "micro", {"account.equity": D("2499.99"), "request.stop_distance": D("2.75")}, REFUSE, "STOP_DISTANCE"),
    (34, "micro", {"account.equity": D(2500), "request.stop_distance": D("2.75")}, PASS, "OK"),
    (34, "micro", {"request.stop_distance": D("0.125")}, REFUSE, "STOP_TOO_CLOSE"),
    (34, "equity", {"request.stop_distance": D(10)}, PASS, "OK"),
    (34, "equity", {"request.stop_distance": D("10.01")}, REFUSE, "STOP_DISTANCE"),
    (34, "equity", {"strategy.numeric": None}, UNKNOWN, "STOP_DISTANCE"),
    (34, "equity", {"request.stop_distance": None}, REFUSE, "STOP_REQUIRED"),
    (34, "equity", {"request.stop_distance": None, "strategy.waiver_ns": None}, UNKNOWN, "STOP_REQUIRED"),
    (34, "equity", {"request.stop_distance": None, "strategy.waiver_ns": NOW + 1}, WARN, "STOP_REQUIRED"),
    (34, "equity", {"request.stop_distance": None, "strategy.waiver_ns": NOW}, REFUSE, "STOP_REQUIRED"),
    (34, "equity", {"request.stop_distance": None, "engine.mode": "paper"}, NA, "OK"),
    # 35: micro 15.00 at the stop, costs beside; equity 1 %: 2.00 + 0.01 + 0.01 a share is 2.02
    (35, "micro", {"request.stop_distance": D(3)}, PASS, "OK"),
    (35, "micro", {"request.stop_distance": D("3.25")}, REFUSE, "TRADE_RISK"),
    (35, "micro", {"account.equity": D("2499.99"), "request.stop_distance": D("2.5")}, REFUSE, "TRADE_RISK"),
    (35, "micro", {"account.equity": D("1499.99"), "request.stop_distance": D(1)}, REFUSE, "TRADE_RISK"),
    (35, "equity", {"account.equity": D("10100"), "limits.exposure.max_position_size": None}, PASS, "OK"),
    (35, "equity", {"account.equity": D("10099.99"), "limits.exposure.max_position_size": None}, REFUSE, "TRADE_RISK"),
    (35, "equity", {"account.equity": None}, UNKNOWN, "TRADE_RISK"),
    (35, "equity", {"market.costs": None}, UNKNOWN, "TRADE_RISK"),
    (35, "equity", {"limits.trade.loss_fraction": None}, NA, "OK"),
    (35, "equity", {"limits.trade.loss_fraction": None, "limits.trade.least_equity": D(100_000)}, NA, "OK"),
    (35, "equity", {"limits.trade.loss_fraction": None, "limits.trade.least_equity": D(100_001)}, REFUSE, "TRADE_RISK"),
    (35, "equity", {"limits.trade.loss_fraction": None, "limits.trade.least_equity": D(1), "account.equity": None},
     UNKNOWN, "TRADE_RISK"),
    # 36: 9.00 + 1.00 of extra against 30 % of the move x 5
    (36, "micro", {"request.target_distance": D("6.75")}, PASS, "OK"),
    (36, "micro", {"request.target_distance": D("6.5")}, REFUSE, "FRICTION"),
    (36, "micro", {"market.costs.extra": D(9), "request.target_distance": D(10)}, PASS, "OK"),
    (36, "micro", {"strategy.cost_factor": D("1.2"), "request.target_distance": D(8)}, PASS, "OK"),
    (36, "micro", {"strategy.cost_factor": D("1.5"), "request.target_distance": D(8)}, REFUSE, "FRICTION"),
    (36, "micro", {"limits.trade.friction_cost": None, "limits.trade.friction": D("0.0935")}, PASS, "OK"),
    (36, "micro", {"limits.trade.friction_cost": None, "limits.trade.friction": D("0.0934")}, REFUSE, "FRICTION"),
    (36, "perpetual", {"limits.trade.friction": D("0.065")}, PASS, "OK"),
    (36, "perpetual", {"limits.trade.friction": D("0.0649")}, REFUSE, "FRICTION"),
    (36, "equity", {"request.target_distance": D("0.1")}, PASS, "OK"),
    (36, "equity", {"request.target_distance": D("0.09")}, REFUSE, "FRICTION"),
    (36, "equity", {"request.target_distance": None}, UNKNOWN, "FRICTION"),
    (36, "equity", {"request.target_distance": None, "request.expected_move": D(4)}, PASS, "OK"),
    (36, "equity", {"limits.trade.friction": None}, NA, "OK"),
    # 37: the worst case is 50 x 2.02 = 101.00 of 3,000
    (37, "equity", {"account.realised_day": D("-2898.99")}, PASS, "OK"),
    (37, "equity", {"account.realised_day": D("-2899.00")}, REFUSE, "DAILY_LOSS"),
    (37, "equity", {"account.open_profit": D("-2899.00")}, REFUSE, "DAILY_LOSS"),
    (37, "equity", {"account.realised_day": None}, UNKNOWN, "DAILY_LOSS"),
    (37, "equity", {"account.open_profit": None}, UNKNOWN, "DAILY_LOSS"),
    (37, "equity", {"account.session_equity": None}, UNKNOWN, "DAILY_LOSS"),
    (37, "equity", {"limits.losses.daily_fraction": None}, NA, "OK"),
    (37, "micro", {"account.realised_day": D("-15.01")}, REFUSE, "DAILY_LOSS"),
    (37, "micro", {"account.realised_day": D("-15.00")}, PASS, "OK"),
    # 38: 6,000 and 10,000
    (38, "equity", {"account.realised_week": D("-5898.99")}, PASS, "OK"),
    (38, "equity", {"account.realised_week": D("-5899.00")}, REFUSE, "WEEKLY_LOSS"),
    (38, "equity", {"account.realised_month": D("-9898.99")}, PASS, "OK"),
    (38, "equity", {"account.realised_month": D("-9899.00")}, REFUSE, "MONTHLY_LOSS"),
    (38, "equity", {"account.realised_week": None}, UNKNOWN, "WEEKLY_LOSS"),
    (38, "equity", {"account.realised_month": None}, UNKNOWN, "MONTHLY_LOSS"),
    (38, "equity", {"limits.losses.weekly_fraction": None, "limits.losses.monthly_fraction": None}, NA, "OK"),
    (38, "equity", {"limits.losses.monthly_fraction": None, "account.realised_month": None}, PASS, "OK"),
    (38, "equity", {"limits.losses.weekly_fraction": None, "account.realised_month": D(-9900)}, REFUSE, "MONTHLY_LOSS"),
    # 39: account 3 for an hour, strategy 2; futures 2 to the next session
    (39, "equity", {"account.streak": 2}, PASS, "OK"),
    (39, "equity", {"account.streak": 3, "account.loss_ns": NOW - HOUR + 1}, REFUSE, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"account.streak": 3, "account.loss_ns": NOW - HOUR}, PASS, "OK"),
    (39, "equity", {"account.streak": 3, "account.loss_ns": None}, REFUSE, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"strategy.streak": 2}, REFUSE, "CONSECUTIVE_LOSSES"),
    (39, "micro", {"account.streak": 2, "account.loss_ns": NOW - 5 * HOUR}, REFUSE, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"account.streak": None}, UNKNOWN, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"strategy.streak": None}, UNKNOWN, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"strategy.streak_scale": None}, UNKNOWN, "CONSECUTIVE_LOSSES"),
    (39, "equity", {"limits.losses.account_streak": None, "limits.losses.strategy_streak": None}, NA, "OK"),
    # 40: 5 % of the session, 10 % of all
    (40, "equity", {"account.session_peak": D("105263.15")}, PASS, "OK"),
    (40, "equity", {"account.session_peak": D("105263.16")}, REFUSE, "DRAWDOWN"),
    (40, "equity", {"account.peak": D("111111.11")}, PASS, "OK"),
    (40, "equity", {"account.peak": D("111111.12")}, REFUSE, "DRAWDOWN"),
    (40, "equity", {"account.equity": D(90_000), "account.peak": D(100_000), "account.session_peak": D(90_000)}, REFUSE,
     "DRAWDOWN"),
    (40, "equity", {"account.equity": D(95_000), "account.session_peak": D(100_000)}, REFUSE, "DRAWDOWN"),
    (40, "equity", {"account.scale": D(0)}, REFUSE, "DRAWDOWN"),
    (40, "equity", {"account.scale": None}, UNKNOWN, "DRAWDOWN"),
    (40, "equity", {"account.peak": None}, UNKNOWN, "DRAWDOWN"),
    (40, "equity", {"account.session_peak": None}, UNKNOWN, "DRAWDOWN"),
    (40, "equity", {"limits.losses.intraday_drawdown": None, "limits.losses.drawdown": None,
                    "limits.losses.soft_drawdown": None, "limits.losses.medium_drawdown": None}, NA, "OK"),
    # 41: health
    (41, "equity", {"strategy.allowed": False}, REFUSE, "STRATEGY_NOT_ALLOWED"),
    (41, "equity", {"strategy.allowed": None}, UNKNOWN, "STRATEGY_NOT_ALLOWED"),
    (41, "equity", {"strategy.health": Health.QUARANTINED}, REFUSE, "STRATEGY_QUARANTINED"),
    (41, "equity", {"strategy.health": Health.THROTTLED}, PASS, "OK"),
    (41, "equity", {"strategy.health": None}, UNKNOWN, "STRATEGY_QUARANTINED"),
    (41, "equity", {"strategy.scale": None}, UNKNOWN, "STRATEGY_QUARANTINED"),
    (41, "equity", {"limits.losses.health": False, "strategy.health": None}, NA, "OK"),
    # 42: 5,000 of 100,000 is 0.05: value at risk 0.6, shortfall 0.8; stops 2 % of 100,000
    (42, "equity", {"market.statistics.value_at_risk": D("0.6")}, PASS, "OK"),
    (42, "equity", {"market.statistics.value_at_risk": D("0.6001")}, REFUSE, "VAR"),
    (42, "equity", {"market.statistics.expected_shortfall": D("0.8")}, PASS, "OK"),
    (42, "equity", {"market.statistics.drawdown": D("0.30")}, PASS, "OK"),
    (42, "equity", {"market.statistics.expected_shortfall": D("0.8001")}, REFUSE, "ES"),
    (42, "equity", {"market.statistics.volatility": D("0.40")}, PASS, "OK"),
    (42, "equity", {"market.statistics.volatility": D("0.4001")}, REFUSE, "VOLATILITY"),
    (42, "equity", {"market.statistics.drawdown": D("0.3001")}, REFUSE, "VOLATILITY"),
    (42, "equity", {"account.open_risk": D("1899.00")}, PASS, "OK"),
    (42, "equity", {"account.open_risk": D("1899.01")}, REFUSE, "PORTFOLIO_RISK"),
    (42, "equity", {"account.open_risk": None}, UNKNOWN, "PORTFOLIO_RISK"),
    (42, "equity", {"market.statistics": None}, UNKNOWN, "INSUFFICIENT_HISTORY"),
    (42, "equity", {"strategy.volatility_scale": None}, UNKNOWN, "INSUFFICIENT_HISTORY"),
    (42, "equity", {f"limits.losses.{name}": None for name in (
        "value_at_risk", "expected_shortfall", "volatility", "instrument_drawdown", "portfolio_risk")}, NA, "OK"),
    # 43: leverage
    (43, "perpetual", {"limits.margin.leverage": D("0.14")}, PASS, "OK"),
    (43, "perpetual", {"limits.margin.leverage": D("0.1399")}, REFUSE, "LEVERAGE"),
    (43, "perpetual", {"market.leverage": D(10)}, PASS, "OK"),
    (43, "perpetual", {"market.leverage": D(11)}, REFUSE, "LEVERAGE"),
    (43, "perpetual", {"market.leverage": None}, UNKNOWN, "LEVERAGE"),
    (43, "perpetual", {"account.equity": None}, UNKNOWN, "LEVERAGE"),
    (43, "perpetual", {"limits.margin.leverage": None, "limits.margin.hard_leverage": None}, NA, "OK"),
    # 44: margin: 40 of notional at leverage 2 is 20, twice is 40
    (44, "perpetual", {"account.margin.available": D(100)}, PASS, "OK"),
    (44, "perpetual", {"account.margin.available": D("99.99")}, REFUSE, "MARGIN"),
    (44, "perpetual", {"limits.margin.least_available": D(0), "account.margin.available": D(40)}, PASS, "OK"),
    (44, "perpetual", {"limits.margin.least_available": D(0), "account.margin.available": D("39.99")}, REFUSE,
     "MARGIN"),
    (44, "perpetual", {"account.margin.initial_rate": D("0.80")}, PASS, "OK"),
    (44, "perpetual", {"account.margin.initial_rate": D("0.81")}, REFUSE, "MARGIN"),
    (44, "perpetual", {"account.margin.maintenance_rate": D("0.91")}, REFUSE, "MARGIN"),
    (44, "perpetual", {"account.margin.asset_share": D("0.51")}, REFUSE, "MARGIN"),
    (44, "perpetual", {"account.margin.liquidating": True}, REFUSE, "LIQUIDATING"),
    (44, "perpetual", {"market.reduce_only": True}, REFUSE, "REDUCE_ONLY_SYMBOL"),
    (44, "perpetual", {"market.reduce_only": None}, UNKNOWN, "MARGIN"),
    (44, "perpetual", {"account.margin": None}, UNKNOWN, "MARGIN"),
    (44, "perpetual", {"account.free": None}, UNKNOWN, "MARGIN"),
    (44, "perpetual", {"strategy.numeric": None}, UNKNOWN, "MARGIN"),
    (44, "perpetual", {"account.free": D(20)}, REFUSE, "INSUFFICIENT_MARGIN"),
    (44, "perpetual", {"limits.margin.liquidation_distance": D("0.50")}, REFUSE, "LIQUIDATION_TOO_CLOSE"),
    (44, "micro", {"account.margin.available": D(2700)}, PASS, "OK"),
    (44, "micro", {"account.margin.available": D("2699.99")}, REFUSE, "MARGIN"),
    (44, "micro", {"request.quantity": D(2), "account.margin.available": D(5399)}, REFUSE, "MARGIN"),
    # 45: 5,000 + 0.25 of fees against 95 % of the buying power
    (45, "equity", {"account.buying_power": D("5263.43")}, PASS, "OK"),
    (45, "equity", {"account.buying_power": D("5263.42")}, REFUSE, "BUYING_POWER"),
    (45, "equity", {"account.buying_power": None}, UNKNOWN, "BUYING_POWER"),
    (45, "equity", {"account.settled_cash": D("5000.25")}, PASS, "OK"),
    (45, "equity", {"account.settled_cash": D("5000.24")}, REFUSE, "BUYING_POWER"),
    (45, "equity", {"market.costs.rate": D("0.001"), "account.settled_cash": D("5005.25")}, PASS, "OK"),
    (45, "equity", {"market.costs.rate": D("0.001"), "account.settled_cash": D("5005.24")}, REFUSE, "BUYING_POWER"),
    (45, "equity", {"account.settled_cash": None}, UNKNOWN, "BUYING_POWER"),
    (45, "equity", {"request.kind": OrderKind.MARKET, "request.price": None, "account.settled_cash": D("5025.25")},
     PASS, "OK"),
    (45, "equity", {"request.kind": OrderKind.MARKET, "request.price": None, "account.settled_cash": D("5025.24")},
     REFUSE, "BUYING_POWER"),
    (45, "equity", {"account.day_trades": None}, UNKNOWN, "PDT_LIMIT"),
    (45, "equity", {"market.wash_sale": True}, WARN, "WASH_SALE"),
    (45, "perpetual", {}, NA, "OK"),
    # 46: 0.0001 x 3 x leverage 2 is 0.0006 a day
    (46, "perpetual", {"limits.margin.funding_per_day": D("0.0006")}, PASS, "OK"),
    (46, "perpetual", {"market.funding_rate": D("-0.001667"), "market.leverage": D(2)}, REFUSE, "FUNDING_COST"),
    (46, "perpetual", {"market.funding_rate": D("-0.001666"), "market.leverage": D(2)}, PASS, "OK"),
    (46, "perpetual", {"market.funding_rate": None}, WARN, "FUNDING_COST"),
    (46, "equity", {"limits.margin.funding_per_day": D("0.01")}, NA, "OK"),
    # 47: 3 runs, 2 intervals of 300 s
    (47, "equity", {"engine.recon.open_differences": 1}, REFUSE, "RECON_UNHEALTHY"),
    (47, "equity", {"market.blocked": True}, REFUSE, "RECON_UNHEALTHY"),
    (47, "equity", {"market.blocked": None}, UNKNOWN, "RECON_UNHEALTHY"),
    (47, "equity", {"engine.recon.mismatches": 2}, PASS, "OK"),
    (47, "equity", {"engine.recon.mismatches": 3}, REFUSE, "RECON_UNHEALTHY"),
    (47, "equity", {"engine.recon.clean_ns": NOW - 600 * SECOND}, PASS, "OK"),
    (47, "equity", {"engine.recon.clean_ns": NOW - 600 * SECOND - 1}, REFUSE, "RECON_UNHEALTHY"),
    (47, "equity", {"limits.operation.mismatches": None, "engine.recon.mismatches": 9}, PASS, "OK"),
    (47, "equity", {"limits.operation.clean_intervals": None, "engine.recon.clean_ns": 0}, PASS, "OK"),
    (47, "micro", {"engine.recon.clean_ns": NOW - 240 * SECOND - 1}, REFUSE, "RECON_UNHEALTHY"),
    (47, "equity", {"engine.recon": None}, UNKNOWN, "RECON_UNHEALTHY"),
    (47, "equity", {"limits.operation.mismatches": None, "limits.operation.clean_intervals": None}, NA, "OK"),
    # 48: warned above 250 ms, refused above 1 s
    (48, "equity", {"engine.clock_offset_ns": -250 * MS}, PASS, "OK"),
    (48, "equity", {"engine.clock_offset_ns": 250 * MS + 1}, WARN, "CLOCK_SKEW"),
    (48, "equity", {"engine.clock_offset_ns": 1000 * MS}, WARN, "CLOCK_SKEW"),
    (48, "equity", {"engine.clock_offset_ns": -1000 * MS - 1}, REFUSE, "CLOCK_SKEW"),
    (48, "equity", {"engine.clock_offset_ns": None}, UNKNOWN, "CLOCK_SKEW"),
    (48, "equity", {"limits.operation.clock_block_ms": None}, NA, "OK"),
    # 49: journal
    (49, "equity", {"engine.journal_writable": False}, REFUSE, "AUDIT_UNAVAILABLE"),
    (49, "equity", {"engine.journal_writable": None}, UNKNOWN, "AUDIT_UNAVAILABLE"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "where", "changes", "outcome", "reason"), ROWS,
    ids=[f"{gate} {where} {'_'.join(name.rpartition('.')[2] for name in changes)} {reason} {place}"
         for place, (gate, where, changes, outcome, reason) in enumerate(ROWS)],
)  # fmt: skip
def test_a_gate_answers(gate: int, where: str, changes: dict[str, Any], outcome: Outcome, reason: str) -> None:
    desk = DESKS[where]().with_(**changes)
    verdict = desk.judge()
    check = verdict.checks[gate - 1]

    assert (check.outcome, check.reason.value) == (outcome, reason)
    assert check.reason is Reason.OK or check.reason in GATES[gate - 1].codes
    assert isinstance(verdict, Refused) == any(one.outcome.bars for one in verdict.checks)
    if isinstance(verdict, Refused):
        assert verdict.reason is next(one.reason for one in verdict.checks if one.outcome.bars)


@pytest.mark.parametrize("where", DESKS)
def test_every_gate_lets_the_desk_through(where: str) -> None:
    verdict = DESKS[where]().judge()

    assert isinstance(verdict, Approved)
    assert verdict.warnings == ()
    assert verdict.quantity == verdict.request.quantity
    assert (verdict.halt_epoch, verdict.lease_epoch) == (7, 3)


def test_the_list_has_every_row_in_order_and_each_is_tested_in_every_way() -> None:
    assert [gate.number for gate in GATES] == list(range(1, 50))
    answers: dict[int, set[Outcome]] = {}
    for number, _, _, outcome, _ in ROWS:
        answers.setdefault(number, set()).add(outcome)
    for gate in GATES:
        found = answers[gate.number]
        assert REFUSE in found, gate.name
        assert gate.number == 1 or {UNKNOWN, WARN} & found, gate.name


def test_every_code_of_every_gate_is_given_by_a_test() -> None:
    """Those of orders that are no entry, and of a request that is not whole, are in the tests of decisions."""
    given = {(gate, reason) for gate, _, _, _, reason in ROWS}
    elsewhere = {
        "BAD_REQUEST", "BAD_PRICE", "KILL_PATH_ONLY", "SHORT_NOT_ALLOWED", "QUANTITY_ABOVE_LIMIT", "STOP_BEYOND_ZERO",
        "SL_BEYOND_LIQUIDATION",
    }  # fmt: skip
    for gate in GATES:
        for code in gate.codes:
            named = (gate.number, code.value) in given or code.value in elsewhere
            assert named or (gate.number, code.value) in {(35, "SIZE_CLAMPED"), (45, "PDT_LIMIT")}, (gate.name, code)


def test_scopes_are_those_of_the_specification() -> None:
    everywhere = {gate.number for gate in GATES if gate.scope is Scope.ALL}

    assert everywhere == {1, 2, 3, 4, 5, 7, 9, 10, 17, 31, 49}
    assert {gate.number for gate in GATES if gate.kind is Kind.NUMERIC} == {9, 34, 44, 45}


def test_the_tier_of_the_venue_caps_the_leverage_that_is_set() -> None:
    tiers = (
        RiskTier(max_notional=D(30), maintenance=D("0.01"), max_leverage=D(5)),
        RiskTier(maintenance=D("0.02"), max_leverage=D(2)),
    )
    asset = perpetual().facts.market.instrument
    assert asset is not None
    asset = msgspec.structs.replace(asset, risk_tiers=tiers)
    desk = perpetual().with_(market__instrument=asset, market__leverage=D(3))
    found = {size: desk.with_(request__quantity=D(size)).check(43) for size in ("0.001", "0.002")}

    assert {size: (check.outcome, check.limit) for size, check in found.items()} == {
        "0.001": (PASS, D(5)), "0.002": (REFUSE, D(2)),
    }  # fmt: skip


def test_a_position_beyond_the_last_tier_has_the_leverage_of_the_last() -> None:
    asset = perpetual().facts.market.instrument
    assert asset is not None
    tiers = tuple(
        RiskTier(max_notional=D(top), maintenance=D("0.01"), max_leverage=D(most)) for top, most in ((40, 5), (41, 3))
    )
    desk = perpetual().with_(market__instrument=msgspec.structs.replace(asset, risk_tiers=tiers))
    larger = desk.with_(request__quantity=D("0.005"), **{"limits.exposure.max_position_notional": None})

    assert (desk.check(43).limit, larger.check(43).limit) == (D(5), D(3))


@pytest.mark.parametrize(
    ("gate", "where", "changes", "value", "limit"),
    [
        (9, "equity", {"market.instrument_ns": NOW - 25 * HOUR}, str(25 * HOUR), str(24 * HOUR)),
        (17, "equity", {"request.stop_distance": D("25.01")}, "0.2501", "0.25"),
        (18, "equity", {"market.bid": D("99.94"), "market.ask": D("100.06")}, "12", "12"),
        (21, "micro", {}, "25000", "100000"),
        (22, "equity", {}, "5000", "8000"),
        (23, "equity", {}, "25000", "100000"),
        (24, "equity", {"account.holdings": (holding("-20000"),)}, "15000", "100000"),
        (25, "equity", {"account.holdings": (holding("700", sector="retail"),)}, "5700", "30000"),
        (31, "equity", {"engine.rates": RateBook(account=NOW + 55 * SECOND)}, "56", "50"),
        (35, "equity", {}, "101.00", "1000"),
        (35, "equity", {"strategy.cost_factor": D("1.5")}, "101.25", "1000"),
        (38, "equity", {"limits.losses.monthly_fraction": None, "account.realised_week": D(-9)}, "-110.00", "-6000"),
        (37, "equity", {"account.realised_day": D(-10), "account.open_profit": D(4)}, "-107.00", "-3000"),
        (40, "equity", {"account.peak": D(125_000)}, "0.2", "0.10"),
        (42, "equity", {"account.open_risk": D(99)}, "0.002", "0.02"),
        (43, "perpetual", {}, "2", "10"),
        (46, "perpetual", {}, "0.0006", "0.01"),
    ],
)
def test_a_gate_tells_what_it_compared(gate: int, where: str, changes: dict[str, Any], value: str, limit: str) -> None:
    check = DESKS[where]().with_(**changes).check(gate)

    assert (check.value, check.limit) == (D(value), D(limit))


@pytest.mark.parametrize(
    "name",
    ["symbol_per_minute", "strategy_per_minute", "account_per_minute", "broker_per_minute", "runaway_per_minute"],
)
def test_any_one_rate_is_a_limit(name: str) -> None:
    free = equity("research").with_(**{"engine.rates": None})
    bound = free.with_(**{f"limits.pace.{name}": 10})

    assert free.check(31).outcome is NA
    assert bound.check(31).outcome is UNKNOWN
    assert bound.with_(**{"engine.rates": RateBook()}).check(31).outcome is PASS


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("bar_age", D(2), "market.bar_ns"), ("quote_age_ms", 1000, "market.quote_ns"),
        ("private_silence_s", 30, "engine.streams"), ("unhealthy_s", 30, "engine.streams"),
    ],
)  # fmt: skip
def test_any_one_age_is_a_limit(name: str, value: Any, fact: str) -> None:
    bound = equity("research").with_(**{f"limits.market.{name}": value})

    assert equity("research").check(16).outcome is NA
    assert bound.check(16).outcome is PASS
    assert bound.with_(**{fact: None}).check(16).outcome is UNKNOWN
