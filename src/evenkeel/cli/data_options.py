"""Options that several commands of `keel data` share."""

from __future__ import annotations

from pathlib import Path

import click

from evenkeel.cli.data_side import KINDS
from evenkeel.cli.params import INSTANT, OneOf

catalog_option = click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the catalog. Default: `catalog` in the home folder.",
)
timeframe_option = click.option("--tf", metavar="TF", help="Interval of the bars: 1m to 12h, D, W or M.")
start_option = click.option("--start", type=INSTANT, help="First instant, included.")
end_option = click.option("--end", type=INSTANT, help="Last instant, excluded.")
kind_option = click.option(
    "--kind", type=OneOf(KINDS), default="bars", help="What is meant; bars unless something beside them is named."
)
revision_option = click.option("--revision", metavar="ID", help="An older revision, by the beginning of its id.")
