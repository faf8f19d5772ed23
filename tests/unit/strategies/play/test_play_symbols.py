"""A play with several symbols is one play for each of them."""

from __future__ import annotations

import pytest

from evenkeel.strategies.play.load import load_play, load_plays, play_symbols
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors

from .play_desk import SmallRegistry, document, find_instrument, load, text_of

SEVERAL = document(symbol=None, symbols=["BTCUSDT", "ETHUSDT"])


def loaded(values: dict[str, object], symbol: str | None = None) -> Play:
    return load_play(text_of(values), instruments=find_instrument, registry=SmallRegistry(), symbol=symbol)


def each(values: dict[str, object]) -> tuple[Play, ...]:
    return load_plays(text_of(values), instruments=find_instrument, registry=SmallRegistry())


def refused(values: dict[str, object], *, all_of_them: bool) -> list[str]:
    with pytest.raises(PlayErrors) as error:
        (each if all_of_them else loaded)(values)
    wrong = [one for one in error.value.problems if one.kind != "warning"]
    return [f"{one.path}: {one.message}; {one.remedy}" for one in wrong]


def test_each_symbol_is_the_play_that_names_it_alone() -> None:
    plays = each(SEVERAL)
    assert [play.instrument.id for play in plays] == ["BTCUSDT.BYBIT", "ETHUSDT.BYBIT"]
    assert [play.hash for play in plays] == [load(document(symbol=one)).hash for one in ("BTCUSDT", "ETHUSDT")]


def test_one_is_chosen_by_its_symbol() -> None:
    assert loaded(SEVERAL, "ETHUSDT").hash == load(document(symbol="ETHUSDT")).hash
    assert loaded(document(), "SOLUSDT").instrument.id == "SOLUSDT.BYBIT"


def test_without_a_choice_there_is_no_single_play() -> None:
    assert refused(SEVERAL, all_of_them=False) == [
        "symbols: the play names 2 symbols, and each is a run of its own; choose one, such as --symbol BTCUSDT"
    ]


def test_a_wrong_choice_names_the_option() -> None:
    with pytest.raises(PlayErrors) as error:
        loaded(SEVERAL, "NOPE")
    (problem,) = error.value.problems
    assert (problem.file, problem.line) == ("--symbol NOPE", 0)
    assert "there is no instrument 'NOPE'" in problem.message


def test_a_single_play_is_one_of_itself() -> None:
    assert [play.hash for play in each(document())] == [load(document()).hash]
    assert play_symbols(text_of(document())) == ()
    assert play_symbols(text_of(SEVERAL)) == ("BTCUSDT", "ETHUSDT")


def test_every_wrong_symbol_is_told_at_its_place() -> None:
    assert refused(document(symbol=None, symbols=["BTCUSDT", "NOPE", "NADA"]), all_of_them=True) == [
        "symbols[1]: there is no instrument 'NOPE'; did you mean 'BTCUSDT.BYBIT'?; ",
        "symbols[2]: there is no instrument 'NADA'; did you mean 'BTCUSDT.BYBIT'?; ",
    ]


def test_a_symbol_stands_once() -> None:
    assert refused(document(symbol=None, symbols=["BTCUSDT", "BTCUSDT.BYBIT"]), all_of_them=True) == [
        "symbols[1]: BTCUSDT.BYBIT stands twice; remove one"
    ]


def test_a_mistake_that_all_share_is_told_once() -> None:
    wrong = {**SEVERAL, "risk": {"stop_loss_pct": -1, "take_profit_pct": 4.0}}
    assert len(refused(wrong, all_of_them=True)) == 1


def test_symbol_and_symbols_exclude_each_other() -> None:
    assert refused(document(symbols=["ETHUSDT"]), all_of_them=True) == [
        "symbols: `symbol` and `symbols` exclude each other; keep one"
    ]
