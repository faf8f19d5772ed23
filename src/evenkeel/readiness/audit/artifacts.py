"""The files of a run, read strictly and turned into records; the only place of the audit that opens files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import polars as pl

from evenkeel.readiness.audit.columns import (
    Parser,
    Records,
    any_text,
    level,
    money,
    never_negative,
    one_of,
    ordinal,
    positive,
    read_records,
    sign_of,
    some_text,
)
from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.moment import parse_instant
from evenkeel.readiness.audit.points import Points, require_columns
from evenkeel.readiness.audit.tally import Bools, Ints, counts_of
from evenkeel.readiness.audit.terms import Terms, read_terms

RESULT_SCHEMA = "evenkeel.backtest/1"
MANIFEST_SCHEMA = "evenkeel.manifest/1"

POINTS = ("open", "inside", "close")
LIQUIDITIES = ("maker", "taker")
SPLIT = "split"
"""Order kind of the new units of a split: a further piece of the entry, at a price of nothing."""

TRADE_COLUMNS: dict[str, Parser[Any]] = {
    "trade": some_text,
    "symbol": some_text,
    "side": sign_of(positive="long", negative="short"),
    "qty": positive,
    "entry_time": parse_instant,
    "entry_price": positive,
    "exit_time": parse_instant,
    "exit_price": positive,
    "entry_reason": any_text,
    "exit_reason": some_text,
    "gross_pnl": money,
    "fees": money,
    "funding": money,
    "net_pnl": money,
    "mae": finite,
    "mfe": finite,
    "bars_held": finite,
    "decided_time": parse_instant,
    "entry_kind": one_of("market", "limit", "stop"),
    "entry_point": one_of(*POINTS),
    "exit_point": one_of(*POINTS),
    "entry_liquidity": one_of(*LIQUIDITIES),
    "exit_liquidity": one_of(*LIQUIDITIES),
    "entry_fee": money,
    "exit_fee": money,
    "stop_price": level,
    "target_price": level,
    "slippage": money,
}
APPENDED_COLUMNS: dict[str, Parser[Any]] = {"leg": ordinal, "final_stop": level}
"""Runs that closed every position at once did not write them."""

FILL_COLUMNS: dict[str, Parser[Any]] = {
    "fill": some_text,
    "trade": some_text,
    "symbol": some_text,
    "side": sign_of(positive="buy", negative="sell"),
    "qty": positive,
    "price": never_negative,
    "fee": money,
    "liquidity": one_of(*LIQUIDITIES),
    "time": parse_instant,
    "point": one_of(*POINTS),
    "order_kind": one_of("market", "limit", "stop", "take_profit", SPLIT),
    "leg": one_of("entry", "stop", "target", "exit", "guard"),
    "reason": any_text,
    "slippage": money,
}
SHARE_COLUMNS: dict[str, Parser[Any]] = {"time": parse_instant, "share": money}
SESSION_COLUMNS = {"session": pl.Date(), "equity": pl.Decimal(38, 8)}


class Trade(NamedTuple):
    """One row of `trades.csv`, a closed leg of a position; `sign` is +1 for long and -1 for short, times nanoseconds.

    Attributes:
        number: Of the position; its legs share it.
        stop: Its level when the position was opened; None without one.
        leg: Which of the position's legs, from 1.
        final_stop: Level of the stop when this leg was closed.
    """

    number: str
    symbol: str
    sign: int
    quantity: Decimal
    entry_ns: int
    entry_price: Decimal
    exit_ns: int
    exit_price: Decimal
    entry_reason: str
    exit_reason: str
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    mae: Decimal
    mfe: Decimal
    bars_held: Decimal
    decided_ns: int
    entry_kind: str
    entry_point: str
    exit_point: str
    entry_liquidity: str
    exit_liquidity: str
    entry_fee: Decimal
    exit_fee: Decimal
    stop: Decimal | None
    target: Decimal | None
    slippage: Decimal
    leg: int
    final_stop: Decimal | None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"trade {self.number}" if self.leg == 1 else f"trade {self.number} leg {self.leg}"


class Fill(NamedTuple):
    """One row of `fills.csv`; `sign` is +1 for a buy and -1 for a sale, times are nanoseconds."""

    number: str
    trade: str
    symbol: str
    sign: int
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    time_ns: int
    point: str
    kind: str
    leg: str
    reason: str
    slippage: Decimal


class Share(NamedTuple):
    """One row of `shares.csv`: from when on a play of a playbook may use how much."""

    time_ns: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """The legs of one position, in the order in which they were closed.

    Attributes:
        entry: The first of them, for what they share: side, decision, entry and first levels.
        last: The one that ended the position.
        quantity: All that was bought or sold at the entry.
        entry_fee: What that cost.
        funding: The sum of that of its legs, like the two before.
        net: The sum of their net results.
    """

    legs: tuple[Trade, ...]
    entry: Trade
    last: Trade
    quantity: Decimal
    entry_fee: Decimal
    funding: Decimal
    net: Decimal

    @property
    def number(self) -> str:
        """The number that its legs share."""
        return self.entry.number

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return self.entry.sign


class Positions(Sequence[Position]):
    """The positions that the rows of a trade list make: those of one number that follow each other are one.

    Args:
        trades: The rows.
        numbers: The number of each.
    """

    def __init__(self, trades: Sequence[Trade], numbers: pl.Series) -> None:
        self._trades = trades
        begins = numbers.ne_missing(numbers.shift()).arg_true().to_numpy().astype(np.int64)
        self.begins = begins
        self._edges = [*begins.tolist(), len(trades)]
        self._made: dict[int, Position] = {}

    def __len__(self) -> int:
        return len(self._edges) - 1

    @overload
    def __getitem__(self, index: int) -> Position: ...
    @overload
    def __getitem__(self, index: slice) -> list[Position]: ...
    def __getitem__(self, index: int | slice) -> Position | list[Position]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        if place not in self._made:
            first, behind = self._edges[place : place + 2]
            self._made[place] = _position(tuple(self._trades[first:behind]))
        return self._made[place]


def _position(legs: tuple[Trade, ...]) -> Position:
    def total(column: str) -> Decimal:
        return sum((getattr(leg, column) for leg in legs), Decimal(0))

    sums = (total(column) for column in ("quantity", "entry_fee", "funding", "net"))
    return Position(legs, legs[0], legs[-1], *sums)


@dataclass(frozen=True, slots=True)
class Run:
    """A run's files.

    Attributes:
        trades: The closed legs, in order.
        positions: The same, those of one position together.
        equity: `equity.parquet`, read in blocks.
        sessions: `sessions.parquet`, or None where the run wrote none.
        shares: `shares.csv` of a play that ran in a playbook; None of one that ran alone.
        nets: The net result of each leg, in whole numbers of 1e-8.
        gained: What the account had gained before each position, and behind the last, likewise.
        proven: Which positions the screen has proven right; none before it has looked.
        borrow_given: Whether the recorded rates of shorts are known.
    """

    result: Document
    manifest: Document
    terms: Terms
    trades: Records[Trade]
    fills: Records[Fill]
    equity: Points
    sessions: pl.DataFrame | None
    shares: Sequence[Share] | None = None
    proven: Bools | None = None
    borrow_given: bool = False
    positions: Positions = field(init=False)
    nets: list[int] = field(init=False)
    gained: list[int] = field(init=False)

    def __post_init__(self) -> None:
        texts = self.trades.texts
        numbers = pl.Series([trade.number for trade in self.trades]) if texts is None else texts["trade"]
        object.__setattr__(self, "positions", Positions(self.trades, numbers.cast(pl.String)))
        object.__setattr__(self, "nets", self._nets())
        by_leg = list(accumulate(self.nets, initial=0))
        begins = [*self.positions.begins.tolist(), len(self.trades)]
        object.__setattr__(self, "gained", [by_leg[leg] for leg in begins])

    def _nets(self) -> list[int]:
        if self.trades.texts is not None:
            nets: list[int] = counts_of(self.trades.texts["net_pnl"])[0].tolist()
            return nets
        return [int(trade.net.scaleb(8)) for trade in self.trades]

    def of_positions(self, column: str, attribute: str, *, last: bool = False) -> pl.Series:
        """Return the text of the first leg of each position, or of its last."""
        return self._of_legs(self.trades.values(column, attribute), last=last)

    def times_of_positions(self, column: str, attribute: str, *, last: bool = False) -> Ints:
        """Return an instant of the first leg of each position, or of its last."""
        return self._of_legs(self.trades.times(column, attribute), last=last).to_numpy()

    def _of_legs(self, values: pl.Series, *, last: bool) -> pl.Series:
        begins = self.positions.begins
        return values.gather(np.append(begins[1:], len(self.trades)) - 1 if last and len(begins) else begins)

    @property
    def signs(self) -> Ints:
        """+1 of each position that is long, -1 of each that is short."""
        sides = self.of_positions("side", "sign")
        return np.where(sides.is_in(("long", "1")).to_numpy(), 1, -1)

    @property
    def doubtful(self) -> list[int]:
        """The places of the positions that are not proven right: checks look at these one by one."""
        if self.proven is None:
            return list(range(len(self.positions)))
        found: list[int] = np.flatnonzero(~self.proven).tolist()
        return found

    @property
    def doubtful_positions(self) -> list[Position]:
        """The positions that are not proven right."""
        return [self.positions[place] for place in self.doubtful]

    @property
    def doubtful_trades(self) -> list[Trade]:
        """The legs of positions that are not proven right."""
        return [leg for position in self.doubtful_positions for leg in position.legs]

    @property
    def doubtful_fills(self) -> list[Fill]:
        """The fills of positions that are not proven right; all of them where rows and fills do not pair."""
        if self.proven is None or not self.proven.any():
            return list(self.fills)
        places = self.positions.begins + np.arange(len(self.positions))
        spared = np.zeros(len(self.fills), dtype=np.bool_)
        spared[places[self.proven]] = spared[places[self.proven] + 1] = True
        return [self.fills[place] for place in np.flatnonzero(~spared).tolist()]

    @property
    def split(self) -> bool:
        """Whether a split fell into a held position; one that left less than a lot closed it by force."""
        forced = self.trades.values("exit_reason", "exit_reason") == "force"
        closed = forced.any() and not self.manifest.has("portfolio")
        return bool((self.fills.values("order_kind", "kind") == SPLIT).any() or closed)

    @property
    def borrowed(self) -> bool:
        """Whether shares were borrowed at recorded rates that were not given."""
        recorded = self.manifest.has("data.beside.borrow")
        asked = recorded or (self.terms.account_kind == "margin" and self.terms.borrow_rate is None)
        unknown = asked and not self.borrow_given
        return unknown and bool((self.trades.values("side", "sign").is_in(("short", "-1"))).any())

    @property
    def final_equity(self) -> Decimal:
        """What the account holds after all postings of the trades."""
        return self.equity_before(len(self.positions))

    def equity_before(self, position: int) -> Decimal:
        """Return what the account held before a position, all earlier ones closed."""
        return self.terms.start_equity + Decimal(self.gained[position]).scaleb(-8)

    def share_at(self, time_ns: int) -> Decimal | None:
        """Return what a play of a playbook might use at an instant; None of one that ran alone."""
        if self.shares is None:
            return None
        return next((share.amount for share in reversed(self.shares) if share.time_ns <= time_ns), Decimal(0))


def read_run(folder: Path) -> Run:
    """Return the files of the run in `folder`.

    Raises:
        Unreadable: If a file is missing, damaged, of another schema, or holds a value it may not.
    """
    result = _document(folder / "result.json", RESULT_SCHEMA)
    manifest = _document(folder / "manifest.json", MANIFEST_SCHEMA)
    trades = read_records(folder / "trades.csv", TRADE_COLUMNS, _trade, appended=APPENDED_COLUMNS)
    fills = read_records(folder / "fills.csv", FILL_COLUMNS, Fill)
    _require_prices(fills)
    sessions = folder / "sessions.parquet"
    return Run(
        result=result,
        manifest=manifest,
        terms=read_terms(manifest),
        trades=trades,
        fills=fills,
        equity=Points(folder / "equity.parquet"),
        sessions=_table(sessions, SESSION_COLUMNS) if sessions.exists() else None,
        shares=read_records(folder / "shares.csv", SHARE_COLUMNS, Share) if manifest.has("playbook") else None,
    )


def _require_prices(fills: Records[Fill]) -> None:
    """Refuse a fill that cost nothing, or a split that cost something."""
    kinds = fills.values("order_kind", "kind") == SPLIT
    free = fills.values("price", "price").cast(pl.Float64) == 0
    for place in (kinds != free).arg_true():
        fill = fills[place]
        raise Unreadable(
            f"fills.csv line {place + 2}: the price of a {fill.kind} is {fill.price}; that of a split is 0, and of "
            "nothing else"
        )


def _trade(*values: Any) -> Trade:
    """Return a row; one without the appended columns is the only leg, and its stop did not move."""
    trade = Trade(*values)
    only_leg = values[Trade._fields.index("leg")] is None
    return trade._replace(leg=1, final_stop=trade.stop) if only_leg else trade


def _document(path: Path, schema: str) -> Document:
    document = Document(path)
    found = document.text("schema")
    if found != schema:
        raise Unreadable(f"{path.name}: the schema is {found!r}; this audit knows {schema!r}")
    return document


def _table(path: Path, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    require_columns(path, columns)
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    for name in columns:
        if table[name].null_count():
            raise Unreadable(f"{path.name}: the column {name} has missing or infinite values")
    return table
