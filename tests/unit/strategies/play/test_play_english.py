"""Plays in plain English: conditions and risk rules one by one, and whole plays against texts that people read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evenkeel import examples
from evenkeel.cli.paragraphs import WIDTH, broken
from evenkeel.data.definitions import Definitions
from evenkeel.risk.worst_case import worst_case
from evenkeel.strategies.play.english import Section, explain
from evenkeel.strategies.play.english.account import account_lines
from evenkeel.strategies.play.english.phrases import number, roughly, span
from evenkeel.strategies.play.english.protection import distance_words, size_words, trailing_words
from evenkeel.strategies.play.english.rules import RuleWords, policy_lines
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.play import Play

from .play_desk import DOCUMENT, document, entry, load

HERE = Path(__file__).parent
FIND = Definitions.load().find

SPEC_PLAYS = ("sol_pullback_15m_1h_d", "eth_range_fade_5m", "btc_bos_retrace_1h")
"""Plays of the specification, sections 1.13 to 1.15."""


def explained(play: Play) -> list[Section]:
    return explain(play, worst_case(play), lower(play).program.warmup)


def page(sections: list[Section]) -> str:
    """Return an explanation as the golden texts hold it."""
    parts = [
        [section.title, *(f"  {part}".rstrip() for line in section.lines for part in broken(line))]
        for section in sections
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


READ_BY_PEOPLE = sorted(set(examples.names()) & {path.stem for path in (HERE / "english").glob("*.txt")})


@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_a_shipped_example_reads_as_it_was_read_by_people(name: str) -> None:
    play = load_play(examples.find(name), instruments=FIND)
    assert page(explained(play)) == (HERE / "english" / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(set(examples.names()) - set(READ_BY_PEOPLE)))
def test_every_shipped_example_is_put_into_whole_sentences(name: str) -> None:
    """No key, no Python and no empty line slips into the text, whatever a play uses."""
    text = page(explained(load_play(examples.find(name), instruments=FIND)))

    assert not any(word in text for word in ("None", "{", "}", "nan", "inf ", "_pct", "Decimal"))
    assert all(line.strip() for line in text.strip().replace("\n\n", "\n").splitlines())


@pytest.mark.parametrize("name", SPEC_PLAYS)
def test_a_play_of_the_specification_reads_as_it_was_read_by_people(name: str) -> None:
    play = load_play(HERE / "spec_plays" / f"{name}.yaml", instruments=FIND)
    assert page(explained(play)) == (HERE / "english" / f"{name}.txt").read_text("utf-8")


def test_no_line_is_wider_than_the_page() -> None:
    for path in (HERE / "english").glob("*.txt"):
        assert max(map(len, path.read_text("utf-8").splitlines())) <= WIDTH


CONDITIONS: list[tuple[Any, str]] = [
    (["close", ">", "ema_20"], "the close is above ema_20"),
    (["rsi_14", "<=", 30.5], "rsi_14 is at or below 30.5"),
    ([50, "cross_above", "rsi_14"], "50 crosses above rsi_14"),
    (["rsi_14", "between", [40, 60]], "rsi_14 is between 40 and 60"),
    (["close", "near_pct", "ema_20", 0.5], "the close is within 0.5 % of ema_20"),
    (["close", "near_abs", "ema_20", 5], "the close is within 5 of ema_20"),
    (["sw.pair_direction", "==", "bullish"], "sw.pair_direction is bullish"),
    (["sw.pair_direction", "in", ["bullish", "none"]], "sw.pair_direction is bullish or none"),
    ({"not": ["sw.pair_direction", "in", ["bullish", "none"]]}, "sw.pair_direction is none of bullish and none"),
    (["sw.high_accepted", "==", True], "sw.high_accepted is true"),
    (["sw.high_accepted", "!=", 1], "sw.high_accepted is false"),
    ({"not": ["sw.high_accepted", "==", False]}, "sw.high_accepted is true"),
    (["tr.direction", "!=", -1], "tr.direction is not -1"),
    ({"not": ["tr.direction", "!=", -1]}, "tr.direction is -1"),
    ({"not": ["close", "<", "open"]}, "the close is not below the open"),
    ({"not": ["rsi_14", "cross_below", 50]}, "rsi_14 does not cross below 50"),
    ({"not": {"not": ["close", "<", "open"]}}, "the close is below the open"),
    ([["close", ">", "open"], ["rsi_14", ">", 50]], "the close is above the open and rsi_14 is above 50"),
    (
        {"not": {"any": [["close", ">", "open"], ["rsi_14", ">", 50]]}},
        "the close is not above the open and rsi_14 is not above 50",
    ),
    ([["close", "-", ["ema_20", "-", "atr_14"]], ">", 0], "close - (ema_20 - atr_14) is above 0"),
    ([[["close", "-", "ema_20"], "/", "atr_14"], ">", 0], "(close - ema_20) / atr_14 is above 0"),
    ([[["close", "*", 2], "+", "atr_14"], ">", 0], "close * 2 + atr_14 is above 0"),
    (["close", ">", {"feature_id": "close", "offset": 1}], "the close is above the close one bar ago"),
    (["close", ">", {"feature_id": "ema_50_1h", "offset": 3}], "the close is above ema_50_1h three 1h bars ago"),
    (["bb_20", "<", "bb_20.upper"], "bb_20.middle is below bb_20.upper"),
    (
        {"occurred_within": {"bars": 6, "expr": ["rsi_14", "cross_below", 30]}},
        "on at least one of the last six bars, rsi_14 crossed below 30",
    ),
    (
        {"holds_for": {"bars": 12, "expr": {"not": ["rsi_14", "<", 30]}}},
        "on each of the last 12 bars, rsi_14 was not below 30",
    ),
    (
        {"count_true_duration": {"duration": "6h", "min_true": 4, "expr": ["close", "<", "open"]}},
        "on at least four of the last 24 bars (6 hours), the close was below the open",
    ),
    (
        {"holds_for": {"bars": 3, "anchor_tf": "1h", "expr": ["close", "<", "open"]}},
        "on each of the last three samples 1h apart, the close was below the open",
    ),
    ({"holds_for": {"bars": 1, "expr": ["close", "<", "open"]}}, "on the last bar, the close was below the open"),
    (
        {"occurred_within_duration": {"duration": "2h", "expr": ["last_price", ">", "ema_20"]}},
        "on at least one of the last 120 minutes (2 hours), the price was above ema_20",
    ),
    (["mark_price", ">", "bar_open"], "the mark price is above the open of the forming bar"),
    (
        ["last_price", ">", {"feature_id": "last_price", "offset": 3}],
        "the price is above the price three minutes ago",
    ),
    ([["last_price", "-", "bar_low"], ">", 2], "last_price - bar_low is above 2"),
]


@pytest.mark.parametrize(("condition", "words"), CONDITIONS)
def test_a_condition_that_fits_one_sentence(condition: Any, words: str) -> None:
    lines = RuleWords(load(entry(condition))).lines()
    assert lines[0] == f"Opens a long position when {words}."


def test_a_nested_condition_is_a_nested_list() -> None:
    inner = {"all": [["close", ">", "open"], ["rsi_14", ">", 50], {"setup": "quiet"}]}
    waited = {"occurred_within": {"bars": 9, "expr": {"holds_for": {"bars": 2, "expr": ["close", ">", "open"]}}}}
    play = load(entry(
        {"any": [inner, {"not": inner}, waited]},
        setups={"quiet": {"any": [["atr_14", "<", 1], ["rsi_14", "between", [45, 55]], ["close", ">", "ema_20"]]}},
    ))  # fmt: skip
    assert RuleWords(play).lines()[:20] == [
        "Opens a long position when any of these holds:",
        "  - all of these hold:",
        "    - the close is above the open",
        "    - rsi_14 is above 50",
        "    - quiet holds, which means that any of these holds:",
        "      - atr_14 is below 1",
        "      - rsi_14 is between 45 and 55",
        "      - the close is above ema_20",
        "  - not all of these hold:",
        "    - the close is above the open",
        "    - rsi_14 is above 50",
        "    - quiet holds (see above)",
        "  - on at least one of the last nine bars, looking back from there:",
        "      on each of the last two bars, the close was above the open",
        "",
        "Closes a long position when the close is below ema_20.",
    ]


def test_cases_are_numbered_and_say_what_they_keep() -> None:
    kept = {"why": "up", "at": {"feature_id": "close"}}
    blocks = [
        {
            "id": "both",
            "cases": [
                {"when": ["close", ">", "open"], "emit": [{"action": "entry_long", "metadata": kept}]},
                {"when": ["close", "<", "open"], "emit": ["entry_short"]},
            ],
            "else": {"emit": ["exit_all"]},
        }
    ]  # fmt: skip
    play = load(document(actions=blocks, position_policy={"mode": "long_short", "exit_mode": "first_hit"}))
    assert RuleWords(play).lines() == [
        "Block both, of which the first case that holds counts:",
        "1. Opens a long position when the close is above the open.",
        "   It keeps why (up) and at (the close) with the trade.",
        "2. Opens a short position when the close is below the open.",
        "3. Otherwise it closes any position.",
    ]
    assert policy_lines(play) == [
        "It holds one position at a time, long or short, and never adds to it or turns it round.",
        "When a long and a short entry come at the same instant, neither is taken.",
        "A position ends at its stop, at its target or by an exit rule, whichever comes first.",
    ]


DISTANCES: list[tuple[dict[str, Any], float, str]] = [
    ({"type": "percent", "value": 2.0}, 1, "2 % of the price away"),
    ({"type": "percent", "value": 2.0}, 4, "2 % of the margin away, 0.5 % of the price at leverage 4"),
    ({"type": "percent", "value": 2.0, "basis": "price"}, 4, "2 % of the price away"),
    ({"type": "fixed_points", "value": 12.5}, 1, "12.5 points away"),
    ({"type": "rr_ratio", "value": 3}, 1, "3 times as far away as the stop"),
    ({"type": "trailing_pct", "trail_pct": 1.5}, 1, "1.5 % of the price away"),
    ({"type": "trailing_atr", "atr_multiplier": 2, "atr_feature_id": "a"}, 1, "2 times a away"),
    ({"type": "structure", "structure_key": "sw"}, 1, "at a level of sw; without a usable level, no entry"),
    (
        {
            "type": "structure", "structure_key": "sw", "field": "low_level", "buffer_atr": 0.5, "atr_feature_id": "a",
            "value": 1.0,
        },
        1, "at sw.low_level, 0.5 times a beyond it; without a usable level, 1 % of the price away",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "leverage", "words"), DISTANCES)
def test_each_way_to_say_how_far(rule: dict[str, Any], leverage: float, words: str) -> None:
    assert distance_words(rule, leverage) == words


def test_trailing_break_even_and_ladders_have_words_and_figures() -> None:
    play = load(document())
    risk = {
        "stop_loss": {"type": "trailing_atr", "atr_multiplier": 1.8, "atr_feature_id": "atr_14", "activation_pct": 0.4},
        "take_profit": {"type": "ladder", "steps": [{"pct": 5.0, "close_pct": 60}, {"rr": 1.5, "close_pct": 40}]},
        "break_even": {"activation_pct": 1.2, "offset_pct": 0.15},
        "sizing": {"model": "risk_based", "value": 0.75},
    }
    play.resolved["risk_model"] = risk
    told = next(section.lines for section in explained(play) if section.title == "Risk")
    assert told[:4] == [
        "Stop: 1.8 times atr_14 away. With atr_14 at 1, 1 % of the price, it is 1.8 away, at 98.2 for a long.",
        "Trailing: once a close is 0.4 % in profit, the stop follows 1.8 times atr_14 behind the close. The stop only "
        "ever moves towards the price.",
        "Break-even: at the first close that is 1.2 % in profit the stop moves to the entry price and 0.15 % beyond, "
        "at 100.15 for a long.",
        "Targets: 40 % of the position 1.5 times the stop's distance away (2.7, at 102.7 for a long) and 60 % of the "
        "position 5 % of the price away (5, at 105 for a long); each a market order.",
    ]


def test_a_trailing_rule_beside_a_stop() -> None:
    rule = {"type": "trailing_pct", "trail_pct": 2, "activation_pct": 0}
    assert trailing_words(rule) == "from the entry on, the stop follows 2 % behind the close"


SIZES = [
    ({"model": "percent_equity", "value": 95}, "95 % of the free margin"),
    ({"model": "fixed_usdt", "value": 500}, "a margin of 500.00 USD"),
    ({"model": "fixed_usdt", "value": 500, "basis": "notional"}, "a position of 500.00 USD"),
    ({"model": "fixed_quantity", "value": 2}, "two units, all or none"),
    ({"model": "fixed_quantity", "value": 0.25}, "0.25 units, all or none"),
]


@pytest.mark.parametrize(("sizing", "words"), SIZES)
def test_sizes(sizing: dict[str, Any], words: str) -> None:
    assert size_words(sizing, "USD") == words


def test_an_entry_that_would_be_refused_says_so() -> None:
    risk = {"sizing": {"model": "fixed_quantity", "value": 5000}}
    play = load(document(risk=None, risk_model=risk))
    told = next(section.lines for section in explained(play) if section.title == "Risk")
    assert told[0] == "Stop: none. Nothing but the rules above ends a position that loses."
    assert told[3] == (
        "An entry at a price of 100 with 10,000.00 USDT would be refused: the account cannot carry the order and its "
        "fees."
    )


def test_leverage_liquidation_funding_and_impact_have_words() -> None:
    play = load(document())
    account = {
        **play.resolved["account"], "max_leverage": 4.0, "on_sl_beyond_liq": "adjust", "min_liq_distance_pct": 5,
        "continue_after_liquidation": False, "funding": {"enabled": True, "fixed_rate": 0.0001},
        "impact": {"mode": "sqrt", "coef_bps": 50, "max_bps": 100}, "new_thing": {"on": True},
        "half_spread_bps": 1.5, "max_volume_fraction": 0.1, "latency_ms": 200, "trigger_source": "MarkPrice",
        "queue": {"model": "trade_through", "ticks": 2, "share": 0.1},
    }  # fmt: skip
    told = account_lines({**play.resolved, "account": account}, None)
    assert told[0].endswith("trades with leverage up to 4.")
    assert told[2:13] == [
        "Large orders slip further: by 0.5 % times the square root of the share they take of a bar's volume, at most "
        "1 %.",
        "The spread is 0.03 %: what takes pays half of it on top of slippage.",
        "At most 10 % of a bar's volume can fill; the rest waits for the next bar.",
        "An order is at the venue 200 ms after its decision.",
        "A resting order fills only when the price goes 2 ticks beyond it.",
        "Stops are set off by the mark price.",
        "Funding is charged at the recorded rates; where the data has none, a long pays 0.01 % of its worth every 8 "
        "hours.",
        "A position whose margin is used up is liquidated: it loses its margin, never more.",
        "An entry is refused when its liquidation price is closer than 5 % to the price.",
        "A stop that would lie beyond the liquidation price is moved in front of it.",
        "A liquidation ends the run.",
    ]
    assert told[-1] == "New thing: on yes."


def test_nothing_in_a_resolved_play_goes_unsaid() -> None:
    play = load(document())
    play.resolved["news"] = {"source": "wire", "delay_s": 3}
    play.resolved["nothing"] = {}
    assert told_under("Besides", play) == ["News: source wire and delay_s 3."]
    assert told_under("Besides", load(DOCUMENT)) == []


def told_under(title: str, play: Play) -> list[str]:
    return [line for section in explained(play) if section.title == title for line in section.lines]


def test_checks_and_venues_have_sentences() -> None:
    expect = {"min_trades": 3, "stop_reason": "end_of_data", "max_trades": None}
    generated = load(document(validation={"pattern": "range_wide", "bars": 5000, "expect": expect}, deploy={}))
    assert told_under("Checks and venues", generated) == [
        "It is checked on the generated market range_wide, seed 42, 5,000 bars.",
        "The check expects at least 3 closed legs and an end by end_of_data.",
        "At a venue it may use 10,000.00 USDT; entry orders are cancelled after 30 seconds without a connection.",
    ]
    window = {"start": "2024-01-01", "end": "2024-02-01"}
    recorded = load(document(validation={"window": window, "phase": "markup"}))
    assert told_under("Checks and venues", recorded) == [
        "It is checked on recorded data from 2024-01-01 to 2024-02-01, markup by its author's reading."
    ]
    assert told_under("Checks and venues", load(DOCUMENT)) == []


def test_numbers_and_spans() -> None:
    assert [number(value) for value in (0, 1.0, 0.30000000000000004, 1234567.891, -0.05, 5.625)] == [
        "0", "1", "0.3", "1,234,568", "-0.05", "5.625",
    ]  # fmt: skip
    assert [span(minutes) for minutes in (45, 60, 360, 1440, 2880, 90)] == [
        "45 minutes", "1 hour", "6 hours", "1 day", "2 days", "90 minutes",
    ]  # fmt: skip
    assert [roughly(minutes) for minutes in (1, 119, 130, 3000, 30000)] == [
        "about a minute", "about 119 minutes", "about 2 hours", "about 2 days", "about 3 weeks",
    ]  # fmt: skip


def test_a_line_is_broken_under_its_own_beginning() -> None:
    long = "  - " + "word " * 30
    first, second = broken(long)
    assert first.startswith("  - word")
    assert second.startswith("    word")
    assert not second.startswith("     ")
    tight = f"{'x' * 95} 5 % of 1,000.00 USD"
    assert broken(tight)[0] == "x" * 95
    assert broken("") == [""]
