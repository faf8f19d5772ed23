"""The equity curve beside the account that the fills make: worked out once, for all checks of the curve.

Each point gets two row numbers, that of the last account state it may know and that of the execution bar it stands
for. Everything else is then a comparison of columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Position, Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.number import CENT, ZERO
from evenkeel.readiness.audit.tally import Floats, Ints, counts_of

MONEY = pl.Decimal(38, 8)
START_NS = -(2**62)
"""Before every fill: when the account had its start equity."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The equity points in order of time, and what they stand for.

    Attributes:
        points: `time_ns, equity, cash, position, drawdown`.
        states: The account after each posting, as `account_states` returns it.
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


def read_curve(run: Run, bars: BaseBars | None, states: pl.DataFrame) -> Curve:
    """Return the curve of a run; `states` are those of its account.

    With bars a fill is known once its base bar is among those of the execution bar that closes at the point. Without,
    it is known after its stamp; points of a market with sessions at the very stamp of a fill are left out then, since
    only bars tell whether a closing auction came before. The last point knows all.
    """
    points = run.equity if run.equity["time_ns"].is_sorted() else run.equity.sort("time_ns", maintain_order=True)
    times = points["time_ns"]
    place = pl.repeat(None, len(times), dtype=pl.UInt32, eager=True)
    if bars is None or bars.execution is None:
        knows = times - 1
        states = states.with_columns(key="stamp_ns")
        if not run.terms.always_open:
            knows = knows.to_frame("knows").select(_unless(times.is_in(states["stamp_ns"].implode())))["knows"]
        everything = times[-1] if len(times) else START_NS
    else:
        place = _places(times, bars.execution["close_ns"])
        knows = bars.execution["last"].gather(place) * 2
        everything = 2 * len(bars)
    if len(times):
        knows = pl.concat([knows[:-1], pl.Series([everything], dtype=pl.Int64)])
    states = states.sort("key", maintain_order=True)
    state = _last_known(states["key"], knows)
    return Curve(points, states, _told(states, state), place, drawdowns(run))


def _unless(left_out: pl.Series) -> pl.Expr:
    return pl.when(~left_out).then("knows")


def _told(states: pl.DataFrame, state: pl.Series) -> pl.Series:
    """Return the states, those left out whose cash the files alone do not tell."""
    return pl.select(pl.when(states["known"].gather(state)).then(state)).to_series()


def _last_known(keys: pl.Series, knows: pl.Series) -> pl.Series:
    """Return for each point the last row whose key it knows; null where nothing is known of the point."""
    row = keys.search_sorted(knows, side="right").cast(pl.Int64) - 1
    known = knows.is_not_null() & (row >= 0)
    return pl.select(pl.when(known).then(row)).to_series().cast(pl.UInt32)


def account_states(run: Run, bars: BaseBars | None, courses: list[Course | None] | None) -> pl.DataFrame:
    """Return the account after each posting, in the order of the trades.

    The columns are `stamp_ns`, `cash`, `slack` (what rounding may change of it), `position`, `units` (the signed
    quantity times the multiplier), `entry` (the price of the open position), `late` (an exit at the close of its bar),
    `known` (False where funding was paid at times that only bars tell) and `key`, twice the row of the base bar, one
    more at its close. The first row is the start; a position has one for its entry, each payment of funding, each leg.
    """
    walk = _Account(run, bars)
    of_position = courses or [None] * len(run.doubtful)
    for place, position, course in zip(run.doubtful, run.doubtful_positions, of_position, strict=True):
        walk.hold(place, position, course)
    walked = pl.DataFrame(walk.rows, schema=_STATES, orient="row")
    if run.proven is None or run.trades.texts is None or bars is None or not run.proven.any():
        return walked.drop("place")
    proven = _proven_states(run, run.trades.texts, np.flatnonzero(run.proven), bars)
    return pl.concat([walked, proven]).sort("place", maintain_order=True).drop("place")


_STATES: dict[str, pl.DataType] = {
    "stamp_ns": pl.Int64(), "cash": MONEY, "slack": MONEY, "position": pl.Float64(), "units": pl.Float64(),
    "entry": pl.Float64(), "late": pl.Boolean(), "known": pl.Boolean(), "key": pl.Int64(), "place": pl.Int64(),
}  # fmt: skip


