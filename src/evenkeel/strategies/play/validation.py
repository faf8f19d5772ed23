"""The market that a play is checked on: which regime, how much of it, which seed (plays.md 1.12)."""

from __future__ import annotations

from dataclasses import dataclass

from evenkeel.data.synthetic import EXTENSIONS, REGIMES
from evenkeel.features.timeline import Program
from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import suggestion
from evenkeel.strategies.play.schema import ValidationSection

LEAST_BARS = 200
"""Execution bars that a check has at least after the warm-up."""


@dataclass(frozen=True, slots=True)
class SyntheticCheck:
    """A generated market for a play.

    Attributes:
        regime: Its name.
        minutes: How long it is.
        seed: Which path.
    """

    regime: str
    minutes: int
    seed: int


def check_validation(section: ValidationSection | None, log: ProblemLog) -> None:
    """Tell a section that names no market, two of them, or a regime that does not exist."""
    if section is None:
        return
    if section.pattern is None and section.window is None and section.expect.load_error is None:
        remedy = "add `pattern:` with a regime, or `window:` with recorded data"
        log.error(("validation",), "`validation` names no market", remedy, key=True)
    if section.pattern is not None and section.window is not None:
        log.error(("validation", "window"), "`pattern` and `window` exclude each other", "keep one", key=True)
    if section.pattern is not None and section.pattern not in (*REGIMES, *EXTENSIONS):
        remedy = suggestion(section.pattern, (*REGIMES, *EXTENSIONS))
        log.error(("validation", "pattern"), f"there is no regime '{section.pattern}'", remedy)


def synthetic_check(play: Play, program: Program) -> SyntheticCheck:
    """Return the market that a play asks for: by default its warm-up `W` and max(2 W, 200) execution bars after it.

    Raises:
        UsageError: If the play names no regime.
    """
    section = play.validation
    if section is None or section.pattern is None:
        raise UsageError(
            f"{play.name} names no regime; add `validation: {{ pattern: … }}`, or name one: `keel data synth REGIME`"
        )
    step = play.intervals.exec.minutes
    warm = max((-(-bars * timeframe.minutes // step) for timeframe, bars in program.warmup.items()), default=0)
    bars = section.bars or warm + max(2 * warm, LEAST_BARS)
    return SyntheticCheck(section.pattern, bars * step, section.seed)
