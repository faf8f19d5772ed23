"""Without a terminal tables are plain and progress is silent."""

from __future__ import annotations

import io
import sys

import pytest

from evenkeel.cli.console import plain_table, print_table, progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


ROWS = [["BTCUSDT", "12"], ["ES [front]", "7"]]


def test_a_plain_table_aligns_and_cuts_nothing_off() -> None:
    assert plain_table(["instrument", "trades"], [*ROWS, ["x" * 200, "1"]], right=["trades"])[1:3] == [
        "BTCUSDT" + " " * 193 + "      12",
        "ES [front]" + " " * 190 + "       7",
    ]


def test_a_table_without_rows_has_its_headings() -> None:
    assert plain_table(["a", "b"], []) == ["a  b"]


def test_a_table_for_a_pipe_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["instrument", "trades"], ROWS, right=["trades"])

    assert capsys.readouterr().out == "instrument  trades\nBTCUSDT         12\nES [front]       7\n"


def test_a_table_for_a_terminal_shows_brackets_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)

    print_table(["instrument", "trades"], ROWS)

    assert "ES [front]" in screen.getvalue()


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("importing", total=3) as advance:
        advance()
        advance(2)

    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def test_progress_shows_its_name_on_a_terminal_and_not_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)

    with progress("importing", total=3) as advance:
        advance(3)

    assert "importing" in screen.getvalue()
    assert capsys.readouterr().out == ""
