"""Limits on the engine's own state, and the times of an order's life (operations.md 1.3, rows 5, 47, 48; 1.9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from evenkeel.risk.limits.rule import Group, Tighter, limit


class Operation(Group, frozen=True, kw_only=True):
    """What the engine must be sure of."""

    lease_s: Annotated[int, limit(5, "seconds", "[1, 300]", "Life of the lease of the account.")] = 15
    unknown_account_s: Annotated[
        int, limit(7, "seconds", "[0, 3600]", "An unknown order blocks its instrument, then the account.")
    ] = 30
    mismatches: Annotated[int | None, limit(47, "runs", "[1, 100]", "So many runs in a row that differ.")] = None
    orders_every_s: Annotated[int, limit(47, "seconds", "[1, 86400]", "Between two comparisons of orders.")] = 120
    positions_every_s: Annotated[int, limit(47, "seconds", "[1, 86400]", "Between two comparisons of positions.")] = 300
    clean_intervals: Annotated[
        int | None, limit(47, "intervals", "[1, 100]", "The last clean comparison of positions is so old at most.")
    ] = None
    kills: Annotated[
        bool,
        limit(
            0, "on or off", "",
            "Whether differences to the broker, foreign positions, a lost connection and rejections kill, not halt.",
            Tighter.ON,
        ),
    ] = False  # fmt: skip
    clock_warn_ms: Annotated[
        int | None, limit(48, "milliseconds", "(0, inf)", "Offset to the broker that is told.")
    ] = None
    clock_block_ms: Annotated[
        int | None, limit(48, "milliseconds", "(0, inf)", "Offset to the broker that refuses entries.")
    ] = None


class Orders(Group, frozen=True, kw_only=True):
    """Times and counts in the life of an order; the supervisor and halts read them."""

    send_s: Annotated[int, limit(0, "seconds", "[1, 300]", "Then the fate of a sent order is unknown.")] = 15
    request_s: Annotated[int, limit(0, "seconds", "[1, 300]", "Then any other request has failed.")] = 30
    data_s: Annotated[int, limit(0, "seconds", "[1, 600]", "Then a request for data has failed.")] = 60
    unknown_kill_s: Annotated[int, limit(0, "seconds", "[1, 3600]", "An order unknown so long kills the account.")] = 60
    stop_sent_s: Annotated[
        int, limit(0, "seconds", "[1, 60]", "A stop is acknowledged so soon, or sent once more.")
    ] = 2
    stop_working_s: Annotated[int, limit(0, "seconds", "[1, 60]", "A position without a working stop is closed.")] = 5
    partial_entry_s: Annotated[int, limit(0, "seconds", "[0, 3600]", "The rest of a partial entry works so long.")] = 30
    partial_target_s: Annotated[int, limit(0, "seconds", "[0, 3600]", "The rest of a target works so long.")] = 60
    entry_ttl_s: Annotated[int, limit(0, "seconds", "[1, 86400]", "Life of an entry.")] = 90
    modifications: Annotated[int, limit(0, "changes", "[0, 100]", "Of one order's price.")] = 2
    stop_offset_ticks: Annotated[int, limit(0, "ticks", "[0, 1000]", "Limit of a stop-limit behind its trigger.")] = 2
    stop_fallback_s: Annotated[
        int, limit(0, "seconds", "[1, 600]", "Then a triggered stop-limit becomes a market order.")
    ] = 10
    resubmits: Annotated[int, limit(0, "orders", "[0, 100]", "Of a rest that is sent again.")] = 3
    fill_rate: Annotated[
        Decimal, limit(0, "fraction", "[0, 1]", "Below it the part that is filled is told.", Tighter.MORE)
    ] = Decimal("0.9")
    stalled_s: Annotated[int, limit(0, "seconds", "[1, 86400]", "A partial fill that rests so long is told.")] = 300
    rejects_halt: Annotated[Decimal, limit(0, "fraction", "(0, 1]", "Rejected by the broker, above it halts.")] = (
        Decimal("0.2")
    )
    rejects_warn: Annotated[Decimal, limit(0, "fraction", "(0, 1]", "Rejected by the broker, above it is told.")] = (
        Decimal("0.1")
    )
    rejects_over: Annotated[int, limit(0, "orders", "[1, 1000]", "The last so many are counted.", Tighter.MORE)] = 20
    lost_exposed_s: Annotated[int, limit(0, "seconds", "[1, 3600]", "Connection lost with a position or an order.")] = (
        10
    )
    lost_flat_s: Annotated[int, limit(0, "seconds", "[1, 3600]", "Connection lost without one.")] = 60
    desync_s: Annotated[int, limit(0, "seconds", "[0, 600]", "A difference seen twice, so far apart, is one.")] = 5
