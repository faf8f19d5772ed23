"""Where each automatic trigger of a halt hears from, and which of them nothing in an engine can set off yet."""

from __future__ import annotations

from evenkeel.model.halt import HaltCode

_EQUITY = "the broker's equity: `EquityTold`"
_COMPARISON = "the comparison with the broker"
_FILLS = "fills of the account"
_PROCESS = "the process around the core"

SOURCES: dict[HaltCode, str] = {
    HaltCode.DAILY_LOSS: _EQUITY,
    HaltCode.RAPID_DRAWDOWN: _EQUITY,
    HaltCode.DRAWDOWN_HARD: _EQUITY,
    HaltCode.MAX_DRAWDOWN: _EQUITY,
    HaltCode.CONSTITUTION: _FILLS,
    HaltCode.INVARIANT: "positions that stay open a minute after all was to be closed",
    HaltCode.UNPROTECTED: "supervisor",
    HaltCode.NOT_FLAT: "the close of the session: `SessionOpened`",
    HaltCode.MARGIN_CALL: "the broker: `EquityTold`, `MarginCalled`",
    HaltCode.DESYNC: "checks of fills, and the comparison with the broker",
    HaltCode.DESYNC_UNEXPLAINED: _COMPARISON,
    HaltCode.UNEXPECTED_POSITION: _COMPARISON,
    HaltCode.OVERFILL: _FILLS,
    HaltCode.ORDER_UNKNOWN: "order book",
    HaltCode.RECON_MISMATCH: _COMPARISON,
    HaltCode.RECON_BLIND: _COMPARISON,
    HaltCode.DVS_KILL: "the score of the data: `QualityTold`",
    HaltCode.EQS_KILL: "the score of the execution: `QualityTold`",
    HaltCode.QUEUE_STALE: f"{_PROCESS}: `QueueMeasured`",
    HaltCode.HIGH_REJECTIONS: "answers to orders",
    HaltCode.RUNAWAY: "orders sent, and requests to the gateway",
    HaltCode.CONNECTION_LOST: "venue driver: `LinkChanged`",
    HaltCode.CONNECTION_LOST_FLAT: "venue driver: `LinkChanged`",
    HaltCode.RECONNECTS_EXHAUSTED: "venue driver: `LinkChanged`",
    HaltCode.UNHANDLED: f"{_PROCESS}: `FaultEscaped`",
    HaltCode.DUPLICATE_ENGINE: _COMPARISON,
    HaltCode.GATEWAY_BYPASS: "the border: `BypassStopped`",
    HaltCode.WATCHDOG: "the watchdog, by the flag",
    HaltCode.WATCHDOG_PROTECTED: "the watchdog, by the flag",
    HaltCode.WATCHDOG_MISSING: "the watchdog: `WatchdogSeen`",
    HaltCode.ALERTS_DOWN: f"{_PROCESS}: `AlertUndelivered`",
    HaltCode.ALERTS_DOWN_LONG: f"{_PROCESS}: `AlertUndelivered`",
    HaltCode.OVERRIDE_EXPIRED: "a person: `Waived`, `Overridden`",
    HaltCode.STATE_UNSAVEABLE: "snapshots: `StorageTold`",
    HaltCode.JOURNAL_FAILED: "journal: `StorageTold`",
}
"""Code to what sets it off; events are named by their type."""

WAITING: dict[HaltCode, str] = {
    HaltCode.WATCHDOG: "the watchdog process, which reads the engine's heartbeat",
    HaltCode.WATCHDOG_PROTECTED: "the watchdog process, which reads the engine's heartbeat",
}
"""Code to what will set it off. What another process writes into the flag halts an account already."""

UNTOLD: dict[HaltCode, str] = {
    HaltCode.DVS_KILL: "the score of data quality (DVS)",
    HaltCode.EQS_KILL: "the score of execution quality (EQS)",
    HaltCode.WATCHDOG_MISSING: "the watchdog process",
    HaltCode.ALERTS_DOWN: "the delivery of alerts",
    HaltCode.ALERTS_DOWN_LONG: "the delivery of alerts",
}
"""Code to what will tell its event: the account acts on it, and nothing in an engine sends it yet."""
