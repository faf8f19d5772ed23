"""What the suites cover, as tables without an empty cell; `docs/reference/coverage.md` is made of them.

The lines and columns come from the registry, the vocabulary and the schema, the counts from the plays. Plays that must
be refused cover nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from evenkeel.data.synthetic import EXTENSIONS, REGIMES
from evenkeel.features.registry import INDICATOR_NAMES, STRUCTURE_NAMES
from evenkeel.model.reason import StopReason
from evenkeel.strategies.play.vocabulary import (
    ARITHMETIC,
    BUILTINS,
    CROSS_OPERATORS,
    DURATION_WINDOWS,
    OPERATORS,
    SOURCES,
    WINDOWS,
)
from suites.rows import Row, all_rows
from suites.traits import Traits, known_nodes, traits_of
from suites.windows import PHASES, windows

SIDES = ("long", "short")

STOPS = (
    "percent of margin", "percent of price", "atr_multiple", "structure", "fixed_points", "trailing_atr",
    "trailing_atr armed", "trailing_pct", "trailing_pct armed",
)  # fmt: skip
TARGETS = (
    "percent of margin", "percent of price", "atr_multiple", "structure", "fixed_points", "rr_ratio", "ladder rr",
    "ladder pct", "ladder pct+rr",
)  # fmt: skip
OTHER_ENDS = (
    "mode sl_tp_only", "mode signal", "mode first_hit", "signal", "partial", "limit target", "break_even",
    "beside trailing_atr", "beside trailing_pct", "shorthand",
)  # fmt: skip
FORMS: dict[str, Callable[[set[str]], bool]] = {
    "percent": lambda parts: bool(parts & {"stop percent of price", "stop percent of margin"}),
    "ATR": lambda parts: "stop atr_multiple" in parts,
    "structure": lambda parts: bool(parts & {"stop structure", "target structure"}),
    "points": lambda parts: "stop fixed_points" in parts,
    "ratio": lambda parts: "target rr_ratio" in parts,
    "trailing": lambda parts: any("trailing" in part for part in parts),
    "break-even": lambda parts: "break_even" in parts,
    "ladder": lambda parts: any("ladder" in part for part in parts),
    "signal": lambda parts: "signal" in parts,
    "partial": lambda parts: "partial" in parts,
    "resting target": lambda parts: "limit target" in parts,
}
"""Kinds of exits, for the table of operators."""

SIZINGS = (
    "percent_equity", "risk_based", "risk_based with costs", "fixed_usdt", "fixed_usdt of notional", "fixed_quantity",
    "risk_per_trade_pct", "max_position_pct",
)  # fmt: skip
ENTRIES = (
    "MARKET", "LIMIT", "LIMIT GTC", "LIMIT IOC", "LIMIT FOK", "LIMIT PostOnly", "limit_offset_pct",
    "expire_after_bars",
)  # fmt: skip
TIMEFRAMES = (
    *(f"{kind} {relation}" for kind in ("feature", "structure") for relation in ("slower", "equal", "faster")),
    "decides on low_tf", "decides on med_tf", "decides on high_tf", "equal timeframes",
)  # fmt: skip
LANGUAGE = (
    "all", "any", "not", "setup", "setup in setup", "setup in window", "setup in not", "window in window",
    "window in setup", "not in window", "any in not", "offset of a feature", "offset of a slower",
    "offset of a structure", "offset of a built-in", "cross of arithmetic", "between references", "nested arithmetic",
    "word of an enum", "short form", "block form", "several cases", "else", "no_action", "exit_all",
    "metadata constant", "metadata reference", "variables", "source indicator",
    *(f"source {name}" for name in SOURCES), "mode long_only", "mode short_only", "mode long_short",
    "intrabar", "window on a finer grid", "include", "validation",
)  # fmt: skip
ACCOUNT = (
    "leverage", "stop beyond liquidation: reject", "stop beyond liquidation: adjust", "stop beyond liquidation: warn",
    "continue_after_liquidation", "min_liq_distance_pct", "funding", "impact linear", "impact sqrt",
    "require_trade_through", "max_notional_usdt", "max_margin_usdt", "risk_per_trade_pct", "stop_equity",
)  # fmt: skip
STOP_REASONS = tuple(reason.value for reason in StopReason if reason is not StopReason.PLAYBOOK)
"""How a play ends that runs alone; only a playbook ends its plays."""


@dataclass(frozen=True)
class Table:
    """Counts of plays.

    Attributes:
        title: Heading.
        about: What a cell counts.
        corner: Heading of the first column.
        columns: Headings of the others.
        lines: Name and counts of each line.
    """

    title: str
    about: str
    corner: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]

    def empty(self) -> list[str]:
        """Return the cells without a play."""
        return [
            f"{self.title}: {name}, {column}"
            for name, counts in self.lines
            for column, count in zip(self.columns, counts, strict=True)
            if count == 0
        ]


@dataclass(frozen=True)
class Covered:
    """A play and its parts."""

    row: Row
    traits: Traits

    @property
    def phase(self) -> str:
        """The phase of a recorded market, empty for a generated one."""
        return windows()[self.row.window].phase if self.row.is_recorded else ""

    @property
    def sides(self) -> set[str]:
        """Which sides it trades."""
        return set(SIDES) if self.row.side == "both" else {self.row.side}


@cache
def covered() -> tuple[Covered, ...]:
    """Return every play that trades."""
    return tuple(Covered(row, traits_of(row)) for row in all_rows() if not row.is_negative)


def tables() -> tuple[Table, ...]:
    """Return all tables."""
    outputs = known_nodes()
    return (
        _by_node("Indicators", INDICATOR_NAMES, (*_by_side(), ("cross", _crosses), *_by_phase())),
        _by_node("Structures", STRUCTURE_NAMES, (*_by_side(), *_by_phase())),
        _plain(
            "Outputs of indicators", "output", (f"{name}.{one}" for name in INDICATOR_NAMES for one in outputs[name]),
            lambda play: play.traits.outputs,
        ),
        _plain(
            "Outputs of structures", "output", (f"{name}.{one}" for name in STRUCTURE_NAMES for one in outputs[name]),
            lambda play: play.traits.outputs,
        ),
        _plain("Built-ins", "value", BUILTINS, lambda play: play.traits.outputs),
        _comparisons(),
        _operators_by_phase(),
        _plain("Stops", "rule", STOPS, lambda play: _after("stop ", play.traits.exits)),
        _plain("Targets", "rule", TARGETS, lambda play: _after("target ", play.traits.exits)),
        _plain("Other ends of a position", "part", OTHER_ENDS, lambda play: play.traits.exits),
        _plain("Sizes", "model", SIZINGS, lambda play: play.traits.sizing),
        _plain("Entries", "part", ENTRIES, lambda play: play.traits.entry),
        _plain("Regimes", "regime", (*REGIMES, *EXTENSIONS), lambda play: set(play.row.market[:1])),
        _plain("Timeframes", "relation", TIMEFRAMES, lambda play: play.traits.timeframes),
        _plain("Windows", "form", _window_forms(), lambda play: play.traits.windows),
        _plain("Language", "part", LANGUAGE, lambda play: play.traits.language | play.traits.trees),
        _plain("Account", "setting", ACCOUNT, lambda play: play.traits.language),
        _plain("Ends of a run", "stop reason", STOP_REASONS, lambda play: {_stop_reason(play.row)}),
    )  # fmt: skip


def empty_cells() -> list[str]:
    """Return every cell of every table without a play."""
    return [cell for table in tables() for cell in table.empty()]


def without_own_combination() -> list[str]:
    """Return the plays each of whose combinations of output, comparison and exit form another play has too."""
    count = Counter(one for play in covered() for one in play.traits.combinations)
    return [play.row.id for play in covered() if all(count[one] > 1 for one in play.traits.combinations)]


Column = tuple[str, Callable[[Covered, str], bool]]


def _by_side() -> tuple[Column, ...]:
    return tuple(
        (side, lambda play, name, side=side: side in play.sides and not play.phase and name in play.traits.nodes)
        for side in SIDES
    )


def _by_phase() -> tuple[Column, ...]:
    return tuple(
        (phase, lambda play, name, phase=phase: play.phase == phase and name in play.traits.nodes) for phase in PHASES
    )


def _crosses(play: Covered, name: str) -> bool:
    return any(output.startswith(f"{name}.") and op in CROSS_OPERATORS for output, op in play.traits.compared)


def _by_node(title: str, names: Iterable[str], columns: tuple[Column, ...]) -> Table:
    lines = [(name, tuple(sum(holds(play, name) for play in covered()) for _, holds in columns)) for name in names]
    about = "Plays whose conditions read it: on generated markets by side, on recorded ones by phase."
    return Table(title, about, title.lower()[:-1], tuple(column for column, _ in columns), tuple(lines))


def _plain(title: str, corner: str, names: Iterable[str], parts: Callable[[Covered], set[str]]) -> Table:
    count = Counter(part for play in covered() for part in parts(play))
    return Table(title, "Plays with it.", corner, ("plays",), tuple((name, (count[name],)) for name in names))


def _comparisons() -> Table:
    """Return how often each comparison meets each kind of exit."""

    def counts(op: str) -> tuple[int, ...]:
        compared = [play.traits.exits for play in covered() if op in play.traits.comparisons]
        return tuple(sum(has(exits) for exits in compared) for has in FORMS.values())

    lines = tuple((f"`{op}`", counts(op)) for op in OPERATORS)
    return Table("Comparisons by kind of exit", "Plays with both.", "comparison", tuple(FORMS), lines)


def _operators_by_phase() -> Table:
    """Return how often each operator is used on generated markets and in each phase of recorded ones."""
    markets = ("generated", *PHASES)

    def counts(name: str) -> tuple[int, ...]:
        used = Counter(play.phase or "generated" for play in covered() if name in play.traits.operators)
        return tuple(used[market] for market in markets)

    names = (*OPERATORS, *WINDOWS, *DURATION_WINDOWS, *ARITHMETIC)
    lines = tuple((f"`{name}`", counts(name)) for name in names)
    return Table("Operators by market", "Plays with it.", "operator", markets, lines)


def _window_forms() -> tuple[str, ...]:
    return tuple(f"{kind}{form}" for kind in WINDOWS for form in ("", " anchored", "_duration"))


def _after(prefix: str, parts: set[str]) -> set[str]:
    return {part.removeprefix(prefix) for part in parts if part.startswith(prefix)}


def _stop_reason(row: Row) -> str:
    return str(row.expect.get("stop_reason", "end_of_data"))


def page() -> str:
    """Return the page of the coverage."""
    plays = covered()
    recorded = sum(bool(play.phase) for play in plays)
    refused = sum(row.is_negative for row in all_rows())
    head = (
        "# Coverage of the play suites\n\n"
        f"{len(plays) - recorded} plays on generated markets, {recorded} on recorded ones, and {refused} that must be "
        "refused. Each stands for a combination of output, comparison and exit form that no other play has. "
        "`python -m tests.suites show NAME` prints a play; [the guide](../develop/suites.md) tells how they are "
        "run.\n\n"
    )
    return head + "\n".join(_section(table) for table in tables()) + "\n" + _catalogue()


def _section(table: Table) -> str:
    lines = [_line((table.corner, *table.columns)), _line(("---",) * (len(table.columns) + 1))]
    lines += [_line((_quoted(name), *map(str, counts))) for name, counts in table.lines]
    return f"## {table.title}\n\n{table.about}\n\n" + "".join(lines)


def _catalogue() -> str:
    """Return every play with what it stands for."""
    lines = [_line(("play", "suite", "market", "reads", "operators", "ends")), _line(("---",) * 6)]
    lines += [_line(tuple(_catalogued(play))) for play in covered()]
    return "## All plays\n\n" + "".join(lines)


def _catalogued(play: Covered) -> Iterator[str]:
    row, traits = play.row, play.traits
    yield f"`{row.id}`"
    yield row.suite
    yield row.window if row.is_recorded else str(row.market[0])
    yield ", ".join(sorted(output.removesuffix(".value") for output in traits.outputs))
    yield " ".join(f"`{operator}`" for operator in sorted(traits.operators))
    yield ", ".join(sorted(traits.exits))


def _quoted(name: str) -> str:
    return name if name.startswith("`") else f"`{name}`"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
