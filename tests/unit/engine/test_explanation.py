"""A moment of a run, explained: what kept it from deciding, what it decided, and which condition failed first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

import desk
from desk import flat
from evenkeel.cli.condition_tree import tree_lines
from evenkeel.engine.core import Core, Step
from evenkeel.engine.explain import explain_refusals
from evenkeel.engine.explanation import ExplainedRun, Explanation, explain_moment, explain_orders
from evenkeel.engine.market import Market
from evenkeel.engine.moment import decision_bar, moment_of
from evenkeel.engine.replay import ReplayFeatures
from evenkeel.model.bar import Bars
from evenkeel.model.decision import EntryApproved, EntryRefused, ExitOrdered
from evenkeel.model.errors import UsageError
from evenkeel.model.event import BarsClosed
from evenkeel.model.time import MINUTE, format_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.play.reasons import ConditionReason
from evenkeel.strategies.play.verdict import Verdict
from random_plays import random_play
from reference import language

PLAIN: dict[str, Any] = {
    "version": "3.0.0",
    "name": "explained",
    "symbol": "X",
    "timeframes": {"low_tf": "1m", "med_tf": "1m", "high_tf": "1m", "exec": "low_tf"},
    "account": {"max_drawdown_pct": 100, "slippage_bps": 0, "fee_model": {"taker_bps": 0, "maker_bps": 0}},
    "features": {"sma_3": {"indicator": "sma", "params": {"length": 3}}},
    "actions": {"entry_long": ["close", "cross_above", "sma_3"], "exit_long": ["close", "<", 90]},
    "position_policy": {"mode": "long_only", "exit_mode": "first_hit"},
    "risk": {"stop_loss": {"type": "fixed_points", "value": 20}},
}


def bars_of(*closes: float) -> Bars:
    return desk.bars([(c, c, c, c) for c in closes])


def without(bars: Bars, start: int, stop: int) -> Bars:
    """Return bars with a gap."""
    kept = np.r_[0:start, stop : len(bars)]
    columns = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    return Bars(bars.timeframe, *(getattr(bars, name)[kept] for name in columns))


def play(**sections: Any) -> PlayStrategy:
    document = {key: value for key, value in {**PLAIN, **sections}.items() if value is not None}
    return desk.play_of(yaml.safe_dump(document))


def run_of(strategy: Any, series: Bars, *, steps: list[Step] | None = None, **window: Any) -> ExplainedRun:
    """Run the engine lane and return what explains it."""
    market: Market = desk.play_market(strategy, series, **window)
    taken = desk.engine_run(strategy, market)[2] if steps is None else steps
    rules = strategy.rules() if isinstance(strategy, PlayStrategy) else None
    return ExplainedRun(desk.facts_of(strategy), strategy, market, taken, rules, getattr(strategy, "lines", {}))


def closed(bar: int) -> int:
    return desk.START + (bar + 1) * MINUTE


def at(run: ExplainedRun, bar: int) -> Explanation:
    """Explain the bar of that number."""
    return explain_moment(run, decision_bar(run.market, closed(bar)))


def said(run: ExplainedRun, bar: int) -> str:
    return "\n".join(at(run, bar).answer)


CLOSES = (100, 100, 100, 99, 98, 102, 103, 104, 85, 86, 87)
"""The mean of three and a cross need four bars; the close crosses it at bar 5 and falls below 90 at bar 8."""


@pytest.fixture(scope="module")
def crossed() -> ExplainedRun:
    return run_of(play(), bars_of(*CLOSES))


def test_before_the_first_decision_it_was_warming_up(crossed: ExplainedRun) -> None:
    for bar in (0, 2):
        assert said(crossed, bar) == (
            "No decision: the strategy was warming up (it needs 4 bars of 1m); its first decision is at "
            "2024-01-01T00:04:00Z."
        )
        assert at(crossed, bar).rules == ()


def test_a_flat_bar_names_the_first_condition_that_failed_with_its_values(crossed: ExplainedRun) -> None:
    """The mean of 100, 99 and 98 is 99."""
    explanation = at(crossed, 4)

    assert explanation.answer == (
        'No entry: the first condition that failed is `["close","cross_above","sma_3"]` (line 9): close 98 (before '
        "99), sma_3 99 (before 99.666667).",
    )  # fmt: skip
    (rule,) = explanation.rules
    assert rule.verdict is not None
    assert (rule.spoke, rule.verdict.truth, rule.verdict.reason) == (False, False, ConditionReason.CONDITION_FALSE)
    assert explanation.moment.asked is False


def test_an_entry_and_what_follows_it_are_told(crossed: ExplainedRun) -> None:
    assert said(crossed, 5) == "Entry: the rule 'entry_long' asked for a long one, and every gate agreed."
    assert [rule.spoke for rule in at(crossed, 5).rules] == [True]
    held = at(crossed, 7)
    assert held.answer[0].startswith("No entry: a long position of ")
    assert held.answer[0].endswith(" (trade 1, open since 2024-01-01T00:06:00Z) was held.")
    assert held.answer[1] == ('No exit: the first condition that failed is `["close","<",90]` (line 13): close 104.')
    assert [rule.rule.words for rule in held.rules] == ["exit_long"]
    assert said(crossed, 8).startswith("Exit: the rule 'exit_long' closed the long position of ")
    assert said(crossed, 9).startswith("No entry: the first condition that failed is")
    assert (held.moment.opened_ns, at(crossed, 9).moment.opened_ns) == (closed(5), None)


def test_an_instant_is_that_of_the_bar_closed_by_then(crossed: ExplainedRun) -> None:
    late = decision_bar(crossed.market, closed(4) + MINUTE - 1)

    assert (late.bar, late.closed_ns, late.close) == (4, closed(4), 98.0)


@pytest.mark.parametrize("instant", [desk.START, desk.START + MINUTE - 1, closed(10) + 1])
def test_an_instant_outside_the_run_is_refused_with_its_range(crossed: ExplainedRun, instant: int) -> None:
    with pytest.raises(UsageError, match="its 1m bars close from 2024-01-01T00:01:00Z to 2024-01-01T00:11:00Z"):
        decision_bar(crossed.market, instant)


def test_bars_that_only_warm_up_are_outside_the_run() -> None:
    run = run_of(play(), bars_of(*CLOSES), start=desk.START + 5 * MINUTE)

    assert decision_bar(run.market, closed(5)).closed_ns == closed(5)
    with pytest.raises(UsageError, match="close from 2024-01-01T00:06:00Z"):
        decision_bar(run.market, closed(4))


def test_a_trade_shows_the_rules_that_opened_and_closed_it(crossed: ExplainedRun) -> None:
    entry, leave = explain_orders(crossed, 1)

    assert (entry.title, leave.title) == (
        "entry decided at 2024-01-01T00:06:00Z", "exit decided at 2024-01-01T00:09:00Z",
    )  # fmt: skip
    assert [rule.rule.words for rule in (*entry.rules, *leave.rules)] == ["entry_long", "exit_long"]
    assert all(rule.spoke for rule in (*entry.rules, *leave.rules))
    assert explain_orders(crossed, 2) == []


def test_a_trade_that_the_stop_closed_shows_its_entry_only() -> None:
    run = run_of(play(), bars_of(100, 100, 100, 99, 98, 102, 103, 60, 60))

    assert [one.title for one in explain_orders(run, 1)] == ["entry decided at 2024-01-01T00:06:00Z"]


def test_of_several_rules_each_says_its_own() -> None:
    strategy = play(
        actions={"entry_long": ["close", ">", 101], "entry_short": {"any": [["close", "<", 99], ["close", "<", 98]]}},
        position_policy={"mode": "long_short", "exit_mode": "sl_tp_only"},
        risk={"stop_loss_pct": 1, "take_profit_pct": 1},
    )

    assert said(run_of(strategy, bars_of(*CLOSES)), 1) == (
        'No entry by \'entry_long\': the first condition that failed is `["close",">",101]` (line 9): close 100.\n'
        'No entry by \'entry_short\': the first condition that failed is `["close","<",99]` (line 14): close 100; no '
        "other condition of that `any` held."
    )


def test_a_rule_behind_a_case_that_held_says_so() -> None:
    strategy = play(
        actions=[
            {
                "id": "b",
                "cases": [
                    {"when": ["close", ">", 99], "emit": ["no_action"]},
                    {"when": ["close", ">", 98], "emit": ["entry_long"]},
                ],
                "else": {"emit": ["entry_long"]},
            }
        ],
        position_policy={"mode": "long_only", "exit_mode": "first_hit"},
    )

    explanation = at(run_of(strategy, bars_of(*CLOSES)), 1)

    assert explanation.answer == (
        "No entry by 'b, case 2': an earlier case of its block held.",
        "No entry by 'b, case 3': an earlier case of its block held.",
    )
    assert [(rule.spoke, rule.verdict is None) for rule in explanation.rules] == [(False, False), (False, True)]


def test_a_negation_and_a_window_say_what_they_deny_and_count() -> None:
    denial = play(actions={"entry_long": {"not": [["close", "<", 200]]}, "exit_long": ["close", "<", 1]})
    window = play(
        actions={"entry_long": {"count_true": {"bars": 3, "min_true": 2, "expr": ["close", "<", 100]}},
                 "exit_long": ["close", "<", 1]},
    )  # fmt: skip

    assert said(run_of(denial, bars_of(*CLOSES)), 1) == (
        'No entry: the first condition that failed is `not` (line 9): `["close","<",200]` is true, close 100.'
    )
    assert said(run_of(window, bars_of(*CLOSES)), 3) == (
        'No entry: the first condition that failed is `count_true 2 of 3 bars` (line 9): `["close","<",100]`: 1 of 3 '
        "samples true."
    )


def test_what_is_unknown_is_not_called_false() -> None:
    """A supertrend has either its long or its short line: the other is missing, also long after the warm-up."""
    strategy = play(
        features={"st_3": {"indicator": "supertrend", "params": {"length": 2, "multiplier": 1.0}}},
        actions={"entry_long": {"all": [["close", ">", 1], {"not": [["st_3.short", ">", 0]]}]},
                 "exit_long": ["close", "<", 1]},
    )  # fmt: skip
    run = run_of(strategy, desk.walk(3, 200))
    found = [at(run, bar) for bar in range(20, 60)]
    unknown = [one for one in found if one.rules and one.rules[0].verdict and one.rules[0].verdict.truth is None]

    assert unknown
    assert unknown[0].answer == (
        'No entry: the first condition that is unknown is `["st_3.short",">",0]` (line 14): st_3.short missing '
        "(MISSING_LHS).",
    )


REFUSED = {"sizing": {"model": "fixed_usdt", "value": 5}, "stop_loss": {"type": "fixed_points", "value": 20}}


def test_a_gate_that_refuses_is_named_at_every_bar_at_which_it_does() -> None:
    strategy = play(actions={"entry_long": ["close", ">", 1], "exit_long": ["close", "<", 1]},
                    risk=None, risk_model=REFUSED)  # fmt: skip
    run = run_of(strategy, bars_of(*CLOSES))
    refusals = [one for step in run.steps for one in step.decisions if isinstance(one, EntryRefused)]

    assert len(refusals) == len(CLOSES)
    for bar in (0, 5):
        answer = said(run, bar)
        assert answer.startswith("No entry: the rule 'entry_long' was met, but was refused: ")
        assert answer.endswith(f"({refusals[0].reason.value})")
        assert at(run, bar).rules[0].spoke


def test_a_row_of_equal_refusals_is_one_line_with_their_number() -> None:
    strategy = play(actions={"entry_long": ["close", ">", 1], "exit_long": ["close", "<", 1]},
                    risk=None, risk_model=REFUSED)  # fmt: skip
    run = run_of(strategy, bars_of(*CLOSES))

    (line,) = explain_refusals(run.steps)

    assert line.startswith("2024-01-01T00:01:00Z  no entry (rule entry_long): ")
    assert line.endswith(f" ({len(CLOSES)} times, until {format_time(desk.minute(len(CLOSES)))})")


def test_a_conflict_is_named() -> None:
    strategy = play(
        actions={"entry_long": ["close", ">", 1], "entry_short": ["close", ">", 2]},
        position_policy={"mode": "long_short", "exit_mode": "sl_tp_only"},
        risk={"stop_loss_pct": 1, "take_profit_pct": 1},
    )

    assert said(run_of(strategy, bars_of(*CLOSES)), 2) == (
        "No entry: Long and short entries were asked for at the same instant, so neither was taken. (CONFLICT)"
    )


def test_a_working_entry_is_named() -> None:
    strategy = play(
        actions={"entry_long": ["close", ">", 101], "exit_long": ["close", "<", 1]},
        entry={"order_type": "LIMIT", "limit_offset_pct": 5},
    )
    run = run_of(strategy, bars_of(*CLOSES))

    assert said(run, 5).startswith("Entry: the rule 'entry_long'")
    assert said(run, 6) == (
        "No decision: an entry asked for at 2024-01-01T00:06:00Z by the rule 'entry_long' was still working."
    )
    assert at(run, 6).rules == ()


def test_a_run_that_had_stopped_says_when_and_why() -> None:
    strategy = play(
        account={**PLAIN["account"], "max_drawdown_pct": 2},
        actions={"entry_long": ["close", ">", 101], "exit_long": ["close", "<", 1]},
    )
    run = run_of(strategy, bars_of(*CLOSES[:8], 95, 94, 93))

    assert said(run, 8) == said(run, 10) == "No decision: the run had stopped at 2024-01-01T00:09:00Z (max_drawdown)."


def test_a_run_that_had_stopped_before_a_gap_says_so_behind_it() -> None:
    strategy = play(
        account={**PLAIN["account"], "max_drawdown_pct": 2},
        actions={"entry_long": ["close", ">", 101], "exit_long": ["close", "<", 1]},
    )
    whole = bars_of(*CLOSES[:8], 95, 94, 93, *CLOSES)
    run = run_of(strategy, without(whole, 11, 13), gaps="report")

    assert said(run, 18) == "No decision: the run had stopped at 2024-01-01T00:09:00Z (max_drawdown)."


def test_a_play_without_exits_says_what_closes_the_position() -> None:
    strategy = play(
        actions={"entry_long": ["close", ">", 101]},
        position_policy={"mode": "long_only", "exit_mode": "sl_tp_only"},
        risk={"stop_loss_pct": 50, "take_profit_pct": 50},
    )

    assert said(run_of(strategy, bars_of(*CLOSES)), 7).endswith(
        "\nNo exit: no rule of the play asks for one; stop and target close the position."
    )


def test_after_a_gap_it_warms_up_anew() -> None:
    run = run_of(play(), without(bars_of(*CLOSES, *CLOSES), 8, 11), gaps="report")

    assert decision_bar(run.market, closed(9)).closed_ns == closed(7)
    assert said(run, 12).startswith("No decision: the strategy was warming up")
    assert said(run, 16).startswith("Entry: ")
    assert said(run, 15).startswith("No entry: the first condition that failed")
    assert said(run, 7).splitlines()[0].endswith("was held.")


def test_a_run_that_was_interrupted_is_told_as_far_as_its_journal_goes() -> None:
    whole = run_of(play(), bars_of(*CLOSES))
    entered = next(n for n, step in enumerate(whole.steps) if any(isinstance(d, EntryApproved) for d in step.decisions))
    cut = run_of(play(), bars_of(*CLOSES), steps=list(whole.steps[: entered + 1]))

    assert said(cut, 5).startswith("Entry: ")
    assert said(cut, 4).startswith("No entry: ")
    with pytest.raises(UsageError, match="ends at 2024-01-01T00:06:00Z: it was interrupted"):
        at(cut, 6)
    with pytest.raises(UsageError, match="ends at its beginning"):
        at(run_of(play(), bars_of(*CLOSES), steps=[]), 4)


def test_a_strategy_in_python_says_what_cannot_be_shown(tmp_path: Any) -> None:
    from evenkeel.strategies.python_strategy import load_python_strategy

    file = tmp_path / "mine.py"
    file.write_text(
        "from evenkeel import PythonStrategy\n\n\n"
        "class Mine(PythonStrategy):\n"
        "    symbol = 'X'\n"
        "    timeframe = '1m'\n\n"
        "    def setup(self, features):\n"
        "        self.close = features.column('close')\n\n"
        "    def decide(self, view):\n"
        "        if view.position == 0 and view.value(self.close) > 101:\n"
        "            return self.long(stop=5.0, reason='high')\n"
        "        return self.nothing()\n"
    )
    strategy = load_python_strategy(file, None, instruments=lambda _: desk.instrument())
    run = run_of(strategy, bars_of(*CLOSES))

    assert said(run, 3) == (
        "No entry. The strategy was asked and wished for nothing.\n"
        "The strategy decides in Python: the conditions inside its code are not recorded and cannot be shown."
    )
    assert said(run, 5) == "Entry: the rule 'high' asked for a long one, and every gate agreed."
    assert said(run, 7).splitlines()[1] == "No exit. The strategy was asked and wished for nothing."
    assert at(run, 3).rules == ()


def kleene(verdict: Verdict) -> None:
    """Hold a tree to the rules of the language: what is inside explains what is outside."""
    children = [child.truth for child in verdict.children]
    match verdict.traced.kind:
        case "all" | "any" as kind:
            result: bool | None = kind == "all"
            for truth in children:
                result = (language.both if kind == "all" else language.either)(result, truth)
            assert verdict.truth is result
        case "not":
            assert verdict.truth is language.negation(children[0])
        case "setup":
            assert verdict.truth is children[0]
    assert (verdict.reason is ConditionReason.OK) == (verdict.truth is True)
    assert verdict.reason is not ConditionReason.INTERNAL
    for child in verdict.children:
        kleene(child)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_play_decides_its_explanation_agrees(seed: int) -> None:
    """Each recorded decision is told, its rule spoke; where nothing was decided while flat, no rule spoke in vain."""
    rng = np.random.default_rng(seed)
    run = run_of(desk.play_of(random_play(rng)), desk.walk(seed, 3000))
    asked = [step for step in run.steps if isinstance(step.event, BarsClosed)]
    chosen = [asked[int(n)] for n in rng.integers(0, len(asked), 4)] if asked else []
    (stretch,) = run.market.stretches
    closes = stretch.series.on(stretch.exec).bars.close_ns
    others = rng.integers(0, len(closes), 4)

    for step in chosen:
        explanation = explain_moment(run, decision_bar(run.market, step.event.event_ns))
        assert explanation.moment.asked
        decided = {type(one) for one in step.decisions}
        opening = explanation.answer[0].split(" ")[0]
        assert (opening == "Entry:") == (EntryApproved in decided)
        assert (opening == "Exit:") == (ExitOrdered in decided)
        assert any(rule.spoke for rule in explanation.rules) or not decided & {EntryApproved, ExitOrdered}
    for instant in [*(step.event.event_ns for step in chosen), *(int(closes[n]) for n in others)]:
        explanation = explain_moment(run, decision_bar(run.market, instant))
        for rule in explanation.rules:
            assert explanation.moment.asked or not rule.spoke
            if rule.verdict is not None:
                assert rule.verdict.truth is True or not rule.spoke
                kleene(rule.verdict)


def test_the_state_at_a_moment_is_that_of_the_core_before_it_decided(crossed: ExplainedRun) -> None:
    gates = EntryGates(crossed.strategy.terms, crossed.strategy.instrument)
    core = Core(crossed.facts, crossed.strategy, gates, ReplayFeatures(crossed.strategy, crossed.market))

    moment = moment_of(core, crossed.steps, decision_bar(crossed.market, closed(5)))

    assert moment.state is core.state
    assert moment.state.position is None
    assert moment.state.orders == {}
    assert isinstance(moment.answer, EntryApproved)


def test_an_explanation_is_plain_data_too(crossed: ExplainedRun) -> None:
    document = at(crossed, 4).document()

    assert {key: document[key] for key in ("time", "segment", "bar", "close", "position")} == {
        "time": "2024-01-01T00:05:00Z", "segment": 0, "bar": 4, "close": 98.0, "position": None,
    }  # fmt: skip
    (rule,) = document["rules"]
    assert (rule["rule"], rule["wishes"], rule["spoke"]) == ("entry_long", ["entry_long"], False)
    condition = rule["condition"]
    assert condition.pop("values") == [
        {"words": "close", "value": 98.0, "before": 99.0},
        {"words": "sma_3", "value": 99.0, "before": pytest.approx(99.6666666667)},
    ]
    assert condition == {
        "kind": "compare", "words": "close cross_above sma_3", "text": '["close","cross_above","sma_3"]',
        "path": "actions.entry_long", "line": 9, "time": "2024-01-01T00:05:00Z", "truth": False,
        "reason": "CONDITION_FALSE", "samples": None, "children": [],
    }  # fmt: skip


def test_nothing_moves_in_a_flat_market() -> None:
    run = run_of(play(), desk.bars(flat(100, 12)))

    assert said(run, 9).endswith("close 100 (before 100), sma_3 100 (before 100).")


def test_a_setup_in_many_places_is_read_and_shown_once() -> None:
    """A chain of eight by threes stands in 6,561 places."""
    setups: dict[str, Any] = {"s0": ["close", ">", 200]}
    setups |= {f"s{i}": {"any": [{"setup": f"s{i - 1}"}] * 3} for i in range(1, 9)}
    strategy = play(setups=setups, actions={"entry_long": {"setup": "s8"}, "exit_long": ["close", "<", 1]})

    explanation = at(run_of(strategy, bars_of(*CLOSES)), 1)

    assert explanation.answer[0].startswith('No entry: the first condition that failed is `["close",">",200]`')
    lines = list(tree_lines(explanation))
    assert len(lines) < 40
    assert [line.strip() for line in lines if "close > 200" in line] == [
        "[ ] close > 200  \x1b[31mFALSE\x1b[0m    close 100"
    ]
    assert sum("as above" in line for line in lines) == 16
    assert len(str(explanation.document())) < 20_000
