"""What shares, futures and their accounts bring to a run: actions, borrow fees, kinds of account (decision 0016).

Dividends and borrow fees are paid on a held position as funding is, so they are dues beside it. What the audit does not
derive again is skipped with its reason: a position that a split fell into, borrow fees at rates that were not given,
fills in extended hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import SPLIT
from evenkeel.readiness.audit.bars import BaseBars, Columns
from evenkeel.readiness.audit.check import Check, skipped
from evenkeel.readiness.audit.funding import Due
from evenkeel.readiness.audit.number import ONE, exact
from evenkeel.readiness.audit.tally import Floats, Ints

if TYPE_CHECKING:
    from evenkeel.readiness.audit.artifacts import Run

SPLITS = "a split fell into a held position: what it does to its prices and levels is not derived again from bars"
EXTENDED = "extended hours take part in the run: which bars belong to them is not known from its files"
BORROWED = "borrow fees were charged at recorded rates, which were not given"
INTERLEAVED = "a split came between the legs of a position: its legs are in old and in new units"

BORROW_YEAR = 360
"""Days of a year by which a borrow fee accrues."""

OF_SPLITS = ("SL_TP_CALC", "ENTRY_FILL", "EQUITY_WALK", "LEGS")
"""Checks that take the units of a position for the same from its entry to its end."""

OF_LEGS = (
    "SIGNAL_REPLAY",
    "FILLS_MATCH",
    "FEES",
    "INDEP_PNL",
    "EXCHANGE_FORMULA",
    "SLIPPAGE",
    "SL_TP_LEVELS",
    "PNL_DIRECTION",
)
OF_FEES = ("FUNDING", "EQUITY_WALK", "EQUITY_MARK", "METRIC_DRAWDOWN_INTRABAR", "STOP_REASON")


def underived(run: Run) -> str | None:
    """Return why fills of a run are not derived again from its bars, for what it trades; None where they are."""
    if run.terms.extended_hours:
        return EXTENDED
    return SPLITS if run.split else None


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


def borrow_due(bars: BaseBars, yearly: Decimal | None, recorded: pl.DataFrame | None) -> list[Due]:
    """Return the borrow fees of shorts at the open of each session: for the days since the last one, on its close.

    Args:
        bars: The base bars, with their sessions.
        yearly: What the account asks where nothing is recorded yet; None asks nothing.
        recorded: Yearly rates and from when each holds, `stamp_ns, rate`; None without.
    """
    if (yearly is None and recorded is None) or "session" not in bars.columns:
        return []
    days, closes = bars.columns["session"], bars.column("close")
    rows = np.flatnonzero(np.diff(days)) + 1
    rates = _rates(bars.opens[rows], yearly, recorded)
    return [
        Due(row, -rate * int(days[row] - days[row - 1]) / BORROW_YEAR, exact(float(closes[row - 1])), side=-1)
        for row, rate in zip(rows.tolist(), rates, strict=True)
        if rate is not None
    ]


def _rates(instants: Ints, yearly: Decimal | None, recorded: pl.DataFrame | None) -> list[Decimal | None]:
    """Return the yearly rate at instants: the last one recorded, before the first one that of the account."""
    if recorded is None:
        return [yearly] * len(instants)
    known = [exact(rate) for rate in recorded["rate"].to_list()]
    places = np.searchsorted(recorded["stamp_ns"].to_numpy(), instants, side="right") - 1
    return [yearly if place < 0 else known[place] for place in places.tolist()]


def split_scale(run: Run, bars: Columns, actions: pl.DataFrame | None) -> Floats | None:
    """Return by what features see the prices of each base bar multiplied: the splits since the run's first bar.

    Ruling 19: nothing from the future, no price moves behind its back. None where it is one throughout.
    """
    if actions is None:
        return None
    splits = actions.filter(pl.col("split").is_not_nan())
    stamps, grown = splits["stamp_ns"].to_numpy(), np.cumprod(np.append(1.0, splits["split"].to_numpy()))
    first = int(np.searchsorted(bars["open_ns"], run.terms.start_ns))
    begin = int(bars["open_ns"][min(first, len(bars["open_ns"]) - 1)])
    scale = grown[np.searchsorted(stamps, bars["open_ns"], side="right")]
    scale = scale / grown[np.searchsorted(stamps, begin, side="right")]
    return None if (scale == 1).all() else scale


def without_what_is_not_known(run: Run, checks: list[Check]) -> Iterator[Check]:
    """Yield the checks, those skipped that do not know the account or the splits of the run."""
    split, legs = run.split, _is_interleaved(run)
    for check in checks:
        if split and check.name in OF_SPLITS:
            yield skipped(check.name, SPLITS)
        elif legs and check.name in OF_LEGS:
            yield skipped(check.name, INTERLEAVED)
        elif run.borrowed and check.name in OF_FEES:
            yield skipped(check.name, BORROWED)
        else:
            yield check


def _is_interleaved(run: Run) -> bool:
    """Whether a part of a position was closed before a split of it."""
    legs = run.fills.values("leg", "leg").to_list()
    splits = (run.fills.values("order_kind", "kind") == SPLIT).arg_true().to_list()
    return any(legs[place - 1] != "entry" for place in splits)
