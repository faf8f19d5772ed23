"""Verdicts: what each condition of a rule came to at one instant, with its values and the reason.

Truths and values are read from the rows that the graphs computed; no condition is looked at a second time.

    verdict = Judge(readings).verdict(rule.condition, closed_ns)
    trail = failure(verdict)      # from the whole condition down to the first one that failed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from evenkeel.features.node import Output
from evenkeel.features.readings import Back, Readings
from evenkeel.model.time import format_time
from evenkeel.strategies.play.expression import All, Any_, Compare, Not, SetupRef, Window
from evenkeel.strategies.play.reasons import (
    ConditionReason,
    comparison_reason,
    group_reason,
    truth_of,
    window_reason,
)
from evenkeel.strategies.play.trace import Traced, TracedValue, literal_words

Shown: TypeAlias = "int | float | bool | str | None"


@dataclass(frozen=True, slots=True)
class ReadValue:
    """An operand as it was read.

    Attributes:
        traced: What was read.
        now: At the instant; None is missing.
        before: One sample earlier.
        crosses: Whether `before` counts: of a value that is compared by a cross.
        parts: Of arithmetic: what it was made of.
    """

    traced: TracedValue
    now: Shown
    before: Shown
    crosses: bool
    parts: tuple[ReadValue, ...] = ()

    def words(self) -> str:
        """Return name and value: `rsi_14 43.2 (before 41)`."""
        behind = [f"before {literal_words(self.before)}"] if self.crosses else []
        behind += [part.words() for part in self.parts]
        beside = f" ({', '.join(behind)})" if behind else ""
        return f"{self.traced.words} {literal_words(self.now)}{beside}"


@dataclass(frozen=True, slots=True)
class Samples:
    """What a window saw.

    Attributes:
        true: Samples that are true.
        unknown: Samples that are unknown.
        count: All of them.
        shown: Samples before now of the one that is shown inside: the newest that speaks for the answer.
    """

    true: int
    unknown: int
    count: int
    shown: int

    def words(self) -> str:
        """Return the count: `2 of 6 samples true`."""
        unknown = f", {self.unknown} unknown" if self.unknown else ""
        return f"{self.true} of {self.count} samples true{unknown}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A condition at an instant.

    Attributes:
        traced: The condition.
        at_ns: The instant: the decision, or the sample of a window.
        truth: None is unknown.
        reason: Why.
        values: Of a comparison: what it compared.
        children: Verdicts inside; of a window that of one sample.
        samples: Of a window.
    """

    traced: Traced
    at_ns: int
    truth: bool | None
    reason: ConditionReason
    values: tuple[ReadValue, ...] = ()
    children: tuple[Verdict, ...] = ()
    samples: Samples | None = None

    def found(self) -> str:
        """Return what was found: the values of a comparison, the count of a window."""
        if self.samples is not None:
            (shown,) = self.children
            when = "" if shown.at_ns == self.at_ns else f", shown as of {format_time(shown.at_ns)}"
            return f"{self.samples.words()}{when}"
        return ", ".join(dict.fromkeys(value.words() for value in self.values if not value.traced.constant))


