"""The user's own indicators: found by path, home and entry point, traded with, recorded and replayed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from acceptance.keel import Keel

HERE = Path(__file__).parent
PLAY = HERE / "plays" / "stretch.yaml"
PLUGIN = HERE / "plugins" / "stretch.py"


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


def test_a_play_uses_it_alike_in_both_lanes_and_a_replay_needs_no_file(keel: Keel, tmp_path: Path) -> None:
    own = tmp_path / "stretch.py"
    shutil.copy(PLUGIN, own)
    assert keel.ok("parity", PLAY, "--plugin", own, "--json").document["equal"] is True
    for lane in ("engine", "research"):
        keel.ok("backtest", PLAY, "--plugin", own, "--lane", lane, "--out", tmp_path / lane, "--no-report")
    own.unlink()

    for lane in ("engine", "research"):
        replayed = keel.ok("replay", tmp_path / lane, "--json").document
        assert replayed["equal"] is True
        assert replayed["decisions"] > 50
        said = keel.ok("explain", tmp_path / lane, "--trade", "1", "--json").document["decisions"][0]
        assert said["rules"][0]["condition"]["truth"] is True


def test_the_manifest_holds_the_text_of_what_was_used_and_of_nothing_else(keel: Keel, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(PLUGIN.read_text("utf-8").replace('"stretch"', '"unused"').replace('"pivot_count"', '"unused_2"'))
    keel.ok("backtest", PLAY, "--plugin", other, "--plugin", PLUGIN, "--out", tmp_path / "run", "--no-report")

    (facts,) = json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8"))["plugins"]
    source = PLUGIN.read_text("utf-8")
    assert facts == {"name": "stretch.py", "sha256": hashlib.sha256(source.encode()).hexdigest(), "source": source}


def test_an_edited_plugin_is_another_run(keel: Keel, tmp_path: Path) -> None:
    edited = tmp_path / "stretch.py"
    edited.write_text(PLUGIN.read_text("utf-8") + "\n# another\n", "utf-8")

    runs = {
        keel.ok("backtest", PLAY, "--plugin", path, "--no-report", "--json").document["run"]
        for path in (PLUGIN, edited)
    }

    assert len(runs) == 2


def test_a_replay_of_a_changed_record_is_refused(keel: Keel, tmp_path: Path) -> None:
    keel.ok("backtest", PLAY, "--plugin", PLUGIN, "--out", tmp_path / "run", "--no-report")
    manifest = tmp_path / "run" / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace("total / n", "total / 9"), "utf-8")

    said = keel("replay", tmp_path / "run")

    assert said.code == 2
    assert "the recorded text does not have the recorded digest" in said.message


def test_the_home_and_installed_packages_offer_theirs(
    keel: Keel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (keel.home / "plugins").mkdir(parents=True)
    shutil.copy(PLUGIN, keel.home / "plugins")
    package = tmp_path / "site"
    (package / "own_nodes-1.dist-info").mkdir(parents=True)
    (package / "own_nodes-1.dist-info" / "METADATA").write_text("Name: own-nodes\nVersion: 1\n")
    (package / "own_nodes-1.dist-info" / "entry_points.txt").write_text("[evenkeel.indicators]\nown = own_nodes\n")
    text = PLUGIN.read_text("utf-8").replace('"stretch"', '"installed"').replace('"pivot_count"', '"installed_2"')
    (package / "own_nodes.py").write_text(text, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(package)])

    given = keel.ok("indicators", "--json").document

    assert [node["name"] for node in given["indicators"]][43:] == ["installed", "stretch"]
    assert [node["name"] for node in given["structures"]][7:] == ["installed_2", "pivot_count"]


def test_without_it_the_play_names_what_is_missing(keel: Keel) -> None:
    keel.ok("validate", PLAY, "--plugin", PLUGIN)
    said = keel("validate", PLAY)

    assert said.code == 2
    assert "there is no indicator 'stretch'" in said.out


def test_it_is_checked_shown_and_drawn_like_the_rest(keel: Keel, tmp_path: Path) -> None:
    promises = keel.ok("indicators", "stretch", "--check", "--plugin", PLUGIN, "--json").document
    shown = keel.ok("data", "show", "SPY", "--tail", 1, "--with", "pivot_count", "--plugin", PLUGIN, "--json").document
    keel.ok("indicators", "stretch:10", "--plot", "SPY", "--plugin", PLUGIN, "--out", tmp_path / "s.svg")

    assert promises["ok"] is True
    assert shown["with"]["pivot_count"]["count"][0] > 100
    assert (tmp_path / "s.svg").stat().st_size > 5000


def test_a_broken_promise_is_exit_code_1(keel: Keel, tmp_path: Path) -> None:
    ahead = tmp_path / "ahead.py"
    text = PLUGIN.read_text("utf-8")
    ahead.write_text(text.replace("total += closes[k]", "total += closes[min(k + 1, len(closes) - 1)]"), "utf-8")

    said = keel("indicators", "stretch", "--check", "--plugin", ahead)

    assert said.code == 1
    assert "BROKEN  bars still to come change nothing: with another future, value on bar" in said.out


def test_a_fault_in_the_file_is_one_sentence_with_its_line(keel: Keel, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(PLUGIN.read_text("utf-8").replace('p["length"]', 'p["lenght"]'), "utf-8")

    said = keel("indicators", "--plugin", broken)

    assert said.code == 2
    assert said.message.startswith(f"{broken}, line 15, in <lambda>: KeyError: 'lenght'")
