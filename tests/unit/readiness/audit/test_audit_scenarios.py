"""Correct runs pass every check that can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenkeel.readiness.audit import audit

from .audited_run import write
from .scenarios import ALL, LONG_STOP


@pytest.mark.parametrize("name", ALL)
def test_a_correct_run_passes_every_check(name: str, tmp_path: Path) -> None:
    run = write(tmp_path, ALL[name])

    checks = audit(run.folder, base_bars=run.base, higher_bars=run.higher)

    assert [f"{check.name}: {check.detail}" for check in checks if check.failed] == []
    assert sum(check.ok for check in checks) >= 25


@pytest.mark.parametrize("name", ALL)
def test_without_bars_at_least_twenty_checks_run_and_the_others_say_why_not(name: str, tmp_path: Path) -> None:
    run = write(tmp_path, ALL[name])

    checks = audit(run.folder)

    assert [f"{check.name}: {check.detail}" for check in checks if check.failed] == []
    assert sum(check.ok for check in checks) >= 20
    bars_needed = {check.name for check in checks if check.detail == "no valid bars of the run were given"}
    assert {"EXIT_FILL", "ENTRY_TIME", "TP_SL_FIRST", "OHLCV_VALID", "EQUITY_MARK"} <= bars_needed


def test_a_check_that_did_not_run_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    run = write(tmp_path, LONG_STOP)

    skipped = [check for check in audit(run.folder) if check.skipped]

    assert {"LIQ_DISTANCE", "SIGNAL_REPLAY", "NO_LOOKAHEAD"} <= {check.name for check in skipped}
    assert not any(check.ok or check.failed for check in skipped)


def test_every_check_has_a_name_of_its_own(tmp_path: Path) -> None:
    run = write(tmp_path, LONG_STOP)

    names = [check.name for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher)]

    assert len(set(names)) == len(names)
