"""Strategies written in Python: a class that names its features and decides bar by bar.

    class Cross(PythonStrategy):
        symbol = "BTC-USD.BITSTAMP"
        timeframe = "15m"

        def setup(self, features: Features) -> None:
            self.fast = features.indicator("ema", length=20)
            self.slow = features.indicator("ema", length=50)

        def decide(self, view: View) -> Intent:
            if view.position == 0 and view.value(self.fast) > view.value(self.slow):
                return self.long(stop=2.0, reason="fast above slow")
            ...

It sees the same closed bars and the same feature kernels as a play, and takes the engine lane, because its decision is
not a kernel.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import msgspec

from evenkeel.features import conditions
from evenkeel.features.node import MAX_LENGTH
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import BAR_COLUMNS, Program, ProgramBuilder
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError, require
from evenkeel.model.gaps import not_available
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.intent import Abstain, Direction, Enter, Intent, Leave, Notes, OrderKind, TimeInForce
from evenkeel.model.number import to_decimal
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe
from evenkeel.strategies.strategy import DecideKernel, Strategy, View
from evenkeel.strategies.terms import AccountTerms, MarginTerms, SizingTerms, Terms

_BPS = Decimal(10_000)
DEFAULT_SLIPPAGE = Decimal("0.0002")
"""Two basis points, as in plays."""

_Terms = TypeVar("_Terms", AccountTerms, SizingTerms)


class Features:
    """What a Python strategy asks for before it runs; every answer is a row that `View.value` reads."""

    def __init__(self, execution: Timeframe) -> None:
        self._exec = execution
        self._builder = ProgramBuilder(execution)
        self._builder.require_bars(execution, 1)

    def column(self, name: str, *, timeframe: str | None = None) -> int:
        """Return the row of `open`, `high`, `low`, `close` or `volume`."""
        if name not in BAR_COLUMNS:
            raise UsageError(f"there is no bar column '{name}'; there are {', '.join(BAR_COLUMNS)}")
        on = self._timeframe(timeframe)
        self._builder.require_bars(on, 1)
        return self._builder.hold(on, self._builder.on(on).column(name))

    def indicator(
        self,
        name: str,
        *,
        output: str | None = None,
        source: str = "close",
        timeframe: str | None = None,
        **params: Any,
    ) -> int:
        """Return the row of an indicator's output.

        Args:
            name: As `keel indicators` lists it.
            output: Default: its primary output.
            source: Bar column, for indicators that read one series.
            timeframe: Default: the strategy's own; values of others are held from their last closed bar.
            params: Its parameters.
        """
        node = find_indicator(name)
        if source not in BAR_COLUMNS:
            raise UsageError(f"there is no bar column '{source}' for {name}; there are {', '.join(BAR_COLUMNS)}")
        on = self._timeframe(timeframe)
        graph = self._builder.on(on)
        columns = (source,) if node.single_series else node.inputs
        rows = graph.add(node, tuple(graph.column(column) for column in columns), params)
        values = node.resolve(params)
        self._builder.require_bars(on, node.warmup(values))
        wanted = node.output(output, values).name
        return self._builder.hold(on, rows[[found.name for found in node.outputs_of(values)].index(wanted)])

    def history(self, bars: int) -> None:
        """Make every row readable so many bars back with `View.value(row, ago=...)`.

        Args:
            bars: At most `MAX_LENGTH`.
        """
        require(0 <= bars <= MAX_LENGTH, f"history is a number of bars from 0 to {MAX_LENGTH}", was=bars)
        graph = self._builder.on(self._exec)
        graph.add(conditions.lag, (graph.column("close"),), {"bars": bars})
        self._builder.require_bars(self._exec, 1 + bars)

    def finish(self) -> tuple[Program, int]:
        """Return the program, and a row that is always 1: a Python strategy is woken at every bar."""
        (always,) = self._builder.on(self._exec).add(conditions.constant, (), {"value": 1.0})
        return self._builder.build(), always

    def _timeframe(self, name: str | None) -> Timeframe:
        return self._exec if name is None else Timeframe.parse(name)


class PythonStrategy:
    """Base of strategies written in Python.

    Attributes:
        symbol: Instrument, by id or unique symbol.
        timeframe: Execution timeframe.
        account: Overrides of `AccountTerms` by name, as text or numbers; rates are fractions.
        sizing: Overrides of `SizingTerms` by name.
        values: What `--set` gave other values than the file has, as text: any attribute of the class that is a number,
            a truth or a word can be set.
        memory: Plain data that the strategy keeps between decisions; it is journaled when it changes.
    """

    kind = "python"
    symbol: ClassVar[str]
    timeframe: ClassVar[str]
    account: ClassVar[Mapping[str, Any]] = {}
    sizing: ClassVar[Mapping[str, Any]] = {}
    values: ClassVar[Mapping[str, str]] = {}
    kernel: DecideKernel | None = None

    def __init__(self, instruments: Callable[[str], Instrument], source: str) -> None:
        """Ask for features and fix the terms.

        Args:
            instruments: Finds an instrument.
            source: Text of the file, which names the strategy: it is what a replay runs.
        """
        self.name = type(self).__name__
        self.instrument = instruments(self.symbol)
        self.memory: dict[str, Any] = {}
        features = Features(Timeframe.parse(self.timeframe))
        self.setup(features)
        self.program, always = features.finish()
        self.wake_flat = self.wake_hold = always
        self.terms = _terms(self.instrument, dict(self.account), dict(self.sizing))
        values = "".join(f"\n{name}={text}" for name, text in sorted(self.values.items()))
        self.hash = hashlib.sha256((source + values).encode()).hexdigest()[:16]
        self.resolved: Mapping[str, Any] = {
            "class": self.name, "symbol": self.instrument.id, "timeframe": self.timeframe, "source": source,
            "account": {key: str(value) for key, value in self.account.items()},
            "sizing": {key: str(value) for key, value in self.sizing.items()},
            **({"values": dict(self.values)} if self.values else {}),
        }  # fmt: skip

    def setup(self, features: Features) -> None:
        """Ask for features; called once."""

    def decide(self, view: View) -> Intent:
        """Answer the close of an execution bar; the default does nothing."""
        del view
        return self.nothing()

    def long(
        self, *, stop: float | None = None, target: float | None = None, limit: float | None = None,
        trigger: float | None = None, time_in_force: str = "GTC", expire_bars: int = 0, reason: str,
        notes: Notes | None = None,
    ) -> Intent:  # fmt: skip
        """Wish a long entry: at the market, or at a limit, or once a trigger is reached, or both.

        Args:
            stop: Distance of the protective stop from the fill, in price.
            target: Distance of the target from the fill, in price.
            limit: Price to pay at most.
            trigger: Price at or above which the order comes to life: as a market order, or as a limit where there is
                one.
            time_in_force: Of a limit: `GTC`, `IOC`, `FOK` or `PostOnly`.
            expire_bars: Execution bars until an order that rests dies; 0 is never.
            reason: The rule behind it.
            notes: What to keep with the trade.
        """
        order = _Order(limit, trigger, time_in_force, expire_bars)
        return _enter(Direction.LONG, stop, target, order, reason, notes)

    def short(
        self, *, stop: float | None = None, target: float | None = None, limit: float | None = None,
        trigger: float | None = None, time_in_force: str = "GTC", expire_bars: int = 0, reason: str,
        notes: Notes | None = None,
    ) -> Intent:  # fmt: skip
        """Wish a short entry; see `long`: a limit is the least price to sell at, a trigger lies at or below it."""
        order = _Order(limit, trigger, time_in_force, expire_bars)
        return _enter(Direction.SHORT, stop, target, order, reason, notes)

    def close(self, reason: str, *, part: float = 1.0) -> Intent:
        """Wish the position closed at the market, or a part of it, above 0 and at most 1."""
        if not 0.0 < part <= 1.0:
            raise UsageError(f"the part of a position that is closed lies above 0 and at most at 1, not {part}")
        return Leave(reason=reason, fraction=to_decimal(part))

    def nothing(self) -> Intent:
        """Wish nothing."""
        return Abstain(reason=Reason.OK)

    takes_notes = False

    def notes(self, signal: int, x: Floats, column: int) -> Notes:
        """A Python strategy puts its notes into its intents."""
        del signal, x, column
        return {}

    def signal_text(self, signal: int) -> str:
        """Reports of the research lane do not exist for a Python strategy."""
        del signal
        return ""

    def checkpoint(self) -> dict[str, Any]:
        """Return a copy of `memory`."""
        try:
            copy: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(self.memory))
        except (TypeError, OverflowError, ValueError) as error:
            raise UsageError(
                f"{self.name}.memory holds something that cannot be journaled ({error}); keep numbers, text, lists and "
                "maps in it"
            ) from None
        return copy

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue with the memory that was saved."""
        self.memory = dict(saved)


