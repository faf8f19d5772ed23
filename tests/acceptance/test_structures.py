"""Plays that rest on structure detectors, on half a year of recorded Bitcoin: both lanes equal, every check true."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.keel import Keel

HERE = Path(__file__).parent
SPEC_PLAY = HERE.parent / "unit" / "strategies" / "play" / "spec_plays" / "btc_bos_retrace_1h.yaml"
NOT_BUILT = (" max_leverage: 3,", ", max_leverage: 3", "validation: { pattern: trend_down_clean }\n")
"""What example C of the specification asks for beyond its structures."""

WINDOW = ("--start", "2023-01-01", "--end", "2023-07-01")


@pytest.fixture(scope="module")
def keel(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Keel:
    keel = Keel(tmp_path_factory.mktemp("structures"))
    keel.ok("data", "import", shared_data / "binance_usdm/BTCUSDT/5m.parquet", "--instrument", "BTCUSDT", "--tf", "5m")
    return keel


def example_c(folder: Path) -> Path:
    """Return example C of the specification without leverage and without a synthetic market."""
    text = SPEC_PLAY.read_text("utf-8")
    for words in NOT_BUILT:
        assert words in text
        text = text.replace(words, "")
    (folder / SPEC_PLAY.name).write_text(text, "utf-8")
    return folder / SPEC_PLAY.name


@pytest.mark.parametrize("play", ["example_c", "btc_levels"])
def test_a_play_of_structures_trades_alike_in_both_lanes_and_passes_the_audit(
    play: str, keel: Keel, tmp_path: Path
) -> None:
    file = example_c(tmp_path) if play == "example_c" else HERE / "plays" / f"{play}.yaml"

    said = keel.ok("parity", file, *WINDOW, "--json").document
    run = keel.ok("backtest", file, *WINDOW, "--out", tmp_path / "run", "--no-report", "--json").document

    assert said["equal"] is True
    assert said["fills"] >= 20
    assert run["result_hash"] == said["result_hash"]["engine"]
    assert [check["name"] for check in run["checks"] if not check["ok"] and not check["skipped"]] == []
