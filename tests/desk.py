"""A desk for tests: hand-made bars, scripted wishes, and one run through both lanes that must agree.

    record = run(
        piece([(100, 101, 99, 100), (100, 104, 99, 103)], {0: long(stop=5, target=3)}),
        account=free(slippage="0.0002"),
    )

Row numbers of base bars and of execution bars count from 0; a wish of execution bar 0 is decided at its close.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Entry
from evenkeel.data.catalog import Series as StoredSeries
from evenkeel.data.quotes import quote_rows
from evenkeel.data.revision import Revision
from evenkeel.data.side import SideBatch, SideKind, SideSeries
from evenkeel.data.side.series import revision_of
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts, Step
from evenkeel.engine.market import GapPolicy, Market, Stretch, load_market
from evenkeel.engine.record import Fill, RunRecord
from evenkeel.engine.research import run_research
from evenkeel.features.node import condition
from evenkeel.features.timeline import Program, ProgramBuilder, Series
from evenkeel.kernel import NODE_SIGNATURE, compiled
from evenkeel.model.bar import Bars, Floats, Quoted
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.intent import Abstain, Direction, Enter, Intent, Leave, OrderKind, TimeInForce
from evenkeel.model.number import to_decimal
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE, SECOND, Timeframe, parse_time
from evenkeel.strategies.decision import SLOTS, Action, EntryKind, Slot
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.strategy import DecideKernel, Strategy, View
from evenkeel.strategies.terms import AccountTerms, OrderTerms, SizingTerms, Terms
from evenkeel.venues.simulated.carry import Carry, MarkBars

START = parse_time("2024-01-01")
ONE_MINUTE = Timeframe.parse("1m")
NAN = math.nan

SCRIPT = ("side", "leave", "kind", "price", "stop", "target", "part", "trail", "trigger")
"""Columns of the script, in the order of the rows that its kernel gets."""

_KINDS = {
    "market": EntryKind.MARKET, "limit": EntryKind.LIMIT, "stop": EntryKind.STOP, "stop_limit": EntryKind.STOP_LIMIT,
}  # fmt: skip
_ORDER_KINDS = {
    EntryKind.MARKET: OrderKind.MARKET, EntryKind.LIMIT: OrderKind.LIMIT, EntryKind.STOP: OrderKind.STOP,
    EntryKind.STOP_LIMIT: OrderKind.STOP_LIMIT,
}  # fmt: skip
_P, _A, _D, _K = int(Slot.POSITION), int(Slot.ACTION), int(Slot.DIRECTION), int(Slot.KIND)
_PRICE, _STOP, _TARGET = int(Slot.PRICE), int(Slot.STOP_DISTANCE), int(Slot.TARGET_DISTANCE)
_SIGNAL, _REASON = int(Slot.SIGNAL), int(Slot.REASON)
_FRACTION, _TRAIL, _TRIGGER = int(Slot.FRACTION), int(Slot.TRAIL_DISTANCE), int(Slot.TRIGGER)
_NONE, _ENTER, _EXIT = int(Action.NONE), int(Action.ENTER), int(Action.EXIT)


@condition("scripted_decide", inputs=(), formula="what the script says")
def scripted_decide(p, s, x, r, start, stop):
    """Wish what the script wishes at this bar."""
    s[_A], s[_SIGNAL], s[_REASON] = _NONE, -1.0, 0.0
    if s[_P] != 0.0:
        if x[r[1], start] == 1.0:
            s[_A], s[_SIGNAL], s[_FRACTION] = _EXIT, 1.0, x[r[6], start]
        return
    side = x[r[0], start]
    if side == 0.0:
        return
    s[_A], s[_D], s[_K], s[_SIGNAL] = _ENTER, side, x[r[2], start], 0.0
    s[_PRICE], s[_STOP], s[_TARGET], s[_TRAIL] = x[r[3], start], x[r[4], start], x[r[5], start], x[r[7], start]
    s[_TRIGGER] = x[r[8], start]


def bars(rows: Iterable[Sequence[float]], *, timeframe: str = "1m", start: int = START) -> Bars:
    """Return bars of `(open, high, low, close[, volume])`, one after the other without a gap."""
    table = [tuple(row) if len(row) == 5 else (*row, 1.0) for row in rows]
    values = np.array(table, dtype=np.float64).reshape(len(table), 5)
    kind = Timeframe.parse(timeframe)
    opens = start + np.arange(len(values), dtype=np.int64) * kind.nanoseconds
    columns = (np.ascontiguousarray(values[:, place]) for place in range(5))
    return Bars(kind, opens, opens + kind.nanoseconds, *columns)


def flat(price: float, count: int) -> list[tuple[float, float, float, float]]:
    """Return bars in which nothing happens."""
    return [(price, price, price, price)] * count


def walk(seed: int, count: int) -> Bars:
    """Return minutes of a random walk around 100, with gaps at the open and prices of two decimals."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(size=count) * 8e-4))
    opened = np.concatenate([[100.0], close[:-1]]) * (1 + rng.normal(size=count) * 1e-4)
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(size=count)) * 4e-4)
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(size=count)) * 4e-4)
    return bars(np.round(np.column_stack([opened, high, low, close, rng.random(count) * 1000]), 2).tolist())


