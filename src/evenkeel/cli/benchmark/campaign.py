"""The whole measurement: which parts, in which order, and the peers beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from evenkeel.cli.benchmark import sweep
from evenkeel.cli.benchmark.drawn import measure_drawn
from evenkeel.cli.benchmark.figure import Figure
from evenkeel.cli.benchmark.lane import ENGINE, RESEARCH, RESEARCH_LOOP, measure_lanes
from evenkeel.cli.benchmark.live_bar import measure_closed_bar, measure_live_bar
from evenkeel.cli.benchmark.peer import PEERS, REFERENCE, Measured, Peer, environment, measure_peer
from evenkeel.cli.benchmark.process import measure_processes, measure_start
from evenkeel.cli.benchmark.workload import WORKLOADS, Prepared, Workload, prepare_workload
from evenkeel.model.errors import DataError

PARTS = (*WORKLOADS, sweep.NAME, "live", "drawn", "start")
"""What can be measured alone."""

BESIDE = {
    RESEARCH_LOOP: ("vectorbt", "backtesting.py", "nautilus", "backtrader"),
    RESEARCH: ("vectorbt",),
    ENGINE: ("backtesting.py", "nautilus", "backtrader"),
}
"""The peers that do the same kind of work: vectorbt has no events, and its trades stay numbers until they are read."""

RATIO_AIMS = {
    (RESEARCH_LOOP, "vectorbt"): 10.0,
    (RESEARCH_LOOP, "nautilus"): 1000.0,
    (ENGINE, "nautilus"): 20.0,
    (ENGINE, "backtesting.py"): 5.0,
}
"""How many times faster than a peer a lane is meant to be; one that can leave its equity curve out, without it."""

WITH_CURVE = "with its equity curve"

Told = Callable[[str], None]


@dataclass(slots=True)
class Campaign:
    """What has been measured.

    Attributes:
        figures: In the order of measurement.
        peers: What the peers did, the plain loop first.
        absent: Peers that could not be measured, and why.
        complaints: Where something traded otherwise than it must; a figure beside one is worth nothing.
    """

    figures: list[Figure] = field(default_factory=list)
    peers: list[Measured] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def run_campaign(
    parts: Collection[str], *, bars: int, runs: int, folder: Path, environments: Path | None, told: Told
) -> Campaign:
    """Measure.

    Args:
        parts: Some of `PARTS`.
        bars: Of W1; the other workloads take their share.
        runs: How often each thing is done for a median.
        folder: For files of the measurement, thrown away later.
        environments: Where the peers' environments are kept; None measures no peers.
        told: Given a sentence before each part.
    """
    campaign = Campaign()
    for name, workload in WORKLOADS.items():
        if name in parts:
            _measure_workload(campaign, workload, int(bars * workload.share), runs, folder, environments, told)
    if sweep.NAME in parts:
        _measure_sweep(campaign, int(bars * sweep.SHARE), runs, folder / sweep.NAME, environments, told)
    if "live" in parts:
        told("live: one bar at a time")
        campaign.figures += measure_live_bar(runs) + measure_closed_bar(runs)
    if "drawn" in parts:
        told("drawn: strategies that nobody chose")
        figures, complaints = measure_drawn(folder / "drawn")
        campaign.figures += figures
        campaign.complaints += complaints
    if "start" in parts:
        told("start: commands that do nothing yet")
        campaign.figures += measure_start(runs)
    return campaign


def _measure_workload(
    campaign: Campaign, workload: Workload, bars: int, runs: int, folder: Path, environments: Path | None, told: Told
) -> None:
    told(f"{workload.name}: {workload.title}, {bars:,} bars")
    prepared = prepare_workload(workload, bars, folder / workload.name)
    figures, _, complaints = measure_lanes(prepared, runs)
    campaign.complaints += [f"{workload.name}: {text}" for text in complaints]
    told(f"{workload.name}: whole processes, and once each with an empty kernel cache")
    try:
        figures += measure_processes(prepared, runs)
    except DataError as error:
        campaign.complaints.append(f"{workload.name}: {error.message}")
    found = []
    for peer in (REFERENCE, *(PEERS if environments is not None else ())):
        if workload.name in peer.workloads:
            measured = _measure_peer(campaign, peer, prepared, runs, folder, environments or folder, told)
            found += [measured] if measured is not None else []
    campaign.peers += found
    campaign.figures += [_with_ratios(figure, found) for figure in figures]


def _measure_sweep(
    campaign: Campaign, bars: int, runs: int, folder: Path, environments: Path | None, told: Told
) -> None:
    """Measure the sweep, and beside it the peers that can run it."""
    told(f"{sweep.NAME}: {sweep.TITLE}, {bars:,} bars each")
    swept = sweep.measure_sweep(bars, runs, folder)
    campaign.complaints += [f"{sweep.NAME}: {text}" for text in swept.complaints]
    figures = [*swept.figures, *sweep.measure_process(folder)]
    for peer in PEERS if environments is not None else ():
        if sweep.NAME in peer.workloads and peer.name not in campaign.absent:
            try:
                python = environment(peer, environments or folder, told)
                told(f"{sweep.NAME}: {peer.name}, {bars:,} bars")
                measured = sweep.measure_sweep_peer(peer, python, swept, folder)
            except DataError as error:
                campaign.absent[peer.name] = error.message
                continue
            campaign.peers.append(measured)
            campaign.complaints += [f"{sweep.NAME}: {peer.name} has {text}" for text in measured.differences]
            if not measured.differences:
                figures[0] = figures[0].beside(peer.name, measured.rate.value, sweep.RATIO_AIM)
    campaign.figures += figures


def _measure_peer(
    campaign: Campaign, peer: Peer, prepared: Prepared, runs: int, folder: Path, environments: Path, told: Told
) -> Measured | None:
    """Measure a peer on the series, or on its beginning when it is slow; None if it cannot be had."""
    workload, bars = prepared.workload, min(peer.bars_max or len(prepared.bars), len(prepared.bars))
    if peer.name in campaign.absent:
        return None
    try:
        python = environment(peer, environments, told)
        told(f"{workload.name}: {peer.name}, {bars:,} bars")
        if bars < len(prepared.bars):
            prepared = prepare_workload(workload, bars, folder / f"{workload.name}_{bars}")
        measured = measure_peer(peer, python, prepared, folder, runs)
    except DataError as error:
        campaign.absent[peer.name] = error.message
        return None
    campaign.complaints += [f"{workload.name}: {peer.name} has {text}" for text in measured.differences]
    return measured


def _with_ratios(figure: Figure, found: list[Measured]) -> Figure:
    """Set the peers beside a figure: bars a second beside bars a second, a whole process beside one on as many bars."""
    for measured in found:
        if measured.differences or measured.peer is REFERENCE:
            continue
        if measured.peer.name in BESIDE.get(figure.name, ()):
            aim = RATIO_AIMS.get((figure.name, measured.peer.name))
            figure = figure.beside(measured.peer.name, measured.rate.value, aim)
            if measured.curve_rate is not None:
                figure = figure.beside(f"{measured.peer.name} {WITH_CURVE}", measured.curve_rate.value)
        elif figure.name.endswith("whole process") and measured.peer.bars_max is None:
            figure = figure.beside(measured.peer.name, measured.process_s)
    return figure
