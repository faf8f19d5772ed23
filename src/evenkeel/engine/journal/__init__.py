"""The journal: bytes in one order, that nothing can lose, double or change unseen.

This layer knows bytes, not messages. `journal` appends and promises, `reader` walks and checks, `verify` judges a whole
journal, `index` answers queries beside it, `export` shows it as a table. `docs/develop/journal.md` describes the files.
"""

from evenkeel.engine.journal.archive import archive_segments
from evenkeel.engine.journal.disk import Disk, RealDisk
from evenkeel.engine.journal.frame import Frame
from evenkeel.engine.journal.journal import Journal
from evenkeel.engine.journal.opening import Cut
from evenkeel.engine.journal.reader import read_journal
from evenkeel.engine.journal.segment import JournalDamaged
from evenkeel.engine.journal.verify import Verification, verify

JOURNAL_FOLDER = "journal"
"""Folder of the journal inside the folder of a run."""

__all__ = [
    "JOURNAL_FOLDER",
    "Cut",
    "Disk",
    "Frame",
    "Journal",
    "JournalDamaged",
    "RealDisk",
    "Verification",
    "archive_segments",
    "read_journal",
    "verify",
]
