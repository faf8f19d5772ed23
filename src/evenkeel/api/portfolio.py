"""Backtests of several instruments on one account, as typed calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evenkeel.api import Outcome, Request, audit_run, choose_lane, execution_bars, prepare, weigh
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.engine import results
from evenkeel.engine.clock import Stopwatch, monotonic_s, wall_ns
from evenkeel.engine.core import Step
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import session_returns
from evenkeel.engine.playbook.outcome import session_ends
from evenkeel.engine.portfolio.instance import Instance, in_order
from evenkeel.engine.portfolio.outcome import build_result, write_tables
from evenkeel.engine.portfolio.record import PortfolioRecord
from evenkeel.engine.portfolio.research import run_portfolio_research
from evenkeel.engine.portfolio.run import Part, part_of, portfolio_manifest, run_portfolio_journaled
from evenkeel.engine.record import RunRecord
from evenkeel.engine.recorded import folder_of_account, journal_mark, read_manifest, recorded_market
from evenkeel.engine.research import Progress
from evenkeel.engine.runs import INSTRUMENTS_FOLDER, MANIFEST_NAME, check_folder, whole_or_gone
from evenkeel.engine.steps import MemoryLog
from evenkeel.engine.trials import DataSet, Trial, kept, session_blocks
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.load import recorded_strategy
from evenkeel.venues.simulated.desks import Point


@dataclass(frozen=True, slots=True)
class PortfolioOutcome:
    """What a backtest of several instruments left.

    Attributes:
        folder: Its files.
        result: The document of `result.json`.
        record: What happened on each instrument, and the equity of the account.
        parts: What it left of each instrument.
        resumed_steps: Steps of a killed session that were taken up.
    """

    folder: Path
    result: dict[str, Any]
    record: PortfolioRecord
    parts: tuple[Outcome, ...]
    resumed_steps: int

    @property
    def ok(self) -> bool:
        """Whether no check of the audit failed, of the account or of an instrument."""
        own = all(check["ok"] or check["skipped"] for check in self.result["checks"])
        return own and all(part.ok for part in self.parts)


def backtest_portfolio(
    request: Request,
    symbols: Sequence[str],
    *,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
) -> PortfolioOutcome:
    """Run a backtest of several instruments on one account and leave its files.

    Args:
        request: What to run; its own symbol is not used.
        symbols: The instruments; their order means nothing.
        progress: Told of base bars passed.
        told: Given each sentence worth a line beside the result.

    Raises:
        UsageError: If a strategy or its data is not as it must be, or the instruments cannot share an account.
    """
    watch = Stopwatch()
    instances = in_order([Instance(*prepare(replace(request, symbol=symbol))) for symbol in symbols])
    lane = choose_lane(instances[0].strategy, request.lane)
    manifest = portfolio_manifest(instances, lane=lane)
    folder = request.out or request.runs / manifest["run"]
    check_folder(folder)
    timing = {"load_s": watch.lap()}
    with whole_or_gone(folder, keeps_journal=lane == "engine"):
        results.write_manifest(folder, manifest, created_ns=wall_ns())
        parts = [part_of(one, manifest["run"], folder, lane=lane) for one in instances]
        resumed = 0
        if lane == "research":
            record = run_portfolio_research(instances, progress=progress, timer=monotonic_s)
        else:
            record, resumed = run_portfolio_journaled(
                folder, manifest, parts, progress=progress, told=told, timer=monotonic_s
            )
        ran_s = watch.lap()
        bars = sum(one.market.base_bars for one in instances)
        timing |= {
            "compute_s": record.features_s, "simulate_s": ran_s - record.features_s,
            "bars_per_s": bars / max(ran_s, 1e-9),
        }  # fmt: skip
        done = tuple(_finish(part, one, report=request.report) for part, one in zip(parts, record.parts, strict=True))
        write_tables(folder, parts, record)
        result = build_result(manifest, parts, [part.result for part in done], record)
        if lane == "engine":
            result["journal"] = journal_mark(folder)
        data = DataSet.of(*(one.market for one in instances))
        start = instances[0].strategy.terms.account.start_equity
        days, ends = session_ends(record.times_ns, record.curve[Point.EQUITY])
        returns = session_returns(postings_from_money(start), ends.tolist())
        own = Trial(
            family=manifest["strategy"]["name"], play=manifest["strategy"]["hash"], source="backtest", data=data,
            metrics=kept(result["metrics"]), blocks=session_blocks(data, days, returns),
        )  # fmt: skip
        per_year = max(one.market.calendar.sessions_per_year for one in instances)
        result["evidence"] = weigh(request.ledger, own, returns, per_year=per_year)
        results.write_result(folder, result)
        result["checks"] = audit_portfolio(folder, [one.market for one in instances])
        if request.report:
            from evenkeel.monitor.report.joint import write_account_report

            write_account_report(folder, result)
        result["timing"] = {**timing, "report_s": watch.lap()}
        results.write_result(folder, result)
    return PortfolioOutcome(folder, result, record, done, resumed)


def _finish(part: Part, record: RunRecord, *, report: bool) -> Outcome:
    """Write what the run leaves of an instrument, audit it, and report on it."""
    folder, strategy, market = part.folder, part.instance.strategy, part.instance.market
    results.write_manifest(folder, part.manifest, created_ns=wall_ns())
    results.write_tables(folder, strategy, market, record)
    result = results.build_result(part.manifest, strategy, market, record, {})
    results.write_result(folder, result)
    result["checks"] = audit_run(folder, market)
    results.write_result(folder, result)
    if report:
        from evenkeel.monitor.report import write_report

        write_report(folder, candles=execution_bars(market))
    return Outcome(folder, result, record, 0)


def audit_portfolio(folder: Path, markets: Sequence[Market]) -> list[dict[str, Any]]:
    """Return the checks of the independent audit over the files of a run of several instruments and their bars."""
    from evenkeel.readiness.audit import Tables
    from evenkeel.readiness.audit import audit_portfolio as audit

    tables: dict[str, Tables] = {}
    for market in markets:
        name = market.instrument.id
        manifest = results.read_json(folder / INSTRUMENTS_FOLDER / name / MANIFEST_NAME)
        above = [timeframe for timeframe in manifest["data"]["timeframes"] if timeframe != str(market.base)]
        tables[name] = Tables(results.base_columns(market), results.higher_columns(market, above))
    found = audit(folder, tables)
    return [{"name": check.name, "ok": check.ok, "skipped": check.skipped, "detail": check.detail} for check in found]


def rerun_steps(folder: Path, catalogs: Sequence[Catalog], instruments: Definitions) -> tuple[list[Step], RunRecord]:
    """Run all instruments of an account again in the engine lane; return steps and record of the one in a folder.

    Args:
        folder: Of the part of one instrument.
        catalogs: Where the data is.
        instruments: Instrument definitions.
    """
    from evenkeel.engine.portfolio.driver import PortfolioDriver

    parts = []
    for own in sorted((folder_of_account(folder) / INSTRUMENTS_FOLDER).iterdir()):
        manifest = read_manifest(own)
        strategy = recorded_strategy(manifest, instruments=instruments.find)
        parts.append(Part(Instance(strategy, recorded_market(manifest, strategy, catalogs)), manifest, own))
    parts.sort(key=lambda part: part.instance.id)
    log = MemoryLog()
    record = PortfolioDriver([part.facts for part in parts], [part.instance for part in parts], log=log).run()
    symbol = read_manifest(folder)["instrument"]["id"]
    steps = [step for step in log.steps if step.event.instrument == symbol]
    return steps, record.parts[record.instruments.index(symbol)]
