"""What the automatic triggers of a halt read: one record of facts, made from the account's state.

A stamp named `..._since_ns` says since when something lasts, in `known_ns`; None: it does not.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum, auto

import msgspec

from evenkeel.risk.breaker import daily_amount, daily_loss, drawdown_ever, session_drawdown
from evenkeel.risk.guardrails import Guardrails


class Desync(StrEnum):
    """A confirmed difference between our books and the broker's."""

    NONE = auto()
    EXPLAINED = auto()
    UNEXPLAINED = auto()


class Exceeded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A limit that was found exceeded after a fill.

    Attributes:
        name: Which limit.
        value: The figure.
        limit: What it may be.
    """

    name: str
    value: Decimal
    limit: Decimal


class Compared(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the comparisons with the broker found, as triggers and the resume procedure read it.

    Attributes:
        clean_cycles: Complete comparisons in a row without a difference; 0 before the first.
        recon_mismatches: Comparisons in a row with differences.
        recon_failures: Comparisons in a row that could not read the broker.
        desync: Confirmed difference of orders or positions that stands.
        difference: What differs, in words.
        foreign_position: A position in an instrument of the engine that it did not open, named; empty: none.
        duplicate_engine: An order with our prefix that the journal does not know, named; empty: none.
    """

    clean_cycles: int = 0
    recon_mismatches: int = 0
    recon_failures: int = 0
    desync: Desync = Desync.NONE
    difference: str = ""
    foreign_position: str = ""
    duplicate_engine: str = ""


class HaltFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Facts of one account at one instant.

    Attributes:
        now_ns: The instant, `known_ns`.
        exposed: Whether there is a position or an order at work; None: not known, which counts as yes.
        peak_known: Whether the highest equity ever is known.
        drawdown_ever: From there, as a fraction; None: the equity is not known.
        session_drawdown: From the session's peak.
        daily_loss: Of the session's reference, as a fraction.
        daily_amount: The same in account currency, transfers aside.
        exceeded: Limits found exceeded by the last fill.
        impossible: A state that cannot be, named; empty: none.
        unprotected_since_ns: Since when a position has no working stop of its size and no waiver.
        flat_by_ns: When the account must be flat, where it must be and positions are open.
        available: Margin that is free; None: not known or no margin account.
        maintenance_used: Maintenance margin as a fraction of equity; None likewise.
        margin_called: Whether the broker sent a margin event.
        desync: Confirmed difference of orders or positions.
        difference: What differs, in words.
        foreign_position: A position in an instrument of the engine that it did not open, named; empty: none.
        overfilled: An order filled beyond its quantity, named; empty: none.
        unknown_since_ns: Since when the oldest unresolved order is unknown.
        recon_mismatches: Reconciliations in a row with differences.
        recon_failures: Reconciliations in a row that could not read the broker.
        dvs: Lowest data validity of the instruments traded; None: not known, which the gates refuse.
        eqs: Execution quality; None likewise.
        bar_queued_since_ns: Since when the oldest bar waits in the queue.
        bar_length_ns: Of that bar.
        rejections: Among the last answered orders, as many as the profile looks at.
        submissions: Within the last minute.
        ran_away: Whether the gateway was asked so often that the process panicked.
        link_lost_since_ns: Since when the order channel is gone.
        reconnects_exhausted: Whether every attempt to connect again failed.
        unhandled: The fault that escaped the loop; empty: none.
        duplicate_engine: The order of another engine of ours; empty: none.
        bypassed: The order that came to the border without approval; empty: none.
        heartbeat_ns: The engine's last heartbeat, where a watchdog judges; None: an engine judges itself.
        watchdog_seen_ns: The watchdog's last sign of life, where one must be there; None: none must.
        alert_undelivered_since_ns: Since when a critical alert reaches nobody.
        override_until_ns: When the first override of a gate or waiver of protection in use expires.
        save_failures: Times in a row that the state could not be saved.
        journal_failed: Whether the journal refuses entries.
    """

    now_ns: int
    exposed: bool | None = None
    peak_known: bool = True
    drawdown_ever: Decimal | None = None
    session_drawdown: Decimal | None = None
    daily_loss: Decimal | None = None
    daily_amount: Decimal | None = None
    exceeded: tuple[Exceeded, ...] = ()
    impossible: str = ""
    unprotected_since_ns: int | None = None
    flat_by_ns: int | None = None
    available: Decimal | None = None
    maintenance_used: Decimal | None = None
    margin_called: bool = False
    desync: Desync = Desync.NONE
    difference: str = ""
    foreign_position: str = ""
    overfilled: str = ""
    unknown_since_ns: int | None = None
    recon_mismatches: int = 0
    recon_failures: int = 0
    dvs: Decimal | None = None
    eqs: Decimal | None = None
    bar_queued_since_ns: int | None = None
    bar_length_ns: int = 0
    rejections: int = 0
    submissions: int = 0
    ran_away: bool = False
    link_lost_since_ns: int | None = None
    reconnects_exhausted: bool = False
    unhandled: str = ""
    duplicate_engine: str = ""
    bypassed: str = ""
    heartbeat_ns: int | None = None
    watchdog_seen_ns: int | None = None
    alert_undelivered_since_ns: int | None = None
    override_until_ns: int | None = None
    save_failures: int = 0
    journal_failed: bool = False

    def with_losses(self, rails: Guardrails) -> HaltFacts:
        """Return these facts with the losses of the account's one tracker."""
        return msgspec.structs.replace(
            self,
            peak_known=rails.equity is None or rails.peak_ever is not None,
            drawdown_ever=drawdown_ever(rails),
            session_drawdown=session_drawdown(rails),
            daily_loss=daily_loss(rails),
            daily_amount=daily_amount(rails),
        )
