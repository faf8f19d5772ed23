"""Runs on disk: one folder each, found by id, unique prefix, path, or `latest`."""

from __future__ import annotations

import difflib
from pathlib import Path

from evenkeel.engine.journal import JOURNAL_FOLDER
from evenkeel.model.errors import UsageError

MANIFEST_NAME = "manifest.json"
RESULT_NAME = "result.json"


def find_run(runs: Path, text: str) -> Path:
    """Return the folder of a run.

    Args:
        runs: The folder that holds all runs of a home.
        text: A folder, an id, a unique prefix of one, or `latest`.

    Raises:
        UsageError: If there is none, or if a prefix fits several.
    """
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
