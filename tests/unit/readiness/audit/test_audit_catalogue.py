"""What the audit says of its checks is what it runs and what the guide lists."""

from __future__ import annotations

import re
from pathlib import Path

from evenkeel.readiness.audit import RULES, SHARED_RULES, SPECIFIED, audit

from .audited_run import write
from .scenarios import ALL

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "guide" / "audit.md"


def test_the_rules_are_those_of_the_checks_that_run(tmp_path: Path) -> None:
    run = write(tmp_path, ALL["forty_days"])

    names = {check.name for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher)}

    assert names == {rule.name for rule in RULES}


def test_all_32_checks_of_the_specification_are_there() -> None:
    assert sorted(SPECIFIED.values()) == list(range(1, 33))


def test_the_guide_names_every_check() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", GUIDE.read_text()))
    assert {rule.name for rule in SHARED_RULES} <= named
    within_a_range = {rule.name for rule in RULES if rule.number in range(16, 24)}  # METRIC_COUNTS ... METRIC_QUALITY

    assert {rule.name for rule in RULES} - within_a_range <= named
