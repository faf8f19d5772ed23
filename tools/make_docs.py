"""Writes docs/reference from the code: commands, reasons, indicators, gaps. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from evenkeel.cli.commands import COMMAND_GAPS
from evenkeel.cli.entry import root
from evenkeel.features.node import Node, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.model.gaps import GAPS
from evenkeel.model.reason import MARK_TEXTS, ExitReason, Reason, StopReason

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
HEAD = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"


def commands() -> str:
    """Return the page of all commands: the text of their `--help`."""
    sections = [f"## {path}\n\n```text\n{text}\n```" for path, text in _help_of(root, None, "keel")]
    return "# Commands\n\n" + "\n\n".join(sections) + "\n"


def _help_of(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=100, max_content_width=100)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _help_of(found, context, child)


def reasons() -> str:
    """Return the page of the closed lists of reasons."""
    return (
        "# Reasons\n\nWhy something was decided, refused or ended. Journal and JSON carry the codes.\n\n"
        + _table(("code", "meaning"), ((f"`{reason.value}`", reason.text) for reason in Reason))
        + "\n## Marks of a run\n\n"
        + _table(("mark", "meaning"), ((f"`{mark.value}`", text) for mark, text in MARK_TEXTS.items()))
        + f"\n## How a trade ends\n\n{_names(ExitReason)}\n\n## How a run ends\n\n{_names(StopReason)}\n"
    )


def gaps() -> str:
    """Return the page of what is specified but not built."""
    return (
        "# Not available yet\n\nSpecified, but not built. Each is refused by name; none is ignored.\n\n## Features\n\n"
        + _table(("key", "what"), ((f"`{key}`", text) for key, text in GAPS.items()))
        + "\n## Commands\n\n"
        + _table(("command", "what"), ((f"`keel {name}`", text) for name, text in COMMAND_GAPS.items()))
    )


def indicators() -> str:
    """Return the page of indicators and structures."""
    nodes = [*all_indicators().values(), *all_structures().values()]
    return "# Indicators and structures\n\n" + "\n".join(_indicator(node) for node in nodes)


def _indicator(node: Node) -> str:
    lines = [f"## {node.name}", "", node.summary, "", f"Formula: `{node.formula}`", "", f"Source: {node.source}", ""]
    rows = [(f"`{param.name}`", _default(param), param.meaning) for param in node.params]
    outputs = [(f"`{output.written}`", output.type.value, output.meaning) for output in node.outputs]
    parameters = _table(("parameter", "default", "meaning"), rows) + "\n" if rows else ""
    return "\n".join(lines) + "\n" + parameters + _table(("output", "type", "meaning"), outputs)


def _default(param: Param) -> str:
    return "required" if param.default is None and not param.optional else f"`{param.default}`"


def _names(reasons: Iterable[str]) -> str:
    return ", ".join(f"`{reason}`" for reason in reasons)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


PAGES = {"commands.md": commands, "reasons.md": reasons, "gaps.md": gaps, "indicators.md": indicators}


def main(*, check: bool) -> int:
    """Write the pages, or with `check` name those that differ; exit code 1 if there are any."""
    stale = []
    for name, page in PAGES.items():
        path, text = FOLDER / name, HEAD + page()
        if check and (not path.exists() or path.read_text("utf-8") != text):
            stale.append(name)
        elif not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"docs/reference/{name}")
    if stale:
        print(f"docs/reference is not up to date ({', '.join(stale)}); run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
