"""The audit reads the rules of plays again: with any other rule in the manifest than the one that ran, it says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenkeel.api import Request, audit_run, backtest, prepare
from suites import document, instruments
from suites.markets import catalog
from suites.rows import find

Rules = dict[str, Any]


def first_feature(rules: Rules) -> None:
    """Lengthen the first length of the first feature."""
    params = next(iter(rules["features"].values()))["params"]
    name = next(name for name, value in params.items() if isinstance(value, int) and not isinstance(value, bool))
    params[name] = 2 * params[name] + 12


def first_structure(rules: Rules) -> None:
    """Widen the first structure."""
    one = next(iter(rules["structures"].values()))[0]
    name = "left" if "left" in one["params"] else "size"
    one["params"][name] += 2


def other_side(rules: Rules) -> None:
    """Turn the first comparison of the first entry around."""
    text = json.dumps(rules["actions"])
    turned = text.replace("cross_above", "cross_below") if "cross_above" in text else text.replace('">"', '"<="')
    rules["actions"] = json.loads(turned)


CHANGES: list[tuple[str, Callable[[Rules], None]]] = [
    ("step_07_both_sides", other_side), ("swing_lows", first_structure), ("intrabar_range", first_feature),
    ("limit_short", first_feature),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=lambda one: getattr(one, "__name__", one))
def test_another_rule_than_the_one_that_ran_is_found(
    name: str, change: Callable[[Rules], None], tmp_path: Path
) -> None:
    row = find(name)
    file = tmp_path / f"{row.id}.yaml"
    file.write_text(document.text(row), "utf-8")
    held: Any = [catalog(row)]
    known: Any = instruments
    request = Request(str(file), held, known, tmp_path, lane="research", out=tmp_path / "out", report=False)
    backtest(request)
    _, market = prepare(request)
    path = tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())

    change(manifest["strategy"]["resolved"])
    path.write_text(json.dumps(manifest))

    found = {check["name"]: check for check in audit_run(tmp_path / "out", market)}
    assert not found["SIGNAL_REPLAY"]["ok"]
    assert not found["SIGNAL_REPLAY"]["skipped"]
