"""What the gates read, made from the state of an account: unknown is None, and every age counts on `known_ns`.

Who supplies each fact is `evenkeel.risk.gates.sources`. What reduces reads few of them, so its facts are made of fewer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from evenkeel.engine.account.outside import Outside, waiver_key
from evenkeel.engine.account.worth import holdings, margin_used, open_profit, open_risk
from evenkeel.model.ids import ClientId, InstrumentId, Leg
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.time import SECOND
from evenkeel.risk.breaker import ORDER_NS, blocked
from evenkeel.risk.classify import Working
from evenkeel.risk.gates.case import BROKER_MODES
from evenkeel.risk.gates.facts.account import AccountFacts, MarginState
from evenkeel.risk.gates.facts.engine import NEVER, Access, EngineFacts, Streams
from evenkeel.risk.gates.facts.market import Costs, MarketFacts, SessionFacts, Statistics
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.facts.strategy import ONE, Health, Sent, StrategyFacts
from evenkeel.risk.halt import entry_scale

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account
    from evenkeel.engine.account.desk import Desk
    from evenkeel.model.told import EquityTold

MINUTES = 1_440
HOUR_S = 3_600


def entry_facts(account: Account, desk: Desk, identity: ClientId, signal_ns: int | None) -> Facts:
    """Return all that the gates read of an entry.

    Args:
        account: Whose state it is.
        desk: Who asks.
        identity: Id of the order.
        signal_ns: Close of the bar of its signal; None without one.
    """
    return Facts(
        now_ns=account.now_ns, engine=_engine(account), account=_money(account, desk),
        market=_market(account, desk), strategy=_strategy(account, desk, identity, signal_ns),
    )  # fmt: skip


def order_facts(account: Account, instrument: InstrumentId, identity: ClientId) -> Facts:
    """Return what the gates read of an order that reduces, of a change and of a cancel.

    Args:
        account: Whose state it is.
        instrument: What is to be traded.
        identity: Id of the order.
    """
    out = account.outside.state
    told, price = out.instruments.get(instrument), out.prices.get(instrument)
    market = MarketFacts(
        instrument=account.definition(instrument), instrument_ns=None if told is None else told.known_ns,
        tradable=None if told is None else told.tradable, fractionable=None if told is None else told.fractionable,
        last=None if price is None else price.last, last_ns=None if price is None else price.known_ns,
        position=account.books.position(instrument), working=_working(account, instrument),
        blocked=instrument in account.reconciling.blocked,
    )  # fmt: skip
    strategy = StrategyFacts(same_id=_same_id(account, identity))
    return Facts(now_ns=account.now_ns, engine=_engine(account), market=market, strategy=strategy)


def _engine(account: Account) -> EngineFacts:
    out, halt, key = account.outside.state, account.halt, account.outside.state.key
    access = None if key is None else Access(
        key_mode=key.key_mode, host_mode=key.host_mode, account_mode=key.account_mode, withdraws=key.withdraws,
        armed=key.armed,
    )  # fmt: skip
    streams = None if out.private_ns is None else Streams(private_ns=out.private_ns, unhealthy_ns=out.unhealthy_ns)
    return EngineFacts(
        mode=account.supervisor.identity.mode, phase=account.startup.phase,
        reconciled=account.reconciling.reconciled,
        halt_level=int(halt.level), halt_epoch=halt.epoch, panic=account.pacer.state.panic is not None, access=access,
        lease_epoch=out.lease_epoch, lease_until_ns=out.lease_until_ns, streams=streams,
        recon=account.reconciling.recon,
        clock_offset_ns=out.clock_offset_ns, journal_writable=out.journal_ok, rates=account.pacer.state.rates,
        unknown_ns=min(
            (order.moved_ns for order in account.supervisor.book.open.values() if order.state is OrderState.UNKNOWN),
            default=NEVER,
        ),
    )  # fmt: skip


def _money(account: Account, desk: Desk) -> AccountFacts:
    out, rails, pace = account.outside.state, account.rails.guardrails, account.pacer.state
    told, equity = out.equity, _equity(account)
    held = holdings(account)
    used = margin_used(account)
    entered = sum(order.leg is Leg.ENTRY and not order.filled for order in account.supervisor.book.open.values())
    this_hour = account.now_ns // (HOUR_S * SECOND)
    return AccountFacts(
        equity=equity, session_equity=rails.reference, session_peak=rails.peak, peak=rails.peak_ever,
        scale=None if rails.peak is None else entry_scale(account.halt, account.now_ns),
        realised_day=rails.day if rails.seeded else None,
        realised_week=rails.week if rails.seeded else None, realised_month=rails.month if rails.seeded else None,
        open_profit=open_profit(account), open_risk=open_risk(account),
        trades=None if rails.session is None else rails.entries + entered,
        streak=None if rails.session is None else rails.losses_in_row,
        loss_ns=rails.last_loss_ns, hour_entries=pace.hour_entries if pace.hour == this_hour else 0,
        entry_ns=pace.entry_ns, holdings=held, orders=len(account.supervisor.book.open), kinds=pace.kinds,
        buying_power=None if told is None else told.buying_power,
        settled_cash=None if told is None else told.settled_cash,
        free=None if equity is None or used is None else equity - sum(used.values(), Decimal(0)),
        margin=_margin(out, equity, None if used is None else used.get(desk.id.instrument, Decimal(0))),
        permit=None if out.key is None else out.key.permit, day_trades=_day_trades(desk, told),
    )  # fmt: skip


def _day_trades(desk: Desk, told: EquityTold | None) -> int | None:
    """Return the day trades that stand; none where the account does not count them."""
    if desk.terms.account.rules.day_trades is None:
        return 0
    return None if told is None else told.day_trades


def _equity(account: Account) -> Decimal | None:
    """Return the broker's equity while it can be told and is fresh; where there is no broker, that of the books."""
    if account.supervisor.identity.mode not in BROKER_MODES:
        return account.equity()
    rails = account.rails.guardrails
    return rails.equity if blocked(rails, account.now_ns, age_max_ns=ORDER_NS) is None else None