def _proven_states(run: Run, rows: pl.DataFrame, places: Ints, bars: BaseBars) -> pl.DataFrame:
    """Return entry and exit of positions that are proven right: both lie in base bars, and no funding was due."""
    texts = rows[run.positions.begins[places]]
    sign = np.where((texts["side"] == "long").to_numpy(), 1.0, -1.0)
    quantity = sign * texts["qty"].cast(pl.Float64).to_numpy()
    fees, _ = counts_of(texts["entry_fee"])
    stamps = [run.trades.times(*names).to_numpy()[run.positions.begins[places]] for names in _TIMES]
    gained = np.array(run.gained)
    start, zero = int(run.terms.start_equity.scaleb(8)), np.zeros(len(places))
    halves = [
        (stamps[0], gained[places] - fees, quantity, texts["entry_price"].cast(pl.Float64).to_numpy()),
        (stamps[1], gained[places + 1], zero, zero),
    ]
    frames = [
        pl.DataFrame({
            "stamp_ns": stamp, "cash": _money(start + cash), "slack": _money(zero), "position": held,
            "units": held * float(run.terms.multiplier), "entry": price, "late": False, "known": True,
            "key": 2 * bars.rows_at(stamp), "place": places,
        }, schema_overrides={"key": pl.Int64, "place": pl.Int64})
        for stamp, cash, held, price in halves
    ]  # fmt: skip
    return pl.concat(frames)


_TIMES = (("entry_time", "entry_ns"), ("exit_time", "exit_ns"))


def _money(counts: Floats | Ints) -> pl.Series:
    """Return whole numbers of 1e-8 as amounts."""
    return pl.Series([Decimal(int(count)).scaleb(-8) for count in counts.tolist()], dtype=MONEY)


class _Account:
    """The account, posting by posting."""

    def __init__(self, run: Run, bars: BaseBars | None) -> None:
        self._multiplier = run.terms.multiplier
        self._bars = bars
        self._run = run
        self._place = -1
        self._cash = run.terms.start_equity
        self.rows: list[tuple[object, ...]] = [(START_NS, self._cash, ZERO, 0.0, 0.0, 0.0, False, True, -1, -1)]

    def hold(self, place: int, position: Position, course: Course | None) -> None:
        """Post everything of the position at a place."""
        self._place, self._cash = place, self._run.equity_before(place)
        payments = [] if course is None else list(course.payments)
        end = self._cash + position.net
        told = bool(payments) or position.funding == 0
        entry, held, unsure = position.entry, position.quantity, 0
        self._cash -= position.entry_fee
        self._post(entry.entry_ns, self._row(entry), position, held, unsure, known=told)
        for leg in position.legs:
            row = self._exit_row(leg)
            while payments and payments[0].row <= row:
                paid = payments.pop(0)
                unsure += paid.unsure
                self._cash += paid.amount
                self._post(paid.stamp_ns, paid.row, position, held, unsure, known=told)
            held -= leg.quantity
            self._cash += leg.gross - leg.exit_fee
            late = leg.exit_point == "close"
            if held <= 0 or leg is position.last:
                self._cash, held, unsure, told = end, ZERO, 0, True
            self._post(leg.exit_ns, row, position, held, unsure, known=told, late=late)

    def _post(
        self,
        stamp_ns: int,
        row: int,
        position: Position,
        held: Decimal,
        unsure: int,
        *,
        known: bool,
        late: bool = False,
    ) -> None:
        size = position.sign * held
        price = float(position.entry.entry_price) if held else 0.0
        self.rows.append((
            stamp_ns, self._cash, unsure * CENT, float(size), float(size * self._multiplier), price, late, known,
            2 * row + late, self._place,
        ))  # fmt: skip

    def _row(self, trade: Trade) -> int:
        row = None if self._bars is None else self._bars.row_at(trade.entry_ns)
        return self._nowhere if row is None else row

    def _exit_row(self, trade: Trade) -> int:
        row = None if self._bars is None else self._bars.exit_row(trade.exit_ns, trade.exit_point)
        return self._nowhere if row is None else row

    @property
    def _nowhere(self) -> int:
        return 0 if self._bars is None else len(self._bars)


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
