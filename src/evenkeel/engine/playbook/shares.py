"""Who may use how much, and when that changed: the regimes or the turns of a running playbook."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.engine.playbook.regimes import Sightings
from evenkeel.strategies.playbook.playbook import Playbook
from evenkeel.strategies.playbook.regime import RegimeState, first_state, observed
from evenkeel.strategies.playbook.shares import next_turn, shares, taken_over, turn_shares


class Change(msgspec.Struct, frozen=True):
    """A moment at which the regime, the turn or the shares changed.

    Attributes:
        time_ns: When it was known; the first is the start of the run.
        regime: Number of the confirmed regime, or of the play whose turn it is.
        probabilities: Of each regime; one of 1 without regimes.
        shares: Of each play, account currency.
    """

    time_ns: int
    regime: int
    probabilities: tuple[float, ...]
    shares: tuple[Decimal, ...]


class Allotment:
    """The shares of a running playbook.

    Attributes:
        changes: Every change so far, the start included.
    """

    def __init__(self, playbook: Playbook, sightings: Sightings, start_ns: int) -> None:
        self._playbook, self._sightings = playbook, sightings
        self._next = 0
        self._turn = 0
        self._weights = [member.weights for member in playbook.members]
        default = len(playbook.regimes) - 1
        if playbook.detector is not None:
            default = playbook.regimes.index(playbook.detector.default)
        self._state: RegimeState = first_state(regimes=len(playbook.regimes), default=default)
        self.changes = [Change(start_ns, self._number, self._state.probabilities, self._worked_out())]

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """Of each play, now."""
        return self.changes[-1].shares

    @property
    def _number(self) -> int:
        return self._turn if self._playbook.mode == "sequential" else self._state.confirmed

    def look_on(self, time_ns: int) -> None:
        """Take in what the detector has seen up to an instant."""
        playbook, seen = self._playbook, self._sightings
        while self._next < len(seen.times_ns) and seen.times_ns[self._next] <= time_ns:
            self._state = observed(
                self._state, int(seen.regimes[self._next]), hysteresis_bars=playbook.hysteresis_bars,
                blend_bars=playbook.blend_bars,
            )  # fmt: skip
            self._note(int(seen.times_ns[self._next]))
            self._next += 1

    def trade_closed(self, play: int, time_ns: int) -> None:
        """Let the turn pass on, in a playbook whose plays take turns."""
        if self._playbook.mode == "sequential" and play == self._turn:
            self._turn = next_turn(self._turn, len(self._weights))
            self._note(time_ns)

    def _note(self, time_ns: int) -> None:
        last = self.changes[-1]
        found = taken_over(last.shares, self._worked_out(), self._playbook.capital)
        if found != last.shares or self._number != last.regime:
            self.changes.append(Change(time_ns, self._number, self._state.probabilities, found))

    def _worked_out(self) -> tuple[Decimal, ...]:
        playbook = self._playbook
        if playbook.mode == "sequential":
            return turn_shares(playbook.capital, self._turn, len(self._weights))
        return shares(playbook.capital, self._state.probabilities, self._weights)
