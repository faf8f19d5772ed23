from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from evenkeel.data.catalog import Catalog
from evenkeel.data.sources import bundled_catalog
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe, format_time
from evenkeel.monitor.report.bars import bars_of_run

ID = InstrumentId("BTC-USD.BITSTAMP")


@pytest.fixture
def pinned(tmp_path: Path) -> dict[str, Any]:
    series = bundled_catalog().read(ID, Timeframe.parse("1m"))
    return {
        "instrument": {"id": ID, "calendar": "24/7"},
        "data": {
            "revision": series.revision.id,
            "base_tf": "1m",
            "exec_tf": "15m",
            "start": format_time(int(series.bars.open_ns[0])),
            "end": format_time(int(series.bars.close_ns[-1])),
        },
    }


def folder_with(path: Path, manifest: dict[str, Any]) -> Path:
    (path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return path


def test_the_execution_bars_come_from_the_first_catalog_that_has_them(tmp_path: Path, pinned: dict[str, Any]) -> None:
    bars = bars_of_run(folder_with(tmp_path, pinned), [Catalog(tmp_path / "empty"), bundled_catalog()])
    base = bundled_catalog().read(ID, Timeframe.parse("1m")).bars
    assert bars.timeframe.name == "15m"
    assert bars.high.max() == base.high.max()
    assert bars.open[0] == base.open[0]


def test_a_revision_that_is_gone_is_refused(tmp_path: Path, pinned: dict[str, Any]) -> None:
    pinned["data"]["revision"] = "0" * 64
    with pytest.raises(UsageError):
        bars_of_run(folder_with(tmp_path, pinned), [bundled_catalog()])


def test_a_manifest_that_names_no_bars_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json does not say which bars"):
        bars_of_run(folder_with(tmp_path, {"instrument": {"id": ID}}), [bundled_catalog()])
