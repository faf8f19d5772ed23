"""How fast an account trades, and what its gates held back: folded from verdicts and commands, so a restart knows it.

What reduces and is refused stays needed: it is asked for again when its pause is over, which doubles from one second
to half a minute, and each time a person is told. So it neither spins nor vanishes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from evenkeel.model.command import LookUpOrder, VenueCommand
from evenkeel.model.event import Event, SessionBegan
from evenkeel.model.halt import HaltCode
from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.market_told import InstrumentTold, KeyTold, LeaseTold
from evenkeel.model.reason import Reason
from evenkeel.model.time import HOUR, SECOND
from evenkeel.model.told import BypassStopped, FaultEscaped, SessionOpened
from evenkeel.risk.gates.facts.engine import NEVER
from evenkeel.risk.gates.facts.strategy import Recent
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.rates import RateBook, asked, is_runaway, queried, sent
from evenkeel.risk.limits.size import Pace

FIRST_PAUSE, LONGEST_PAUSE = SECOND, 30 * SECOND
FORGOTTEN = 2 * LONGEST_PAUSE
"""What was not asked for again for so long after its pause is not needed any more."""
RECENT_MAX = 20
_KEY = frozenset({Reason.MODE_MISMATCH, Reason.LIVE_NOT_ARMED})
_LEASE = frozenset({Reason.LEASE_LOST})
_INSTRUMENT = frozenset({Reason.UNKNOWN_INSTRUMENT, Reason.NOT_TRADABLE, Reason.OFF_GRID, Reason.BELOW_MIN_SIZE})


class HeldBack(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that reduces and was refused.

    Attributes:
        reason: Why.
        tries: How often in a row.
        next_ns: When it is asked for again, if it is still needed.
    """

    reason: Reason
    tries: int
    next_ns: int


class Entered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The entries of a strategy in an instrument.

    Attributes:
        sent_ns: When the last one was sent.
        signal_ns: Close of the bar of its signal.
        recent: The last ones.
    """

    sent_ns: int
    signal_ns: int | None
    recent: tuple[Recent, ...]


class PaceState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How fast an account trades.

    Attributes:
        rates: Buckets of orders and of requests to the gateway.
        entry_ns: When the last entry was sent; NEVER before the first.
        hour: Number of the clock hour in which that was.
        hour_entries: Entries of that hour.
        entered: Entries by instrument and strategy.
        kinds: Asset classes entered since the session of the exchange began.
        held_back: What reduces and was refused, by what was asked for.
        panic: Why the process panicked, None where it did not; only a new process clears it.
    """

    rates: RateBook = RateBook()
    entry_ns: int = NEVER
    hour: int = 0
    hour_entries: int = 0
    entered: dict[str, Entered] = {}
    kinds: frozenset[InstrumentKind] = frozenset()
    held_back: dict[str, HeldBack] = {}
    panic: HaltCode | None = None


