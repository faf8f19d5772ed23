"""A trial of a play: every run that a suite asks for, and what is wrong with the results.

A play is written to a file and backtested as `keel backtest` does it: in the research lane, in the engine lane, and
again. The lanes must agree file for file, the repetition must have the same hash, the independent audit must run
`CHECKS_MIN` checks or more on each result and fail none, and the play must trade.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from evenkeel.api import Outcome, Request, backtest
from evenkeel.model.errors import KeelError
from evenkeel.readiness.audit import SPECIFIED
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import PlayErrors, render
from suites import document, instruments
from suites.markets import catalog
from suites.rows import Row

CHECKS_MIN = 23
"""So many checks of the audit must have run on each result (plays.md 6.12)."""

MAY_SKIP = {"MTF_AGGREGATION": "the run has no timeframe above its base"}
"""Checks of the specification that have nothing to look at in some plays, and what they say then; all others run."""

SIDES = {"long": {"long"}, "short": {"short"}, "both": {"long", "short"}}


@dataclass
class Trial:
    """What came of a play.

    Attributes:
        problems: What is wrong, in sentences; empty when all is well.
        trades: Rows of `trades.csv`.
        checks: Fewest checks of the audit that ran on one result.
        stop_reason: How the run ended.
        exits: How trades ended, and how often.
        result_hash: Digest of the result.
    """

    problems: list[str] = field(default_factory=list)
    trades: list[dict[str, str]] = field(default_factory=list)
    checks: int = 0
    stop_reason: str = ""
    exits: Counter[str] = field(default_factory=Counter)
    result_hash: str = ""


def attempt(row: Row, folder: Path, *, thorough: bool) -> Trial:
    """Run a play in all ways and return what came of it.

    Args:
        row: Which.
        folder: Takes its files.
        thorough: Repeat both lanes, on a market that is made again; else the research lane on the same one.
    """
    file = folder / f"{row.id}.yaml"
    file.write_text(document.text(row), "utf-8")
    if row.is_negative:
        return _refused(row, file)
    try:
        research, engine = (run_lane(row, file, folder / lane, lane) for lane in ("research", "engine"))
        again = [run_lane(row, file, folder / "again", "research", anew=thorough)]
        if thorough:
            again.append(run_lane(row, file, folder / "engine_again", "engine", anew=True))
    except KeelError as refusal:
        return Trial([f"it does not run: {refusal.message}"])
    trial = _told(research)
    trial.checks = min(_checksrun_lane(outcome) for outcome in (research, engine))
    trial.problems += [
        *differences(research, engine),
        *unrepeated(research, engine, again),
        *(f"{outcome.result['lane']} lane: {one}" for outcome in (research, engine) for one in failed_checks(outcome)),
        *untimely(trial.trades),
        *_unexpected(row, trial),
    ]
    return trial


def run_lane(row: Row, file: Path, out: Path, lane: Any, *, anew: bool = False) -> Outcome:
    """Backtest a play in one lane, as `keel backtest` does it.

    Args:
        row: Whose market.
        file: The play.
        out: Takes the files of the run.
        lane: `research` or `engine`.
        anew: Make or read the market again.
    """
    held: Any = [catalog(row, anew=anew)]
    known: Any = instruments
    return backtest(Request(str(file), held, known, out.parent, lane=lane, out=out, report=False, gaps="report"))


def _refused(row: Row, file: Path) -> Trial:
    """Load a play that must not load, and look for the sentence that must be said."""
    wanted = str(row.expect["load_error"])
    try:
        load_play(file, instruments=instruments.find)
    except PlayErrors as refusal:
        errors = [problem for problem in refusal.problems if problem.kind == "error"]
        if len(errors) != 1:
            return Trial([f"one thing should be wrong with it, not {len(errors)}: {refusal.message}"])
        if wanted in render(errors[0]):
            return Trial()
        return Trial([f"it is refused, but not because of '{wanted}': {refusal.message}"])
    return Trial([f"it loads; it should be refused because of '{wanted}'"])


def _told(outcome: Outcome) -> Trial:
    with (outcome.folder / "trades.csv").open(newline="") as table:
        trades = list(csv.DictReader(table))
    return Trial(
        trades=trades, stop_reason=outcome.result["stop_reason"], result_hash=outcome.result["result_hash"],
        exits=Counter(trade["exit_reason"] for trade in trades),
    )  # fmt: skip


def differences(research: Outcome, engine: Outcome) -> Iterator[str]:
    """Compare the files of both lanes."""
    if research.result["result_hash"] != engine.result["result_hash"]:
        yield "the lanes differ in their result hash"
    for name in ("trades.csv", "fills.csv"):
        if (research.folder / name).read_bytes() != (engine.folder / name).read_bytes():
            yield f"the lanes differ in {name}"
    tables = [pl.read_parquet(outcome.folder / "equity.parquet") for outcome in (research, engine)]
    if not tables[0].equals(tables[1]):
        yield "the lanes differ in equity.parquet"
    if research.result["metrics"] != engine.result["metrics"]:
        yield "the lanes differ in their metrics"


def unrepeated(research: Outcome, engine: Outcome, again: list[Outcome]) -> Iterator[str]:
    """Compare runs with their repetitions: all but the time that they took."""
    for first, second in zip((research, engine), again, strict=False):
        for key in ("run", "strategy", "result_hash", "data", "metrics", "stop_time"):
            if first.result[key] != second.result[key]:
                yield f"a second run in the {first.result['lane']} lane differs in {key}"


def _checksrun_lane(outcome: Outcome) -> int:
    return sum(not check["skipped"] for check in outcome.result["checks"])


def failed_checks(outcome: Outcome) -> Iterator[str]:
    """Yield what the independent audit says against a result, or that it looked at too little."""
    for check in outcome.result["checks"]:
        if not check["ok"] and not check["skipped"]:
            yield f"the audit failed {check['name']}: {check['detail']}"
    if _checksrun_lane(outcome) < CHECKS_MIN:
        yield f"the audit ran {_checksrun_lane(outcome)} checks; {CHECKS_MIN} are needed"
    yield from unspecified(outcome.result["checks"])


def unspecified(checks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each of the 32 checks of the specification that did not run without a good reason."""
    found = {check["name"]: check for check in checks}
    for name in SPECIFIED:
        check = found.get(name)
        if check is None:
            yield f"the audit has no {name}"
        elif check["skipped"] and check["detail"] != MAY_SKIP.get(name):
            yield f"the audit skipped {name}: {check['detail']}"


