"""How a strategy protects a position, as its manifest states it: distances of stops and targets, and what moves stops.

A rule is looked for beside the other facts of the manifest first, then in the resolved play that it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.document import Document, Json, Unreadable, finite
from evenkeel.readiness.audit.number import HUNDRED, ZERO

PLACES = ("risk", "strategy.resolved.risk_model")

FIGURES = {"trailing_atr": ("atr_multiplier", Decimal(2)), "trailing_pct": ("trail_pct", None)}
"""The key of a trailing rule's figure, and what it is where the play does not say."""

ACTIVATION_PCT, OFFSET_PCT = Decimal(1), Decimal("0.1")
"""Of a break-even rule that does not say."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of a ladder of targets.

    Attributes:
        ratio: Its distance as a multiple of that of the stop, or None.
        fraction: Its distance as a fraction of the price at decision, or None.
        share: Of the position, a fraction.
    """

    ratio: Decimal | None
    fraction: Decimal | None
    share: Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for the distance of a stop or target.

    Attributes:
        kind: `percent`, `fixed_points`, `rr_ratio`, `atr_multiple`, `structure`, `trailing_pct`, `ladder`, ...
        value: Its figure, in the unit of the kind; None where the kind has none.
        of_margin: Whether a percentage is one of margin (basis `roi`) rather than of price.
        feature: The ATR it reads, if any.
        buffer: Added distance as a fraction of the reference price.
        rungs: Of a ladder.
    """

    kind: str
    value: Decimal | None
    of_margin: bool
    feature: str | None
    buffer: Decimal
    rungs: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True)
class Trailing:
    """How a stop follows the price.

    Attributes:
        multiple: Of the ATR at the decision, which is the distance then; None for a fraction.
        fraction: Of each close, which is the distance then; None for an ATR.
        feature: The ATR.
        activation: Profit as a fraction of the entry from which on the stop follows.
    """

    multiple: Decimal | None
    fraction: Decimal | None
    feature: str | None
    activation: Decimal


@dataclass(frozen=True, slots=True)
class BreakEven:
    """When a stop moves to the entry and how far beyond it, both as fractions of the entry."""

    activation: Decimal
    offset: Decimal


def find_section(manifest: Document, name: str) -> tuple[str, Json] | None:
    """Return where a section of the risk rules stands and what it says, or None where no place has it."""
    for place in PLACES:
        key = f"{place}.{name}"
        section = manifest.section(key) if manifest.has(key) else None
        if section is not None:
            return f"{manifest.name}: {key}", section
    return None


def read_rule(manifest: Document, name: str) -> Rule | None:
    """Return the rule of that name, or None where the strategy has none."""
    found = find_section(manifest, name)
    if found is None:
        return None
    place, section = found
    kind, (figure, default) = _text(section, "type", place), ("value", None)
    if kind in FIGURES:
        figure, default = FIGURES[kind]
    value = _figure(section, figure, place)
    return Rule(
        kind=kind,
        value=default if value is None else value,
        of_margin=section.get("basis", "roi") == "roi",
        feature=_optional_text(section, "atr_feature_id"),
        buffer=(_figure(section, "buffer_pct", place) or ZERO) / HUNDRED,
        rungs=_rungs(section.get("steps"), place) if kind == "ladder" else (),
    )


def _rungs(steps: object, place: str) -> tuple[Rung, ...]:
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise Unreadable(f"{place}.steps is {steps!r}, a list of objects was expected")
    return tuple(_rung(step, f"{place}.steps[{number}]") for number, step in enumerate(steps))


def _rung(step: Json, place: str) -> Rung:
    ratio, percent, share = (_figure(step, key, place) for key in ("rr", "pct", "close_pct"))
    if (ratio is None) == (percent is None) or share is None:
        raise Unreadable(f"{place} needs close_pct and exactly one of rr and pct")
    return Rung(ratio, None if percent is None else percent / HUNDRED, share / HUNDRED)


def read_trailing(manifest: Document) -> Trailing | None:
    """Return how stops follow the price: by a rule of its own, or by the stop's rule if that is a trailing one."""
    found = find_section(manifest, "trailing")
    if found is None:
        found = find_section(manifest, "stop_loss")
        if found is None or found[1].get("type") not in FIGURES:
            return None
    place, section = found
    kind = _text(section, "type", place)
    if kind not in FIGURES:
        raise Unreadable(f"{place}.type is {kind!r}, one of {', '.join(FIGURES)} was expected")
    key, default = FIGURES[kind]
    value = _figure(section, key, place)
    value = default if value is None else value
    if value is None:
        raise Unreadable(f"{place}.{key} is missing")
    by_range = kind == "trailing_atr"
    return Trailing(
        multiple=value if by_range else None,
        fraction=None if by_range else value / HUNDRED,
        feature=_optional_text(section, "atr_feature_id"),
        activation=(_figure(section, "activation_pct", place) or ZERO) / HUNDRED,
    )


def read_break_even(manifest: Document) -> BreakEven | None:
    """Return the break-even rule, or None."""
    found = find_section(manifest, "break_even")
    if found is None:
        return None
    place, section = found
    activation, offset = _figure(section, "activation_pct", place), _figure(section, "offset_pct", place)
    return BreakEven(
        (ACTIVATION_PCT if activation is None else activation) / HUNDRED,
        (OFFSET_PCT if offset is None else offset) / HUNDRED,
    )


def _text(section: Json, key: str, place: str) -> str:
    value = section.get(key)
    if not isinstance(value, str):
        raise Unreadable(f"{place}.{key} is {value!r}, a string was expected")
    return value


def _optional_text(section: Json, key: str) -> str | None:
    value = section.get(key)
    return value if isinstance(value, str) else None


def _figure(section: Json, key: str, place: str) -> Decimal | None:
    value = section.get(key)
    return None if value is None else finite(value, f"{place}.{key}")
