"""Drawn strategies: fifty plays that nobody chose, so that nothing is tuned to the named workloads.

Each is drawn from its number by the same generator as the series, runs in both lanes on the same bars, and must do the
same in both. No other backtester trades these plays as we do; beside the research lane stand its own features alone,
which no lane can be faster than, and beside a sweep the same sets one by one.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from evenkeel.cli.benchmark.figure import Figure, timed
from evenkeel.cli.benchmark.lane import ENGINE, RESEARCH_LOOP, lane_differences, run_engine, run_loop
from evenkeel.cli.benchmark.process import COLD_EXTRA_AIM_S, WARM_AIMS_S, backtest_process
from evenkeel.cli.benchmark.sweep import run_all
from evenkeel.cli.benchmark.workload import SYMBOL, Prepared, Workload, prepare_workload
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import uniforms
from evenkeel.engine.research import run_research
from evenkeel.engine.sweep.evaluate import Evaluator, judge
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.engine.sweep.together import Job
from evenkeel.features.lean import lean_program
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.errors import DataError
from evenkeel.strategies.strategy import decision_rows

FEATURES = "its features alone"
FIRST_CALL = "research lane, first call in a process"
PROCESS = "keel backtest --no-report, whole process"
COLD = "keel backtest --no-report, more with an empty kernel cache"
SWEEP = "sweep of stops and targets"
ONE_BY_ONE = "its sets one by one"

DRAWN_PLAYS = 50
PROCESS_EACH = 5
"""Each fifth of them is run as a process too."""

COLD_EACH = 25
"""Each twenty-fifth also with an empty kernel cache."""

SWEPT_EACH = 10
"""Each tenth is swept too."""

SWEPT_SETS = [
    {"risk_model.stop_loss.value": stop, "risk_model.take_profit.value": target}
    for stop in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
    for target in (1.0, 1.5, 2.0, 2.5, 3.0)
]

DRAWN_BARS = 100_000
DRAWS_A_PLAY = 32

_FEATURES = """\
  rsi_14: { indicator: rsi, params: { length: 14 } }
  ema_10: { indicator: ema, params: { length: 10 } }
  ema_60: { indicator: ema, params: { length: 60 } }
  sma_30: { indicator: sma, params: { length: 30 } }
  roc_10: { indicator: roc, params: { length: 10 } }
  atr_14: { indicator: atr, params: { length: 14 } }
  adx_14: { indicator: adx, params: { length: 14 } }
  bb_20: { indicator: bbands, params: { length: 20, std: 2.0 } }
  macd: { indicator: macd }
  stoch_14: { indicator: stoch, params: { k: 14 } }
  donchian_20: { indicator: donchian }
  supertrend_10: { indicator: supertrend, params: { length: 10 } }
  rsi_14_15m: { indicator: rsi, tf: med_tf, params: { length: 14 } }
  ema_20_15m: { indicator: ema, tf: med_tf, params: { length: 20 } }
  ema_12_1h: { indicator: ema, tf: high_tf, params: { length: 12 } }
"""

_RISING: tuple[str, ...] = (
    '["rsi_14", cross_above, 30]', '["ema_10", ">", "ema_60"]', '["close", ">", "sma_30"]', '["roc_10", ">", 0]',
    '["adx_14.adx", ">", 20]', '["close", "<", "bb_20.lower"]', '["macd.histogram", ">", 0]',
    '["stoch_14.k", cross_above, 20]', '["close", ">", "donchian_20.middle"]',
    '["supertrend_10.direction", "==", 1]', '["rsi_14_15m", "<", 55]', '["close", ">", "ema_20_15m"]',
    '["close", "<", "ema_12_1h"]', '["close", between, [1, 1000000]]',
    'holds_for: { bars: 3, expr: ["ema_10", ">", "sma_30"] }',
    'occurred_within: { bars: 9, expr: ["rsi_14", "<", 30] }',
)  # fmt: skip
_FALLING: tuple[str, ...] = (
    '["rsi_14", cross_below, 70]', '["ema_10", "<", "ema_60"]', '["close", "<", "sma_30"]', '["roc_10", "<", 0]',
    '["close", ">", "bb_20.upper"]', '["macd.histogram", "<", 0]', '["supertrend_10.direction", "==", -1]',
    '["close", "<", "ema_20_15m"]',
)  # fmt: skip
_SIZINGS = (
    "{ model: percent_equity, value: 10 }", "{ model: risk_based, value: 0.5 }", "{ model: fixed_usdt, value: 20000 }",
    "{ model: fixed_quantity, value: 1 }",
)  # fmt: skip
_POLICIES = (
    "{ mode: long_only, exit_mode: sl_tp_only }",
    "{ mode: long_short, exit_mode: first_hit }",
    "{ mode: long_only, exit_mode: signal }",
)


@dataclass(slots=True)
class _Found:
    """Seconds of what was run, by what it is."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def add(self, name: str, seconds: float) -> None:
        self.seconds.setdefault(name, []).append(seconds)


