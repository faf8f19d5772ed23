"""Setups: named conditions, checked for circles, for depth, and for what they read through each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evenkeel.strategies.play.conditions import ConditionReader
from evenkeel.strategies.play.expression import Condition, SetupRef, children
from evenkeel.strategies.play.problem_log import ProblemLog

_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)

DEPTH_MAX = 32
"""Longest chain of setups that refer to setups."""


def read_setups(section: dict[str, Any], reader: ConditionReader, log: ProblemLog) -> dict[str, Condition]:
    """Return every setup by name, each after those that it refers to; circles are told."""
    for name in section:
        if not _NAME.match(name):
            log.error(("setups", name), f"'{name}' is not a name", "use letters, digits and _", key=True)
    found = {name: reader.read(value, ("setups", name)) for name, value in section.items()}
    setups = {name: condition for name, condition in found.items() if condition is not None}
    ordered, circles = _walk({name: _referred(condition) for name, condition in setups.items()})
    for circle in circles:
        log.error(("setups", circle[0]), f"setups refer to each other in a circle: {' -> '.join(circle)}", key=True)
    depths: dict[str, int] = {}
    for name in [] if circles else ordered:
        depths[name] = 1 + max((depths.get(other, 0) for other in _referred(setups[name])), default=0)
        if depths[name] == DEPTH_MAX + 1:
            log.error(("setups", name), f"setups refer to setups more than {DEPTH_MAX} deep", "join some", key=True)
    return {name: setups[name] for name in ordered}


def _referred(condition: Condition) -> list[str]:
    if isinstance(condition, SetupRef):
        return [condition.id]
    return [name for child in children(condition) for name in _referred(child)]


def _walk(links: Mapping[str, list[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the names in an order in which each follows what it links to, and every circle met on the way."""
    finished: list[str] = []
    circles: list[list[str]] = []
    seen: set[str] = set()
    for start in links:
        trail = [start] if start not in seen else []
        pending = [iter(links[start])] if trail else []
        seen.add(start)
        while pending:
            other = next((name for name in pending[-1] if name in links), None)
            if other is None:
                pending.pop()
                finished.append(trail.pop())
            elif other in trail:
                circles.append([*trail[trail.index(other) :], other])
            elif other not in seen:
                seen.add(other)
                trail.append(other)
                pending.append(iter(links[other]))
    return finished, circles
