"""Example strategies that ship with the package, found by name.

>>> find("ema_cross").name
'ema_cross.yaml'
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from evenkeel.model.errors import UsageError

FOLDER = Path(__file__).resolve().parent
_SUFFIXES = (".yaml", ".py")
_KINDS = {"block": "blocks", "playbook": "playbooks", "system": "systems"}
"""Kinds of files that are no strategy by themselves, with the folder in which they are kept."""


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all example strategies, sorted; blocks, playbooks and systems are not among them."""
    return sorted({path.stem for path in files("play", folder)})


def find(name: str, folder: Path = FOLDER) -> Path:
    """Return the file of an example.

    Args:
        name: Without or with its suffix; folders below are searched too.
        folder: Where to look.

    Raises:
        UsageError: If there is none or more than one of that name.
    """
    candidates = [path for kind in ("play", *_KINDS) for path in files(kind, folder)]
    found = [path for path in candidates if name in (path.stem, path.name)]
    if len(found) == 1:
        return found[0]
    if found:
        places = " and ".join(str(path.relative_to(folder)) for path in found)
        raise UsageError(f"the example '{name}' exists more than once: {places}; give the path of one")
    near = get_close_matches(name, names(folder), n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names(folder)) or 'none'}"
    raise UsageError(f"there is no example '{name}'; {hint}")


def locate(text: str) -> Path:
    """Return the strategy file that a person means: a path if there is such a file, else an example of that name.

    Raises:
        UsageError: If there is neither.
    """
    path = Path(text)
    if path.is_file():
        return path
    if path.suffix in _SUFFIXES or len(path.parts) > 1:
        raise UsageError(f"there is no file '{text}'; give the path of a strategy, or the name of an example")
    return find(text)


def files(kind: str, folder: Path = FOLDER) -> list[Path]:
    """Return the files of the examples of one kind, sorted; folders below are searched too.

    Args:
        kind: `play` for strategies, else `block`, `playbook` or `system`.
        folder: Where to look.
    """
    if kind in _KINDS:
        return _visible(folder / _KINDS[kind], folder)
    apart = {folder / name for name in _KINDS.values()}
    return [path for path in _visible(folder, folder) if not apart.intersection(path.parents)]


def _visible(below: Path, folder: Path) -> list[Path]:
    found = (path for suffix in _SUFFIXES for path in below.rglob(f"*{suffix}"))
    return sorted(path for path in found if not any(part.startswith("_") for part in path.relative_to(folder).parts))
