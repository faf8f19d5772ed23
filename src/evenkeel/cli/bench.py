"""`keel bench`: measure the speed of both lanes, and of other backtesters beside them."""

from __future__ import annotations

import os
import platform
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import announce_compilation, print_table
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option

if TYPE_CHECKING:
    from evenkeel.cli.benchmark.campaign import Campaign
    from evenkeel.cli.benchmark.figure import Figure, Ratio

PARTS = ("W1", "W2", "W3", "live", "drawn", "start")
"""As in `evenkeel.cli.benchmark.campaign.PARTS`; a test compares."""

PEER_FOLDER = "bench-peers"
BARS_MIN = 1_000
WIDTH = 110

METHOD = (
    "Series: random walk, seed 7, one-minute bars. Decided at the close from the first bar at which every indicator "
    "has warmed up, for us and for the peers alike; filled at the next open; 5.5 bps a side; averages start from the "
    "mean of their first n. A peer that fills at the close of the decision is held to that price. What the end of the "
    "data closes here is left out of the comparison. Slow peers run on the beginning of the series. Figures are "
    "medians; use an idle machine, and compare ratios between machines, not figures."
)


@click.command(name="bench")
@click.option("--peers", is_flag=True, help="Measure other backtesters too, in environments made once in the home.")
@click.option("--bars", type=click.IntRange(min=BARS_MIN), default=1_000_000, help="Bars of W1. Default: a million.")
@click.option("--runs", type=click.IntRange(min=1), default=3, help="How often each thing is done. Default: 3.")
@click.option("--only", type=OneOf(PARTS), multiple=True, help="Measure this part alone; may be given several times.")
@json_option
def command(peers: bool, bars: int, runs: int, only: tuple[str, ...], as_json: bool) -> int:
    """Measure the speed of both lanes.

    W1 trades often and computes little, W2 has indicators, stops and targets, W3 sweeps four hundred sets. `live`
    is one bar at a time, `drawn` fifty strategies that nobody chose, `start` the time before a command does
    anything. Nothing is measured that is not checked: exit code 1 if a lane or a peer traded otherwise than a plain
    loop over the same bars.

    \b
    Example:
      keel bench
      keel bench --peers --only W1
      keel bench --bars 100000 --json
    """
    from evenkeel.cli.benchmark.campaign import run_campaign

    announce_compilation()
    environments = current_home().root / PEER_FOLDER if peers else None
    with TemporaryDirectory(prefix="keel-bench-") as folder:
        campaign = run_campaign(
            only or PARTS, bars=bars, runs=runs, folder=Path(folder), environments=environments, told=note
        )
    if as_json:
        emit(_document(campaign, bars))
    else:
        _print(campaign, asked_for_peers=peers)
    return 1 if campaign.complaints else 0


def _print(campaign: Campaign, *, asked_for_peers: bool) -> None:
    rows = [
        (figure.part, figure.name, _amount(figure.value, figure.unit), _amount(figure.worst, figure.unit),
         str(figure.runs), _aim(figure), ", ".join(map(_ratio, figure.ratios)))
        for figure in campaign.figures
    ]  # fmt: skip
    print_table(("part", "what", "median", "worst", "runs", "aim", "beside"), rows, right=("median", "worst", "runs"))
    if campaign.peers:
        say()
        columns = ("part", "peer", "bars", "bars/s", "with curve", "process s", "MB", "fills", "against ours")
        lines = [
            (one.workload, " ".join((one.peer.name, _version(one.versions))), f"{one.bars:,}", f"{one.rate.value:,.0f}",
             "" if one.curve_rate is None else f"{one.curve_rate.value:,.0f}",
             f"{one.process_s:.2f}", f"{one.memory_mb:,.0f}", f"{one.fills:,}",
             "; ".join(one.differences) or f"equal, at the {one.peer.rule.split()[1]}")
            for one in campaign.peers
        ]  # fmt: skip
        print_table(columns, lines, right=("bars", "bars/s", "with curve", "process s", "MB", "fills"))
    say()
    say(textwrap.fill(METHOD, WIDTH))
    for name, why in campaign.absent.items():
        note(f"{name} was not measured: {why}")
    if not asked_for_peers:
        note("other backtesters were not measured; `keel bench --peers` installs them once and does")
    for complaint in campaign.complaints:
        say(f"DIFFERS {complaint}")


def _document(campaign: Campaign, bars: int) -> dict[str, Any]:
    return {
        "schema": "evenkeel.bench/1",
        "ok": not campaign.complaints,
        "method": METHOD,
        "bars": bars,
        "machine": _machine(),
        "figures": [
            {
                "part": figure.part, "name": figure.name, "value": figure.value, "worst": figure.worst,
                "unit": figure.unit, "runs": figure.runs, "aim": figure.aim, "met": figure.met,
                "ratios": [
                    {"peer": ratio.peer, "times": ratio.times, "aim": ratio.aim, "met": ratio.met}
                    for ratio in figure.ratios
                ],
            }
            for figure in campaign.figures
        ],
        "peers": [
            {
                "part": one.workload, "name": one.peer.name, "versions": one.versions, "bars": one.bars,
                "bars_per_s": one.rate.value,
                "bars_per_s_with_curve": None if one.curve_rate is None else one.curve_rate.value,
                "process_s": one.process_s, "memory_mb": one.memory_mb,
                "fills": one.fills, "rule": one.peer.rule, "differences": one.differences,
            }
            for one in campaign.peers
        ],
        "absent": campaign.absent,
        "complaints": campaign.complaints,
    }  # fmt: skip


def _machine() -> dict[str, Any]:
    import llvmlite.binding
    import numba
    import numpy as np
    import polars as pl

    import evenkeel

    return {
        "evenkeel": evenkeel.__version__, "python": platform.python_version(), "numpy": np.__version__,
        "numba": numba.__version__, "polars": pl.__version__, "system": platform.platform(),
        "cpu": llvmlite.binding.get_host_cpu_name(), "cpus": os.cpu_count(),
    }  # fmt: skip


def _amount(value: float, unit: str) -> str:
    return f"{_number(value)} {unit}"


def _number(value: float) -> str:
    places = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:,.{places}f}"


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    words = "over" if figure.more_is_better else "under"
    return f"{words} {figure.aim:,.0f}: {_word(figure.met)}"


def _ratio(ratio: Ratio) -> str:
    aim = "" if ratio.aim is None else f" (aim {ratio.aim:,.0f}: {_word(ratio.met)})"
    return f"{_number(ratio.times)} x {ratio.peer}{aim}"


def _word(met: bool | None) -> str:
    return "met" if met else "MISSED"


def _version(versions: dict[str, str]) -> str:
    return next(iter(versions.values()))
