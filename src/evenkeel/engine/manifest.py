"""The manifest: everything that makes a run what it is, and the id that follows from it.

The run id is a digest of the manifest without its stamp, so the same run always has the same id: a killed one is found
and taken up again, and a repeated one replaces itself. The lines of a play's file are no part of it either: a comment
more makes no other run.
"""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

import evenkeel
from evenkeel.data.side import SideKind
from evenkeel.engine.market import Market
from evenkeel.features.plugin import plugin_facts, plugins_behind
from evenkeel.model.ids import RunId, short_hash
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.number import plain
from evenkeel.model.reason import Mark
from evenkeel.model.time import format_time
from evenkeel.strategies.strategy import Strategy
from evenkeel.strategies.terms import Terms
from evenkeel.venues.simulated.venue import FUNDING_INTERVAL_MINUTES

SCHEMA = "evenkeel.manifest/1"
PROFILE = "research"
"""The profile of backtests until others exist: the strategy's own limits."""

PACKAGES = ("numpy", "numba", "llvmlite", "polars", "msgspec", "pydantic")
"""Whose versions a run depends on."""
_BPS = 10_000


def build_manifest(strategy: Strategy, market: Market, *, lane: str) -> dict[str, Any]:
    """Return the manifest of a run without its stamp; `run` is derived from the rest but for `lines`."""
    models = {one.kind: {"name": one.name, "text": one.text} for one in strategy.terms.models()}
    facts = {
        "schema": SCHEMA,
        "code": {"version": evenkeel.__version__, "source": source_digest()},
        "lane": lane,
        "profile": PROFILE,
        "strategy": {
            "name": strategy.name, "kind": strategy.kind, "hash": strategy.hash,
            "resolved": plain_document(dict(strategy.resolved)),
        },
        "plugins": plugin_facts(plugins_behind(strategy.program.nodes)),
        "instrument": plain_document(msgspec.to_builtins(strategy.instrument)),
        "data": _data(strategy, market),
        **terms_facts(strategy.terms),
        **rule_facts(dict(strategy.resolved), strategy.terms),
        "fill_model": models["queue"]["name"],
        "models": models,
        "marks": [mark.value for mark in run_marks(strategy, market)],
        "seed": None,
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "platform": {
            "python": platform.python_version(), "system": platform.system(), "machine": platform.machine(),
        },
    }  # fmt: skip
    return {"run": run_id(strategy.name, facts), **facts, "lines": dict(getattr(strategy, "lines", {}))}


def run_id(name: str, facts: dict[str, Any]) -> RunId:
    """Return the id of a run: the strategy's name and a digest of its facts."""
    return RunId(f"{name}-{short_hash(msgspec.json.encode(facts, order='deterministic'), 10)}")


def run_marks(strategy: Strategy, market: Market) -> tuple[Mark, ...]:
    """Return what a reader must know before believing the figures."""
    short = strategy.instrument.shortable and strategy.instrument.kind is InstrumentKind.EQUITY
    mode = dict(strategy.resolved).get("position_policy", {}).get("mode", "long_only")
    account = strategy.terms.account
    perpetual = strategy.instrument.kind is InstrumentKind.PERPETUAL
    recorded = account.funding and market.funding is not None
    fine = market.base.minutes <= FUNDING_INTERVAL_MINUTES
    assumed = account.funding and not recorded and account.funding_rate is not None and fine
    borrowed = account.rules.borrow_rate is not None or SideKind.BORROW.value in market.pins
    behind = account.margin.stop_beyond == "warn" and strategy.terms.sizing.max_leverage > 1
    found = [
        (Mark.FUNDING_NOT_MODELLED, perpetual and not (recorded or assumed)),
        (Mark.FUNDING_ASSUMED, perpetual and assumed),
        (Mark.FUNDING_PARTIAL, recorded and market.funding is not None and market.funding.missing > 0),
        (Mark.STOP_BEHIND_LIQUIDATION, perpetual and behind),
        (Mark.SIDE_DATA_MISSING, bool(strategy.program.side_columns - market.side_columns)),
        (Mark.BORROW_NOT_MODELLED, short and mode != "long_only" and not borrowed),
    ]
    return (*market.marks, *(mark for mark, holds in found if holds))


