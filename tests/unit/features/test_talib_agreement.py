"""Where TA-Lib means the same, the numbers are the same on recorded markets; where it does not, they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Floats
from reference.agreement import CLAIMS, PAGE, Claim, page
from reference.wiring import compute

MARKETS = ("cme/ESZ2013/1m.parquet", "binance_usdm/BTCUSDT/1m.parquet", "us_equity/SPY/1d.parquet")
BARS = 20_000


def described(claim: Claim) -> str:
    return f"{claim.name}.{claim.output}"


@pytest.mark.parametrize("file", MARKETS)
@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if not claim.differs], ids=described)
def test_values_equal_the_library_on_recorded_markets(claim: Claim, file: str, shared_data: Path) -> None:
    columns = read(shared_data / file)

    ours, theirs = both(claim, columns)

    shown = np.isfinite(theirs)
    shown[: claim.settled] = False
    if claim.apart is not None:
        shown &= ~claim.apart(columns)
    assert np.sum(shown) > 1000
    scale = np.max(np.abs(theirs[shown]))
    np.testing.assert_allclose(ours[shown], theirs[shown], rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.differs], ids=described)
def test_values_that_are_said_to_differ_do(claim: Claim, shared_data: Path) -> None:
    ours, theirs = both(claim, read(shared_data / MARKETS[0]))

    late = np.isfinite(ours) & np.isfinite(theirs)
    late[:1000] = False
    assert np.sum(~np.isclose(ours[late], theirs[late], rtol=1e-6, atol=0.0)) > 10


@pytest.mark.parametrize("file", MARKETS)
def test_values_that_are_equal_from_the_first_on_stand_on_the_same_bars(file: str, shared_data: Path) -> None:
    columns = read(shared_data / file)

    for claim in CLAIMS:
        if claim.settled == 0 and not claim.differs:
            ours, theirs = both(claim, columns)
            assert np.array_equal(np.isnan(ours), np.isnan(theirs)), described(claim)


def test_the_page_of_agreements_states_what_is_checked() -> None:
    assert PAGE.read_text("utf-8") == page()


def both(claim: Claim, columns: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Return our values and the library's."""
    return compute(find_indicator(claim.name), columns, claim.params)[claim.output], claim.library(columns)


def read(path: Path) -> dict[str, Floats]:
    names = ("open", "high", "low", "close", "volume")
    frame = pl.read_parquet(path, columns=list(names)).head(BARS)
    return {name: np.ascontiguousarray(frame[name].cast(pl.Float64).to_numpy()) for name in names}
