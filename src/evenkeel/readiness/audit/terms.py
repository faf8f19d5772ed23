"""The terms of a run: what the manifest says about costs, grids, rules and limits, as numbers to compute with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.document import Document, Unreadable
from evenkeel.readiness.audit.impact import MODES, Impact, Taking
from evenkeel.readiness.audit.margin import MarginTerms
from evenkeel.readiness.audit.models import Models, read_models, read_tiers
from evenkeel.readiness.audit.moment import TIMEFRAME_MINUTES, parse_instant
from evenkeel.readiness.audit.number import HUNDRED, ZERO
from evenkeel.readiness.audit.resolved import (
    AverageRange,
    Schedule,
    read_average_ranges,
    read_exit_shares,
    read_schedule,
)
from evenkeel.readiness.audit.rule import BreakEven, Rule, Trailing, read_break_even, read_rule, read_trailing

BPS = Decimal(10_000)
DAY_MINUTES, MINUTE_MS = 1440, 60_000


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything from the manifest that the checks compute with; rates and limits are fractions, times nanoseconds.

    Attributes:
        gap_ends_ns: Where the data goes on after a gap; indicators start anew there.
        funded: Whether positions pay and receive funding.
        funding_recorded: Whether they do so at recorded rates; else at the fixed one.
        funding_rate: Of each funding instant where no history is known; None where the run had none.
        account_kind: How positions are paid for.
        acted: Whether splits and dividends of the instrument are recorded.
        borrow_rate: Yearly fee of a short; None where the account states none.
        extended_hours: Whether bars outside regular hours take part.
        settlement_days: Sessions until a sale is settled cash; None takes the rule of its day.
        counts_day_trades: Whether the rule of day trades holds for a margin account.
        overnight: Whether a future may be held over the end of a session.
        exit_shares: By side the parts of a position that a signal may close; None where any may be.
    """

    profile: str
    is_play: bool
    symbols: tuple[str, ...]
    always_open: bool
    tick: Decimal
    lot: Decimal
    multiplier: Decimal
    quantity_min: Decimal
    quantity_max: Decimal | None
    base_timeframe: str
    execution_timeframe: str
    base_bars: int
    segments: int
    start_ns: int
    end_ns: int
    first_trade_ns: int | None
    sessions_per_year: Decimal | None
    start_equity: Decimal
    taker: Decimal
    maker: Decimal
    per_contract: Decimal
    slippage: Decimal
    drawdown_max: Decimal
    stop_equity: Decimal
    leverage: Decimal
    notional_min: Decimal
    notional_max: Decimal | None
    margin_max: Decimal | None
    position_equity_max: Decimal
    include_close_fee: bool
    size_model: str
    size_value: Decimal
    size_costs: bool
    size_notional: bool
    stop_rule: Rule | None
    target_rule: Rule | None
    target_is_limit: bool
    entry_is_limit: bool
    limit_offset: Decimal
    time_in_force: str
    expire_after_bars: int
    side_policy: str
    exit_policy: str
    through: bool
    impact: Impact
    models: Models
    margin: MarginTerms
    funded: bool
    funding_recorded: bool
    funding_rate: Decimal | None
    trailing: Trailing | None
    break_even: BreakEven | None
    schedule: Schedule
    average_ranges: dict[str, AverageRange]
    exit_shares: dict[int, frozenset[Decimal]] | None
    gap_ends_ns: tuple[int, ...]
    account_kind: str
    acted: bool
    borrow_rate: Decimal | None
    extended_hours: bool
    settlement_days: int | None
    counts_day_trades: bool
    overnight: bool

    def rate(self, liquidity: str) -> Decimal:
        """Return the fee rate of a maker or taker fill."""
        return self.maker if liquidity == "maker" else self.taker

    @property
    def taken(self) -> Decimal:
        """What a fill that takes loses of the price without impact: slippage and half the spread."""
        return self.slippage + self.models.half_spread

    @property
    def delay(self) -> int:
        """How many base bars an order of the strategy comes later than at the next open."""
        minutes = TIMEFRAME_MINUTES.get(self.base_timeframe, DAY_MINUTES)
        whole, rest = divmod(self.models.latency_ms, minutes * MINUTE_MS)
        return int(whole) + (rest > 0)

    def slipped(self, price: Decimal, side: int) -> Decimal:
        """Return `price` moved against a buyer (`side` +1) or a seller (-1) by what taking costs, without impact."""
        return price * (1 + side * self.taken)

    def quoted(self, price: Decimal, side: int) -> Decimal:
        """Return what a resting limit of a buyer (+1) or seller (-1) meets when the market trades at `price`."""
        return price * (1 + side * self.models.half_spread)

    @property
    def queue_depth(self) -> Decimal:
        """How far beyond its price the market must go before a resting limit fills."""
        return self.models.queue_ticks * self.tick if self.models.queue == "trade_through" else ZERO

    def taking(self, quantity: Decimal, traded: Decimal) -> Taking:
        """Return the prices of a fill of that quantity in a bar of that traded value."""
        return Taking(self.taken, self.impact, quantity, traded)


