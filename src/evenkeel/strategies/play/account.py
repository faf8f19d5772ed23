"""The account of a play: defaults come from the instrument, percentages become fractions, money becomes exact."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.number import to_decimal
from evenkeel.strategies.account_rules import AccountRules
from evenkeel.strategies.play.account_kind import build_rules
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.schema import AccountSection, BacktestSection
from evenkeel.strategies.terms import ImpactTerms, MarginTerms, QueueTerms

_STARTING_EQUITY = Decimal(10_000)
_BPS = Decimal(10_000)
_MIN_NOTIONAL = Decimal(10)
_LEAST_EQUITY = Decimal("0.000001")
"""A hundred of the units in which books count: below it nothing can be bought, and nothing is meant."""

_LEAST_DRAWDOWN_PCT = Decimal("0.0001")
_USDT = "USDT"
_USDT_KEYS = ("starting_equity", "min_trade_notional", "max_notional", "max_margin")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Money, costs and limits of a run.

    Attributes:
        currency: Equals the instrument's quote currency.
        starting_equity: In account currency.
        max_leverage: 1 without margin; above it only where the account gives credit.
        max_drawdown_fraction: Fall from the peak at which the run stops; 1 is off.
        stop_equity: Equity at which the run stops; 0 is off.
        taker_bps: Of the notional of a fill that took.
        maker_bps: Of the notional of a fill that rested.
        fee_per_contract: Per unit of quantity and side, in account currency, on top.
        slippage_bps: Against us on every market fill.
        min_trade_notional: Smaller orders are not sent.
        max_notional: Largest position; None is no limit. A limit on margin is already counted in.
        max_position_equity_fraction: Largest position in proportion to equity and leverage.
        include_close_fee: Whether an entry must leave the fee of its close free.
        require_trade_through: Whether a resting limit fills only when price goes beyond it.
        margin: How positions are margined and liquidated.
        rules: What the broker asks of the account.
        impact: How the price moves with the size of a fill.
        half_spread_bps: Half the spread around the price.
        latency_ms: How much later than its decision an order is at the venue.
        queue: When a resting limit is our turn.
        max_volume_fraction: Part of a bar's volume that can fill; None is no limit.
        trigger_source: Price that sets off stops.
        funding: Whether a position pays and receives funding.
        funding_rate: Rate each eight hours where no history is known; None pays nothing there.
    """

    currency: str
    starting_equity: Decimal
    max_leverage: Decimal
    max_drawdown_fraction: Decimal
    stop_equity: Decimal
    taker_bps: Decimal
    maker_bps: Decimal
    fee_per_contract: Decimal
    slippage_bps: Decimal
    min_trade_notional: Decimal
    max_notional: Decimal | None
    max_position_equity_fraction: Decimal
    include_close_fee: bool
    require_trade_through: bool
    margin: MarginTerms
    rules: AccountRules
    impact: ImpactTerms
    half_spread_bps: Decimal
    latency_ms: int
    queue: QueueTerms
    max_volume_fraction: Decimal | None
    trigger_source: str
    funding: bool
    funding_rate: Decimal | None


def build_account(
    section: AccountSection, backtest: BacktestSection, instrument: Instrument, leverage: Decimal, log: ProblemLog
) -> Account:
    """Return the account for one instrument.

    Args:
        section: `account` of the play.
        backtest: Its `backtest` section, which overrides equity and slippage.
        instrument: Gives fees and currency where the play is silent.
        leverage: Largest of a position.
        log: Takes the problems.
    """
    currency = _currency(section, instrument, log)
    fees, given = instrument.fees, section.fee_model
    equity = _exact(backtest.equity) or _either(section, "starting_equity", log) or _STARTING_EQUITY
    _check_limits(section, backtest, equity, log)
    if backtest.match == "quotes":
        _check_quotes(section, log)
    least = _either(section, "min_trade_notional", log)
    slippage = section.slippage_bps if backtest.slippage_bps is None else backtest.slippage_bps
    return Account(
        currency=currency,
        starting_equity=equity,
        max_leverage=to_decimal(section.max_leverage),
        max_drawdown_fraction=to_decimal(section.max_drawdown_pct) / 100,
        stop_equity=to_decimal(section.stop_equity),
        taker_bps=fees.taker_bps if given.taker_bps is None else to_decimal(given.taker_bps),
        maker_bps=fees.maker_bps if given.maker_bps is None else to_decimal(given.maker_bps),
        fee_per_contract=fees.per_contract if given.per_contract is None else to_decimal(given.per_contract),
        slippage_bps=to_decimal(slippage),
        min_trade_notional=_MIN_NOTIONAL if least is None else least,
        max_notional=_largest(section, leverage, log),
        max_position_equity_fraction=to_decimal(section.max_position_equity_pct) / 100,
        include_close_fee=section.include_close_fee,
        require_trade_through=section.require_trade_through,
        margin=_margin(section, instrument, fees.taker_bps if given.taker_bps is None else to_decimal(given.taker_bps)),
        rules=build_rules(section, instrument, log),
        impact=ImpactTerms(
            mode=section.impact.mode, coefficient=to_decimal(section.impact.coef_bps) / _BPS,
            largest=to_decimal(section.impact.max_bps) / _BPS,
        ),
        half_spread_bps=to_decimal(section.half_spread_bps),
        latency_ms=section.latency_ms,
        queue=QueueTerms(
            model=section.queue.model, ticks=section.queue.ticks, share=to_decimal(section.queue.share)
        ),
        max_volume_fraction=_exact(section.max_volume_fraction),
        trigger_source=section.trigger_source,
        funding=section.funding.enabled and instrument.kind is InstrumentKind.PERPETUAL,
        funding_rate=_funding_rate(section, instrument, log),
    )  # fmt: skip


