"""Values of indicators and structures beside bars: `keel data show --with`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evenkeel.cli.console import announce_compilation, print_table
from evenkeel.cli.data_views import bars_document
from evenkeel.cli.output import emit, note, say
from evenkeel.model.errors import UsageError
from evenkeel.model.time import format_time

if TYPE_CHECKING:
    from evenkeel.data.calendar import Calendar
    from evenkeel.data.catalog import Series
    from evenkeel.features.node import Output, Params
    from evenkeel.features.request import NodeRequest
    from evenkeel.model.bar import Bars, Floats

OUTPUTS_SHOWN_MAX = 6
"""Outputs of one node that a table has room for; `--json` has all."""

DIGITS = 8
"""Significant digits of a value in a table."""

MISSING = "-"

Cell = int | float | bool | str | None


def show_values(
    series: Series, calendar: Calendar, texts: Sequence[str], rows: Sequence[int], skipped: int, *, as_json: bool
) -> None:
    """Print rows of bars with values of nodes.

    Args:
        series: The bars, those before the range included.
        calendar: Of their market.
        texts: Nodes as asked for.
        rows: Which bars to print.
        skipped: How many of the bars lie before the range.
        as_json: Print one document instead of a table.
    """
    from evenkeel.features.compute import compute
    from evenkeel.features.request import parse_request

    requests = [parse_request(text) for text in texts]
    _require_different(requests)
    announce_compilation()
    uses = used_by(requests)
    bars = series.bars
    columns: list[tuple[NodeRequest, Output, Floats]] = []
    for request in requests:
        values = compute(request.node, request.params, bars, calendar, source=request.source, uses=uses)
        columns += [(request, output, values[output.name]) for output in request.outputs]
    notes = wiring_notes(requests, uses)
    if as_json:
        emit(_document(series, columns, rows, len(bars) - skipped, notes))
        return
    for line in notes:
        note(f"note: {line}")
    _print(bars, columns, rows)
    note(f"{len(rows):,} of {len(bars) - skipped:,} bars, revision {series.revision.id[:12]}")


def used_by(requests: Sequence[NodeRequest]) -> dict[str, Params]:
    """Return the parameters of what structures read: those of a node of that kind that is asked for, the last one."""
    return {request.node.name: request.params for request in requests}


def wiring_notes(requests: Sequence[NodeRequest], uses: Mapping[str, Params]) -> list[str]:
    """Return a sentence for each node that reads others: which, and with what parameters."""
    from evenkeel.features.compute import read_by

    notes = []
    for request in requests:
        kinds = read_by(request.node, uses)
        if kinds:
            words = ", ".join(f"{kind} ({_words(params)})" for kind, params in kinds.items())
            notes.append(f"{request.text} reads {words}")
    return list(dict.fromkeys(notes))


def _words(params: Mapping[str, object]) -> str:
    given = {name: value for name, value in params.items() if value is not None}
    return ", ".join(f"{name} {_cell(value)}" for name, value in given.items())


def _require_different(requests: Sequence[NodeRequest]) -> None:
    texts = [request.text for request in requests]
    for text in texts:
        if texts.count(text) > 1:
            raise UsageError(f"--with gives '{text}' twice")


def _document(
    series: Series, columns: Sequence[tuple[NodeRequest, Output, Floats]], rows: Sequence[int], total: int,
    notes: Sequence[str],
) -> dict[str, object]:  # fmt: skip
    values: dict[str, dict[str, list[Cell]]] = {}
    for request, output, numbers in columns:
        values.setdefault(request.text, {})[output.name] = [output.reading(float(numbers[row])) for row in rows]
    revision = series.revision
    return {
        "schema": "evenkeel.bars/1", "instrument": revision.instrument, "timeframe": str(revision.timeframe),
        "revision": revision.id, "total": total, **bars_document(series.bars, rows), "with": values,
        "notes": list(notes),
    }  # fmt: skip


def _print(bars: Bars, columns: Sequence[tuple[NodeRequest, Output, Floats]], rows: Sequence[int]) -> None:
    shown: list[tuple[str, Output, Floats]] = []
    left_out: dict[str, int] = {}
    for request, output, numbers in columns:
        place = request.outputs.index(output)
        if place >= OUTPUTS_SHOWN_MAX:
            left_out[request.text] = left_out.get(request.text, 0) + 1
        else:
            several = len(request.outputs) > 1
            shown.append((f"{request.text} {output.name}" if several else request.text, output, numbers))
    heads = ("open time", "close", *(name for name, _, _ in shown))
    lines = [
        (
            format_time(int(bars.open_ns[row])), repr(float(bars.close[row])),
            *(_cell(output.reading(float(numbers[row]))) for _, output, numbers in shown),
        )
        for row in rows
    ]  # fmt: skip
    print_table(heads, lines, right=heads[1:])
    for text, count in left_out.items():
        say(f"{text} has {count} further outputs: name one as in {text.split(':')[0]}.OUTPUT, or use --json")


def _cell(value: object) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
