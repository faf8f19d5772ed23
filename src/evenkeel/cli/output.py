"""Standard output and standard error: results on the one, everything else on the other.

With `--json` a command calls `emit` exactly once and `say` never, so that standard output holds one JSON document.
"""

from __future__ import annotations

from collections.abc import Mapping

import click


def emit(document: Mapping[str, object]) -> None:
    """Print the one JSON document of a command, indented, as UTF-8.

    Args:
        document: Starts with its `schema`, for example `evenkeel.doctor/1`. Decimals become strings; a float that is
            not finite becomes null.
    """
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


def say(text: str = "") -> None:
    """Print a line of a result for a person; never beside `emit`."""
    click.echo(text)


def note(text: str) -> None:
    """Print a line beside the result (progress, a warning, a hint) on standard error."""
    click.echo(text, err=True)
