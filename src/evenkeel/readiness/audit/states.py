"""The account that the trades make, posting by posting: what the curve and the marks are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Position, Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.tally import Bools, Floats, Ints, counts_of

START_NS = -(2**62)
"""Before every fill: when the account had its start equity."""

_Row = tuple[int, int, int, float, float, float, bool, bool, int, int]


@dataclass(frozen=True, slots=True)
class States:
    """The account after each posting, in the order of the trades; the first is the start.

    A position has one state for its entry, each payment of funding, each leg. Money is in whole numbers of 1e-8.

    Attributes:
        stamp_ns: When.
        cash: Money in the account.
        slack: What rounding may change of it.
        position: The signed quantity.
        units: The same times the multiplier.
        entry: Price of the open position, 0 without one.
        late: Whether it is an exit at the close of its bar.
        known: False where funding was paid at times that only bars tell.
        key: Twice the row of the base bar, one more at its close.
    """

    stamp_ns: Ints
    cash: Ints
    slack: Ints
    position: Floats
    units: Floats
    entry: Floats
    late: Bools
    known: Bools
    key: Ints

    def at(self, rows: Ints) -> States:
        """Return some of the states."""
        return States(*(getattr(self, name)[rows] for name in States.__slots__))


def account_states(run: Run, bars: BaseBars | None, courses: list[Course | None] | None) -> States:
    """Return the account after each posting."""
    walk = _Account(run, bars)
    of_position = courses or [None] * len(run.doubtful)
    for place, position, course in zip(run.doubtful, run.doubtful_positions, of_position, strict=True):
        walk.hold(place, position, course)
    columns = [np.array(column) for column in zip(*walk.rows, strict=True)]
    if run.proven is None or run.trades.texts is None or bars is None or not run.proven.any():
        return States(*columns[:-1])
    halves = _proven(run, run.trades.texts, np.flatnonzero(run.proven), bars)
    columns = [np.concatenate(parts) for parts in zip(columns, *halves, strict=True)]
    return States(*columns[:-1]).at(np.argsort(columns[-1], kind="stable"))


def _proven(run: Run, rows: pl.DataFrame, places: Ints, bars: BaseBars) -> list[list[Ints | Floats | Bools]]:
    """Return entry and exit of positions that are proven right: both lie in base bars, and no funding was due.

    The columns are those of the states, and the place of each position behind them.
    """
    first = run.positions.begins[places]
    texts = rows.select("side", "qty", "entry_fee", "entry_price")[first]
    sign = np.where((texts["side"] == "long").to_numpy(), 1.0, -1.0)
    quantity = sign * texts["qty"].cast(pl.Float64).to_numpy()
    fees, _ = counts_of(texts["entry_fee"])
    stamps = [run.trades.times(*names).to_numpy()[first] for names in _TIMES]
    cash = np.array(run.gained) + _count(run.terms.start_equity)
    zero, never = np.zeros(len(places)), np.zeros(len(places), dtype=np.bool_)
    nothing = zero.astype(np.int64)
    sides = (
        (stamps[0], cash[places] - fees, quantity, texts["entry_price"].cast(pl.Float64).to_numpy()),
        (stamps[1], cash[places + 1], zero, zero),
    )
    return [
        [stamp, money, nothing, held, held * float(run.terms.multiplier), price, never, ~never,
         2 * bars.rows_at(stamp), places]
        for stamp, money, held, price in sides
    ]  # fmt: skip


_TIMES = (("entry_time", "entry_ns"), ("exit_time", "exit_ns"))


def _count(amount: Decimal) -> int:
    """Return an amount in whole numbers of 1e-8."""
    return int(amount.scaleb(8))


class _Account:
    """The account, posting by posting."""

    def __init__(self, run: Run, bars: BaseBars | None) -> None:
        self._multiplier = run.terms.multiplier
        self._bars = bars
        self._run = run
        self._place = -1
        self._cash = run.terms.start_equity
        self.rows: list[_Row] = [(START_NS, _count(self._cash), 0, 0.0, 0.0, 0.0, False, True, -1, -1)]

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
                self._cash, held, unsure, told = end, Decimal(0), 0, True
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
            stamp_ns, _count(self._cash), unsure, float(size), float(size * self._multiplier), price, late, known,
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
