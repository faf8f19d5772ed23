"""The terms of a run: what the manifest says about costs, grids, rules and limits, as numbers to compute with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.document import Document, Json, Unreadable, finite
from evenkeel.readiness.audit.moment import parse_instant
from evenkeel.readiness.audit.number import HUNDRED

BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for the distance of a stop or target.

    Attributes:
        kind: `percent`, `fixed_points`, `rr_ratio`, `atr_multiple`, `structure`, ...
        value: Its figure, in the unit of the kind; None where the kind has none.
        of_margin: Whether a percentage is one of margin (basis `roi`) rather than of price.
        feature: The ATR it reads, if any.
        buffer: Added distance as a fraction of the reference price.
    """

    kind: str
    value: Decimal | None
    of_margin: bool
    feature: str | None
    buffer: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything from the manifest that the checks compute with; rates and limits are fractions, times nanoseconds."""

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

    def rate(self, liquidity: str) -> Decimal:
        """Return the fee rate of a maker or taker fill."""
        return self.maker if liquidity == "maker" else self.taker

    def slipped(self, price: Decimal, side: int) -> Decimal:
        """Return `price` moved against a buyer (`side` +1) or a seller (-1) by the slippage."""
        return price * (1 + side * self.slippage)


def read_terms(manifest: Document) -> Terms:
    """Return the terms of a run.

    Raises:
        Unreadable: If a key is missing or the manifest asks for something the audit cannot derive.
    """
    if manifest.text("risk.sl_order_type") != "Market":
        raise Unreadable(f"{manifest.name}: risk.sl_order_type is not Market; the audit knows no other stop")
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
        leverage=_positive(manifest, "account.max_leverage"),
        notional_min=manifest.number("account.min_notional"),
        notional_max=_maybe(manifest, "account.max_notional"),
        margin_max=_maybe(manifest, "account.max_margin"),
        position_equity_max=manifest.number("account.max_position_equity_pct") / HUNDRED,
        include_close_fee=manifest.flag("account.include_close_fee"),
        size_model=manifest.text("sizing.model"),
        size_value=manifest.number("sizing.value"),
        size_costs=manifest.flag("sizing.include_costs"),
        size_notional=manifest.text("sizing.basis") == "notional",
        stop_rule=_rule(manifest, "risk.stop_loss"),
        target_rule=_rule(manifest, "risk.take_profit"),
        target_is_limit=manifest.text("risk.tp_order_type") == "Limit",
        entry_is_limit=manifest.text("entry.order_type") == "LIMIT",
        limit_offset=manifest.number("entry.limit_offset_pct") / HUNDRED,
        time_in_force=manifest.text("entry.time_in_force"),
        expire_after_bars=int(manifest.number("entry.expire_after_bars")),
        side_policy=manifest.text("position_policy.mode"),
        exit_policy=manifest.text("position_policy.exit_mode"),
        through=manifest.flag("require_trade_through"),
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


def _rule(manifest: Document, key: str) -> Rule | None:
    section = manifest.section(key)
    if section is None:
        return None
    kind, feature = section.get("type"), section.get("atr_feature_id")
    if not isinstance(kind, str):
        raise Unreadable(f"{manifest.name}: {key}.type is {kind!r}, a string was expected")
    return Rule(
        kind=kind,
        value=_figure(section, "value", f"{manifest.name}: {key}"),
        of_margin=section.get("basis", "roi") == "roi",
        feature=feature if isinstance(feature, str) else None,
        buffer=(_figure(section, "buffer_pct", f"{manifest.name}: {key}") or Decimal(0)) / HUNDRED,
    )


def _figure(section: Json, key: str, place: str) -> Decimal | None:
    value = section.get(key)
    return None if value is None else finite(value, f"{place}.{key}")
