"""Runs that were damaged, cut short or mixed up after they were written: said plainly, and never called equal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.keel import Keel

SEGMENT = "journal/000001.seg"
Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def keel(tmp_path_factory: pytest.TempPathFactory) -> Keel:
    return Keel(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def written(keel: Keel) -> Path:
    """A folder with one run of each lane."""
    for lane in ("engine", "research"):
        keel.ok("backtest", "ema_cross", "--lane", lane, "--no-report", "--out", keel.home / lane)
    return keel.home


@pytest.fixture
def run(request: pytest.FixtureRequest, written: Path, tmp_path: Path) -> Path:
    """A copy of the run of the lane that the test names."""
    return Path(shutil.copytree(written / request.param, tmp_path / "run"))


def altered(name: str, at: float) -> Damage:
    """Flip one bit of a file."""

    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[int(at * len(data))] ^= 1
        (folder / name).write_bytes(data)

    return damage


def cut(name: str, share: float) -> Damage:
    """Keep the first part of a file."""

    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(share * len(data))])

    return damage


def written_over(name: str, data: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(data)


def removed(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


JOURNALS = {
    "an altered entry": (altered(SEGMENT, 0.5), "the entry is altered"),
    "an altered header": (altered(SEGMENT, 0.0), "the header of the segment is altered or cut short"),
    "half of it": (cut(SEGMENT, 0.5), "what followed is gone"),
    "nothing of it": (cut(SEGMENT, 0.0), "what followed is gone"),
    "no segment": (removed(SEGMENT), ""),
    "noise": (written_over(SEGMENT, bytes(range(256)) * 40), "the header of the segment is altered or cut short"),
}


@pytest.mark.parametrize("run", ["engine"], indirect=True)
@pytest.mark.parametrize(("damage", "says"), JOURNALS.values(), ids=JOURNALS)
def test_a_damaged_journal_is_never_good_and_never_equal(keel: Keel, run: Path, damage: Damage, says: str) -> None:
    damage(run)
    verified = keel("journal", "verify", run)
    assert verified.code == 1
    assert verified.out.startswith("BAD: ")
    assert says in verified.out
    document = keel("journal", "verify", run, "--json").document
    assert document["ok"] is False
    assert says in document["problem"]
    for command in (("replay",), ("explain", "--trade", "1")):
        said = keel(*command, run)
        assert said.code == 3, said
        assert says in said.message
        assert "a copy" in said.message, "the remedy is named"


@pytest.mark.parametrize("run", ["engine"], indirect=True)
def test_a_journal_whose_run_did_not_finish_is_replayed_as_far_as_it_goes(keel: Keel, run: Path) -> None:
    steps = keel.ok("replay", run, "--json").document["steps"]
    removed("result.json")(run)
    cut(SEGMENT, 0.7)(run)

    assert keel.ok("journal", "verify", run, "--json").document["ok"] is True
    assert 0 < keel.ok("replay", run, "--json").document["steps"] < steps


BAD_JSON = {
    "cut": b'{"schema": "evenk',
    "noise": bytes(range(128, 256)),
    "nothing": b"",
    "an empty map": b"{}",
    "a list": b"[1]",
    "a word": b'"evenkeel"',
    "of something else": b'{"schema": "evenkeel.manifest/1", "run": "x", "strategy": 1, "account": [], "data": {}}',
}


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON)
class TestBadDocuments:
    @pytest.mark.parametrize("run", ["research", "engine"], indirect=True)
    @pytest.mark.parametrize("command", ["replay", "explain"])
    def test_of_the_manifest(self, keel: Keel, run: Path, data: bytes, command: str) -> None:
        written_over("manifest.json", data)(run)
        said = keel(command, run)

        assert said.code == 2, said
        assert "manifest.json' is damaged" in said.message
        assert "run the backtest again" in said.message

    @pytest.mark.parametrize("run", ["research"], indirect=True)
    @pytest.mark.parametrize("command", ["replay", "report"])
    def test_of_the_result(self, keel: Keel, run: Path, data: bytes, command: str) -> None:
        written_over("result.json", data)(run)
        said = keel(command, run)

        assert said.code == 2, said
        assert "result.json" in said.message
        assert "is damaged" in said.message
        assert "run the backtest again" in said.message

    @pytest.mark.parametrize("run", ["research"], indirect=True)
    @pytest.mark.parametrize("name", ["result.json", "manifest.json", "trades.csv", "fills.csv", "equity.parquet"])
    def test_of_any_file_fails_the_audit(self, keel: Keel, run: Path, data: bytes, name: str) -> None:
        written_over(name, data)(run)
        checks = {check["name"]: check for check in keel("audit", run, "--json").document["checks"]}

        assert not checks["LOAD"]["ok"]
        assert name in checks["LOAD"]["detail"]
        assert keel("audit", run).code == 1


@pytest.mark.parametrize("run", ["research"], indirect=True)
def test_a_run_without_its_result_is_no_finished_run(keel: Keel, run: Path) -> None:
    removed("result.json")(run)
    for command in ("replay", "report"):
        said = keel(command, run)
        assert said.code == 2
        assert "finished" in said.message


@pytest.mark.parametrize("run", ["research"], indirect=True)
def test_an_edited_trade_is_found_by_the_audit(keel: Keel, run: Path) -> None:
    ledger = run / "trades.csv"
    ledger.write_text(ledger.read_text().replace(",long,", ",short,", 1))

    said = keel("audit", run)
    assert said.code == 1
    assert "FAILED" in said.out


def test_a_run_whose_data_is_gone_says_so(keel: Keel, written: Path, tmp_path: Path) -> None:
    manifest = shutil.copytree(written / "research", tmp_path / "run") / "manifest.json"
    text = manifest.read_text()
    revision = text.partition('"revision": "')[2].partition('"')[0]
    manifest.write_text(text.replace(revision, "0" * len(revision)))

    said = keel("replay", tmp_path / "run")
    assert said.code == 2
    assert "revision 000000000000 of SPY.US is in no catalog" in said.message
    assert "--catalog" in said.message


def test_a_run_in_the_folder_of_another_replaces_all_of_it(keel: Keel, tmp_path: Path) -> None:
    """Not even the journal of the run before is left to be taken for that of this one."""
    out = tmp_path / "out"
    keel.ok("backtest", "ema_cross", "--lane", "engine", "--out", out)
    keel.ok("backtest", "spy_donchian_breakout", "--lane", "research", "--no-report", "--out", out)

    assert sorted(path.name for path in out.iterdir()) == [
        "equity.parquet", "fills.csv", "manifest.json", "result.json", "sessions.parquet", "trades.csv",
    ]  # fmt: skip
    assert keel.ok("replay", out, "--json").document["rerun_in_engine_lane"] is True


def test_a_finished_run_is_run_anew_and_not_taken_up(keel: Keel, tmp_path: Path) -> None:
    options = ("backtest", "ema_cross", "--lane", "engine", "--no-report", "--out", tmp_path / "out")
    first, second = keel.ok(*options), keel.ok(*options)

    assert "taking up" not in first.err + second.err
