"""Where state lives: `--home`, else `$EVENKEEL_HOME`, else `./.keel` if it exists, else the user's data directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

FoundBy = Literal["option", "environment", "folder", "user"]


@dataclass(frozen=True)
class Home:
    """The folder of all state; nothing is created before something is stored.

    Attributes:
        root: Absolute path.
        found_by: What named it. Modes that send orders refuse a home found only through the working directory.
    """

    root: Path
    found_by: FoundBy

    @property
    def catalog(self) -> Path:
        """Market data."""
        return self.root / "catalog"

    @property
    def runs(self) -> Path:
        """Results and journals, one folder a run."""
        return self.root / "runs"

    @property
    def plugins(self) -> Path:
        """The user's own indicators and structures, one Python file each."""
        return self.root / "plugins"

    @property
    def instruments(self) -> Path:
        """The user's own instrument definitions."""
        return self.root / "instruments"


def current_home() -> Home:
    """Return the home of the command that is running."""
    context = click.get_current_context(silent=True)
    chosen = context.find_root().params.get("home") if context is not None else None
    return find_home(chosen, environment=os.environ, folder=Path.cwd())


def find_home(option: Path | None, *, environment: Mapping[str, str], folder: Path) -> Home:
    """Return the home that the option, the environment, the working directory or the platform names, in that order.

    Args:
        option: Value of `--home`.
        environment: Names and values of the process environment.
        folder: The working directory; relative paths start there.
    """
    if option is not None:
        return Home(_absolute(option, folder), "option")
    named = environment.get("EVENKEEL_HOME")
    if named:
        return Home(_absolute(Path(named), folder), "environment")
    if (folder / ".keel").is_dir():
        return Home(folder / ".keel", "folder")
    return Home(user_folder("data", environment), "user")


def kernel_cache(environment: Mapping[str, str]) -> Path:
    """Return the folder of compiled kernels, as `evenkeel.kernel.cache_home` does, without importing the compiler."""
    chosen = environment.get("EVENKEEL_KERNEL_CACHE")
    return Path(chosen) if chosen else user_folder("cache", environment) / "kernels"


def user_folder(kind: Literal["data", "cache"], environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the user's folder for data or caches, as the platform wants it."""
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "evenkeel"
    if platform == "darwin":
        return Path.home() / "Library" / ("Application Support" if kind == "data" else "Caches") / "evenkeel"
    variable, usual = ("XDG_DATA_HOME", ".local/share") if kind == "data" else ("XDG_CACHE_HOME", ".cache")
    named = environment.get(variable, "")
    return (Path(named) if named.startswith("/") else Path.home() / usual) / "evenkeel"


def _absolute(path: Path, folder: Path) -> Path:
    return folder / path.expanduser()
