"""A backtest of a playbook with its folders and journals: every play an ordinary run, all of them in one order of time.

A run that was killed is taken up again: each play folds what its own journal holds and decides from there. The journals
may end at different instants; what the playbook says to a play whose journal ends earlier follows from the state of the
others, which is the same whether it was folded or decided.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenkeel.engine import results
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts
from evenkeel.engine.journaled import journal_session
from evenkeel.engine.manifest import build_manifest, run_id
from evenkeel.engine.market import Market
from evenkeel.engine.playbook.driver import PlaybookDriver
from evenkeel.engine.playbook.regimes import NOTHING_SEEN, Eye, look
from evenkeel.engine.playbook.research import ResearchAccount
from evenkeel.engine.runs import PLAYS_FOLDER
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.time import format_time
from evenkeel.strategies.playbook.playbook import Playbook
from evenkeel.strategies.strategy import Strategy

SCHEMA = "evenkeel.manifest/1"


@dataclass(frozen=True)
class Part:
    """A play of a playbook that is about to run.

    Attributes:
        name: In the playbook.
        strategy: What decides.
        market: On what.
        manifest: Of its run.
        folder: For its files.
    """

    name: str
    strategy: Strategy
    market: Market
    manifest: dict[str, Any]
    folder: Path


def playbook_manifest(
    playbook: Playbook, parts: Sequence[tuple[str, Strategy, Market]], detector: Market | None, *, lane: str
) -> dict[str, Any]:
    """Return the manifest of a playbook's run without its stamp; `run` is derived from the rest."""
    plays = [(name, build_manifest(strategy, market, lane=lane)) for name, strategy, market in parts]
    common = plays[0][1]
    windows = [market.window for _, _, market in parts]
    facts: dict[str, Any] = {
        "schema": SCHEMA, "kind": "playbook", "code": common["code"], "lane": lane, "profile": common["profile"],
        "playbook": {"name": playbook.name, "hash": playbook.hash, "resolved": playbook.resolved},
        "data": {
            "start": format_time(min(window[0] for window in windows)),
            "end": format_time(max(window[1] for window in windows)),
            "detector": None if detector is None else detector.data_hash,
        },
        "plays": [
            {"name": name, "strategy": one["strategy"]["hash"], "data": one["data"]["hash"]}
            for name, one in plays
        ],
        "packages": common["packages"], "platform": common["platform"],
    }  # fmt: skip
    return {"run": run_id(playbook.name, facts), **facts}


def part_of(name: str, strategy: Strategy, market: Market, playbook: str, folder: Path, *, lane: str) -> Part:
    """Return a play with the manifest of its run, which names the run of the playbook that it is a part of."""
    manifest = build_manifest(strategy, market, lane=lane)
    facts = {key: value for key, value in manifest.items() if key != "run"}
    facts["playbook"] = {"run": playbook, "play": name}
    return Part(name, strategy, market, {"run": run_id(strategy.name, facts), **facts}, folder / PLAYS_FOLDER / name)


def run_parts(
    playbook: Playbook,
    parts: Sequence[Part],
    eye: Eye | None,
    detector: Market | None,
    *,
    stamp_ns: Callable[[], int],
    told: Callable[[str], None] | None = None,
    timer: Callable[[], float] | None = None,
) -> tuple[PlaybookDriver, list[BacktestDriver], int]:
    """Run all plays in one order of time; their manifests, journals and decisions are on the disk when it returns.

    The last that is returned is how many steps of a killed session were taken up.

    Args:
        playbook: What decides who may trade.
        parts: Its plays, in the order of its members.
        eye: Its detector; None without regimes.
        detector: The market that the detector looks at.
        stamp_ns: Returns the time of day for the manifests.
        told: Given a sentence for each play of which an earlier session is taken up.
        timer: Seconds on a monotonic clock.
    """
    sightings = NOTHING_SEEN if eye is None or detector is None else look(eye, detector)
    _leave_only(parts)
    drivers, taken_up = [], 0
    with ExitStack() as journals:
        for part in parts:
            results.write_manifest(part.folder, part.manifest, created_ns=stamp_ns())
            log, recorded = journals.enter_context(journal_session(part.folder, part.manifest, told))
            taken_up += len(recorded)
            drivers.append(
                BacktestDriver(_facts(part), part.strategy, part.market, log=log, recorded=recorded, timer=timer)
            )
        runs = [(driver, part.market) for driver, part in zip(drivers, parts, strict=True)]
        driver = PlaybookDriver(playbook, runs, sightings, min(part.market.window[0] for part in parts))
        driver.run()
    for part, one in zip(parts, drivers, strict=True):
        results.write_decisions(part.folder, one.decisions)
    return driver, drivers, taken_up


def _leave_only(parts: Sequence[Part]) -> None:
    """Remove what an unfinished run of another playbook left beside the plays of this one."""
    kept = {part.folder for part in parts}
    for folder in [path for path in parts[0].folder.parent.glob("*") if path not in kept]:
        shutil.rmtree(folder)


def run_parts_research(
    playbook: Playbook,
    parts: Sequence[Part],
    eye: Eye | None,
    detector: Market | None,
    *,
    stamp_ns: Callable[[], int],
    timer: Callable[[], float] | None = None,
) -> tuple[PlaybookDriver, list[ResearchAccount]]:
    """Run all plays as `run_parts` does, in the research lane: without journals and decisions."""
    sightings = NOTHING_SEEN if eye is None or detector is None else look(eye, detector)
    for part in parts:
        results.write_manifest(part.folder, part.manifest, created_ns=stamp_ns())
    accounts = [ResearchAccount(part.strategy, part.market, timer=timer) for part in parts]
    runs = [(account, part.market) for account, part in zip(accounts, parts, strict=True)]
    driver = PlaybookDriver(playbook, runs, sightings, min(part.market.window[0] for part in parts))
    driver.run()
    return driver, accounts


def _facts(part: Part) -> RunFacts:
    strategy = part.strategy
    return RunFacts(
        mode="backtest", run=RunId(part.manifest["run"]), strategy=StrategyId(strategy.name),
        instrument=strategy.instrument.id, start_equity=strategy.terms.account.start_equity,
    )  # fmt: skip
