"""What the plays of the suites trade: the shipped instruments, and those of the generated markets."""

from __future__ import annotations

from functools import cache

from evenkeel.data.definitions import GENERATED_VENUE, Definitions
from evenkeel.data.synthetic import Recipe
from evenkeel.data.synthetic.storage import default_id, definition_of
from evenkeel.model.instrument import Instrument


def find(name: str) -> Instrument:
    """Return the instrument of that name; one of a generated market as `keel data synth` would define it."""
    symbol, _, venue = name.rpartition(".")
    return _generated(symbol.lower()) if venue == GENERATED_VENUE else _shipped().find(name)


@cache
def _shipped() -> Definitions:
    return Definitions.load()


@cache
def _generated(regime: str) -> Instrument:
    return definition_of(default_id(regime), Recipe(regime=regime))