class Pacer:
    """Keeps the pace of an account.

    Attributes:
        state: Changed by folding only.
    """

    def __init__(self, pace: Pace) -> None:
        self.state, self._pace = PaceState(), pace

    def saved(self) -> PaceState:
        """Return everything that the next decision depends on."""
        return self.state

    def restore(self, saved: bytes) -> None:
        """Take up what was saved."""
        self.state = msgspec.msgpack.decode(saved, type=PaceState)

    def fold(self, event: Event) -> None:
        """Fold a fact: a new process has not panicked, a session begins without asset classes."""
        match event:
            case SessionBegan():
                self._change(panic=None)
            case SessionOpened():
                self._change(kinds=frozenset())
            case FaultEscaped():
                self._panic(HaltCode.UNHANDLED)
            case BypassStopped():
                self._panic(HaltCode.GATEWAY_BYPASS)
            case KeyTold():
                self._ask_again(_KEY, event.known_ns)
            case LeaseTold() if event.for_ns:
                self._ask_again(_LEASE, event.known_ns)
            case InstrumentTold() if event.tradable:
                self._ask_again(_INSTRUMENT, event.known_ns)
            case _:
                pass

    def judged(self, entry: Judged, kind: InstrumentKind | None, now_ns: int) -> None:
        """Fold what the gates answered; an entry that they approve is sent within the same step.

        Args:
            entry: The answer.
            kind: Asset class of its instrument; None is not known.
            now_ns: The time.
        """
        rates = asked(self.state.rates, now_ns, self._pace)
        self._change(rates=rates)
        if is_runaway(rates, now_ns, self._pace):
            self._panic(HaltCode.RUNAWAY)
        if not entry.opens:
            self._change(held_back=self._held_back(entry, now_ns))
        elif not entry.is_refused:
            self._enter(entry, kind, now_ns)

    def commanded(self, command: VenueCommand, instrument: InstrumentId, strategy: StrategyId, now_ns: int) -> None:
        """Fold that something was sent about an order."""
        if isinstance(command, LookUpOrder):
            self._change(rates=queried(self.state.rates, now_ns, self._pace))
        else:
            self._change(rates=sent(self.state.rates, now_ns, self._pace, instrument=instrument, strategy=strategy))

    def waits(self, key: str, now_ns: int) -> bool:
        """Whether something was refused so shortly ago that it is not asked for again yet."""
        held = self.state.held_back.get(key)
        return held is not None and now_ns < held.next_ns

    def next_deadline(self, now_ns: int) -> int | None:
        """Return when something that was refused is asked for again; None is never."""
        return min((h.next_ns for h in self.state.held_back.values() if h.next_ns > now_ns), default=None)

    def entered(self, strategy: StrategyId, instrument: InstrumentId) -> Entered | None:
        """Return the entries of a strategy in an instrument; None where there were none."""
        return self.state.entered.get(_key(strategy, instrument))

    def _panic(self, code: HaltCode) -> None:
        """Latch the first reason to panic."""
        if self.state.panic is None:
            self._change(panic=code)

    def _change(self, **values: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **values)

    def _ask_again(self, reasons: frozenset[Reason], now_ns: int) -> None:
        """Let what was held back for these reasons be asked for at once: what it hung on may have changed."""
        waits = [key for key, held in self.state.held_back.items() if held.reason in reasons and held.next_ns > now_ns]
        if waits:
            again = {key: msgspec.structs.replace(self.state.held_back[key], next_ns=now_ns) for key in waits}
            self._change(held_back={**self.state.held_back, **again})

    def _held_back(self, entry: Judged, now_ns: int) -> dict[str, HeldBack]:
        kept = {
            key: held for key, held in self.state.held_back.items()
            if key != entry.key and held.next_ns + FORGOTTEN > now_ns
        }  # fmt: skip
        if entry.is_refused:
            before = self.state.held_back.get(entry.key)
            tries = 0 if before is None else before.tries
            pause = min(FIRST_PAUSE << min(tries, 10), LONGEST_PAUSE)
            kept[entry.key] = HeldBack(reason=entry.reason, tries=tries + 1, next_ns=now_ns + pause)
        return kept

    def _enter(self, entry: Judged, kind: InstrumentKind | None, now_ns: int) -> None:
        key, hour = _key(entry.strategy, entry.instrument), now_ns // HOUR
        before = self.state.entered.get(key)
        recent = () if before is None else before.recent[1 - RECENT_MAX :]
        if entry.price is not None:
            recent = (*recent, Recent(sent_ns=now_ns, quantity=entry.approved, price=entry.price))
        this = Entered(sent_ns=now_ns, signal_ns=entry.signal_ns, recent=recent)
        self._change(
            entry_ns=now_ns, hour=hour, hour_entries=1 + (self.state.hour_entries if hour == self.state.hour else 0),
            entered={**self.state.entered, key: this},
            kinds=self.state.kinds if kind is None else self.state.kinds | {kind},
        )  # fmt: skip


def _key(strategy: StrategyId, instrument: InstrumentId) -> str:
    return f"{instrument} {strategy}"
