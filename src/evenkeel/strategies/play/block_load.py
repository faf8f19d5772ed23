"""Loads a block by itself, without a play around it, to tell what is wrong with it.

A block does not know the timeframes of the plays that will include it. It is therefore checked against several, and
what is wrong with all of them is wrong with the block. What depends on a parameter without a default is not judged.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

from evenkeel.model.time import Timeframe
from evenkeel.strategies.library import Library
from evenkeel.strategies.play.block import Block, read_block
from evenkeel.strategies.play.conditions import ConditionReader
from evenkeel.strategies.play.declarations import declare_features, declare_structures
from evenkeel.strategies.play.include import expand_block
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import PlayErrors, Problem
from evenkeel.strategies.play.registry import Registry, ShippedRegistry
from evenkeel.strategies.play.scope import Intervals, Scope
from evenkeel.strategies.play.setups import read_setups
from evenkeel.strategies.play.yaml_source import Source, read_file

_TRIED = (("1m", "15m", "4h", 0), ("5m", "1h", "D", 0), ("15m", "1h", "D", 1), ("D", "W", "M", 0))
"""Three timeframes, fast to slow, and the place of the one that decisions are made on."""


@dataclass(frozen=True)
class LoadedBlock:
    """A block that plays can include.

    Attributes:
        name: As in the file.
        warnings: What loads but is probably not meant.
    """

    name: str
    warnings: tuple[Problem, ...]


def load_block(file: pathlib.Path, *, registry: Registry | None = None, library: Library | None = None) -> LoadedBlock:
    """Return the block in a file.

    Args:
        file: Its file.
        registry: Indicators and structures; None takes those that ship.
        library: Where the blocks that it includes are looked up; None takes those that ship.

    Raises:
        PlayErrors: With every problem found, by line.
        UsageError: If the file does not exist or is not text.
    """
    source = read_file(file, what="block")
    known, places = registry or ShippedRegistry(), library or Library()
    tried = [_checked(source, _intervals(*names), known, places, file) for names in _TRIED]
    name, log = tried[0]
    everywhere = set.intersection(*({_place(problem) for problem in one.problems()} for _, one in tried))
    found = tuple(problem for problem in log.problems() if _place(problem) in everywhere)
    if name is None or any(problem.kind != "warning" for problem in found):
        raise PlayErrors(found)
    return LoadedBlock(name, found)


def _checked(
    source: Source, intervals: Intervals, registry: Registry, library: Library, file: pathlib.Path
) -> tuple[str | None, ProblemLog]:
    log = ProblemLog(source)
    block = read_block(log)
    if block is None:
        return None, log
    _check_parts(block, intervals, registry, library, file, log)
    if file.suffix == ".yaml" and file.stem != block.name and not log.failed:
        log.warn(("name",), f"the block is called '{block.name}', its file '{file.name}'", f"name it {file.stem}")
    return block.name, log


def _check_parts(
    block: Block, intervals: Intervals, registry: Registry, library: Library, file: pathlib.Path, log: ProblemLog
) -> None:
    parts = expand_block(block, log, library, file)
    scope = Scope(intervals)
    declare_features(parts.get("features", {}), scope, registry, log)
    declare_structures(parts.get("structures", {}), scope, registry, log)
    setups = parts.get("setups", {})
    scope.setup_section = setups
    read_setups(setups, ConditionReader(scope, log), log)


def _intervals(low: str, med: str, high: str, execution: int) -> Intervals:
    three = (Timeframe.parse(low), Timeframe.parse(med), Timeframe.parse(high))
    return Intervals(*three, exec=three[execution])


def _place(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.file, problem.line, problem.column, problem.kind, problem.path
