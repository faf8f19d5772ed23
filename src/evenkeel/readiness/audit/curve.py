"""The equity curve beside the account that the fills make: worked out once, for all checks of the curve.

Each point gets two row numbers, that of the last account state it may know and that of the execution bar it stands
for. Everything else is then a comparison of columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars

MONEY = pl.Decimal(38, 8)
START_NS = -(2**62)
"""Before every fill: when the account had its start equity."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The equity points in order of time, and what they stand for.

    Attributes:
        points: `time_ns, equity, cash, position, drawdown`.
        states: The account after each fill: `cash, position, units, entry`; the first row is the start.
        state: For each point the row of `states` that it knows; null where files alone do not tell.
        place: For each point the row of its execution bar; null where there is none, or no bars are known.
        falls: The drawdown at each point, in the order of the file.
    """

    points: pl.DataFrame
    states: pl.DataFrame
    state: pl.Series
    place: pl.Series
    falls: pl.Series

    def known(self, column: str) -> pl.Series:
        """Return a column of the account states as each point knows it."""
        return self.states[column].gather(self.state)


def read_curve(run: Run, bars: BaseBars | None) -> Curve:
    """Return the curve of a run.

    With bars a fill is known once its base bar is among those of the execution bar that closes at the point. Without,
    it is known after its stamp; points of a market with sessions at the very stamp of a fill are left out then, since
    only bars tell whether a closing auction came before. The last point knows all.
    """
    points = run.equity if run.equity["time_ns"].is_sorted() else run.equity.sort("time_ns", maintain_order=True)
    times = points["time_ns"]
    states = account_states(run)
    place = pl.repeat(None, len(times), dtype=pl.UInt32, eager=True)
    if bars is None or bars.execution is None:
        knows = times - 1
        states = states.with_columns(key=pl.col("stamp_ns"))
        if not run.terms.always_open:
            knows = knows.to_frame("knows").select(_unless(times.is_in(states["stamp_ns"].implode())))["knows"]
        everything = times[-1] if len(times) else START_NS
    else:
        place = _places(times, bars.execution["close_ns"])
        knows = bars.execution["last"].gather(place) * 2
        states = states.with_columns(key=_fill_places(run, bars))
        everything = 2 * len(bars)
    if len(times):
        knows = pl.concat([knows[:-1], pl.Series([everything], dtype=pl.Int64)])
    states = states.sort("key", maintain_order=True)
    return Curve(points, states, _last_known(states["key"], knows), place, drawdowns(run))


def _unless(left_out: pl.Series) -> pl.Expr:
    return pl.when(~left_out).then("knows")


def _last_known(keys: pl.Series, knows: pl.Series) -> pl.Series:
    """Return for each point the last row whose key it knows; null where nothing is known of the point."""
    row = keys.search_sorted(knows, side="right").cast(pl.Int64) - 1
    known = knows.is_not_null() & (row >= 0)
    return pl.select(pl.when(known).then(row)).to_series().cast(pl.UInt32)


def account_states(run: Run) -> pl.DataFrame:
    """Return the account after each fill, in the order of the trades: `stamp_ns, cash, position, units, entry`.

    The first row is the start, then follow two for each trade. `units` is the signed quantity times the multiplier,
    `entry` the price of the open position, both float64.
    """
    rows: list[tuple[int, Decimal, float, float, float]] = [(START_NS, run.terms.start_equity, 0.0, 0.0, 0.0)]
    cash = run.terms.start_equity
    for trade in run.trades:
        size = trade.sign * trade.quantity
        cash -= trade.entry_fee
        units = float(size * run.terms.multiplier)
        rows.append((trade.entry_ns, cash, float(size), units, float(trade.entry_price)))
        cash += trade.gross + trade.funding - trade.exit_fee
        rows.append((trade.exit_ns, cash, 0.0, 0.0, 0.0))
    schema: dict[str, pl.DataType] = {
        "stamp_ns": pl.Int64(), "cash": MONEY, "position": pl.Float64(), "units": pl.Float64(), "entry": pl.Float64(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fill_places(run: Run, bars: BaseBars) -> pl.Series:
    """Return for each account state twice the row of its fill, one more for an exit at the close."""
    places = [-1]
    nowhere = len(bars)
    for trade in run.trades:
        entry, leave = bars.row_at(trade.entry_ns), bars.exit_row(trade.exit_ns, trade.exit_point)
        places.append(2 * (nowhere if entry is None else entry))
        places.append(2 * (nowhere if leave is None else leave) + (trade.exit_point == "close"))
    return pl.Series(places, dtype=pl.Int64)


def _places(times: pl.Series, closes: pl.Series) -> pl.Series:
    """Return for each time the row of the close at that time, the nth for the nth; both are in order.

    A closing auction ends at the instant at which the bar before it ended, so one time may stand for two bars.
    """
    start = 0 if times.is_empty() else closes.search_sorted(times[0], side="left")
    if closes.slice(start, len(times)).equals(times):  # the rule: one point at each close, from the first on
        return pl.int_range(start, start + len(times), dtype=pl.UInt32, eager=True)
    first_of_time = pl.DataFrame({"close_ns": closes}).with_row_index("row").filter(_is_first(closes))
    place = (
        pl.DataFrame({"time_ns": times})
        .with_row_index("point")
        .with_columns(nth=pl.col("point") - pl.when(_is_first(times)).then("point").forward_fill())
        .join_asof(first_of_time, left_on="time_ns", right_on="close_ns", check_sortedness=False)
        .select(pl.col("row") + pl.col("nth"))
        .to_series()
    )
    inside = pl.select(pl.when(place < len(closes)).then(place)).to_series()
    return pl.select(pl.when(closes.gather(inside) == times).then(inside)).to_series()


def _is_first(times: pl.Series) -> pl.Series:
    return times.ne_missing(times.shift())


def drawdowns(run: Run) -> pl.Series:
    """Return the drawdown at each equity point, a fraction; the start counts as the first peak."""
    return falls(run.equity["equity"].cast(pl.Float64), float(run.terms.start_equity))


def falls(marks: pl.Series, start: float) -> pl.Series:
    """Return how far each mark lies below the highest so far (at least `start`), as a fraction of that."""
    peaks = marks.cum_max().clip(lower_bound=start)
    return (peaks - marks) / peaks
