"""The home is found by option, environment, working directory and platform, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenkeel import kernel
from evenkeel.cli.home import Home, find_home, kernel_cache, user_folder


def test_the_option_wins_over_everything(tmp_path: Path) -> None:
    (tmp_path / ".keel").mkdir()

    assert find_home(Path("here"), environment={"EVENKEEL_HOME": "/there"}, folder=tmp_path) == Home(
        tmp_path / "here", "option"
    )


def test_the_environment_wins_over_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".keel").mkdir()

    assert find_home(None, environment={"EVENKEEL_HOME": "/there"}, folder=tmp_path) == Home(
        Path("/there"), "environment"
    )


def test_a_keel_folder_in_the_working_directory_wins_over_the_user_folder(tmp_path: Path) -> None:
    assert find_home(None, environment={}, folder=tmp_path).found_by == "user"

    (tmp_path / ".keel").mkdir()

    assert find_home(None, environment={"EVENKEEL_HOME": ""}, folder=tmp_path) == Home(tmp_path / ".keel", "folder")


def test_a_home_has_a_place_for_each_kind_of_state(tmp_path: Path) -> None:
    home = Home(tmp_path, "option")

    assert (home.catalog, home.runs, home.instruments) == (
        tmp_path / "catalog",
        tmp_path / "runs",
        tmp_path / "instruments",
    )


PLATFORMS = [
    ("linux", {}, Path.home() / ".local/share/evenkeel"),
    ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/evenkeel")),
    ("linux", {"XDG_DATA_HOME": "relative"}, Path.home() / ".local/share/evenkeel"),
    ("darwin", {"XDG_DATA_HOME": "/data"}, Path.home() / "Library/Application Support/evenkeel"),
    ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/evenkeel")),
    ("win32", {}, Path.home() / "AppData/Local/evenkeel"),
]


@pytest.mark.parametrize(("platform", "environment", "folder"), PLATFORMS)
def test_the_user_folder_is_where_the_platform_wants_it(
    platform: str, environment: dict[str, str], folder: Path
) -> None:
    assert user_folder("data", environment, platform) == folder


@pytest.mark.parametrize("environment", [{}, {"XDG_CACHE_HOME": "/caches"}, {"EVENKEEL_KERNEL_CACHE": "/kernels"}])
def test_the_doctor_looks_where_the_compiler_caches(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name in ("XDG_CACHE_HOME", "EVENKEEL_KERNEL_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert kernel_cache(environment) == kernel.cache_home()
