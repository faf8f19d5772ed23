"""Checks of single fills: fees, slippage, prices, and that each trade is made of its fills.

`FILLS_MATCH`, `FEES` (5), `EXCHANGE_FORMULA` (15), `SLIPPAGE`, `ENTRY_PRICE` and `EXIT_FILL` (25).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from evenkeel.readiness.audit.artifacts import Fill, Run, Trade
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import ZERO, same_money, same_posting, shown
from evenkeel.readiness.audit.rules import entry_quotes, exit_quote

LEGS = {"sl": ("stop", "stop"), "tp": ("target", "take_profit"), "signal": ("exit", "market")}
"""Leg and order kind of the fill that ends a trade, by exit reason; guards end the others."""

GUARD_LEG = ("guard", "market")


def fills_match(run: Run) -> Check:
    """Check that each trade has its entry fill and its exit fill, and that they say what the trade says."""
    by_trade = _by_trade(run.fills)
    problems = [
        f"two fills have the id {number}" for number, n in Counter(f.number for f in run.fills).items() if n > 1
    ]
    known = {trade.number for trade in run.trades}
    problems += [f"fill {fill.number}: there is no trade {fill.trade}" for fill in run.fills if fill.trade not in known]
    for trade in run.trades:
        problems += _against_fills(trade, by_trade.get(trade.number, []))
    problems += _out_of_order(run.fills)
    return judged("FILLS_MATCH", problems, f"{len(run.fills)} fills make {len(run.trades)} trades")


def _by_trade(fills: list[Fill]) -> dict[str, list[Fill]]:
    grouped: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        grouped[fill.trade].append(fill)
    return grouped


def _out_of_order(fills: list[Fill]) -> Iterator[str]:
    for before, after in pairwise(fills):
        if after.time_ns < before.time_ns:
            yield f"fill {after.number} is earlier than fill {before.number} before it"


def _against_fills(trade: Trade, fills: list[Fill]) -> Iterator[str]:
    label = f"trade {trade.number}"
    if [fill.leg == "entry" for fill in fills] != [True, False]:
        yield f"{label}: {len(fills)} fills ({', '.join(fill.leg for fill in fills)}) instead of an entry and an exit"
        return
    entry, out = fills
    if sum((fill.sign * fill.quantity for fill in fills), ZERO) != 0 or entry.sign != trade.sign:
        yield f"{label}: its fills do not open the position and then close it"
    if (out.leg, out.kind) != LEGS.get(trade.exit_reason, GUARD_LEG):
        yield f"{label}: the exit {trade.exit_reason} was filled by a {out.kind} order of the leg {out.leg}"
    pairs = {
        "quantity": (trade.quantity, entry.quantity),
        "symbol": ((trade.symbol, trade.symbol), (entry.symbol, out.symbol)),
        "entry time": (trade.entry_ns, entry.time_ns),
        "entry price": (trade.entry_price, entry.price),
        "entry fee": (trade.entry_fee, entry.fee),
        "entry point": (trade.entry_point, entry.point),
        "entry kind": (trade.entry_kind, entry.kind),
        "entry liquidity": (trade.entry_liquidity, entry.liquidity),
        "exit time": (trade.exit_ns, out.time_ns),
        "exit price": (trade.exit_price, out.price),
        "exit fee": (trade.exit_fee, out.fee),
        "exit point": (trade.exit_point, out.point),
        "exit liquidity": (trade.exit_liquidity, out.liquidity),
        "slippage": (trade.slippage, entry.slippage + out.slippage),
    }
    for what, (said, filled) in pairs.items():
        if said != filled:
            yield f"{label}: its {what} is not that of its fills"


def fees(run: Run) -> Check:
    """Check each fee against quantity, price and rate, the sums of each trade, and the total of the run."""
    terms = run.terms
    problems = []
    for fill in run.fills:
        notional = fill.quantity * fill.price * terms.multiplier
        derived = notional * terms.rate(fill.liquidity) + fill.quantity * terms.per_contract
        if not same_posting(fill.fee, derived, notional=derived):
            problems.append(f"fill {fill.number}: the fee is {fill.fee}, {fill.liquidity} terms give {derived:.8f}")
    for trade in run.trades:
        if trade.fees != trade.entry_fee + trade.exit_fee:
            problems.append(f"trade {trade.number}: fees {trade.fees} are not {trade.entry_fee} + {trade.exit_fee}")
    by_fills, by_trades = sum((f.fee for f in run.fills), ZERO), sum((t.fees for t in run.trades), ZERO)
    if by_fills != by_trades:
        problems.append(f"the fills cost {by_fills} in fees, the trades {by_trades}")
    return judged("FEES", problems, f"{len(run.fills)} fees, {shown(by_fills)} in all")


def cash_flows(run: Run) -> Check:
    """Check each trade's result against the money its two fills moved: proceeds less cost less fees."""
    multiplier = run.terms.multiplier
    problems = []
    by_trade = _by_trade(run.fills)
    for trade in run.trades:
        fills = by_trade.get(trade.number, [])
        moved = [-fill.sign * fill.quantity * fill.price * multiplier for fill in fills]
        derived = sum(moved, ZERO) - sum((fill.fee for fill in fills), ZERO) + trade.funding
        if not same_posting(trade.net, derived, notional=sum(map(abs, moved), ZERO)):
            problems.append(f"trade {trade.number}: net is {trade.net}, its fills moved {derived:.8f}")
    return judged("EXCHANGE_FORMULA", problems, f"the cash flows of {len(run.trades)} trades")