def read_terms(manifest: Document) -> Terms:
    """Return the terms of a run.

    Raises:
        Unreadable: If a key is missing or the manifest asks for something the audit cannot derive.
    """
    symbol = manifest.text("instrument.id")
    per_year = "data.sessions_per_year"
    return Terms(
        profile=manifest.text("profile"),
        is_play=manifest.text("strategy.kind") == "play",
        symbols=(symbol, symbol.rpartition(".")[0]),
        always_open=manifest.text("instrument.calendar") == "24/7",
        tick=_positive(manifest, "instrument.tick_size"),
        lot=_positive(manifest, "instrument.lot_size"),
        multiplier=_positive(manifest, "instrument.multiplier"),
        quantity_min=_positive(manifest, "instrument.min_quantity"),
        quantity_max=_maybe(manifest, "instrument.max_quantity"),
        base_timeframe=manifest.text("data.base_tf"),
        execution_timeframe=manifest.text("data.exec_tf"),
        base_bars=int(manifest.number("data.base_bars")),
        segments=int(manifest.number("data.segments")),
        start_ns=parse_instant(manifest.text("data.start"), f"{manifest.name}: data.start"),
        end_ns=parse_instant(manifest.text("data.end"), f"{manifest.name}: data.end"),
        first_trade_ns=_first_trade(manifest),
        sessions_per_year=_positive(manifest, per_year) if manifest.has(per_year) else None,
        start_equity=_positive(manifest, "account.start_equity"),
        taker=manifest.number("account.taker_bps") / BPS,
        maker=manifest.number("account.maker_bps") / BPS,
        per_contract=manifest.number("account.per_contract"),
        slippage=manifest.number("account.slippage_bps") / BPS,
        drawdown_max=manifest.number("account.max_drawdown_pct") / HUNDRED,
        stop_equity=manifest.number("account.stop_equity"),
        leverage=_leverage(manifest),
        notional_min=manifest.number("account.min_notional"),
        notional_max=_maybe(manifest, "account.max_notional"),
        margin_max=_maybe(manifest, "account.max_margin"),
        position_equity_max=manifest.number("account.max_position_equity_pct") / HUNDRED,
        include_close_fee=manifest.flag("account.include_close_fee"),
        size_model=manifest.text("sizing.model"),
        size_value=manifest.number("sizing.value"),
        size_costs=manifest.flag("sizing.include_costs"),
        size_notional=manifest.text("sizing.basis") == "notional",
        stop_rule=read_rule(manifest, "stop_loss"),
        target_rule=read_rule(manifest, "take_profit"),
        target_is_limit=manifest.text("risk.tp_order_type") == "Limit",
        entry_is_limit=manifest.text("entry.order_type") == "LIMIT",
        limit_offset=manifest.number("entry.limit_offset_pct") / HUNDRED,
        time_in_force=manifest.text("entry.time_in_force"),
        expire_after_bars=int(manifest.number("entry.expire_after_bars")),
        side_policy=manifest.text("position_policy.mode"),
        exit_policy=manifest.text("position_policy.exit_mode"),
        through=manifest.flag("require_trade_through"),
        impact=_impact(manifest),
        models=read_models(manifest),
        margin=_margin(manifest),
        funded=_account_value(manifest, "funding.enabled", default=True) is True,
        funding_recorded=manifest.has("data.funding") and manifest.value("data.funding") is not None,
        funding_rate=_funding_rate(manifest),
        trailing=read_trailing(manifest),
        break_even=read_break_even(manifest),
        schedule=read_schedule(manifest),
        average_ranges=read_average_ranges(manifest),
        exit_shares=read_exit_shares(manifest),
        gap_ends_ns=_gap_ends(manifest),
        account_kind=str(_account_value(manifest, "kind", default="unlevered")),
        acted=manifest.has("data.beside.actions"),
        borrow_rate=_borrow_rate(manifest),
        extended_hours=_account_value(manifest, "extended_hours", default=False) is True,
        settlement_days=_settlement_days(manifest),
        counts_day_trades=manifest.text("account.currency") == "USD"
        and _account_value(manifest, "pattern_day_trader", default=True) is not False,
        overnight=_account_value(manifest, "overnight", default=True) is not False,
    )


