"""Every example does what its own head says: the commands in its comments are typed, and its trades counted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from acceptance.keel import Keel
from evenkeel import examples

EXAMPLES_MIN = 20
COMMENTS_MIN = 4
"""So many lines of comment teach something, the commands not counted."""

_COMMAND = re.compile(r"^#   keel (.+)$", re.MULTILINE)


def commands_of(name: str) -> list[list[str]]:
    """Return the commands in the head of an example; those with a placeholder are for data that does not ship."""
    text = examples.find(name).read_text(encoding="utf-8")
    return [shlex.split(command) for command in _COMMAND.findall(text) if "YOUR_FILE" not in command]


def is_runnable(command: list[str], name: str) -> bool:
    """Whether a command needs no data of one's own: what is generated, and the bundled symbol of an example."""
    return command[:2] == ["data", "synth"] or "--symbol" in command or name not in NEEDS_DATA


NEEDS_DATA = frozenset({"mes_momentum"})
"""Examples for instruments of which no bars ship; they run on a generated market with `--symbol`."""


def test_the_library_is_large_enough() -> None:
    assert len(examples.names()) >= EXAMPLES_MIN


@pytest.mark.parametrize("name", examples.names())
def test_an_example_runs_as_its_comments_say_and_trades(name: str, tmp_path: Path) -> None:
    keel = Keel(tmp_path / "home")
    runs = 0
    for command in commands_of(name):
        if not is_runnable(command, name):
            continue
        if command[0] != "backtest":
            keel.ok(*command)
            continue
        said = keel.ok(*command, "--no-report", "--json").document
        assert said["metrics"]["trades"] >= 1, command
        assert [check["name"] for check in said["checks"] if not check["ok"] and not check["skipped"]] == []
        runs += 1
    assert runs >= 1, "the head of an example shows at least one command that runs it"


@pytest.mark.parametrize("name", examples.names())
def test_an_example_explains_itself(name: str) -> None:
    lines = examples.find(name).read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.lstrip().startswith("#") and not _COMMAND.match(line)]

    assert lines[0].startswith("# ")
    assert len(comments) + sum("  # " in line for line in lines) >= COMMENTS_MIN


def test_between_them_the_examples_show_the_whole_language() -> None:
    shown = "\n".join(examples.find(name).read_text(encoding="utf-8") for name in examples.names())
    for word in (
        "ladder", "trailing_atr", "trailing_pct", "break_even", "percent: 50", "intrabar", "max_leverage", "metadata",
        "variables", "setups", "occurred_within", "holds_for", "count_true", "LIMIT", "PostOnly", "structures",
        "rolling_window", "fibonacci", "market_structure", "zone", "trend", "offset", "long_short", "fixed_quantity",
        "risk_based", "percent_equity", "fixed_usdt", "symbol: SPY.US", "symbol: EURUSD.FX", "symbol: MES.CME",
    ):  # fmt: skip
        assert word in shown, word
