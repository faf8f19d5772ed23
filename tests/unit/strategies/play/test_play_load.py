"""Loading as a whole: the hash, the resolved document, files, and the plays of the specification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import PROBLEMS_MAX, PlayErrors, render, render_with_excerpt
from watchdog import within

from .play_desk import DOCUMENT, SmallRegistry, document, entry, find_instrument, load, problems, text_of

SPEC_PLAYS = Path(__file__).parent / "spec_plays"


def load_file(path: Path) -> Any:
    return load_play(path, instruments=find_instrument, registry=SmallRegistry())


def test_the_hash_is_16_hex_digits_and_repeats() -> None:
    play = load(document())
    assert len(play.hash) == 16
    assert int(play.hash, 16) >= 0
    assert play.hash == load(document()).hash


CHANGES: list[dict[str, Any]] = [
    {"actions": {"entry_long": ["close", ">=", "ema_20"], "exit_long": ["close", "<", "ema_20"]}},
    {"setups": {"spare": ["close", ">", "open"]}},
    {"risk": {"stop_loss_pct": 2.5, "take_profit_pct": 4.0}},
    {"account": {"starting_equity": 10001}},
    {"symbol": "ETHUSDT"},
    {"entry": {"order_type": "LIMIT"}},
    {"variables": {"spare": 1}},
    {"backtest": {"start": "2024-01-01"}},
    {"warmup": {"min_bars": 5}},
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_behaviour_changes_the_hash(change: dict[str, Any]) -> None:
    assert load(document(**change)).hash != load(document()).hash


def test_what_is_only_written_differently_has_the_same_hash() -> None:
    written_out = document(
        symbol="BTCUSDT.BYBIT",
        timeframes={**DOCUMENT["timeframes"], "evaluate": "bar_close"},
        account={"starting_equity_usdt": 10000.0, "fee_model": {"taker_bps": 5.5, "maker_bps": 2}},
        risk=None,
        risk_model={
            "stop_loss": {"type": "percent", "value": 2},
            "take_profit": {"type": "percent", "value": 4, "basis": "roi"},
            "sizing": {"model": "percent_equity", "value": 100},
        },
    )
    assert load(written_out).hash == load(document()).hash


def test_the_resolved_document_loads_to_the_same_play() -> None:
    first = load(document(warmup={"min_bars": 7}, backtest={"start": "2024-01-01"}, variables={"x": 1}))
    again = load(first.resolved)
    assert again.hash == first.hash
    for part in ("features", "structures", "actions", "risk", "sizing", "account", "policy", "entry", "warmup"):
        assert getattr(again, part) == getattr(first, part)


def test_a_play_without_a_risk_section_loads_to_the_same_play() -> None:
    """Otherwise its runs could be neither replayed nor explained."""
    given = document()
    given.pop("risk_model", None)
    given.pop("risk", None)
    given["actions"] = {"entry_long": ["close", ">", 1], "exit_long": ["close", "<", 1]}
    given["position_policy"] = {"mode": "long_only", "exit_mode": "signal"}
    first = load(given)

    assert load(first.resolved).hash == first.hash


def test_the_resolved_document_is_json_with_defaults() -> None:
    resolved = json.loads(json.dumps(load(document()).resolved, allow_nan=False))
    assert resolved["features"]["bb_20"] == {
        "indicator": "bbands", "params": {"length": 20, "std": 2.0}, "tf": "15m", "source": "close",
    }  # fmt: skip
    assert resolved["account"]["max_drawdown_pct"] == 20.0
    assert resolved["account"]["fee_model"] == {
        "taker_bps": 5.5, "maker_bps": 2.0, "per_contract": 0.0, "liquidation_bps": 5.5,
    }  # fmt: skip


def test_a_file_that_has_another_name_is_a_warning(tmp_path: Path) -> None:
    for name, warned in (("sample.yaml", False), ("other.yaml", True)):
        path = tmp_path / name
        path.write_text(text_of(document()))
        found = [problem for problem in load_file(path).warnings if problem.path == "name"]
        assert bool(found) is warned


def test_a_file_that_is_not_there_or_not_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        load_file(tmp_path / "nope.yaml")
    with pytest.raises(UsageError, match="there is no file"):
        load_file(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(UsageError, match="byte 10 is 0xe9"):
        load_file(tmp_path / "latin.yaml")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "3", "a: [", "null"])
def test_what_is_no_map_is_refused(text: str) -> None:
    assert len(problems(text)) == 1


def test_a_problem_is_shown_with_its_line_and_a_caret() -> None:
    text = text_of(document(entry={"order_type": "LIMT"}))
    (found,) = problems(text)
    line = text.splitlines().index("  order_type: LIMT") + 1
    assert render(found) == (f"<text>:{line}:15: entry.order_type: 'LIMT' is not allowed here; did you mean 'LIMIT'?")
    assert render_with_excerpt(found).splitlines()[1:] == [
        f"{line:>6} |   order_type: LIMT",
        "       |               ^^^^",
    ]


def test_the_message_of_the_error_holds_every_problem() -> None:
    with pytest.raises(PlayErrors) as failed:
        load(document(entri={}, acount={}))
    assert failed.value.message.splitlines()[0] == "<text>: 2 problems"
    assert len(failed.value.message.splitlines()) == 3


@pytest.mark.parametrize("name", ["sol_pullback_15m_1h_d", "eth_range_fade_5m", "btc_bos_retrace_1h"])
def test_the_plays_of_the_specification_load(name: str) -> None:
    play = load_play(SPEC_PLAYS / f"{name}.yaml", instruments=find_instrument)

    assert play.name == name
    assert play.risk.stop is not None
    assert play.leverage == {"sol_pullback_15m_1h_d": 4, "eth_range_fade_5m": 2, "btc_bos_retrace_1h": 3}[name]


def test_a_file_with_more_problems_than_anybody_mends_is_given_up_on() -> None:
    with pytest.raises(PlayErrors) as failed:
        load(document(**{f"key_{place}": 1 for place in range(PROBLEMS_MAX + 100)}))
    assert len(failed.value.problems) == PROBLEMS_MAX + 1
    last = failed.value.problems[-1]
    assert last.message == "these are 500 problems; the file was not looked at any further"
    assert last.remedy


def test_a_text_with_more_faults_than_anybody_mends_is_given_up_on() -> None:
    with pytest.raises(PlayErrors) as failed:
        load(text_of(document()) + "name: again\n" * (PROBLEMS_MAX + 100))
    assert len(failed.value.problems) == PROBLEMS_MAX + 1


def test_warnings_beyond_those_that_anybody_reads_are_counted() -> None:
    features = {**DOCUMENT["features"], **{f"spare_{place}": {"indicator": "ema"} for place in range(600)}}
    warnings = load(document(features=features)).warnings
    unused = sum("is never used" in problem.message for problem in load(document()).warnings)
    assert len(warnings) == PROBLEMS_MAX + 1
    assert warnings[-1].message == f"there are {600 + unused - PROBLEMS_MAX} further warnings"


def test_a_name_among_thousands_is_still_suggested() -> None:
    features = {**DOCUMENT["features"], **{f"spare_{place}": {"indicator": "ema"} for place in range(3000)}}
    with pytest.raises(PlayErrors, match="did you mean 'ema_20'"):
        load(entry(["close", ">", "ema_2O"], features=features))


def test_of_a_long_line_the_part_around_the_mistake_is_shown() -> None:
    text = "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in document(entri={}).items()) + "}"
    (found,) = problems(text)
    head, line, caret = render_with_excerpt(found).splitlines()
    assert "unknown key 'entri'" in head
    assert len(line) < 200
    assert line[caret.index("^") : caret.rindex("^") + 1] == "entri"


def test_thousands_of_mistakes_keep_nobody_waiting() -> None:
    """Each costs a search for the nearest of as many names, were they all looked at."""
    features = {f"feature_{place}": {"indicator": "ema"} for place in range(5000)}
    wrong = [["close", ">", f"feture_{place}"] for place in range(5000)]
    with within(60), pytest.raises(PlayErrors):
        load(entry({"any": wrong}, features=features))
