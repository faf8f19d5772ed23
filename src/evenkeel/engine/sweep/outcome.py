"""What a set of parameters brought: figures, or why it could not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evenkeel.engine.trials import Trial
from evenkeel.model.bar import Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set of parameters brought.

    Attributes:
        metrics: The figures of `result.json`.
        result_hash: The digest of all that must repeat, as in `result.json`; None where it was not asked for.
        trades: Closed legs.
        returns: Simple return of each session.
        stop_reason: How the run ended.
        look: The run as the trial ledger counts it.
    """

    metrics: Mapping[str, float | int | None]
    result_hash: str | None
    trades: int
    returns: Floats
    stop_reason: str
    look: Trial


@dataclass(frozen=True, slots=True)
class Refusal:
    """A set of parameters with which the strategy cannot run.

    Attributes:
        reason: Code for a program.
        text: What is wrong, for a person.
    """

    reason: str
    text: str
