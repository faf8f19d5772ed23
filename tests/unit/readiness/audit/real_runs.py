"""Small runs of shares through the whole engine, for the checks that need what only a real run leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evenkeel import api
from evenkeel.api.portfolio import audit_portfolio, backtest_portfolio
from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.engine.market import Market
from evenkeel.model.bar import Bars
from evenkeel.model.time import Timeframe

SHARE = "AAPL.US"
FIRST_DAY = 19_723
"""2024-01-01, in days since 1970."""

Sides = Mapping[SideKind, Sequence[tuple[int, Mapping[str, float]]]]
"""By kind the day, counted in sessions of the run, and the columns of each row."""


OTHER = "SPY.US"


@dataclass(frozen=True)
class Together:
    """A run of two shares on one account, and the markets that it saw."""

    folder: Path
    markets: tuple[Market, ...]

    def checks(self) -> dict[str, dict[str, Any]]:
        """Audit the files of the account as they are now."""
        return {check["name"]: check for check in audit_portfolio(self.folder, self.markets)}

    def failed(self) -> set[str]:
        return {name for name, check in self.checks().items() if not check["ok"] and not check["skipped"]}


def ran_together(folder: Path, play: str, one: Bars, other: Bars) -> Together:
    """Run a play on bars of two shares."""
    folder.mkdir(parents=True, exist_ok=True)
    path, definitions = folder / "play.yaml", Definitions.load()
    path.write_text(play)
    catalog = Catalog(folder / "catalog")
    for name, bars in ((SHARE, one), (OTHER, other)):
        catalog.write(definitions.find(name).id, bars, source="by hand", imported_ns=0)
    request = api.Request(str(path), [catalog], definitions, runs=folder / "runs", report=False, out=folder / "out")
    done = backtest_portfolio(request, [SHARE, OTHER])
    markets = tuple(api.prepare(replace(request, symbol=name))[1] for name in (SHARE, OTHER))
    return Together(done.folder, markets)


@dataclass(frozen=True)
class Ran:
    """A run and the market that it saw."""

    folder: Path
    market: Market

    def checks(self) -> dict[str, dict[str, Any]]:
        """Audit the files as they are now."""
        return {check["name"]: check for check in api.audit_run(self.folder, self.market)}

    def failed(self) -> set[str]:
        return {name for name, check in self.checks().items() if not check["ok"] and not check["skipped"]}


def sessions(count: int) -> list[int]:
    """Return so many trading days from 2024 on."""
    days = load_calendar("NYSE").trading_days(FIRST_DAY, FIRST_DAY + 2 * count + 10)
    return [int(day) for day in days[:count]]


def daily(closes: Sequence[float]) -> Bars:
    """Return bars of days that open at the close before and reach one beyond both."""
    opened, ended = load_calendar("NYSE").session_bounds(np.array(sessions(len(closes))))
    close = np.array(closes, dtype=np.float64)
    open_ = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(open_, close) + 1, np.minimum(open_, close) - 1
    columns = (opened, ended, open_, high, low, close, np.full(len(close), 1e6))
    return Bars(Timeframe.parse("D"), *(np.ascontiguousarray(column) for column in columns))


def ran(folder: Path, play: str, bars: Bars, sides: Sides | None = None) -> Ran:
    """Run a play on bars of the share and what is known beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    path, definitions = folder / "play.yaml", Definitions.load()
    path.write_text(play)
    catalog, share = Catalog(folder / "catalog"), definitions.find(SHARE).id
    catalog.write(share, bars, source="by hand", imported_ns=0)
    for kind, rows in (sides or {}).items():
        stamps = np.array([bars.open_ns[row] for row, _ in rows], dtype=np.int64)
        columns = {name: np.array([values.get(name, np.nan) for _, values in rows]) for name in kind.columns()}
        catalog.shelf.write(share, SideBatch(kind, stamps, columns), source="by hand", imported_ns=0)
    request = api.Request(str(path), [catalog], definitions, runs=folder / "runs", report=False, out=folder / "out")
    done = api.backtest(request)
    _, market = api.prepare(request)
    return Ran(done.folder, market)
