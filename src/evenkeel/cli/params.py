"""Options and kinds of values that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from evenkeel.model.errors import UsageError

FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Years that nanoseconds in 64 bits can hold, with room."""

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Give a command `--json`, passed to it as `as_json`: one JSON document on standard output, nothing else there."""
    option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    return option(command)


class OneOf(click.Choice[str]):
    """A value from a closed list; another one is refused with the nearest of the list."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Return the sentence that refuses `value`."""
        del ctx
        names = [str(choice) for choice in self.choices]
        near = difflib.get_close_matches(str(value), names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"'{value}' is not one of {', '.join(names)}{hint}"


class Instant(click.ParamType[int]):
    """A date or a time in ISO 8601, read as nanoseconds UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the instant in nanoseconds since the epoch, UTC."""
        if isinstance(value, int):
            return value
        from evenkeel.model.time import parse_time

        try:
            instant = parse_time(str(value))
        except UsageError as error:
            self.fail(error.message, param, ctx)
        if not FIRST_YEAR <= int(str(value).strip()[:4]) <= LAST_YEAR:
            self.fail(f"'{value}' lies outside the years {FIRST_YEAR} to {LAST_YEAR}", param, ctx)
        return instant


INSTANT = Instant()
"""For `type=`: 2024-01-31, 2024-01-31T14:30 or 2024-01-31T14:30:00Z; without a zone it is UTC."""
