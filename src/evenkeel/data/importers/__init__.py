"""From files of others to bars: read, judge, place; refuse or report, never patch.

    request = Request(instrument, calendar, Timeframe.parse("1m"))
    imported = import_files([Path("klines.csv")], request)
    catalog.merge(instrument.id, imported.bars, source=imported.source, imported_ns=now)

A new format is one reader that returns a `Table`, one line in `detect` and one in `intake`.
"""

from evenkeel.data.importers.detect import Format
from evenkeel.data.importers.intake import Imported, import_files
from evenkeel.data.importers.placement import require_zone
from evenkeel.data.importers.side import SideImported, SideRequest, import_side
from evenkeel.data.importers.table import Request, Stamp

__all__ = [
    "Format",
    "Imported",
    "Request",
    "SideImported",
    "SideRequest",
    "Stamp",
    "import_files",
    "import_side",
    "require_zone",
]
