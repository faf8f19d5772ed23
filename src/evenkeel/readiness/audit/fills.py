"""Checks of single fills: fees, slippage, prices, and that each trade is made of its fills.

`FILLS_MATCH`, `FEES` (5), `EXCHANGE_FORMULA` (15), `SLIPPAGE`, `ENTRY_PRICE` and `EXIT_FILL` (25).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import takewhile

from evenkeel.readiness.audit.artifacts import SPLIT, Fill, Position, Run, Trade
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import (
    FLOAT_TOLERANCE,
    POSTING_TOLERANCE,
    ZERO,
    same_money,
    same_posting,
    same_price,
    shown,
)
from evenkeel.readiness.audit.rules import Quote, entry_quotes, exit_quote
from evenkeel.readiness.audit.stop_path import REASONS

Courses = list[Course | None] | None

LEGS = {
    **dict.fromkeys(REASONS, ("stop", "stop")), "tp": ("target", "take_profit"), "signal": ("exit", "market"),
}  # fmt: skip
"""Leg and order kind of the fill that closes a leg, by exit reason; guards close the others."""

GUARD_LEG = ("guard", "market")


def fills_match(run: Run) -> Check:
    """Check that each position has its entry fill and a fill for each of its legs, and that they say what these say."""
    by_trade = _by_trade(run.doubtful_fills)
    numbers = run.fills.values("fill", "number")
    problems = [f"two fills have the id {number}" for number in numbers.filter(numbers.is_duplicated()).unique().sort()]
    known, places = run.trades.values("trade", "number"), run.fills.values("trade", "trade")
    strange = ~places.is_in(known.unique().implode())
    problems += [
        f"fill {fill.number}: there is no trade {fill.trade}" for fill in map(run.fills.__getitem__, strange.arg_true())
    ]
    pieces = run.terms.models.volume_fraction is not None
    for position in run.doubtful_positions:
        problems += _against_fills(position, by_trade.get(position.number, []), run.terms.lot, pieces=pieces)
    problems += _out_of_order(run)
    return judged("FILLS_MATCH", problems, f"{len(run.fills)} fills make {len(run.trades)} trades")


def _by_trade(fills: Sequence[Fill]) -> dict[str, list[Fill]]:
    grouped: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        grouped[fill.trade].append(fill)
    return grouped


def _out_of_order(run: Run) -> Iterator[str]:
    times = run.fills.times("time", "time_ns")
    for place in (times.diff() < 0).arg_true():
        before, after = run.fills[place - 1], run.fills[place]
        yield f"fill {after.number} is earlier than fill {before.number} before it"


def _against_fills(position: Position, fills: list[Fill], lot: Decimal, *, pieces: bool) -> Iterator[str]:
    label = f"trade {position.number}"
    into = list(takewhile(lambda fill: fill.leg == "entry", fills))
    outs = fills[len(into) :]
    bought = len(into) - sum(fill.kind == SPLIT for fill in into)
    if (
        not into
        or into[0].kind == SPLIT
        or (bought > 1 and not pieces)
        or len(outs) != len(position.legs)
        or _enters(outs)
    ):
        had = ", ".join(fill.leg for fill in fills)
        yield f"{label}: {len(fills)} fills ({had}) instead of an entry and one exit for each leg"
        return
    entry = _whole(into)
    if sum((fill.sign * fill.quantity for fill in fills), ZERO) != 0 or entry.sign != position.sign:
        yield f"{label}: its fills do not open the position and then close it"
    pairs = {
        "quantity": (position.quantity, entry.quantity),
        "entry fee": (position.entry_fee, entry.fee),
        "slippage": (sum((leg.slippage for leg in position.legs), ZERO), sum((f.slippage for f in fills), ZERO)),
    }
    yield from _unequal(label, pairs)
    if len(into) > 1:
        if not _is_average(position.entry.entry_price, entry, into, lot):
            yield f"{label}: its entry price is {position.entry.entry_price}, its pieces give {entry.price:f}"
        entry = entry._replace(price=position.entry.entry_price)
    for trade, out in zip(position.legs, outs, strict=True):
        yield from _leg_against_fills(trade, entry, out)


def _is_average(price: Decimal, entry: Fill, pieces: Sequence[Fill], lot: Decimal) -> bool:
    """Whether an entry price is that of its pieces; at each split less than a lot may have been paid in cash."""
    splits = sum(piece.kind == SPLIT for piece in pieces)
    if not splits:
        return same_price(price, entry.price)
    held, lowest = ZERO, entry.price
    for piece in pieces:
        held += entry.sign * piece.sign * piece.quantity
        if piece.kind == SPLIT:
            lowest *= held / (held + lot)
    return lowest * (1 - FLOAT_TOLERANCE) <= price <= entry.price * (1 + FLOAT_TOLERANCE)


def _enters(fills: Sequence[Fill]) -> bool:
    return any(fill.leg == "entry" for fill in fills)


def _whole(pieces: Sequence[Fill]) -> Fill:
    """Return the entry that its pieces make: their average price, the sums of the rest, the stamp of the first."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    quantity = sum((first.sign * piece.sign * piece.quantity for piece in pieces), ZERO)
    price = sum((piece.quantity * piece.price for piece in pieces), ZERO) / quantity if quantity > 0 else first.price
    fee, slippage = sum((piece.fee for piece in pieces), ZERO), sum((piece.slippage for piece in pieces), ZERO)
    return first._replace(quantity=quantity, price=price, fee=fee, slippage=slippage)


