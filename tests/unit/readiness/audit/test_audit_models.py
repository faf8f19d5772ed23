"""Fill models by hand: spread, latency, queue, mark triggers, mark liquidations, tiers, and fills in pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evenkeel.readiness.audit import Check, audit

from .audited_run import Hand, Scenario, Written, edit_csv, edit_json, flat, write, write_csv
from .position_scenarios import LIQUIDATED
from .scenarios import LIMIT_MAKER, LONG_STOP, SIGNAL

Marks = list[tuple[float, float, float] | None]


def checked(run: Written) -> dict[str, Check]:
    """Return the checks of a run that the exchange of decision 0008 made."""
    return {check.name: check for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher)}


def modelled(folder: Path, scenario: Scenario, marks: Marks | None = None, **account: Any) -> Written:
    """Write a scenario whose manifest names its models; `marks` are open, high and low of the mark price."""
    changes = {**scenario.changes, "models": {}, **{f"account.{key}": value for key, value in account.items()}}
    run = write(folder, replace(scenario, changes=changes))
    if marks is None:
        return run
    columns = zip(*((float("nan"),) * 3 if mark is None else mark for mark in marks), strict=True)
    names = ("mark_open", "mark_high", "mark_low")
    return replace(run, base=run.base.with_columns(pl.Series(n, c) for n, c in zip(names, columns, strict=True)))


def with_volume(run: Written, volume: float) -> Written:
    """Return a run over bars of the same volume each."""
    higher = {name: table.with_columns(volume=pl.lit(5 * volume)) for name, table in run.higher.items()}
    return replace(run, base=run.base.with_columns(volume=pl.lit(volume)), higher=higher)


def failed(run: Written) -> set[str]:
    return {name for name, check in checked(run).items() if check.failed}


def test_half_the_spread_is_paid_like_slippage(tmp_path: Path) -> None:
    same = {"slippage_bps": "0", "half_spread_bps": "2"}

    assert failed(modelled(tmp_path / "right", LONG_STOP, **same)) == set()
    assert {"ENTRY_PRICE", "EXIT_FILL", "SLIPPAGE"} <= failed(modelled(tmp_path, LONG_STOP, half_spread_bps="2"))


DELAYED = replace(
    LONG_STOP,
    bars=[*flat(100.0, 6), (100.0, 100.5, 99.5, 100.0), *flat(99.5, 1), (99.5, 99.6, 98.0, 98.2), *flat(98.2, 6)],
    trades=[replace(LONG_STOP.trades[0], entry=6, exit=8)],
)
"""The same one minute later: the order came half a second after the open of minute 5."""


def test_an_order_with_latency_meets_a_later_open(tmp_path: Path) -> None:
    assert failed(modelled(tmp_path / "right", DELAYED, latency_ms=500)) == set()
    assert failed(modelled(tmp_path / "early", LONG_STOP, latency_ms=500)) == {"ENTRY_TIME"}
    assert failed(modelled(tmp_path / "late", DELAYED)) == {"ENTRY_TIME"}


def test_a_signal_with_latency_is_carried_out_later(tmp_path: Path) -> None:
    assert failed(modelled(tmp_path / "none", SIGNAL)) == set()
    assert {"ENTRY_TIME", "EXIT_TIME"} <= failed(modelled(tmp_path, SIGNAL, latency_ms=60_000))


def test_a_resting_limit_waits_for_its_turn(tmp_path: Path) -> None:
    """The low of 99.4 is one tick beyond the limit of 99.5."""
    one, two = ({"queue": {"model": "trade_through", "ticks": ticks}} for ticks in (1, 2))

    assert failed(modelled(tmp_path / "one", LIMIT_MAKER, **one)) == set()
    assert "ENTRY_PRICE" in failed(modelled(tmp_path / "two", LIMIT_MAKER, **two))


MARK_STOP = replace(
    LONG_STOP,
    bars=[*flat(100.0, 5), (100.0, 100.5, 99.5, 100.0), *flat(99.5, 1), (99.5, 99.6, 98.5, 98.6), *flat(98.6, 7)],
    trades=[
        Hand(
            side="long", qty="10", decided=5, entry=5, entry_price="100.02", entry_fee="0.55011", stop="98.1",
            target="104.0", entry_slippage="0.2", exit=7, exit_price="98.4803", exit_fee="0.54164165", reason="sl",
            exit_point="inside", gross="-15.397", net="-16.48875165", exit_slippage="0.197", mae=0.01539392,
            mfe=0.004799040,
        )
    ],
)  # fmt: skip
"""The mark falls to 98.0, the last price to 98.5 only: the stop of 98.1 fires, and fills at the end of that range."""


def test_the_mark_price_sets_off_a_stop_that_fills_at_the_last_price(tmp_path: Path) -> None:
    marks: Marks = [None] * 7 + [(99.5, 99.6, 98.0)] + [None] * 7
    source = {"trigger_source": "MarkPrice"}

    assert failed(modelled(tmp_path / "right", MARK_STOP, marks, **source)) == set()
    assert "EXIT_FILL" in failed(modelled(tmp_path / "last", MARK_STOP, marks))
    assert "EXIT_FILL" in failed(modelled(tmp_path / "unknown", MARK_STOP, **source))
    unheeded: Marks = [None] * 6 + [(99.5, 99.6, 98.0)] * 2 + [None] * 7
    assert "TP_SL_FIRST" in failed(modelled(tmp_path / "unheeded", MARK_STOP, unheeded, **source))


def test_the_index_price_sets_off_a_stop_too(tmp_path: Path) -> None:
    marks: Marks = [None] * 7 + [(99.5, 99.6, 98.0)] + [None] * 7
    run = modelled(tmp_path, MARK_STOP, marks, trigger_source="IndexPrice")
    indexed = replace(run, base=run.base.rename({f"mark_{name}": f"index_{name}" for name in ("open", "high", "low")}))

    assert failed(indexed) == set()
    assert "EXIT_FILL" in failed(run)


def test_the_mark_price_liquidates(tmp_path: Path) -> None:
    """The last price stays above 45300; the mark of the fourth hour falls below the liquidation price of 45251.14."""
    last = [*flat(50000.0, 2), (49000.0, 49000.0, 45300.0, 46000.0), (46000.0, 46000.0, 45300.0, 45500.0),
            *flat(45500.0, 2)]  # fmt: skip
    scenario = replace(LIQUIDATED, bars=last, trades=[replace(LIQUIDATED.trades[0], mae=0.0995)])
    marks: Marks = [None, None, None, (46000.0, 46000.0, 45200.0), None, None]
    early: Marks = [None, None, (49000.0, 49000.0, 45200.0), (46000.0, 46000.0, 45200.0), None, None]

    assert failed(modelled(tmp_path / "right", scenario, marks)) == set()
    assert "LIQ_DISTANCE" in failed(modelled(tmp_path / "last", scenario))
    assert "LIQ_DISTANCE" in failed(modelled(tmp_path / "early", scenario, early))


def test_a_risk_tier_takes_the_place_of_the_one_rate(tmp_path: Path) -> None:
    def tiers(maintenance: str) -> list[dict[str, Any]]:
        small = {"max_notional": "6000", "maintenance": maintenance, "deduction": "0", "max_leverage": "50"}
        return [small, {"max_notional": None, "maintenance": "0.05", "deduction": "0", "max_leverage": "5"}]

    for name, rate in (("right", "0.005"), ("wrong", "0.02")):
        run = modelled(tmp_path / name, LIQUIDATED)
        edit_json(run.folder / "manifest.json", "instrument.risk_tiers", tiers(rate))
        assert ("LIQ_DISTANCE" in failed(run)) == (name == "wrong")


def test_pieces_of_an_entry_make_its_average_price(tmp_path: Path) -> None:
    """Four units at 100.01 and six at 100.0266667 are ten at 100.02; what needs bars says why it is skipped."""
    run = with_volume(modelled(tmp_path, LONG_STOP, max_volume_fraction="0.1"), 100.0)
    path = run.folder / "fills.csv"
    header, entry, leave = (line.split(",") for line in path.read_text().splitlines())
    rows = [dict(zip(header, values, strict=True)) for values in (entry, entry, leave)]
    rows[0] |= {"qty": "4", "price": "100.01", "fee": "0.220022", "slippage": "0.08"}
    rows[1] |= {"fill": "2", "qty": "6", "price": "100.02666666666667", "fee": "0.330088", "slippage": "0.12"}
    rows[2] |= {"fill": "3"}
    write_csv(path, header, rows)

    found = checked(run)

    assert {name for name, check in found.items() if check.failed} == set()
    assert found["FILLS_MATCH"].ok
    assert found["EXIT_FILL"].detail == found["SIGNAL_REPLAY"].detail
    assert "fills in pieces" in found["EXIT_FILL"].detail
    assert failed(with_volume(run, 99.0)) == {"FILLS_MATCH"}
    edit_csv(path, 1, price="100.0267")
    assert "FILLS_MATCH" in failed(run)


def test_orders_that_no_volume_cut_are_derived_as_ever(tmp_path: Path) -> None:
    run = with_volume(modelled(tmp_path, LONG_STOP, max_volume_fraction="0.1"), 101.0)

    found = checked(run)

    assert {name for name, check in found.items() if check.failed} == set()
    assert found["EXIT_FILL"].ok
    assert found["EQUITY_WALK"].ok


def test_an_entry_in_pieces_needs_a_limit_of_volume(tmp_path: Path) -> None:
    run = modelled(tmp_path, LONG_STOP)
    path = run.folder / "fills.csv"
    header, entry, leave = (line.split(",") for line in path.read_text().splitlines())
    rows = [dict(zip(header, values, strict=True)) for values in (entry, entry, leave)]
    rows[0] |= {"qty": "4"}
    rows[1] |= {"fill": "2", "qty": "6"}
    rows[2] |= {"fill": "3"}
    write_csv(path, header, rows)

    assert "FILLS_MATCH" in failed(run)


@pytest.mark.parametrize(
    ("account", "words"),
    [({"queue": {"model": "volume_ahead"}}, "queue of volume")],
)
def test_a_model_that_is_not_derived_is_skipped_with_its_name(
    account: dict[str, Any], words: str, tmp_path: Path
) -> None:
    found = checked(modelled(tmp_path, LONG_STOP, **account))

    assert words in found["TP_SL_FIRST"].detail
    assert found["TP_SL_FIRST"].skipped
    assert found["FEES"].ok


def test_a_run_of_before_the_models_was_liquidated_by_the_last_price(tmp_path: Path) -> None:
    run = write(tmp_path, LIQUIDATED)
    marked = run.base.with_columns(mark_open=pl.lit(50000.0), mark_high=pl.lit(50000.0), mark_low=pl.lit(50000.0))

    assert not any(check.failed for check in audit(run.folder, base_bars=marked, higher_bars=run.higher))
