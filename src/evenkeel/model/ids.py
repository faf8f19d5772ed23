"""Identifiers: derived from what they name, never drawn, so that a restart names everything the same again.

A client id is what a venue sees as our name for an order. It is the tightest common form of all venues: at most
24 characters of `[a-z0-9-]`, with the mode and the leg readable in front.

    >>> client_id("backtest", run=RunId("r1"), strategy=StrategyId("s"), instrument=InstrumentId("ES.CME"),
    ...           trade=1, leg=Leg.ENTRY, attempt=1)[:4]
    'kbe-'
"""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum
from typing import NewType

from evenkeel.model.errors import require

InstrumentId = NewType("InstrumentId", str)
"""`SYMBOL.VENUE`, for example `BTCUSDT.BYBIT`."""

RunId = NewType("RunId", str)
StrategyId = NewType("StrategyId", str)
ClientId = NewType("ClientId", str)

MODE_LETTERS = {"backtest": "b", "replay": "r", "observe": "o", "paper": "p", "demo": "d", "live": "l"}


class Leg(StrEnum):
    """What an order is for within a trade."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    EXIT = "exit"
    GUARD = "guard"


_LEG_LETTERS = {Leg.ENTRY: "e", Leg.STOP: "s", Leg.TARGET: "t", Leg.EXIT: "x", Leg.GUARD: "g"}


def client_id(
    mode: str, *, run: RunId, strategy: StrategyId, instrument: InstrumentId, trade: int, leg: Leg, attempt: int
) -> ClientId:
    """Return our id of an order: `k`, mode letter, leg letter, `-`, 20 characters of a SHA-256.

    Args:
        trade: Number of the trade within the strategy and instrument, from 1.
        attempt: From 1; rises only for an order that replaces one known to be dead.
    """
    require(trade >= 1 and attempt >= 1, "trades and attempts count from 1", trade=trade, attempt=attempt)
    named = "\x1f".join((run, strategy, instrument, str(trade), leg, str(attempt)))
    return ClientId(f"k{MODE_LETTERS[mode]}{_LEG_LETTERS[leg]}-{short_hash(named.encode(), 20)}")


def short_hash(data: bytes, characters: int) -> str:
    """Return the first characters of the SHA-256 of `data` in lower-case base32 (`a` to `z`, `2` to `7`)."""
    whole_groups = -(-characters * 5 // 40) * 5
    return base64.b32encode(hashlib.sha256(data).digest()[:whole_groups]).decode().lower()[:characters]
