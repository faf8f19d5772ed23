"""What shares, futures and their accounts bring to a run: actions, borrow fees, kinds of account (decision 0016).

Dividends and borrow fees are paid on a held position as funding is, so they are dues beside it. What the audit does not
derive again is skipped with its reason: fills behind a split and prices as features see them then, sizes on credit or
on settled cash, fills in extended hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import SPLIT
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.check import Check, skipped
from evenkeel.readiness.audit.funding import Due
from evenkeel.readiness.audit.number import ONE, exact

if TYPE_CHECKING:
    from evenkeel.readiness.audit.artifacts import Run

SPLITS = "a split lies in the run: what it does to prices of features and to a position is not derived again from bars"
EXTENDED = "extended hours take part in the run: which bars belong to them is not known from its files"
BORROWED = "borrow fees were charged at rates that the audit does not know"
BROKERED = "what the broker of such an account lets be opened is not derived again"
INTERLEAVED = "a split came between the legs of a position: its legs are in old and in new units"

BORROW_YEAR = 360
"""Days of a year by which a borrow fee accrues."""

OF_SPLITS = ("SL_TP_CALC", "ENTRY_FILL", "EQUITY_WALK", "LEGS", "NO_LOOKAHEAD", "SIGNAL_REPLAY")
"""Checks that take the units of a position for the same from its entry to its end, or read features."""

OF_LEGS = ("FILLS_MATCH", "FEES", "INDEP_PNL", "EXCHANGE_FORMULA", "SLIPPAGE", "SL_TP_LEVELS", "PNL_DIRECTION")
OF_FEES = ("FUNDING", "EQUITY_WALK", "EQUITY_MARK", "METRIC_DRAWDOWN_INTRABAR", "STOP_REASON")
OF_BROKERS = ("SIZE", "SIGNAL_REPLAY")


def underived(run: Run, bars: BaseBars | None, actions: pl.DataFrame | None) -> str | None:
    """Return why fills of a run are not derived again from its bars, for what it trades; None where they are."""
    if run.terms.extended_hours:
        return EXTENDED
    return SPLITS if run.split or (bars is not None and _splits(bars, actions)) else None


def _splits(bars: BaseBars, actions: pl.DataFrame | None) -> bool:
    if actions is None:
        return False
    times = actions.filter(pl.col("split").is_not_nan())["stamp_ns"]
    return bool(((times > bars.opens[0]) & (times <= bars.opens[-1])).any())


def dividends_due(bars: BaseBars, actions: pl.DataFrame | None) -> list[Due]:
    """Return the dividends of a run: who holds at the open of the ex-date gets the cash, who is short pays it."""
    if actions is None:
        return []
    paid = actions.filter(pl.col("dividend").is_not_nan())
    rows = np.searchsorted(bars.opens, paid["stamp_ns"].to_numpy()).tolist()
    return [
        Due(row, -exact(cash), ONE)
        for row, cash in zip(rows, paid["dividend"].to_list(), strict=True)
        if 0 < row < len(bars)
    ]


def borrow_due(bars: BaseBars, yearly: Decimal | None) -> list[Due]:
    """Return the borrow fees of shorts at the open of each session: for the days since the last one, on its close."""
    if yearly is None or "session" not in bars.columns:
        return []
    days, closes = bars.columns["session"], bars.column("close")
    return [
        Due(row, -yearly * int(days[row] - days[row - 1]) / BORROW_YEAR, exact(float(closes[row - 1])), side=-1)
        for row in (np.flatnonzero(np.diff(days)) + 1).tolist()
    ]


def without_what_is_not_known(run: Run, checks: list[Check]) -> Iterator[Check]:
    """Yield the checks, those skipped that do not know the account or the splits of the run."""
    split, legs, broker = run.split, _is_interleaved(run), run.terms.account_kind
    brokered = broker in ("futures", "margin") or (broker == "cash" and not run.terms.always_open)
    for check in checks:
        if split and check.name in OF_SPLITS:
            yield skipped(check.name, SPLITS)
        elif legs and check.name in OF_LEGS:
            yield skipped(check.name, INTERLEAVED)
        elif brokered and check.name in (OF_BROKERS if broker == "cash" else OF_BROKERS[1:]) and not check.skipped:
            yield skipped(check.name, BROKERED)
        elif run.borrowed and check.name in OF_FEES:
            yield skipped(check.name, BORROWED)
        else:
            yield check


def _is_interleaved(run: Run) -> bool:
    """Whether a part of a position was closed before a split of it."""
    legs = run.fills.values("leg", "leg").to_list()
    splits = (run.fills.values("order_kind", "kind") == SPLIT).arg_true().to_list()
    return any(legs[place - 1] != "entry" for place in splits)
