"""`keel journal`: what it says, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from evenkeel.cli.entry import run
from evenkeel.engine.journal import JOURNAL_FOLDER, Journal, RealDisk


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run of three recorded bars."""
    with Journal.open(RealDisk(), str(tmp_path / "k1" / JOURNAL_FOLDER), durable=False) as journal:
        for bar in range(3):
            journal.append(1, msgspec.msgpack.encode({"type": "bar_closed", "known_ns": bar}), last_of_step=True)
            journal.barrier()
    return tmp_path / "k1"


def damage(run_folder: Path) -> None:
    segment = run_folder / JOURNAL_FOLDER / "000001.seg"
    content = bytearray(segment.read_bytes())
    content[80] ^= 1
    segment.write_bytes(content)


def test_a_good_journal_passes(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", "verify", str(run_folder)]) == 0
    said = capsys.readouterr().out
    assert "every entry is what was written" in said
    assert "entries 3, steps 3, segments 1; last hash " in said


def test_a_damaged_journal_fails_and_the_place_is_named(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(run_folder)
    assert run(["journal", "verify", str(run_folder)]) == 1
    assert "000001.seg at byte 40, entry 0: the entry is altered" in capsys.readouterr().out


def test_the_document_says_the_same(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(run_folder)
    assert run(["journal", "verify", str(run_folder), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "evenkeel.journal/1"
    assert (document["ok"], document["segment"], document["offset"], document["sequence"]) == (
        False,
        "000001.seg",
        40,
        0,
    )


def test_a_torn_tail_is_told_and_passes(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (run_folder / JOURNAL_FOLDER / "000001.seg").open("ab") as segment:
        segment.write(b"torn")
    assert run(["journal", "verify", str(run_folder)]) == 0
    assert "4 bytes follow the last complete step" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_stands_in_the_folder_of_the_run(
    run_folder: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    assert run(["journal", "export", str(run_folder), "--format", kind, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["entries"] == 3
    assert Path(document["path"]) == run_folder / f"journal.{kind}"
    assert Path(document["path"]).stat().st_size > 0


def test_an_export_goes_where_it_is_told(run_folder: Path, tmp_path: Path) -> None:
    assert run(["journal", "export", str(run_folder), "--out", str(tmp_path / "table.csv")]) == 0
    assert tmp_path.joinpath("table.csv").read_text().count("bar_closed") == 6


def test_a_damaged_journal_is_not_exported(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(run_folder)
    assert run(["journal", "export", str(run_folder)]) == 3
    assert "is damaged" in capsys.readouterr().err
    assert not (run_folder / "journal.csv").exists()


def test_a_run_without_a_journal_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_folder = tmp_path / "k2"
    run_folder.mkdir()
    assert run(["journal", "verify", str(run_folder)]) == 2
    assert "has no journal" in capsys.readouterr().err