def _margin(out: Outside, equity: Decimal | None, here: Decimal | None) -> MarginState | None:
    told = out.equity
    if told is None or told.available is None or told.initial_used is None or told.maintenance_used is None:
        return None
    if equity is None or equity <= 0 or here is None:
        return None
    return MarginState(
        initial_rate=told.initial_used, maintenance_rate=told.maintenance_used, available=told.available,
        liquidating=told.liquidating, asset_share=here / equity,
    )  # fmt: skip


def _market(account: Account, desk: Desk) -> MarketFacts:
    instrument, out, book = desk.id.instrument, account.outside.state, account.supervisor.book
    told, quote, price = out.instruments.get(instrument), out.quotes.get(instrument), out.prices.get(instrument)
    found, quality = out.conditions.get(instrument), out.quality.get(instrument)
    orders = [order for order in book.open.values() if order.instrument == instrument]
    definition = account.definition(instrument)
    last = None if price is None else price.last
    return MarketFacts(
        instrument=definition, instrument_ns=None if told is None else told.known_ns,
        tradable=None if told is None else told.tradable, shortable=None if told is None else told.shortable,
        fractionable=None if told is None else told.fractionable,
        reduce_only=None if told is None else told.reduce_only, warm=desk.is_warm,
        session=_session(out, instrument, account.now_ns),
        events=None if found is None else found.events,
        lockout_ns=None if found is None else _until(found.known_ns, found.lockout_for_ns),
        dvs=None if quality is None else quality.dvs, eqs=None if quality is None else quality.eqs,
        bar_ns=out.bars.get(instrument), interval_ns=desk.interval_ns, last=last,
        last_ns=None if price is None else price.known_ns, bid=None if quote is None else quote.bid,
        ask=None if quote is None else quote.ask, quote_ns=None if quote is None else quote.known_ns,
        minute_volume=None if quote is None else quote.minute_volume,
        daily_volume=None if found is None else found.daily_volume, costs=_costs(desk, last),
        statistics=_statistics(out, instrument), sector=None if found is None else found.sector,
        funding_rate=None if told is None else told.funding_rate, leverage=None if told is None else told.leverage,
        position=account.books.position(instrument), working=_working(account, instrument), orders=len(orders),
        unknown=any(order.state is OrderState.UNKNOWN for order in orders),
        wash_sale=None if found is None else found.wash_sale,
        blocked=instrument in account.reconciling.blocked,
    )  # fmt: skip


