"""Words of a halt: its levels, what each permits, why it was set. How one is raised and lifted is `evenkeel.risk.halt`.

    >>> permits(HaltLevel.PAUSED, Act.ENTRY), permits(HaltLevel.PAUSED, Act.REDUCE)
    (False, True)
    >>> permits(HaltLevel.KILLED, Act.REDUCE), permits(HaltLevel.KILLED, Act.REDUCE, kill_path=True)
    (False, True)

Source: operations.md 2.1 and 2.5, ruling 58.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum, auto

import msgspec


class HaltLevel(IntEnum):
    """How far trading is stopped; the number is what the flag keeps."""

    NORMAL = 0
    DERISK = 1
    PAUSED = 2
    HALTED = 3
    KILLED = 4


class Act(StrEnum):
    """What an order is to the account's risk."""

    ENTRY = auto()
    REDUCE = auto()
    PROTECT = auto()
    CANCEL = auto()


class Permits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a level lets through.

    Attributes:
        entries: Orders that raise the risk.
        reducing: Orders that lower it, of strategies and supervisor.
        protective: Stops and targets of what is held.
        cancels: Withdrawals of orders, of strategies and supervisor.
        keeps_entries: Whether entries that rest stay at work.
        flattens: Whether all is cancelled and closed on the kill path, which passes at every level.
    """

    entries: bool
    reducing: bool = True
    protective: bool = True
    cancels: bool = True
    keeps_entries: bool = True
    flattens: bool = False


PERMITS = {
    HaltLevel.NORMAL: Permits(entries=True),
    HaltLevel.DERISK: Permits(entries=True),
    HaltLevel.PAUSED: Permits(entries=False),
    HaltLevel.HALTED: Permits(entries=False, keeps_entries=False),
    HaltLevel.KILLED: Permits(entries=False, reducing=False, cancels=False, keeps_entries=False, flattens=True),
}
"""The table of levels. At KILLED protection is kept up until the account is flat; the kill path replaces it."""


def permits(level: HaltLevel, act: Act, *, kill_path: bool = False) -> bool:
    """Return whether a level lets an act through.

    Args:
        level: In force.
        act: What the order is; `risk` computes it, nobody declares it.
        kill_path: Whether the order belongs to the flattening of the account, which opens nothing.
    """
    row = PERMITS[level]
    if act is Act.ENTRY:
        return row.entries
    if kill_path:
        return True
    return {Act.REDUCE: row.reducing, Act.PROTECT: row.protective, Act.CANCEL: row.cancels}[act]


class HaltCause(StrEnum):
    """Kinds of reasons, as far as lifting them differs."""

    OPERATOR = auto()
    BREAKER = auto()
    """A new exchange session lifts it too."""
    LADDER = auto()
    RECONCILIATION = auto()
    """Needs two clean cycles of reconciliation in a row."""
    DATA = auto()
    EXECUTION = auto()
    CONNECTION = auto()
    CONSTITUTION = auto()
    ENGINE = auto()
    STORAGE = auto()


class HaltCode(StrEnum):
    """Why trading is stopped.

    The value is the code; `text` is the sentence for a person, `cause` the kind.
    """

    text: str
    cause: HaltCause

    def __new__(cls, code: str, cause: HaltCause, text: str) -> HaltCode:
        """Bind kind and sentence to the code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.cause = cause
        member.text = text
        return member

    OPERATOR_PAUSE = ("OPERATOR_PAUSE", HaltCause.OPERATOR, "An operator paused entries.")
    OPERATOR_FLATTEN = ("OPERATOR_FLATTEN", HaltCause.OPERATOR, "An operator had all positions closed.")
    OPERATOR_HALT = ("OPERATOR_HALT", HaltCause.OPERATOR, "An operator halted trading.")
    MANUAL = ("MANUAL", HaltCause.OPERATOR, "An operator pulled the kill switch.")
    DERISK = ("DERISK", HaltCause.LADDER, "The account is in a drawdown: entries are smaller.")
    DRAWDOWN_HARD = ("DRAWDOWN_HARD", HaltCause.LADDER, "The drawdown reached the last rung of the ladder.")
    DAILY_LOSS = ("DAILY_LOSS", HaltCause.BREAKER, "The account lost as much in this session as it may.")
    RAPID_DRAWDOWN = ("RAPID_DRAWDOWN", HaltCause.BREAKER, "The account fell fast from its peak of this session.")
    MAX_DRAWDOWN = (
        "MAX_DRAWDOWN",
        HaltCause.CONSTITUTION,
        "The account fell from its highest equity ever as far as it may, or that equity is not known.",
    )
    CONSTITUTION = ("CONSTITUTION", HaltCause.CONSTITUTION, "After a fill a limit was found exceeded.")
    INVARIANT = ("INVARIANT", HaltCause.CONSTITUTION, "The engine found a state that cannot be.")
    UNPROTECTED = ("UNPROTECTED", HaltCause.CONSTITUTION, "A position had no working stop for too long.")
    NOT_FLAT = ("NOT_FLAT", HaltCause.CONSTITUTION, "A position was open when none may be.")
    MARGIN_CALL = ("MARGIN_CALL", HaltCause.CONSTITUTION, "The broker asks for margin, or the account lacks it.")
    DESYNC = ("DESYNC", HaltCause.RECONCILIATION, "Orders or positions differ from the broker's, confirmed.")
    DESYNC_UNEXPLAINED = (
        "DESYNC_UNEXPLAINED",
        HaltCause.RECONCILIATION,
        "Orders or positions differ from the broker's, and no fill explains it.",
    )
    UNEXPECTED_POSITION = (
        "UNEXPECTED_POSITION",
        HaltCause.RECONCILIATION,
        "The broker holds a position in an instrument of the engine that the engine did not open.",
    )
    OVERFILL = ("OVERFILL", HaltCause.RECONCILIATION, "The broker filled more than was asked for.")
    ORDER_UNKNOWN = ("ORDER_UNKNOWN", HaltCause.RECONCILIATION, "What became of an order stayed unknown for too long.")
    RECON_MISMATCH = ("RECON_MISMATCH", HaltCause.RECONCILIATION, "Reconciliation found differences again and again.")
    RECON_BLIND = ("RECON_BLIND", HaltCause.RECONCILIATION, "Reconciliation could not read the broker again and again.")
    DVS_KILL = ("DVS_KILL", HaltCause.DATA, "The quality of the market data fell too low to hold positions.")
    QUEUE_STALE = ("QUEUE_STALE", HaltCause.DATA, "A bar waited in the queue for too long.")
    EQS_KILL = ("EQS_KILL", HaltCause.EXECUTION, "The quality of execution fell too low to hold positions.")
    HIGH_REJECTIONS = ("HIGH_REJECTIONS", HaltCause.EXECUTION, "The broker rejected too many of the last orders.")
    RUNAWAY = ("RUNAWAY", HaltCause.EXECUTION, "More orders went out within a minute than any strategy should send.")
    CONNECTION_LOST = (
        "CONNECTION_LOST",
        HaltCause.CONNECTION,
        "The order channel was lost for too long with a position or an order at work.",
    )
    CONNECTION_LOST_FLAT = (
        "CONNECTION_LOST_FLAT",
        HaltCause.CONNECTION,
        "The order channel was lost for too long without a position.",
    )
    RECONNECTS_EXHAUSTED = ("RECONNECTS_EXHAUSTED", HaltCause.CONNECTION, "Every attempt to connect again failed.")
    UNHANDLED = ("UNHANDLED", HaltCause.ENGINE, "A fault escaped the engine's loop.")
    DUPLICATE_ENGINE = ("DUPLICATE_ENGINE", HaltCause.ENGINE, "An order of another engine of ours was seen.")
    GATEWAY_BYPASS = ("GATEWAY_BYPASS", HaltCause.ENGINE, "An order tried to reach the broker without approval.")
    WATCHDOG = ("WATCHDOG", HaltCause.ENGINE, "The engine's heartbeat stopped, and a position has no stop.")
    WATCHDOG_PROTECTED = (
        "WATCHDOG_PROTECTED",
        HaltCause.ENGINE,
        "The engine's heartbeat stopped; what it holds is protected at the broker.",
    )
    WATCHDOG_MISSING = ("WATCHDOG_MISSING", HaltCause.ENGINE, "The watchdog that looks after the engine is gone.")
    ALERTS_DOWN = ("ALERTS_DOWN", HaltCause.ENGINE, "A critical alert reached nobody.")
    ALERTS_DOWN_LONG = ("ALERTS_DOWN_LONG", HaltCause.ENGINE, "A critical alert reached nobody for minutes.")
    OVERRIDE_EXPIRED = ("OVERRIDE_EXPIRED", HaltCause.ENGINE, "What a person had allowed for a time has expired.")
    STATE_UNSAVEABLE = ("STATE_UNSAVEABLE", HaltCause.STORAGE, "The engine's state could not be saved again and again.")
    JOURNAL_FAILED = ("JOURNAL_FAILED", HaltCause.STORAGE, "The journal takes no more entries.")
    STATE_REBUILT = (
        "STATE_REBUILT",
        HaltCause.STORAGE,
        "No stored copy of the engine's state was whole; it was rebuilt from the journal.",
    )
    STRATEGY_CHANGED = (
        "STRATEGY_CHANGED",
        HaltCause.OPERATOR,
        "Code or parameters of a strategy are other than in the session before.",
    )
    FLAG_DAMAGED = ("FLAG_DAMAGED", HaltCause.STORAGE, "A copy of the halt flag is missing or cannot be trusted.")
    FLAG_MISSING = ("FLAG_MISSING", HaltCause.STORAGE, "There is no halt flag of this account.")


