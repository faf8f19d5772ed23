"""Several runs in one table, for a terminal: what a person sees before opening a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.monitor.report.audit import state_of
from evenkeel.monitor.report.luck import headline
from evenkeel.monitor.report.proof import deflated, overfitted
from evenkeel.monitor.report.run_files import Result, read_result, read_trades
from evenkeel.monitor.report.uncertainty import Uncertainty, judge
from evenkeel.monitor.report.words import NONE, count, money, percent
from evenkeel.readiness.draws import seed_of

_NOT_JUDGED = "not judged"
SUMMARY_COLUMNS = (
    "Strategy", "Instrument", "Trades", "Could it be luck?", "DSR", "PBO", "Net", "Return", "Drawdown", "Audit",
)  # fmt: skip
"""Heads of the columns that `summary_table` fills."""


def read_uncertainty(folder: Path) -> Uncertainty:
    """Return how far the result in the folder of a run can be trusted.

    Raises:
        DataError: If a file of the run is missing or damaged.
    """
    result = read_result(folder)
    return judge(read_trades(folder), start_equity=result.account.start_equity, seed=seed_of(result.run))


def summary_table(
    results: Sequence[Mapping[str, Any]], uncertainties: Sequence[Uncertainty] | None = None
) -> list[tuple[str, ...]]:
    """Return one row of texts per run, in the order of `SUMMARY_COLUMNS`.

    Args:
        results: Documents as in `result.json`.
        uncertainties: Of the same runs in the same order, from `read_uncertainty`; without them the column says
            that nobody judged.
    """
    found: Sequence[Uncertainty | None] = uncertainties if uncertainties is not None else [None] * len(results)
    return [
        _row(msgspec.convert(dict(document), Result, strict=False), uncertainty)
        for document, uncertainty in zip(results, found, strict=True)
    ]


def _row(result: Result, uncertainty: Uncertainty | None) -> tuple[str, ...]:
    metrics = result.metrics
    net = Decimal(str(metrics.get("net_pnl") or 0))
    states = [state_of(check) for check in result.checks]
    failed = states.count("failed")
    return (
        result.strategy.name,
        ", ".join(result.symbols),
        f"{int(metrics.get('trades') or 0):,}",
        headline(uncertainty, result.evidence) if uncertainty is not None else _NOT_JUDGED,
        NONE if result.evidence is None or result.evidence.dsr is None else deflated(result.evidence),
        NONE if result.evidence is None or result.evidence.pbo is None else overfitted(result.evidence),
        f"{money(net, signed=True)} {result.account.currency}",
        percent(metrics.get("return_pct"), signed=True),
        percent(metrics.get("max_drawdown_pct")),
        f"{count(failed, 'check')} failed" if failed else f"{states.count('ok')} passed" if states else "none",
    )
