"""A disk that is full, a folder that cannot be written: exit code 3, one message, and either the old or the new.

Disks are real ones, small or read-only, mounted for the test; where mounting is not permitted these tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from acceptance.keel import Keel, Said, contents

BARS = "time,open,high,low,close,volume\n" + "".join(
    f"2024-01-{1 + row // 1440:02d}T{row // 60 % 24:02d}:{row % 60:02d}:00Z,{100 + row % 7},120,90,{100 + row % 11},3\n"
    for row in range(20_000)
)

Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a disk in memory with the options given, such as `size=300k` or `ro`."""
    mounted: list[Path] = []

    def make(options: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        _require_mounted(["-t", "tmpfs", "-o", options, "none", str(place)])
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def _require_mounted(arguments: list[str]) -> None:
    program = shutil.which("mount")
    if program is None:
        pytest.skip("needs the permission to mount a small disk: there is no program `mount`")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the permission to mount a small disk: {done.stderr.strip()}")


@pytest.fixture
def small(mount: Mount) -> Path:
    """A disk of 300 KiB."""
    return mount("size=300k")


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


def assert_refused_by_the_disk(said: Said, *parts: str) -> None:
    assert said.code == 3, said
    assert said.out == ""
    for part in parts:
        assert part in said.message


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with suppress(OSError), (disk / "fill").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


class TestFullDisk:
    def test_a_backtest_leaves_no_file_of_the_run(self, keel: Keel, small: Path) -> None:
        said = keel("backtest", "ema_cross", "--out", small / "runs" / "first")

        assert_refused_by_the_disk(said, "report.html", "No space left on device", "Free space there or choose another")
        assert contents(small) == {}

    def test_with_json_it_is_one_document(self, keel: Keel, small: Path) -> None:
        said = keel("backtest", "ema_cross", "--out", small / "first", "--json")

        assert (said.code, said.document["exit_code"], said.document["reason"]) == (3, 3, "STORAGE")

    def test_an_engine_run_keeps_its_journal_and_goes_on_when_there_is_space(self, keel: Keel, small: Path) -> None:
        out, lane = small / "run", ("--lane", "engine", "--no-report", "--json")
        strategy = Path(__file__).with_name("strategies") / "cross.py"
        said = keel("backtest", strategy, "--out", out, *lane)
        assert said.code == 3
        assert said.document["message"].endswith("the disk is full; free some space and start again")
        assert sorted(contents(out)) == ["journal/.lock", "journal/000001.seg", "manifest.json"]

        _require_mounted(["-o", "remount,size=20m", str(small)])
        resumed = keel.ok("backtest", strategy, "--out", out, *lane)
        assert "taking up run" in resumed.err
        undisturbed = keel.ok("backtest", strategy, "--out", keel.home / "whole", *lane)
        assert resumed.document["result_hash"] == undisturbed.document["result_hash"]
        assert keel.ok("replay", out, "--json").document["equal"] is True

    def test_an_import_stores_nothing(self, small: Path, tmp_path: Path) -> None:
        (tmp_path / "bars.csv").write_text(BARS)
        keel = Keel(small / "home")
        (small / "ballast").write_bytes(bytes(260_000))
        said = keel("data", "import", tmp_path / "bars.csv", "--instrument", "BTCUSDT", "--tf", "1m")

        assert_refused_by_the_disk(said, "No space left on device", "nothing was changed")
        assert {name for name in contents(small) if ".lock" not in name} == {"ballast"}
        assert keel.ok("data", "list", "--json").document["catalog"]

    def test_a_correction_that_does_not_fit_leaves_what_was_stored(self, small: Path, tmp_path: Path) -> None:
        keel, file = Keel(small / "home"), tmp_path / "bars.csv"
        options = ("--instrument", "BTCUSDT", "--tf", "1m")
        file.write_text("\n".join(BARS.splitlines()[:200]) + "\n")
        keel.ok("data", "import", file, *options)
        fill(small)
        before = contents(small)
        file.write_text(BARS)

        assert_refused_by_the_disk(keel("data", "import", file, *options, "--replace"), "No space left on device")
        assert contents(small) == before
        assert keel.ok("data", "show", "BTCUSDT", "--json").document["total"] == 199

    def test_a_new_play_is_there_whole_or_not_at_all(self, keel: Keel, small: Path) -> None:
        fill(small)

        assert_refused_by_the_disk(keel("new", small / "mine"), "mine.yaml", "No space left on device", "Free space")
        assert list(contents(small)) == ["fill"]

    def test_a_new_play_without_room_for_its_schema_is_taken_back(self, keel: Keel, small: Path) -> None:
        (small / "fill").write_bytes(bytes(290_000))

        assert_refused_by_the_disk(keel("new", small / "mine"), "play.schema.json", "No space left on device")
        assert list(contents(small)) == ["fill"]

    def test_an_instrument_is_not_defined_by_half(self, small: Path) -> None:
        keel = Keel(small / "home")
        fill(small)

        assert_refused_by_the_disk(
            keel("instruments", "add", "ABC.US", "--like", "SPY"), "ABC.US.json", "No space left"
        )
        assert [name for name, data in contents(small).items() if data] == ["fill"]

    def test_exported_bars_are_not_cut_off(self, keel: Keel, small: Path) -> None:
        fill(small)
        said = keel("data", "resample", "AAPL", "--to", "5m", "--out", small / "bars.csv")

        assert_refused_by_the_disk(said, "bars.csv", "No space left on device")
        assert list(contents(small)) == ["fill"]


WRITERS = {
    "backtest": ("backtest", "ema_cross", "--out", "{place}/run"),
    "backtest into the home": ("backtest", "ema_cross"),
    "import": ("data", "import", "{file}", "--instrument", "BTCUSDT", "--tf", "1m"),
    "instruments add": ("instruments", "add", "ABC.US", "--like", "SPY"),
    "new": ("new", "{place}/mine"),
    "demo": ("demo",),
}


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS)
class TestUnwritable:
    def test_a_read_only_disk(self, arguments: tuple[str, ...], mount: Mount, tmp_path: Path) -> None:
        self._refuse(arguments, mount("ro"), tmp_path, "Read-only file system")

    def test_a_folder_below_a_file(self, arguments: tuple[str, ...], tmp_path: Path) -> None:
        """What a person without rights meets, and the superuser too."""
        (tmp_path / "a_file").write_text("precious")
        self._refuse(arguments, tmp_path / "a_file", tmp_path, "Not a directory", "File exists")
        assert (tmp_path / "a_file").read_text() == "precious"

    def _refuse(self, arguments: tuple[str, ...], place: Path, tmp_path: Path, *reasons: str) -> None:
        file = tmp_path / "bars.csv"
        file.write_text("\n".join(BARS.splitlines()[:200]) + "\n")
        before = contents(tmp_path)
        said = Keel(place / "home")(*(part.format(place=place, file=file) for part in arguments))

        assert said.code == 3, said
        assert any(reason in said.message for reason in reasons), said.message
        assert str(place) in said.message
        assert "choose" in said.message
        assert contents(tmp_path) == before
