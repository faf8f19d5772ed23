"""The trial ledger: every look at a strategy family on a data set, counted for good.

The best of many tries looks good without any skill, so a figure can only be judged by one who knows how many tries
there were. Every backtest, every set of a sweep, every trial of an optimisation and every fit of a walk-forward adds a
line here; there is no way to run without it. A family is the name of the play. The same play with the same values
counts as one trial however often it runs, but each run stays on record.

    ledger = TrialLedger(home)
    ledger.add("ema_cross", DataSet.of(market), strategy.hash, metrics, "backtest", blocks=blocks)
    ledger.trials("ema_cross", DataSet.of(market)).distinct

One file a family, one JSON document a line, only ever appended to; several writers may append at once.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from evenkeel.data.atomic import make_folder
from evenkeel.engine.clock import wall_ns
from evenkeel.engine.market import Market
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import StorageError
from evenkeel.model.ids import short_hash
from evenkeel.model.time import DAY
from evenkeel.strategies.strategy import Strategy

Source = Literal["backtest", "sweep", "optimize", "walkforward"]

FOLDER = "trials"
BLOCKS = 16
"""Parts of a window in which the returns of a trial are kept: enough to split it in 12,870 ways."""

_SPREAD_MIN = 1e-12
"""Under this part of the mean square a variance is rounding: the returns do not differ."""

_APPENDING = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_KEPT = ("return_pct", "sharpe", "max_drawdown_pct", "trades")
"""Metrics that a line keeps."""


class SessionBlocks(msgspec.Struct, frozen=True):
    """Session returns of a trial, summed over equal parts of the window: all that a Sharpe ratio of any of them needs.

    Attributes:
        counts: Sessions in each part.
        sums: Of their returns, fractions.
        squares: Sums of their squared returns.
    """

    counts: tuple[int, ...]
    sums: tuple[float, ...]
    squares: tuple[float, ...]

    @property
    def sharpe(self) -> float | None:
        """Mean over standard deviation (n - 1) of the session returns, not annualised; None where there is none."""
        count, total, square = sum(self.counts), sum(self.sums), sum(self.squares)
        if count < 2:
            return None
        variance = (square - total * total / count) / (count - 1)
        return float(total / count / np.sqrt(variance)) if variance > _SPREAD_MIN * square / count else None


class DataSet(msgspec.Struct, frozen=True):
    """What a trial looked at.

    Attributes:
        hash: Of the data, as the manifest has it.
        instruments: Whose bars.
        start_ns: First instant of the window, UTC.
        end_ns: First instant behind it.
    """

    hash: str
    instruments: tuple[str, ...]
    start_ns: int
    end_ns: int

    @classmethod
    def of(cls, *markets: Market) -> DataSet:
        """Return the data set of a run over these markets."""
        return cls(
            "+".join(dict.fromkeys(market.data_hash for market in markets)),
            tuple(dict.fromkeys(str(market.instrument.id) for market in markets)),
            min(market.window[0] for market in markets),
            max(market.window[1] for market in markets),
        )

    def overlaps(self, other: DataSet) -> bool:
        """Whether both look at a part of the same history.

        A newer revision of the same bars is the same history: one bar more does not make earlier tries unseen.
        """
        same = self.hash == other.hash or not set(self.instruments).isdisjoint(other.instruments)
        return same and self.start_ns < other.end_ns and other.start_ns < self.end_ns


class Trial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look.

    Attributes:
        family: Name of the play.
        play: Hash of the strategy, which covers the values of its parameters.
        source: What ran it.
        data: What it looked at.
        metrics: A few figures of the run.
        blocks: Its session returns; None where there are too few.
        time_ns: When it was added.
    """

    family: str
    play: str
    source: Source
    data: DataSet
    metrics: dict[str, float | int | None] = {}
    blocks: SessionBlocks | None = None
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Trials:
    """The looks at a family on a data set.

    Attributes:
        looks: All of them, in the order in which they were added.
        damaged: Lines of the file that cannot be read; each was a look at something.
    """

    looks: tuple[Trial, ...]
    damaged: int = 0

    @property
    def distinct(self) -> tuple[Trial, ...]:
        """One look of each set of parameters: the longest window, and of equal ones the newest."""
        best: dict[str, Trial] = {}
        for look in self.looks:
            known = best.get(look.play)
            if known is None or _length(look) >= _length(known):
                best[look.play] = look
        return tuple(best.values())


def _length(look: Trial) -> int:
    return look.data.end_ns - look.data.start_ns


