"""Drawn strategies: fifty plays that nobody chose, so that nothing is tuned to the named workloads.

Each is drawn from its number by the same generator as the series, runs in both lanes on the same bars, and must do the
same in both.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from evenkeel.cli.benchmark.figure import Figure, timed
from evenkeel.cli.benchmark.lane import lane_differences, run_engine, run_loop
from evenkeel.cli.benchmark.process import backtest_process
from evenkeel.cli.benchmark.workload import SYMBOL, Prepared, Workload, prepare_workload
from evenkeel.data.synthetic import uniforms
from evenkeel.engine.research import run_research

DRAWN_PLAYS = 50
PROCESS_EACH = 5
"""Each fifth of them is run as a process too."""

DRAWN_BARS = 20_000
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


def measure_drawn(folder: Path) -> tuple[list[Figure], list[str]]:
    """Run every drawn play in both lanes; return the figures, and the plays in which the lanes disagree."""
    seconds: list[tuple[float, float, float]] = []
    processes: dict[str, list[float]] = {"research": [], "engine": []}
    complaints = []
    for number in range(DRAWN_PLAYS):
        prepared = prepare_workload(drawn_workload(number), DRAWN_BARS, folder)
        seconds.append(_seconds(prepared))
        record = run_research(prepared.strategy, prepared.market)
        complaints += [f"drawn play {number}: {text}" for text in lane_differences(record, run_engine(prepared))]
        if number % PROCESS_EACH == 0:
            for lane, found in processes.items():
                found.append(backtest_process(prepared, lane).seconds)
    first, research, engine = zip(*seconds, strict=True)
    return [
        _rate("research lane, compute and simulate", research), _rate("engine lane, with journal", engine),
        _time("research lane, first call in a process", first),
        *(_time(f"keel backtest --lane {lane} --no-report, whole process", found) for lane, found in processes.items()),
    ], complaints  # fmt: skip


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


def _seconds(prepared: Prepared) -> tuple[float, float, float]:
    """Return the seconds of the first call of the research lane, which loads its kernels, and of both lanes later."""
    first, _ = timed(lambda: run_loop(prepared), 1)
    loop, _ = timed(lambda: run_loop(prepared), 3)
    engine, _ = timed(lambda: run_engine(prepared), 1)
    return first.median, loop.median, engine.median


def _rate(name: str, seconds: Sequence[float]) -> Figure:
    value, worst = DRAWN_BARS / statistics.median(seconds), DRAWN_BARS / max(seconds)
    return Figure("drawn", f"{DRAWN_PLAYS} drawn plays, {name}", value, "bars/s", worst, len(seconds))


def _time(name: str, seconds: Sequence[float]) -> Figure:
    return Figure(
        "drawn", f"{len(seconds)} drawn plays, {name}", statistics.median(seconds), "s", max(seconds), len(seconds)
    )
