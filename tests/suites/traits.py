"""What a play is made of: the features and operators of its conditions, and how it enters, sizes and ends.

Conditions are read from the loaded play, where every name is resolved; orders and protection from the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.expression import (
    All,
    Any_,
    Arithmetic,
    Builtin,
    Compare,
    Condition,
    FeatureRef,
    Literal,
    Not,
    Operand,
    SetupRef,
    Window,
    children,
    operands,
)
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from suites import document, instruments
from suites.rows import Row

CROSSES = ("cross_above", "cross_below")

_LIMITS = (
    "require_trade_through", "max_notional_usdt", "max_margin_usdt", "risk_per_trade_pct", "stop_equity",
    "continue_after_liquidation", "min_liq_distance_pct",
)  # fmt: skip
"""Keys of an account that a play may do without."""


@dataclass
class Traits:
    """The parts of a play.

    Attributes:
        outputs: What its conditions read: `rsi.value`, `swing.high_level`, `close`.
        structures: Detectors that conditions, exits or other detectors read.
        comparisons: Its comparison operators.
        compared: Each output with each comparison that it stands in.
        windows: Its windows, by form: `holds_for`, `holds_for anchored`, `holds_for_duration`.
        arithmetic: Its arithmetic operators.
        trees: `all`, `any`, `not`, `setup`, and where they stand.
        language: Other words of the language that it uses.
        timeframes: Relations of features and structures to the execution timeframe.
        exits: How positions end, in parts; all of them together are the exit form.
        entry: How they begin.
        sizing: How large they are.
    """

    outputs: set[str] = field(default_factory=set)
    structures: set[str] = field(default_factory=set)
    comparisons: set[str] = field(default_factory=set)
    compared: set[tuple[str, str]] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    arithmetic: set[str] = field(default_factory=set)
    trees: set[str] = field(default_factory=set)
    language: set[str] = field(default_factory=set)
    timeframes: set[str] = field(default_factory=set)
    exits: set[str] = field(default_factory=set)
    entry: set[str] = field(default_factory=set)
    sizing: set[str] = field(default_factory=set)

    @property
    def operators(self) -> set[str]:
        """All operators: comparisons, windows and arithmetic."""
        return self.comparisons | self.windows | self.arithmetic

    @property
    def combinations(self) -> set[tuple[str, str, str]]:
        """What the play stands for: each output with its comparison and the exit form."""
        form = ", ".join(sorted(self.exits))
        return {(output, comparison, form) for output, comparison in self.compared}

    @property
    def nodes(self) -> set[str]:
        """The indicators whose outputs are read, and the structures."""
        return {name.partition(".")[0] for name in self.outputs if "." in name} | self.structures


@cache
def loaded(row: Row) -> Play:
    """Return the play of a row, loaded."""
    return load_play(document.text(row), instruments=instruments.find)


@cache
def traits_of(row: Row) -> Traits:
    """Return the parts of the play of a row."""
    play, written = loaded(row), document.document(row)
    reader = _Reader(play)
    for block in play.actions:
        for case in block.cases:
            if case.when is not None:
                reader.condition(case.when, inside=())
            for emit in case.emits:
                reader.metadata(emit.metadata)
    for condition in play.setups.values():
        reader.condition(condition, inside=("setup",))
    found = reader.found
    found.structures = {spec.type for spec in play.structures}
    found.language |= set(_language(row, written))
    found.timeframes |= set(_timeframes(play))
    found.exits = set(exit_parts(written))
    found.entry = set(_entry(written.get("entry", {})))
    found.sizing = {_sizing(written)}
    return found


class _Reader:
    """Walks through conditions and notes what they are made of."""

    def __init__(self, play: Play) -> None:
        self.found = Traits()
        self._kinds = {spec.id: spec.indicator for spec in play.features}
        self._kinds |= {spec.key: spec.type for spec in play.structures}
        self._exec = play.intervals.exec
        self._structures = {spec.key for spec in play.structures}
        self._slower = {spec.id for spec in play.features if spec.timeframe != play.intervals.exec}

    def condition(self, condition: Condition, inside: tuple[str, ...]) -> None:
        """Note a condition and all below it; `inside` are the words above it."""
        word = _word(condition)
        if word:
            self.found.trees.add(word)
            self.found.trees |= {f"{word} in {above}" for above in inside}
        match condition:
            case Compare():
                self._compare(condition)
            case Window():
                self._window(condition)
            case _:
                pass
        for child in children(condition):
            self.condition(child, (*inside, word) if word else inside)

    def metadata(self, kept: tuple[tuple[str, Any], ...]) -> None:
        """Note what an intent keeps with its trade."""
        for _, value in kept:
            if isinstance(value, Literal):
                self.found.language.add("metadata constant")
            else:
                self.found.language.add("metadata reference")
                self._operand(value)

    def _compare(self, compared: Compare) -> None:
        self.found.comparisons.add(compared.op)
        for operand in operands(compared):
            self._operand(operand, compared.op)
            if isinstance(operand, Arithmetic) and compared.op in CROSSES:
                self.found.language.add("cross of arithmetic")
        if compared.op == "between" and not isinstance(compared.low, Literal):
            self.found.language.add("between references")
        if isinstance(compared.right, Literal) and isinstance(compared.right.value, str):
            self.found.language.add("word of an enum")

    def _window(self, window: Window) -> None:
        form = "_duration" if window.duration_minutes is not None else " anchored" if window.anchor_tf else ""
        self.found.windows.add(f"{window.kind}{form}")
        if window.anchor_tf and window.anchor_tf < self._exec:
            self.found.language.add("window on a finer grid")

    def _operand(self, operand: Operand, comparison: str = "") -> None:
        match operand:
            case FeatureRef(name, output, offset):
                read = f"{self._kinds[name]}.{written_output(output)}"
                self._read(read, comparison)
                if offset:
                    kind = "structure" if name in self._structures else "slower" if name in self._slower else "feature"
                    self.found.language.add(f"offset of a {kind}")
            case Builtin(name, offset):
                self._read(name, comparison)
                if offset:
                    self.found.language.add("offset of a built-in")
            case Arithmetic(op, left, right, _):
                self.found.arithmetic.add(op)
                self._operand(left, comparison)
                self._operand(right, comparison)
                if isinstance(left, Arithmetic) or isinstance(right, Arithmetic):
                    self.found.language.add("nested arithmetic")
            case _:
                pass

    def _read(self, output: str, comparison: str) -> None:
        self.found.outputs.add(output)
        if comparison:
            self.found.compared.add((output, comparison))


def written_output(output: str) -> str:
    """Return the name of an output without the number of its level or slot: `level[x]`, `zone[i].state`."""
    if output.startswith("level_"):
        return "level[x]"
    head, _, rest = output.partition("_")
    return f"zone[i].{rest}" if head.startswith("zone") and head[4:].isdigit() else output


def _word(condition: Condition) -> str:
    match condition:
        case All():
            return "all"
        case Any_():
            return "any"
        case Not():
            return "not"
        case SetupRef():
            return "setup"
        case Window():
            return "window"
        case _:
            return ""


def _timeframes(play: Play) -> Iterator[str]:
    minutes = play.intervals.exec.minutes
    for kind, specs in (("feature", play.features), ("structure", play.structures)):
        for spec in specs:
            yield f"{kind} {_relation(spec.timeframe, minutes)}"
    yield f"decides on {play.resolved['timeframes']['exec']}"
    if len({play.intervals.low, play.intervals.med, play.intervals.high}) < 3:
        yield "equal timeframes"


def _relation(timeframe: Timeframe, minutes: int) -> str:
    return "slower" if timeframe.minutes > minutes else "faster" if timeframe.minutes < minutes else "equal"


def _language(row: Row, written: Mapping[str, Any]) -> Iterator[str]:
    yield "block form" if row.blocks is not None or isinstance(written["actions"], list) else "short form"
    yield f"mode {written['position_policy']['mode']}"
    if written.get("variables"):
        yield "variables"
    for spec in written.get("features", {}).values():
        source = spec.get("source", "")
        if source:
            yield "source indicator" if source.startswith("indicator:") else f"source {source}"
    for block in written["actions"] if isinstance(written["actions"], list) else ():
        yield from _block(block)
    if written["timeframes"].get("evaluate") == "intrabar":
        yield "intrabar"
    yield from _account(written["account"])
    for name in ("include", "validation"):
        if written.get(name):
            yield name


def _account(account: Mapping[str, Any]) -> Iterator[str]:
    if account.get("max_leverage", 1) > 1:
        yield "leverage"
        yield f"stop beyond liquidation: {account.get('on_sl_beyond_liq', 'reject')}"
    if "fixed_rate" in account.get("funding", {}):
        yield "funding"
    if "impact" in account:
        yield f"impact {account['impact']['mode']}"
    for name in _LIMITS:
        if name in account:
            yield name


def _block(block: Mapping[str, Any]) -> Iterator[str]:
    if len(block["cases"]) > 1:
        yield "several cases"
    if "else" in block:
        yield "else"
    emits = [one for case in [*block["cases"], block.get("else", {"emit": []})] for one in case["emit"]]
    for emit in emits:
        action = emit if isinstance(emit, str) else emit["action"]
        if action in ("no_action", "exit_all"):
            yield action


def exit_parts(written: Mapping[str, Any]) -> Iterator[str]:
    """Yield every part of how positions end: `stop atr_multiple`, `target rr_ratio`, `signal`, …."""
    risk = {**written.get("risk", {}), **written.get("risk_model", {})}
    stop, target = risk.get("stop_loss"), risk.get("take_profit")
    yield f"mode {written['position_policy']['exit_mode']}"
    if "risk" in written:
        yield "shorthand"
    if stop or "stop_loss_pct" in risk:
        yield f"stop {_rule(stop)}"
    if target or "take_profit_pct" in risk:
        yield f"target {_rule(target)}"
    if "trailing" in risk:
        yield f"beside {risk['trailing']['type']}"
    if "break_even" in risk:
        yield "break_even"
    if risk.get("tp_order_type") == "Limit":
        yield "limit target"
    exits = _exit_actions(written["actions"])
    if exits:
        yield "signal"
    if any(percent < 100 for percent in exits):
        yield "partial"


def _rule(rule: Mapping[str, Any] | None) -> str:
    if rule is None:
        return "percent of margin"
    kind = str(rule["type"])
    if kind == "percent":
        return "percent of price" if rule.get("basis") == "price" else "percent of margin"
    if kind == "ladder":
        return "ladder " + "+".join(sorted({"rr" if "rr" in step else "pct" for step in rule["steps"]}))
    return f"{kind} armed" if rule.get("activation_pct") else kind


def _exit_actions(actions: Any) -> list[float]:
    """Return the percentages of all exit actions."""
    if isinstance(actions, dict):
        return [100.0 for name in actions if name.startswith("exit")]
    emits = [one for block in actions for case in block["cases"] for one in case["emit"]]
    emits += [one for block in actions for one in block.get("else", {"emit": []})["emit"]]
    plain = [{"action": one} if isinstance(one, str) else one for one in emits]
    return [float(one.get("percent", 100)) for one in plain if one["action"].startswith("exit")]


def _entry(entry: Mapping[str, Any]) -> Iterator[str]:
    kind = entry.get("order_type", "MARKET")
    yield kind
    if kind == "LIMIT":
        yield f"LIMIT {entry.get('time_in_force', 'GTC')}"
        if entry.get("limit_offset_pct"):
            yield "limit_offset_pct"
        if entry.get("expire_after_bars"):
            yield "expire_after_bars"


def _sizing(written: Mapping[str, Any]) -> str:
    risk = {**written.get("risk", {}), **written.get("risk_model", {})}
    sizing = risk.get("sizing")
    if sizing is None:
        return "risk_per_trade_pct" if "risk_per_trade_pct" in written["account"] else "max_position_pct"
    if sizing.get("basis"):
        return f"{sizing['model']} of {sizing['basis']}"
    return f"{sizing['model']} with costs" if sizing.get("include_costs") else str(sizing["model"])


def known_nodes() -> dict[str, list[str]]:
    """Return the outputs of every indicator and structure, as `Traits.outputs` writes them, without the node."""
    nodes = {**all_indicators(), **all_structures()}
    return {name: [_bracketed(output.name) for output in node.outputs] for name, node in nodes.items()}


def _bracketed(name: str) -> str:
    return written_output(name.format(0)) if "{" in name else name
