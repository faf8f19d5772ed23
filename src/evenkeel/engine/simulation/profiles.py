"""Which faults a seed has: profiles by name, each a rate for every fault at one chance."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.faults import Fault

F = Fault

NETWORK = {
    F.LOST_REQUEST: 0.03, F.LATE_REQUEST: 0.06, F.REPEATED_REQUEST: 0.02, F.LOST_ANSWER: 0.03, F.LATE_ANSWER: 0.06,
    F.REPEATED_ANSWER: 0.02, F.LOST_LOOKUP: 0.04, F.LATE_LOOKUP: 0.06, F.LOST_NEWS: 0.04, F.LATE_NEWS: 0.06,
    F.REPEATED_NEWS: 0.05, F.SILENT_STREAM: 0.0008, F.DISCONNECT: 0.0008,
}  # fmt: skip
VENUE = {
    F.RATE_LIMIT: 0.02, F.PARTIAL_PAGE: 0.03, F.BLIND: 0.5, F.STALE_ANSWER: 0.05, F.PARTIAL_FILL: 0.3, F.REJECT: 0.02,
    F.REJECT_STOP: 0.02, F.VENUE_CANCEL: 0.0008, F.VENUE_EXPIRE: 0.0006, F.BUST: 0.0004, F.RESET_IDS: 0.0004,
    F.LOST_TRUTH: 0.04, F.PARTIAL_TRUTH: 0.08, F.HIDDEN: 0.05, F.STALE_POSITION: 0.1,
}  # fmt: skip
PROCESS = {
    F.CRASH_BEFORE_JOURNAL: 0.0005, F.CRASH_IN_WRITE: 0.006, F.CRASH_IN_SYNC: 0.002, F.CRASH_BEFORE_SEND: 0.004,
    F.CRASH_AFTER_SEND: 0.004, F.CRASH_AT_REST: 0.0004, F.STOP: 0.0004,
}  # fmt: skip
DISK = {F.DISK_FULL: 0.0002, F.READ_ONLY: 0.0002}
CLOCK = {F.CLOCK_AHEAD: 0.0004, F.CLOCK_BACK: 0.0004}
DATA = {
    F.STALE_PRICES: 0.0008, F.GARBAGE_PRICE: 0.002, F.MISSING_BAR: 0.01, F.REPEATED_BAR: 0.01, F.LATE_BAR: 0.01,
}  # fmt: skip
PEOPLE = {F.OPERATOR: 0.002, F.OPERATOR_AT_SEND: 0.006, F.MANUAL_CANCEL: 0.0006, F.MANUAL_ORDER: 0.0004}

PROFILES: Mapping[str, tuple[Mapping[Fault, float], ...]] = {
    "all": (NETWORK, VENUE, PROCESS, DISK, CLOCK, DATA, PEOPLE), "network": (NETWORK,), "venue": (VENUE,),
    "process": (PROCESS,), "disk": (DISK, PROCESS), "clock": (CLOCK, PROCESS), "data": (DATA,), "people": (PEOPLE,),
    "none": (),
}  # fmt: skip
"""`none` is the control: what a world does when nothing goes wrong."""

_SCALES = (0.0, 1.0, 1.0, 1.0, 2.5)
"""By how much the faults of a group are likelier in a seed; those of network and venue are never absent."""


def rates_of(draw: Draw, profile: str) -> dict[Fault, float]:
    """Return the rates of a seed; within a profile each group of faults is absent, usual or frequent."""
    rates: dict[Fault, float] = {}
    for group in PROFILES[profile]:
        scale = draw.choice(_SCALES[group in (NETWORK, VENUE) :]) if profile == "all" else 1.0
        rates.update({fault: min(rate * scale, 0.6) for fault, rate in group.items() if scale})
    return rates
