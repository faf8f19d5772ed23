"""`keel validate FILE...`: check strategy files and tell every problem at once, each with its line.

With `--explain` it also says what a play does, in plain English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, say
from evenkeel.cli.paragraphs import say_section
from evenkeel.cli.params import json_option
from evenkeel.cli.plugins import plugin_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.data.definitions import Definitions
    from evenkeel.strategies.play.english import Section
    from evenkeel.strategies.play.play import Play
    from evenkeel.strategies.play.problems import Problem

EXIT_BAD_INPUT = 2


class Verdict(NamedTuple):
    """What became of one file.

    Attributes:
        file: As given.
        kind: `play`, `block`, `playbook` or `system`.
        name: As in the file; None if it does not load.
        hashes: Of a play that loads: instrument to hash, one for each symbol; of another kind: name to hash.
        problems: In the order of the file; only warnings if it loads.
        plays: The play, once for each symbol, if it loads.
    """

    file: str
    kind: str
    name: str | None
    hashes: dict[str, str]
    problems: tuple[Problem, ...]
    plays: tuple[Play, ...] = ()


@click.command(name="validate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Set a variable or a dotted path first.")
@click.option("--explain", "explains", is_flag=True, help="Also say in plain English what each play does and risks.")
@plugin_option
@json_option
def command(files: tuple[str, ...], sets: tuple[str, ...], explains: bool, as_json: bool) -> int:
    """Check strategy files: all problems at once, each with file, line and remedy.

    FILE is a play, a block, a playbook, a system, or the name of a shipped example. Exit code 2 if any file has a
    problem; warnings do not count.

    \b
    Example:
      keel validate my_play.yaml
      keel validate my_play.yaml --explain
      keel validate plays/*.yaml --json
    """
    from evenkeel.data.definitions import Definitions

    definitions = Definitions.load(current_home().root)
    overrides = dict(_override(text) for text in sets)
    verdicts = [_check(file, overrides, definitions) for file in files]
    told = [[s for play in verdict.plays for s in _explained(play)] if explains else [] for verdict in verdicts]
    if as_json:
        documents = [_document(verdict, sections) for verdict, sections in zip(verdicts, told, strict=True)]
        emit({"schema": "evenkeel.validation/1", "ok": _all_fine(verdicts), "files": documents})
    else:
        for verdict, sections in zip(verdicts, told, strict=True):
            _print(verdict, sections)
    return 0 if _all_fine(verdicts) else EXIT_BAD_INPUT


def _override(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set '{text}' is not NAME=VALUE; write for example --set fast=10")
    return name, value


def _check(file: str, sets: dict[str, str], definitions: Definitions) -> Verdict:
    from evenkeel.examples import locate
    from evenkeel.strategies.kinds import kind_of
    from evenkeel.strategies.play.problems import PlayErrors, Problem
    from evenkeel.strategies.play.yaml_source import read_file

    kind = "play"
    try:
        path = locate(file)
        if path.suffix == ".py":
            raise UsageError(f"'{file}' is Python; `keel validate` checks plays (.yaml)")
        kind = kind_of(read_file(path).value)
        return _loaded(file, path, kind, sets, definitions)
    except PlayErrors as error:
        return Verdict(file, kind, None, {}, error.problems)
    except UsageError as error:
        return Verdict(file, kind, None, {}, (Problem(kind="error", file=file, message=error.message),))


def _loaded(file: str, path: Path, kind: str, sets: dict[str, str], definitions: Definitions) -> Verdict:
    """Return the verdict on a file that loads."""
    from evenkeel.strategies.library import Library
    from evenkeel.strategies.play.block_load import load_block
    from evenkeel.strategies.play.load import load_plays
    from evenkeel.strategies.play.lower import lower
    from evenkeel.strategies.playbook.load import load_playbook
    from evenkeel.strategies.playbook.system_load import load_system

    library = Library(current_home().root)
    if kind == "block":
        if sets:
            raise UsageError("--set is for plays; a block takes its values from whoever includes it")
        block = load_block(path, library=library)
        return Verdict(file, kind, block.name, {}, block.warnings)
    if kind in ("playbook", "system"):
        load = load_playbook if kind == "playbook" else load_system
        found = load(path, instruments=definitions.find, sets=sets, library=library)
        return Verdict(file, kind, found.name, {found.name: found.hash}, found.warnings)
    plays = load_plays(path, instruments=definitions.find, sets=sets, library=library)
    for play in plays:
        lower(play)
    hashes = {str(play.instrument.id): play.hash for play in plays}
    return Verdict(file, kind, plays[0].name, hashes, plays[0].warnings, plays)


def _explained(play: Play) -> list[Section]:
    from evenkeel.cli.console import announce_compilation
    from evenkeel.risk.worst_case import worst_case
    from evenkeel.strategies.play.english import explain
    from evenkeel.strategies.play.lower import lower

    announce_compilation()
    return explain(play, worst_case(play), lower(play).program.warmup)


def _all_fine(verdicts: list[Verdict]) -> bool:
    return all(verdict.name is not None for verdict in verdicts)


def _document(verdict: Verdict, sections: list[Section]) -> dict[str, Any]:
    explained = [{"title": section.title, "lines": section.lines} for section in sections]
    return {
        "file": verdict.file,
        "kind": verdict.kind,
        "ok": verdict.name is not None,
        "name": verdict.name,
        "hash": next(iter(verdict.hashes.values()), None),
        "hashes": verdict.hashes,
        "problems": [
            {
                "kind": problem.kind,
                "file": problem.file,
                "line": problem.line or None,
                "column": problem.column or None,
                "path": problem.path,
                "message": problem.message,
                "remedy": problem.remedy,
            }
            for problem in verdict.problems
        ],
        **({"explanation": explained} if explained else {}),
    }


def _print(verdict: Verdict, sections: list[Section]) -> None:
    from evenkeel.strategies.play.problems import render_with_excerpt

    for problem in verdict.problems:
        say(render_with_excerpt(problem))
    say(_summary(verdict))
    for section in sections:
        say()
        say_section(section.title, section.lines)
    if sections:
        say()


def _summary(verdict: Verdict) -> str:
    warnings = sum(problem.kind == "warning" for problem in verdict.problems)
    counted = f", {warnings} warning{'s' if warnings != 1 else ''}" if warnings else ""
    if verdict.name is not None:
        return f"{verdict.file}: ok{counted} ({verdict.kind} {verdict.name}{_digests(verdict.hashes)})"
    wrong = len(verdict.problems) - warnings
    return f"{verdict.file}: {wrong} problem{'s' if wrong != 1 else ''}{counted}"


def _digests(hashes: dict[str, str]) -> str:
    if len(hashes) == 1:
        return f", hash {next(iter(hashes.values()))}"
    return "".join(f", {symbol} {digest}" for symbol, digest in hashes.items())