def measure_drawn(folder: Path) -> tuple[list[Figure], list[str]]:
    """Run every drawn play in both lanes; return the figures, and the plays in which the lanes disagree."""
    found = _Found()
    for number in range(DRAWN_PLAYS):
        prepared = prepare_workload(drawn_workload(number), DRAWN_BARS, folder)
        _measure_lanes(prepared, number, found)
        if number % PROCESS_EACH == 0:
            try:
                _measure_processes(prepared, cold=number % COLD_EACH == 0, found=found)
            except DataError as error:
                found.complaints.append(f"drawn play {number}: {error.message}")
        if number % SWEPT_EACH == 0:
            _measure_sweep(prepared, number, found)
    sets = len(SWEPT_SETS)
    research = _rate(found, RESEARCH_LOOP).beside(FEATURES, _rate(found, FEATURES).value)
    swept = _rate(found, SWEEP, sets).beside(ONE_BY_ONE, _rate(found, ONE_BY_ONE, sets).value)
    return [
        research, _rate(found, ENGINE), _time(found, FIRST_CALL), swept,
        *(
            _time(found, name, aim)
            for lane, warm_aim in WARM_AIMS_S.items()
            for name, aim in ((f"{lane}, {PROCESS}", warm_aim), (f"{lane}, {COLD}", COLD_EXTRA_AIM_S))
            if name in found.seconds
        ),
    ], found.complaints  # fmt: skip


def _measure_lanes(prepared: Prepared, number: int, found: _Found) -> None:
    """Run both lanes and compare them; the first call of the research lane loads its kernels."""
    strategy, series = prepared.strategy, prepared.market.stretches[0].series
    first, _ = timed(lambda: run_loop(prepared), 1)
    loop, record = timed(lambda: run_loop(prepared), 3)
    engine, engine_record = timed(lambda: run_engine(prepared), 1)
    program = lean_program(strategy.program, decision_rows(strategy))
    features, _ = timed(lambda: _pass_features(FeatureRun(program, series)), 3)
    for name, timing in ((FIRST_CALL, first), (RESEARCH_LOOP, loop), (ENGINE, engine), (FEATURES, features)):
        found.add(name, timing.median)
    found.complaints += [f"drawn play {number}: {text}" for text in lane_differences(record, engine_record)]


def _pass_features(run: FeatureRun) -> None:
    while run.advance():
        pass


def _measure_processes(prepared: Prepared, *, cold: bool, found: _Found) -> None:
    """Run `keel backtest` in both lanes, some also with an empty kernel cache."""
    for lane in WARM_AIMS_S:
        warm = backtest_process(prepared, lane).seconds
        found.add(f"{lane}, {PROCESS}", warm)
        if cold:
            with TemporaryDirectory() as empty:
                seconds = backtest_process(prepared, lane, {"EVENKEEL_KERNEL_CACHE": empty}).seconds
            found.add(f"{lane}, {COLD}", max(0.0, seconds - warm))


def _measure_sweep(prepared: Prepared, number: int, found: _Found) -> None:
    """Run a play with other stops and targets, in one sweep and one by one."""
    source = StrategySource(str(prepared.play), Definitions.load().find)
    evaluator = Evaluator(source, CatalogMarkets([Catalog(prepared.catalog)]), (None, None))
    jobs = [job for job in evaluator.jobs(enumerate(SWEPT_SETS)) if isinstance(job, Job)]
    run_all(jobs)
    swept, outcomes = timed(lambda: run_all(jobs), 1)
    alone, records = timed(lambda: [run_research(job.strategy, job.market) for job in jobs], 1)
    found.add(SWEEP, swept.median)
    found.add(ONE_BY_ONE, alone.median)
    for job, outcome, record in zip(jobs, outcomes, records, strict=True):
        if judge(job.strategy, job.market, record).metrics != outcome.metrics:
            found.complaints.append(f"drawn play {number}: set {job.number} gives other figures in a sweep than alone")


def drawn_workload(number: int) -> Workload:
    """Return the drawn play of that number; the same number is the same play everywhere."""
    draws = iter(uniforms(number, 0, DRAWS_A_PLAY).tolist())

    def pick(choices: tuple[str, ...]) -> str:
        return choices[int(next(draws) * len(choices))]

    def conditions(choices: tuple[str, ...]) -> str:
        picked = dict.fromkeys(pick(choices) for _ in range(1 + int(next(draws) * 3)))
        return "\n".join(f"      - {condition}" for condition in picked)

    stop, target = 1.0 + 3.0 * next(draws), 1.0 + 2.0 * next(draws)
    policy = pick(_POLICIES)
    sections = {"entry_long": _RISING}
    if "long_short" in policy:
        sections["entry_short"] = _FALLING
    if "sl_tp_only" not in policy:
        sections["exit_long"] = _FALLING
    actions = "\n".join(f"  {name}:\n    all:\n{conditions(choices)}" for name, choices in sections.items())
    play = f"""\
version: "3.0.0"
name: drawn_{number}
symbol: {SYMBOL}
timeframes: {{ low_tf: 1m, med_tf: 15m, high_tf: 1h, exec: low_tf }}
account: {{ starting_equity: 1000000, max_drawdown_pct: 100, slippage_bps: 1 }}
features:
{_FEATURES}
actions:
{actions}
position_policy: {policy}
risk_model:
  stop_loss: {{ type: atr_multiple, value: {stop:.2f}, atr_feature_id: atr_14 }}
  take_profit: {{ type: rr_ratio, value: {target:.2f} }}
  sizing: {pick(_SIZINGS)}
"""
    return Workload(f"drawn_{number}", "a drawn play", play)


def _rate(found: _Found, name: str, times: int = 1) -> Figure:
    seconds = found.seconds[name]
    value, worst = (times * DRAWN_BARS / each for each in (statistics.median(seconds), max(seconds)))
    return Figure("drawn", f"{len(seconds)} drawn plays, {name}", value, "bars/s", worst, len(seconds))


def _time(found: _Found, name: str, aim: float | None = None) -> Figure:
    seconds = found.seconds[name]
    value, worst = statistics.median(seconds), max(seconds)
    return Figure("drawn", f"{len(seconds)} drawn plays, {name}", value, "s", worst, len(seconds), aim)
