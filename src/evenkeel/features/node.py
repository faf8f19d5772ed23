"""Nodes: a kernel with its declaration. Adding an indicator is writing one file with one of these.

    @indicator(
        "sma",
        summary="Simple moving average",
        inputs=("source",),
        params=(Param("length", int, 20, low=1, high=MAX_LENGTH),),
        outputs=(Output("value"),),
        state=lambda p: 3,
        lookback=lambda p: p["length"],
        first=lambda p: {"value": p["length"]},
        warmup=lambda p: p["length"],
        formula="mean of the last n values",
        source="Definition",
    )
    def sma(p, s, x, r, start, stop): ...

The kernel gets its parameters `p` as float64 in declared order (a list, the last of them, behind its count), its
state `s` (zero at birth), the window `x` (one row a value, columns are bars), the row numbers `r` (inputs in declared
order, then outputs), and writes its outputs for `start <= i < stop` and nothing else. It may read inputs and outputs
back to `i - lookback`; columns before the first bar hold NaN. Nothing may depend on `start`, `stop` or the ends of the
array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

from evenkeel.features.number_list import complaint_about, number_list
from evenkeel.kernel import kernel
from evenkeel.model.errors import UsageError, invariant
from evenkeel.model.number import plain, to_decimal

Value: TypeAlias = "int | float | str | bool | tuple[float, ...]"
Params: TypeAlias = Mapping[str, Any]

MAX_LENGTH = 5000
"""Longest window of an indicator, in bars: a bound on memory and warm-up."""

LANES_MOST = 8
"""So many nodes of one kind are made side by side at most."""

DRIFT_BARS = 4096
"""A running sum is computed afresh whenever the bar count in the state is a multiple of this (ruling 66)."""


class OutputType(StrEnum):
    """What the numbers of an output stand for."""

    FLOAT = "FLOAT"
    INT = "INT"
    BOOL = "BOOL"
    ENUM = "ENUM"
    STRING = "STRING"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a node.

    Attributes:
        name: As written in a play.
        type: int, float, bool, str, or list: different numbers, as `number_list` allows. A list stands last.
        default: Used when absent; None makes the parameter required unless `optional`.
        low: Smallest value, of a list that of each number; `above` makes it exclusive.
        high: Largest value.
        above: Whether `low` itself is refused.
        choices: Allowed words of a str parameter; the kernel gets the position in this list.
        optional: Whether the parameter may stay absent; the kernel then gets NaN.
        meaning: For people.
    """

    name: str
    type: type
    default: Value | None = None
    low: float | None = None
    high: float | None = None
    above: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a node, or with `each` one output for each number that a parameter gives.

    Attributes:
        name: As written after the dot in a play; with `each` it holds `{}` for the number.
        type: What its numbers stand for.
        values: Words of an ENUM; the number in the row is the position in this list.
        meaning: For people.
        each: A list parameter, for one output a number in it; or an int parameter, for one a number from 0 up to
            below it.
        low: A number that is never gone below, by definition; None where there is none. Rounding may pass it by a hair.
        high: A number that is never gone above.
    """

    name: str
    type: OutputType = OutputType.FLOAT
    values: tuple[str, ...] = ()
    meaning: str = ""
    each: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def written(self) -> str:
        """The name as a play may write it: `level[x]`, `zone[i].state`."""
        base, several, rest = self.name.partition("{}")
        if not several:
            return self.name
        return f"{base}[i].{rest[1:]}" if rest else f"{base[:-1]}[x]"

    def expanded(self, params: Params) -> tuple[Output, ...]:
        """Return what this stands for with resolved parameters: itself, or one output for each number."""
        if not self.each:
            return (self,)
        given = params[self.each]
        numbers = given if isinstance(given, tuple) else range(given)
        return tuple(replace(self, name=self.name.format(plain(to_decimal(float(n)))), each="") for n in numbers)

    def reading(self, number: float) -> int | float | bool | str | None:
        """Return what a number of this output stands for; None is missing."""
        if math.isnan(number):
            return None
        if self.type is OutputType.ENUM:
            return self.values[int(number)]
        if self.type is OutputType.BOOL:
            return number == 1.0
        return int(number) if self.type is OutputType.INT else number


@dataclass(frozen=True, slots=True)
class Node:
    """The declaration of a node and its kernel.

    Attributes:
        name: Unique over all nodes.
        kind: `indicator`, `structure` or `condition`.
        summary: One line for lists.
        inputs: Names of what it reads: bar columns, `source`, or `<kind of structure>.<output>`; a trailing `?` marks
            an input that may be absent.
        params: Its parameters in kernel order.
        outputs: Its outputs in row order; `outputs_of` where their number depends on the parameters.
        primary: The output meant when none is named.
        state: Number of float64 of state, from the parameters.
        lookback: How many bars behind the current one it reads, from the parameters.
        first: Output name to the bar, counted from 1, on which it has its first value.
        warmup: Bars to request before its values are trusted (at least `first`; larger for recursive averages).
        formula: The definition in words and signs.
        source: Where the definition comes from.
        uses: Kinds of structures it depends on; a trailing `?` marks one that may be absent.
        kernel: The compiled function.
        check: Extra rule over the parameters; returns a sentence when they contradict each other.
        lanes: A kernel of the same form that makes several nodes of this kind side by side, two to `LANES_MOST`, which
            differ in their parameters only and read the same rows: parameters and states one after the other, the rows
            they read once, then the outputs of each. Bit for bit what `kernel` makes of each; None where there is none.
    """

    name: str
    kind: str
    summary: str
    inputs: tuple[str, ...]
    params: tuple[Param, ...]
    outputs: tuple[Output, ...]
    primary: str
    state: Callable[[Params], int]
    lookback: Callable[[Params], int]
    first: Callable[[Params], dict[str, int]]
    warmup: Callable[[Params], int]
    formula: str
    source: str
    kernel: Any
    uses: tuple[str, ...] = ()
    check: Callable[[Params], str | None] = field(default=lambda _: None)
    lanes: Any = None

    @property
    def single_series(self) -> bool:
        """Whether it reads one series that a play may choose with `source`."""
        return self.inputs == ("source",)

    def outputs_of(self, params: Params) -> tuple[Output, ...]:
        """Return the outputs that it has with these resolved parameters, in row order."""
        return tuple(one for output in self.outputs for one in output.expanded(params))

    def output(self, name: str | None, params: Params | None = None) -> Output:
        """Return the output of that name, or the primary one for None.

        Args:
            name: Without brackets, such as `level_0.618`.
            params: Resolved; needed for outputs whose number depends on them.

        Raises:
            UsageError: If there is none of that name.
        """
        wanted = name or self.primary
        outputs = self.outputs if params is None else self.outputs_of(params)
        for output in outputs:
            if output.name == wanted:
                return output
        raise UsageError(f"{self.name} has no output '{name}'; it has {', '.join(o.name for o in outputs)}")

    def resolve(self, given: Params) -> dict[str, Value | None]:
        """Return all parameters with defaults filled in, each checked.

        Raises:
            UsageError: If one is unknown, missing, of the wrong type or out of bounds.
        """
        names = [param.name for param in self.params]
        for name in given:
            if name not in names:
                raise UsageError(f"{self.name} has no parameter '{name}'; it has {', '.join(names) or 'none'}")
        values = {param.name: _checked(self.name, param, given.get(param.name, param.default)) for param in self.params}
        complaint = self.check(values)
        if complaint:
            raise UsageError(f"{self.name}: {complaint}")
        return values

    def encode(self, values: Params) -> list[float]:
        """Return resolved parameters as the kernel gets them."""
        return [number for param in self.params for number in _encoded(param, values[param.name])]


def _checked(node: str, param: Param, value: Any) -> Value | None:
    if value is None:
        if param.optional:
            return None
        raise UsageError(f"{node} needs the parameter '{param.name}'")
    if param.type is list:
        return _checked_list(node, param, value)
    is_number = _is_number(value)
    fits = {
        int: is_number and float(value).is_integer(), float: is_number,
        bool: isinstance(value, bool), str: isinstance(value, str),
    }[param.type]  # fmt: skip
    if not fits:
        raise UsageError(f"{node}.{param.name} must be {_TYPE_WORDS[param.type]}, not {value!r}")
    if param.choices and value not in param.choices:
        raise UsageError(f"{node}.{param.name} is {value!r}; allowed are {', '.join(param.choices)}")
    if is_number:
        _check_bounds(node, param, float(value))
    return param.type(value)  # type: ignore[no-any-return]


def _checked_list(node: str, param: Param, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not all(_is_number(one) for one in value):
        raise UsageError(f"{node}.{param.name} must be a list of numbers, not {value!r}")
    numbers = number_list(value)
    if complaint := complaint_about(numbers):
        raise UsageError(f"{node}.{param.name} {complaint}")
    for number in numbers:
        _check_bounds(node, param, number)
    return numbers


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPE_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def _check_bounds(node: str, param: Param, value: float) -> None:
    too_low = param.low is not None and (value < param.low or (param.above and value == param.low))
    too_high = param.high is not None and value > param.high
    if too_low or too_high or value != value:
        sign = ">" if param.above else ">="
        low = f"{sign} {param.low:g}" if param.low is not None else ""
        high = f"<= {param.high:g}" if param.high is not None else ""
        raise UsageError(f"{node}.{param.name} is {value:g}; it must be {' and '.join(filter(None, (low, high)))}")


def _encoded(param: Param, value: Value | None) -> tuple[float, ...]:
    if value is None:
        return (float("nan"),)
    if isinstance(value, str):
        return (float(param.choices.index(value)) if param.choices else 0.0,)
    return (float(len(value)), *value) if isinstance(value, tuple) else (float(value),)


def _node(kind: str, name: str, facts: dict[str, Any]) -> Callable[[Callable[..., Any]], Node]:
    def decorate(function: Callable[..., Any]) -> Node:
        declared = dict(facts)
        declared.setdefault("primary", declared["outputs"][0].name)
        node = Node(name=name, kind=kind, kernel=kernel(function), **declared)
        invariant(any(o.name == node.primary for o in node.outputs), "a node's primary output must exist", node=name)
        lists = [place for place, param in enumerate(node.params) if param.type is list]
        invariant(lists in ([], [len(node.params) - 1]), "a list is the last parameter of a node", node=name)
        return node

    return decorate


def indicator(name: str, **facts: Any) -> Callable[[Callable[..., Any]], Node]:
    """Declare an indicator; see the head of this module and `Node` for the facts."""
    return _node("indicator", name, facts)


def structure(name: str, **facts: Any) -> Callable[[Callable[..., Any]], Node]:
    """Declare a structure detector; see the head of this module and `Node` for the facts."""
    return _node("structure", name, facts)


def condition(
    name: str,
    *,
    inputs: tuple[str, ...],
    params: tuple[str, ...] = (),
    outputs: tuple[str, ...] = ("value",),
    state: Callable[[Params], int] = lambda _: 0,
    lookback: Callable[[Params], int] = lambda _: 0,
    formula: str,
) -> Callable[[Callable[..., Any]], Node]:
    """Declare a node of the condition language: parameters are plain floats, it is not listed to users.

    Rows of truth hold 1.0 for TRUE, 0.0 for FALSE and NaN for UNKNOWN.
    """
    facts: dict[str, Any] = {
        "summary": formula, "inputs": inputs, "params": tuple(Param(p, float, optional=True) for p in params),
        "outputs": tuple(Output(o) for o in outputs), "state": state, "lookback": lookback,
        "first": lambda _: {}, "warmup": lambda _: 0, "formula": formula, "source": "plays.md 2",
    }  # fmt: skip
    return _node("condition", name, facts)
