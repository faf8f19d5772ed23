"""What conditions are about: the parts of a play that say what is looked at, and nothing of what is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from evenkeel.model.instrument import Instrument
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.scope import Intervals


class Subject(Protocol):
    """A play, or anything else with features and conditions; see `evenkeel.strategies.play.play.Play`."""

    @property
    def instrument(self) -> Instrument:
        """What is looked at."""

    @property
    def intervals(self) -> Intervals:
        """Its timeframes."""

    @property
    def evaluate(self) -> str:
        """`bar_close` or `intrabar`."""

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """Indicators, each after the one it reads."""

    @property
    def structures(self) -> tuple[StructureSpec, ...]:
        """Detectors in file order, each after those it reads."""

    @property
    def setups(self) -> Mapping[str, Condition]:
        """Named conditions, each after those it refers to."""

    @property
    def resolved(self) -> Mapping[str, Any]:
        """The document that it was made from, to show conditions as they are written."""

    @property
    def warmup(self) -> Mapping[str, int]:
        """Timeframe name to the bars it shall have at least before the first decision."""
