"""`SIGNAL_REPLAY` (31): the rules, read again, ask for every entry and every exit by signal, and for no other.

While flat each decision at which the rules ask for an entry must be that of a trade, or of an entry that a gate refused
or that died unfilled; while holding, the first decision that asks to leave must be carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.moment import instant_text, parse_instant
from evenkeel.readiness.audit.number import ZERO, floors
from evenkeel.readiness.audit.replay.play import ENTRIES, Play
from evenkeel.readiness.audit.replay.refusal import Gates
from evenkeel.readiness.audit.replay.resting import Limits
from evenkeel.readiness.audit.replay.said import Said, Stretch
from evenkeel.readiness.audit.replay.stages import Bools, Ints

EXAMINED_MAX = 5_000
"""So many entries without a trade are looked at one by one; more are compared with the count in the result."""

SHARED = ("playbook", "portfolio")
"""What the manifest of a run names whose entries depend on other runs too."""

GUARDED_STOPS = ("max_drawdown", "equity_stop", "liquidated", "playbook")
SIDES = {1: "long", -1: "short"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where positions lie among the decisions of the run.

    Attributes:
        decided: The decision of each entry; -1 where there was none at its instant.
        held: The first decision that knew the entry.
        free: The first decision that knew the last exit.
        entry_row: Base row of the entry.
        exit_row: Base row of the last exit.
    """

    decided: Ints
    held: Ints
    free: Ints
    entry_row: Ints
    exit_row: Ints


