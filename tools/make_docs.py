"""Writes docs/reference from the code: commands, reasons, gaps, gates, metrics, indicators and regimes, coverage.

`--check` compares. Indicators are drawn on the shipped daily bars of SPY, regimes on what they generate, so plots
change only with a kernel, a regime or the drawing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import click

from evenkeel.cli.commands import COMMAND_GAPS
from evenkeel.cli.entry import root
from evenkeel.data.aggregate import aggregate
from evenkeel.data.calendar import load_calendar
from evenkeel.data.sources import bundled_catalog
from evenkeel.data.synthetic import EXTENSIONS, LIMITS, REGIMES, Parameters, Recipe, generate, regime_of
from evenkeel.engine.metric_table import FIGURES
from evenkeel.features.node import Node, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.features.request import parse_request
from evenkeel.model.gaps import GAPS
from evenkeel.model.halt import HaltCode
from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.reason import MARK_TEXTS, ExitReason, Reason, StopReason
from evenkeel.model.time import Timeframe, parse_time
from evenkeel.monitor.picture import SAMPLES, Subject, draw, draw_bars
from evenkeel.risk.gates.check import Check, Outcome
from evenkeel.risk.gates.facts.account import AccountFacts
from evenkeel.risk.gates.facts.engine import EngineFacts
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.facts.strategy import StrategyFacts
from evenkeel.risk.gates.judge import check_all
from evenkeel.risk.gates.request import Purpose, Request
from evenkeel.risk.gates.sources import BROUGHT_BY, LETS_PASS, SOURCES, WAITING
from evenkeel.risk.gates.table import GATES
from evenkeel.risk.limits.limits import GROUPS
from evenkeel.risk.limits.profiles import PROFILES
from evenkeel.risk.limits.rule import Tighter, rules
from evenkeel.risk.trigger_sources import SOURCES as TRIGGER_SOURCES
from evenkeel.risk.trigger_sources import UNTOLD
from evenkeel.risk.trigger_sources import WAITING as TRIGGER_WAITING
from evenkeel.risk.triggers import TRIGGERS
from evenkeel.strategies.play.reasons import ConditionReason

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from suites.coverage import page as coverage

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PLOTS = "plots"
PLOTS_END = "2020-08-01"
"""The bars before: a fall and a rise, which show what each node is made for."""

REGIME_TF = Timeframe.parse("6h")
"""A month of it is 120 candles: a shape is seen, and the file is small."""

_ATTRIBUTE = re.compile(r"^ +(\w+): (.+)$", re.MULTILINE)
"""A line of the `Attributes` of a docstring."""

HEAD = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"


def commands() -> str:
    """Return the page of all commands: the text of their `--help`."""
    sections = [f"## {path}\n\n```text\n{text}\n```" for path, text in _help_of(root, None, "keel")]
    return "# Commands\n\n" + "\n\n".join(sections) + "\n"


def _help_of(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=100, max_content_width=100)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _help_of(found, context, child)


def reasons() -> str:
    """Return the page of the closed lists of reasons."""
    return (
        "# Reasons\n\nWhy something was decided, refused or ended. Journal and JSON carry the codes.\n\n"
        + _table(("code", "meaning"), ((f"`{reason.value}`", reason.text) for reason in Reason))
        + "\n## Why trading is stopped\n\n[Halts](../guide/halts.md) says when, how far, and how it is lifted.\n\n"
        + _table(("code", "meaning"), ((f"`{code.value}`", code.text) for code in HaltCode))
        + "\n## Marks of a run\n\n"
        + _table(("mark", "meaning"), ((f"`{mark.value}`", text) for mark, text in MARK_TEXTS.items()))
        + f"\n## How a trade ends\n\n{_names(ExitReason)}\n\n## How a run ends\n\n{_names(StopReason)}\n"
        + "\n## Conditions of a play\n\nWhy `keel explain` found a condition true, false or unknown.\n\n"
        + _table(("code", "meaning"), ((f"`{reason.value}`", reason.text) for reason in ConditionReason))
    )


def gaps() -> str:
    """Return the page of what is specified but not built."""
    return (
        "# Not available yet\n\nSpecified, but not built. Each is refused by name; none is ignored.\n\n## Features\n\n"
        + _table(("key", "what"), ((f"`{key}`", text) for key, text in GAPS.items()))
        + "\n## Commands\n\n"
        + _table(("command", "what"), ((f"`keel {name}`", text) for name, text in COMMAND_GAPS.items()))
        + "\n## Facts that gates wait for\n\nA profile that limits such a gate lets no entry through; see "
        + "[gates](gates.md).\n\n"
        + _table(("fact", "what"), ((f"`{fact}`", text) for fact, text in WAITING.items()))
    )


def gates() -> str:
    """Return the page of the gates, of what each profile limits, and of all limits."""
    about = (
        "# Gates\n\nEvery order passes this list, in this order. Each gate answers pass, warn, refuse, unknown or not "
        "applicable; unknown refuses. The first refusal is the reason, and all answers are written. Orders that only "
        "reduce a position pass those for all orders. In a backtest the operational ones are not applicable.\n\n"
    )
    columns = ("gate", "name", "for", "kind", "reasons", "facts", "waits for")
    profiles = "\n## What each profile limits\n\n"
    waiting = (
        "\n## What nobody measures yet\n\nThe account hears of these facts, but nothing tells it: a profile that "
        "limits their gates refuses every entry at a broker until something does. So no profile but `research`, which "
        "demo and live refuse, opens a position there today; exits, stops and cancels need none of them.\n\n"
    )
    sources = "\n## Where each fact comes from\n\n"
    return (
        about + _table(columns, _gate_rows()) + profiles
        + _table(("gate", *(f"`{name}`" for name in PROFILES)), _profile_rows())
        + waiting + _table(("fact", "what would tell it", "comes with issue", "refuse without it"), _waiting_rows())
        + sources + _table(("fact", "source"), ((f"`{fact}`", source) for fact, source in SOURCES.items()))
        + "\n## Limits\n\nA file of limits names a profile and what differs from it. Of two values the stricter one "
        "is the smaller, unless the table says otherwise; a strategy may only tighten.\n"
        + "".join(f"\n### {group}\n\n{_limit_table(group)}" for group in GROUPS)
    )  # fmt: skip


def _gate_rows() -> Iterator[tuple[str, ...]]:
    for gate in GATES:
        facts = ", ".join(f"`{fact}`" for fact in gate.needs)
        waits = ", ".join(f"_{fact}_" for fact in gate.needs if fact in WAITING)
        codes = ", ".join(f"`{code}`" for code in gate.codes)
        yield str(gate.number), gate.name, gate.scope.value, gate.kind.value, codes, facts, waits


def _waiting_rows() -> Iterator[tuple[str, ...]]:
    asked = _asked()
    for fact, what in WAITING.items():
        gates = [gate.number for gate in GATES if fact in gate.needs]
        refuse = [
            f"`{name}`" for name, checks in asked.items()
            if fact not in LETS_PASS and any(_lacks_a_fact(checks[gate - 1]) for gate in gates)
        ]  # fmt: skip
        yield f"`{fact}`", what, str(BROUGHT_BY[fact]), ", ".join(refuse)


def _lacks_a_fact(check: Check) -> bool:
    """Whether a gate refuses because of the market: the risk of the whole portfolio is known elsewhere."""
    return check.outcome is Outcome.UNKNOWN and check.reason is not Reason.PORTFOLIO_RISK


def _profile_rows() -> Iterator[tuple[str, ...]]:
    asked = _asked().values()
    for gate in GATES:
        answers = (checks[gate.number - 1].outcome for checks in asked)
        yield f"{gate.number} {gate.name}", *("" if one is Outcome.NOT_APPLICABLE else "yes" for one in answers)


def _asked() -> dict[str, tuple[Check, ...]]:
    """Return what the gates of each profile answer to an entry of which nothing is known."""
    request = Request(
        purpose=Purpose.ENTRY, client_id=ClientId("kle-"), strategy=StrategyId("any"),
        instrument=InstrumentId("ANY.VENUE"), quantity=Decimal(1), kind=OrderKind.LIMIT, price=Decimal(1),
        stop_distance=Decimal("0.5"),
    )  # fmt: skip
    facts = Facts(
        now_ns=0, engine=EngineFacts(mode="live"), account=AccountFacts(equity=Decimal(1)),
        strategy=StrategyFacts(volatility_scale=Decimal(1)),
    )  # fmt: skip
    return {name: check_all(request, facts, limits) for name, limits in PROFILES.items()}


def _limit_table(group: str) -> str:
    rows = []
    for name, rule in rules(GROUPS[group]).items():
        values = (_limit(limits.value(f"{group}.{name}")) for limits in PROFILES.values())
        stricter = "" if rule.tighter is Tighter.LESS else f" Stricter: {rule.tighter.value}."
        gate = str(rule.gate) if rule.gate else ""
        rows.append((f"`{name}`", gate, f"{rule.meaning}{stricter}", rule.unit, rule.span, *values))
    return _table(("limit", "gate", "meaning", "unit", "range", *PROFILES), rows)


def _limit(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} of them" if len(value) > 1 else ", ".join(str(one) for one in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def halts() -> str:
    """Return the page of what halts an account by itself."""
    about = (
        "# What halts an account\n\nAfter each event every row is looked at; the first time that it holds it raises "
        "its reason. [Halts](../guide/halts.md) says what a level lets through and how a reason is lifted. Where a "
        "profile kills for it the second level counts.\n\n"
    )
    waiting = {**TRIGGER_WAITING, **UNTOLD}
    rows = (
        (
            f"`{one.code.value}`", one.code.text,
            f"{one.level.value}, {one.strict.value}" if one.strict else f"{one.level.value}",
            TRIGGER_SOURCES[one.code], waiting.get(one.code, ""),
        )
        for one in TRIGGERS
    )  # fmt: skip
    return about + _table(("code", "when", "level", "hears from", "waits for"), rows)


def metrics() -> str:
    """Return the page of the figures of a run."""
    about = (
        "# Figures of a run\n\n`result.json` holds them in `metrics` and, marked +, in `metrics_extra`; the report "
        "shows them in the same groups. A figure that does not exist is null: never 0, never infinite. Names that end "
        "in `_pct` are percent (2 is 2 %), every other ratio is a fraction; money is account currency, `bars` are "
        "execution bars. Rates and sums count closed legs, the rows of `trades.csv`. Session returns are simple "
        "returns of the equity at the end of each trading day.\n"
    )
    groups = dict.fromkeys(figure.group for figure in FIGURES)
    return about + "".join(
        f"\n## {group}\n\n"
        + _table(
            ("figure", "unit", "definition", "source"),
            (
                (f"`{one.key}`{' +' if one.extra else ''}", one.unit, one.meaning, one.source)
                for one in FIGURES
                if one.group == group
            ),
        )
        for group in groups
    )


def indicators() -> str:
    """Return the page of indicators and structures."""
    nodes = [*all_indicators().values(), *all_structures().values()]
    return "# Indicators and structures\n\n" + "\n".join(_indicator(node) for node in nodes)


def _indicator(node: Node) -> str:
    lines = [f"## {node.name}", "", node.summary, "", f"Formula: `{node.formula}`", "", f"Source: {node.source}", ""]
    lines += [f"![{node.name} on daily bars of SPY]({PLOTS}/{node.name}.svg)", ""]
    rows = [(f"`{param.name}`", _default(param), param.meaning) for param in node.params]
    outputs = [(f"`{output.written}`", output.type.value, output.meaning) for output in node.outputs]
    parameters = _table(("parameter", "default", "meaning"), rows) + "\n" if rows else ""
    return "\n".join(lines) + "\n" + parameters + _table(("output", "type", "meaning"), outputs)


def _default(param: Param) -> str:
    return "required" if param.default is None and not param.optional else f"`{param.default}`"


def regimes() -> str:
    """Return the page of the generated markets."""
    about = (
        "# Regimes\n\nGenerated markets, made by `keel data synth REGIME`. T is `trend_magnitude`; shares are of the "
        "length of the path, and other figures are fractions of the first price. The pictures show 30 days of seed 42 "
        f"in bars of {REGIME_TF}, with the volume below.\n\n## Parameters\n\n"
        + _table(("parameter", "default", "from", "to", "meaning"), _parameter_rows())
    )
    groups: dict[str, list[str]] = {}
    for name in (*REGIMES, *EXTENSIONS):
        groups.setdefault(regime_of(name).group, []).append(name)
    return about + "".join(f"\n## {group.capitalize()}\n\n{_regime_table(names)}" for group, names in groups.items())


def _parameter_rows() -> Iterator[tuple[str, ...]]:
    meanings = dict(_ATTRIBUTE.findall(Parameters.__doc__ or ""))
    for name, (low, high) in LIMITS.items():
        yield f"`{name}`", f"{getattr(Parameters(), name):g}", f"{low:g}", f"{high:g}", meanings[name]


def _regime_table(names: Iterable[str]) -> str:
    rows = [(f"`{name}`", regime_of(name).summary, f"![{name}]({_regime_plot(name)})") for name in names]
    return _table(("regime", "path", "picture"), rows)


def _regime_plot(name: str) -> str:
    return f"{PLOTS}/regime_{name}.svg"


def _names(reasons: Iterable[str]) -> str:
    return ", ".join(f"`{reason}`" for reason in reasons)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def plots() -> Iterator[tuple[str, str]]:
    """Yield the path of each plot below the folder, and its text."""
    series = bundled_catalog().read(InstrumentId("SPY.US"), Timeframe.parse("D"), stop_ns=parse_time(PLOTS_END))
    for node in [*all_indicators().values(), *all_structures().values()]:
        request = parse_request(node.name, SAMPLES)
        subject = Subject(node, request.params, series.bars, load_calendar("NYSE"))
        given = ", ".join(f"{name} {_shown(value)}" for name, value in request.params.items() if value is not None)
        yield f"{PLOTS}/{node.name}.svg", draw(subject, title=f"{node.name} ({given})" if given else node.name) + "\n"


def regime_plots() -> Iterator[tuple[str, str]]:
    """Yield the path of the plot of each regime below the folder, and its text."""
    for name in (*REGIMES, *EXTENSIONS):
        bars = aggregate(generate(Recipe(regime=name)).bars, REGIME_TF, load_calendar("24/7")).bars
        yield _regime_plot(name), draw_bars(bars, title=name) + "\n"


def _shown(value: object) -> str:
    return " ".join(f"{one:g}" for one in value) if isinstance(value, tuple) else str(value)


PAGES = {
    "commands.md": commands,
    "reasons.md": reasons,
    "gaps.md": gaps,
    "gates.md": gates,
    "halts.md": halts,
    "metrics.md": metrics,
    "indicators.md": indicators,
    "regimes.md": regimes,
    "coverage.md": coverage,
}


def main(*, check: bool) -> int:
    """Write the pages, or with `check` name those that differ; exit code 1 if there are any."""
    files = {name: HEAD + page() for name, page in PAGES.items()} | dict(plots()) | dict(regime_plots())
    kept = {FOLDER / name for name in files}
    orphans = [path for path in sorted((FOLDER / PLOTS).glob("*.svg")) if path not in kept]
    stale = [f"{PLOTS}/{path.name}" for path in orphans]
    for name, text in files.items():
        path = FOLDER / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"docs/reference/{name}")
    if not check:
        for path in orphans:
            path.unlink()
        return 0
    if stale:
        print(f"docs/reference is not up to date ({', '.join(stale)}); run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
