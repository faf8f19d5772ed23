"""The audit of a playbook finds what is wrong in any of its files, and nothing in a right one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evenkeel.readiness.audit import Check, audit_playbook

TRADE = {
    "trade": "1", "symbol": "A.X", "decided_time": "2024-01-02T00:00:00Z", "entry_time": "2024-01-02T00:00:00Z",
    "exit_time": "2024-01-03T00:00:00Z", "net_pnl": "10",
}  # fmt: skip


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def put(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two plays, a position each, one after the other in the same instrument."""
    second = {**TRADE, "decided_time": "2024-01-03T00:00:00Z", "entry_time": "2024-01-03T00:00:00Z",
              "exit_time": "2024-01-04T00:00:00Z", "net_pnl": "-4"}  # fmt: skip
    put(tmp_path / "result.json", {"account": {"start_equity": "1000", "end_equity": "1006"}})
    put(tmp_path / "manifest.json", {"playbook": {"resolved": {"risk": {"max_active_plays": 1}}}})
    for name, trade, end in (("one", TRADE, "610"), ("two", second, "396")):
        start = "600" if name == "one" else "400"
        put(tmp_path / "plays" / name / "result.json", {"account": {"start_equity": start, "end_equity": end}})
        write(tmp_path / "plays" / name / "trades.csv", [trade])
    write(tmp_path / "attribution.csv", [
        {"play": "one", "regime": "all", "net_pnl": "10"}, {"play": "two", "regime": "all", "net_pnl": "-4"},
    ])  # fmt: skip
    write(tmp_path / "regimes.csv", [
        {"time": "2024-01-01T00:00:00Z", "regime": "all", "p_all": "1", "share_one": "600", "share_two": "400"},
    ])  # fmt: skip
    return tmp_path


def failed(folder: Path) -> list[Check]:
    return [check for check in audit_playbook(folder) if check.failed]


def test_a_right_run_passes(folder: Path) -> None:
    found = audit_playbook(folder)
    assert [check.name for check in found] == [
        "PLAYBOOK_LOAD", "PLAYBOOK_EQUITY", "PLAYBOOK_ATTRIBUTION", "PLAYBOOK_OWNERS", "PLAYBOOK_ACTIVE",
        "PLAYBOOK_SHARES", "PLAYBOOK_CAPITAL",
    ]  # fmt: skip
    assert failed(folder) == []


def change_csv(name: str, **values: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        write(folder / name, [{**rows[0], **values}, *rows[1:]])

    return apply


def change_json(name: str, document: dict[str, Any]) -> Callable[[Path], None]:
    return lambda folder: put(folder / name, document)


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        for change in changes:
            change(folder)

    return apply


TWO = "plays/two/trades.csv"
WRONG: list[tuple[str, Callable[[Path], object], str]] = [
    ("PLAYBOOK_EQUITY", change_json("result.json", {"account": {"start_equity": "1000", "end_equity": "1007"}}),
     "the end equity is 1007, capital and gains give 1006"),
    ("PLAYBOOK_ATTRIBUTION", change_csv("attribution.csv", net_pnl="11"), "11 is attributed to one, its trades"),
    ("PLAYBOOK_OWNERS", change_csv(TWO, entry_time="2024-01-02T12:00:00Z"),
     "trade 1 of one and trade 1 of two both hold A.X at 2024-01-02T12:00:00Z"),
    ("PLAYBOOK_ACTIVE", change_csv(TWO, entry_time="2024-01-02T12:00:00Z", symbol="B.X"),
     "trade 1 of two is one of 2 at work; the limit is 1"),
    ("PLAYBOOK_SHARES", change_csv("regimes.csv", share_two="0"),
     "trade 1 of two was decided at 2024-01-03T00:00:00Z without a share"),
    ("PLAYBOOK_SHARES", change_csv("regimes.csv", time="2024-01-02T12:00:00Z"), "decided before the playbook began"),
    ("PLAYBOOK_CAPITAL", change_csv("regimes.csv", share_two="401"), "the shares sum to 1001, the capital is 1000"),
    ("PLAYBOOK_CAPITAL", change_csv("regimes.csv", p_all="0.9"), "the probabilities sum to 0.9"),
    ("PLAYBOOK_LOAD", change_csv("regimes.csv", share_two="many"), "regimes.csv is 'many'"),
    ("PLAYBOOK_LOAD", change_csv(TWO, exit_time="yesterday"), "two: trades.csv is 'yesterday'"),
    ("PLAYBOOK_LOAD", lambda folder: (folder / "regimes.csv").unlink(), "regimes.csv cannot be read"),
    ("PLAYBOOK_LOAD", lambda folder: (folder / "attribution.csv").write_text("play\n"), "has no column net_pnl"),
    ("PLAYBOOK_LOAD", change_json("manifest.json", {}), "manifest.json: the key playbook"),
    ("PLAYBOOK_LOAD", change_json("plays/two/result.json", {}), "the key account"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "message"), WRONG)
def test_a_wrong_file_fails_its_check(folder: Path, name: str, change: Callable[[Path], object], message: str) -> None:
    change(folder)
    found = failed(folder)
    assert name in [check.name for check in found]
    assert any(message in check.detail for check in found), found


def test_without_plays_there_is_nothing_to_check(tmp_path: Path) -> None:
    put(tmp_path / "result.json", {})
    put(tmp_path / "manifest.json", {})
    assert [check.name for check in audit_playbook(tmp_path)] == ["PLAYBOOK_LOAD"]
