"""What several instruments on one account share: sizes from its equity and free margin, and its limits.

A decision sees the equity of the account at its instant, and what no position or order of another instrument keeps
(decision 0010, 4). Margin of positions follows from their files. What orders at work keep is known of those that
filled; where limits may have rested and died, a size is judged by the most it may have been only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Position, Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars, Columns
from evenkeel.readiness.audit.broker import with_leverage
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.marks import LIMIT_TOLERANCE, LIQUIDATED, OF_NO_LIMIT, STOPS
from evenkeel.readiness.audit.moment import instant_text, parse_instant
from evenkeel.readiness.audit.number import HUNDRED, ONE, ZERO
from evenkeel.readiness.audit.size import size_problems
from evenkeel.readiness.audit.span import Span

SIZES, LIMITS = "PORTFOLIO_SIZE", "PORTFOLIO_STOP"
AT_WORK = ONE + Decimal("0.05")
"""An order keeps its margin and fees at its decision's price, which its fill is not far from."""


class Tables(NamedTuple):
    """The bars of an instrument: those of its base, and by name those of its other timeframes."""

    base: Columns
    higher: Mapping[str, Columns]


class Account:
    """The account at the instants of its points.

    Args:
        runs: The run of each instrument.
        equity: Its points, `time_ns, equity`.
    """

    def __init__(self, runs: Mapping[str, Run], equity: pl.DataFrame) -> None:
        self._runs = runs
        self._times = equity["time_ns"].to_numpy()
        self._equity = equity["equity"]
        self._rests = {name: run.terms.entry_is_limit or run.terms.delay > 0 for name, run in runs.items()}

    def at(self, instant_ns: int) -> Decimal | None:
        """Return the equity at an instant; None where the account has no point there."""
        place = int(np.searchsorted(self._times, instant_ns))
        if place == len(self._times) or self._times[place] != instant_ns:
            return None
        return Decimal(str(self._equity[place]))

    def free(self, name: str, instant_ns: int, equity: Decimal) -> Span:
        """Return what an instrument may have had to use at an instant."""
        most = least = equity
        for other, run in self._runs.items():
            if other == name:
                continue
            for position in run.positions:
                used = _used(run, position, instant_ns)
                entry = position.entry
                if entry.entry_ns < instant_ns:
                    most, least = most - used, least - used
                elif entry.decided_ns <= instant_ns:
                    least -= used * AT_WORK
            if self._rests[other]:
                least = ZERO
        return Span(max(ZERO, least), max(ZERO, most))


def _used(run: Run, position: Position, instant_ns: int) -> Decimal:
    """Return the margin of what was not left yet."""
    held = sum((leg.quantity for leg in position.legs if leg.exit_ns >= instant_ns), ZERO)
    price = position.entry.entry_price
    leverage = with_leverage(run.terms, run.manifest, run.terms.start_equity, price).leverage
    return held * price * run.terms.multiplier / leverage


def shared_sizes(runs: Mapping[str, Run], equity: pl.DataFrame, tables: Mapping[str, Tables] | None) -> Check:
    """Check each quantity against the equity and the free margin of the account at its decision."""
    if tables is None:
        return skipped(SIZES, NO_BARS)
    if not all(run.terms.is_play for run in runs.values()):
        return skipped(SIZES, "the strategy sizes its orders itself")
    account, problems, count, left_out = Account(runs, equity), list[str](), 0, 0
    for name, run in runs.items():
        base, higher = tables[name]
        bars = BaseBars(base, higher.get(run.terms.execution_timeframe, base))
        known = Knowledge(run.terms, bars, higher)
        for position in run.positions:
            decided = position.entry.decided_ns
            total, price = account.at(decided), known.price(position.entry)
            if total is None or price is None or run.split:
                left_out += 1
                continue
            terms = with_leverage(run.terms, run.manifest, total, price)
            money = total, account.free(name, decided, total)
            found = size_problems(terms, position, bars, known, money)
            problems += [f"{name}: {problem}" for problem in found]
            count += 1
    rest = f"; {left_out} were decided where the account has no point, or split" if left_out else ""
    return judged(SIZES, problems, f"{count} quantities from the account's equity and free margin{rest}")


def shared_limits(result: Document, runs: Mapping[str, Run], equity: pl.DataFrame) -> Check:
    """Check that the account ended for the reason given: limits as its points and its deepest fall show them."""
    return judged(
        LIMITS, _limit_problems(result, runs, equity), f"{result.text('stop_reason')}; {equity.height} points"
    )


def _limit_problems(result: Document, runs: Mapping[str, Run], equity: pl.DataFrame) -> Iterator[str]:
    recorded = result.text("stop_reason")
    terms = next(iter(runs.values())).terms
    marks = equity["equity"].cast(pl.Float64).to_numpy()
    peaks = np.maximum(np.maximum.accumulate(marks), float(terms.start_equity)) if len(marks) else marks
    stop = float(terms.stop_equity)
    reached = {
        STOPS[0]: (peaks - marks) / peaks >= float(terms.drawdown_max) + LIMIT_TOLERANCE,
        STOPS[1]: marks <= stop - LIMIT_TOLERANCE * max(1.0, abs(stop)),
    }
    if recorded in OF_NO_LIMIT:
        for reason, flags in reached.items():
            for place in np.flatnonzero(flags[:-1])[:1].tolist():
                at = instant_text(int(equity["time_ns"][place]))
                yield f"the point at {at} reached the limit {reason}, but the account went on"
    elif recorded in STOPS:
        yield from _stopped(result, runs, recorded)
    elif recorded != LIQUIDATED:
        yield f"{recorded!r} is no reason for the end of a run"


def _stopped(result: Document, runs: Mapping[str, Run], reason: str) -> Iterator[str]:
    """Report a limit that was never reached, and what was entered after it."""
    terms = next(iter(runs.values())).terms
    deepest = result.optional_number("metrics.max_drawdown_intrabar_pct")
    if reason == STOPS[0] and deepest is not None and deepest < terms.drawdown_max * HUNDRED * (1 - Decimal("1e-9")):
        yield f"the account ended by {reason}, its deepest fall was {deepest} percent"
    if not result.has("stop_time"):
        return
    stop_ns = parse_instant(result.text("stop_time"), "result.json: stop_time")
    for name, run in runs.items():
        for position in run.positions:
            if position.entry.decided_ns > stop_ns:
                yield f"{name}: trade {position.number} was decided after the account had ended by {reason}"
