"""What a venue can do with orders, and how long things may take at it."""

from __future__ import annotations

import msgspec

_SECOND = 1_000_000_000


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue declares; the supervisor makes up for the rest.

    Attributes:
        reduce_only: Whether an order can be kept from opening or turning a position.
        reserves: Whether an order to sell holds back what it may sell, so that stop and target cannot both rest.
        pairs: Whether stop and target can rest as a pair of which one cancels the other.
        amends_quantity: Whether the quantity of a resting order can be changed.
        amends_price: Whether its prices can.
        visible_ns: After how long an order that was taken is in every answer, and one that was not never will be.
    """

    reduce_only: bool = True
    reserves: bool = False
    pairs: bool = False
    amends_quantity: bool = True
    amends_price: bool = True
    visible_ns: int = 3 * _SECOND


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take (operations.md 1.9, belief.md 5.4); nanoseconds.

    Attributes:
        entry_life_ns: An entry that rests is withdrawn after it.
        rest_life_ns: What is left of an entry is withdrawn so long after its first fill.
        naked_ns: A position without its stop is closed after it.
        doubt_ns: A bare position is closed after it though orders of it are in doubt.
        target_rest_ns: What is left of a target is closed at the market so long after its first fill.
        stop_fallback_ns: A stop that the price has passed is closed at the market after it.
        retry_ns: Between two attempts to close a position; twice as long after each that failed.
        retry_doublings: So often at most.
        stop_attempts: How often a stop may be rejected before the position is closed.
        change_attempts: How often a change of a stop or target may be refused before a new order takes its place.
        stop_offset_ticks: How far beyond its trigger the limit of a stop lies, where it has one.
    """

    entry_life_ns: int | None = 90 * _SECOND
    rest_life_ns: int = 30 * _SECOND
    naked_ns: int = 5 * _SECOND
    doubt_ns: int = 30 * _SECOND
    target_rest_ns: int = 60 * _SECOND
    stop_fallback_ns: int = 10 * _SECOND
    retry_ns: int = _SECOND // 2
    retry_doublings: int = 6
    stop_attempts: int = 2
    change_attempts: int = 2
    stop_offset_ticks: int = 2
