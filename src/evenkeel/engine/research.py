"""The research lane: the venue's loop run through, the strategy's decide kernel inside, no journal.

It takes strategies whose decision is a kernel. The same steps, the same numbers, the same records as the engine lane.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import (
    EXIT_NUMBERS,
    DeadEntry,
    Fill,
    RunRecord,
    death_reason,
    fill_event,
    is_death,
)
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.event import OrderFilled
from evenkeel.model.ids import Leg
from evenkeel.model.reason import REASONS, ExitReason, Reason, StopReason
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Book, Exit, Pause, Report
from evenkeel.venues.simulated.venue import SimulatedVenue, Told

Progress = Callable[[float], None]
"""Called with the number of base bars just passed."""

END_REASONS = {Reason.DATA_GAP: ExitReason.DATA_GAP, Reason.END_OF_DATA: ExitReason.END_OF_DATA}
_STOPS = {Exit.MAX_DRAWDOWN: StopReason.MAX_DRAWDOWN, Exit.EQUITY_STOP: StopReason.EQUITY_STOP}


def run_research(
    strategy: Strategy,
    market: Market,
    *,
    progress: Progress | None = None,
    timer: Callable[[], float] | None = None,
) -> RunRecord:
    """Run a strategy over a market in one compiled loop.

    Args:
        strategy: What decides; it must have a kernel.
        market: What it runs on.
        progress: Told of base bars passed.
        timer: Seconds on a monotonic clock.

    Raises:
        UsageError: If the strategy has no kernel.
    """
    if strategy.kernel is None:
        raise UsageError(f"{strategy.name} decides in Python and runs in the engine lane only; use --lane engine")
    venue = SimulatedVenue(
        strategy.terms, strategy.instrument, wake_flat=strategy.wake_flat, wake_hold=strategy.wake_hold,
        decide=strategy.kernel, timer=timer,
    )  # fmt: skip
    record = RunRecord("research")
    signals: list[tuple[int, int, int]] = []
    curve = EquityCurve()
    for stretch in market.stretches:
        features = FeatureRun(strategy.program, stretch.series)
        venue.open_stretch(features, stretch.series, first_exec=stretch.first_exec)
        while venue.advance() is Pause.FULL:
            _collect(venue, stretch, strategy, record, signals)
        _collect(venue, stretch, strategy, record, signals)
        curve.take(venue, stretch, features)
        end_stretch(venue, stretch, record)
        _collect(venue, stretch, strategy, record, signals)
        if progress is not None:
            progress(len(stretch.series.base))
        if venue.book[Book.STOPPED] != 0:
            break
    curve.finish(venue, record)
    if strategy.takes_notes:
        record.fills = with_notes(record.fills, signals, strategy, market)
    record.refusals = {REASONS[n].value: int(count) for n, count in enumerate(venue.refusals) if count}
    return record


def end_stretch(venue: SimulatedVenue, stretch: Stretch, record: RunRecord) -> None:
    """Withdraw a pending entry and close the position at the last close: nothing is carried over an end."""
    execution = stretch.series.on(stretch.exec).bars
    if venue.book[Book.ENTRY_KIND] != 0:
        record.dead_entries.append(
            DeadEntry(
                event_ns=int(stretch.series.base.close_ns[-1]),
                reason=stretch.end,
                decided_ns=int(execution.close_ns[venue.book[Book.ENTRY_EXEC]]),
            )
        )
        venue.drop_entry()
    if venue.book[Book.LOTS] != 0:
        venue.close_out(EXIT_NUMBERS[END_REASONS[stretch.end]])


def _collect(
    venue: SimulatedVenue, stretch: Stretch, strategy: Strategy, record: RunRecord, signals: list[tuple[int, int, int]]
) -> None:
    """Take the venue's reports into the record, and note stretch, bar and rule of each decision behind a fill."""
    base, lot = stretch.series.base, strategy.instrument.lot_grid
    closes = stretch.series.on(strategy.program.exec).bars.close_ns
    for told in venue.reports():
        if is_death(told):
            decided = int(closes[told.ints[Report.EXEC]])
            record.dead_entries.append(
                DeadEntry(event_ns=death_stamp(told, stretch), reason=death_reason(told), decided_ns=decided)
            )
            continue
        event = fill_event(told, bars=base, lot=lot, known_ns=0, client_id=None)
        record.fills.append(describe(event, told, closes, strategy))
        signals.append((stretch.number, told.ints[Report.EXEC], told.ints[Report.SIGNAL]))


