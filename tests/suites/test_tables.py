"""What the tables of the suites promise as a whole: numbers, names, distinctness, coverage, and true windows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.schema import RiskModelSection
from suites import coverage, document, instruments, markets
from suites.rows import Row, all_rows, find, in_tier
from suites.traits import loaded, traits_of
from suites.windows import PHASES, Window, phase_of, windows

LEAST = {
    "indicator": 84, "operator": 25, "structure": 14, "pattern": 34, "ladder": 13, "risk_stop": 12, "limit_order": 8,
    "price": 5, "setup": 4, "account": 6, "intrabar": 6, "negative": 4, "real": 60,
}  # fmt: skip
"""How many plays each suite has at least (plays.md 8.1 and 8.2)."""

GENERATED_MIN, RECORDED_MIN, CORE = 170, 60, 5


def rows_of(suite: str) -> list[Row]:
    return [row for row in all_rows() if row.suite == suite]


@pytest.mark.parametrize("suite", LEAST)
def test_a_suite_has_the_plays_that_are_specified(suite: str) -> None:
    assert len(rows_of(suite)) >= LEAST[suite]


def test_there_are_enough_plays_of_both_kinds() -> None:
    trading = [row for row in all_rows() if not row.is_negative]
    recorded = [row for row in trading if row.is_recorded]

    assert len(recorded) >= RECORDED_MIN
    assert len(trading) - len(recorded) >= GENERATED_MIN


def test_the_quick_tier_holds_the_core_plays_and_all_risk_stops() -> None:
    quick = Counter(row.suite for row in in_tier("quick"))

    assert quick["ladder"] == CORE
    assert quick["risk_stop"] == len(rows_of("risk_stop"))
    assert len(in_tier("quick")) < len(in_tier("standard")) < len(in_tier("full")) == len(all_rows())


@pytest.mark.parametrize("suite", [suite for suite in LEAST if suite != "negative"])
def test_every_play_loads_without_a_warning(suite: str) -> None:
    """G1. The text is what a person would see; it is read back by the loader of plays."""
    told = {row.id: loaded(row).warnings for row in rows_of(suite)}
    assert {name: warnings for name, warnings in told.items() if warnings} == {}


def test_a_printed_play_is_the_play() -> None:
    """What `show` prints is plain YAML, equal to the document that the tests load."""
    for row in all_rows():
        assert yaml.safe_load(document.text(row)) == document.document(row), row.id


def test_bad_plays_are_good_but_for_one_thing() -> None:
    """Without what sets them apart they load."""
    row = find("refuse_feature")
    good = replace(row, when=[["close", ">", "ema_20"], ["rsi_14", ">", 50]])

    assert load_play(document.text(good), instruments=instruments.find).warnings == ()


def test_every_form_is_used() -> None:
    used = {
        "exits": {row.exit for row in all_rows()}, "sizes": {row.size for row in all_rows()},
        "entries": {row.entry for row in all_rows()}, "accounts": {row.account for row in all_rows()},
    }  # fmt: skip
    assert {kind: set(forms) - used[kind] for kind, forms in document.forms().items()} == {kind: set() for kind in used}


class TestCoverage:
    """G15."""

    def test_no_cell_is_empty(self) -> None:
        assert coverage.empty_cells() == []

    def test_each_play_has_a_combination_of_its_own(self) -> None:
        assert coverage.without_own_combination() == []

    def test_every_kind_of_stop_and_target_of_the_schema_is_a_cell(self) -> None:
        properties = RiskModelSection.model_json_schema()["properties"]
        for key, cells in (("stop_loss", coverage.STOPS), ("take_profit", coverage.TARGETS)):
            kinds = next(one for one in properties[key]["anyOf"] if "discriminator" in one)["discriminator"]["mapping"]
            assert {cell.split()[0] for cell in cells} == set(kinds)

    def test_an_empty_cell_and_a_twin_are_seen(self) -> None:
        table = coverage.Table("Stops", "", "rule", ("plays",), (("percent", (3,)), ("structure", (0,))))
        twin = traits_of(find("step_01_one_condition")).combinations

        assert table.empty() == ["Stops: structure, plays"]
        assert ("close", ">=", "mode sl_tp_only, shorthand, stop percent of margin, target percent of margin") in twin


class TestWindows:
    """What the table says of a window is measured in the data."""

    def test_each_recorded_play_has_a_window_of_its_own(self) -> None:
        assert sorted(row.window for row in rows_of("real")) == sorted(windows())

    def test_phases_have_fifteen_windows_each_of_three_symbols_or_more(self) -> None:
        for phase in PHASES:
            found = [window for window in windows().values() if window.phase == phase]
            assert len(found) == 15
            assert len({window.symbol for window in found}) >= 3

    def test_rising_phases_are_bought_and_falling_ones_sold(self) -> None:
        for row in rows_of("real"):
            wanted = "long" if windows()[row.window].phase in ("accumulation", "markup") else "short"
            assert row.side == wanted, row.id

    @pytest.mark.parametrize("name", windows())
    def test_a_window_looks_like_its_phase(self, name: str, shared_data: Path) -> None:
        window: Window = windows()[name]
        seen = markets.measured(window)

        assert {key: round(value, 2) for key, value in seen.items()} == dict(window.measured)
        assert phase_of(seen) == window.phase
