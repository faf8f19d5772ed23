"""All checks of a run, in order."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from evenkeel.readiness.audit import (
    assets,
    equity,
    fills,
    funding,
    legs,
    levels,
    liquidation,
    marks,
    metrics,
    path,
    size,
    touch,
    trades,
)
from evenkeel.readiness.audit.aggregates import bars_aggregate, bars_valid
from evenkeel.readiness.audit.artifacts import Run, read_run
from evenkeel.readiness.audit.bars import MARKS, NO_BARS, BaseBars, Columns, bars_match, columns_of
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import read_courses
from evenkeel.readiness.audit.curve import read_curve
from evenkeel.readiness.audit.document import Unreadable
from evenkeel.readiness.audit.funding import NO_SETTLEMENTS, Due, funding_due
from evenkeel.readiness.audit.held import Held
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.marks import Marks
from evenkeel.readiness.audit.models import PIECES, QUOTES
from evenkeel.readiness.audit.pieces import Budgets
from evenkeel.readiness.audit.replay.checks import replay_checks
from evenkeel.readiness.audit.screen import screened
from evenkeel.readiness.audit.states import account_states

PRECISION = 50
"""Digits of the audit's `Decimal` arithmetic: sums and products of postings never round."""


def audit(
    folder: Path,
    *,
    base_bars: pl.DataFrame | Columns | None = None,
    higher_bars: Mapping[str, pl.DataFrame | Columns] | None = None,
    funding: pl.DataFrame | None = None,
    beside: Mapping[str, pl.DataFrame] | None = None,
    actions: pl.DataFrame | None = None,
    borrow: pl.DataFrame | None = None,
) -> list[Check]:
    """Check the files of a run against each other and, where given, against the bars that the run used.

    Args:
        folder: Holds `result.json`, `manifest.json`, `trades.csv`, `fills.csv`, `equity.parquet` and, if the run has
            sessions, `sessions.parquet`.
        base_bars: The base bars that the run used: `open_ns, close_ns, open, high, low, close, volume`; without them
            the checks that need bars are skipped. On a market with sessions also `session`, the number of the trading
            day of each open, and where a mark price is known `mark_open, mark_high, mark_low`.
        higher_bars: By timeframe name the aggregates that the run used, with `first` and `last` rows of the base
            bars in addition; the execution timeframe must be among them unless it is the base.
        funding: The recorded funding settlements that the run used: `stamp_ns, rate, mark`; without them a run that had
            some is checked as if its bars were not given.
        beside: What a play may read beside the bars by name, `mark_price`, `funding_rate` and `open_interest`:
            `known_ns, value`. A play that reads what the run had and the audit was not given is not read again.
        actions: The recorded splits and dividends of a share: `stamp_ns, split` (new per old), `dividend` (cash for
            each), NaN for none; without them a run that had some is checked as if its bars were not given.
        borrow: The recorded yearly rates of shorts, `stamp_ns, rate`, fractions; without them what a run with such
            rates paid for its shorts is not derived.

    Returns:
        The checks in a fixed order. If the files cannot be read, `LOAD` fails and is the only one.
    """
    with decimal.localcontext(decimal.Context(prec=PRECISION)):
        try:
            run = read_run(folder)
            base = None if base_bars is None else columns_of(base_bars)
            higher = {name: columns_of(table) for name, table in (higher_bars or {}).items()}
            return [_loaded(run), *_checks(run, base, higher, (funding, actions, borrow), beside)]
        except Unreadable as refusal:
            return [judged("LOAD", [str(refusal)], "")]


def _loaded(run: Run) -> Check:
    """Check that result and manifest speak of one run; that the files parse has been seen before."""
    pairs = {
        "run": ("run", "run"),
        "strategy hash": ("strategy.hash", "strategy.hash"),
        "data hash": ("data.hash", "data.hash"),
        "base timeframe": ("data.base_tf", "data.base_tf"),
        "execution timeframe": ("data.exec_tf", "data.exec_tf"),
        "currency": ("account.currency", "account.currency"),
        "profile": ("profile", "profile"),
        "lane": ("lane", "lane"),
    }
    problems = [
        f"the {what} of result.json is not that of manifest.json"
        for what, (left, right) in pairs.items()
        if run.result.value(left) != run.manifest.value(right)
    ]
    if run.result.number("account.start_equity") != run.terms.start_equity:
        problems.append("the start equity of result.json is not that of manifest.json")
    return judged("LOAD", problems, f"{len(run.trades)} trades, {len(run.fills)} fills, {len(run.equity)} points")


