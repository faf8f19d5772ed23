"""Nodes as a person writes them on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.features.request import parse_request
from evenkeel.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "params", "source"),
    [
        ("rsi", {"length": 14}, "close"),
        ("rsi:21", {"length": 21}, "close"),
        ("ema:20:hlc3", {"length": 20}, "hlc3"),
        ("ema:hl2", {"length": 20}, "hl2"),
        ("ema:source=volume:length=5", {"length": 5}, "volume"),
        ("macd:8:21:5", {"fast": 8, "slow": 21, "signal": 5}, "close"),
        ("bbands:50:std=2.5", {"length": 50, "std": 2.5}, "close"),
    ],
)
def test_values_stand_in_declared_order_or_by_name(text: str, params: dict[str, Any], source: str) -> None:
    request = parse_request(text)

    assert request.params == params
    assert request.source == source


def test_lists_words_and_truths_are_read_by_the_type_of_the_parameter() -> None:
    assert parse_request("fibonacci:levels=0.618,0.382").params["levels"] == (0.618, 0.382)
    assert parse_request("zone:supply:0.5").params == {"zone_type": "supply", "width_atr": 0.5}
    assert parse_request("market_structure:confirmation_close=false").params["confirmation_close"] is False


def test_a_swing_without_parameters_has_five_bars_on_either_side() -> None:
    params = parse_request("swing").params
    assert (params["left"], params["right"]) == (5, 5)
    params = parse_request("swing:right=2").params
    assert (params["left"], params["right"]) == (5, 2)


def test_one_output_can_be_asked_for() -> None:
    assert [output.name for output in parse_request("bbands.upper:50").outputs] == ["upper"]
    assert len(parse_request("bbands").outputs) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emma", "there is no indicator or structure 'emma'; did you mean 'ema'?"),
        ("bbands.uper", "bbands has no output 'uper'; it has lower, middle, upper, bandwidth, percent_b"),
        ("rsi:x", "'rsi:x': length must be a number, not 'x'"),
        ("rsi:2:3:4", "'rsi:2:3:4': rsi takes length, source, and '4' is more"),
        ("rsi:2:mid", "'rsi:2:mid': 'mid' is not a source; there are open, high"),
        ("rsi:size=3", "'rsi:size=3': rsi has no parameter 'size'; it has length, source"),
        ("rsi:3:length=4", "'rsi:3:length=4' gives length twice"),
        ("atr:14:hl2", "'atr:14:hl2': atr takes length, and 'hl2' is more"),
        ("rsi:0", "rsi.length is 0; it must be >= 1 and <= 5000"),
        ("zone", "zone needs the parameter 'zone_type'"),
    ],
)
def test_what_is_not_valid_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_request(text)
    assert refusal.value.message.startswith(message)
