"""Identifiers: derived from what they name, never drawn, so that a restart names everything the same again.

A client id is what a venue sees as our name for an order. It is the tightest common form of all venues: at most
24 characters of `[a-z0-9-]`, with the mode and the leg readable in front.

    >>> client_id("backtest", run=RunId("r1"), strategy=StrategyId("s"), instrument=InstrumentId("ES.CME"),
    ...           trade=1, leg=Leg.ENTRY, attempt=1)[:4]
    'kbe-'
"""

from __future__ import annotations

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
    pairs = -(-characters // 2)
    bits = int.from_bytes(hashlib.sha256(data).digest(), "big") >> (256 - 10 * pairs)
    text = "".join([_PAIRS[bits >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10)])
    return text[:characters]


_BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(high + low for high in _BASE_32 for low in _BASE_32)
"""Ten bits at a time: an order's id is made of ten of them, several times faster than by `base64`."""
