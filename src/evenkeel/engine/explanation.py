"""Explanations: why a run did what it did at a decision, and why not, down to the values of each condition.

explanation = explain_moment(run, decision_bar(run.market, parse_time("2024-03-01T12:00")))
explanation.answer[0]      # "No entry: the first condition that failed is ..."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evenkeel.engine.core import Core, Position, RunFacts, Step
from evenkeel.engine.market import Market
from evenkeel.engine.moment import DecisionBar, Moment, moment_of, ruled_orders
from evenkeel.engine.replay import ReplayFeatures
from evenkeel.features.readings import Readings
from evenkeel.model.decision import EntryApproved, EntryRefused, ExitOrdered
from evenkeel.model.ids import Leg
from evenkeel.model.number import plain
from evenkeel.model.reason import Reason
from evenkeel.model.time import format_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.play.decide import Wish
from evenkeel.strategies.play.expression import Any_, Not
from evenkeel.strategies.play.reasons import ConditionReason
from evenkeel.strategies.play.trace import TracedRule
from evenkeel.strategies.play.verdict import Judge, Unfolding, Verdict, failure
from evenkeel.strategies.strategy import Strategy

ENTRIES = frozenset({Wish.ENTRY_LONG, Wish.ENTRY_SHORT})
EXITS = {True: frozenset({Wish.EXIT_LONG, Wish.EXIT_ALL}), False: frozenset({Wish.EXIT_SHORT, Wish.EXIT_ALL})}
"""Wishes that close a position, by whether it is long."""

IN_PYTHON = "The strategy decides in Python: the conditions inside its code are not recorded and cannot be shown."

_PLAINLY = (ConditionReason.CONDITION_FALSE, ConditionReason.WINDOW_FALSE)


@dataclass(frozen=True, slots=True)
class ExplainedRun:
    """A run that can be explained.

    Attributes:
        facts: What its ids derive from.
        strategy: What decided.
        market: Its bars.
        steps: What was recorded, or found by running it again.
        rules: Of a play, with the rows of their conditions; None for a strategy in Python.
        lines: Place of a condition in the play to its line in the file, as far as it is known.
    """

    facts: RunFacts
    strategy: Strategy
    market: Market
    steps: Sequence[Step]
    rules: tuple[TracedRule, ...] | None
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """A rule at a decision.

    Attributes:
        rule: The case.
        spoke: Whether it held and no case of its block before it did.
        verdict: Of its condition; None for `else`.
    """

    rule: TracedRule
    spoke: bool
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, explained.

    Attributes:
        title: Which decision it is.
        moment: The bar, and how the account stood.
        answer: In plain English, a sentence a line.
        rules: Those that could have acted, in the order of the play.
        lines: Place of a condition to its line in the file.
    """

    title: str
    moment: Moment
    answer: tuple[str, ...]
    rules: tuple[RuleVerdict, ...]
    lines: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return it as plain data; a setup that stands in several places has its children at the first."""
        where, position = self.moment.where, self.moment.state.position
        return {
            "time": format_time(where.closed_ns), "segment": where.stretch.number, "bar": where.bar,
            "close": where.close, "position": None if position is None else plain(position.quantity),
            "answer": self.answer, "rules": [self._rule(rule) for rule in self.rules],
        }  # fmt: skip

    def _rule(self, rule: RuleVerdict) -> dict[str, Any]:
        return {
            "rule": rule.rule.words, "wishes": [wish.name.lower() for wish in rule.rule.wishes], "spoke": rule.spoke,
            "condition": None if rule.verdict is None else self._condition(rule.verdict, Unfolding()),
        }  # fmt: skip

    def _condition(self, verdict: Verdict, unfolding: Unfolding) -> dict[str, Any]:
        traced, samples = verdict.traced, verdict.samples
        return {
            "kind": traced.kind, "words": traced.words, "text": traced.text, "path": traced.condition.path,
            "line": self.lines.get(traced.condition.path), "time": format_time(verdict.at_ns),
            "truth": verdict.truth, "reason": verdict.reason.value,
            "values": [
                {
                    "words": value.traced.words, "value": value.now,
                    **({"before": value.before} if value.crosses else {}),
                }
                for value in verdict.values
            ],
            "samples": None if samples is None else {
                "count": samples.count, "true": samples.true, "unknown": samples.unknown, "shown": samples.shown,
            },
            "children": [self._condition(child, unfolding) for child in unfolding.children(verdict)],
        }  # fmt: skip


def explain_moment(run: ExplainedRun, where: DecisionBar) -> Explanation:
    """Return why a run did what it did at a bar, and why it did nothing.

    Raises:
        UsageError: If the run was interrupted before the bar.
    """
    moment = _moment(run, where)
    wishes = _could_act(moment)
    rules = _verdicts(run, where, lambda rule: not wishes.isdisjoint(rule.wishes))
    title = f"decision at {format_time(where.closed_ns)}"
    return Explanation(title, moment, _answer(run, moment, rules), rules, run.lines)


def explain_orders(run: ExplainedRun, trade: int) -> list[Explanation]:
    """Return the decisions that opened a trade and that closed it by a signal, each with the rule that spoke."""
    entries, exits = ruled_orders(run.steps, trade)
    stretches = {stretch.number: stretch for stretch in run.market.stretches}
    found = []
    for what, ruled in [*(("entry", one) for one in entries), *(("exit", one) for one in exits)]:
        moment = _moment(run, DecisionBar(stretches[ruled.segment], ruled.bar))
        rules = _verdicts(run, moment.where, lambda rule, ruled=ruled: rule.words == ruled.rule)  # type: ignore[misc]
        title = f"{what} decided at {format_time(moment.where.closed_ns)}"
        found.append(Explanation(title, moment, _answer(run, moment, rules), rules, run.lines))
    return found


def _moment(run: ExplainedRun, where: DecisionBar) -> Moment:
    gates = EntryGates(run.strategy.terms, run.strategy.instrument)
    return moment_of(Core(run.facts, run.strategy, gates, ReplayFeatures(run.strategy, run.market)), run.steps, where)


def _could_act(moment: Moment) -> frozenset[Wish]:
    state = moment.state
    if moment.where.warms_up or state.stopped is not None or state.orders:
        return frozenset()
    return ENTRIES if state.position is None else EXITS[state.position.quantity > 0]


def _verdicts(run: ExplainedRun, where: DecisionBar, wanted: Callable[[TracedRule], bool]) -> tuple[RuleVerdict, ...]:
    rules = [rule for rule in run.rules or () if wanted(rule)]
    conditions = [rule.condition for rule in rules if rule.condition is not None]
    cells = {rule.speaks for rule in rules}.union(*(condition.cells for condition in conditions))
    levels = max((condition.levels for condition in conditions), default=0)
    readings = Readings(run.strategy.program, where.stretch.series, cells, bar=where.bar, levels=levels)
    judge, at = Judge(readings), where.closed_ns
    return tuple(
        RuleVerdict(
            rule,
            readings.read(rule.speaks, readings.column(rule.speaks.grid, at)) == 1.0,
            None if rule.condition is None else judge.verdict(rule.condition, at),
        )
        for rule in rules
    )


def _answer(run: ExplainedRun, moment: Moment, rules: Sequence[RuleVerdict]) -> tuple[str, ...]:
    """Return the sentences: what kept the run from deciding, else what it decided, else why nothing."""
    if kept := _kept_from_deciding(run, moment):
        return (kept,)
    position = moment.state.position
    match moment.answer:
        case EntryApproved(order=order):
            side = "long" if order.quantity > 0 else "short"
            return (f"Entry: the rule '{order.reason}' asked for a {side} one, and every gate agreed.",)
        case EntryRefused(reason=reason, detail=rule):
            return (_refusal(reason, rule),)
        case ExitOrdered(order=order):
            return (f"Exit: the rule '{order.reason}' closed the {_held(moment, position)}.",)
    if position is None:
        return _nothing("entry", run, moment, rules)
    held = f"No entry: a {_held(moment, position)} was held."
    return (held, *_nothing("exit", run, moment, rules))


def _kept_from_deciding(run: ExplainedRun, moment: Moment) -> str:
    """Return why no decision was made at all; empty if one was."""
    where, state = moment.where, moment.state
    if where.warms_up:
        closes = where.stretch.series.on(where.stretch.exec).bars.close_ns
        needs = ", ".join(
            f"{bars} bars of {timeframe}" for timeframe, bars in sorted(run.strategy.program.warmup.items())
        )
        first = where.stretch.first_exec
        when = (
            f"is at {format_time(int(closes[first]))}" if first < len(closes) else "does not come before the data end"
        )
        return f"No decision: the strategy was warming up (it needs {needs}); its first decision {when}."
    if state.stopped is not None:
        at = "" if moment.stopped_ns is None else f" at {format_time(moment.stopped_ns)}"
        return f"No decision: the run had stopped{at} ({state.stopped.value})."
    entry = state.pending(Leg.ENTRY)
    if entry is not None:
        asked = f"asked for at {format_time(entry.decided_ns)} by the rule '{entry.reason}'"
        return f"No decision: an entry {asked} was still working."
    return "No decision: the position was being closed already." if state.orders else ""


def _held(moment: Moment, position: Position | None) -> str:
    if position is None:
        return "position"
    side = "long" if position.quantity > 0 else "short"
    since = "" if moment.opened_ns is None else f", open since {format_time(moment.opened_ns)}"
    return f"{side} position of {plain(abs(position.quantity))} (trade {position.trade}{since})"


def _refusal(reason: Reason, rule: str) -> str:
    met = f"the rule '{rule}' was met, but was refused: " if rule else ""
    return f"No entry: {met}{reason.text} ({reason.value})"


def _nothing(what: str, run: ExplainedRun, moment: Moment, rules: Sequence[RuleVerdict]) -> tuple[str, ...]:
    """Return why nothing was decided by a strategy that could have."""
    if run.rules is None:
        asked = "The strategy was asked and wished for nothing." if moment.asked else "The strategy was not asked."
        return (f"No {what}. {asked}", IN_PYTHON)
    if not rules:
        return (f"No {what}: no rule of the play asks for one; stop and target close the position.",)
    by = [f" by '{rule.rule.words}'" if len(rules) > 1 else "" for rule in rules]
    return tuple(f"No {what}{whom}: {_why_silent(rule, run.lines)}" for whom, rule in zip(by, rules, strict=True))


def _why_silent(rule: RuleVerdict, lines: Mapping[str, int]) -> str:
    """Return the first condition that kept a rule from speaking."""
    if rule.spoke:
        return "its rule was met, and nothing followed from it."
    if rule.verdict is None or rule.verdict.truth:
        return "an earlier case of its block held."
    trail = failure(rule.verdict)
    last = trail[-1]
    traced = last.traced
    place = f"line {lines[traced.condition.path]}" if traced.condition.path in lines else traced.condition.path
    what = "failed" if last.truth is False else "is unknown"
    found = _found(last)
    code = "" if last.reason in _PLAINLY else f" ({last.reason.value})"
    alone = any(isinstance(one.traced.condition, Any_) and len(one.children) > 1 for one in trail[:-1])
    beside = "; no other condition of that `any` held" if alone else ""
    return f"the first condition that {what} is `{traced.text or traced.words}` ({place}): {found}{code}{beside}."


def _found(verdict: Verdict) -> str:
    if isinstance(verdict.traced.condition, Not) and verdict.truth is False:
        (child,) = verdict.children
        return f"`{child.traced.text or child.traced.words}` is true{f', {child.found()}' if child.found() else ''}"
    if verdict.samples is not None:
        (child,) = verdict.children
        return f"`{child.traced.text or child.traced.words}`: {verdict.samples.words()}"
    return verdict.found() or verdict.reason.text.rstrip(".")