@dataclass(frozen=True)
class Wish:
    """An entry that the script wishes; distances from the fill, NaN for none."""

    side: int
    kind: str = "market"
    price: float = NAN
    stop: float = NAN
    target: float = NAN
    trail: float = NAN
    trigger: float = NAN


def long(**facts: Any) -> Wish:
    """Wish to buy."""
    return Wish(1, **facts)


def short(**facts: Any) -> Wish:
    """Wish to sell short."""
    return Wish(-1, **facts)


@dataclass(frozen=True)
class Piece:
    """An unbroken stretch of bars with what is wished in it, by number of the execution bar.

    `leaves` names bars at which all is closed, or maps them to the part that is.
    """

    bars: Bars
    wishes: Mapping[int, Wish] = field(default_factory=dict)
    leaves: Iterable[int] | Mapping[int, float] = ()
    first_exec: int = 0
    carry: Carry | None = None
    mark: MarkBars | None = None
    quoted: Quoted | None = None


def piece(
    rows: Iterable[Sequence[float]], wishes: Mapping[int, Wish] | None = None,
    leaves: Iterable[int] | Mapping[int, float] = (), **facts: Any,
) -> Piece:  # fmt: skip
    """Return a stretch from rows of prices."""
    first_exec, carry, mark = facts.pop("first_exec", 0), facts.pop("carry", None), facts.pop("mark", None)
    return Piece(bars(rows, **facts), wishes or {}, leaves, first_exec, carry, mark)


def quoted_piece(
    quotes: Iterable[Sequence[float]], wishes: Mapping[int, Wish] | None = None,
    leaves: Iterable[int] | Mapping[int, float] = (), *, trades: Iterable[Sequence[float]] = (), mark: Any = None,
) -> Piece:  # fmt: skip
    """Return a stretch whose base bars are quotes.

    Args:
        quotes: `(second, bid, ask)`, seconds from the start; NaN for a side that a record leaves out.
        wishes: By number of the execution bar.
        leaves: As of `piece`.
        trades: `(second, price)`; without any, middles make the bars.
        mark: The mark price over each base bar.
    """
    stored = [side_series(SideKind.QUOTES, quotes), side_series(SideKind.TRADES, trades)]
    rows = quote_rows(stored[0], stored[1] if len(stored[1]) else None, load_calendar("24/7"))
    return Piece(rows.bars, wishes or {}, leaves, 0, None, mark, rows.behind(rows.bars))


def side_series(kind: SideKind, rows: Iterable[Sequence[float]]) -> SideSeries:
    """Return quotes `(second, bid, ask)` or trades `(second, price)` as they are stored, each of a size of 1."""
    table = np.array(list(rows), dtype=np.float64).reshape(-1, 3 if kind is SideKind.QUOTES else 2)
    columns = dict.fromkeys(kind.columns(), np.ones(len(table)))
    for place, name in enumerate(("bid", "ask") if kind is SideKind.QUOTES else ("price",)):
        columns[name] = np.ascontiguousarray(table[:, place + 1])
    stamps = START + np.rint(table[:, 0] * SECOND).astype(np.int64)
    batch = SideBatch(kind, stamps, columns)
    if not len(table):
        nowhere: Any = None
        return SideSeries(kind, stamps, columns, nowhere)
    return SideSeries(kind, stamps, columns, revision_of(instrument().id, batch, source="drawn", imported_ns=0))


