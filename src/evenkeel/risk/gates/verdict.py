"""What the gateway says: approved or refused, as two types. The border to a venue accepts only the first.

`Approved` is made in this package and nowhere else: its constructor asks for a key that only `mint` has, and a test
holds the other rooms to not calling that.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.errors import invariant
from evenkeel.model.reason import Reason
from evenkeel.risk.classify import Classified, Effect
from evenkeel.risk.gates.check import Check, Outcome
from evenkeel.risk.gates.request import Request
from evenkeel.risk.gates.size import Size, Step

_KEY = object()


class Approved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order, or the end of one, that may be sent.

    Attributes:
        request: What was asked.
        effect: What it does, as computed.
        quantity: Signed units that may be sent, never more than were asked for; 0 for a cancel.
        steps: What made an entry smaller, in order.
        checks: The answer of every gate, in order.
        kill: Whether it comes by the kill path.
        halt_epoch: Of the halt flag that was read; the sender compares it right before the bytes leave.
        lease_epoch: Of the lease that was held; the same.
        key: Proof that `risk` made it.
    """

    request: Request
    effect: Effect
    quantity: Decimal
    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...]
    kill: bool = False
    halt_epoch: int | None = None
    lease_epoch: int | None = None
    key: object

    def __post_init__(self) -> None:
        invariant(self.key is _KEY, "only the gates approve an order")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """What a person should know of it."""
        return tuple(check for check in self.checks if check.outcome is Outcome.WARN)


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that may not be sent.

    Attributes:
        request: What was asked.
        reason: The first gate in order that said no, or why it cannot be classified.
        effect: What it would do.
        checks: The answer of every gate, in order.
    """

    request: Request
    reason: Reason
    effect: Effect
    checks: tuple[Check, ...]

    @property
    def is_duplicate(self) -> bool:
        """Whether the order exists already: the caller goes on with that one, and nothing is wrong."""
        return self.reason is Reason.DUPLICATE_SUPPRESSED


def mint(
    request: Request, classified: Classified, checks: tuple[Check, ...], *, quantity: Decimal, size: Size | None = None,
    kill: bool = False, halt_epoch: int | None = None, lease_epoch: int | None = None,
) -> Approved:  # fmt: skip
    """Return an approval; only the gateway calls this, after its checks.

    Args:
        request: What was asked.
        classified: What it does.
        checks: The answer of every gate.
        quantity: Signed units that may be sent.
        size: How an entry came to that.
        kill: Whether it comes by the kill path.
        halt_epoch: Of the halt flag that was read.
        lease_epoch: Of the lease that was held.
    """
    return Approved(
        request=request, effect=classified.effect, quantity=quantity, steps=() if size is None else size.steps,
        checks=checks, kill=kill, halt_epoch=halt_epoch, lease_epoch=lease_epoch, key=_KEY,
    )  # fmt: skip
