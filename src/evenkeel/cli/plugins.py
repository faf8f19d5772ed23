"""`--plugin FILE.py`: the user's own indicators and structures, for as long as a command runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import click

from evenkeel.cli.home import current_home

Command = TypeVar("Command", bound=Callable[..., Any])

ENTRY_POINTS = "evenkeel.indicators"
"""As in `evenkeel.features.plugin`; a test compares."""


def plugin_option(command: Command) -> Command:
    """Give a command `--plugin`; while it runs, the registry knows those, the home's and the installed plug-ins."""

    @functools.wraps(command)
    def with_plugins(*arguments: Any, plugins: tuple[Path, ...], **options: Any) -> Any:
        with known_plugins(plugins):
            return command(*arguments, **options)

    option = click.option(
        "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), metavar="FILE.py",
        help="Indicators of your own, beside those in `plugins` of the home and those of installed packages.",
    )  # fmt: skip
    return option(with_plugins)  # type: ignore[return-value]


@contextmanager
def known_plugins(files: tuple[Path, ...]) -> Iterator[None]:
    """Load the plug-ins that are named, those of the home and the installed ones; without any, nothing is imported.

    Raises:
        UsageError: If one of them cannot work.
    """
    paths = [*sorted(current_home().plugins.glob("*.py")), *files]
    different = list({path.resolve(): path for path in paths}.values())
    has_installed = bool(metadata.entry_points(group=ENTRY_POINTS))
    if not different and not has_installed:
        yield
        return
    from evenkeel.features.plugin import installed_plugins, load_plugin, using

    installed = installed_plugins() if has_installed else []
    with using([*installed, *(load_plugin(path) for path in different)]):
        yield