class Replay:
    """A run beside what its rules say.

    Args:
        run: Its files.
        bars: Its base bars.
        play: Its rules.
        parts: The stretches of its data.
        said: What the rules said.
        gates: Tells which entries are refused.
        first: The first decision of each stretch that may trade.
    """

    def __init__(
        self, run: Run, bars: BaseBars, play: Play, parts: list[Stretch], said: Said, gates: Gates, first: list[int]
    ) -> None:
        self._run, self._bars, self._play, self._said, self._gates = run, bars, play, said, gates
        self._limits = Limits(run.terms, bars)
        no_volume_matters = run.terms.impact.mode == "disabled"
        self._traded = None if no_volume_matters else np.flatnonzero(bars.column("volume") > 0)
        self._ends = np.array([part.row + part.rows for part in parts])
        self._warm = _warm(parts, first)
        self._bar_begins = _bar_begins(play, parts) if play.intrabar else np.zeros(0, dtype=np.int64)
        self._places = self._placed()
        self._signs = run.signs
        self.refused = self.died = self.unexplained = 0

    def _placed(self) -> Places:
        last, run = self._said.last, self._run
        entered = run.times_of_positions("entry_time", "entry_ns")
        known = self._bars.decision_rows(run.times_of_positions("decided_time", "decided_ns"), entered)
        decided = np.searchsorted(last, known)
        there = (decided < len(last)) & (np.append(last, -1)[decided] == known)
        late = (run.of_positions("exit_point", "exit_point", last=True) == "close").to_numpy()
        exits = self._bars.exit_rows(run.times_of_positions("exit_time", "exit_ns", last=True), late)
        entry, exit_row = (np.where(rows < 0, len(self._bars), rows) for rows in (self._bars.rows_at(entered), exits))
        free = np.searchsorted(last, exit_row + late)
        if self._play.intrabar:
            free = np.maximum(free, self._next_bar(decided))
        return Places(np.where(there, decided, -1), np.searchsorted(last, entry), free, entry, exit_row)

    def _next_bar(self, decided: Ints) -> Ints:
        """Return the first decision whose entry would belong to another execution bar than that of an earlier one."""
        first_fill = self._said.last[np.minimum(decided, len(self._said.last) - 1)] + 1 + self._run.terms.delay
        bar = np.searchsorted(self._bar_begins, first_fill, side="right")
        return np.searchsorted(self._said.last + 1, np.append(self._bar_begins, 2**62)[bar])

    def problems(self) -> Iterator[str]:
        """Yield what the run decided otherwise than its rules."""
        yield from self._entries()
        for wanted in self._uncalled():
            yield f"at {instant_text(int(self._said.close_ns[wanted]))} the rules ask for an entry, and none followed"
        yield from self._exits()

    def _entries(self) -> Iterator[str]:
        places, since = self._places, np.append(0, self._places.free[:-1]) if len(self._places.free) else np.zeros(0)
        at = np.maximum(places.decided, 0)
        allowed, named = (np.zeros(len(at), dtype=np.bool_) for _ in range(2))
        for side in SIDES:
            own = self._signs == side
            allowed[own] = self._said.entry(self._play, side).may[at[own]]
            named[own] = self._named(side, at[own], own)
        allowed &= self._warm[at] & (places.decided >= 0)
        early = (places.decided >= 0) & (places.decided < since)
        for place in np.flatnonzero(~allowed | ~named | early).tolist():
            yield from self._wrong_entry(place, allowed=bool(allowed[place]), early=bool(early[place]))

    def _named(self, side: int, at: Ints, own: Bools) -> Bools:
        """Return which entries of a side name a rule that may have been the first to ask for them."""
        reasons = self._run.of_positions("entry_reason", "entry_reason").filter(pl.Series(own))
        found, open_ = np.zeros(len(at), dtype=np.bool_), np.ones(len(at), dtype=np.bool_)
        for wish, voice in zip(self._play.wishes, self._said.voices, strict=True):
            if ENTRIES.get(wish.action) == side:
                found |= open_ & voice.may[at] & (reasons == wish.name).to_numpy()
                open_ &= ~voice.must[at]
        return found

    def _wrong_entry(self, place: int, *, allowed: bool, early: bool) -> Iterator[str]:
        entry, decided = self._run.positions[place].entry, int(self._places.decided[place])
        label, when = f"trade {entry.number}", instant_text(entry.decided_ns)
        if early:
            yield f"{label}: it was decided at {when}, before another entry could be, after the trade before"
        if not allowed:
            yield f"{label}: at {when} the rules do not ask for a {SIDES[entry.sign]} entry"
            return
        names = [self._play.wishes[k].name for k in self._said.first(self._play, entry.sign, decided, holding=False)]
        if entry.entry_reason not in names:
            yield f"{label}: its entry is by {entry.entry_reason!r}, the rules give {names[0]!r}"

    def _uncalled(self) -> list[int]:
        """Return the decisions at which an entry was asked for that neither filled, nor died, nor was refused."""
        asked, long = self._asked()
        wanted = np.flatnonzero(asked)
        examined = wanted[:EXAMINED_MAX]
        sides = np.where(long[examined], 1, -1).tolist()
        found: list[int] = []
        free = 0
        for decision, side in zip(examined.tolist(), sides, strict=True):
            if decision < free:
                continue
            if self._refused(decision, side):
                self.refused += 1
                continue
            free = self._outlived(decision, side)
            if free < 0:
                found.append(decision)
                free = 0
        if len(wanted) > EXAMINED_MAX:
            self.unexplained += len(wanted) - EXAMINED_MAX
        return self._beyond_the_play(found)

    def _asked(self) -> tuple[Bools, Bools]:
        """Return where a flat account had to place an entry, and where it was to buy."""
        said, places = self._said, self._places
        long, short = (said.entry(self._play, side).must for side in (1, -1))
        asked: Bools = (long | short) & self._warm
        count = len(asked)
        moves = np.bincount(np.maximum(places.decided, 0), minlength=count + 1) - np.bincount(
            places.free, minlength=count + 1
        )
        turns = np.flatnonzero(moves)
        held = np.cumsum(moves[turns])
        until = np.append(turns, count)[1:]
        for begin, end, busy in zip(turns.tolist(), until.tolist(), (held > 0).tolist(), strict=True):
            if busy:
                asked[begin:end] = False
        begins = np.searchsorted(said.last, np.append(0, self._ends[:-1]))
        dead = np.searchsorted(said.last, self._ends - 1 - self._run.terms.delay)
        ends = np.append(begins[1:], count)
        for begin, first, end in zip(begins.tolist(), dead.tolist(), ends.tolist(), strict=True):
            asked[max(begin, first) : end] = False  # nothing fills behind the last bar of a stretch
        asked[self._stopped() :] = False
        return asked, long

    def _stopped(self) -> int:
        """Return the first decision that did not come certainly before the run stopped."""
        run, said = self._run, self._said
        if run.result.text("stop_reason") not in GUARDED_STOPS:
            return len(said.last)
        last_exit = int(self._places.exit_row[-1]) if len(self._places.exit_row) else len(self._bars)
        found = int(np.searchsorted(said.last, last_exit - 1 - run.terms.delay))
        if run.result.has("stop_time"):
            stop_ns = parse_instant(run.result.text("stop_time"), "result.json: stop_time")
            found = min(found, int(np.searchsorted(said.close_ns, stop_ns)))
        return found

    def _refused(self, decision: int, side: int) -> bool:
        share = self._run.share_at(int(self._said.close_ns[decision]))
        if share is not None and share <= 0:
            return True
        return self._gates.refuse(decision, side, self._equity(decision) if share is None else share)

    def _equity(self, decision: int) -> Decimal:
        """Return what the account had at a decision without a position."""
        return self._run.equity_before(int(np.searchsorted(self._places.free, decision, side="right")))

    def _outlived(self, decision: int, side: int) -> int:
        """Return the first decision after the order of this one had died, or -1 if it had to fill."""
        row = int(self._said.last[decision])
        end = int(self._ends[np.searchsorted(self._ends, row, side="right")])
        if not self._run.terms.entry_is_limit:
            return -1
        fate = self._limits.fate(row, side, end)
        if fate.filled:
            return -1
        self.died += 1
        free = np.searchsorted(self._said.last, fate.row)
        if self._play.intrabar:
            free = max(free, self._next_bar(np.array([decision]))[0])
        return int(free)

    def _beyond_the_play(self, found: list[int]) -> list[int]:
        """Return what remains of entries without a trade: where others refused some, they are only counted.

        What else is held in a playbook, or on the account that several instruments share, is not known here, and the
        engine counts a signal that goes on once, not at each decision.
        """
        if not any(self._run.manifest.has(key) for key in SHARED):
            return found
        if not self._recorded_refusals():
            return found
        self.unexplained += len(found)
        return []

    def _recorded_refusals(self) -> int:
        key = "metrics_extra.refusals"
        refusals = (self._run.result.section(key) if self._run.result.has(key) else None) or {}
        dead = "metrics_extra.dead_entries"
        counted = sum(int(str(count)) for count in refusals.values())
        return counted + (int(self._run.result.number(dead)) if self._run.result.has(dead) else 0)

    def _exits(self) -> Iterator[str]:
        plain = np.zeros(len(self._signs), dtype=np.bool_)
        for side in SIDES:
            own = np.flatnonzero(self._signs == side)
            plain[own] = self._plainly_left(own, side)
        for number in np.flatnonzero(~plain).tolist():
            yield from self._followed(number)

    def _plainly_left(self, numbers: Ints, side: int) -> Bools:
        """Return which positions of a side left whole and plainly: at the open after the first wish, or without one."""
        if not all(wish.share == 1 for wish in self._play.wishes):
            return np.zeros(len(numbers), dtype=np.bool_)
        run, places, last = self._run, self._places, self._said.last
        decisions = np.append(np.flatnonzero(self._said.leave(self._play, side).must), len(last))
        first = decisions[np.searchsorted(decisions, places.held[numbers])]
        rows = np.append(last, 2**62)[first]
        begins = np.append(run.positions.begins, len(run.trades))
        single = (np.diff(begins) == 1)[numbers]
        signal = (run.of_positions("exit_reason", "exit_reason") == "signal").to_numpy()[numbers]
        opened = (run.of_positions("exit_point", "exit_point") == "open").to_numpy()[numbers]
        promptly = (rows + 1 + run.terms.delay == places.exit_row[numbers]) & opened
        found: Bools = single & np.where(signal, promptly, promptly | (rows >= places.exit_row[numbers]))
        return found

    def _followed(self, number: int) -> Iterator[str]:
        """Follow the legs of one position."""
        position, since = self._run.positions[number], int(self._places.held[number])
        rows = [_or_end(self._bars.exit_row(leg.exit_ns, leg.exit_point), self._bars) for leg in position.legs]
        held = ordered = position.quantity
        for place, (leg, row) in enumerate(zip(position.legs, rows, strict=True)):
            if place == 0 or row != rows[place - 1]:
                ordered = held  # a signal is sized before the bar in which it fills
            wish = self._next_wish(position.sign, since, row, ordered)
            due = None if wish is None else self._carried_out(wish)
            if leg.exit_reason == "signal":
                decision = self._decision_of(since, row, leg)
                if decision is None:
                    yield f"{leg.label}: before {instant_text(leg.exit_ns)} the rules do not ask to leave"
                elif wish is not None and wish < decision:
                    yield self._late(leg, wish)
                else:
                    yield from self._wrong_part(leg, decision, ordered, held)
                since = int(np.searchsorted(self._said.last, row))
            elif wish is not None and due is not None and (due < row or (due == row and leg.exit_point == "inside")):
                yield self._late(leg, wish)
            held -= leg.quantity

    def _late(self, leg: Trade, wish: int) -> str:
        return (
            f"{leg.label}: at {instant_text(int(self._said.close_ns[wish]))} the rules asked to leave, and nobody did"
        )

    def _carried_out(self, decision: int) -> int:
        """Return the base row at whose open a decision to leave is carried out."""
        row = int(self._said.last[decision]) + 1 + self._run.terms.delay
        if self._traded is None:
            return row
        place = int(np.searchsorted(self._traded, row))
        return int(self._traded[place]) if place < len(self._traded) else len(self._bars)

    def _next_wish(self, side: int, since: int, row: int, quantity: Decimal) -> int | None:
        """Return the first decision before a row that must leave with at least a lot."""
        must, last = self._said.leave(self._play, side).must, self._said.last
        until = int(np.searchsorted(last, row))
        wishes = (since + np.flatnonzero(must[since:until])).tolist()
        return next((wish for wish in wishes if self._parts_of(side, wish, quantity) != {ZERO}), None)

    def _decision_of(self, since: int, row: int, leg: Trade) -> int | None:
        """Return the decision that the exit of a leg in a base row carries out."""
        may, at_close = self._said.leave(self._play, leg.sign).may, leg.exit_point == "close"
        decision = int(np.searchsorted(self._said.last, row + at_close)) - 1
        while decision >= since:
            due = self._carried_out(decision)
            if not (due > row if at_close else due == row):
                return None
            if may[decision]:
                return decision
            decision -= 1
        return None

    def _parts_of(self, side: int, decision: int, quantity: Decimal) -> set[Decimal]:
        firsts = self._said.first(self._play, side, decision, holding=True)
        shares = {self._play.wishes[number].share for number in firsts}
        return {part for share in shares for part in floors(quantity * share, self._run.terms.lot)}

    def _wrong_part(self, leg: Trade, decision: int, ordered: Decimal, held: Decimal) -> Iterator[str]:
        parts = {min(part, held) for part in self._parts_of(leg.sign, decision, ordered)}
        if leg.quantity not in parts:
            yield f"{leg.label}: it closes {leg.quantity} of {ordered}, the rule that was true closes {min(parts)}"


def _or_end(row: int | None, bars: BaseBars) -> int:
    return len(bars) if row is None else row


def _bar_begins(play: Play, parts: list[Stretch]) -> Ints:
    """Return the base row at which each execution bar begins."""
    found = [(part.market.intervals(play.execution), part.row) for part in parts]
    return np.concatenate([one.first + row for one, row in found if one is not None])


def _warm(parts: list[Stretch], first: list[int]) -> Bools:
    """Return which decisions may trade: those from the first one of their stretch on that was warmed up."""
    return np.concatenate([np.arange(len(part)) >= start for part, start in zip(parts, first, strict=True)])
