"""`keel schema [KIND]`: the JSON Schema of strategy files, for completion and checks in an editor."""

from __future__ import annotations

import click

from evenkeel.cli.output import emit
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.plugins import plugin_option


@click.command(name="schema")
@click.argument("kind", type=OneOf(("play", "block", "playbook", "system")), default="play")
@plugin_option
@json_option
def command(kind: str, as_json: bool) -> None:
    """Print the JSON Schema of KIND (draft 2020-12): play, block, playbook or system.

    It completes keys, indicators with their parameters, structures, operators and stops, and refuses unknown keys. An
    editor with a YAML language server reads it from a comment in the first line of a play, which `keel new` writes:
    # yaml-language-server: $schema=play.schema.json

    \b
    Example:
      keel schema play > play.schema.json
    """
    del as_json
    from evenkeel.strategies.play.json_schema import block_schema, play_schema
    from evenkeel.strategies.playbook.json_schema import playbook_schema, system_schema

    schemas = {
        "play": play_schema, "block": block_schema, "playbook": playbook_schema, "system": system_schema,
    }  # fmt: skip
    emit(schemas[kind]())