def instrument(**facts: Any) -> Instrument:
    """Return a perpetual with a tick of 0.01 and a lot of 0.001, or what is given."""
    plain: dict[str, Any] = {
        "id": InstrumentId("TEST.DESK"), "kind": InstrumentKind.PERPETUAL, "base": "TEST", "quote": "USDT",
        "tick_size": "0.01", "lot_size": "0.001", "min_quantity": "0.001", "calendar": "24/7",
        "absence_is_fault": True,
    }  # fmt: skip
    plain.update(facts)
    for name in ("tick_size", "lot_size", "min_quantity", "multiplier", "max_quantity", "min_notional"):
        if plain.get(name) is not None:
            plain[name] = Decimal(str(plain[name]))
    return Instrument(**plain)


AS_GIVEN = ("trigger_source", "latency_ms")
"""Names of an account whose values are no amounts."""


def _number(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def account(**facts: Any) -> AccountTerms:
    """Return an account of 10,000 without costs and without limits, or what is given; numbers may be text."""
    plain: dict[str, Any] = {"taker": 0, "maker": 0, "max_drawdown": 1, **facts}
    exact = {name: value if name in AS_GIVEN else _number(value) for name, value in plain.items()}
    return AccountTerms(currency="USDT", **exact)


def units(quantity: str | float = 1) -> SizingTerms:
    """Size every entry to so many units."""
    return SizingTerms(model="fixed_quantity", value=Decimal(str(quantity)))


def terms(
    costs: AccountTerms | None = None, sizing: SizingTerms | None = None, order: OrderTerms | None = None
) -> Terms:
    """Return the terms of a run."""
    return Terms(account=costs or account(), sizing=sizing or units(), order=order or OrderTerms())


class ScriptedSeries(Series):
    """Bars whose execution timeframe also has the columns of a script."""

    def __init__(
        self, base: Bars, exec_tf: Timeframe, calendar: str, script: Mapping[str, Floats], quoted: Quoted | None = None
    ) -> None:
        super().__init__(base, load_calendar(calendar), quoted=quoted)
        self.columns(exec_tf).update(script)


class ScriptedStrategy:
    """Wishes what the columns of a `ScriptedSeries` say, in both lanes."""

    name, kind, hash = "scripted", "python", "0"

    def __init__(self, asset: Instrument, rules: Terms, exec_tf: Timeframe) -> None:
        builder = ProgramBuilder(exec_tf)
        graph = builder.on(exec_tf)
        rows = tuple(graph.column(name) for name in SCRIPT)
        self.wake_flat, self.wake_hold = graph.column("wake_flat"), graph.column("leave")
        self.instrument, self.terms, self.resolved = asset, rules, {}
        self.program: Program = builder.build()
        self.kernel: DecideKernel | None = DecideKernel(scripted_decide, (), rows)
        self._rows = np.array(rows, dtype=np.int64)

    def decide(self, view: View) -> Intent:
        slots = np.zeros(SLOTS)
        slots[Slot.POSITION] = view.position
        compiled(scripted_decide.kernel, NODE_SIGNATURE)(
            np.zeros(0), slots, view.x, self._rows, view.column, view.column + 1
        )
        if slots[Slot.ACTION] == Action.NONE:
            return Abstain(reason=Reason.OK)
        if slots[Slot.ACTION] == Action.EXIT:
            return Leave(reason="script leaves", fraction=to_decimal(float(slots[Slot.FRACTION])))
        order = self.terms.order
        return Enter(
            direction=Direction.LONG if slots[Slot.DIRECTION] > 0 else Direction.SHORT,
            kind=_ORDER_KINDS[EntryKind(int(slots[Slot.KIND]))], price=_exact(slots[Slot.PRICE]),
            trigger=_exact(slots[Slot.TRIGGER]),
            time_in_force=order.time_in_force, expire_bars=order.expire_bars,
            stop_distance=_exact(slots[Slot.STOP_DISTANCE]), target_distance=_exact(slots[Slot.TARGET_DISTANCE]),
            trail_distance=_exact(slots[Slot.TRAIL_DISTANCE]), reason="script enters",
        )  # fmt: skip

    takes_notes = False

    def notes(self, signal: int, x: Floats, column: int) -> dict[str, Any]:
        del signal, x, column
        return {}

    def signal_text(self, signal: int) -> str:
        return ("script enters", "script leaves")[signal] if signal >= 0 else ""

    def checkpoint(self) -> dict[str, Any]:
        return {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        del saved


def _exact(value: float) -> Decimal | None:
    return None if math.isnan(value) else to_decimal(float(value))


def script_columns(
    count: int, wishes: Mapping[int, Wish], leaves: Iterable[int] | Mapping[int, float]
) -> dict[str, Floats]:
    """Return the columns of a script over so many execution bars."""
    columns = {name: np.zeros(count) for name in (*SCRIPT, "wake_flat")}
    for name in ("price", "stop", "target", "trail", "trigger"):
        columns[name][:] = NAN
    for bar, wish in wishes.items():
        columns["side"][bar], columns["kind"][bar] = wish.side, _KINDS[wish.kind]
        columns["price"][bar], columns["stop"][bar], columns["target"][bar] = wish.price, wish.stop, wish.target
        columns["trail"][bar], columns["trigger"][bar] = wish.trail, wish.trigger
        columns["wake_flat"][bar] = 1.0
    parts = leaves if isinstance(leaves, Mapping) else dict.fromkeys(leaves, 1.0)
    for bar, part in parts.items():
        columns["leave"][bar], columns["part"][bar] = 1.0, part
    return columns


def stretch_of(part: Piece, number: int, end: Reason, exec_tf: Timeframe, calendar: str = "24/7") -> Stretch:
    """Return a piece as a stretch with its script."""
    count = len(Series(part.bars, load_calendar(calendar), quoted=part.quoted).on(exec_tf).bars)
    script = script_columns(count, part.wishes, part.leaves)
    series = ScriptedSeries(part.bars, exec_tf, calendar, script, part.quoted)
    return Stretch(number, series, exec_tf, part.first_exec, end, part.carry, part.mark)


def market_of(stretches: Sequence[Stretch], asset: Instrument) -> Market:
    """Return stretches as the data of a run, without a catalog behind them."""
    base = stretches[0].series.base
    nowhere: Any = None
    return Market(
        instrument=asset, calendar=stretches[0].series.calendar, revision=nowhere, base=base.timeframe,
        exec=stretches[0].exec, window=(int(base.open_ns[0]), int(stretches[-1].series.base.close_ns[-1])),
        stretches=tuple(stretches), gaps=(), left_out=0, warmup_bars=0,
    )  # fmt: skip


def facts_of(strategy: Strategy) -> RunFacts:
    """Return the facts of a test run."""
    return RunFacts(
        mode="backtest", run=RunId("test"), strategy=StrategyId(strategy.name), instrument=strategy.instrument.id,
        start_equity=strategy.terms.account.start_equity,
    )  # fmt: skip


class Steps:
    """Keeps the steps that a run would have journaled."""

    def __init__(self) -> None:
        self.taken: list[Step] = []

    def write(self, step: Step) -> None:
        self.taken.append(step)


def engine_run(strategy: Strategy, market: Market) -> tuple[RunRecord, BacktestDriver, list[Step]]:
    """Run the engine lane; return what it left, its driver and its steps."""
    log = Steps()
    driver = BacktestDriver(facts_of(strategy), strategy, market, log=log)
    return driver.run(), driver, log.taken


def differences(one: RunRecord, other: RunRecord) -> list[str]:
    """Return what differs between two runs that should be equal, in words, the first few."""
    found: list[str] = []
    names = (
        [name for name in one.fills[0].event.__struct_fields__ if name not in ("client_id", "known_ns")]
        if one.fills
        else []
    )
    for number, (a, b) in enumerate(zip(one.fills, other.fills, strict=False)):
        for name in names:
            if getattr(a.event, name) != getattr(b.event, name):
                found.append(f"fill {number}: {name} {getattr(a.event, name)} or {getattr(b.event, name)}")
        for name in ("trade", "decided_ns", "reason", "notes"):
            if getattr(a, name) != getattr(b, name):
                found.append(f"fill {number}: {name} {getattr(a, name)} or {getattr(b, name)}")
    for name in ("fills", "dead_entries", "times_ns"):
        if len(getattr(one, name)) != len(getattr(other, name)):
            found.append(f"{name}: {len(getattr(one, name))} or {len(getattr(other, name))}")
    if one.refusals != other.refusals:
        found.append(f"refusals {one.refusals} or {other.refusals}")
    if list(one.fundings) != list(other.fundings):
        found.append(f"fundings {list(one.fundings)[:3]} or {list(other.fundings)[:3]}")
    if one.dead_entries != other.dead_entries:
        found.append(f"dead entries {one.dead_entries[:3]} or {other.dead_entries[:3]}")
    if not np.array_equal(one.times_ns, other.times_ns):
        found.append("times of the curve")
    elif not np.array_equal(one.curve, other.curve):
        column = int(np.argmax((one.curve != other.curve).any(axis=0)))
        found.append(f"curve at {column}: {one.curve[:, column]} or {other.curve[:, column]}")
    for name in ("stop_reason", "stop_ns", "drawdown_intrabar"):
        if getattr(one, name) != getattr(other, name):
            found.append(f"{name} {getattr(one, name)} or {getattr(other, name)}")
    return found[:6]


def both_lanes(strategy: Strategy, market: Market) -> RunRecord:
    """Run both lanes, require equal results, and return the research lane's."""
    research = run_research(strategy, market)
    engine, _, _ = engine_run(strategy, market)
    assert differences(research, engine) == []
    assert research.result_hash() == engine.result_hash()
    return research


def run(
    *pieces: Piece,
    exec_tf: str = "1m",
    asset: Instrument | None = None,
    costs: AccountTerms | None = None,
    sizing: SizingTerms | None = None,
    order: OrderTerms | None = None,
) -> RunRecord:
    """Run a script over pieces with gaps between them, through both lanes."""
    kind, traded = Timeframe.parse(exec_tf), asset or instrument()
    ends = [Reason.DATA_GAP] * (len(pieces) - 1) + [Reason.END_OF_DATA]
    stretches = [
        stretch_of(part, number, end, kind, traded.calendar)
        for number, (part, end) in enumerate(zip(pieces, ends, strict=True))
    ]
    return both_lanes(ScriptedStrategy(traded, terms(costs, sizing, order), kind), market_of(stretches, traded))


def minute(row: int, *, start: int = START) -> int:
    """Return the open of a base bar of one minute."""
    return start + row * MINUTE


def told(fill: Fill) -> tuple[str, int, str, Decimal, Decimal]:
    """Return leg, minute, point, signed quantity and price of a fill in the first stretch."""
    event = fill.event
    return event.leg.value, event.row, event.point.value, event.quantity, event.price


def story(record: RunRecord) -> list[tuple[str, int, str, float]]:
    """Return leg, base row, point and price of every fill: what happened, at a glance."""
    return [(f.event.leg.value, f.event.row, f.event.point.value, float(f.event.price)) for f in record.fills]


class MemoryCatalog:
    """Holds series in memory, in the form in which a run reads them."""

    def __init__(self, asset: Instrument, *held: Bars, beside: Iterable[SideBatch] = ()) -> None:
        self._asset = asset
        self._held = {series.timeframe: series for series in held}
        self._beside = {batch.kind: batch for batch in beside}

    def _revision(self, series: Bars) -> Revision:
        return Revision(
            id="memory", instrument=self._asset.id, timeframe=series.timeframe, rows=len(series),
            first_ns=int(series.open_ns[0]), last_ns=int(series.close_ns[-1]), source="memory", imported_ns=0,
        )  # fmt: skip

    def entries(self) -> list[Entry]:
        return [Entry(self._revision(series), 1) for series in self._held.values()]

    def read(
        self, instrument: str, timeframe: Timeframe, *, stop_ns: int | None = None, revision: str | None = None
    ) -> StoredSeries:
        series = self._held[timeframe]
        stop = len(series) if stop_ns is None else int(np.searchsorted(series.open_ns, stop_ns))
        return StoredSeries(series.rows(0, stop), self._revision(series))

    def side(
        self, instrument: str, kind: SideKind, *, start_ns: int, stop_ns: int, revision: str | None = None
    ) -> SideSeries | None:
        batch = self._beside.get(kind)
        if batch is None:
            return None
        described = revision_of(self._asset.id, batch, source="memory", imported_ns=0)
        part = batch.rows(*np.searchsorted(batch.stamps_ns, [start_ns, stop_ns]).tolist())
        return SideSeries(kind, part.stamps_ns, part.columns, described)


def play_of(text: str, asset: Instrument | None = None) -> PlayStrategy:
    """Return a play that trades `asset`, whatever symbol it names."""
    traded = asset or instrument()
    return PlayStrategy(load_play(text, instruments=lambda _: traded))


def play_market(
    strategy: Strategy, series: Bars, *, start: int | None = None, end: int | None = None, gaps: GapPolicy = "stop"
) -> Market:
    """Return the market of a strategy over bars in memory."""
    catalog: Any = MemoryCatalog(strategy.instrument, series)
    return load_market([catalog], strategy.instrument, strategy.program, start_ns=start, end_ns=end, gaps=gaps)


LIMIT_ORDERS = {name: OrderTerms(time_in_force=TimeInForce(name)) for name in ("GTC", "IOC", "FOK", "PostOnly")}
"""Order terms by time in force."""
