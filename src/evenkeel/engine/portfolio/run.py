"""A backtest of several instruments with its folders: files of the account, and below them those of each instrument.

An instrument's folder holds the files of a run of it, with its equity as if nothing else had traded, so that whatever
reads a run reads it too. Its journal is that of the account, where every event names its instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenkeel.engine import results
from evenkeel.engine.core import RunFacts
from evenkeel.engine.journaled import journal_session
from evenkeel.engine.manifest import build_manifest, run_id
from evenkeel.engine.portfolio.driver import PortfolioDriver
from evenkeel.engine.portfolio.instance import Instance, in_order
from evenkeel.engine.portfolio.record import PortfolioRecord
from evenkeel.engine.research import Progress
from evenkeel.engine.runs import INSTRUMENTS_FOLDER
from evenkeel.model.ids import RunId, StrategyId, short_hash
from evenkeel.model.time import format_time

SCHEMA = "evenkeel.manifest/1"
_ACCOUNT_KEYS = ("currency", "start_equity", "max_drawdown_pct", "stop_equity")


@dataclass(frozen=True)
class Part:
    """An instrument of a run with several.

    Attributes:
        instance: What trades it, and its bars.
        manifest: Of its part of the run.
        folder: For its files.
    """

    instance: Instance
    manifest: dict[str, Any]
    folder: Path

    @property
    def facts(self) -> RunFacts:
        """What the ids of its orders derive from."""
        strategy = self.instance.strategy
        return RunFacts(
            mode="backtest", run=RunId(self.manifest["run"]), strategy=StrategyId(strategy.name),
            instrument=strategy.instrument.id, start_equity=strategy.terms.account.start_equity,
        )  # fmt: skip


def hash_of(instances: Sequence[Instance]) -> str:
    """Return the hash of what trades on an account: that of each strategy, in the order of the instruments."""
    return short_hash("/".join(one.strategy.hash for one in in_order(instances)).encode(), 16)


def portfolio_manifest(instances: Sequence[Instance], *, lane: str) -> dict[str, Any]:
    """Return the manifest of a run without its stamp; `run` is derived from the rest."""
    ordered = in_order(instances)
    parts = [build_manifest(one.strategy, one.market, lane=lane) for one in ordered]
    first = parts[0]
    windows = [one.market.window for one in ordered]
    facts: dict[str, Any] = {
        "schema": SCHEMA, "kind": "portfolio", "code": first["code"], "lane": lane, "profile": first["profile"],
        "strategy": {
            "name": first["strategy"]["name"], "kind": first["strategy"]["kind"],
            "hash": hash_of(ordered),
        },
        "account": {key: first["account"][key] for key in _ACCOUNT_KEYS},
        "data": {
            "start": format_time(min(window[0] for window in windows)),
            "end": format_time(max(window[1] for window in windows)),
            "exec_tf": first["data"]["exec_tf"],
            "base_tf": ", ".join(sorted({part["data"]["base_tf"] for part in parts})),
            "base_bars": sum(part["data"]["base_bars"] for part in parts),
            "exec_bars": sum(part["data"]["exec_bars"] for part in parts),
            "funding": None,
        },
        "instruments": [
            {"symbol": one.id, "strategy": part["strategy"]["hash"], "revision": part["data"]["revision"]}
            for one, part in zip(ordered, parts, strict=True)
        ],
        "fill_model": first["fill_model"],
        "marks": sorted({mark for part in parts for mark in part["marks"]}),
        "packages": first["packages"], "platform": first["platform"],
    }  # fmt: skip
    return {"run": run_id(first["strategy"]["name"], facts), **facts}


def part_of(instance: Instance, run: str, folder: Path, *, lane: str) -> Part:
    """Return an instrument with the manifest of its part, which names the run that it is a part of."""
    manifest = build_manifest(instance.strategy, instance.market, lane=lane)
    facts = {key: value for key, value in manifest.items() if key != "run"}
    facts["portfolio"] = {"run": run, "instrument": instance.id}
    own = {"run": run_id(instance.strategy.name, facts), **facts}
    return Part(instance, own, folder / INSTRUMENTS_FOLDER / instance.id)


def run_portfolio_journaled(
    folder: Path,
    manifest: dict[str, Any],
    parts: Sequence[Part],
    *,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    timer: Callable[[], float] | None = None,
) -> tuple[PortfolioRecord, int]:
    """Run in the engine lane with the journal in the run's folder; return the record and how many steps were taken up.

    A journal of the same run without a result belongs to a session that was killed: its steps are folded and the run
    goes on. A journal of a finished or of another run is removed first.

    Args:
        folder: Of the run.
        manifest: Facts of the run, the first entry of each session.
        parts: Its instruments, in order.
        progress: Told of base bars passed.
        told: Given a sentence when an earlier session is taken up.
        timer: Seconds on a monotonic clock.
    """
    with journal_session(folder, manifest, told) as (log, recorded):
        driver = PortfolioDriver(
            [part.facts for part in parts], [part.instance for part in parts], log=log, recorded=recorded, timer=timer
        )
        record = driver.run(progress)
    results.write_decisions(folder, driver.decisions)
    return record, len(recorded)
