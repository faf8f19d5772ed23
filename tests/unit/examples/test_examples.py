"""The shipped examples load with the shipped registry and instruments, and are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.block_load import load_block
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.playbook.load import load_playbook
from evenkeel.strategies.playbook.system_load import load_system

BUILT = {
    "ema", "sma", "rsi", "atr", "macd", "bbands", "adx", "stoch", "donchian", "supertrend", "vwap", "roc", "obv",
}  # fmt: skip


@pytest.mark.parametrize("name", examples.names())
def test_an_example_loads_without_a_warning(name: str) -> None:
    play = load_play(examples.find(name), instruments=Definitions.load().find)
    assert play.name == name
    assert play.warnings == ()
    assert play.description


@pytest.mark.parametrize("file", examples.files("block"), ids=lambda file: file.stem)
def test_a_block_that_ships_loads_without_a_warning(file: Path) -> None:
    assert load_block(file).warnings == ()
    assert file.stem not in examples.names()
    assert examples.locate(file.stem) == file


@pytest.mark.parametrize("kind", ["playbook", "system"])
def test_what_ships_of_other_kinds_loads_without_a_warning(kind: str) -> None:
    for file in examples.files(kind):
        found = (load_playbook if kind == "playbook" else load_system)(file, instruments=Definitions.load().find)
        assert (found.name, found.warnings) == (file.stem, ())
        assert file.stem not in examples.names()


def test_the_examples_use_every_indicator_that_is_built() -> None:
    definitions = Definitions.load()
    plays = [load_play(examples.find(name), instruments=definitions.find) for name in examples.names()]
    assert {feature.indicator for play in plays for feature in play.features} >= BUILT


def test_an_unknown_example_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'ema_cross'"):
        examples.find("ema_cros")


def test_examples_are_found_in_folders_and_twins_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.yaml").write_text("")
    (tmp_path / "b" / "only.yaml").write_text("")
    assert examples.find("only", tmp_path) == tmp_path / "b" / "only.yaml"
    with pytest.raises(UsageError, match=r"a.same\.yaml and b.same\.yaml"):
        examples.find("same", tmp_path)


def test_a_strategy_is_a_file_or_an_example(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("")
    assert examples.locate(str(own)) == own
    assert examples.locate("ema_cross") == examples.find("ema_cross")
    with pytest.raises(UsageError, match="there is no file"):
        examples.locate(str(tmp_path / "nope.yaml"))
