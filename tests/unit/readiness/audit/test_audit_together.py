"""Two shares on one account: sizes from what the account had, and its limits, each with a fault that is found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from .audited_run import edit_csv, edit_json
from .real_runs import Together, daily, ran_together
from .test_audit_shares import QUICK, WAVES, play

SLOW = [50 + 3 * close / 100 for close in WAVES]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Together:
    return ran_together(tmp_path_factory.mktemp("pair"), play(size=60), daily(QUICK), daily(SLOW))


@pytest.fixture
def run(made: Together, tmp_path: Path) -> Together:
    """Return the run with files of its own."""
    return replace(made, folder=Path(shutil.copytree(made.folder, tmp_path / "run")))


def test_a_run_of_two_passes(run: Together) -> None:
    checks = run.checks()

    assert run.failed() == set()
    assert checks["PORTFOLIO_SIZE"]["ok"]
    assert checks["PORTFOLIO_STOP"]["ok"]


def test_more_than_the_other_left_is_found(run: Together) -> None:
    """A share bought twice as often as the free margin allowed."""
    path = run.folder / "instruments" / "SPY.US" / "trades.csv"
    head, *rows = path.read_text().splitlines()
    quantity = int(rows[0].split(",")[head.split(",").index("qty")])

    edit_csv(path, 0, qty=str(3 * quantity))

    assert "PORTFOLIO_SIZE" in run.failed()


def test_less_than_the_rule_gives_is_found(run: Together) -> None:
    path = run.folder / "instruments" / "SPY.US" / "trades.csv"

    edit_csv(path, 0, qty="1")

    assert "PORTFOLIO_SIZE" in run.failed()


def test_a_limit_that_was_not_heeded_is_found(run: Together) -> None:
    for name in ("AAPL.US", "SPY.US"):
        edit_json(run.folder / "instruments" / name / "manifest.json", "account.max_drawdown_pct", "0.01")

    assert "PORTFOLIO_STOP" in run.failed()


def test_an_end_that_no_limit_asked_for_is_found(run: Together) -> None:
    edit_json(run.folder / "result.json", "stop_reason", "max_drawdown")

    assert "PORTFOLIO_STOP" in run.failed()
