"""Bars by value on their way to the features of a desk, and which decisions they make due.

The driver tells an account of base bars by value (`BaseClosed`), of time that has passed without one (`BarsSettled`)
and of values beside them (`SideTold`). Each desk whose features are live folds them, so the journal alone rebuilds
them. Then the driver asks what is due and tells it as `BarsClosed`, slow to fast, then by instrument (ruling 23):

    for event in due(account.desks.values(), now_ns=..., since_ns=...):
        session.tell(event, now_ns)

A bar that was fetched later, because the process was away, is folded by features and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from evenkeel.engine.account.desk import Desk
from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.features.live import LiveFeatures
from evenkeel.features.live_sheet import RECENT
from evenkeel.model.errors import DataError
from evenkeel.model.event import BarsClosed, BarsSettled, BaseClosed, SideTold

LiveEvent: TypeAlias = BaseClosed | BarsSettled | SideTold


def hear(desks: Iterable[Desk], event: LiveEvent) -> Iterator[Finding]:
    """Let the live features of an instrument's desks take what a feed told; yield what they refused.

    A refused bar changes nothing: a running state is not moved by what came late (ruling 21).
    """
    for desk in desks:
        features = desk.core.features
        if desk.id.instrument != event.instrument or not isinstance(features, LiveFeatures):
            continue
        try:
            _take(features, event)
        except DataError as error:
            yield Finding(code=FindingCode.BAR_REFUSED, detail=f"{desk.id.instrument}: {error.message}")


def _take(features: LiveFeatures, event: LiveEvent) -> None:
    match event:
        case BaseClosed(bars=bars, segment=segment) if bars:
            if segment > features.segment:
                features.begin_anew(segment)
            features.extend(bars)
        case BarsSettled():
            features.settle(event.event_ns)
        case SideTold(name=name, value=value):
            features.tell(name, event.event_ns, math.nan if value is None else value)


def due(desks: Iterable[Desk], *, now_ns: int, since_ns: int) -> list[BarsClosed]:
    """Return the decisions that closed bars make due, in the order in which they are to be told.

    Args:
        desks: Of an account; those whose features are not live have none.
        now_ns: Stamp of the events.
        since_ns: Bars that closed before are too old to be decided on: their features are known, and that is all.
    """
    found = []
    for desk in desks:
        features = desk.core.features
        if not isinstance(features, LiveFeatures) or features.first is None:
            continue
        decided = desk.bar + 1 if desk.segment == features.segment else 0
        for bar in range(max(features.first, decided, features.bars - RECENT), features.bars):
            close_ns = features.at(features.segment, bar)[2]
            if close_ns >= since_ns:
                event = BarsClosed(
                    event_ns=close_ns, known_ns=now_ns, instrument=desk.id.instrument, segment=features.segment, bar=bar
                )
                found.append((close_ns, -features.program.exec.minutes, desk.id.instrument, event))
    return [event for _, _, _, event in sorted(found, key=lambda one: one[:3])]