class Judge:
    """Reads verdicts; a condition that stands in many places, as a setup does, is read once for an instant.

    Args:
        readings: The rows.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._known: dict[tuple[int, int], Verdict] = {}

    def verdict(self, traced: Traced, at_ns: int) -> Verdict:
        """Return the verdict of a condition and of everything inside.

        Args:
            traced: The condition; it must live as long as this.
            at_ns: The close of the decision bar, or the instant of a sample.
        """
        key = id(traced), at_ns
        if key not in self._known:
            self._known[key] = self._verdict(traced, at_ns)
        return self._known[key]

    def _verdict(self, traced: Traced, at_ns: int) -> Verdict:
        readings = self._readings
        truth = truth_of(readings.read(traced.truth, readings.column(traced.truth.grid, at_ns)))
        if isinstance(traced.condition, Compare):
            return self._comparison(traced, traced.condition, truth, at_ns)
        if isinstance(traced.condition, Window):
            return self._window(traced, traced.condition, truth, at_ns)
        children = tuple(self.verdict(child, at_ns) for child in traced.children)
        reason = group_reason(truth, [child.reason for child in children if child.truth is None])
        return Verdict(traced, at_ns, truth, reason, children=children)

    def _comparison(self, traced: Traced, compare: Compare, truth: bool | None, at_ns: int) -> Verdict:
        pairs = [self._numbers(value, traced.back, at_ns) for value in traced.values]
        before = [old for _, old in pairs] if traced.back else []
        return Verdict(
            traced, at_ns, truth, comparison_reason(compare.op, truth, [new for new, _ in pairs], before),
            values=tuple(self._read(value, traced.back, at_ns) for value in traced.values),
        )  # fmt: skip

    def _numbers(self, value: TracedValue, back: Back, at_ns: int) -> tuple[float, float]:
        """Return what a cell holds at an instant, and what it held one sample before."""
        readings, cell = self._readings, value.cell
        column = readings.column(cell.grid, at_ns)
        return readings.read(cell, column), readings.read(cell, readings.before(column, back))

    def _read(self, value: TracedValue, back: Back, at_ns: int) -> ReadValue:
        output = value.output or Output(value.words)
        now, before = self._numbers(value, back, at_ns)
        return ReadValue(
            value, now=output.reading(now), before=output.reading(before), crosses=back != 0 and not value.constant,
            parts=tuple(self._read(part, back, at_ns) for part in value.parts),
        )  # fmt: skip

    def _window(self, traced: Traced, window: Window, truth: bool | None, at_ns: int) -> Verdict:
        readings, (inside,) = self._readings, traced.children
        grid = inside.truth.grid
        columns = [readings.column(grid, at_ns)]
        while len(columns) < window.bars:
            columns.append(readings.before(columns[-1], traced.back))
        truths = [truth_of(readings.read(inside.truth, column)) for column in columns]
        known = [sample for sample, column in enumerate(columns) if column >= 0]
        unknown = None
        if None in truths:
            newest = truths.index(None)
            unknown = ConditionReason.MISSING_PREV
            if newest in known:
                unknown = self.verdict(inside, readings.instant(grid, columns[newest])).reason
        shown = next((sample for sample in known if truths[sample] is truth), 0)
        child = self.verdict(inside, readings.instant(grid, columns[shown]) if known else at_ns)
        return Verdict(
            traced, at_ns, truth, window_reason(truth, unknown), children=(child,),
            samples=Samples(truths.count(True), truths.count(None), len(truths), shown),
        )  # fmt: skip


class Unfolding:
    """Unfolds the setups of a tree, each once for an instant: what stands in a hundred places is shown in one."""

    def __init__(self) -> None:
        self._unfolded: set[int] = set()

    def is_repeated(self, verdict: Verdict) -> bool:
        """Whether it is a setup that was unfolded before."""
        return isinstance(verdict.traced.condition, SetupRef) and id(verdict.children[0]) in self._unfolded

    def children(self, verdict: Verdict) -> tuple[Verdict, ...]:
        """Return what is inside; nothing of a setup that was unfolded before."""
        if self.is_repeated(verdict):
            return ()
        if isinstance(verdict.traced.condition, SetupRef):
            self._unfolded.add(id(verdict.children[0]))
        return verdict.children


def failure(verdict: Verdict) -> tuple[Verdict, ...]:
    """Return the way from a condition that is not true down to the first one inside that made it so; empty if it is.

    Of `all` it is the first that is as it is; of `any` the first one, for none was true; of `not` the way ends there,
    and so it does at a window, unless something was missing.
    """
    if verdict.truth is True:
        return ()
    match verdict.traced.condition:
        case Not() | Window() if verdict.truth is False:
            inside: tuple[Verdict, ...] = ()
        case All() | Any_() | SetupRef() | Not() | Window():
            inside = tuple(child for child in verdict.children if child.truth is verdict.truth)
        case _:
            inside = ()
    return (verdict, *failure(inside[0])) if inside else (verdict,)