def _margin(section: AccountSection, instrument: Instrument, taker_bps: Decimal) -> MarginTerms:
    """Return how positions are margined; only perpetuals are liquidated."""
    fee = section.fee_model.liquidation_bps
    return MarginTerms(
        liquidates=instrument.kind is InstrumentKind.PERPETUAL,
        maintenance=to_decimal(section.maintenance_margin_rate),
        deduction=to_decimal(section.mm_deduction),
        liquidation_fee=(taker_bps if fee is None else to_decimal(fee)) / _BPS,
        min_distance=to_decimal(section.min_liq_distance_pct) / 100,
        stop_beyond=section.on_sl_beyond_liq,
        goes_on=section.continue_after_liquidation,
    )


def _funding_rate(section: AccountSection, instrument: Instrument, log: ProblemLog) -> Decimal | None:
    rate = section.funding.fixed_rate
    if rate is not None and instrument.kind is not InstrumentKind.PERPETUAL:
        remedy = "remove the key, or trade a perpetual"
        log.error(("account", "funding", "fixed_rate"), f"{instrument.id} pays no funding", remedy, key=True)
    return to_decimal(rate) if rate is not None and section.funding.enabled else None


def _check_limits(section: AccountSection, backtest: BacktestSection, equity: Decimal, log: ProblemLog) -> None:
    """Tell limits at which the run would stop before it begins."""
    if equity < _LEAST_EQUITY:
        given = "starting_equity" if section.starting_equity_usdt is None else "starting_equity_usdt"
        path = ("account", given) if backtest.equity is None else ("backtest", "equity")
        log.error(path, f"a starting equity of {equity:g} buys nothing", f"it must be at least {_LEAST_EQUITY}")
    drawdown = to_decimal(section.max_drawdown_pct)
    if drawdown < _LEAST_DRAWDOWN_PCT:
        remedy = f"it must be at least {_LEAST_DRAWDOWN_PCT}"
        log.error(
            ("account", "max_drawdown_pct"), f"the run would stop at once at a fall of {drawdown:g} percent", remedy
        )
    stop = to_decimal(section.stop_equity)
    if stop >= equity:
        message = f"the run would stop at once: stop_equity {stop} is not below the starting equity {equity}"
        log.error(("account", "stop_equity"), message)


def _check_quotes(section: AccountSection, log: ProblemLog) -> None:
    """Refuse what quotes make wrong: a second spread, and models that ask what was traded in a bar."""
    if section.half_spread_bps > 0:
        message = "quotes have a spread of their own, and half_spread_bps would add a second one"
        log.error(("account", "half_spread_bps"), message, "remove it, or match against bars or trades", key=True)
    asks = {
        "impact": section.impact.mode != "disabled", "max_volume_fraction": section.max_volume_fraction is not None,
        "queue": section.queue.model == "volume_ahead",
    }  # fmt: skip
    for key in (key for key, asked in asks.items() if asked):
        message = f"{key} asks for the volume that was traded in a bar, and a quote has none"
        log.error(("account", key), message, "remove it, or match against bars or trades", key=True)


def _currency(section: AccountSection, instrument: Instrument, log: ProblemLog) -> str:
    in_usdt = [f"{key}_usdt" for key in _USDT_KEYS if getattr(section, f"{key}_usdt") is not None]
    counted = _USDT if section.starting_equity_usdt is not None else instrument.quote
    currency = section.currency or counted
    for key in in_usdt if currency != _USDT else []:
        remedy = f"write `{key.removesuffix('_usdt')}`"
        log.error(("account", key), f"`{key}` counts USDT, but the account is in {currency}", remedy, key=True)
    if currency != instrument.quote:
        path = ("account", "currency" if section.currency else "starting_equity_usdt")
        log.unavailable(path, "run.currency", key=section.currency is None)
    return currency


def _either(section: AccountSection, key: str, log: ProblemLog) -> Decimal | None:
    plain, in_usdt = getattr(section, key), getattr(section, f"{key}_usdt")
    if plain is not None and in_usdt is not None:
        message = f"`{key}` and `{key}_usdt` say the same thing twice"
        log.error(("account", f"{key}_usdt"), message, "keep one", key=True)
    return _exact(in_usdt if plain is None else plain)


def _largest(section: AccountSection, leverage: Decimal, log: ProblemLog) -> Decimal | None:
    margin = _either(section, "max_margin", log)
    limits = [_either(section, "max_notional", log), None if margin is None else margin * leverage]
    return min((limit for limit in limits if limit is not None), default=None)


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else to_decimal(value)
