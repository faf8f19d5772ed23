"""Limits: ranges, the figures of the profiles from the specifications, tightening, and files of one's own."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import UsageError
from evenkeel.risk.limits.limits import ORDERED, Limits, admitted, agreed, all_rules, differences, looser, tightened
from evenkeel.risk.limits.load import load_limits, read_limits
from evenkeel.risk.limits.market import EVENT_WINDOWS, Impact, Market, Window
from evenkeel.risk.limits.profiles import PROFILES, profile
from evenkeel.risk.limits.rule import Tighter

COLUMNS = {
    "exposure.position_size": ("0.02", "0.05", "0.10"),
    "exposure.max_position_size": ("0.03", "0.08", "0.15"),
    "trade.stop_default": ("0.01", "0.02", "0.03"),
    "trade.target_default": ("0.02", "0.05", "0.08"),
    "losses.daily_fraction": ("0.025", "0.03", "0.04"),
    "losses.intraday_drawdown": ("0.03", "0.05", "0.07"),
    "losses.soft_drawdown": ("0.015", "0.03", "0.04"),
    "losses.soft_scale": ("0.80", "0.75", "0.70"),
    "losses.medium_drawdown": ("0.0225", "0.04", "0.055"),
    "losses.medium_scale": ("0.60", "0.55", "0.45"),
    "losses.cooldown_s": ("3600", "5400", "7200"),
}
"""The table of operations.md 1.4."""

PERP_SMALL = {
    "margin.maintenance_rate": "0.90", "margin.initial_rate": "0.80", "margin.least_available": "100",
    "exposure.positions": "10", "margin.funding_per_day": "0.01", "losses.daily": "20",
    "exposure.max_position_notional": "50", "exposure.gross_notional": "200", "exposure.least_room": "0.1",
    "trade.loss_fraction": "0.02", "exposure.least_notional": "5", "margin.leverage": "3", "margin.hard_leverage": "10",
}  # fmt: skip
"""plays.md 7.5, and row 43 of operations.md 1.3."""

MICRO_FUTURES = {
    "trade.loss": "15", "trade.stop_ticks": "12", "trade.least_stop_ticks": "2", "exposure.position_quantity": "1",
    "exposure.positions": "1", "pace.trades": "2", "pace.entries_per_hour": "1", "pace.entry_gap_s": "1800",
    "losses.account_streak": "2", "losses.daily": "30", "losses.weekly": "75", "losses.monthly": "150",
    "trade.friction": "0.30", "trade.friction_cost": "9", "trade.friction_extra": "6", "market.dvs_entry": "0.80",
    "market.eqs_entry": "0.75", "market.dvs_hold": "0.60", "market.eqs_kill": "0.30", "prices.spread_ticks": "3",
    "orders.unknown_kill_s": "10", "orders.lost_exposed_s": "15", "orders.lost_flat_s": "60",
    "operation.kills": "1",
}  # fmt: skip
"""belief.md 5.7 and 9.1."""


@pytest.mark.parametrize("name", COLUMNS)
def test_the_profiles_have_the_figures_of_their_columns(name: str) -> None:
    found = [profile(which).value(name) for which in ("conservative", "balanced", "aggressive")]

    assert found == [D(figure) for figure in COLUMNS[name]]


@pytest.mark.parametrize(("which", "figures"), [("perp_small", PERP_SMALL), ("micro_futures", MICRO_FUTURES)])
def test_a_profile_has_the_figures_of_its_specification(which: str, figures: dict[str, str]) -> None:
    limits = profile(which)

    assert {name: limits.value(name) for name in figures} == {name: D(figure) for name, figure in figures.items()}


def test_micro_futures_takes_no_market_entry_and_its_streak_lasts_to_the_next_session() -> None:
    limits = profile("micro_futures")

    assert not limits.prices.market_entries
    assert limits.losses.account_rest_s is None
    assert [(str(tier.below), tier.stop_ticks, tier.trade_loss) for tier in limits.trade.tiers] == [
        ("2500", 10, D(12)), ("7500", 14, D(15)), ("None", 18, D(15)),
    ]  # fmt: skip


def test_the_windows_of_economic_events_are_those_of_the_table() -> None:
    found = {one.kind: (one.impact, one.before_s / 3600, one.after_s / 3600) for one in EVENT_WINDOWS}

    assert found == {
        "rate_decision": (Impact.HIGH, 2, 2), "chair_speech": (Impact.HIGH, 0.5, 1),
        "payrolls": (Impact.HIGH, 0.5, 1.5), "unemployment": (Impact.HIGH, 0.5, 1.5), "cpi": (Impact.HIGH, 0.5, 1.5),
        "pce": (Impact.HIGH, 0.5, 1.5), "minutes": (Impact.MEDIUM, 0.5, 1), "ppi": (Impact.MEDIUM, 0.5, 1),
        "gdp": (Impact.MEDIUM, 0.5, 1), "retail_sales": (Impact.MEDIUM, 0.5, 0.5), "ism": (Impact.MEDIUM, 0.5, 0.5),
        "claims": (Impact.LOW, 0, 0.5),
    }  # fmt: skip


def test_every_limit_says_what_it_means_in_which_unit_and_range() -> None:
    for name, rule in all_rules().items():
        assert rule.meaning.endswith("."), name
        assert rule.unit, name
        assert bool(rule.span) == (not isinstance(PROFILES["balanced"].value(name), bool | tuple)), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("losses.daily_fraction", D("0.2000001")), ("losses.daily_fraction", D(0)), ("losses.cooldown_s", 59),
        ("exposure.max_position_size", D("1.01")), ("prices.collar", D("NaN")), ("losses.soft_scale", D(0)),
        ("trade.stop_default", D("0.51")),
    ],
)  # fmt: skip
def test_row_97_nonsense_in_a_limit_refuses_start_and_names_field_value_and_range(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        profile("balanced").replaced({name: value})

    assert caught.value.reason == "BAD_LIMIT"
    assert name in caught.value.message
    assert str(value) in caught.value.message
    assert all_rules()[name].span in caught.value.message


@pytest.mark.parametrize(
    "values",
    [
        {"losses.soft_drawdown": D("0.04")}, {"losses.medium_drawdown": D("0.05")},
        {"losses.medium_scale": D("0.76")}, {"exposure.position_size": D("0.081")},
        {"market.dvs_kill": D("0.61")}, {"operation.clock_warn_ms": 1_001},
    ],
)  # fmt: skip
def test_limits_that_contradict_each_other_refuse_start(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="must"):
        profile("balanced").replaced(values)


def test_row_97_two_files_that_disagree_refuse_start() -> None:
    one = profile("micro_futures")
    other = one.replaced({"trade.loss": D(5), "losses.daily": D(50)}, name="second")

    assert agreed(one, msgspec.structs.replace(one, name="copy")) is one
    with pytest.raises(UsageError, match=r"trade.loss is 15 in micro_futures and 5 in second.*losses.daily") as caught:
        agreed(one, other)
    assert caught.value.reason == "LIMITS_DISAGREE"
    assert len(differences(one, other)) == 2


@pytest.mark.parametrize("mode", ["demo", "live"])
def test_demo_and_live_refuse_research_no_profile_and_limits_without_a_daily_loss(mode: str) -> None:
    bare = PROFILES["research"].replaced({}, name="mine")
    for limits in (None, PROFILES["research"], bare):
        with pytest.raises(UsageError) as caught:
            admitted(limits, mode=mode)
        assert caught.value.reason == "NO_LIMITS"
    assert admitted(PROFILES["conservative"], mode=mode) is PROFILES["conservative"]


@pytest.mark.parametrize("mode", ["backtest", "observe", "paper"])
def test_other_modes_run_without_limits(mode: str) -> None:
    assert admitted(None, mode=mode) is None
    assert admitted(PROFILES["research"], mode=mode) is PROFILES["research"]


def test_a_strategy_tightens_and_never_loosens() -> None:
    limits = profile("balanced")
    own: dict[str, Any] = {
        "losses.daily_fraction": D("0.01"), "exposure.positions": 9, "market.dvs_entry": D("0.9"),
        "trade.stop_required": False, "prices.market_entries": False, "losses.daily": D(100),
        "market.closed_windows": (Window.parse("15:00-15:30"),), "prices.spread_bps": None,
    }  # fmt: skip

    found = tightened(limits, own)

    assert found.losses.daily_fraction == D("0.01")
    assert found.exposure.positions == 5
    assert found.market.dvs_entry == D("0.9")
    assert found.trade.stop_required
    assert not found.prices.market_entries
    assert found.losses.daily == 100
    assert found.market.closed_windows == (Window.parse("11:30-13:30"), Window.parse("15:00-15:30"))
    assert found.prices.spread_bps == 12
    assert looser(limits, own) == ("exposure.positions", "trade.stop_required")


def decimals(name: str) -> st.SearchStrategy[D | None]:
    rule = all_rules()[name]
    return st.none() | st.decimals(0, 1, places=3).filter(rule.holds)


FREE = [
    name
    for name, rule in all_rules().items()
    if rule.tighter in (Tighter.LESS, Tighter.MORE)
    and isinstance(PROFILES["balanced"].value(name), D)
    and not name.startswith(("losses.soft", "losses.medium", "losses.intraday"))
    and name not in {other for names in ORDERED for other in names}
]
"""Limits that no other limit has to stay below or above."""


@given(st.sampled_from(FREE).flatmap(lambda name: st.tuples(st.just(name), decimals(name))))
def test_what_is_tightened_allows_no_more_than_either(case: tuple[str, D | None]) -> None:
    name, value = case
    limits, rule = profile("balanced"), all_rules()[name]
    if value is None and not rule_is_optional(limits, name):
        return

    found = tightened(limits, {name: value}).value(name)

    assert found in (value, limits.value(name))
    for other in (value, limits.value(name)):
        if other is not None:
            assert found <= other if rule.tighter is Tighter.LESS else found >= other


def rule_is_optional(limits: Limits, name: str) -> bool:
    return name not in ("prices.exit_collar_factor", "prices.least_price") and limits.value(name) is not None


FILE = """\
name: my_desk
profile: conservative
limits:
  losses: { daily_fraction: 0.02, daily: 250 }
  market:
    closed_windows: ["09:30-09:45", "11:30-13:30"]
    events:
      - { kind: auction, impact: high, before_s: 60, after_s: 120 }
  trade:
    tiers: [{ below: 2000.5, stop_ticks: 8, trade_loss: 10 }, { stop_ticks: 9, trade_loss: 11 }]
