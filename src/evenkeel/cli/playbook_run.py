"""`keel backtest PLAYBOOK`: all plays of a playbook on one account, and how the result is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.cli.console import print_table
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.running import proof_lines, whole_request
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.api import PlaybookOutcome

_PLAY_COLUMNS = ("Play", "Symbol", "Trades", "Net", "Refused", "Audit")
_PART_COLUMNS = ("Play", "Regime", "Trades", "Won", "Net")
_NUMBERS = ("Trades", "Net", "Won", "Refused")


def run_playbook(strategy: str, options: dict[str, Any], *, as_json: bool) -> int:
    """Run a playbook, show what it made, and return the exit code.

    Raises:
        UsageError: If an option has no meaning for a playbook.
    """
    from evenkeel.api import backtest_playbook

    if options["symbols"]:
        raise UsageError("--symbol is for plays; a playbook names the instrument of each play by `symbol:`")
    outcome = backtest_playbook(whole_request(strategy, options), told=note)
    if as_json:
        emit(outcome.result)
    else:
        show(outcome)
    return 0 if outcome.ok else 1


def show(outcome: PlaybookOutcome) -> None:
    """Print the figures of a playbook for a person, and where to look next."""
    from evenkeel.model.reason import MARK_TEXTS, Mark

    result = outcome.result
    figures, account, data = result["metrics"], result["account"], result["data"]
    currency = account["currency"]
    say(f"{result['playbook']['name']} on {', '.join(result['symbols'])}, {data['start']} to {data['end']}")
    say()
    for label, value in proof_lines(result["evidence"]):
        say(f"  {label:<22}{value}")
    say(f"  {'net':<22}{figures['net_pnl']:,.2f} {currency} ({figures['return_pct']:+.2f} %)")
    say(f"  {'largest drawdown':<22}{figures['max_drawdown_intrabar_pct']:.2f} %")
    say(f"  {'trades':<22}{figures['trades']:,}")
    say()
    print_table(_PLAY_COLUMNS, [_play_row(play, currency) for play in result["plays"]], right=_NUMBERS)
    if result["attribution"]:
        say()
        print_table(_PART_COLUMNS, [_part_row(part, currency) for part in result["attribution"]], right=_NUMBERS)
    for regime in result["regimes"]:
        say(f"regime {regime['regime']}: {regime['time_pct']:.0f} % of the time, confirmed {regime['confirmed']} times")
    say()
    for mark in result["marks"]:
        note(f"{mark}: {MARK_TEXTS[Mark(mark)]}")
    failed = [check for check in result["checks"] if not check["ok"] and not check["skipped"]]
    say(f"audit of the playbook: {len(result['checks']) - len(failed)} checks passed, {len(failed)} failed")
    for check in failed:
        say(f"  FAILED {check['name']}: {check['detail']}")
    say(f"files: {outcome.folder}")


def _play_row(play: dict[str, Any], currency: str) -> tuple[str, ...]:
    refused = sum(play["refusals"].values())
    audit = f"{len(play['checks_failed'])} failed" if play["checks_failed"] else "ok"
    net = f"{play['net_pnl']:,.2f} {currency}"
    return play["name"], ", ".join(play["symbols"]), f"{play['trades']:,}", net, f"{refused:,}", audit


def _part_row(part: dict[str, Any], currency: str) -> tuple[str, ...]:
    net = f"{float(part['net_pnl']):,.2f} {currency}"
    return part["play"], part["regime"], f"{part['trades']:,}", f"{part['wins']:,}", net
