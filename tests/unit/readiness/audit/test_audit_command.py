"""`keel audit`: what it prints, what it exits with, and that it finds the bars of a run in the catalog."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evenkeel.cli.entry import run
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.model.bar import Bars
from evenkeel.model.time import Timeframe

from .audited_run import Written, edit_csv, edit_json, write
from .scenarios import LONG_STOP


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def stored(tmp_path: Path, home: Path) -> Written:
    """A run whose bars lie in the catalog of the home, as its manifest says."""
    written = write(tmp_path / "run", LONG_STOP)
    base = written.base
    columns = [np.ascontiguousarray(base[name].to_numpy()).copy() for name in base.columns]
    instrument = Definitions.load().find("BTCUSDT.BYBIT")
    revision = Catalog(home / "catalog").write(
        instrument.id, Bars(Timeframe.parse("1m"), *columns), source="test", imported_ns=1
    )
    manifest = written.folder / "manifest.json"
    for key, value in {
        "instrument.base": "BTC", "instrument.quote": "USDT", "data.revision": revision.id, "data.warmup_bars": 0,
        "data.gaps": [],
    }.items():  # fmt: skip
        edit_json(manifest, key, value)
    return written


def checks(output: str) -> dict[str, dict[str, object]]:
    document = json.loads(output)
    assert document["schema"] == "evenkeel.audit/1"
    return {check["name"]: check for check in document["checks"]}


def test_a_correct_run_with_its_bars_passes_with_exit_code_0(
    stored: Written, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(home), "audit", str(stored.folder), "--json"]) == 0

    printed = capsys.readouterr()
    found = checks(printed.out)
    assert found["MTF_AGGREGATION"]["ok"]
    assert found["EXIT_FILL"]["ok"]
    assert printed.err == ""


def test_a_failed_check_is_exit_code_1_and_named(
    stored: Written, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_csv(stored.folder / "trades.csv", 0, net_pnl="0")

    assert run(["--home", str(home), "audit", str(stored.folder)]) == 1

    printed = capsys.readouterr().out
    assert any(line.startswith("NET_PNL") and "FAILED" in line for line in printed.splitlines())
    assert ", 0 failed" not in printed.splitlines()[-1]


def test_without_its_bars_a_run_is_audited_as_far_as_possible_and_the_reason_is_said(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = write(tmp_path / "run", LONG_STOP)

    assert run(["--home", str(home), "audit", str(written.folder), "--json"]) == 0

    printed = capsys.readouterr()
    assert checks(printed.out)["EXIT_FILL"]["skipped"]
    assert printed.err.startswith("without the bars of the run: ")


def test_a_folder_without_a_run_fails_the_check_of_the_files(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(home), "audit", str(tmp_path), "--json"]) == 1

    assert checks(capsys.readouterr().out)["LOAD"]["detail"] == "result.json is missing"


def test_a_folder_that_does_not_exist_is_bad_usage(tmp_path: Path, home: Path) -> None:
    assert run(["--home", str(home), "audit", str(tmp_path / "nothing")]) == 2
