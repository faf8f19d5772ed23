"""`keel report RUN`: write the HTML report of a finished run again, or give its figures as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option
from evenkeel.cli.running import catalog_folder

if TYPE_CHECKING:
    from evenkeel.model.bar import Bars


@click.command(name="report")
@click.argument("run", metavar="RUN")
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Catalog that has the bars of the run. Default: that of the home, then the shipped sample.",
)
@click.option(
    "--monte-carlo",
    "paths",
    type=int,
    metavar="N",
    help="Draw the trades again in N histories of each kind, and keep the figures in result.json.",
)
@click.option("--open", "show", is_flag=True, help="Open the report in the browser.")
@json_option
def command(run: str, catalog: Path | None, paths: int | None, show: bool, as_json: bool) -> None:
    """Write the report of a run as one HTML page that opens offline.

    RUN is an id, a unique prefix of one, a folder, or `latest`. The page leads with uncertainty: what luck could have
    made of the same trades. Without the bars of the run the price is left out of the chart and everything else stays.
    With --monte-carlo the trades are put in another order, drawn again in blocks, missed now and then and filled worse:
    ranges of return and drawdown, and the chance of ruin.

    \b
    Example:
      keel report latest --open
      keel report out --json
      keel report latest --monte-carlo 10000
    """
    from evenkeel.engine.runs import find_run
    from evenkeel.monitor.report import write_report

    folder = find_run(current_home().runs, run)
    if paths is not None:
        _keep(folder, paths)
    page = write_report(folder, candles=_bars(folder, catalog_folder(catalog)), paths=paths)
    if as_json:
        emit(_document(folder, page))
    else:
        say(str(page))
    if show:
        click.launch(page.as_uri())


def _bars(folder: Path, catalog: Path) -> Bars | None:
    from evenkeel.data.sources import Sources
    from evenkeel.model.errors import UsageError
    from evenkeel.monitor.report.bars import bars_of_run

    try:
        return bars_of_run(folder, Sources.of(catalog).catalogs)
    except UsageError as error:
        note(f"without the bars of the run: {error.message}")
        return None


def _keep(folder: Path, paths: int) -> None:
    """Put what else the trades could have made into the result of the run."""
    import msgspec

    from evenkeel.engine.results import read_json, write_result
    from evenkeel.monitor.report.paths import redraw
    from evenkeel.monitor.report.run_files import read_run

    found = redraw(read_run(folder), paths=paths)
    result = read_json(folder / "result.json")
    result["monte_carlo"] = None if found is None else msgspec.to_builtins(found[0])
    write_result(folder, result)


def _document(folder: Path, page: Path) -> dict[str, Any]:
    import msgspec

    from evenkeel.monitor.report import read_uncertainty

    return {
        "schema": "evenkeel.report/1",
        "folder": str(folder),
        "report": str(page),
        "result": msgspec.json.decode((folder / "result.json").read_bytes()),
        "uncertainty": msgspec.to_builtins(read_uncertainty(folder)),
    }
