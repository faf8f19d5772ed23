"""What the names of a play stand for: features, structures, setups and timeframes, and which of them are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.problems import Path
from evenkeel.strategies.play.registry import NodeInfo, OutputInfo
from evenkeel.strategies.play.vocabulary import MINUTE_PRICES, ROLES


@dataclass(frozen=True, slots=True)
class Declared:
    """A feature or structure of the play.

    Attributes:
        id: Feature id or structure key.
        node: What it computes; None if its declaration was refused, so that nothing more is said about its uses.
        timeframe: On which bars; None if refused.
        path: Where it is declared.
        is_structure: Whether it is a structure.
        params: Its parameters, resolved; None if they were refused.
    """

    id: str
    node: NodeInfo | None
    timeframe: Timeframe | None
    path: Path
    is_structure: bool
    params: Mapping[str, Any] | None

    @property
    def outputs(self) -> Sequence[OutputInfo]:
        """The outputs that it has with its parameters; none if either was refused, so that nothing more is said."""
        return () if self.node is None or self.params is None else self.node.outputs_of(self.params)

    def output(self, name: str | None) -> OutputInfo | None:
        """Return the output of that name, the primary one for None, or None if there is no such output."""
        if self.node is None:
            return None
        wanted = self.node.primary if name is None else name
        return next((output for output in self.outputs if output.name == wanted), None)


@dataclass(frozen=True, slots=True)
class Intervals:
    """The timeframes of a play.

    Attributes:
        low: Fastest.
        med: Middle.
        high: Slowest.
        exec: The one on which decisions are made; equals one of the three.
    """

    low: Timeframe
    med: Timeframe
    high: Timeframe
    exec: Timeframe

    def of(self, name: str) -> Timeframe | None:
        """Return the timeframe of a role (`exec`, `low_tf`, …) or of a declared interval; None if it is neither."""
        by_role = dict(zip(ROLES, (self.exec, self.low, self.med, self.high), strict=True))
        if name in by_role:
            return by_role[name]
        return next((timeframe for timeframe in by_role.values() if timeframe.name == name), None)

    def words(self) -> str:
        """Return what may be written where a timeframe is asked for."""
        return f"low_tf ({self.low}), med_tf ({self.med}) and high_tf ({self.high})"


@dataclass(slots=True)
class Scope:
    """The names that conditions, risk and metadata may use.

    Attributes:
        intervals: Timeframes of the play.
        declared: Feature id or structure key to its declaration.
        setup_section: Setups as written, by name.
        used: Features and structures that something refers to.
        used_setups: Setups that something refers to.
    """

    intervals: Intervals
    declared: dict[str, Declared] = field(default_factory=dict)
    setup_section: Mapping[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    used_setups: set[str] = field(default_factory=set)

    @property
    def setups(self) -> Set[str]:
        """Names of all setups."""
        return self.setup_section.keys()

    def names_minute_price(self, value: Any) -> bool:
        """Return whether an expression as written, not yet read, names a price of the minute, through setups too."""
        pending, seen = [value], set[str]()
        while pending:
            part = pending.pop()
            if isinstance(part, str) and part.partition(".")[0] in MINUTE_PRICES:
                return True
            if isinstance(part, list):
                pending += part
            elif isinstance(part, dict):
                pending += part.values()
                name = part.get("setup")
                if isinstance(name, str) and name not in seen:
                    seen.add(name)
                    pending.append(self.setup_section.get(name))
        return False

    def find(self, name: str) -> Declared | None:
        """Return the declaration of that name and note its use."""
        found = self.declared.get(name)
        if found is not None:
            self.used.add(name)
        return found

    def features(self, *indicators: str) -> list[str]:
        """Return the ids of all features of those indicators; of all features if none is given."""
        return [
            one.id
            for one in self.declared.values()
            if not one.is_structure and (not indicators or (one.node is not None and one.node.name in indicators))
        ]

    def structures(self) -> list[str]:
        """Return the keys of all structures."""
        return [one.id for one in self.declared.values() if one.is_structure]