def slippage(run: Run, bars: BaseBars | None) -> Check:
    """Check the memo of slippage: its sums and, with bars, each figure against price and bar."""
    problems = []
    total = sum((fill.slippage for fill in run.fills), ZERO)
    recorded = run.result.number("metrics.slippage")
    if not same_money(recorded, total):
        problems.append(f"the result says {recorded}, the fills sum to {total}")
    if bars is not None:
        by_trade = _by_trade(run.fills)
        for trade in run.trades:
            problems += _slippage_of(run, bars, trade, by_trade.get(trade.number, []))
    compared = "each against its bar" if bars is not None else "sums only: " + NO_BARS
    return judged("SLIPPAGE", problems, f"{len(run.fills)} memos, {shown(total)} in all; {compared}")


def _slippage_of(run: Run, bars: BaseBars, trade: Trade, fills: list[Fill]) -> Iterator[str]:
    for fill in fills:
        row = bars.exit_row(fill.time_ns, fill.point)
        if row is None:
            continue
        if fill.leg == "entry":
            quotes = entry_quotes(run.terms, trade, bars, row)
        else:
            quote = exit_quote(run.terms, trade, bars.bar(row))
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
    for trade in run.trades:
        row = bars.row_at(trade.entry_ns)
        if row is None:
            problems.append(f"trade {trade.number}: no base bar opens at {instant_text(trade.entry_ns)}")
            continue
        quotes = entry_quotes(run.terms, trade, bars, row)
        said = f"{trade.entry_price:f} ({trade.entry_point}, {trade.entry_liquidity})"
        if not any(
            quote.agrees(price=trade.entry_price, point=trade.entry_point, liquidity=trade.entry_liquidity)
            for quote in quotes
        ):
            rule = f"the rules give {quotes[0]}" if quotes else "the bar allows no fill"
            problems.append(f"trade {trade.number}: the {trade.entry_kind} entry was at {said}; {rule}")
    return judged(name, problems, f"{len(run.trades)} entries against their base bars")


def exit_prices(run: Run, bars: BaseBars | None) -> Check:
    """Check each exit's price, point and liquidity against its base bar."""
    name = "EXIT_FILL"
    if bars is None:
        return skipped(name, NO_BARS)
    problems = []
    for trade in run.trades:
        row = bars.exit_row(trade.exit_ns, trade.exit_point)
        if row is None:
            problems.append(f"trade {trade.number}: no base bar opens at {instant_text(trade.exit_ns)}")
            continue
        quote = exit_quote(run.terms, trade, bars.bar(row))
        said = f"{trade.exit_price:f} ({trade.exit_point}, {trade.exit_liquidity})"
        if quote is None:
            problems.append(
                f"trade {trade.number}: {trade.exit_reason} at {said}, but the bar does not reach the level"
            )
        elif not quote.agrees(price=trade.exit_price, point=trade.exit_point, liquidity=trade.exit_liquidity):
            problems.append(f"trade {trade.number}: {trade.exit_reason} at {said}; the rules give {quote}")
    return judged(name, problems, f"{len(run.trades)} exits against their base bars")