class _Order(NamedTuple):
    """How an entry is ordered."""

    limit: float | None
    trigger: float | None
    time_in_force: str
    expire_bars: int


def _enter(
    direction: Direction, stop: float | None, target: float | None, order: _Order, reason: str, notes: Notes | None
) -> Intent:
    for name, distance in (("stop", stop), ("target", target)):
        if distance is not None and not distance > 0.0:
            raise UsageError(f"the {name} of an entry is a distance in price and must be above 0, not {distance}")
    distances = [None if distance is None else to_decimal(distance) for distance in (stop, target)]
    kind, price, trigger = _kind(order)
    return Enter(
        direction=direction, kind=kind, price=price, trigger=trigger, time_in_force=TimeInForce(order.time_in_force),
        expire_bars=order.expire_bars, stop_distance=distances[0], target_distance=distances[1], reason=reason,
        notes=notes or {},
    )  # fmt: skip


def _kind(order: _Order) -> tuple[OrderKind, Decimal | None, Decimal | None]:
    """Return kind, price and trigger of an entry; the price of a stop is its trigger."""
    for name, price in (("limit", order.limit), ("trigger", order.trigger)):
        if price is not None and not 0.0 < price < math.inf:
            raise UsageError(f"the {name} of an entry is a price and must be above 0, not {price}")
    if order.time_in_force not in list(TimeInForce):
        raise UsageError(f"time_in_force is one of {', '.join(TimeInForce)}, not '{order.time_in_force}'")
    if order.expire_bars < 0:
        raise UsageError(f"expire_bars is a number of execution bars, 0 for never, not {order.expire_bars}")
    limit, trigger = (None if price is None else to_decimal(price) for price in (order.limit, order.trigger))
    if limit is not None:
        return (OrderKind.LIMIT, limit, None) if trigger is None else (OrderKind.STOP_LIMIT, limit, trigger)
    return (OrderKind.MARKET, None, None) if trigger is None else (OrderKind.STOP, trigger, None)


