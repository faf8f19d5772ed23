"""The screen proves most positions at once, and nothing that is wrong: the least change anywhere leaves a doubt."""

from __future__ import annotations

import decimal
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from evenkeel.readiness.audit import audit
from evenkeel.readiness.audit.artifacts import read_run
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.screen import screened

from .audited_run import Hand, Scenario, Written, edit_csv, flat, write
from .rule_scenarios import CROSSED
from .scenarios import ALL, FORTY_DAYS, LONG_STOP, LONG_STOP_GAP, SHORT_TARGET
from .tables import bars_of, higher_of

SLIPPED_STOP = replace(
    LONG_STOP,
    bars=[*flat(100.03, 5), (100.03, 100.5, 99.5, 100.0), *flat(99.5, 1), (99.5, 99.6, 98.0, 98.2), *flat(98.2, 7)],
    trades=[
        Hand(
            side="long", qty="9.997", decided=5, entry=5, entry_price="100.050006", entry_fee="0.55010995",
            stop="98.1", target="104.0", entry_slippage="0.19999998", exit=7, exit_price="98.08038",
            exit_fee="0.53928026", reason="sl", exit_point="inside", gross="-19.69035112", net="-20.77974133",
            exit_slippage="0.19614114", mae=0.0196864147, mfe=0.0044976909,
        )
    ],
)  # fmt: skip
"""Bought off the tick grid: the stop of 2.0006 lies between two ticks, so that its level proves its distance."""

NAMED = {
    "models": {}, "account.queue": {"model": "touch", "ticks": 1, "share": 0.1}, "account.latency_ms": 0,
    "account.trigger_source": "LastPrice",
}  # fmt: skip
"""What every run states of its models."""

SPREAD = {**NAMED, "account.slippage_bps": "0", "account.half_spread_bps": "2"}

PROVEN = {
    "stop": SLIPPED_STOP, "signals": FORTY_DAYS, "rules": CROSSED, "models": replace(SLIPPED_STOP, changes=NAMED),
    "spread": replace(SLIPPED_STOP, changes=SPREAD),
}  # fmt: skip


def proven(run: Written) -> list[bool]:
    """Return which positions of a run the screen proves."""
    with decimal.localcontext(decimal.Context(prec=50)):
        files = read_run(run.folder)
        bars = bars_of(run)
        found: list[bool] = screened(files, bars, Knowledge(files.terms, bars, higher_of(run)), []).tolist()
        return found


@pytest.mark.parametrize("name", PROVEN)
def test_correct_positions_are_proven(name: str, tmp_path: Path) -> None:
    run = write(tmp_path, PROVEN[name])

    assert all(proven(run))
    assert [check for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher) if check.failed] == []


MONEY = ("gross_pnl", "fees", "funding", "net_pnl", "entry_fee", "exit_fee", "slippage")
LEAST = {name: Decimal("1e-8") for name in MONEY} | {
    "qty": Decimal("0.00000001"), "entry_price": Decimal("1e-9"), "exit_price": Decimal("1e-9"),
    "mae": Decimal("0.001"), "mfe": Decimal("0.2"), "bars_held": Decimal(1), "leg": Decimal(1),
}  # fmt: skip
OTHER = {
    "trade": "7", "symbol": "ETHUSDT", "side": "short", "entry_time": "2024-01-01T00:06:00Z",
    "exit_time": "2024-01-01T00:08:00Z", "exit_reason": "tp", "decided_time": "2024-01-01T00:04:00Z",
    "entry_kind": "limit", "entry_point": "inside", "exit_point": "close", "entry_liquidity": "maker",
    "exit_liquidity": "maker", "stop_price": "98.2", "target_price": "103.9", "final_stop": "98.2",
}  # fmt: skip


@pytest.mark.parametrize("column", [*LEAST, *OTHER])
def test_a_smallest_change_of_a_row_leaves_it_in_doubt(column: str, tmp_path: Path) -> None:
    run = write(tmp_path, SLIPPED_STOP)
    value = OTHER.get(column)
    if value is None:
        row = dict(
            zip(*(line.split(",") for line in (run.folder / "trades.csv").read_text().splitlines()), strict=True)
        )
        value = format(Decimal(row[column]) + LEAST[column], "f")

    edit_csv(run.folder / "trades.csv", 0, **{column: value})

    assert proven(run) == [False]


@pytest.mark.parametrize("fill", [0, 1])
@pytest.mark.parametrize("column", ["qty", "price", "fee", "slippage"])
def test_a_smallest_change_of_a_fill_leaves_its_position_in_doubt(column: str, fill: int, tmp_path: Path) -> None:
    run = write(tmp_path, SLIPPED_STOP)
    lines = [line.split(",") for line in (run.folder / "fills.csv").read_text().splitlines()]
    value = Decimal(dict(zip(lines[0], lines[fill + 1], strict=True))[column]) + Decimal("1e-8")

    edit_csv(run.folder / "fills.csv", fill, **{column: format(value, "f")})

    assert proven(run) == [False]


@pytest.mark.parametrize("fill", [0, 1])
@pytest.mark.parametrize(
    ("column", "value"),
    [("side", ""), ("leg", "guard"), ("order_kind", "limit"), ("liquidity", "maker"), ("point", "close"),
     ("time", "2024-01-01T00:03:00Z"), ("trade", "2"), ("symbol", "ETHUSDT")],
)  # fmt: skip
def test_a_word_of_a_fill_leaves_its_position_in_doubt(column: str, value: str, fill: int, tmp_path: Path) -> None:
    run = write(tmp_path, SLIPPED_STOP)

    edit_csv(run.folder / "fills.csv", fill, **{column: value or ("sell", "buy")[fill]})

    assert proven(run) == [False]


@pytest.mark.parametrize("name", ALL)
def test_what_the_screen_proves_of_a_scenario_passes_every_check(name: str, tmp_path: Path) -> None:
    run = write(tmp_path, ALL[name])
    found = proven(run)

    assert len(found) == len({hand[0] for hand in ALL[name].numbered})


@pytest.mark.parametrize("scenario", [LONG_STOP, LONG_STOP_GAP, SHORT_TARGET], ids=["stop", "gap", "target"])
def test_a_level_that_rounding_may_have_moved_is_looked_at_one_by_one(scenario: Scenario, tmp_path: Path) -> None:
    """A distance that ends on a tick proves nothing in float64: on which side of the tick it lies is not known."""
    assert len(proven(write(tmp_path, scenario))) == 1
