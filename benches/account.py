"""How fast an account is, with its journal: python benches/account.py [--entries N] [--events N] [--folder DIR]

One strategy on one instrument with features bar by bar, at a venue in the same process that fills at once. The latency
is from a bar that has closed to the commands that may leave: features, decision, gates, journal, and, with sync, the
disk; it is wall time. Rates and restarts are processor time.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np

from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.account.keeping import Storage
from evenkeel.engine.account.log import decode_entries, rebuild
from evenkeel.engine.account.making import make_account
from evenkeel.engine.account.session import SNAPSHOTS_FOLDER
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal
from evenkeel.model.event import BarsClosed, BaseClosed, PriceTold
from property.test_world import SYMBOL
from session_desk import LivePlace

STEPS_A_BAR = 12
LATENCY_BARS = 6_000


class Timed(LivePlace):
    """An account on a long walk, whose decisions are timed.

    Attributes:
        took_s: Of each bar that led to commands.
    """

    def __init__(self, folder: str, bars: int, storage: Storage) -> None:
        super().__init__(RealDisk(), folder)
        self.storage = storage
        rng = np.random.default_rng(7)
        walk = np.round(40_000 * np.exp(np.cumsum(rng.normal(size=bars * STEPS_A_BAR) * 2e-4)), 1)
        self.prices = tuple(Decimal(repr(float(price))) for price in walk)
        self.took_s: list[float] = []
        self._features_s = 0.0

    def tell(self, event: AccountEvent) -> None:
        begun = time.perf_counter()
        commands = self.session.tell(event, self.now_ns)
        took = time.perf_counter() - begun
        if isinstance(event, BaseClosed):
            self._features_s = took
        elif isinstance(event, BarsClosed) and commands:
            self.took_s.append(self._features_s + took)
        self._carry(commands)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-account-", dir=given.folder))
    try:
        for durable in (False, True):
            latency(folder, durable=durable)
        memory(folder, given.events)
        restart(folder, given.entries)
    finally:
        shutil.rmtree(folder)


def latency(folder: Path, *, durable: bool) -> None:
    """Time bars that led to commands."""
    name = "sync" if durable else "no_sync"
    place = Timed(str(folder / name), LATENCY_BARS, Storage(durable=durable, threaded=durable))
    place.open()
    place.run(LATENCY_BARS - 1)
    took = np.array(place.took_s) * 1e6
    place.session.close()
    quantiles = ", ".join(f"p{q:g} {np.percentile(took, q):,.0f}" for q in (50, 99, 99.9))
    say(f"bar to command, {'with' if durable else 'without'} sync: {quantiles} us ({len(took):,} bars with commands)")


def memory(folder: Path, events: int) -> None:
    """Tell prices, and see what memory does between the first tenth and the end."""
    place = Timed(str(folder / "memory"), 200, Storage(durable=False, threaded=False))
    place.open()
    place.run(150)
    prices = [place.prices[-1] + step for step in range(10)]
    begun, first = time.process_time(), 0.0
    for number in range(events):
        at = place.now_ns + number * 1_000_000
        place.session.tell(PriceTold(event_ns=at, known_ns=at, instrument=SYMBOL, last=prices[number % 10]), at)
        if number == events // 10:
            first = rss_mb()
    rate = events / (time.process_time() - begun)
    slope = (rss_mb() - first) / (events * 0.9 / 1e6)
    place.session.close()
    say(f"events told, decided and journaled: {rate:,.0f}/s ({events:,}); memory slope {slope:.2f} MB a million")


def restart(folder: Path, entries: int) -> None:
    """Record a journal of so many entries, and start again from it, with and without a snapshot."""
    bars = entries // 14
    place = Timed(str(folder / "long"), bars, Storage(durable=False, threaded=False, archives=False))
    place.open()
    took = timed(lambda: place.run(bars - 1))
    found = place.session.close()
    count = 0 if found is None else found.frames
    say(f"session with venue and journal: {count / took:,.0f} entries/s ({count:,} entries)")
    place.session._kept.journal.close()
    journal = str(folder / "long" / JOURNAL_FOLDER)
    account = make_account(place.manifest)
    took = timed(lambda: rebuild(account, read_journal(RealDisk(), journal)))
    say(f"fold again: {count / took:,.0f} entries/s")
    took = timed(lambda: sum(1 for _ in decode_entries(read_journal(RealDisk(), journal))))
    say(f"read, check and decode only: {count / took:,.0f} entries/s")
    say(f"restart with a snapshot: {timed(place.open):.2f} s")
    place.session._kept.journal.close()
    shutil.rmtree(folder / "long" / SNAPSHOTS_FOLDER)
    say(f"restart without one: {timed(place.open):.2f} s")


def timed(act: Callable[[], object]) -> float:
    """Return the processor time that something takes, seconds."""
    begun = time.process_time()
    act()
    return time.process_time() - begun


def rss_mb() -> float:
    """Return the memory that the process has now, or has had at most where that is not told."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def say(line: str) -> None:
    """Print a figure at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
