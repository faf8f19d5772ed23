"""What the commands that search share: options, the parameters that they name, progress with time left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evenkeel.cli.console import progress
from evenkeel.cli.running import data_options, read_sets, whole_request
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.api import Request
    from evenkeel.engine.search.goal import Goal
    from evenkeel.engine.sweep.space import Axis, Holds

Command = TypeVar("Command", bound=Callable[..., Any])


def search_options(command: Command) -> Command:
    """Give a command the options of every search."""
    options = (
        click.option("--metric", "metrics", multiple=True, metavar="M", help="What to search for. Default: sharpe."),
        click.option("--where", multiple=True, metavar="TEXT", help="Constraint, for example 'fast < slow'."),
        click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same search."),
        click.option("--workers", type=click.IntRange(1, 256), help="Sets at once. Default: one for each processor."),
    )
    for option in reversed(options):
        command = option(command)
    return data_options(command)


def default_workers(workers: int | None) -> int:
    """Return how many sets are run at once."""
    return workers or os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Search:
    """What a command line asks to search.

    Attributes:
        request: Strategy, data and range; values without a choice are fixed.
        symbols: Several instruments for one account; none for that of the request.
        axes: The open parameters.
        goals: What to search for.
        holds: Tells which sets meet the constraints.
    """

    request: Request
    symbols: tuple[str, ...]
    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]
    holds: Holds


def read_search(strategy: str, options: dict[str, Any]) -> Search:
    """Return what a command line asks to search.

    Raises:
        UsageError: If they cannot be read or contradict each other.
    """
    from evenkeel.api import separate
    from evenkeel.engine.search.goal import read_goals
    from evenkeel.engine.sweep.constraint import read_constraints
    from evenkeel.engine.sweep.space import read_axis

    texts = read_sets(options["sets"])
    chosen = {name: read_axis(name, text) for name, text in texts.items() if ":" in text or "," in text}
    if not chosen:
        raise UsageError("a search needs a parameter: give --set NAME=A:B, NAME=A:B:STEP or NAME=a,b,c")
    fixed = tuple(f"{name}={text}" for name, text in texts.items() if name not in chosen)
    request = whole_request(strategy, {**options, "sets": fixed, "report": False})
    runs = separate(request, options["symbols"])
    symbols = tuple(str(one.symbol) for one in runs) if len(runs) > 1 else ()
    goals = read_goals(options["metrics"] or ("sharpe",))
    holds = read_constraints(options["where"], tuple(chosen))
    one = request if symbols else runs[0]
    return Search(one, symbols, tuple(chosen.values()), goals, holds)


def with_symbol(request: Request, symbol: str | None) -> Request:
    """Return a request for one instrument.

    Raises:
        UsageError: If the strategy trades several and none is chosen.
    """
    from dataclasses import replace

    from evenkeel.api import separate

    if symbol is not None:
        return replace(request, symbol=symbol)
    requests = separate(request)
    if len(requests) > 1:
        symbols = ", ".join(str(one.symbol) for one in requests)
        raise UsageError(
            f"one instrument is taken at a time, and the strategy names {symbols}; choose one with --symbol"
        )
    return requests[0]


def read_share(text: str, option: str) -> float:
    """Return a share written as `30%` or `0.3`.

    Raises:
        UsageError: If it is neither.
    """
    body, percent = text.removesuffix("%"), text.endswith("%")
    try:
        value = float(body)
    except ValueError:
        raise UsageError(f"{option} is '{text}'; write a share such as 30%") from None
    return value / 100.0 if percent else value


@contextmanager
def trial_progress(total: int) -> Iterator[Callable[[Any, int], None]]:
    """Show how many trials have ended while a search goes on, if a terminal watches."""
    with progress("searching", total=total) as advance:
        last = 0

        def on_trial(tried: Any, count: int) -> None:
            nonlocal last
            del tried
            advance(count - last)
            last = count

        yield on_trial


def words_of(values: dict[str, Any]) -> str:
    """Return parameters as the options that set them."""
    from evenkeel.engine.sweep.space import value_text

    return " ".join(f"--set {name}={value_text(value)}" for name, value in values.items())


def number(value: float | None) -> str:
    """Return a figure for a table."""
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