def _terms(instrument: Instrument, account: dict[str, Any], sizing: dict[str, Any]) -> Terms:
    fees = instrument.fees
    facts: dict[str, Any] = {
        "currency": instrument.quote, "taker": fees.taker_bps / _BPS, "maker": fees.maker_bps / _BPS,
        "per_contract": fees.per_contract, "slippage": DEFAULT_SLIPPAGE,
        "funding": instrument.kind is InstrumentKind.PERPETUAL, **account,
    }  # fmt: skip
    if facts["currency"] != instrument.quote:
        raise not_available("run.currency", where="account")
    terms = _struct(facts, AccountTerms, "account")
    margin = MarginTerms(liquidates=instrument.kind is InstrumentKind.PERPETUAL, liquidation_fee=terms.taker)
    if "margin" not in account:
        terms = msgspec.structs.replace(terms, margin=margin)
    return Terms(account=terms, sizing=_struct(sizing, SizingTerms, "sizing"))


def _struct(facts: dict[str, Any], kind: type[_Terms], section: str) -> _Terms:
    for name in facts:
        if name not in kind.__struct_fields__:
            near = difflib.get_close_matches(name, kind.__struct_fields__, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(kind.__struct_fields__)}"
            raise UsageError(f"the strategy's {section} has no '{name}'; {hint}")
    try:
        return msgspec.convert({key: _text(value) for key, value in facts.items()}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"the strategy's {section} is not valid: {error}") from None


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _text(inside) for key, inside in value.items()}
    return value if isinstance(value, bool | str) else str(value)


