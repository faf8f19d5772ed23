"""`keel indicators`: what a strategy can look at, read from the declarations of the nodes themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenkeel.cli.console import announce_compilation, print_table
from evenkeel.cli.output import emit, say
from evenkeel.cli.params import INSTANT, json_option
from evenkeel.cli.plugins import plugin_option
from evenkeel.features.number_list import MAX_NUMBERS
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.features.node import Node, Output, Param

NONE = "-"


@click.command(name="indicators")
@click.argument("name", required=False)
@click.option("--plot", "instrument", metavar="INSTRUMENT", help="Draw it on the last bars of this instrument.")
@click.option("--tf", metavar="TF", help="Interval of the bars to draw on, where several are stored.")
@click.option("--end", type=INSTANT, metavar="T", help="Draw the bars before this instant instead.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="File of the picture, .svg or .html. Default: NAME-INSTRUMENT.svg in the working folder.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Put its promises to the test: blocks, restart, no look-ahead.")
@plugin_option
@json_option
def command(
    name: str | None, instrument: str | None, tf: str | None, end: int | None, out: Path | None, check: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """List the indicators and structures, or explain one: parameters, outputs, formula, warm-up.

    With --plot and --check, NAME may carry parameters as in `keel data show --with`: ema:20:hlc3. Exit code 1 if
    --check finds a promise broken.

    \b
    Example:
      keel indicators
      keel indicators macd
      keel indicators bbands:50 --plot SPY --out bands.html
      keel indicators mine --check --plugin mine.py
    """
    from evenkeel.features.registry import all_indicators, all_structures

    if instrument is not None:
        from evenkeel.cli.indicator_picture import write_picture

        if name is None:
            raise UsageError("--plot needs the NAME of an indicator or structure")
        if check:
            raise UsageError("--plot and --check are two commands; run one after the other")
        write_picture(name, instrument, tf, end, out, as_json=as_json)
        return 0
    if tf is not None or end is not None or out is not None:
        raise UsageError("--tf, --end and --out belong to --plot INSTRUMENT")
    if check:
        if name is None:
            raise UsageError("--check needs the NAME of an indicator or structure")
        return _check(name, as_json)
    if name is not None:
        _explain(name, as_json)
        return 0
    indicators, structures = list(all_indicators().values()), list(all_structures().values())
    if as_json:
        emit(
            {
                "schema": "evenkeel.indicators/1",
                "indicators": [described(node) for node in indicators],
                "structures": [described(node) for node in structures],
            }
        )
        return 0
    say("Indicators")
    _list(indicators)
    say("\nStructures")
    _list(structures)
    say("\n* is meant when a strategy names no output. `keel indicators NAME` explains one.")
    return 0


def described(node: Node) -> dict[str, object]:
    """Return the declaration of a node as JSON; firsts and warm-up are those of the default parameters.

    An output with `each` stands for one output a number: `{}` in its name is each number of that list parameter, or
    each from 0 up to below that int parameter. `first` is null where the market decides when the first value comes, or
    where a parameter has no default; `warmup` is null also where it depends on another structure.
    """
    defaults = _defaults(node)
    firsts = node.first(defaults) if defaults is not None else {}
    return {
        "name": node.name,
        "kind": node.kind,
        "summary": node.summary,
        "inputs": list(node.inputs),
        "uses": list(node.uses),
        "params": [
            {
                "name": param.name, "type": param.type.__name__, "default": param.default,
                "required": param.default is None and not param.optional, "low": param.low,
                "low_excluded": param.above, "high": param.high, "choices": list(param.choices),
                "meaning": param.meaning,
            }
            for param in node.params
        ],
        "outputs": [
            {
                "name": output.name, "each": output.each or None, "type": output.type.value,
                "values": list(output.values), "low": output.low, "high": output.high,
                "primary": output.name == node.primary, "first": firsts.get(output.name), "meaning": output.meaning,
            }
            for output in node.outputs
        ],
        "warmup": _warmup(node),
        "formula": node.formula,
        "source": node.source,
    }  # fmt: skip


def allowed(param: Param) -> str:
    """Return the bounds of a parameter in words."""
    if param.choices:
        return ", ".join(param.choices)
    if param.type is bool:
        return "true, false"
    if param.type is list:
        return f"1 to {MAX_NUMBERS} different numbers"
    low = f"{'>' if param.above else '>='} {param.low:g}" if param.low is not None else ""
    high = f"<= {param.high:g}" if param.high is not None else ""
    return " and ".join(filter(None, (low, high))) or NONE


def _explain(name: str, as_json: bool) -> None:
    from evenkeel.features.registry import find_any

    node = find_any(name)
    if as_json:
        emit({"schema": "evenkeel.indicator/1", **described(node)})
        return
    defaults = _defaults(node)
    say(f"{node.name}: {node.summary}\n")
    say(f"Formula  {node.formula}")
    say(f"Source   {node.source}")
    say(f"Reads    {_reads(node)}")
    warmup = _warmup(node)
    say(f"Warm-up  {warmup} bars at the default parameters\n" if warmup is not None else "")
    if node.params:
        print_table(
            ("Parameter", "Type", "Default", "Allowed", "Meaning"),
            [(p.name, p.type.__name__, _default(p), allowed(p), p.meaning) for p in node.params],
        )
        say()
    firsts = node.first(defaults) if defaults is not None else {}
    print_table(
        ("Output", "Type", "First bar", "Meaning"),
        [
            (_marked(node, o), o.type.value, _or_none(firsts.get(o.name)), _meaning(o.meaning, o.values))
            for o in node.outputs
        ],
        right=("First bar",),
    )


def _check(text: str, as_json: bool) -> int:
    """Put the promises of a node to the test and say which it keeps; 1 if one is broken."""
    from evenkeel.features.promises import check_promises
    from evenkeel.features.request import parse_request
    from evenkeel.monitor.picture import SAMPLES

    announce_compilation()
    request = parse_request(text, SAMPLES)
    promises = check_promises(request.node, request.params)
    kept = all(promise.kept for promise in promises)
    if as_json:
        rows = [{"name": promise.name, "ok": promise.kept, "detail": promise.detail} for promise in promises]
        emit({"schema": "evenkeel.promises/1", "node": request.node.name, "ok": kept, "promises": rows})
        return 0 if kept else 1
    for promise in promises:
        say(f"{'kept' if promise.kept else 'BROKEN':<8}{promise.name}{promise.detail and f': {promise.detail}'}")
    return 0 if kept else 1


def _list(nodes: list[Node]) -> None:
    print_table(
        ("Name", "Parameters", "Outputs", "Warm-up", "Summary"),
        [
            (
                node.name,
                ", ".join(f"{p.name} {_default(p)}" for p in node.params if p.default is not None) or NONE,
                _outputs(node),
                _or_none(_warmup(node)),
                node.summary,
            )
            for node in nodes
        ],
        right=("Warm-up",),
    )


def _outputs(node: Node) -> str:
    shown = [_marked(node, output) for output in node.outputs[:5]]
    more = len(node.outputs) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _marked(node: Node, output: Output) -> str:
    return f"{output.name}*" if output.name == node.primary else output.written


def _meaning(text: str, values: tuple[str, ...]) -> str:
    return f"{text} ({', '.join(values)})" if values else text


def _default(param: Param) -> str:
    if param.default is None:
        return NONE
    if isinstance(param.default, bool):
        return str(param.default).lower()
    return f"{param.default:g}" if isinstance(param.default, float) else str(param.default)


def _reads(node: Node) -> str:
    if node.single_series:
        return "one series, `source`: close unless the strategy says otherwise"
    names = [f"{name[:-1]} (may be absent)" if name.endswith("?") else name for name in node.inputs]
    return ", ".join(names)


def _or_none(bars: int | None) -> str:
    return NONE if bars is None else str(bars)


def _warmup(node: Node) -> int | None:
    """Return the bars to request, or None where parameters of its own or of another structure decide."""
    defaults = _defaults(node)
    return node.warmup(defaults) if defaults is not None and not node.uses else None


def _defaults(node: Node) -> dict[str, object] | None:
    """Return the default parameters, or None where they alone are not enough."""
    try:
        return dict(node.resolve({}))
    except UsageError:
        return None
