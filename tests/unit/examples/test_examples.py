"""The shipped examples load with the shipped registry and instruments, and are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.load import load_play

BUILT = {
    "ema", "sma", "rsi", "atr", "macd", "bbands", "adx", "stoch", "donchian", "supertrend", "vwap", "roc", "obv",
}  # fmt: skip


@pytest.mark.parametrize("name", examples.names())
def test_an_example_loads_without_a_warning(name: str) -> None:
    play = load_play(examples.find(name), instruments=Definitions.load().find)
    assert play.name == name
    assert play.warnings == ()
    assert play.description


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
