"""`keel parity`: both lanes over the same data, compared trade by trade."""

from __future__ import annotations

from typing import Any

import click

from evenkeel.cli.output import emit, say
from evenkeel.cli.params import json_option
from evenkeel.cli.running import data_options, request_of


@click.command(name="parity")
@click.argument("strategy", metavar="STRATEGY")
@data_options
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Compare the research lane with the engine lane, trade by trade.

    Times, sides, quantities, prices, reasons and money must be equal, not near. Exit code 1 and the first difference
    otherwise.

    \b
    Example:
      keel parity ema_cross
    """
    from evenkeel.api import prepare, run_lanes
    from evenkeel.engine.parity import compare

    loaded, market = prepare(request_of(strategy, options))
    research, engine = run_lanes(loaded, market)
    found = compare(research, engine)
    if as_json:
        emit(
            {
                "schema": "evenkeel.parity/1", "strategy": loaded.name, "equal": found.equal, "fills": found.fills,
                "equity_points": found.points, "difference": found.difference,
                "result_hash": {"research": research.result_hash(), "engine": engine.result_hash()},
            }
        )  # fmt: skip
    elif found.equal:
        say(f"equal: {found.fills:,} fills and {found.points:,} points of equity; hash {research.result_hash()[:16]}")
    else:
        say(f"different: {found.difference}")
    return 0 if found.equal else 1