def _positive(manifest: Document, key: str) -> Decimal:
    value = manifest.number(key)
    if value <= 0:
        raise Unreadable(f"{manifest.name}: {key} is {value}, it must be positive")
    return value


def _maybe(manifest: Document, key: str) -> Decimal | None:
    return manifest.optional_number(key) if manifest.has(key) else None


def _first_trade(manifest: Document) -> int | None:
    key = "data.first_trade_time"
    if manifest.value(key) is None:
        return None
    return parse_instant(manifest.text(key), f"{manifest.name}: {key}")


def _leverage(manifest: Document) -> Decimal:
    """Return the smaller of the leverages of account and sizing."""
    keys = ("strategy.resolved.account.max_leverage", "strategy.resolved.risk_model.sizing.max_leverage")
    stated = [_positive(manifest, key) for key in keys if _maybe(manifest, key) is not None]
    tiers = [tier.leverage for tier in read_tiers(manifest)[:1]]
    return min([_positive(manifest, "account.max_leverage"), *stated, *tiers])


def _account(manifest: Document, key: str, default: Decimal) -> Decimal:
    """Return a number of the account, be it stated beside the other terms or in the resolved play."""
    for place in ("account", "strategy.resolved.account"):
        value = _maybe(manifest, f"{place}.{key}")
        if value is not None:
            return value
    return default


def _account_value(manifest: Document, key: str, default: object) -> object:
    for place in ("account", "strategy.resolved.account"):
        if manifest.has(f"{place}.{key}"):
            return manifest.value(f"{place}.{key}")
    return default


def _margin(manifest: Document) -> MarginTerms:
    """Return the terms of margin; what the manifest does not state is as the specification presumes."""
    taker = manifest.number("account.taker_bps")
    liquidation = _account(manifest, "liquidation_bps", _account(manifest, "fee_model.liquidation_bps", taker)) / BPS
    if not 0 <= liquidation < 1:
        raise Unreadable(f"{manifest.name}: the fee of a liquidation is {liquidation}, a fraction was expected")
    return MarginTerms(
        liquidates=manifest.text("instrument.kind") == "perpetual",
        leverage=_leverage(manifest),
        maintenance=_account(manifest, "maintenance_margin_rate", Decimal("0.005")),
        deduction=_account(manifest, "mm_deduction", ZERO),
        taker=taker / BPS,
        liquidation=liquidation,
        include_close_fee=manifest.flag("account.include_close_fee"),
        beyond=str(_account_value(manifest, "on_sl_beyond_liq", "reject")),
        distance_min=_account(manifest, "min_liq_distance_pct", Decimal(5)) / HUNDRED,
        goes_on=_account_value(manifest, "continue_after_liquidation", default=False) is True,
        tiers=read_tiers(manifest),
    )


def _impact(manifest: Document) -> Impact:
    mode = _account_value(manifest, "impact.mode", MODES[0])
    if not isinstance(mode, str) or mode not in MODES:
        raise Unreadable(f"{manifest.name}: the mode of impact is {mode!r}, one of {', '.join(MODES)} was expected")
    coefficient, largest = (
        _account(manifest, f"impact.{key}", default) / BPS
        for key, default in (("coef_bps", Decimal(50)), ("max_bps", Decimal(100)))
    )
    return Impact(mode, coefficient, largest)


def _funding_rate(manifest: Document) -> Decimal | None:
    if _account_value(manifest, "funding.enabled", default=True) is not True:
        return None
    rate = _account_value(manifest, "funding.fixed_rate", default=None)
    return None if rate is None else _account(manifest, "funding.fixed_rate", ZERO)


def _borrow_rate(manifest: Document) -> Decimal | None:
    stated = _account_value(manifest, "borrow_rate_pct", default=None)
    return None if stated is None else _account(manifest, "borrow_rate_pct", ZERO) / HUNDRED


def _settlement_days(manifest: Document) -> int | None:
    stated = _account_value(manifest, "settlement_days", default=None)
    return None if stated is None else int(_account(manifest, "settlement_days", ZERO))


def _gap_ends(manifest: Document) -> tuple[int, ...]:
    key = "data.gaps"
    gaps = manifest.value(key) if manifest.has(key) else None
    if not isinstance(gaps, list):
        return ()
    ends = [gap[1] for gap in gaps if isinstance(gap, list) and len(gap) > 1 and isinstance(gap[1], str)]
    return tuple(parse_instant(end, f"{manifest.name}: {key}") for end in ends)
