"""The one tracker of an account's losses: every limit on them reads it, none keeps figures of its own (plays.md P1).

Each function folds one fact of the journal into the next state, so a restart has the same figures: the start of an
engine takes nothing back. Sessions are those of the exchange, named by their date; weeks and months are those of that
date, and no midnight resets anything. Ages count from `known_ns`.

A transfer scales the reference and both peaks by what it did to the equity, so a drawdown in per cent is the same
before and after it: a withdrawal breaks no limit and a deposit hides no loss.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from evenkeel.model.ids import StrategyId
from evenkeel.risk import strategy_health
from evenkeel.risk.strategy_health import Health

GOOD_READS = 2
"""So many good reads of the equity in a row clear a failed one (operations.md 2.3)."""

SEED_TRIES = 3
"""So often the losses of today are asked for at a start (operations.md 1.3 row 37)."""


class Guardrails(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Losses and peaks of an account; amounts in account currency, after fees and funding.

    Attributes:
        session: Date of the exchange session that runs; None before the first.
        close: Equity at the broker's close of the session before; None: not known.
        transfers: Deposits less withdrawals of the session.
        reference: The close, scaled by the transfers since; None: not known.
        peak: Highest equity of the session, its reference included.
        peak_ever: Highest equity of the account.
        equity: As last read.
        equity_known_ns: When that was; None: not since the engine started.
        good_reads: Reads in a row that worked, counted up to two.
        open_pnl: Of all positions, as of the last read.
        day: Realised in the session.
        week: Realised in the sessions of the week.
        month: Realised in the sessions of the month.
        entries: Entries opened in the session.
        trades: Trades closed in the session.
        losses_in_row: Closed trades of the session with a loss since the last win.
        last_loss_ns: When the last of them was known; gate 39 counts its pause from there.
        strategies: Health by strategy.
        seeded: Whether this engine has heard from the broker what was lost already.
        seed_failures: How often it has asked in vain.
    """

    session: date | None = None
    close: Decimal | None = None
    transfers: Decimal = Decimal(0)
    reference: Decimal | None = None
    peak: Decimal | None = None
    peak_ever: Decimal | None = None
    equity: Decimal | None = None
    equity_known_ns: int | None = None
    good_reads: int = GOOD_READS
    open_pnl: Decimal = Decimal(0)
    day: Decimal = Decimal(0)
    week: Decimal = Decimal(0)
    month: Decimal = Decimal(0)
    entries: int = 0
    trades: int = 0
    losses_in_row: int = 0
    last_loss_ns: int | None = None
    strategies: dict[StrategyId, Health] = {}
    seeded: bool = False
    seed_failures: int = 0


def engine_started(rails: Guardrails) -> Guardrails:
    """Fold the start of an engine: what was lost stays lost, but equity and seed must be heard anew."""
    return msgspec.structs.replace(rails, equity_known_ns=None, seeded=False, seed_failures=0)


def session_opened(rails: Guardrails, session: date, close: Decimal | None) -> Guardrails:
    """Fold the opening of an exchange session.

    Args:
        rails: Before.
        session: Its date. One that runs already, or an older one, resets nothing.
        close: Equity at the broker's close of the session before; None: the broker does not say. It is taken up
            later by opening the same session again.
    """
    if rails.session is not None and session <= rails.session:
        if session < rails.session or rails.reference is not None or close is None:
            return rails
        return _referred(rails, close)
    new_week = rails.session is None or session.isocalendar()[:2] != rails.session.isocalendar()[:2]
    new_month = rails.session is None or (session.year, session.month) != (rails.session.year, rails.session.month)
    strategies = {name: strategy_health.session_opened(health) for name, health in rails.strategies.items()}
    opened = msgspec.structs.replace(
        rails, session=session, close=None, transfers=Decimal(0), reference=None, peak=None, day=Decimal(0), entries=0,
        trades=0, losses_in_row=0, last_loss_ns=None, strategies=strategies,
        week=Decimal(0) if new_week else rails.week, month=Decimal(0) if new_month else rails.month,
    )  # fmt: skip
    return opened if close is None else _referred(opened, close)


def _referred(rails: Guardrails, close: Decimal) -> Guardrails:
    reference = close + rails.transfers
    if not (reference.is_finite() and reference > 0):
        return rails
    return msgspec.structs.replace(
        rails,
        close=close,
        reference=reference,
        peak=_highest(rails.peak, reference),
        peak_ever=_highest(rails.peak_ever, reference),
    )