def terms_facts(terms: Terms) -> dict[str, Any]:
    """Return account, sizing and order habits as the manifest states them: rates in basis points and percent."""
    account, sizing, order = terms.account, terms.sizing, terms.order
    scale = 1 if sizing.model.startswith("fixed") else 100
    return {
        "account": {
            "currency": account.currency, "start_equity": plain(account.start_equity),
            "taker_bps": plain(account.taker * _BPS), "maker_bps": plain(account.maker * _BPS),
            "per_contract": plain(account.per_contract), "slippage_bps": plain(account.slippage * _BPS),
            "max_drawdown_pct": plain(account.max_drawdown * 100), "stop_equity": plain(account.stop_equity),
            "max_leverage": plain(sizing.max_leverage), "min_notional": plain(account.min_notional),
            "max_notional": None if account.max_notional is None else plain(account.max_notional),
            "max_position_equity_pct": plain(account.max_position * 100),
            "include_close_fee": account.include_close_fee,
        },
        "sizing": {
            "model": sizing.model, "value": plain(sizing.value * scale), "include_costs": sizing.include_costs,
            "basis": sizing.basis,
        },
        "require_trade_through": order.trade_through,
    }  # fmt: skip


def rule_facts(resolved: dict[str, Any], terms: Terms) -> dict[str, Any]:
    """Return how a strategy enters and protects, as its own definition states it; None where it states nothing."""
    risk = plain_document(resolved.get("risk_model") or resolved.get("risk") or {})
    entry, policy, order = resolved.get("entry", {}), resolved.get("position_policy", {}), terms.order
    return {
        "risk": {
            "stop_loss": risk.get("stop_loss") or _percent_rule(risk, "stop_loss_pct"),
            "take_profit": risk.get("take_profit") or _percent_rule(risk, "take_profit_pct"),
            "tp_order_type": "Limit" if order.target_is_limit else "Market",
            "sl_order_type": "Limit" if order.stop_is_limit else "Market",
        },
        "entry": {
            "order_type": entry.get("order_type", "MARKET"),
            "limit_offset_pct": str(entry.get("limit_offset_pct", 0)),
            "time_in_force": order.time_in_force.value, "expire_after_bars": order.expire_bars,
        },
        "position_policy": {
            "mode": policy.get("mode", "long_short"), "exit_mode": policy.get("exit_mode", "first_hit"),
        },
    }  # fmt: skip


def _percent_rule(risk: dict[str, Any], key: str) -> dict[str, Any] | None:
    """Return the long form of a shorthand percentage: of the margin, as the shorthand means it."""
    value = risk.get(key)
    return None if value is None else {"type": "percent", "value": value, "basis": "roi"}


def source_digest() -> str:
    """Return a digest of every source file of the package."""
    digest = hashlib.sha256()
    root = Path(evenkeel.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _data(strategy: Strategy, market: Market) -> dict[str, Any]:
    timeframes = sorted(strategy.program.graphs)
    first = next(s for s in market.stretches if s.first_exec < len(s.series.on(s.exec).bars))
    return {
        "revision": market.revision.id, "hash": market.data_hash, "source": market.revision.source,
        **({} if market.quotes is None else {"quotes": dict(market.quotes)}),
        "beside": dict(market.pins), "funding": None if market.funding is None else market.funding.facts,
        "base_tf": str(market.base), "exec_tf": str(market.exec), "timeframes": [str(t) for t in timeframes],
        "calendar": market.calendar.name, "sessions_per_year": market.calendar.sessions_per_year,
        "start": format_time(market.window[0]), "end": format_time(market.window[1]),
        "base_bars": market.base_bars, "exec_bars": market.exec_bars, "left_out": market.left_out,
        "warmup_bars": market.warmup_bars, "segments": len(market.stretches),
        "gaps": [[format_time(gap.start_ns), format_time(gap.stop_ns), gap.missing] for gap in market.gaps],
        "warmup": {str(t): bars for t, bars in strategy.program.warmup.items()},
        "first_trade_time": format_time(int(first.series.on(first.exec).bars.close_ns[first.first_exec])),
    }  # fmt: skip


def plain_document(value: Any) -> Any:
    """Return plain data as it reads back from JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))