"""


def test_a_file_of_limits_is_a_profile_and_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(FILE, "utf-8")

    limits = load_limits(path)

    assert limits.name == "my_desk"
    assert (limits.losses.daily_fraction, limits.losses.daily) == (D("0.02"), D(250))
    assert limits.market.closed_windows == (Window(570, 585), Window(690, 810))
    assert [(one.kind, one.impact, one.before_s) for one in limits.market.events] == [("auction", Impact.HIGH, 60)]
    assert [(tier.below, tier.stop_ticks) for tier in limits.trade.tiers] == [(D("2000.5"), 8), (None, 9)]
    assert limits.exposure == profile("conservative").exposure


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nprofile: b\nlimits: {}\n", r"x:2:10: profile: .*known are research, conservative"),
        ("name: balanced\nprofile: balanced\nlimits: {}\n", r"x:1:7: name: .*that no profile has"),
        ("name: a\nprofile: balanced\n", r"limits: `limits` is a map of groups"),
        ("name: a\nprofile: balanced\nlimits: { loses: {} }\n", r"x:3:11: .*did you mean 'losses'"),
        ("name: a\nprofile: balanced\nlimits: { losses: { dayly: 1 } }\n", r"x:3:21: .*did you mean 'daily'"),
        ("name: a\nprofile: balanced\nlimits: { losses: { daily: -1 } }\n", r"x:3:28: .*does not lie in \(0, inf\)"),
        ("name: a\nprofile: balanced\nlimits: { losses: { daily: yes } }\n", r"'yes' is no number"),
        ("name: a\nprofile: balanced\nlimits: { pace: { trades: 2.5 } }\n", r"2.5 is no whole number"),
        ("name: a\nprofile: balanced\nlimits: { market: { sessions: 1 } }\n", r"1 is neither true nor false"),
        ("name: a\nprofile: balanced\nlimits: { market: { closed_windows: ['9:30-9:45'] } }\n", r"no time of day"),
        ("name: a\nprofile: balanced\nlimits: { market: { closed_windows: ['13:30-11:30'] } }\n", r"no time of day"),
        ("name: a\nprofile: balanced\nlimits: { trade: { tiers: [{ stop_ticks: 1 }] } }\n", r"item of the list"),
        ("name: a\nprofile: balanced\nlimits: { losses: { soft_drawdown: 0.06 } }\n", r"must rise in that order"),
        ("name: a\nprofile: balanced\nlimits: {}\nlimit: {}\n", r"x:4:1: .*did you mean 'limits'"),
        ("- 1\n", r"is a map"),
        ("", r"the file is empty"),
    ],
)
def test_what_is_wrong_with_a_file_of_limits_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_limits(text, "x")
    assert caught.value.reason == "BAD_LIMITS"


def test_there_is_no_other_profile() -> None:
    with pytest.raises(UsageError, match="known are research, conservative, balanced, aggressive, perp_small, micro_f"):
        profile("bold")


def test_a_group_cannot_be_made_of_values_outside_their_ranges() -> None:
    with pytest.raises(UsageError, match=r"market.bar_age is 0.5, and its range is \[1, inf\)"):
        Market(bar_age=D("0.5"))
