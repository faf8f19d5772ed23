"""A check and its three answers: passed, failed, not run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """The answer of one check.

    Attributes:
        name: UPPER_SNAKE, stable; the guide describes each.
        ok: Whether the check ran and found nothing wrong. False where it did not run: that is no pass.
        skipped: Whether it did not run.
        detail: What was compared, the first thing found wrong, or why it did not run.
    """

    name: str
    ok: bool
    skipped: bool
    detail: str

    @property
    def failed(self) -> bool:
        """Whether the check ran and found something wrong."""
        return not self.ok and not self.skipped


def judged(name: str, problems: Iterable[str], compared: str) -> Check:
    """Return the check that ran: passed without problems, else failed with the first of them.

    Args:
        problems: A sentence for each thing found wrong, in order.
        compared: What was looked at, said when all is well.
    """
    found = list(problems)
    if not found:
        return Check(name, ok=True, skipped=False, detail=compared)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(name, ok=False, skipped=False, detail=found[0] + more)


def skipped(name: str, why: str) -> Check:
    """Return the check that did not run."""
    return Check(name, ok=False, skipped=True, detail=why)