class HaltSource(StrEnum):
    """Who noticed."""

    ENGINE = auto()
    OPERATOR = auto()
    WATCHDOG = auto()
    FLAG = auto()


class HaltReason(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One reason, active until it is lifted by its rule.

    Attributes:
        code: What.
        level: How far it stops trading.
        source: Who noticed.
        at_ns: When it was first raised, `known_ns`.
        text: What exactly, for a person; empty where the code says it all.
        value: The figure that crossed, where there is one.
        limit: What it crossed.
        until_ns: When it ends by itself; None is never. Only levels 2 and 3 may have one.
    """

    code: HaltCode
    level: HaltLevel
    source: HaltSource
    at_ns: int
    text: str = ""
    value: Decimal | None = None
    limit: Decimal | None = None
    until_ns: int | None = None


class Halt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that stops an account.

    Attributes:
        reasons: Every active one, one a code, sorted by code.
        epoch: Rises with every change; an order approved under another one is not sent.
        set_by: Who changed it last.
        eased_until_ns: Until when entries are scaled down after a resume; None without one.
    """

    reasons: tuple[HaltReason, ...] = ()
    epoch: int = 1
    set_by: str = ""
    eased_until_ns: int | None = None

    @property
    def level(self) -> HaltLevel:
        """The highest of the reasons'."""
        return max((reason.level for reason in self.reasons), default=HaltLevel.NORMAL)

    def reason(self, code: HaltCode) -> HaltReason | None:
        """Return the active reason with that code."""
        return next((reason for reason in self.reasons if reason.code is code), None)
