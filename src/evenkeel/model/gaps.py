"""What is specified but not built yet: refused by name, never ignored, and listed by `keel doctor --gaps`.

A loader that meets such a thing calls `not_available(GAPS["..."])`; the sentence it raises is the one that the list
shows. An entry disappears in the commit that builds the thing.
"""

from __future__ import annotations

from evenkeel.model.errors import NotAvailable

GAPS: dict[str, str] = {
    "playbook.tighten": "`on_regime_exit: tighten`",
    "system.run": "running a system: it is checked by `keel validate` only",
    "run.profiles": "a profile other than `research`",
    "account.replay": "replaying an account whose journal does not hold its bars by value",
    "run.currency": "an instrument whose quote currency differs from the account's: needs an FX series",
}
"""Key to the words that name the thing."""


def not_available(key: str, *, where: str = "") -> NotAvailable:
    """Return the refusal of a thing in `GAPS`.

    Args:
        key: A key of `GAPS`.
        where: File, line and column, or the option that asked for it.
    """
    prefix = f"{where}: " if where else ""
    return NotAvailable(f"{prefix}{GAPS[key]} is not available yet; `keel doctor --gaps` lists all such")
