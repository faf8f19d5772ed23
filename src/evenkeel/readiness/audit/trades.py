"""Checks of the trade list that need no bars.

`TRADE_COUNT` (2), `PNL_DIRECTION` (3), `NET_PNL` (4), `EXIT_REASON` (7), `ENTRY_FILL` (8), `INDEP_PNL` (9) and
`NO_OVERLAP` (14).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from evenkeel.readiness.audit.artifacts import Position, Run, Trade
from evenkeel.readiness.audit.check import Check, judged
from evenkeel.readiness.audit.models import SOURCES
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import PRICE_TOLERANCE, on_grid, same_posting
from evenkeel.readiness.audit.rules import EXIT_POINTS
from evenkeel.readiness.audit.stop_path import REASONS
from evenkeel.readiness.audit.terms import Terms

SIDES = {"long_only": (1,), "short_only": (-1,), "long_short": (1, -1)}

BROKERS = {"margin_call": ("futures", "margin"), "session_end": ("futures",)}
"""The kinds of account that know an exit, by its reason."""


def trade_count(run: Run) -> Check:
    """Check that the summary counts the rows that the list has; positions and their legs are numbered 1, 2, 3, ..."""
    recorded = run.result.number("metrics.trades")
    problems = []
    if recorded != len(run.trades):
        problems.append(f"the result counts {recorded} trades, trades.csv has {len(run.trades)}")
    doubtful = zip(run.doubtful, run.doubtful_positions, strict=True)
    if any(position.number != str(place + 1) for place, position in doubtful):
        problems.append("the trades are not numbered 1, 2, 3, ... in order")
    for position in run.doubtful_positions:
        if [leg.leg for leg in position.legs] != list(range(1, len(position.legs) + 1)):
            problems.append(f"trade {position.number}: its legs are not numbered 1, 2, 3, ... in order")
    return judged("TRADE_COUNT", problems, f"{len(run.trades)} trades")


def pnl_direction(run: Run) -> Check:
    """Check that a long gains when the price rose and a short when it fell."""
    problems = []
    for trade in run.doubtful_trades:
        moved = trade.sign * (trade.exit_price - trade.entry_price)
        if (moved > 0 and trade.gross < 0) or (moved < 0 and trade.gross > 0):
            side = "long" if trade.sign > 0 else "short"
            path = f"{trade.entry_price} to {trade.exit_price}"
            problems.append(f"{trade.label}: a {side} from {path} cannot have a gross result of {trade.gross}")
    return judged("PNL_DIRECTION", problems, f"{len(run.trades)} trades")


def net_pnl(run: Run) -> Check:
    """Check that net is gross plus funding less fees, exactly."""
    problems = []
    for trade in run.doubtful_trades:
        derived = trade.gross + trade.funding - trade.fees
        if trade.net != derived:
            problems.append(f"{trade.label}: net is {trade.net}, gross + funding - fees is {derived}")
    return judged("NET_PNL", problems, f"{len(run.trades)} trades, exact")


def independent_pnl(run: Run) -> Check:
    """Check gross results: side times quantity times multiplier times price difference, rounded to 1e-8."""
    problems = []
    for trade in run.doubtful_trades:
        units = trade.quantity * run.terms.multiplier
        derived = trade.sign * units * (trade.exit_price - trade.entry_price)
        if not same_posting(trade.gross, derived, notional=units * (trade.exit_price + trade.entry_price)):
            problems.append(f"{trade.label}: the gross result is {trade.gross}, its prices give {derived:.8f}")
    return judged("INDEP_PNL", problems, f"{len(run.trades)} gross results")


def entry_fills(run: Run) -> Check:
    """Check symbol, side, quantity and its grid of each entry."""
    problems = [problem for position in run.doubtful_positions for problem in _entry_problems(run.terms, position)]
    return judged("ENTRY_FILL", problems, f"{len(run.positions)} entries")


def _entry_problems(terms: Terms, position: Position) -> Iterator[str]:
    trade, quantity = position.entry, position.quantity
    label = f"trade {trade.number}"
    if trade.symbol not in terms.symbols:
        yield f"{label}: the symbol is {trade.symbol}, the run traded {terms.symbols[0]}"
    if trade.sign not in SIDES.get(terms.side_policy, ()):
        yield f"{label}: its side is forbidden by the position policy {terms.side_policy}"
    for leg in position.legs:
        if not on_grid(leg.quantity, terms.lot):
            yield f"{leg.label}: the quantity {leg.quantity} is no multiple of the lot {terms.lot}"
    if quantity < terms.quantity_min:
        yield f"{label}: the quantity {quantity} is below the smallest, {terms.quantity_min}"
    if terms.quantity_max is not None and quantity > terms.quantity_max:
        yield f"{label}: the quantity {quantity} is above the largest, {terms.quantity_max}"
    if terms.is_play and trade.entry_kind != ("limit" if terms.entry_is_limit else "market"):
        yield f"{label}: the entry was a {trade.entry_kind} order, the strategy places others"


def exit_reasons(run: Run) -> Check:
    """Check that each exit has a known reason, its point and liquidity, and a price that this reason allows."""
    problems = [problem for trade in run.doubtful_trades for problem in _exit_problems(run.terms, trade)]
    return judged("EXIT_REASON", problems, f"{len(run.trades)} exits")


def _exit_problems(terms: Terms, trade: Trade) -> Iterator[str]:
    label = f"{trade.label}: {trade.exit_reason}"
    if trade.exit_reason not in EXIT_POINTS:
        yield f"{label} is no reason of an exit; known are {', '.join(EXIT_POINTS)}"
        return
    if trade.exit_point not in EXIT_POINTS[trade.exit_reason]:
        yield f"{label} at the point {trade.exit_point}"
    rests = trade.exit_reason == "tp" and terms.target_is_limit
    either = terms.models.stop_is_limit and trade.exit_reason in REASONS
    if trade.exit_liquidity != ("maker" if rests else "taker") and not either:
        yield f"{label} as {trade.exit_liquidity}"
    if trade.exit_reason == "signal" and terms.exit_policy == "sl_tp_only":
        yield f"{label}, but the exit mode is sl_tp_only"
    if terms.account_kind not in BROKERS.get(trade.exit_reason, (terms.account_kind,)):
        yield f"{label}, but an account of the kind {terms.account_kind} knows none"
    if trade.exit_reason == "liquidation" and not terms.margin.liquidates:
        yield f"{label}, but only perpetuals are liquidated"
    yield from _moved_stop(terms, trade, label)
    yield from _beside_level(terms, trade, label)


def _moved_stop(terms: Terms, trade: Trade, label: str) -> Iterator[str]:
    """Report a stop that moved without a rule, or away from the price, or whose exit has the wrong word for it."""
    moved = trade.final_stop != trade.stop
    rules = {"trailing": terms.trailing, "breakeven": terms.break_even}
    if moved and not any(rules.values()):
        yield f"{label}, the stop moved from {trade.stop} to {trade.final_stop}, but no rule moves it"
    elif moved and (trade.stop is None or trade.final_stop is None or not _tighter(trade.stop, trade)):
        yield f"{label}, the stop moved from {trade.stop} to {trade.final_stop}, away from the price"
    if trade.exit_reason in rules and (not moved or rules[trade.exit_reason] is None):
        yield f"{label}, but the stop was never moved by such a rule"
    if trade.exit_reason == REASONS[0] and moved:
        yield f"{label}, but the stop had moved from {trade.stop} to {trade.final_stop}"


def _tighter(first: Decimal, trade: Trade) -> bool:
    return trade.final_stop is not None and trade.sign * (trade.final_stop - first) > 0


def _beside_level(terms: Terms, trade: Trade, label: str) -> Iterator[str]:
    slack = PRICE_TOLERANCE * trade.exit_price
    models = terms.models
    at_its_level = models.trigger == SOURCES[0] and not models.stop_is_limit and models.volume_fraction is None
    if trade.exit_reason in REASONS:
        if trade.final_stop is None:
            yield f"{label} without a stop"
        elif at_its_level and trade.sign * (trade.exit_price - terms.slipped(trade.final_stop, -trade.sign)) > slack:
            yield f"{label} at {trade.exit_price}, better than the stop {trade.final_stop} with slippage"
    if trade.exit_reason == "tp":
        if trade.target is None:
            yield f"{label} without a target"
            return
        lost = 0 if terms.target_is_limit else terms.taken + terms.impact.most
        floor = trade.target * (1 - trade.sign * lost)
        if (at_its_level or terms.target_is_limit) and trade.sign * (trade.exit_price - floor) < -slack:
            yield f"{label} at {trade.exit_price}, worse than the target {trade.target} allows"


def no_overlap(run: Run) -> Check:
    """Check that a trade is decided, entered and left in this order, and only after the one before it ended."""
    problems = []
    for trade in run.doubtful_trades:
        if not trade.decided_ns <= trade.entry_ns <= trade.exit_ns:
            problems.append(f"{trade.label}: decision, entry and exit are not in this order")
    for position in run.doubtful_positions:
        if any(after.exit_ns < before.exit_ns for before, after in pairwise(position.legs)):
            problems.append(f"trade {position.number}: its legs were not closed in this order")
    for place in run.doubtful:
        if place == 0:
            continue
        before, after = run.positions[place - 1], run.positions[place]
        ended, entry = max(leg.exit_ns for leg in before.legs), after.entry
        if entry.decided_ns < ended or entry.entry_ns <= ended:
            problems.append(
                f"trade {after.number} was decided at {instant_text(entry.decided_ns)}, "
                f"but trade {before.number} ended only at {instant_text(ended)}"
            )
    return judged("NO_OVERLAP", problems, f"{len(run.positions)} positions, one at a time")