def session_blocks(data: DataSet, days: Sequence[int] | Ints, returns: Floats) -> SessionBlocks | None:
    """Return session returns in equal parts of a window.

    Args:
        data: Whose window is divided; the parts depend on nothing else, so those of all trials on it fit together.
        days: Sessions as days since the epoch, rising.
        returns: Simple return of each; none where equity fell to zero.

    Returns:
        None where there are no returns.
    """
    if len(returns) == 0:
        return None
    first, last = data.start_ns // DAY, -(-data.end_ns // DAY)
    edges = first + (last - first) * np.arange(1, BLOCKS) / BLOCKS
    part = np.searchsorted(edges, np.asarray(days), side="right")
    columns = (np.bincount(part, weights, BLOCKS).tolist() for weights in (returns, returns * returns))
    counts = np.bincount(part, minlength=BLOCKS).tolist()
    return SessionBlocks(tuple(counts), *(tuple(column) for column in columns))


def look_of(
    strategy: Strategy,
    market: Market,
    days: Sequence[int],
    returns: Floats,
    metrics: Mapping[str, float | int | None],
    source: Source,
) -> Trial:
    """Return a run as a look.

    Args:
        strategy: What decided.
        market: On what.
        days: Its sessions, from `session_equity`.
        returns: Simple return of each; may be empty where there are none.
        metrics: Figures of the run; a few of them are kept.
        source: What ran it.
    """
    data = DataSet.of(market)
    return Trial(
        family=strategy.name, play=strategy.hash, source=source, data=data, metrics=kept(metrics),
        blocks=session_blocks(data, days, returns),
    )  # fmt: skip


def kept(metrics: Mapping[str, float | int | None]) -> dict[str, float | int | None]:
    """Return those figures of a run that a line keeps."""
    return {name: metrics[name] for name in _KEPT if name in metrics}


class TrialLedger:
    """The looks of one home.

    Args:
        home: Its folder; a folder `trials` is made there at the first look.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def add(
        self,
        family: str,
        data: DataSet,
        play_hash: str,
        metrics: Mapping[str, float | int | None],
        source: Source,
        *,
        blocks: SessionBlocks | None = None,
    ) -> None:
        """Add one look.

        Args:
            family: Name of the play.
            data: What was looked at.
            play_hash: Of the strategy with its values.
            metrics: Of the run; a few of them are kept.
            source: What ran it.
            blocks: Its session returns, from `session_blocks`.

        Raises:
            StorageError: If the ledger cannot be written.
        """
        trial = Trial(family=family, play=play_hash, source=source, data=data, metrics=kept(metrics), blocks=blocks)
        self.add_all([trial])

    def add_all(self, trials: Iterable[Trial]) -> None:
        """Add several looks at once; those of a family are written in one step.

        Raises:
            StorageError: If the ledger cannot be written.
        """
        encode, stamp = msgspec.json.Encoder().encode, wall_ns()
        lines: dict[str, list[bytes]] = {}
        for trial in trials:
            stamped = trial if trial.time_ns else msgspec.structs.replace(trial, time_ns=stamp)
            lines.setdefault(trial.family, []).append(encode(stamped) + b"\n")
        for family, found in lines.items():
            self._append(family, b"".join(found))

    def trials(self, family: str, data: DataSet) -> Trials:
        """Return the looks at a family on a data set and on whatever shares history with it.

        Raises:
            StorageError: If the ledger cannot be read.
        """
        decode = msgspec.json.Decoder(Trial).decode
        looks, damaged = [], 0
        for line in self._lines(family):
            try:
                look = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                damaged += 1
                continue
            if look.family == family and look.data.overlaps(data):
                looks.append(look)
        return Trials(tuple(looks), damaged)

    def path(self, family: str) -> Path:
        """Return the file of a family."""
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", family)[:80]
        name = plain if plain == family else f"{plain}-{short_hash(family.encode(), 8)}"
        return self._folder / f"{name}.jsonl"

    def _lines(self, family: str) -> list[bytes]:
        path = self.path(family)
        try:
            return path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(f"the trial ledger {path} cannot be read: {error.strerror or error}") from None

    def _append(self, family: str, lines: bytes) -> None:
        make_folder(self._folder)
        path = self.path(family)
        try:
            descriptor = os.open(path, _APPENDING, 0o644)
            try:
                with _alone(descriptor):
                    _write(descriptor, (b"" if _ends_whole(descriptor) else b"\n") + lines)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageError(
                f"the trial ledger {path} cannot be written: {error.strerror or error}; every look at a strategy is "
                "counted there, so free space or choose another folder with --home"
            ) from None


def _ends_whole(descriptor: int) -> bool:
    """Whether the last line of the file is whole: one that was torn by a crash gets an end of its own."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """Hold the file alone, waiting for who else writes; where a file system knows no locks, appends must do."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        return
    import fcntl

    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
