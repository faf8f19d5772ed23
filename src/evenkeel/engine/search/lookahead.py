"""`keel lookahead`: proof that no decision rests on what was not known yet.

Two tests at many instants, each the close of a bar on which the strategy decides:

    truncation   the history ends there; every decision up to then must be the same
    poisoning    every bar behind it is garbage; every decision up to then must be the same

Half of the instants are those at which the strategy decided something, where a peek of one bar shows; the others are
drawn. All runs are of the engine lane, which writes down every decision and refusal. A strategy that reads the future
from elsewhere, from a file of its own for example, is out of reach of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

import msgspec
import numpy as np

from evenkeel.data.catalog import Catalog
from evenkeel.data.synthetic.stream import uniforms
from evenkeel.engine.core import Step
from evenkeel.engine.search.poison import PoisonedCatalog
from evenkeel.model.bar import Ints
from evenkeel.model.errors import KeelError, UsageError
from evenkeel.model.event import FundingPosted, OrderDied, OrderFilled, StretchEnded
from evenkeel.model.reason import Reason
from evenkeel.model.time import format_time

SCHEMA = "evenkeel.lookahead/1"
SAMPLES_MAX = 10_000
_FAILURES = (KeelError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
"""How a strategy fails that reaches for bars that are not there."""

Test = Literal["truncation", "poisoning"]


@dataclass(frozen=True)
class Ran:
    """A run whose every step was kept.

    Attributes:
        steps: Of each play by name; a strategy by itself has one.
        instants: Closes at which it may be cut: all plays have a bar that ends there.
    """

    steps: Mapping[str, Sequence[Step]]
    instants: Ints


Run = Callable[[Sequence[Catalog], int | None], Ran]
"""Runs a strategy over catalogs until an instant, from scratch."""


@dataclass(frozen=True)
class Difference:
    """The first place at which the past was not the same.

    Attributes:
        test: Which test found it.
        instant_ns: Where the history was cut, or from where on it was garbage.
        play: Whose decision.
        at_ns: When.
        whole: What was decided with the whole history.
        other: What was decided without it.
    """

    test: Test
    instant_ns: int
    play: str
    at_ns: int
    whole: str
    other: str


@dataclass(frozen=True)
class Proof:
    """What the tests found.

    Attributes:
        instants: How many were tested, each in both ways.
        decisions: Decisions and refusals that were compared.
        steps: Events that were compared with all that followed from them.
        difference: The first one found; None if there is none.
    """

    instants: int
    decisions: int
    steps: int
    difference: Difference | None


def lookahead(
    run: Run,
    catalogs: Sequence[Catalog],
    *,
    samples: int,
    seed: int,
    on_instant: Callable[[int, int], None] | None = None,
) -> Proof:
    """Test a strategy.

    Args:
        run: Runs it from scratch.
        catalogs: Where its bars are.
        samples: At how many instants.
        seed: Of the instants that are drawn, and of the garbage.
        on_instant: Told how many are done, and how many there are.

    Raises:
        UsageError: If there is nothing to test.
    """
    if not 1 <= samples <= SAMPLES_MAX:
        raise UsageError(f"--samples is {samples:,}; it is 1 to {SAMPLES_MAX:,}")
    whole = run(catalogs, None)
    chosen = _instants(whole, samples, seed)
    decisions = steps = 0
    for place, instant in enumerate(chosen):
        poisoned = [PoisonedCatalog(catalog, instant, seed=seed + place) for catalog in catalogs]
        tests: tuple[tuple[Test, Sequence[Catalog], int | None], ...] = (
            ("truncation", catalogs, instant), ("poisoning", poisoned, None),
        )  # fmt: skip
        for test, seen, end_ns in tests:
            try:
                other = run(seen, end_ns)
            except _FAILURES as error:
                failed = f"the strategy failed: {type(error).__name__}: {error}"
                name = next(iter(whole.steps))
                found = Difference(test, instant, name, instant, "it ran", failed)
                return Proof(place + 1, decisions, steps, found)
            # Where several plays share an account, the end of one comes before the last decision of another.
            until = instant - 1 if test == "truncation" and len(whole.steps) > 1 else instant
            for name in whole.steps:
                known = past(whole.steps[name], until)
                difference = _compare(test, instant, name, known, past(other.steps[name], until))
                if difference is not None:
                    return Proof(place + 1, decisions, steps, difference)
                steps += len(known)
                decisions += sum(len(step.decisions) for step in known)
        if on_instant is not None:
            on_instant(place + 1, len(chosen))
    return Proof(len(chosen), decisions, steps, None)


def past(steps: Sequence[Step], until_ns: int) -> list[Step]:
    """Return the steps that were known at an instant; what the end of the data did there is none of them."""
    known = []
    for step in steps:
        if isinstance(step.event, StretchEnded) and step.event.event_ns >= until_ns:
            break
        if _is_known(step, until_ns):
            known.append(step)
    return known


def _is_known(step: Step, until_ns: int) -> bool:
    event = step.event
    match event:
        case OrderFilled() | FundingPosted():
            # They are stamped with the open of their base bar, and that of the next one is the instant itself.
            return event.event_ns < until_ns
        case OrderDied() if event.reason is not Reason.EXPIRED:
            return event.event_ns < until_ns
        case _:
            return event.event_ns <= until_ns


def _instants(whole: Ran, samples: int, seed: int) -> list[int]:
    """Return instants at which to test: where something was decided, and drawn ones."""
    if len(whole.instants) < 2:
        raise UsageError("there are too few bars on which the strategy decides to test it; take more history")
    decided = {
        step.event.event_ns for steps in whole.steps.values() for step in steps if step.decisions
    } & set(whole.instants.tolist())  # fmt: skip
    chosen = set(_some(sorted(decided), samples // 2, seed))
    chosen |= set(_some(whole.instants[:-1].tolist(), samples - len(chosen), seed + 1))
    return sorted(chosen)


def _some(instants: Sequence[int], count: int, seed: int) -> list[int]:
    """Return so many of them, one drawn from each of as many equal parts."""
    if count >= len(instants):
        return list(instants)
    edges = np.linspace(0, len(instants), count + 1).astype(int)
    shares = uniforms(seed, 0, count)
    return [
        instants[first + int(share * (last - first))]
        for first, last, share in zip(edges, edges[1:], shares, strict=False)
    ]


def _compare(test: Test, instant: int, play: str, whole: list[Step], other: list[Step]) -> Difference | None:
    for mine, theirs in zip_longest(whole, other):
        if mine != theirs:
            at = min(step.event.event_ns for step in (mine, theirs) if step is not None)
            return Difference(test, instant, play, at, words(mine), words(theirs))
    return None


def words(step: Step | None) -> str:
    """Return a step as a person reads it: what happened, and what was decided on it."""
    if step is None:
        return "nothing"
    decided = "; ".join(_decision(decision) for decision in step.decisions)
    return decided or f"{_tag(step.event)}, nothing decided"


def _decision(decision: Any) -> str:
    order = getattr(decision, "order", None)
    if order is not None:
        return f"{_tag(decision)} of {order.quantity} ({order.reason})"
    reason, detail = getattr(decision, "reason", ""), getattr(decision, "detail", "")
    return " ".join(part for part in (_tag(decision), str(reason), f"({detail})" if detail else "") if part)


def _tag(thing: msgspec.Struct) -> str:
    return str(thing.__struct_config__.tag).replace("_", " ")


def document(name: str, symbols: Sequence[str], proof: Proof) -> dict[str, Any]:
    """Return the document of a proof."""
    found = proof.difference
    return {
        "schema": SCHEMA, "strategy": name, "symbols": list(symbols), "passed": found is None,
        "instants": proof.instants, "decisions": proof.decisions, "steps": proof.steps,
        "difference": None if found is None else {
            "test": found.test, "instant": format_time(found.instant_ns), "play": found.play,
            "at": format_time(found.at_ns), "whole": found.whole, "other": found.other,
        },
    }  # fmt: skip
