"""Where bars are looked for: the user's catalog first, then the sample that ships with the package.

sources = Sources.of(home / "catalog")
sources.read(InstrumentId("SPY.US"), Timeframe.parse("D")).bars
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from evenkeel.data.catalog import Catalog, Entry, Series
from evenkeel.data.side import SideEntry, SideKind, SideSeries, missing_series
from evenkeel.model.errors import DataError, invariant
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe


def bundled_catalog() -> Catalog:
    """Return the sample of real market data that ships with the package; it is only read."""
    return Catalog(Path(str(files("evenkeel.data") / "bundled")))


class Sources:
    """Catalogs in the order in which they are asked; a series is taken whole from the first that has it.

    Args:
        catalogs: At least one.
    """

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        invariant(bool(catalogs), "there is at least one catalog to look into")
        self.catalogs = tuple(catalogs)

    @classmethod
    def of(cls, folder: Path) -> Sources:
        """Return the user's catalog in that folder and, behind it, the bundled one."""
        return cls((Catalog(folder), bundled_catalog()))

    def holder(self, instrument: InstrumentId, timeframe: Timeframe) -> Catalog:
        """Return the catalog from which a series is read.

        Raises:
            DataError: If none has it; the message says what is there of the instrument.
        """
        found = next((each for each in self.catalogs if timeframe in each.timeframes(instrument)), None)
        if found is not None:
            return found
        others = ", ".join(str(other) for other in self.timeframes(instrument))
        raise DataError(
            f"there are no {timeframe} bars of {instrument} in {self.catalogs[0].folder} or among those that ship"
            f"{f'; there are {others}' if others else ''}. `keel data list` shows what is there, `keel data import` "
            f"adds to it",
            reason="NO_DATA",
        )

    def read(
        self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> Series:
        """Return bars as `Catalog.read` does.

        Raises:
            DataError: If no catalog has the series, or its holder lacks the revision or a bar in the range.
            StorageError: If the file is missing or damaged.
        """
        holder = self.holder(instrument, timeframe)
        return holder.read(instrument, timeframe, start_ns=start_ns, stop_ns=stop_ns, revision=revision)

    def side(
        self,
        instrument: InstrumentId,
        kind: SideKind,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> SideSeries:
        """Return what lies beside the bars of an instrument, from the first catalog that has it.

        Raises:
            DataError: If none has the series, or that revision of it.
            StorageError: If the file is missing or damaged.
        """
        for catalog in self.catalogs:
            series = catalog.side(instrument, kind, start_ns=start_ns, stop_ns=stop_ns, revision=revision)
            if series is not None:
                return series
        if revision is not None and any(catalog.shelf.history(instrument, kind) for catalog in self.catalogs):
            raise DataError(f"revision {revision[:12]} of the {kind} of {instrument} is gone", reason="REVISION_GONE")
        known = list(dict.fromkeys(each for catalog in self.catalogs for each in catalog.shelf.kinds(instrument)))
        raise missing_series(instrument, kind, known)

    def side_entries(self) -> list[tuple[Catalog, SideEntry]]:
        """Return every series beside bars with the catalog from which it is read, by instrument and kind."""
        found: dict[tuple[InstrumentId, SideKind], tuple[Catalog, SideEntry]] = {}
        for catalog in self.catalogs:
            for entry in catalog.shelf.entries():
                found.setdefault((entry.revision.instrument, entry.revision.kind), (catalog, entry))
        return [found[key] for key in sorted(found)]

    def timeframes(self, instrument: InstrumentId) -> list[Timeframe]:
        """Return the timeframes that any catalog holds for an instrument, fast to slow."""
        return sorted({timeframe for each in self.catalogs for timeframe in each.timeframes(instrument)})

    def entries(self) -> list[tuple[Catalog, Entry]]:
        """Return every series with the catalog from which it is read, by instrument and timeframe."""
        found: dict[tuple[InstrumentId, Timeframe], tuple[Catalog, Entry]] = {}
        for catalog in self.catalogs:
            for entry in catalog.entries():
                found.setdefault((entry.instrument, entry.timeframe), (catalog, entry))
        return [found[key] for key in sorted(found)]