def with_notes(
    fills: list[Fill], signals: list[tuple[int, int, int]], strategy: Strategy, market: Market
) -> list[Fill]:
    """Return the fills with what the strategy wants kept, read from its features at the bars of the decisions.

    The compiled loop keeps no values, so the features are passed once more; only strategies that take notes pay for it.
    """
    noted = list(fills)
    for stretch in market.stretches:
        features = FeatureRun(strategy.program, stretch.series)
        for place, (number, bar, signal) in enumerate(signals):
            if number != stretch.number or fills[place].event.leg is not Leg.ENTRY:
                continue
            while bar >= features.stop and features.advance():
                pass
            notes = strategy.notes(signal, features.x, features.column + bar)
            noted[place] = msgspec.structs.replace(fills[place], notes=notes)
    return noted


def describe(event: OrderFilled, told: Told, closes: Ints, strategy: Strategy) -> Fill:
    """Return a fill with the rule that led to it, from the numbers in the venue's report.

    Only what a rule decided names a bar of this stretch in EXEC; elsewhere the column may be of an earlier stretch.
    """
    by_rule = event.leg is Leg.ENTRY or event.exit_reason is ExitReason.SIGNAL
    decided = int(closes[told.ints[Report.EXEC]]) if by_rule else None
    words = strategy.signal_text(told.ints[Report.SIGNAL]) if by_rule else str(event.exit_reason)
    return Fill(event=event, trade=told.ints[Report.TRADE], decided_ns=decided, reason=words)


def death_stamp(told: Told, stretch: Stretch) -> int:
    """Return when an entry died: at the open that refused it, or at the close at which its life ended."""
    row = told.ints[Report.ROW]
    base = stretch.series.base
    return int(base.close_ns[row] if death_reason(told) is Reason.EXPIRED else base.open_ns[row])


class EquityCurve:
    """Collects the account at each execution bar over all stretches."""

    def __init__(self) -> None:
        self._times: list[Ints] = []
        self._lines: list[Ints] = []
        self._last_ns = 0

    def take(self, venue: SimulatedVenue, stretch: Stretch, features: FeatureRun) -> None:
        """Take the points of a stretch, from its first decision to where the venue stands."""
        stop = int(venue.book[Book.EXEC])
        self._times.append(features.bars.bars.close_ns[stretch.first_exec : stop])
        self._lines.append(venue.curve[:, stretch.first_exec : stop])
        row = min(int(venue.book[Book.ROW]), len(stretch.series.base)) - 1
        self._last_ns = int(stretch.series.base.close_ns[row])

    def finish(self, venue: SimulatedVenue, record: RunRecord) -> None:
        """Add the point after the last exit and write the end of the run into the record."""
        cash = int(venue.book[Book.CASH])
        if len(self._times[-1]) and self._times[-1][-1] == self._last_ns:
            self._times[-1], self._lines[-1] = self._times[-1][:-1], self._lines[-1][:, :-1]
        record.times_ns = np.concatenate([*self._times, np.array([self._last_ns], dtype=np.int64)])
        record.curve = np.concatenate([*self._lines, np.array([[cash], [cash], [0]], dtype=np.int64)], axis=1)
        record.stop_reason = _STOPS.get(Exit(int(venue.book[Book.STOPPED])), StopReason.END_OF_DATA)
        record.stop_ns = self._last_ns
        record.drawdown_intrabar = venue.drawdown
        record.features_s = venue.features_s
