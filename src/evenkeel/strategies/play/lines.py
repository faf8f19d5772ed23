"""Lines: where in its file each condition of a play stands, so that an explanation can name the line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from evenkeel.strategies.play.actions import Block
from evenkeel.strategies.play.expression import Compare, Condition, children
from evenkeel.strategies.play.problems import Path, dotted
from evenkeel.strategies.play.yaml_source import Source


def condition_lines(source: Source, setups: Mapping[str, Condition], blocks: Iterable[Block]) -> dict[str, int]:
    """Return the place of every condition, such as `actions.entry_long.all[2]`, and its line in the file, from 1.

    A comparison stands where its parts begin, everything else where its key is. What the command line gave has no line.
    """
    cases = [case.when for block in blocks for case in block.cases]
    roots = [*setups.values(), *(when for when in cases if when is not None)]
    compared = {one.path: isinstance(one, Compare) for root in roots for one in _within(root)}
    lines = {}
    for path, span in source.spans.items():
        place = dotted(path)
        if place in compared and not _was_given(source, path):
            lines[place] = (span if compared[place] else source.key_spans.get(path, span)).line
    return lines


def _within(condition: Condition) -> Iterator[Condition]:
    yield condition
    for child in children(condition):
        yield from _within(child)


def _was_given(source: Source, path: Path) -> bool:
    return any(path[:length] in source.origins for length in range(len(path) + 1))
