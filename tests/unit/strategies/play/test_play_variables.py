"""Variables keep their type, overrides win, and neither is silent about a mistake."""

from __future__ import annotations

import pytest

from .play_desk import DOCUMENT, document, load, told, warned

FEATURES = {**DOCUMENT["features"], "ema_20": {"indicator": "ema", "params": {"length": "{{ n }}"}}}


def test_a_whole_token_keeps_the_type_of_the_variable() -> None:
    play = load(document(features=FEATURES, variables={"n": 34}))
    assert play.features[0].params == {"length": 34}


def test_a_token_within_a_text_is_written_into_it() -> None:
    play = load(document(variables={"n": 20}, actions={"entry_long": ["close", ">", "ema_{{ n }}"]}))
    assert play.resolved["actions"] == {"entry_long": ["close", ">", "ema_20"]}


def test_variables_reach_every_section() -> None:
    play = load(
        document(
            variables={"sym": "SPY.US", "tf": "1h", "pct": 1.5, "mode": "long_only", "yes": True},
            symbol="{{ sym }}",
            timeframes={"low_tf": "15m", "med_tf": "{{tf}}", "high_tf": "D", "exec": "low_tf"},
            account={"include_close_fee": "{{ yes }}"},
            position_policy={"mode": "{{ mode }}", "exit_mode": "first_hit"},
            risk={"stop_loss_pct": "{{ pct }}"},
        )
    )
    assert (play.instrument.id, play.intervals.med.name, play.policy.mode) == ("SPY.US", "1h", "long_only")
    assert play.account.include_close_fee is True


def test_an_unknown_variable_is_told_once_with_the_nearest_name() -> None:
    broken = document(features=FEATURES, variables={"nn": 20}, description="uses {{ nn }}")
    assert told(broken) == ["features.ema_20.params.length: the variable 'n' is not declared; did you mean 'nn'?"]


def test_a_variable_of_the_wrong_type_is_refused_where_it_is_used() -> None:
    assert told(document(features=FEATURES, variables={"n": "long"})) == [
        "features.ema_20.params.length: 'long' is not a whole number"
    ]


def test_an_unused_variable_is_a_warning() -> None:
    assert "variables.spare: the variable 'spare' is never used" in warned(document(variables={"spare": 1}))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ([1], "variables: variables must be a map"),
        ({"n": [1]}, "variables.n: the variable 'n' must be a number"),
        ({"n": None}, "variables.n: the variable 'n' must be a number"),
        ({"a": 1, "n": "{{ a }}"}, "variables.n: the variable 'n' uses another variable"),
        ({"n m": 1}, "variables.n m: 'n m' is not a name"),
    ],
)
def test_a_variable_is_a_named_scalar(variables: object, message: str) -> None:
    assert any(line.startswith(message) for line in told(document(variables=variables)))


def test_a_set_replaces_a_variable_or_any_value() -> None:
    play = load(document(features=FEATURES, variables={"n": 20}), **{"n": "55", "risk.stop_loss_pct": "3"})
    assert play.features[0].params == {"length": 55}
    assert play.resolved["risk_model"]["stop_loss"]["value"] == 3.0


def test_a_set_may_add_what_is_absent_and_go_into_lists() -> None:
    play = load(document(), **{"account.fee_model.taker_bps": "7", "structures.exec.0.params.left": "5"})
    assert str(play.account.taker_bps) == "7.0"
    assert play.structures[0].params["left"] == 5


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fsat", "1", "there is no variable 'fsat'; did you mean 'fast'?"),
        ("risk.stop_loss_pct", "two", "'two' is not a number"),
        ("risk.stop_los_pct", "2", "unknown key 'stop_los_pct'"),
        ("structures.exec.7.key", "x", "there is no '7'"),
        ("name.x", "x", "there is no 'x' that could be set"),
        ("fast", "[1", "this is not YAML"),
    ],
)
def test_a_wrong_set_names_the_option(name: str, value: str, message: str) -> None:
    from .play_desk import problems

    found = problems(document(variables={"fast": 1}), **{name: value})
    assert [problem.file for problem in found] == [f"--set {name}={value}"]
    assert message in found[0].message
    assert found[0].line == 0


def test_a_set_changes_the_hash() -> None:
    values = document(features=FEATURES, variables={"n": 20})
    assert load(values).hash == load(values, n="20").hash
    assert load(values).hash != load(values, n="21").hash


def test_what_one_load_sets_is_unknown_to_the_next() -> None:
    """Texts are read once and their readings shared; a value put inside a value that was set must not stay there."""
    whole = "{ starting_equity: 5000, slippage_bps: 1 }"
    first = load(document(), account=whole, **{"account.slippage_bps": "7"})
    second = load(document(), account=whole)
    plain = load(document())

    assert [play.resolved["account"]["slippage_bps"] for play in (first, second)] == [7, 1]
    assert plain.hash == load(document()).hash != second.hash
