"""Reconciliation as a part of the account: when the venue is asked for all that it has, and what its answers showed.

It is level-triggered like the supervisor: what is due is computed from what was answered last, so nothing hangs on a
question or an answer that was lost. Source: operations.md 4.3 to 4.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from evenkeel.engine.account.recon_record import Cadence, Reconciled, Record
from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.execution.reconcile.terms import (
    LIVE,
    POSITION_KINDS,
    Adopt,
    Block,
    Book,
    Difference,
    DifferenceKind,
    Hear,
    Plan,
    Policy,
    Stop,
    stranger_key,
)
from evenkeel.model.command import AskVenue, CancelOrder
from evenkeel.model.halt import HaltCode
from evenkeel.model.ids import InstrumentId
from evenkeel.model.told import Channel, Link, LinkChanged
from evenkeel.model.truth import TruthTold
from evenkeel.risk.gates.facts.engine import Recon
from evenkeel.risk.halt_facts import Compared, Desync

OVERLAP_NS = 60_000_000_000
"""Executions are asked for again from so long before the last clean comparison: lists lag, and clocks differ."""
DAY_NS = 24 * 3_600_000_000_000
"""The first question of an account covers so much of the past, and each while nothing explains a position."""
_CHANNELS = (Channel.ORDERS, Channel.ACCOUNT)
"""Those over which news of orders and executions come."""
_WHOLE_ONLY = (*POSITION_KINDS, DifferenceKind.CASH)
"""Differences that an answer without positions says nothing about."""


class Reconciling:
    """Reconciliation of one account.

    Attributes:
        lots: Smallest step of a quantity of each instrument that the engine trades.
        policy: What is done about differences.
        record: All of its state.
    """

    def __init__(
        self, lots: Mapping[InstrumentId, Decimal], policy: Policy = LIVE, cadence: Cadence | None = None
    ) -> None:
        self.lots, self.policy, self._cadence = dict(lots), policy, cadence or Cadence()
        self.record = Record()

    def saved(self) -> Record:
        """Return all of it, as it is stored."""
        return self.record

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        self.record = msgspec.msgpack.decode(saved, type=Record)

    @property
    def reconciled(self) -> bool:
        """Whether books and venue were found to agree, twice, since the session began and since the link holds."""
        return self.record.begun

    @property
    def recon(self) -> Recon | None:
        """How books and venue compare; None before the first clean comparison."""
        now = self.record
        if now.clean_ns is None:
            return None
        return Recon(open_differences=len(now.standing), mismatches=now.mismatches, clean_ns=now.clean_ns)

    @property
    def blocked(self) -> Mapping[InstrumentId, str]:
        """Instruments in which nothing is opened until a person has looked, with why."""
        return self.record.blocked

    def compared(self, foreign: Iterable[InstrumentId]) -> Compared:
        """Return what halts and the resume procedure read.

        Args:
            foreign: Instruments in which somebody else holds something; one that a person has accepted is no news.
        """
        now = self.record
        words = {stop.code: stop.text for stop in now.stops}
        desync = Desync.UNEXPLAINED if HaltCode.DESYNC_UNEXPLAINED in words else Desync.NONE
        if desync is Desync.NONE and HaltCode.DESYNC in words:
            desync = Desync.EXPLAINED
        held = next((name for name in foreign if name in now.blocked), "")
        return Compared(
            desync=desync, difference=words.get(HaltCode.DESYNC_UNEXPLAINED) or words.get(HaltCode.DESYNC, ""),
            foreign_position=words.get(HaltCode.UNEXPECTED_POSITION, held),
            duplicate_engine=now.duplicate, recon_mismatches=now.mismatches, recon_failures=now.failures,
            clean_cycles=now.clean_cycles,
        )  # fmt: skip

    def need(self, now_ns: int) -> AskVenue | None:
        """Return what is to be asked now."""
        now = self.record
        if now.session_ns is None or now.pending is not None or now_ns < now.retry_ns:
            return None
        whole = now_ns >= self._whole_due(now.session_ns)
        if not whole and now_ns < self._orders_due(now.session_ns):
            return None
        since_ns = now_ns - DAY_NS if now.cursor_ns is None else now.cursor_ns
        if any(key.startswith("position") for key in now.doubts):
            since_ns = min(since_ns, now_ns - DAY_NS)
        return AskVenue(number=now.number + 1, asked_ns=now_ns, since_ns=max(since_ns, 0), whole=whole)

    def next_deadline(self, now_ns: int) -> int | None:
        """Return when something is to be asked, or an answer is overdue; what is due by now was looked at already."""
        now = self.record
        if now.session_ns is None:
            return None
        if now.pending is not None:
            return now.pending.asked_ns + self._cadence.answer_ns
        due = min(self._whole_due(now.session_ns), self._orders_due(now.session_ns))
        return max(due, now.retry_ns, now_ns + 1)

    def is_answer(self, event: TruthTold) -> bool:
        """Whether an answer is the one that is waited for; an older one says nothing."""
        return self.record.pending is not None and self.record.pending.number == event.number

    def begin(self, now_ns: int) -> None:
        """Fold that a session began: nothing is known of what happened at the venue since the last one ended."""
        self._change(session_ns=now_ns, pending=None, failures=0, cut=(), duplicate="")
        self._anew(now_ns)

    def link(self, event: LinkChanged) -> None:
        """Fold how a channel is: what happened at the venue while it was down is compared when it is up again."""
        cut = self.record.cut
        if event.channel not in _CHANNELS or (event.link is Link.UP) is (event.channel not in cut):
            return
        if event.link is Link.UP:
            self._change(cut=tuple(channel for channel in cut if channel is not event.channel))
            self._anew(event.known_ns)
        else:
            self._change(cut=(*cut, event.channel), first_clean_ns=None, begun=False)

    def ask(self, command: AskVenue) -> None:
        """Fold that the venue was asked."""
        self._change(number=command.number, pending=command)

    def pass_time(self, now_ns: int) -> None:
        """Fold that time has passed: an answer that is overdue is not waited for any longer."""
        pending = self.record.pending
        if pending is not None and now_ns >= pending.asked_ns + self._cadence.answer_ns:
            self._fail(now_ns)

    def move(self, instrument: InstrumentId, now_ns: int) -> None:
        """Fold that units of an instrument changed hands."""
        self._change(moved_ns={**self.record.moved_ns, instrument: now_ns})

    def withdraw(self, command: CancelOrder, now_ns: int) -> None:
        """Fold that an order which the book lacks is being withdrawn."""
        self._change(orphans={**self.record.orphans, command.client_id: now_ns})

    def hear(self, findings: Iterable[Finding], now_ns: int) -> None:
        """Fold what should not be: a stranger's message is a reason to compare, and to stop if it has our name."""
        for finding in findings:
            if finding.code not in (FindingCode.STRANGER, FindingCode.OWN_STRANGER, FindingCode.MISSING):
                continue
            self._hurry(now_ns)
            known = finding.client_id in self.record.orphans
            if finding.code is FindingCode.OWN_STRANGER and self.record.begun and not known:
                self._change(duplicate=f"{finding.client_id} {finding.detail}".strip())

    def fold(self, entry: Reconciled, now_ns: int) -> None:
        """Fold what a comparison showed; its repairs that are facts of orders are folded by the account."""
        made = entry.plan
        if made.failed:
            self._fail(now_ns)
            return
        self._change(pending=None, failures=0, retry_ns=0, orders_ns=entry.asked_ns)
        self._doubt(entry)
        self._block(made)
        if made.whole:
            self._change(whole_ns=entry.asked_ns, urgent_ns=None)
            self._settle(entry, now_ns)
        if self._is_open(made):
            self._hurry(now_ns + self.policy.confirm_ns)
        elif not self.record.begun:
            self._hurry(now_ns + (self.policy.confirm_ns if made.is_clean else self._cadence.retry_max_ns))

    def accept(self, instrument: InstrumentId) -> Difference | None:
        """Fold that a person lets things be in an instrument; return the difference of positions that stood."""
        now = self.record
        blocked = {other: why for other, why in now.blocked.items() if other != instrument}
        accepted = (*now.accepted, *now.foreign.get(instrument, ()))
        self._change(blocked=blocked, accepted=tuple(dict.fromkeys(accepted)))
        return next(
            (one for one in now.standing if one.instrument == instrument and one.kind in POSITION_KINDS), None
        )  # fmt: skip

    def _whole_due(self, session_ns: int) -> int:
        now = self.record
        regular = session_ns if now.whole_ns is None else now.whole_ns + self._cadence.positions_ns
        return regular if now.urgent_ns is None else min(regular, now.urgent_ns)

    def _orders_due(self, session_ns: int) -> int:
        return session_ns if self.record.orders_ns is None else self.record.orders_ns + self._cadence.orders_ns

    def _anew(self, now_ns: int) -> None:
        """Compare everything twice before entries are opened again."""
        self._change(urgent_ns=now_ns, retry_ns=now_ns, first_clean_ns=None, begun=False)

    def _fail(self, now_ns: int) -> None:
        """Count a question without an answer that could be used; it proves nothing and resets nothing."""
        failures = self.record.failures + 1
        wait = min(self._cadence.retry_ns * 2 ** min(failures - 1, 10), self._cadence.retry_max_ns)
        self._change(pending=None, failures=failures, retry_ns=now_ns + wait, urgent_ns=self.record.urgent_ns or now_ns)

    def _hurry(self, at_ns: int) -> None:
        urgent_ns = self.record.urgent_ns
        self._change(urgent_ns=at_ns if urgent_ns is None else min(urgent_ns, at_ns))

    def _doubt(self, entry: Reconciled) -> None:
        """Keep what nothing explains, with when it was first asked for; what could not be judged stays as it was."""
        now, made = self.record, entry.plan
        judged = made.whole and not made.waits
        kept = () if judged else tuple(one for one in now.standing if one.kind in _WHOLE_ONLY)
        before = {} if judged else now.doubts
        doubts = {key: at for key, at in before.items() if key.startswith(("position", "cash"))}
        unexplained = [one for one in made.differences if not one.explained]
        doubts |= {one.key: now.doubts.get(one.key, entry.asked_ns) for one in unexplained}
        standing = (*kept, *(one for one in unexplained if one.confirmed))
        protected = not any(one.kind is DifferenceKind.PROTECTION for one in made.differences)
        self._change(doubts=doubts, standing=standing, protected=protected)
        if any(one.confirmed for one in unexplained):
            self._change(mismatches=now.mismatches + 1, clean_cycles=0)

    def _block(self, made: Plan) -> None:
        now = self.record
        blocked, foreign, duplicate = dict(now.blocked), dict(now.foreign), now.duplicate
        for repair in made.repairs:
            if isinstance(repair, Block):
                blocked.setdefault(repair.instrument, repair.kind.value)
            elif isinstance(repair, Stop) and repair.code is HaltCode.DUPLICATE_ENGINE:
                duplicate = repair.text
        for one in made.differences:
            if one.kind is DifferenceKind.FOREIGN_ORDER and one.instrument is not None:
                keys = dict.fromkeys((*foreign.get(one.instrument, ()), one.key))
                foreign[one.instrument] = tuple(keys)
        self._change(blocked=blocked, foreign=foreign, duplicate=duplicate)

    def _settle(self, entry: Reconciled, now_ns: int) -> None:
        """Fold a comparison of everything: only one that is clean moves the cursor and counts as such."""
        now, made = self.record, entry.plan
        booked = {stranger_key(one.fact): one.fact.event_ns for one in made.repairs if isinstance(one, Book)}
        self._change(
            strangers={**now.strangers, **booked}, stops=tuple(one for one in made.repairs if isinstance(one, Stop))
        )
        if not made.is_clean:
            self._change(clean_cycles=0, first_clean_ns=None if not now.begun else now.first_clean_ns)
            return
        cursor = max(entry.venue_ns - OVERLAP_NS, now.cursor_ns or 0)
        first = entry.asked_ns if now.first_clean_ns is None else now.first_clean_ns
        self._change(
            mismatches=0, clean_cycles=now.clean_cycles + 1, clean_ns=now_ns, first_clean_ns=first,
            begun=now.begun or entry.asked_ns >= first + self.policy.confirm_ns, cursor_ns=cursor,
            strangers={name: at for name, at in self.record.strangers.items() if at >= cursor - 2 * DAY_NS},
        )  # fmt: skip

    def _is_open(self, made: Plan) -> bool:
        """Whether everything is to be compared again soon: to confirm a doubt, or that a repair was one."""
        doubted = any(not one.explained and not one.confirmed for one in made.differences)
        repaired = any(isinstance(one, Hear | Book | Adopt) for one in made.repairs)
        return doubted or repaired or made.waits

    def _change(self, **values: object) -> None:
        self.record = msgspec.structs.replace(self.record, **values)
