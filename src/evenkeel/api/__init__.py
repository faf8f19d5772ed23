"""What the command line does, as typed calls.

    outcome = backtest("ema_cross", catalogs=[Catalog(folder)], runs=Path("runs"))
    outcome.result["metrics"]["net_pnl"]

A backtest loads a strategy and its market, runs one lane, writes the files of the run, audits them independently of the
engine, and writes the report. What only some calls need is imported where they begin: a short run is mostly imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from evenkeel.data.catalog import Catalog
from evenkeel.data.columns_file import let_go
from evenkeel.data.definitions import Definitions
from evenkeel.engine import results
from evenkeel.engine.clock import Stopwatch, monotonic_s, wall_ns
from evenkeel.engine.core import RunFacts, Step
from evenkeel.engine.manifest import build_manifest
from evenkeel.engine.market import GapPolicy, Market, load_market
from evenkeel.engine.metrics import session_returns
from evenkeel.engine.record import RunRecord
from evenkeel.engine.recorded import has_journal, journal_mark, read_manifest, read_steps, recorded_market
from evenkeel.engine.research import Progress, run_research
from evenkeel.engine.runs import RESULT_NAME, check_folder, whole_or_gone
from evenkeel.engine.steps import MemoryLog
from evenkeel.engine.trials import DataSet, Trial, TrialLedger, kept, look_of, session_blocks
from evenkeel.examples import locate
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.gaps import not_available
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.library import Library
from evenkeel.strategies.load import load_strategy, recorded_rules, recorded_strategy, strategy_symbols
from evenkeel.strategies.strategy import Strategy, run_window

if TYPE_CHECKING:
    from evenkeel.engine.explanation import ExplainedRun, Explanation
    from evenkeel.engine.playbook.run import Part
    from evenkeel.engine.replay import Replay

Lane = Literal["auto", "engine", "research"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to backtest.

    Attributes:
        strategy: A file, `file.py:Class`, or the name of an example.
        catalogs: Where to look for data, in order.
        instruments: Instrument definitions.
        runs: Where run folders live.
        start_ns: First instant; None takes the play's, else where the data starts.
        end_ns: First instant behind; None likewise.
        sets: Values of `--set`.
        symbol: Trade this instrument instead of the strategy's own.
        lane: `auto` takes the research lane where the strategy supports it.
        gaps: What to do about bars that the calendar expects and that are missing.
        out: Folder for the files; None takes one named after the run.
        report: Whether to write `report.html`.
        library: Where the blocks of a play are looked up; None takes those that ship.
        home: Folder whose trial ledger counts the run; None takes `runs`.
    """

    strategy: str
    catalogs: Sequence[Catalog]
    instruments: Definitions
    runs: Path
    start_ns: int | None = None
    end_ns: int | None = None
    sets: Mapping[str, str] | None = None
    symbol: str | None = None
    lane: Lane = "auto"
    gaps: GapPolicy = "stop"
    out: Path | None = None
    report: bool = True
    library: Library | None = None
    home: Path | None = None

    @property
    def ledger(self) -> TrialLedger:
        """Where every look at the strategy is counted."""
        return TrialLedger(self.home or self.runs)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a backtest left.

    Attributes:
        folder: Its files.
        result: The document of `result.json`.
        record: Fills, equity and the rest.
        resumed_steps: Steps of a killed session that were taken up.
    """

    folder: Path
    result: dict[str, Any]
    record: RunRecord
    resumed_steps: int

    @property
    def ok(self) -> bool:
        """Whether no check of the audit failed."""
        return all(check["ok"] or check["skipped"] for check in self.result["checks"])


def separate(request: Request, symbols: Sequence[str] = ()) -> tuple[Request, ...]:
    """Return a request for each instrument that is to be traded: each is a run of its own, in a folder of its own.

    Args:
        request: What to backtest.
        symbols: Trade these; without any, the request's symbol, else those that the strategy names.
    """
    chosen = tuple(symbols)
    if not chosen and request.symbol is None:
        chosen = strategy_symbols(request.strategy, sets=request.sets, library=request.library)
    if len(chosen) < 2:
        return (replace(request, symbol=chosen[0]),) if symbols else (request,)
    return tuple(
        replace(request, symbol=symbol, out=None if request.out is None else request.out / symbol) for symbol in chosen
    )


def prepare(request: Request) -> tuple[Strategy, Market]:
    """Load the strategy and its market.

    Raises:
        UsageError: If either is not as it must be.
    """
    strategy = load_strategy(
        request.strategy, instruments=request.instruments.find, sets=request.sets, library=request.library,
        symbol=request.symbol,
    )  # fmt: skip
    start, end = run_window(strategy, request.start_ns, request.end_ns)
    market = load_market(
        request.catalogs, strategy.instrument, strategy.program, start_ns=start, end_ns=end, gaps=request.gaps
    )
    return strategy, market


def backtest(
    request: Request, *, progress: Progress | None = None, told: Callable[[str], None] | None = None
) -> Outcome:
    """Run a backtest and leave its files.

    Args:
        request: What to run.
        progress: Told of base bars passed.
        told: Given each sentence worth a line beside the result.
    """
    watch = Stopwatch()
    strategy, market = prepare(request)
    lane = choose_lane(strategy, request.lane)
    manifest = build_manifest(strategy, market, lane=lane)
    folder = request.out or request.runs / manifest["run"]
    check_folder(folder)
    timing = {"load_s": watch.lap()}
    with whole_or_gone(folder, keeps_journal=lane == "engine"):
        results.write_manifest(folder, manifest, created_ns=wall_ns())
        resumed = 0
        if lane == "research":
            record = run_research(strategy, market, progress=progress, timer=monotonic_s)
        else:
            from evenkeel.engine.journaled import run_journaled

            record, resumed = run_journaled(
                folder,
                manifest,
                run_facts(strategy, manifest["run"]),
                strategy,
                market,
                progress=progress,
                told=told,
                timer=monotonic_s,
            )
        ran_s = watch.lap()
        timing |= {
            "compute_s": record.features_s, "simulate_s": ran_s - record.features_s, "report_s": 0.0,
            "bars_per_s": market.base_bars / max(ran_s, 1e-9),
        }  # fmt: skip
        release(market)
        results.write_tables(folder, strategy, market, record)
        result = results.build_result(manifest, strategy, market, record, timing)
        if lane == "engine":
            result["journal"] = journal_mark(folder)
        result["evidence"] = weigh_run(request.ledger, strategy, market, record, result["metrics"])
        if strategy.program.match != "bars" and strategy.kernel is not None:
            result["bars_twin"] = _twin(strategy, market, record, told)
        results.write_result(folder, result)
        release(market)
        result["checks"] = audit_run(folder, market)
        results.write_result(folder, result)
        if request.report:
            from evenkeel.monitor.report import write_report

            write_report(folder, candles=execution_bars(market))
            timing["report_s"] = watch.lap()
            results.write_result(folder, result)
    return Outcome(folder, result, record, resumed)


def _twin(
    strategy: Strategy, market: Market, record: RunRecord, told: Callable[[str], None] | None
) -> dict[str, Any]:  # fmt: skip
    """Run the bars-only twin of a run on trades or quotes, say in a line how it differs, and return its figures."""
    from evenkeel.engine.twin import compare

    twin = compare(strategy, market, record)
    if told is not None:
        other = f"{twin.different} brought something else, {twin.only_here + twin.only_there} stand alone"
        told(
            f"on the minutes that these {strategy.program.match} make: net {twin.net:,.2f} "
            f"{strategy.terms.account.currency}, {twin.equal} trades alike, {other}"
        )
    return {
        "trades": twin.trades, "equal": twin.equal, "different": twin.different, "only_here": twin.only_here,
        "only_there": twin.only_there, "net_pnl": float(twin.net),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlaybookOutcome:
    """What the backtest of a playbook left.

    Attributes:
        folder: Its files.
        result: The document of `result.json`.
        plays: What the backtest of each play left.
        resumed_steps: Steps of a killed session that were taken up.
    """

    folder: Path
    result: dict[str, Any]
    plays: tuple[Outcome, ...]
    resumed_steps: int

    @property
    def ok(self) -> bool:
        """Whether no check of the audit failed, in the playbook or in a play."""
        own = all(check["ok"] or check["skipped"] for check in self.result["checks"])
        return own and all(play.ok for play in self.plays)


def backtest_playbook(request: Request, *, told: Callable[[str], None] | None = None) -> PlaybookOutcome:
    """Run a backtest of a playbook and leave its files: those of each play in a folder of its own, and of all together.

    Args:
        request: What to run; `symbol` is not used.
        told: Given each sentence worth a line beside the result.
    """
    from evenkeel.engine.playbook.markets import load_markets
    from evenkeel.engine.playbook.outcome import (
        PlayRun,
        build_result,
        session_ends,
        total_equity,
        write_shares,
        write_tables,
    )
    from evenkeel.engine.playbook.regimes import open_eye
    from evenkeel.engine.playbook.run import part_of, playbook_manifest, run_parts, run_parts_research
    from evenkeel.strategies.play.program import PlayStrategy
    from evenkeel.strategies.playbook.load import load_playbook

    watch = Stopwatch()
    playbook = load_playbook(
        locate(request.strategy), instruments=request.instruments.find, sets=request.sets, library=request.library
    )
    eye = None if playbook.detector is None else open_eye(playbook, playbook.detector)
    strategies = [PlayStrategy(member.play) for member in playbook.members]
    wanted = [(strategy.instrument, strategy.program) for strategy in strategies]
    if playbook.detector is not None and eye is not None:
        wanted.append((playbook.detector.instrument, eye.program))
    markets = load_markets(
        request.catalogs, wanted, start_ns=request.start_ns, end_ns=request.end_ns, gaps=request.gaps
    )
    watched = None if eye is None else markets[-1]
    named = [(m.name, s, market) for m, s, market in zip(playbook.members, strategies, markets, strict=False)]
    lane = choose_lane(strategies[0], request.lane)
    manifest = playbook_manifest(playbook, named, watched, lane=lane)
    folder = request.out or request.runs / manifest["run"]
    check_folder(folder)
    timing = {"load_s": watch.lap()}
    resumed = 0
    with whole_or_gone(folder, keeps_journal=lane == "engine"):
        results.write_manifest(folder, manifest, created_ns=wall_ns())
        parts = [
            part_of(name, strategy, market, manifest["run"], folder, lane=lane) for name, strategy, market in named
        ]
        if lane == "research":
            driver, accounts = run_parts_research(playbook, parts, eye, watched, stamp_ns=wall_ns, timer=monotonic_s)
            records = [account.record for account in accounts]
        else:
            driver, drivers, resumed = run_parts(
                playbook, parts, eye, watched, stamp_ns=wall_ns, told=told, timer=monotonic_s
            )
            records = [one.record for one in drivers]
        timing["simulate_s"] = watch.lap()
        for number, part in enumerate(parts):
            write_shares(part.folder, number, driver.allotment.changes)
        plays = tuple(
            _finish_part(part, one, request.ledger, report=request.report)
            for part, one in zip(parts, records, strict=True)
        )
        runs = [
            PlayRun(part.name, play.record, part.market, play.result) for part, play in zip(parts, plays, strict=True)
        ]
        write_tables(folder, playbook, driver, runs)
        result = build_result(playbook, manifest, driver, runs)
        days, ends = session_ends(*total_equity(playbook.capital, runs))
        returns = session_returns(postings_from_money(playbook.capital), ends.tolist())
        data = DataSet.of(*(part.market for part in parts))
        own = Trial(
            family=playbook.name, play=playbook.hash, source="backtest", data=data, metrics=kept(result["metrics"]),
            blocks=session_blocks(data, days, returns),
        )  # fmt: skip
        per_year = max(part.market.calendar.sessions_per_year for part in parts)
        result["evidence"] = weigh(request.ledger, own, returns, per_year=per_year)
        results.write_result(folder, result)
        result["checks"] = audit_playbook(folder)
        if request.report:
            from evenkeel.monitor.report.joint import write_account_report

            write_account_report(folder, result)
        result["timing"] = {**timing, "report_s": watch.lap()}
        results.write_result(folder, result)
    return PlaybookOutcome(folder, result, plays, resumed)


def _finish_part(part: Part, record: RunRecord, ledger: TrialLedger, *, report: bool) -> Outcome:
    """Write what a play of a playbook leaves, audit it, and report on it."""
    folder, market = part.folder, part.market
    results.write_tables(folder, part.strategy, market, record)
    result = results.build_result(part.manifest, part.strategy, market, record, {})
    if record.lane == "engine":
        result["journal"] = journal_mark(folder)
    result["evidence"] = weigh_run(ledger, part.strategy, market, record, result["metrics"])
    results.write_result(folder, result)
    result["checks"] = audit_run(folder, market)
    results.write_result(folder, result)
    if report:
        from evenkeel.monitor.report import write_report

        write_report(folder, candles=execution_bars(market))
    return Outcome(folder, result, record, 0)


def weigh_run(
    ledger: TrialLedger,
    strategy: Strategy,
    market: Market,
    record: RunRecord,
    figures: Mapping[str, float | int | None],
) -> dict[str, Any]:
    """Count a backtest as a look at its family, and return what it proves given all the others."""
    days, sessions = results.session_equity(record, market)
    returns = session_returns(postings_from_money(strategy.terms.account.start_equity), sessions)
    own = look_of(strategy, market, days, returns, figures, "backtest")
    return weigh(ledger, own, returns, per_year=market.calendar.sessions_per_year)


def weigh(ledger: TrialLedger, own: Trial, returns: Floats, *, per_year: float) -> dict[str, Any]:
    """Count a look at a family, and return what it proves given all the others.

    Args:
        ledger: Where it is counted.
        own: The look.
        returns: Its session returns.
        per_year: Sessions a year.
    """
    from evenkeel.readiness.evidence import evidence

    ledger.add_all([own])
    document: dict[str, Any] = msgspec.to_builtins(
        evidence(own, returns, ledger.trials(own.family, own.data), per_year=per_year)
    )
    return document


def audit_playbook(folder: Path) -> list[dict[str, Any]]:
    """Return the checks of the independent audit over the files of a playbook's run."""
    from evenkeel.readiness import audit

    found = audit.audit_playbook(folder)
    return [{"name": check.name, "ok": check.ok, "skipped": check.skipped, "detail": check.detail} for check in found]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found.

    Attributes:
        run: Id of the run.
        outcome: What was compared.
        rerun: Whether the run had no journal and was run again in the engine lane.
    """

    run: str
    outcome: Replay
    rerun: bool


def replay_run(
    folder: Path, catalogs: Sequence[Catalog], instruments: Definitions, *, told: Callable[[str], None]
) -> Replayed:
    """Decide a run again and compare; a research-lane run is run in the engine lane and its result hash compared."""
    from evenkeel.engine.account.stored import is_account
    from evenkeel.engine.replay import Replay, replay

    if is_account(folder):
        return _replay_account(folder)
    manifest = read_manifest(folder)
    strategy = recorded_strategy(manifest, instruments=instruments.find)
    market = recorded_market(manifest, strategy, catalogs)
    facts = run_facts(strategy, manifest["run"])
    if has_journal(folder):
        return Replayed(manifest["run"], replay(facts, strategy, market, read_steps(folder)), rerun=False)
    told("this run has no journal (research lane); it is run again in the engine lane")
    steps, record = _run_again(folder, manifest, strategy, market, catalogs, instruments)
    recorded = results.read_json(folder / RESULT_NAME, needs=["result_hash"])
    hashes = recorded["result_hash"], record.result_hash()
    difference = None if hashes[0] == hashes[1] else f"result hash {hashes[0]} was recorded, the engine has {hashes[1]}"
    decisions = sum(len(step.decisions) for step in steps)
    commands = sum(len(step.commands) for step in steps)
    return Replayed(manifest["run"], Replay(len(steps), decisions, commands, difference), rerun=True)


def _replay_account(folder: Path) -> Replayed:
    """Decide the journal of an account again, from nothing but that journal."""
    from evenkeel.engine.account.making import make_account
    from evenkeel.engine.account.replay import replay_account
    from evenkeel.engine.account.stored import holds_bars, manifest_of, recorded

    if not holds_bars(folder):
        raise not_available("account.replay")
    manifest = manifest_of(folder)
    return Replayed(manifest.run, replay_account(lambda: make_account(manifest), recorded(folder)), rerun=False)


def _run_again(
    folder: Path,
    manifest: dict[str, Any],
    strategy: Strategy,
    market: Market,
    catalogs: Sequence[Catalog],
    instruments: Definitions,
) -> tuple[Sequence[Step], RunRecord]:
    """Run a recorded run in the engine lane; one instrument among several with all that share its account."""
    from evenkeel.engine.backtest import BacktestDriver

    if "playbook" in manifest:
        raise UsageError(
            "a play of a playbook that ran in the research lane keeps no journal, and alone it would not do the same; "
            "run the playbook with --lane engine to have its plays told and replayed"
        )
    if "portfolio" in manifest:
        from evenkeel.api.portfolio import rerun_steps

        return rerun_steps(folder, catalogs, instruments)
    log = MemoryLog()
    record = BacktestDriver(run_facts(strategy, manifest["run"]), strategy, market, log=log).run()
    return log.steps, record


def recorded_steps(
    folder: Path, catalogs: Sequence[Catalog], instruments: Definitions, *, told: Callable[[str], None]
) -> tuple[dict[str, Any], Sequence[Step]]:
    """Return the manifest and the steps of a run; a research-lane run is run again in the engine lane."""
    manifest = read_manifest(folder)
    if has_journal(folder):
        return manifest, read_steps(folder)
    told("this run has no journal (research lane); it is run again in the engine lane")
    strategy = recorded_strategy(manifest, instruments=instruments.find)
    market = recorded_market(manifest, strategy, catalogs)
    return manifest, _run_again(folder, manifest, strategy, market, catalogs, instruments)[0]


@dataclass(frozen=True, slots=True)
class Story:
    """What a run tells of itself.

    Attributes:
        run: Its id.
        lines: In plain English, a sentence a line.
        explanations: The decisions that it is about, down to the conditions of the rules.
    """

    run: str
    lines: tuple[str, ...]
    explanations: tuple[Explanation, ...] = ()


def explain_run(
    folder: Path,
    catalogs: Sequence[Catalog],
    instruments: Definitions,
    *,
    trade: int | None = None,
    at_ns: int | None = None,
    told: Callable[[str], None],
) -> Story:
    """Return why a run did what it did; a research-lane run is run again in the engine lane.

    Args:
        folder: Of the run.
        catalogs: Where its data is.
        instruments: Instrument definitions.
        trade: Tell this trade, counted from 1.
        at_ns: Tell the last decision bar closed by this instant. Without either, what was refused is told.
        told: Given each sentence worth a line beside the story.

    Raises:
        UsageError: If there is no such trade or moment.
    """
    from evenkeel.engine.account.stored import is_account

    if is_account(folder):
        return _explain_account(folder, trade=trade, at_ns=at_ns)
    from evenkeel.engine.explain import explain_refusals, explain_trade
    from evenkeel.engine.explanation import IN_PYTHON, explain_moment, explain_orders
    from evenkeel.engine.moment import decision_bar

    manifest, steps = recorded_steps(folder, catalogs, instruments, told=told)
    run = manifest["run"]
    if at_ns is not None:
        explained = _explained_run(manifest, steps, catalogs, instruments)
        explanation = explain_moment(explained, decision_bar(explained.market, at_ns))
        return Story(run, explanation.answer, (explanation,))
    if trade is None:
        return Story(run, tuple(explain_refusals(steps)) or ("Nothing was refused. Tell one trade with --trade N.",))
    symbol, currency = manifest["instrument"]["id"], manifest["account"]["currency"]
    lines = tuple(explain_trade(steps, trade, symbol=symbol, currency=currency))
    try:
        explained = _explained_run(manifest, steps, catalogs, instruments)
    except UsageError as error:
        told(f"the conditions behind the trade cannot be shown: {error.message}")
        return Story(run, lines)
    if explained.rules is None:
        return Story(run, (*lines, IN_PYTHON))
    return Story(run, lines, tuple(explain_orders(explained, trade)))


def _explain_account(folder: Path, *, trade: int | None, at_ns: int | None) -> Story:
    """Return why an account did what it did, from its journal alone."""
    from evenkeel.engine.account.explaining import Telling, refusals, story
    from evenkeel.engine.account.stored import manifest_of, recorded

    manifest = manifest_of(folder)
    if at_ns is not None:
        return Story(manifest.run, tuple(Telling(manifest.venue).read(recorded(folder), at_ns).standing()))
    if trade is None:
        told = refusals(recorded(folder), manifest.venue)
        return Story(manifest.run, tuple(told) or ("Nothing was refused. Tell one trade with --trade N.",))
    multipliers = {name: instrument.multiplier for name, instrument in manifest.instruments.items()}
    lines = story(recorded(folder), manifest.venue, trade, multipliers=multipliers, currency=manifest.currency)
    return Story(manifest.run, lines)


def _explained_run(
    manifest: dict[str, Any], steps: Sequence[Step], catalogs: Sequence[Catalog], instruments: Definitions
) -> ExplainedRun:
    """Return the steps of a run with everything else that its explanation reads."""
    from evenkeel.engine.explanation import ExplainedRun

    strategy = recorded_strategy(manifest, instruments=instruments.find)
    return ExplainedRun(
        facts=run_facts(strategy, manifest["run"]),
        strategy=strategy,
        market=recorded_market(manifest, strategy, catalogs),
        steps=steps,
        rules=recorded_rules(manifest, strategy),
        lines=manifest.get("lines", {}),
    )


def choose_lane(strategy: Strategy, lane: Lane) -> Literal["engine", "research"]:
    """Return the lane of a run.

    Raises:
        UsageError: If the research lane is asked for and the strategy has no kernel.
    """
    if lane == "research" and strategy.kernel is None:
        raise UsageError(f"{strategy.name} decides in Python and runs in the engine lane only; use --lane engine")
    if lane == "auto":
        return "engine" if strategy.kernel is None else "research"
    return lane


def run_facts(strategy: Strategy, run: str) -> RunFacts:
    """Return the facts that ids of a backtest derive from."""
    return RunFacts(
        mode="backtest", run=RunId(run), strategy=StrategyId(strategy.name), instrument=strategy.instrument.id,
        start_equity=strategy.terms.account.start_equity,
    )  # fmt: skip


def run_lanes(strategy: Strategy, market: Market) -> tuple[RunRecord, RunRecord]:
    """Run both lanes in memory: research first, then engine."""
    from evenkeel.engine.backtest import BacktestDriver

    engine = BacktestDriver(run_facts(strategy, "parity"), strategy, market)
    return run_research(strategy, market), engine.run()


def audit_run(folder: Path, market: Market) -> list[dict[str, Any]]:
    """Return the checks of the independent audit over the files of a run and the bars that it used."""
    from evenkeel.readiness.audit import audit

    manifest = results.read_json(folder / "manifest.json")
    checks = audit(
        folder,
        base_bars=results.base_columns(market),
        higher_bars=results.higher_columns(
            market, [t for t in manifest["data"]["timeframes"] if t != str(market.base)]
        ),
        funding=results.funding_frame(market),
        beside=results.beside_frames(market),
        actions=results.actions_frame(market),
        borrow=results.borrow_frame(market),
    )
    return [{"name": check.name, "ok": check.ok, "skipped": check.skipped, "detail": check.detail} for check in checks]


def release(market: Market) -> None:
    """Give back the memory of bars that are mapped from a file; what reads them next maps what it reads."""
    for stretch in market.stretches:
        let_go(stretch.series.base.open_ns)


def execution_bars(market: Market) -> Bars:
    """Return the execution bars of all stretches, for pictures."""
    parts = [stretch.series.on(stretch.exec).bars for stretch in market.stretches]
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    return Bars(market.exec, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))
