"""The list of indicators and the page of one, from the declarations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evenkeel.cli.entry import run
from evenkeel.features.registry import all_indicators, all_structures


def test_the_list_shows_each_node_with_its_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators"]) == 0

    lines = capsys.readouterr().out.splitlines()
    names = {line.split()[0] for line in lines if line}
    assert {*all_indicators(), *all_structures()} <= names
    (macd,) = (line for line in lines if line.startswith("macd"))
    assert "fast 12, slow 26, signal 9" in macd
    assert "macd*, signal, histogram" in macd
    assert "  87  " in macd


def test_the_page_of_one_has_bounds_outputs_formula_and_warm_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "bbands"]) == 0

    text = capsys.readouterr().out
    for part in (
        "bbands: Bollinger bands",
        "Formula  SMA +/- std * sample deviation",
        "Warm-up  20 bars",
        ">= 2 and <= 5000",
        "> 0",
        "middle*",
        "percent_b",
    ):
        assert part in text


def test_a_structure_has_a_page_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "swing"]) == 0

    text = capsys.readouterr().out
    assert "atr (may be absent)" in text
    assert "its type (none, high, low)" in text


def test_the_json_of_one_is_its_declaration(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "supertrend", "--json"]) == 0

    document = parsed(capsys)
    assert document["schema"] == "evenkeel.indicator/1"
    assert document["warmup"] == 50
    assert document["params"][1]["low"] == 0.0
    assert document["params"][1]["low_excluded"] is True
    assert [(o["name"], o["type"], o["first"], o["primary"]) for o in document["outputs"]] == [
        ("trend", "FLOAT", 10, True),
        ("direction", "INT", 10, False),
        ("long", "FLOAT", 10, False),
        ("short", "FLOAT", None, False),
    ]


def test_the_json_of_the_list_holds_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "--json"]) == 0

    document = parsed(capsys)
    assert document["schema"] == "evenkeel.indicators/1"
    assert [node["name"] for node in document["indicators"]] == list(all_indicators())
    assert [node["name"] for node in document["structures"]] == list(all_structures())


def test_an_unknown_name_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "emma"]) == 2

    assert "there is no indicator or structure 'emma'; did you mean 'ema'?" in capsys.readouterr().err


def parsed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)
