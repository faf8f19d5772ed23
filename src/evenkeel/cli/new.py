"""`keel new NAME`: write a commented play to start from, and the schema that lets an editor complete it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from evenkeel.cli.output import emit, say
from evenkeel.cli.params import json_option
from evenkeel.model.errors import StorageError, UsageError

DEFAULT_EXAMPLE = "ema_cross"
SCHEMA_FILE = "play.schema.json"
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@click.command(name="new")
@click.argument("name")
@click.option("--from", "example", metavar="EXAMPLE", default=DEFAULT_EXAMPLE, help="Shipped example to copy.")
@json_option
def command(name: str, example: str, as_json: bool) -> None:
    """Write NAME.yaml, a commented play, and beside it the schema for the editor.

    NAME may contain folders. Nothing that exists is overwritten.

    \b
    Example:
      keel new my_play
      keel new plays/my_breakout --from spy_donchian_breakout
    """
    from evenkeel.examples import find

    target = _target(name)
    text = _renamed(find(example).read_text(encoding="utf-8"), example, target)
    schema = target.parent / SCHEMA_FILE
    written = _write(target, text, schema)
    if as_json:
        document: dict[str, Any] = {"schema": "evenkeel.new/1", "files": [str(path) for path in written]}
        emit(document)
        return
    for path in written:
        say(f"wrote {path}")
    say(f"next: keel validate {target}; keel backtest {target}")


def _target(name: str) -> Path:
    path = Path(name)
    path = path.with_name(path.name.removesuffix(".yaml") + ".yaml")
    if not _NAME.match(path.stem):
        remedy = "begin with a lower-case letter; use lower-case letters, digits and _"
        raise UsageError(f"'{path.stem}' cannot name a play; {remedy}")
    return path


def _renamed(text: str, example: str, target: Path) -> str:
    """Return the text of an example under its new name, with the line that tells an editor where the schema is."""
    text = re.sub(r"^name:.*$", f"name: {target.stem}", text, count=1, flags=re.MULTILINE)
    text = text.replace(f"keel backtest {example}", f"keel backtest {target.as_posix()}")
    return f"# yaml-language-server: $schema={SCHEMA_FILE}\n{text}"


def _write(target: Path, text: str, schema: Path) -> list[Path]:
    import msgspec

    from evenkeel.data.atomic import make_folder, write_atomically
    from evenkeel.strategies.play.json_schema import play_schema

    if target.exists():
        raise UsageError(f"'{target}' exists already and is not overwritten; choose another name")
    make_folder(target.parent)
    write_atomically(target, text.encode())
    if schema.exists():
        return [target]
    try:
        write_atomically(schema, msgspec.json.format(msgspec.json.encode(play_schema()), indent=2) + b"\n")
    except StorageError:
        target.unlink()
        raise
    return [target, schema]
