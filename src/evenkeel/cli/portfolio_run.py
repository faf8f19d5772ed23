"""`keel backtest` of several instruments: one run on one account, and how the result is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evenkeel.cli.console import print_table
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.running import show_head, watched

if TYPE_CHECKING:
    from evenkeel.api import Request
    from evenkeel.api.portfolio import PortfolioOutcome

_COLUMNS = ("Symbol", "Trades", "Net", "Drawdown alone", "Refused", "Audit")
_NUMBERS = ("Trades", "Net", "Drawdown alone", "Refused")


def run_portfolio(request: Request, symbols: Sequence[str], *, as_json: bool) -> int:
    """Run several instruments on one account, show what they made, and return the exit code."""
    from evenkeel.api.portfolio import backtest_portfolio

    with watched("backtesting") as progress:
        outcome = backtest_portfolio(request, symbols, progress=progress, told=note)
    if as_json:
        emit(outcome.result)
    else:
        show(outcome)
    return 0 if outcome.ok else 1


def show(outcome: PortfolioOutcome) -> None:
    """Print the figures of the account for a person, and what each instrument made of it."""
    result = outcome.result
    show_head(result)
    currency = result["account"]["currency"]
    print_table(_COLUMNS, [_row(line, currency) for line in result["instruments"]], right=_NUMBERS)
    say()
    failed = [check for check in result["checks"] if not check["ok"] and not check["skipped"]]
    say(f"audit of the account: {len(result['checks']) - len(failed)} checks passed, {len(failed)} failed")
    for check in failed:
        say(f"  FAILED {check['name']}: {check['detail']}")
    say(f"files: {outcome.folder}")


def _row(line: dict[str, Any], currency: str) -> tuple[str, ...]:
    refused = sum(line["refusals"].values())
    audit = f"{len(line['checks_failed'])} failed" if line["checks_failed"] else "ok"
    fall = f"{line['max_drawdown_intrabar_pct']:.2f} %"
    return line["symbol"], f"{line['trades']:,}", f"{line['net_pnl']:,.2f} {currency}", fall, f"{refused:,}", audit
