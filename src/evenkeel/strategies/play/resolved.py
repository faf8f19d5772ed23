"""The play as a document again, with nothing left to guess: what the manifest stores and the hash covers."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

from evenkeel.model.instrument import Instrument
from evenkeel.model.time import format_time
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.strategies.play.account import Account
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import FeatureRef
from evenkeel.strategies.play.outline import Outline
from evenkeel.strategies.play.play import BacktestRange
from evenkeel.strategies.play.schema import (
    PercentStop,
    PercentTarget,
    RiskModelSection,
    RiskSection,
    SizingSection,
)


def play_hash(resolved: dict[str, Any]) -> str:
    """Return the first 16 hex digits of the SHA-256 over the document as canonical JSON."""
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def resolved_document(
    document: dict[str, Any],
    outline: Outline,
    *,
    instrument: Instrument,
    features: list[FeatureSpec],
    structures: list[StructureSpec],
    account: Account,
    sizing: SizingSection,
    backtest: BacktestRange,
    warmup: dict[str, int],
) -> dict[str, Any]:
    """Return the document that says everything the loader filled in; loading it gives the same play.

    Args:
        document: The play with variables written in.
        outline: Its plain sections, none of them refused.
        instrument: What it trades.
        features: Resolved features.
        structures: Resolved structures.
        account: The account with the instrument's defaults.
        sizing: The chosen sizing.
        backtest: Range of the simulation.
        warmup: Timeframe name to least warm-up bars.
    """
    head = _dump(outline.head)
    resolved: dict[str, Any] = {
        "version": head["version"],
        "name": head["name"],
        "id": head.get("id", head["name"]),
        "description": head["description"],
        "symbol": instrument.id,
        "timeframes": _dump(outline.timeframes),
        "account": _account(account),
        "features": {spec.id: feature_document(spec) for spec in features},
        "structures": structure_documents(structures),
        "variables": document.get("variables") or {},
        "setups": document.get("setups") or {},
        "actions": document["actions"],
        "position_policy": _dump(outline.policy),
        "entry": _dump(outline.entry),
        "risk_model": _risk(outline.risk, sizing),
        "backtest": _range(backtest),
        **{
            key: _dump(section)
            for key, section in (("deploy", outline.deploy), ("validation", outline.validation))
            if section is not None
        },
    }
    if warmup:
        resolved["warmup"] = {"min_bars": warmup}
    return resolved


def _dump(section: Any) -> dict[str, Any]:
    return section.model_dump(exclude_none=True) if section is not None else {}


def _account(account: Account) -> dict[str, Any]:
    percent = Decimal(100)
    values: dict[str, Any] = {
        "starting_equity": account.starting_equity,
        "currency": account.currency,
        "max_leverage": account.max_leverage,
        "max_drawdown_pct": account.max_drawdown_fraction * percent,
        "slippage_bps": account.slippage_bps,
        "min_trade_notional": account.min_trade_notional,
        "max_notional": account.max_notional,
        "max_position_equity_pct": account.max_position_equity_fraction * percent,
        "include_close_fee": account.include_close_fee,
        "require_trade_through": account.require_trade_through,
        "stop_equity": account.stop_equity,
        "maintenance_margin_rate": account.margin.maintenance,
        "mm_deduction": account.margin.deduction,
        "on_sl_beyond_liq": account.margin.stop_beyond,
        "min_liq_distance_pct": account.margin.min_distance * percent,
        "continue_after_liquidation": account.margin.goes_on,
        "half_spread_bps": account.half_spread_bps,
        "latency_ms": account.latency_ms,
        "max_volume_fraction": account.max_volume_fraction,
        "trigger_source": account.trigger_source,
    }
    fees = {
        "taker_bps": account.taker_bps, "maker_bps": account.maker_bps, "per_contract": account.fee_per_contract,
    }  # fmt: skip
    bps = Decimal(10_000)
    if account.margin.liquidates:
        fees["liquidation_bps"] = account.margin.liquidation_fee * bps
    impact = {"coef_bps": account.impact.coefficient * bps, "max_bps": account.impact.largest * bps}
    queue = {"model": account.queue.model, "ticks": account.queue.ticks, "share": account.queue.share}
    written = {
        **_plain(values), "fee_model": _plain(fees), "impact": {"mode": account.impact.mode, **_plain(impact)},
        "queue": _plain(queue),
    }  # fmt: skip
    if account.margin.liquidates:
        written["funding"] = {"enabled": account.funding, **_plain({"fixed_rate": account.funding_rate})}
    return {**written, **_rules(account.rules)}


def _rules(rules: AccountRules) -> dict[str, Any]:
    """Return what the broker asks, with the keys of that kind of account only."""
    written: dict[str, Any] = {"kind": rules.kind.value}
    if rules.contract is not None:
        contract = rules.contract
        margins = {"initial": contract.initial, "maintenance": contract.maintenance, "intraday": contract.intraday}
        written |= {"contract_margin": _plain(margins), "overnight": rules.overnight}
    if rules.kind is AccountKind.MARGIN:
        rate = None if rules.borrow_rate is None else rules.borrow_rate * 100
        written |= {"pattern_day_trader": rules.day_trades is not None, **_plain({"borrow_rate_pct": rate})}
    if rules.settlement is not None:
        written["settlement_days"] = rules.settlement
    return {**written, "extended_hours": True} if rules.regular_hours is not None else written


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: float(value) if isinstance(value, Decimal) else value for key, value in values.items() if value is not None
    }


def feature_document(spec: FeatureSpec) -> dict[str, Any]:
    """Return a feature with every parameter written out."""
    source = spec.source
    text = f"indicator:{source.id}.{source.field}" if isinstance(source, FeatureRef) else source
    given = {name: value for name, value in spec.params.items() if value is not None}
    written = {"indicator": spec.indicator, "params": given, "tf": spec.timeframe.name}
    return written if text is None else {**written, "source": text}


def structure_documents(specs: list[StructureSpec]) -> dict[str, Any]:
    """Return structures by role with every parameter written out."""
    roles: dict[str, Any] = {}
    for spec in specs:
        params = {name: value for name, value in spec.params.items() if value is not None}
        if spec.atr_key is not None:
            params["atr_key"] = spec.atr_key
        item = {"type": spec.type, "key": spec.key, "uses": list(spec.uses), "params": params}
        roles.setdefault(spec.role, []).append(item)
    return roles


def _risk(section: RiskSection | RiskModelSection | None, sizing: SizingSection) -> dict[str, Any]:
    written: dict[str, Any] = {"sizing": _dump(sizing)}
    section = section or RiskModelSection()
    stop, target = section.stop_loss, section.take_profit
    if isinstance(section, RiskSection) and section.stop_loss_pct is not None:
        stop = PercentStop(type="percent", value=section.stop_loss_pct)
    if isinstance(section, RiskSection) and section.take_profit_pct is not None:
        target = PercentTarget(type="percent", value=section.take_profit_pct)
    moves = (("trailing", section.trailing), ("break_even", section.break_even))
    for key, rule in (("stop_loss", stop), ("take_profit", target), *moves):
        if rule is not None:
            written[key] = _dump(rule)
    return {**written, "tp_order_type": section.tp_order_type, "sl_order_type": section.sl_order_type}


def _range(backtest: BacktestRange) -> dict[str, str]:
    given = {"start": backtest.start_ns, "end": backtest.end_ns}
    written = {key: format_time(instant) for key, instant in given.items() if instant is not None}
    return written if backtest.match == "bars" else {**written, "match": backtest.match}
