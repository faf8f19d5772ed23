"""`keel schema [KIND]`: the JSON Schema of strategy files, for completion and checks in an editor."""

from __future__ import annotations

import click

from evenkeel.cli.output import emit
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.plugins import plugin_option


@click.command(name="schema")
@click.argument("kind", type=OneOf(("play",)), default="play")
@plugin_option
@json_option
def command(kind: str, as_json: bool) -> None:
    """Print the JSON Schema of KIND (draft 2020-12); the only kind is play.

    It completes keys, indicators with their parameters, structures, operators and stops, and refuses unknown keys. An
    editor with a YAML language server reads it from a comment in the first line of a play, which `keel new` writes:
    # yaml-language-server: $schema=play.schema.json

    \b
    Example:
      keel schema play > play.schema.json
    """
    del kind, as_json
    from evenkeel.strategies.play.json_schema import play_schema

    emit(play_schema())
