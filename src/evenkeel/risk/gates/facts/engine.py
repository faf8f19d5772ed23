"""What is known of the engine and of its account at the broker."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evenkeel.risk.gates.rates import RateBook

NEVER = 0
"""A stamp of what has not happened yet."""


class Phase(StrEnum):
    """What the engine is doing."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"


class Access(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who we are at the broker.

    Attributes:
        key_mode: Mode that the key is for; None is not known.
        host_mode: Mode that the address is for.
        account_mode: Mode that the account number is for.
        withdraws: Whether the key could move money out.
        armed: Whether a person armed live trading.
    """

    key_mode: str | None
    host_mode: str | None
    account_mode: str | None
    withdraws: bool | None
    armed: bool | None = None


class Recon(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How books and broker compare.

    Attributes:
        open_differences: Not explained or mended yet.
        mismatches: Runs in a row that differed.
        clean_ns: When the last clean comparison of positions was known.
    """

    open_differences: int
    mismatches: int
    clean_ns: int


class Streams(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the streams are.

    Attributes:
        private_ns: When the account's own stream was last heard.
        unhealthy_ns: Since when a stream is unhealthy; None where all are well.
    """

    private_ns: int
    unhealthy_ns: int | None = None


class EngineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """About the engine and its account at the broker.

    Attributes:
        mode: Of the process.
        phase: What it does.
        reconciled: Whether the comparison at the start is complete.
        halt_level: 0 to 4; None where the flag cannot be read.
        halt_epoch: Of the flag.
        panic: Whether the latch is set.
        access: Who we are at the broker; not read where nothing is sent to one.
        lease_epoch: Of the lease that this process holds.
        lease_until_ns: Until when it holds.
        streams: How the streams are.
        recon: How books and broker compare.
        clock_offset_ns: Of our clock to the broker's.
        journal_writable: Whether the last append was durable.
        rates: Orders sent of late.
        unknown_ns: Since when the oldest order is unknown; NEVER where none is.
    """

    mode: str | None = None
    phase: Phase | None = None
    reconciled: bool | None = None
    halt_level: int | None = None
    halt_epoch: int | None = None
    panic: bool | None = None
    access: Access | None = None
    lease_epoch: int | None = None
    lease_until_ns: int | None = None
    streams: Streams | None = None
    recon: Recon | None = None
    clock_offset_ns: int | None = None
    journal_writable: bool | None = None
    rates: RateBook | None = None
    unknown_ns: int | None = None