def _leg_against_fills(trade: Trade, entry: Fill, out: Fill) -> Iterator[str]:
    if (out.leg, out.kind) != LEGS.get(trade.exit_reason, GUARD_LEG):
        yield f"{trade.label}: the exit {trade.exit_reason} was filled by a {out.kind} order of the leg {out.leg}"
    pairs = {
        "quantity": (trade.quantity, out.quantity),
        "symbol": ((trade.symbol, trade.symbol), (entry.symbol, out.symbol)),
        "entry time": (trade.entry_ns, entry.time_ns),
        "entry price": (trade.entry_price, entry.price),
        "entry point": (trade.entry_point, entry.point),
        "entry kind": (trade.entry_kind, entry.kind),
        "entry liquidity": (trade.entry_liquidity, entry.liquidity),
        "exit time": (trade.exit_ns, out.time_ns),
        "exit price": (trade.exit_price, out.price),
        "exit fee": (trade.exit_fee, out.fee),
        "exit point": (trade.exit_point, out.point),
        "exit liquidity": (trade.exit_liquidity, out.liquidity),
    }
    yield from _unequal(trade.label, pairs)


def _unequal(label: str, pairs: Mapping[str, tuple[object, object]]) -> Iterator[str]:
    for what, (said, filled) in pairs.items():
        if said != filled:
            yield f"{label}: its {what} is not that of its fills"


def fees(run: Run) -> Check:
    """Check each fee against quantity, price and rate, the sums of each trade, and the total of the run."""
    terms = run.terms
    problems = []
    for fill in run.doubtful_fills:
        notional = fill.quantity * fill.price * terms.multiplier
        liquidated = fill.reason == "liquidation"
        rate = terms.margin.liquidation if liquidated else terms.rate(fill.liquidity)
        by_contract = ZERO if liquidated or fill.kind == SPLIT else fill.quantity * terms.per_contract
        derived = notional * rate + by_contract
        if not same_posting(fill.fee, derived, notional=derived):
            kind = "liquidation" if liquidated else fill.liquidity
            problems.append(f"fill {fill.number}: the fee is {fill.fee}, {kind} terms give {derived:.8f}")
    for trade in run.doubtful_trades:
        if trade.fees != trade.entry_fee + trade.exit_fee:
            problems.append(f"{trade.label}: fees {trade.fees} are not {trade.entry_fee} + {trade.exit_fee}")
    for position in run.doubtful_positions:
        problems += _share_problems(position)
    by_fills, by_trades = run.fills.total("fee"), run.trades.total("fees")
    if by_fills != by_trades:
        problems.append(f"the fills cost {by_fills} in fees, the trades {by_trades}")
    return judged("FEES", problems, f"{len(run.fills)} fees, {shown(by_fills)} in all")


def _share_problems(position: Position) -> Iterator[str]:
    """Report a leg whose share of the entry fee is not that of its quantity; the last takes what remains."""
    fee, held = position.entry_fee, position.quantity
    for leg in position.legs[:-1]:
        derived = fee * leg.quantity / held
        if not same_posting(leg.entry_fee, derived, notional=derived):
            yield f"{leg.label}: its share of the entry fee is {leg.entry_fee}, its quantity gives {derived:.8f}"
        fee, held = fee - leg.entry_fee, held - leg.quantity


def cash_flows(run: Run) -> Check:
    """Check the result of each position against the money that its fills moved: proceeds less cost less fees."""
    multiplier = run.terms.multiplier
    problems = []
    by_trade = _by_trade(run.doubtful_fills)
    for position in run.doubtful_positions:
        fills = by_trade.get(position.number, [])
        if any(fill.kind == SPLIT for fill in fills):
            fills = _of_new_units(position, fills)
        moved = [-fill.sign * fill.quantity * fill.price * multiplier for fill in fills]
        derived = sum(moved, ZERO) - sum((fill.fee for fill in fills), ZERO) + position.funding
        allowed = len(position.legs) * POSTING_TOLERANCE + FLOAT_TOLERANCE * sum(map(abs, moved), ZERO)
        if abs(position.net - derived) > allowed:
            problems.append(f"trade {position.number}: net is {position.net}, its fills moved {derived:.8f}")
    return judged("EXCHANGE_FORMULA", problems, f"the cash flows of {len(run.positions)} positions")


def _of_new_units(position: Position, fills: list[Fill]) -> list[Fill]:
    """Return the fills with one entry of the units that a split left, at their price: the rest of a lot is cash."""
    into = list(takewhile(lambda fill: fill.leg == "entry", fills))
    entry = _whole(into)._replace(price=position.entry.entry_price)
    return [entry, *fills[len(into) :]]


