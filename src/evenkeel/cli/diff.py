"""`keel diff A B`: what an edit of a strategy changes in behaviour, and in the worst case."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from evenkeel.cli.console import announce_compilation, print_table
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, say
from evenkeel.cli.paragraphs import broken
from evenkeel.cli.params import json_option
from evenkeel.cli.plugins import plugin_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.model.time import Timeframe
    from evenkeel.strategies.play.difference import Comparison
    from evenkeel.strategies.play.exposure import Exposure
    from evenkeel.strategies.play.play import Play

EXIT_DIFFERENT = 1
NONE = "-"
UNBOUNDED = "unbounded"


class Loaded(NamedTuple):
    """One of the two plays, with what is worked out of it.

    Attributes:
        file: As given.
        play: The play.
        exposure: What it risks.
        warmup: Closed bars that each timeframe needs before decisions start.
        symbols: Instruments that the file names, each a run of its own.
    """

    file: str
    play: Play
    exposure: Exposure
    warmup: Mapping[Timeframe, int]
    symbols: tuple[str, ...]


class Figure(NamedTuple):
    """One line of the worst case: as numbers for programs, as texts for people."""

    name: str
    before: float | None
    after: float | None
    texts: tuple[str, str]


@click.command(name="diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@plugin_option
@json_option
def command(before: str, after: str, as_json: bool) -> int:
    """Say what an edit of a strategy changes: in its decisions, and in the worst case.

    A and B are plays or names of shipped examples. Renamed features, another order of conditions and other
    descriptions change nothing and are told as such. Exit code 0 if both behave alike, 1 if they differ.

    \b
    Example:
      keel diff my_play.yaml my_play_new.yaml
      keel diff ema_cross my_play.yaml --json
    """
    announce_compilation()
    first, second = _pair(_plays(before), _plays(after), (before, after))
    from evenkeel.strategies.play.difference import compare

    found = compare(first.play, second.play, first.warmup, second.warmup, (first.symbols, second.symbols))
    figures = _figures(first, second)
    if as_json:
        emit(_document(first, second, found, figures))
    else:
        _print(first, second, found, figures)
    return 0 if found.is_equal else EXIT_DIFFERENT


def _plays(file: str) -> dict[str, Play]:
    """Return the plays of a file by instrument."""
    from evenkeel.data.definitions import Definitions
    from evenkeel.examples import locate
    from evenkeel.strategies.library import Library
    from evenkeel.strategies.play.load import load_plays

    path = locate(file)
    if path.suffix == ".py":
        raise UsageError(f"'{file}' is Python; `keel diff` compares plays (.yaml)")
    home = current_home().root
    plays = load_plays(path, instruments=Definitions.load(home).find, library=Library(home))
    return {str(play.instrument.id): play for play in plays}


def _pair(before: dict[str, Play], after: dict[str, Play], files: tuple[str, str]) -> tuple[Loaded, Loaded]:
    """Return the two plays to compare: on an instrument that both name, where there is one."""
    common = next((symbol for symbol in before if symbol in after), None)
    chosen = [plays[common or next(iter(plays))] for plays in (before, after)]
    first, second = (
        _loaded(file, play, tuple(plays)) for file, play, plays in zip(files, chosen, (before, after), strict=True)
    )
    return first, second


def _loaded(file: str, play: Play, symbols: tuple[str, ...]) -> Loaded:
    from evenkeel.risk.worst_case import worst_case
    from evenkeel.strategies.play.lower import lower

    return Loaded(file, play, worst_case(play), lower(play).program.warmup, symbols)


def _figures(before: Loaded, after: Loaded) -> list[Figure]:
    old, new = before.exposure, after.exposure
    currencies = (before.play.account.currency, after.play.account.currency)

    def money(name: str, was: float | None, now: float | None, absent: str) -> Figure:
        texts = [
            absent if amount is None else f"{amount:,.2f} {currency}"
            for amount, currency in zip((was, now), currencies, strict=True)
        ]
        return Figure(name, was, now, (texts[0], texts[1]))

    def plain(name: str, was: float, now: float) -> Figure:
        return Figure(name, was, now, (f"{was:g}", f"{now:g}"))

    losses = [None if one.loss is None else one.loss.total for one in (old, new)]
    return [
        money("start equity", old.equity, new.equity, NONE),
        money("largest position", old.largest_notional, new.largest_notional, NONE),
        money("largest loss at the stop", old.largest_loss, new.largest_loss, UNBOUNDED),
        money("loss at the stop of an ordinary entry", losses[0], losses[1], NONE),
        money("fall of equity that stops the run", old.drawdown_stop, new.drawdown_stop, NONE),
        plain("leverage", old.leverage, new.leverage),
        plain("entries a bar", old.entries_per_bar, new.entries_per_bar),
        plain("orders an entry", old.orders_per_entry, new.orders_per_entry),
    ]


def _document(before: Loaded, after: Loaded, found: Comparison, figures: list[Figure]) -> dict[str, object]:
    sides = {
        side: {"file": loaded.file, "name": loaded.play.name, "hash": loaded.play.hash}
        for side, loaded in (("before", before), ("after", after))
    }
    return {
        "schema": "evenkeel.diff/1",
        "equal": found.is_equal,
        **sides,
        "changes": [
            {
                "part": change.part,
                "where": change.where,
                "text": change.text,
                "effect": None if change.effect is None else change.effect.name.lower(),
            }
            for change in found.changes
        ],
        "notes": found.notes,
        "worst_case": [{"name": one.name, "before": one.before, "after": one.after} for one in figures],
        "price": {"before": before.exposure.price, "after": after.exposure.price},
    }


def _print(before: Loaded, after: Loaded, found: Comparison, figures: list[Figure]) -> None:
    for mark, loaded in (("A", before), ("B", after)):
        say(f"{mark}  {loaded.file} (play {loaded.play.name}, hash {loaded.play.hash})")
    say()
    say("No change in behaviour." if found.is_equal else "What changes")
    _print_lines([change.line() for change in found.changes])
    if found.notes:
        say()
        say("No change in behaviour by this" if found.changes else "What differs all the same")
        _print_lines(found.notes)
    prices = {f"{loaded.exposure.price:,.0f}" for loaded in (before, after)}
    say()
    say(f"Worst case at a price of {' and '.join(sorted(prices))}, with the start equity, fees and slippage included")
    rows = [[one.name, *one.texts, "" if one.texts[0] == one.texts[1] else "*"] for one in figures]
    print_table(["figure", "A", "B", "changed"], rows, right=["A", "B"])


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        for part in broken(f"- {line}"):
            say(f"  {part}")
