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
    """Return our id of an order, see `OrderIds`."""
    return OrderIds(mode, run=run, strategy=strategy, instrument=instrument).of(trade, leg, attempt=attempt)


class OrderIds:
    """Our ids of the orders of a strategy and an instrument: what they share is hashed once.

    An id is `k`, mode letter, leg letter, `-`, 20 characters of a SHA-256.
    """

    def __init__(self, mode: str, *, run: RunId, strategy: StrategyId, instrument: InstrumentId) -> None:
        self._shared = hashlib.sha256("\x1f".join((run, strategy, instrument, "")).encode())
        self._words = {
            leg: (f"k{MODE_LETTERS[mode]}{letter}-", f"\x1f{leg.value}\x1f") for leg, letter in _LEG_LETTERS.items()
        }

    def of(self, trade: int, leg: Leg, *, attempt: int) -> ClientId:
        """Return the id of an order.

        Args:
            trade: Number of the trade within the strategy and instrument, from 1.
            leg: What it is for.
            attempt: From 1; rises only for an order that replaces one known to be dead.
        """
        if trade < 1 or attempt < 1:
            require(False, "trades and attempts count from 1", trade=trade, attempt=attempt)
        head, between = self._words[leg]
        digest = self._shared.copy()
        digest.update(f"{trade}{between}{attempt}".encode())
        return ClientId(head + _twenty(digest.digest()))


def short_hash(data: bytes, characters: int) -> str:
    """Return the first characters of the SHA-256 of `data` in lower-case base32 (`a` to `z`, `2` to `7`)."""
    return _base32(hashlib.sha256(data).digest(), characters)


def _base32(digest: bytes, characters: int) -> str:
    last = 10 * ((characters - 1) // 2)
    bits = int.from_bytes(digest, "big") >> (246 - last)
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(last, -1, -10)])[:characters]


def _twenty(digest: bytes) -> str:
    """Return the first 20 characters as `_base32` makes them: each order has an id, so what is constant is written out.

    The first 100 bits are two numbers of 50, because Python works longest on those that do not fit into a word.
    """
    bits = int.from_bytes(digest[:13], "big") >> 4
    high, low = bits >> 50, bits & ((1 << 50) - 1)
    return (
        f"{_PAIRS[high >> 40]}{_PAIRS[high >> 30 & 1023]}{_PAIRS[high >> 20 & 1023]}{_PAIRS[high >> 10 & 1023]}"
        f"{_PAIRS[high & 1023]}{_PAIRS[low >> 40]}{_PAIRS[low >> 30 & 1023]}{_PAIRS[low >> 20 & 1023]}"
        f"{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )


_BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(high + low for high in _BASE_32 for low in _BASE_32)
"""Ten bits at a time: an order's id is made of ten of them, several times faster than by `base64`."""