def load_python_strategy(
    path: Path,
    class_name: str | None,
    *,
    instruments: Callable[[str], Instrument],
    sets: Mapping[str, str] | None = None,
) -> Strategy:
    """Load a strategy class from a file and make it ready.

    Args:
        path: The file.
        class_name: Which class; None where the file has only one.
        instruments: Finds an instrument.
        sets: Attribute of the class to another value, as text.

    Raises:
        UsageError: If the file or the class is missing, the file does not run, or a value cannot be set.
    """
    try:
        source = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'") from None
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is not UTF-8 text") from None
    return load_python_source(source, class_name, instruments=instruments, name=str(path), sets=sets)


def load_python_source(
    source: str,
    class_name: str | None,
    *,
    instruments: Callable[[str], Instrument],
    name: str = "<recorded>",
    sets: Mapping[str, str] | None = None,
) -> Strategy:
    """Load a strategy class from source text; see `load_python_strategy`."""
    module = types.ModuleType("keel_strategy")
    try:
        exec(compile(source, name, "exec"), vars(module))
    except (SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"'{name}' does not run: {type(error).__name__}: {error}") from None
    found = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, PythonStrategy) and value.__module__ == module.__name__
    }
    if class_name is None and len(found) == 1:
        (class_name,) = found
    if class_name not in found:
        have = ", ".join(found) or "none that extends PythonStrategy"
        raise UsageError(f"'{name}' needs one strategy class, named as in FILE.py:Class; it has {have}")
    for needed in ("symbol", "timeframe"):
        if not hasattr(found[class_name], needed):
            raise UsageError(f"'{name}': {class_name} must name its `{needed}`")
    return _with_values(found[class_name], sets or {})(instruments, source)


def _with_values(strategy: type[PythonStrategy], sets: Mapping[str, str]) -> type[PythonStrategy]:
    """Return the class with other values of its attributes."""
    if not sets:
        return strategy
    known = {name: value for name in dir(strategy) if _can_be_set(name, value := getattr(strategy, name))}
    changed: dict[str, Any] = {"values": dict(sets), "__module__": strategy.__module__}
    for name, text in sets.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"--set {name}={text}: {strategy.__name__} has no attribute '{name}' to set; {hint}")
        changed[name] = _converted(f"--set {name}={text}", text, known[name])
    return type(strategy.__name__, (strategy,), changed)


def _can_be_set(name: str, value: object) -> bool:
    return (
        not name.startswith("_") and name not in ("kind", "takes_notes") and isinstance(value, bool | int | float | str)
    )


def _converted(option: str, text: str, like: bool | float | str) -> bool | float | str:
    """Return a text as a value of the type that an attribute has."""
    if isinstance(like, bool):
        if text not in ("true", "false"):
            raise UsageError(f"{option} must be true or false")
        return text == "true"
    if isinstance(like, str):
        return text
    try:
        return type(like)(text)
    except ValueError:
        raise UsageError(f"{option} must be {'a whole number' if isinstance(like, int) else 'a number'}") from None
