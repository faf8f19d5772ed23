"""What the commands that run strategies share: options, the request they make, and how a result is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evenkeel.cli.console import announce_compilation, progress
from evenkeel.cli.home import Home, current_home
from evenkeel.cli.output import note, say
from evenkeel.cli.params import INSTANT, OneOf
from evenkeel.cli.plugins import plugin_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.api import Outcome, Request
    from evenkeel.data.catalog import Catalog
    from evenkeel.data.definitions import Definitions

Command = TypeVar("Command", bound=Callable[..., Any])

NUMBERS = ("Trades", "DSR", "PBO", "Net", "Return", "Drawdown")
"""Columns of a summary that are aligned to the right."""

_PROFILES = ("research", "conservative", "balanced", "aggressive", "perp_small", "micro_futures")

_DATA_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--catalog", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help="Catalog of market data. Default: that of the home, then the shipped sample.",
    ),
    click.option("--symbol", "symbols", multiple=True, metavar="S", help="Trade this instead; each is a run."),
    click.option("--start", type=INSTANT, metavar="T", help="First instant, UTC."),
    click.option("--end", type=INSTANT, metavar="T", help="First instant behind the range, UTC."),
    click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Set a variable or a dotted path."),
    click.option("--profile", type=OneOf(_PROFILES), default="research", help="Limits of the account."),
    click.option(
        "--gaps", type=OneOf(["stop", "report"]), default="stop",
        help="Refuse data with unexplained gaps, or close before each and go on.",
    ),
)  # fmt: skip


def data_options(command: Command) -> Command:
    """Give a command the options that choose data and terms."""
    for option in reversed(_DATA_OPTIONS):
        command = option(command)
    return plugin_option(command)


def request_of(strategy: str, options: dict[str, Any]) -> Request:
    """Return what the options ask for, as one run.

    Raises:
        UsageError: If they contradict each other, ask for what is not built, or ask for several runs.
    """
    found = separate_requests(strategy, options)
    if len(found) > 1:
        symbols = ", ".join(str(request.symbol) for request in found)
        raise UsageError(f"each of {symbols} is a run of its own; choose one with --symbol")
    return found[0]


def separate_requests(strategy: str, options: dict[str, Any]) -> tuple[Request, ...]:
    """Return what the options ask for: a run for each symbol.

    Raises:
        UsageError: If they contradict each other or ask for what is not built.
    """
    from evenkeel.api import separate

    return separate(whole_request(strategy, options), options["symbols"])


def whole_request(strategy: str, options: dict[str, Any]) -> Request:
    """Return what the options ask for, whatever symbols there are.

    Raises:
        UsageError: If they ask for what is not built.
    """
    from evenkeel.api import Request
    from evenkeel.model.gaps import not_available
    from evenkeel.strategies.library import Library

    if options["profile"] != "research":
        raise not_available("run.profiles", where="--profile")
    home, catalogs, instruments = sources_of(options["catalog"])
    return Request(
        strategy=strategy,
        catalogs=catalogs,
        instruments=instruments,
        runs=home.runs,
        home=home.root,
        start_ns=options["start"],
        end_ns=options["end"],
        sets=read_sets(options["sets"]),
        gaps=options["gaps"],
        lane=options.get("lane", "auto"),
        out=options.get("out"),
        report=options.get("report", False),
        library=Library(home.root),
    )


def sources_of(catalog: Path | None) -> tuple[Home, Sequence[Catalog], Definitions]:
    """Return the home, the catalogs to look through and the instrument definitions."""
    from evenkeel.data.definitions import Definitions
    from evenkeel.data.sources import Sources

    home = current_home()
    announce_compilation()
    return home, Sources.of(catalog_folder(catalog)).catalogs, Definitions.load(home.root)


def catalog_folder(named: Path | None) -> Path:
    """Return the folder of the catalog to read: the one that is named, else that of the home.

    Raises:
        UsageError: If one is named and is not there; only the home's may be missing, as before the first import.
    """
    if named is not None and not named.is_dir():
        raise UsageError(f"there is no catalog {named}; `keel data import --catalog {named}` makes one")
    return named or current_home().catalog


def read_sets(texts: Sequence[str]) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a map.

    Raises:
        UsageError: If one has no `=` or a name is given twice.
    """
    sets: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, not '{text}'")
        if name in sets:
            raise UsageError(f"--set gives '{name}' twice")
        sets[name] = value
    return sets


