"""How fast orders are sent: token buckets as folded state, each one stamp.

A bucket of L orders a minute refills by one every 60 s / L. Its state is the instant at which it will be full again
(the generic cell rate algorithm, ITU-T I.371): an order moves that instant on by one refill, from now at the earliest,
and fits while it stays within as many refills from now as the bucket is large. So a book is a few integers, folding
needs no timer, and a restart computes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.time import MINUTE
from evenkeel.risk.limits.size import Pace

Key = TypeVar("Key", InstrumentId, StrategyId)


class RateBook(msgspec.Struct, frozen=True, kw_only=True):
    """Orders sent and asked for of late.

    Attributes:
        symbols: When the bucket of each instrument is full again.
        strategies: Of each strategy.
        account: Of the account.
        broker: Of what the broker takes.
        asked: Of requests to the gateway, refused ones included.
    """

    symbols: Mapping[InstrumentId, int] = {}
    strategies: Mapping[StrategyId, int] = {}
    account: int = 0
    broker: int = 0
    asked: int = 0


def used(full_ns: int, now_ns: int, per_minute: int) -> int:
    """Return how many orders of a bucket are in use, the next one included."""
    refill = MINUTE // per_minute
    return -(-(max(full_ns, now_ns) + refill - now_ns) // refill)


def sent(
    book: RateBook, now_ns: int, pace: Pace, *, instrument: InstrumentId, strategy: StrategyId, requests: int = 1
) -> RateBook:
    """Return the book after an order, or a request about one, was sent.

    Args:
        book: Before it.
        now_ns: When it was sent.
        pace: Limits, which say how fast a bucket refills; a bucket without one is not counted.
        instrument: Of the order.
        strategy: Of the order.
        requests: To the broker that it took.
    """
    return msgspec.structs.replace(
        book,
        symbols=_moved_entry(book.symbols, instrument, now_ns, pace.symbol_per_minute),
        strategies=_moved_entry(book.strategies, strategy, now_ns, pace.strategy_per_minute),
        account=_moved(book.account, now_ns, pace.account_per_minute),
        broker=_moved(book.broker, now_ns, pace.broker_per_minute, requests),
    )


def queried(book: RateBook, now_ns: int, pace: Pace) -> RateBook:
    """Return the book after the broker was asked something that moves no order."""
    return msgspec.structs.replace(book, broker=_moved(book.broker, now_ns, pace.broker_per_minute))


def asked(book: RateBook, now_ns: int, pace: Pace) -> RateBook:
    """Return the book after the gateway was asked, whatever it answered."""
    return msgspec.structs.replace(book, asked=_moved(book.asked, now_ns, pace.runaway_per_minute))


def is_runaway(book: RateBook, now_ns: int, pace: Pace) -> bool:
    """Whether the gateway is asked so often that something must have broken: a reason to panic."""
    limit = pace.runaway_per_minute
    return limit is not None and book.asked - now_ns >= limit * (MINUTE // limit)


def _moved_entry(stamps: Mapping[Key, int], key: Key, now_ns: int, per_minute: int | None) -> Mapping[Key, int]:
    """Return the buckets after an order in one of them; full ones are dropped, so that the book stays small."""
    if per_minute is None:
        return stamps
    kept = {name: full_ns for name, full_ns in stamps.items() if full_ns > now_ns}
    return {**kept, key: _moved(kept.get(key, 0), now_ns, per_minute)}


def _moved(full_ns: int, now_ns: int, per_minute: int | None, count: int = 1) -> int:
    """Return when a bucket is full again after orders."""
    if per_minute is None:
        return full_ns
    return max(full_ns, now_ns) + count * (MINUTE // per_minute)