def equity_read(rails: Guardrails, equity: Decimal, open_pnl: Decimal, *, known_ns: int) -> Guardrails:
    """Fold the broker's equity and open result, known at that instant; peaks only rise."""
    if not (equity.is_finite() and open_pnl.is_finite()):
        return equity_unreadable(rails)
    return msgspec.structs.replace(
        rails,
        equity=equity,
        open_pnl=open_pnl,
        equity_known_ns=known_ns,
        good_reads=min(rails.good_reads + 1, GOOD_READS),
        peak=_highest(rails.peak, equity),
        peak_ever=_highest(rails.peak_ever, equity),
    )


def equity_unreadable(rails: Guardrails) -> Guardrails:
    """Fold a read that failed or brought nonsense."""
    return msgspec.structs.replace(rails, good_reads=0)


def transferred(rails: Guardrails, amount: Decimal) -> Guardrails:
    """Fold a deposit (+) or withdrawal (-): the account grew or shrank, and nothing was won or lost."""
    transfers = rails.transfers + amount
    base = rails.equity if rails.equity is not None else rails.reference
    if base is None:
        return msgspec.structs.replace(rails, transfers=transfers)
    if base <= 0 or base + amount <= 0:
        return msgspec.structs.replace(
            rails, transfers=transfers, close=None, reference=None, peak=None, peak_ever=None, equity=None
        )
    factor = (base + amount) / base
    return msgspec.structs.replace(
        rails,
        transfers=transfers,
        reference=_times(rails.reference, factor),
        peak=_times(rails.peak, factor),
        peak_ever=_times(rails.peak_ever, factor),
        equity=None if rails.equity is None else rails.equity + amount,
    )


def entry_opened(rails: Guardrails) -> Guardrails:
    """Fold the first fill of an entry."""
    return msgspec.structs.replace(rails, entries=rails.entries + 1)


def realised(rails: Guardrails, amount: Decimal) -> Guardrails:
    """Fold what a fill, a fee or a posting realised; a loss is negative."""
    return msgspec.structs.replace(rails, day=rails.day + amount, week=rails.week + amount, month=rails.month + amount)


def trade_closed(rails: Guardrails, strategy: StrategyId, net: Decimal, *, known_ns: int) -> Guardrails:
    """Fold the end of a trade; its money was folded by `realised` already.

    Args:
        rails: Before.
        strategy: Whose trade it was.
        net: What it brought, after fees and funding; a break-even neither extends nor ends losses in a row.
        known_ns: Now.
    """
    losses = rails.losses_in_row
    return msgspec.structs.replace(
        _with_health(rails, strategy, net),
        trades=rails.trades + 1,
        losses_in_row=losses + 1 if net < 0 else 0 if net > 0 else losses,
        last_loss_ns=known_ns if net < 0 else rails.last_loss_ns,
    )


def shadow_trade_closed(rails: Guardrails, strategy: StrategyId, net: Decimal) -> Guardrails:
    """Fold the end of a trade that a strategy in quarantine would have made; others are judged by real trades."""
    known = rails.strategies.get(strategy)
    return _with_health(rails, strategy, net) if known is not None and known.quarantined else rails


def seed_told(rails: Guardrails, day: Decimal, week: Decimal, month: Decimal) -> Guardrails:
    """Fold what the broker says was realised already; where the journal knows of larger losses, those count."""
    return msgspec.structs.replace(
        rails,
        seeded=True,
        seed_failures=0,
        day=min(rails.day, day),
        week=min(rails.week, week),
        month=min(rails.month, month),
    )


def seed_failed(rails: Guardrails) -> Guardrails:
    """Fold that the broker did not say it."""
    return msgspec.structs.replace(rails, seed_failures=rails.seed_failures + 1)


def rebased(rails: Guardrails) -> Guardrails:
    """Fold that a person accepted the drawdown when resuming: peaks begin anew at the equity of now."""
    return msgspec.structs.replace(rails, peak=rails.equity, peak_ever=rails.equity)


def _with_health(rails: Guardrails, strategy: StrategyId, net: Decimal) -> Guardrails:
    health = strategy_health.judged(rails.strategies.get(strategy, Health()), net)
    return msgspec.structs.replace(rails, strategies={**rails.strategies, strategy: health})


def _highest(peak: Decimal | None, equity: Decimal) -> Decimal | None:
    """Return the higher of both; what is not positive is no peak."""
    if peak is None:
        return equity if equity > 0 else None
    return max(peak, equity)


def _times(value: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if value is None else value * factor
