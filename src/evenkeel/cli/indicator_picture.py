"""`keel indicators NAME --plot INSTRUMENT`: a picture of a node on stored bars."""

from __future__ import annotations

from pathlib import Path

from evenkeel.cli.console import announce_compilation
from evenkeel.cli.data_values import wiring_notes
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.stored import instrument_and_calendar, sources_under, timeframe_of
from evenkeel.model.errors import UsageError

BARS_READ = 6000
"""Bars that warm the values up before the drawn ones; the longest window that an indicator may have fits in."""

KINDS = (".svg", ".html")


def write_picture(
    text: str, name: str, tf: str | None, end_ns: int | None, out: Path | None, *, as_json: bool
) -> None:  # fmt: skip
    """Draw a node on the last bars of an instrument and write the file.

    Args:
        text: The node as `keel data show --with` takes it; a structure without parameters gets those of a sample.
        name: Of the instrument.
        tf: Of the bars; None where only one is stored.
        end_ns: Draw the bars that open before; None for the last ones.
        out: The file; None names one after the node.
        as_json: Print one document instead of a sentence.

    Raises:
        UsageError: If something of it does not exist, or the file is of neither kind.
    """
    from evenkeel.data.atomic import write_atomically
    from evenkeel.features.request import parse_request
    from evenkeel.monitor.picture import SAMPLES, Subject, draw, page

    request = parse_request(text, SAMPLES)
    instrument, calendar = instrument_and_calendar(name)
    sources = sources_under(None)
    timeframe = timeframe_of(sources, instrument, tf)
    path = out or Path(f"{request.node.name}-{instrument.id}.svg")
    if path.suffix not in KINDS:
        raise UsageError(f"--out {path} must end in {' or '.join(KINDS)}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for --out")
    series = sources.read(instrument.id, timeframe, start_ns=None, stop_ns=end_ns)
    announce_compilation()
    bars = series.bars.rows(max(len(series.bars) - BARS_READ, 0), len(series.bars))
    title = f"{text} on {instrument.id}, {timeframe}"
    picture = draw(Subject(request.node, request.params, bars, calendar, request.source), title=title)
    notes = wiring_notes([request], {})
    html = page(request.node, picture, title=title, notes=notes) if path.suffix == ".html" else picture
    write_atomically(path, html.encode())
    if as_json:
        facts = {"instrument": instrument.id, "timeframe": str(timeframe), "revision": series.revision.id}
        emit({"schema": "evenkeel.picture/1", "node": request.node.name, **facts, "file": str(path), "notes": notes})
        return
    for line in notes:
        note(f"note: {line}")
    say(f"picture: {path}")