@contextmanager
def watched(description: str) -> Iterator[Callable[[float], None]]:
    """Show a progress bar while a run goes on, if a terminal watches."""
    with progress(description) as advance:
        yield advance


def show_outcome(outcome: Outcome) -> None:
    """Print the figures of a run for a person, and where to look next."""
    result = outcome.result
    show_head(result)
    failed = [check for check in result["checks"] if not check["ok"] and not check["skipped"]]
    done = [check for check in result["checks"] if check["ok"] and not check["skipped"]]
    skipped = len(result["checks"]) - len(done) - len(failed)
    say(f"audit: {len(done)} checks passed, {len(failed)} failed, {skipped} skipped")
    for check in failed:
        say(f"  FAILED {check['name']}: {check['detail']}")
    page = outcome.folder / "report.html"
    say(f"report: {page}" if page.exists() else f"files: {outcome.folder}")


def show_head(result: dict[str, Any]) -> None:
    """Print what ran on what, the figures, and what a reader must know."""
    from evenkeel.model.reason import MARK_TEXTS, Mark

    data = result["data"]
    say(f"{result['strategy']['name']} on {', '.join(result['symbols'])}, {data['start']} to {data['end']}")
    say(f"{data['base_bars']:,} bars of {data['base_tf']}, decisions every {data['exec_tf']}, {result['lane']} lane")
    say()
    proof = proof_lines(result["evidence"]) if "evidence" in result else []
    for label, value in (*proof, *_figures(result)):
        say(f"  {label:<22}{value}")
    say()
    if "models" in result:
        say("assumed: " + "; ".join(f"{kind} {one['name']}" for kind, one in result["models"].items()))
    if result.get("starved"):
        note("STARVED: the account could no longer carry the least order; entries were disabled")
    for mark in result["marks"]:
        note(f"{mark}: {MARK_TEXTS[Mark(mark)]}")


def proof_lines(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what all tries together say: it comes before any other figure."""
    import msgspec

    from evenkeel.monitor.report.proof import deflated, overfitted, tries
    from evenkeel.readiness.evidence import Evidence

    found = msgspec.convert(evidence, Evidence)
    over = "" if found.pbo is None else f" of {found.pbo_trials:,} trials"
    return [
        ("deflated Sharpe", f"{deflated(found)} ({tries(found)})"),
        ("overfitting (PBO)", f"{overfitted(found)}{over}"),
    ]


def _figures(result: dict[str, Any]) -> list[tuple[str, str]]:
    figures, currency, recorded = result["metrics"], result["account"]["currency"], result["data"]["funding"]
    is_funding = result.get("models", {}).get("funding", {}).get("name") != "none"
    amount = f"{figures['funding']:+,.2f} {currency}"
    paid = [("funding", amount + _cover(recorded)) if is_funding else ("dividends, borrowing", amount)]
    return [
        ("trades", f"{figures['trades']:,}"),
        ("net", f"{figures['net_pnl']:,.2f} {currency} ({figures['return_pct']:+.2f} %)"),
        ("fees, slippage", f"{figures['fees']:,.2f}, {figures['slippage']:,.2f} {currency}"),
        *(paid if recorded or figures["funding"] else []),
        ("win rate", _share(figures["win_rate"])),
        ("profit factor", _number(figures["profit_factor"])),
        ("largest drawdown", _drawdown(figures)),
        ("Sharpe, Sortino", f"{_number(figures['sharpe'])}, {_number(figures['sortino'])}"),
        ("time in the market", f"{figures['exposure_pct']:.1f} %"),
    ]


def _cover(recorded: dict[str, int] | None) -> str:
    """Say how far recorded funding reaches."""
    if recorded is None:
        return " at the fixed rate"
    due = recorded["recorded"] + recorded["missing"]
    unmarked = f", {recorded['unmarked']:,} without a mark price" if recorded["unmarked"] else ""
    return f" ({recorded['recorded']:,} of {due:,} settlements recorded{unmarked})"


def _drawdown(figures: dict[str, Any]) -> str:
    return f"{figures['max_drawdown_pct']:.2f} % ({figures['max_drawdown_intrabar_pct']:.2f} % inside bars)"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value * 100:.1f} %"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
