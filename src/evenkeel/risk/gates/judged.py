"""What the gates answered to one request, as the journal keeps it: a letter for each gate, and what those compared."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.reason import Reason
from evenkeel.risk.classify import Effect
from evenkeel.risk.gates.check import Check, Outcome
from evenkeel.risk.gates.request import OPENS, Purpose
from evenkeel.risk.gates.size import Step
from evenkeel.risk.gates.verdict import Approved, Refused

_LETTERS = {
    Outcome.PASS: "p", Outcome.WARN: "w", Outcome.REFUSE: "r", Outcome.UNKNOWN: "u", Outcome.NOT_APPLICABLE: "-",
}  # fmt: skip
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, tag="judged", tag_field="type"):
    """A request passed the gates, or did not.

    Attributes:
        purpose: What it was said to be for.
        client_id: Our id of the order.
        strategy: Who asked.
        instrument: What was to be traded.
        quantity: Signed units that were asked for; 0 for a cancel.
        approved: Signed units that may be sent; 0 of a refusal and of a cancel.
        price: That was asked for, or decided on; None at the market.
        effect: What it does, as computed.
        reason: OK; else the first gate that said no.
        amends: Whether it changes an order instead of placing one.
        kill: Whether it came by the kill path.
        signal_ns: Close of the bar of its signal; None of an order without one.
        vector: A letter for each gate in order: p passes, w warns, r refuses, u is unknown and refuses, - has no say.
        figures: The answers of those gates that compared something or had a reason.
        steps: What made an entry smaller.
    """

    purpose: Purpose
    client_id: ClientId
    strategy: StrategyId
    instrument: InstrumentId
    quantity: Decimal = Decimal(0)
    approved: Decimal = Decimal(0)
    price: Decimal | None = None
    effect: Effect
    reason: Reason = Reason.OK
    amends: bool = False
    kill: bool = False
    signal_ns: int | None = None
    vector: str
    figures: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing may be sent."""
        return self.reason is not Reason.OK

    @property
    def opens(self) -> bool:
        """Whether it was asked for as an entry; what was not and would open something is refused and needed still."""
        return self.purpose in OPENS

    @property
    def key(self) -> str:
        """What was asked for, by name: the same order, change or cancel asked for again has the same."""
        if self.purpose is Purpose.CANCEL:
            return f"cancel {self.client_id}"
        return f"amend {self.client_id}" if self.amends else self.client_id

    def checks(self) -> tuple[Check, ...]:
        """Return the answer of every gate, in order."""
        told = {check.gate: check for check in self.figures}
        return tuple(
            told.get(gate) or Check(gate, _OUTCOMES[letter]) for gate, letter in enumerate(self.vector, start=1)
        )


def judged(verdict: Approved | Refused) -> Judged:
    """Return a verdict as the journal keeps it."""
    request, checks = verdict.request, verdict.checks
    approved, reason, kill = Decimal(0), Reason.OK, False
    steps: tuple[Step, ...] = ()
    if isinstance(verdict, Approved):
        approved, kill, steps = verdict.quantity, verdict.kill, verdict.steps
    else:
        reason = verdict.reason
    return Judged(
        purpose=request.purpose, client_id=request.client_id, strategy=request.strategy, instrument=request.instrument,
        quantity=request.quantity, approved=approved,
        price=request.price or request.reference, effect=verdict.effect,
        reason=reason, amends=request.amends, kill=kill,
        signal_ns=request.signal_ns, vector="".join([_LETTERS[check.outcome] for check in checks]),
        figures=tuple([check for check in checks if _tells(check)]), steps=steps,
    )  # fmt: skip


def _tells(check: Check) -> bool:
    return check.value is not None or check.limit is not None or check.reason is not Reason.OK
