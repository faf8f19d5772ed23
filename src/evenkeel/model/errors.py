"""Faults, sorted by who must act.

    KeelError
    ├── UsageError          the user: wrong command, option or strategy            exit 2
    │   ├── DataError       the user: a data file or bar series is not acceptable  exit 2
    │   └── NotAvailable    us, later: a named feature that is not built yet       exit 2
    ├── OutsideError        disk, network, broker                                  exit 3
    │   └── StorageError    disk full, unwritable, unreadable
    ├── Halted              the operator or a kill switch                          exit 4
    └── InvariantBroken     us: a promise of the code does not hold                exit 3

Expected refusals (a gate says no, an order is rejected) are values with a reason code, not exceptions.
"""

from __future__ import annotations


class KeelError(Exception):
    """A fault with one sentence for a person, a reason code for a program and an exit code.

    Args:
        message: What is wrong, where, the limit, and what to do.
        reason: Machine-readable code in UPPER_SNAKE; it appears in the JSON error document.
    """

    exit_code = 3
    default_reason = "FAILED"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason


class UsageError(KeelError):
    """The user asked for something that cannot be done as asked."""

    exit_code = 2
    default_reason = "BAD_INPUT"


class DataError(UsageError):
    """A file or series of market data is not acceptable; nothing of it was stored or used."""

    default_reason = "BAD_DATA"


class NotAvailable(UsageError):
    """A named feature that is specified but not built yet; see `evenkeel.model.gaps`."""

    default_reason = "NOT_AVAILABLE"


class OutsideError(KeelError):
    """Something outside the program failed."""

    default_reason = "OUTSIDE_FAILED"


class StorageError(OutsideError):
    """The disk refused: full, read-only, missing or damaged."""

    default_reason = "STORAGE"


class Halted(KeelError):
    """Trading is halted by the operator or a kill switch."""

    exit_code = 4
    default_reason = "HALTED"


class InvariantBroken(KeelError):
    """A promise of the code does not hold; the run stops because its figures can no longer be trusted."""

    default_reason = "INVARIANT_BROKEN"


def require(condition: bool, message: str, **values: object) -> None:
    """Refuse an input that breaks a contract at a border.

    Raises:
        UsageError: If `condition` is false; the values are appended to the message.
    """
    if not condition:
        raise UsageError(_with_values(message, values))


def invariant(condition: bool, message: str, **values: object) -> None:
    """Hold the code to one of its own promises, also under `python -O`.

    Raises:
        InvariantBroken: If `condition` is false; the values are appended to the message.
    """
    if not condition:
        raise InvariantBroken(_with_values(message, values))


def _with_values(message: str, values: dict[str, object]) -> str:
    if not values:
        return message
    return f"{message} ({', '.join(f'{key} {value!r}' for key, value in values.items())})"