def _until(known_ns: int, for_ns: int | None) -> int | None:
    if for_ns is None:
        return None
    return known_ns + for_ns if for_ns else NEVER


def _session(out: Outside, instrument: InstrumentId, now_ns: int) -> SessionFacts | None:
    """Return where in its session a market is now: what was told, moved on by the time since."""
    told = out.sessions.get(instrument)
    if told is None:
        return None
    passed = (now_ns - told.known_ns) // SECOND
    left = told.until_close_s - passed
    return SessionFacts(
        open=told.open and (told.around_the_clock or left > 0), around_the_clock=told.around_the_clock,
        since_open_s=told.since_open_s + passed, until_close_s=max(left, 0),
        minute=(told.minute + passed // 60) % MINUTES,
    )  # fmt: skip


def _costs(desk: Desk, last: Decimal | None) -> Costs | None:
    terms = desk.terms.account
    if last is None:
        return None
    return Costs(rate=terms.taker, per_unit=terms.per_contract, slippage=(terms.slippage + terms.half_spread) * last)


def _statistics(out: Outside, instrument: InstrumentId) -> Statistics | None:
    told = out.conditions.get(instrument)
    if told is None or told.value_at_risk is None or told.expected_shortfall is None:
        return None
    if told.volatility is None or told.drawdown is None:
        return None
    return Statistics(
        value_at_risk=told.value_at_risk, expected_shortfall=told.expected_shortfall, volatility=told.volatility,
        drawdown=told.drawdown,
    )  # fmt: skip


def _working(account: Account, instrument: InstrumentId) -> tuple[Working, ...]:
    """Return the orders at work that may reduce; those of one trade share their room, as only so much can fill."""
    return tuple(
        Working(quantity=order.left.copy_sign(order.quantity), group=group_of(order))
        for order in account.supervisor.book.open.values()
        if order.instrument == instrument and order.leg is not Leg.ENTRY and order.left
    )


def group_of(order: VenueOrder) -> str:
    """Return the name of the group of orders that one trade makes."""
    return f"{order.strategy} {order.trade}"


def _same_id(account: Account, identity: ClientId) -> Sent:
    return Sent.ABSENT if account.supervisor.book.get(identity) is None else Sent.EXISTS


def _strategy(account: Account, desk: Desk, identity: ClientId, signal_ns: int | None) -> StrategyFacts:
    name, instrument = desk.id
    health, before = account.rails.guardrails.strategies.get(name), account.pacer.entered(name, instrument)
    return StrategyFacts(
        allowed=True, health=Health.QUARANTINED if health is not None and health.quarantined else Health.WELL,
        streak=0 if health is None else health.session_losses, same_id=_same_id(account, identity),
        signal_used=before is not None and before.signal_ns == signal_ns,
        recent=() if before is None else before.recent, signal_ns=NEVER if before is None else before.sent_ns,
        waiver_ns=account.outside.state.waivers.get(waiver_key(name, instrument), NEVER),
        cost_factor=ONE if health is None else health.cost_factor, scale=ONE, volatility_scale=ONE, streak_scale=ONE,
        numeric=desk.numeric,
    )  # fmt: skip