def untimely(trades: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield what is wrong with the times of trades (G17): whole minutes of UTC, decided before entered before left."""
    for trade in trades:
        times = [trade[name] for name in ("decided_time", "entry_time", "exit_time")]
        if times != sorted(times):
            yield f"trade {trade['trade']}: its times are not in order"
        for time in times:
            if not time.endswith(":00Z"):
                yield f"trade {trade['trade']}: {time} is no whole minute"


def _unexpected(row: Row, trial: Trial) -> Iterator[str]:
    """Hold the result to what the row expects, or to what is expected of every play."""
    expect = document.expected(row)
    count, least, most = len(trial.trades), expect.get("min_trades", 1), expect.get("max_trades")
    if count < least or (most is not None and count > most):
        yield f"{count} trades; {least} {'or more' if most is None else f'to {most}'} are expected"
    wanted = expect.get("stop_reason", "end_of_data")
    if trial.stop_reason != wanted:
        yield f"the run stopped with {trial.stop_reason}; {wanted} is expected"
    if trial.trades and {trade["side"] for trade in trial.trades} != SIDES[row.side]:
        yield f"the sides traded are {', '.join(sorted({t['side'] for t in trial.trades}))}, not {row.side}"
    for reason in expect.get("exits", ()):
        if not trial.exits[reason]:
            yield f"no trade ended by {reason}; they ended by {dict(trial.exits)}"
    if (legs := expect.get("legs")) and max((int(t.get("leg", 1)) for t in trial.trades), default=0) < legs:
        yield f"no position was closed in {legs} legs"
