"""Runs on disk: one folder each, found by id, unique prefix, path, or `latest`, and whole or not there at all."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evenkeel.engine.journal import JOURNAL_FOLDER
from evenkeel.model.errors import StorageError, UsageError

MANIFEST_NAME = "manifest.json"
RESULT_NAME = "result.json"
PLAYS_FOLDER = "plays"
"""Folder, in the run of a playbook, with the runs of its plays."""

INSTRUMENTS_FOLDER = "instruments"
"""Folder, in a run of several instruments, with the part of each."""

RUN_FILES = (
    RESULT_NAME, "regimes.csv", "attribution.csv", "shares.csv", "report.html", "decisions.parquet", "sessions.parquet",
    "equity.parquet", "fills.csv", "trades.csv", MANIFEST_NAME,
)  # fmt: skip
"""Every file of a run but its journal; the result first, so that what is left is never taken for a finished run."""

_OURS = b'"evenkeel.manifest/'
"""Stands near the top of every manifest that we wrote."""


def find_run(runs: Path, text: str) -> Path:
    """Return the folder of a run.

    Args:
        runs: The folder that holds all runs of a home.
        text: A folder, an id, a unique prefix of one, or `latest`.

    Raises:
        UsageError: If there is none, if a prefix fits several, or if it is the run of a playbook or of several
            instruments.
    """
    found = _find(runs, text)
    for folder, whole in (
        (found / PLAYS_FOLDER, "the run of a playbook; name the run of one of its plays"),
        (found / INSTRUMENTS_FOLDER, "a run of several instruments; name the part of one of them"),
    ):
        names = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
        if names:
            raise UsageError(f"'{found}' is {whole}: {', '.join(str(folder / name) for name in names)}")
    return found


def _find(runs: Path, text: str) -> Path:
    path = Path(text)
    if (path / MANIFEST_NAME).is_file() or (path / JOURNAL_FOLDER).is_dir():
        return path
    if path.is_dir() and len(path.parts) > 1:
        raise UsageError(f"'{path}' is not the folder of a run: it has no {MANIFEST_NAME} and has no journal")
    known = sorted(folder.parent.name for folder in runs.glob(f"*/{MANIFEST_NAME}")) if runs.is_dir() else []
    if text == "latest" and known:
        return max((runs / name for name in known), key=lambda folder: (folder / MANIFEST_NAME).stat().st_mtime_ns)
    found = [name for name in known if name == text] or [name for name in known if name.startswith(text)]
    if len(found) == 1:
        return runs / found[0]
    if found:
        raise UsageError(f"'{text}' fits several runs: {', '.join(found[:5])}; write more of the id")
    near = difflib.get_close_matches(text, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "run `keel backtest STRATEGY` first, or give the folder of a run"
    raise UsageError(f"there is no run '{text}' in {runs}; {hint}")


def check_folder(folder: Path) -> None:
    """Refuse an output folder that holds something other than a run of ours: what it holds will be replaced.

    Raises:
        UsageError: If it is a file, or holds files but no manifest that we wrote.
        StorageError: If it cannot be read.
    """
    if folder.is_file():
        raise UsageError(f"'{folder}' is a file; --out takes a folder")
    try:
        strangers = [] if _is_ours(folder) else _strangers(folder)
    except OSError as error:
        raise StorageError(f"'{folder}' cannot be read: {error.strerror or error}; name another folder") from None
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        raise UsageError(f"'{folder}' holds other files ({strangers[0]}{more}); name a new or empty folder")


def _is_ours(folder: Path) -> bool:
    manifest = folder / MANIFEST_NAME
    return manifest.is_file() and _OURS in manifest.read_bytes()[:1024]


def _strangers(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name != JOURNAL_FOLDER and path.name[0] != ".")


@contextmanager
def whole_or_gone(folder: Path, *, keeps_journal: bool) -> Iterator[None]:
    """Leave the folder of a run whole, or without the files of a run that failed.

    A run that fails in the body (the disk is full, somebody interrupts it) takes its files with it, and the folders
    that were made for it. Where it keeps a journal, that and the manifest stay: with them the run is taken up again.
    What an earlier run left in the folder goes first, so that two runs never mix; an unfinished journal is left to the
    body.

    Args:
        folder: Of the run.
        keeps_journal: Whether the run in the body keeps one.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    goes_on = keeps_journal and not (folder / RESULT_NAME).exists()
    if not goes_on:
        shutil.rmtree(folder / JOURNAL_FOLDER, ignore_errors=True)
    _remove_parts(folder, keeps_journal=goes_on)
    _remove(folder, RUN_FILES)
    try:
        yield
    except BaseException:
        journaled = (folder / JOURNAL_FOLDER).is_dir()
        _remove(folder, [name for name in RUN_FILES if not (journaled and name == MANIFEST_NAME)])
        _remove_parts(folder, keeps_journal=keeps_journal)
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise


def _remove_parts(folder: Path, *, keeps_journal: bool) -> None:
    """Remove what a run left of each of its parts; a part that keeps a journal is left with that, if it is wanted."""
    for part in [path for name in (PLAYS_FOLDER, INSTRUMENTS_FOLDER) for path in (folder / name).glob("*")]:
        if keeps_journal and (part / JOURNAL_FOLDER).is_dir():
            _remove(part, RUN_FILES)
        else:
            shutil.rmtree(part, ignore_errors=True)
    for name in (PLAYS_FOLDER, INSTRUMENTS_FOLDER):
        with suppress(OSError):
            (folder / name).rmdir()


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).unlink()
