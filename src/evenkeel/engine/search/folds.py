"""The folds of a walk forward: fit on what lies behind, look away for a while, test on what comes next.

    train            purge  embargo  test
    |----------------|------|-------|--------|
                                     train slides on, or grows from the start when anchored

Purge and embargo both lie between the end of a fit and the start of its test. The purge keeps out what was still open
when the fit ended, the embargo what markets remember of it; together they are time that no fold is fitted or tested on
from that side. Indicators may read through them to warm up: the past is known. No trade may.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import DAY, HOUR, MINUTE, format_time

FOLDS_MAX = 1_000
_UNITS = {"min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time, or of execution bars.

    Attributes:
        count: Bars, or nanoseconds.
        bars: Which of them.
        text: As written.
    """

    count: int
    bars: bool
    text: str


def read_length(text: str, option: str, *, least: int = 0) -> Length:
    """Return a length as written: `90d`, `12w`, `2y`, `36h`, `30min` or `500bars`.

    Args:
        text: As written.
        option: Where, for the message.
        least: 1 if it must not be nothing.

    Raises:
        UsageError: If it is none of these.
    """
    found = _WRITTEN.fullmatch(text.strip().lower()) if text.strip() != "0" else _WRITTEN.fullmatch("0d")
    unit = "" if found is None else found.group(2)
    bars = unit in ("bar", "bars")
    if found is None or (not bars and unit not in _UNITS) or (bars and "." in found.group(1)):
        raise UsageError(f"{option} is '{text}'; write a length such as 90d, 12w, 2y, 36h, 30min or 500bars")
    count = int(found.group(1)) if bars else round(float(found.group(1)) * _UNITS[unit])
    if count < least:
        raise UsageError(f"{option} is '{text}'; it must be longer than nothing")
    return Length(count, bars, text)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the history is divided.

    Attributes:
        train: Length of a fit; the first one, when anchored.
        test: Length of a test.
        purge: Left out behind a fit.
        embargo: Left out behind that.
        anchored: Whether every fit begins where the history does.
    """

    train: Length
    test: Length
    purge: Length
    embargo: Length
    anchored: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """One fit and its test; both half-open, nanoseconds UTC.

    Attributes:
        number: From 1.
        train: Where parameters are chosen.
        test: Where they are tested.
    """

    number: int
    train: tuple[int, int]
    test: tuple[int, int]


def folds(opens: Ints, window: tuple[int, int], scheme: Scheme) -> list[Fold]:
    """Return the folds of a window; what is left at its end and is shorter than a test is in none.

    Args:
        opens: When each execution bar opened, rising.
        window: First instant and first instant behind.
        scheme: How it is divided.

    Raises:
        UsageError: If there is room for fewer than two, or for too many.
    """
    found = []
    for fold in _folds(_Line(opens[(opens >= window[0]) & (opens < window[1])], window), scheme):
        found.append(fold)
        if len(found) > FOLDS_MAX:
            raise UsageError(f"there would be more than {FOLDS_MAX:,} folds; give a longer --test")
    if len(found) < 2:
        gap = f" with --purge {scheme.purge.text} and --embargo {scheme.embargo.text}"
        raise UsageError(
            f"{format_time(window[0])} to {format_time(window[1])} has room for {len(found)} folds of --train "
            f"{scheme.train.text} and --test {scheme.test.text}{gap}; two are the least: make them shorter, or take "
            "more history"
        )
    return found


def _folds(line: _Line, scheme: Scheme) -> Iterator[Fold]:
    begin: int | None = line.start
    for length in (scheme.train, scheme.purge, scheme.embargo):
        begin = line.after(begin, length)
    number = 1
    while begin is not None and (end := line.after(begin, scheme.test)) is not None:
        stop = line.before(line.before(begin, scheme.embargo), scheme.purge)
        first = line.start if scheme.anchored else line.before(stop, scheme.train)
        yield Fold(number, (first, stop), (begin, end))
        begin, number = end, number + 1


class _Line:
    """Time along which lengths are laid."""

    def __init__(self, opens: Ints, window: tuple[int, int]) -> None:
        self.start, self._end = window
        self._opens = opens

    def after(self, instant: int | None, length: Length) -> int | None:
        """Return the instant so far on; None behind the end."""
        if instant is None:
            return None
        if not length.bars:
            later = instant + length.count
            return later if later <= self._end else None
        place = int(np.searchsorted(self._opens, instant)) + length.count
        if place >= len(self._opens):
            return self._end if place == len(self._opens) else None
        return int(self._opens[place]) if length.count else instant

    def before(self, instant: int, length: Length) -> int:
        """Return the instant so far back, not before the start."""
        if not length.bars:
            return max(self.start, instant - length.count)
        if length.count == 0:
            return instant
        place = int(np.searchsorted(self._opens, instant)) - length.count
        return int(self._opens[place]) if place > 0 else self.start