def slippage(run: Run, bars: BaseBars | None, courses: Courses) -> Check:
    """Check the memo of slippage: its sums and, with bars, each figure against price and bar."""
    problems = []
    total = run.fills.total("slippage")
    recorded = run.result.number("metrics.slippage")
    if not same_money(recorded, total):
        problems.append(f"the result says {recorded}, the fills sum to {total}")
    by_trade = _by_trade(run.doubtful_fills)
    for position in run.doubtful_positions:
        problems += _memo_problems(position, by_trade.get(position.number, []))
    if bars is not None and courses is not None:
        for position, course in zip(run.doubtful_positions, courses, strict=True):
            problems += _slippage_of(run, bars, position, course, by_trade.get(position.number, []))
    compared = "each against its bar" if bars is not None else "sums only: " + NO_BARS
    return judged("SLIPPAGE", problems, f"{len(run.fills)} memos, {shown(total)} in all; {compared}")


def _memo_problems(position: Position, fills: list[Fill]) -> Iterator[str]:
    """Report a leg whose memo is not its exit's and its share of the entry's; the last takes what remains."""
    into = list(takewhile(lambda fill: fill.leg == "entry", fills))
    if not into or len(fills) != len(position.legs) + len(into):
        return
    memo, held = _whole(into).slippage, position.quantity
    for leg, out in zip(position.legs[:-1], fills[len(into) :], strict=False):
        derived = memo * leg.quantity / held
        share = leg.slippage - out.slippage
        if not same_posting(share, derived, notional=derived):
            yield f"{leg.label}: its share of the entry's slippage is {share}, its quantity gives {derived:.8f}"
        memo, held = memo - share, held - leg.quantity


def _slippage_of(
    run: Run, bars: BaseBars, position: Position, course: Course | None, fills: list[Fill]
) -> Iterator[str]:
    closings = iter(() if course is None else course.closings)
    for fill in fills:
        row = bars.exit_row(fill.time_ns, fill.point)
        if row is None:
            continue
        if fill.leg == "entry":
            quotes = entry_quotes(run.terms, position, bars, row)
        else:
            closing = next(closings, None)
            quote = (
                exit_quote(run.terms, course, closing, bars.bar(row))
                if closing is not None and course is not None
                else None
            )
            quotes = [] if quote is None else [quote]
        notional = fill.quantity * fill.price * run.terms.multiplier
        costs = [abs(quote.price - quote.base) * fill.quantity * run.terms.multiplier for quote in quotes]
        if costs and not any(same_posting(fill.slippage, cost, notional=notional) for cost in costs):
            yield f"fill {fill.number}: the slippage is {fill.slippage}, price and bar give {costs[0]:.8f}"


def entry_prices(run: Run, bars: BaseBars | None) -> Check:
    """Check each entry's price, point and liquidity against its base bar."""
    name = "ENTRY_PRICE"
    if bars is None:
        return skipped(name, NO_BARS)
    problems = []
    for position in run.doubtful_positions:
        trade = position.entry
        row = bars.row_at(trade.entry_ns)
        if row is None:
            problems.append(f"trade {trade.number}: no base bar opens at {instant_text(trade.entry_ns)}")
            continue
        quotes = entry_quotes(run.terms, position, bars, row)
        said = f"{trade.entry_price:f} ({trade.entry_point}, {trade.entry_liquidity})"
        if not any(
            quote.agrees(price=trade.entry_price, point=trade.entry_point, liquidity=trade.entry_liquidity)
            for quote in quotes
        ):
            rule = f"the rules give {quotes[0]}" if quotes else "the bar allows no fill"
            problems.append(f"trade {trade.number}: the {trade.entry_kind} entry was at {said}; {rule}")
    return judged(name, problems, f"{len(run.positions)} entries against their base bars")


def exit_prices(run: Run, bars: BaseBars | None, courses: Courses) -> Check:
    """Check each exit's price, point and liquidity against its base bar."""
    name = "EXIT_FILL"
    if bars is None or courses is None:
        return skipped(name, NO_BARS)
    problems: list[str] = []
    for position, course in zip(run.doubtful_positions, courses, strict=True):
        if course is None:
            problems.append(f"trade {position.number}: no base bars open at its entry and, in order, at its exits")
            continue
        for closing in course.closings:
            quote = exit_quote(run.terms, course, closing, bars.bar(closing.row))
            problems += _exit_problems(closing.trade, quote)
    return judged(name, problems, f"{len(run.trades)} exits against their base bars")


def _exit_problems(trade: Trade, quote: Quote | None) -> Iterator[str]:
    said = f"{trade.exit_price:f} ({trade.exit_point}, {trade.exit_liquidity})"
    if quote is None:
        yield f"{trade.label}: {trade.exit_reason} at {said}, but the bar does not reach the level"
    elif not quote.agrees(price=trade.exit_price, point=trade.exit_point, liquidity=trade.exit_liquidity):
        yield f"{trade.label}: {trade.exit_reason} at {said}; the rules give {quote}"