def _checks(
    run: Run,
    base: Columns | None,
    higher: dict[str, Columns],
    dated: tuple[pl.DataFrame | None, pl.DataFrame | None, pl.DataFrame | None],
    beside: Mapping[str, pl.DataFrame] | None,
) -> list[Check]:
    """Run every check but the first; bars that are not valid serve no further check.

    `dated` are the recorded funding, actions and borrow rates.
    """
    recorded, actions, borrow = dated
    run = replace(run, borrow_given=borrow is not None)
    if (run.terms.funded and run.terms.funding_recorded and recorded is None) or (run.terms.acted and actions is None):
        base = None
    if base is not None and not run.manifest.has("models"):
        base = {
            name: one for name, one in base.items() if name not in MARKS
        }  # such a run is of before: it judged liquidations by the last price
    given = (
        None if base is None else BaseBars(base, _execution(run, base, higher), assets.split_scale(run, base, actions))
    )
    valid = bars_valid(given, higher)
    bars = given if valid.ok else None
    higher = higher if valid.ok else {}
    aggregate = bars_aggregate(run.terms, bars, higher)
    known = Knowledge(run.terms, bars, higher)
    fraction = run.terms.models.volume_fraction
    budgets = None if bars is None or fraction is None else Budgets(run, bars, float(fraction))
    underived = PIECES if budgets is not None and budgets.cut else run.terms.models.underived
    underived = underived or assets.underived(run)
    seen, bars = bars, None if underived else bars
    due = [] if bars is None else funding_due(run.terms, bars, recorded) or _carried(run, bars, actions, borrow)
    run = replace(run, proven=screened(run, bars, known, [each.row for each in due]))
    courses = None if bars is None else read_courses(run, bars, known, due)
    states = account_states(run, bars, courses)
    curve = read_curve(run, bars, states)
    held = None if bars is None or courses is None else Held(run, courses, bars)
    account = None if bars is None or courses is None else Marks(run, bars, states)
    checks = [
        trades.trade_count(run),
        fills.fills_match(run),
        trades.pnl_direction(run),
        trades.net_pnl(run),
        fills.fees(run),
        levels.level_sides(run),
        trades.exit_reasons(run),
        trades.entry_fills(run),
        trades.independent_pnl(run),
        levels.level_distances(run, bars, known),
        equity.equity_walk(curve),
        equity.equity_final(run, curve),
        equity.drawdown_walk(curve),
        equity.sessions(run, curve),
        metrics.summary(run),
        trades.no_overlap(run),
        legs.legs(run, courses),
        fills.cash_flows(run),
        metrics.counts(run),
        metrics.profit(run),
        metrics.rates(run),
        metrics.extremes(run),
        metrics.drawdown(run, curve),
        metrics.risk_ratios(run),
        metrics.duration(run),
        metrics.quality(run, curve),
        metrics.growth(run),
        metrics.exposure(run, curve),
        fills.slippage(run, bars, courses),
        bars_match(run.terms, given),
        valid,
        aggregate,
        size.sizes(run, bars, known),
        fills.entry_prices(run, bars),
        path.entry_times(run, bars),
        fills.exit_prices(run, bars, courses),
        path.exit_times(run, bars, courses),
        touch.first_touch(run, bars, courses, held),
        legs.stop_paths(courses),
        path.excursions(run, held),
        path.bars_held(run, bars),
        equity.equity_points(run, bars),
        equity.equity_marks(bars, curve),
        marks.intrabar_drawdown(run, account, courses),
        marks.stop_reason(run, bars, account),
        funding.funding(run, courses),
        liquidation.liquidations(run, bars, courses, held, known),
        *replay_checks(run, seen, higher, beside),
    ]
    judged_by_bars = [_within(budgets, _underived(underived, check)) for check in checks]
    return list(assets.without_what_is_not_known(run, judged_by_bars))


def _carried(run: Run, bars: BaseBars, actions: pl.DataFrame | None, borrow: pl.DataFrame | None) -> list[Due]:
    """Return dividends and borrow fees by row."""
    found = [*assets.dividends_due(bars, actions), *assets.borrow_due(bars, run.terms.borrow_rate, borrow)]
    return sorted(found, key=lambda due: due.row)


IN_PIECES = ("LEGS", "EQUITY_WALK")
"""Checks of files alone that take an order for one fill."""

BY_QUOTES = ("EXIT_REASON", "MTF_AGGREGATION", "NO_LOOKAHEAD")
"""Checks that take base bars, or the fills in them, for those of a price."""

DECISIONS = ("SIGNAL_REPLAY",)
"""Checks that follow orders from their decisions to their fills."""


def _underived(reason: str | None, check: Check) -> Check:
    """Return a check, skipped where it would have to derive fills by a model that the audit does not know."""
    if reason is None:
        return check
    without_bars = check.skipped and check.detail in (NO_BARS, NO_SETTLEMENTS)
    in_pieces = reason == PIECES and check.name in IN_PIECES
    concerned = (check.name in DECISIONS and reason != assets.SPLITS) or in_pieces
    concerned = concerned or (reason == QUOTES and check.name in BY_QUOTES)
    return skipped(check.name, reason) if without_bars or concerned else check


def _within(budgets: Budgets | None, check: Check) -> Check:
    """Return the check of fills and rows, failed where a bar filled more than its volume allows."""
    if budgets is None or check.name != "FILLS_MATCH" or check.failed:
        return check
    return judged(check.name, budgets.problems(), check.detail)


def _execution(run: Run, base: Columns, higher: dict[str, Columns]) -> Columns | None:
    """Return the execution bars: given, or the base bars where the run decided on these."""
    terms = run.terms
    return higher.get(terms.execution_timeframe, base if terms.execution_timeframe == terms.base_timeframe else None)
