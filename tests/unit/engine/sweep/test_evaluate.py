"""One set of parameters, run and judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evenkeel.api import Request, backtest
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.sources import bundled_catalog
from evenkeel.data.synthetic import random_walk
from evenkeel.engine.sweep.evaluate import Evaluator
from evenkeel.engine.sweep.joint import JointEvaluator
from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.model.errors import UsageError

PLAY = """\
version: "3.0.0"
name: cross
symbol: BTCUSDT
variables: { fast: 5, slow: 20, size: 10 }
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 1000000, max_drawdown_pct: 100 }
features:
  ema_fast: { indicator: ema, params: { length: "{{ fast }}" } }
  ema_slow: { indicator: ema, params: { length: "{{ slow }}" } }
actions:
  entry_long: [["ema_fast", ">", "ema_slow"]]
  exit_long: [["ema_fast", "<=", "ema_slow"]]
position_policy: { mode: long_only, exit_mode: signal }
risk_model:
  sizing: { model: percent_equity, value: "{{ size }}" }
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Catalog]:
    """A play with three variables, and three weeks of minutes."""
    folder = tmp_path_factory.mktemp("sweep")
    play = folder / "cross.yaml"
    play.write_text(PLAY, "utf-8")
    catalog = Catalog(folder / "catalog")
    catalog.write(Definitions.load().find("BTCUSDT").id, random_walk(30_000), source="random walk", imported_ns=0)
    return play, catalog


def evaluator(desk: tuple[Path, Catalog], start: int | None = None) -> Evaluator:
    """Return an evaluator of the play."""
    play, catalog = desk
    return Evaluator(StrategySource(str(play), Definitions.load().find), CatalogMarkets([catalog]), (start, None))


@pytest.mark.parametrize("start_bar", [None, 7_000])
def test_a_set_gives_what_a_backtest_of_it_gives(
    desk: tuple[Path, Catalog], tmp_path: Path, start_bar: int | None
) -> None:
    """Figures and hash are those of `keel backtest --set`, also where the window leaves history to warm up from."""
    play, catalog = desk
    bars = random_walk(30_000)
    start = None if start_bar is None else int(bars.open_ns[start_bar])
    sets = [{"fast": 5, "slow": 40}, {"fast": 9, "slow": 200, "size": 50}]

    together = list(evaluator(desk, start).run_many(sets, workers=2))
    hashed = list(evaluator(desk, start).run_many(sets, workers=2, hashed=True))

    for number, (values, outcome, alone) in enumerate(zip(sets, together, hashed, strict=True)):
        request = Request(
            str(play), [catalog], Definitions.load(), runs=tmp_path, sets={k: str(v) for k, v in values.items()},
            start_ns=start, out=tmp_path / str(number), report=False,
        )  # fmt: skip
        result = backtest(request).result
        assert isinstance(outcome, Outcome)
        assert dict(outcome.metrics) == result["metrics"]
        assert isinstance(alone, Outcome)
        assert alone.result_hash == result["result_hash"]
        assert dict(alone.metrics) == result["metrics"]
        assert alone.returns.tobytes() == outcome.returns.tobytes()
        assert alone.stop_reason == outcome.stop_reason == result["stop_reason"]
        assert outcome.trades == result["metrics"]["trades"]
        total = float(result["account"]["end_equity"]) / 1_000_000
        assert np.prod(1.0 + outcome.returns) == pytest.approx(total)


def test_a_set_that_cannot_run_says_why_and_stops_no_other(desk: tuple[Path, Catalog]) -> None:
    """What the load refuses is told in its place, with its reason."""
    outcomes = list(evaluator(desk).run_many([{"fast": 0}, {"fast": 5}], workers=1))

    assert isinstance(outcomes[0], Refusal)
    assert "length is 0; it must be at least 1" in outcomes[0].text
    assert isinstance(outcomes[1], Outcome)
    with pytest.raises(UsageError, match="length is 0"):
        evaluator(desk).run({"fast": 0})


def test_figures_a_year_of_several_calendars_are_by_that_with_the_most_sessions(desk: tuple[Path, Catalog]) -> None:
    """AAPL.US comes first and trades on some 252 days a year, EURUSD.FX on every weekday."""
    play = desk[0].with_name("daily.yaml")
    play.write_text(PLAY.replace("1m", "D").replace("slow: 20", "slow: 6"), "utf-8")
    source, markets = StrategySource(str(play), Definitions.load().find), CatalogMarkets([bundled_catalog()])

    both = JointEvaluator(source, markets, (None, None), ["EURUSD.FX", "AAPL.US"])

    assert 250 < both.load({})[1].calendar.sessions_per_year < 254
    assert 255 < both.sessions_per_year({}) < 262
