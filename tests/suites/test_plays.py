"""Every play of the chosen tier runs in both lanes and again, is audited, and trades; or is refused as it must be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evenkeel.api import Outcome
from suites import document
from suites.rows import Row, find, in_tier
from suites.trial import Trial, attempt, differences, failed_checks, run_lane, unrepeated, unspecified, untimely


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        rows = in_tier(metafunc.config.getoption("tier"))
        metafunc.parametrize("row", rows, ids=[f"{row.suite}-{row.id}" for row in rows])


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    """In the full tier every play is run a second time in both lanes, on a market that is made a second time (G14)."""
    return bool(request.config.getoption("tier") == "full")


def test_a_play_does_what_its_row_says(
    row: Row, tmp_path: Path, thorough: bool, request: pytest.FixtureRequest
) -> None:
    if row.is_recorded:
        request.getfixturevalue("shared_data")
    problems = attempt(row, tmp_path, thorough=thorough).problems
    assert not problems, "\n".join([*problems, f"see it alone: python -m tests.suites run {row.id}"])


def test_resting_orders_cost_less_than_the_same_orders_at_the_market(tmp_path: Path) -> None:
    """The maker's fee is 5 basis points and the taker's 12, plus slippage: at the entry nothing else differs."""
    maker, taker = (entry_cost(tmp_path, name) for name in ("limit_fee_maker", "limit_fee_taker"))

    assert maker == Decimal("0.0005")
    assert taker == Decimal("0.0012")


def entry_cost(folder: Path, name: str) -> Decimal:
    """Return the fee of the entries of a play, as a fraction of what was bought, to a hundredth of a basis point."""
    (folder / name).mkdir()
    trial: Trial = attempt(find(name), folder / name, thorough=False)
    assert trial.problems == []
    fees = sum(Decimal(trade["entry_fee"]) for trade in trial.trades)
    bought = sum(Decimal(trade["entry_price"]) * Decimal(trade["qty"]) for trade in trial.trades)
    return (fees / bought).quantize(Decimal("0.000001"))


class TestATrialCanFail:
    """Each thing that a trial looks at is seen when it is wrong."""

    def problems(self, folder: Path, row: Row) -> str:
        return "; ".join(attempt(row, folder, thorough=False).problems)

    def altered(self, name: str, **facts: Any) -> Row:
        return replace(find(name), **facts)

    def test_a_play_that_never_trades(self, tmp_path: Path) -> None:
        row = self.altered("step_01_one_condition", when=[["close", "<", 0]])
        assert "0 trades; 1 or more are expected" in self.problems(tmp_path, row)

    def test_a_play_that_does_not_load(self, tmp_path: Path) -> None:
        row = self.altered("step_01_one_condition", when=["close", ">", "nothing"])
        assert "it does not run" in self.problems(tmp_path, row)

    def test_a_run_that_ends_otherwise(self, tmp_path: Path) -> None:
        row = self.altered("step_01_one_condition", expect={"stop_reason": "max_drawdown"})
        assert "the run stopped with end_of_data; max_drawdown is expected" in self.problems(tmp_path, row)

    def test_a_side_that_is_not_traded(self, tmp_path: Path) -> None:
        row = self.altered("step_07_both_sides", when_short=["close", "<", 0])
        assert "the sides traded are long, not both" in self.problems(tmp_path, row)

    def test_an_exit_that_never_happens(self, tmp_path: Path) -> None:
        row = self.altered("step_01_one_condition", expect={"exits": ["max_drawdown"]})
        assert "no trade ended by max_drawdown" in self.problems(tmp_path, row)

    def test_results_that_differ(self, tmp_path: Path) -> None:
        one, other = (self.outcome(tmp_path, name) for name in ("step_01_one_condition", "step_03_stop_by_range"))

        assert list(differences(one, one)) == list(unrepeated(one, one, [one, one])) == []
        assert {told.removeprefix("the lanes differ in ") for told in differences(one, other)} == {
            "their result hash", "trades.csv", "fills.csv", "equity.parquet", "their metrics",
        }  # fmt: skip
        assert "a second run in the research lane differs in result_hash" in unrepeated(one, one, [other])

    def test_checks_that_fail_or_are_too_few(self, tmp_path: Path) -> None:
        outcome = self.outcome(tmp_path, "step_01_one_condition")
        checks = outcome.result["checks"]
        assert list(failed_checks(outcome)) == []

        outcome.result["checks"] = [{**checks[0], "ok": False, "detail": "it is torn"}]
        told = list(failed_checks(outcome))
        assert told[:2] == ["the audit failed LOAD: it is torn", "the audit ran 1 checks; 23 are needed"]
        assert "the audit has no SIGNAL_REPLAY" in told
        assert len(told) == 2 + 31

    def test_a_check_that_is_skipped(self, tmp_path: Path) -> None:
        checks = self.outcome(tmp_path, "step_01_one_condition").result["checks"]
        skipped = [{**check, "skipped": check["name"] == "NO_LOOKAHEAD", "detail": "no time"} for check in checks]

        assert list(unspecified(checks)) == []
        assert list(unspecified(skipped)) == ["the audit skipped NO_LOOKAHEAD: no time"]

    def outcome(self, folder: Path, name: str) -> Outcome:
        file = folder / f"{name}.yaml"
        file.write_text(document.text(find(name)), "utf-8")
        return run_lane(find(name), file, folder / f"{name}_run", "research")

    def test_times_out_of_order(self) -> None:
        trade = {"trade": "1", "decided_time": "2024-01-01T00:05:00Z", "entry_time": "2024-01-01T00:04:00Z",
                 "exit_time": "2024-01-01T00:09:30Z"}  # fmt: skip
        told = list(untimely([trade]))

        assert told == ["trade 1: its times are not in order", "trade 1: 2024-01-01T00:09:30Z is no whole minute"]

    def test_a_bad_play_that_loads(self, tmp_path: Path) -> None:
        row = self.altered("refuse_field", when=["macd_12.histogram", ">", 0], use={"macd_12": "macd 12 26 9"})
        assert "it loads; it should be refused" in self.problems(tmp_path, row)

    def test_a_bad_play_that_is_refused_for_another_reason(self, tmp_path: Path) -> None:
        row = self.altered("refuse_field", expect={"load_error": "did you mean 'signal'"})
        assert "it is refused, but not because of" in self.problems(tmp_path, row)
