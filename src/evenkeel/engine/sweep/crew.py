"""Who does the work of a sweep: threads, processes, or the nodes of a Ray cluster. What is found is the same.

Threads share the bars without a copy, because kernels let go of the interpreter's lock. A strategy that decides in
Python holds it, so its sets run in processes, which read the bars themselves. The nodes of a cluster get the bars once,
from the store that each of them shares among its workers, and each set as the definition that a manifest would record.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from threading import Event
from typing import TYPE_CHECKING, Protocol, TypeAlias

from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.together import Told

if TYPE_CHECKING:
    from evenkeel.engine.sweep.evaluate import Evaluator, ParameterSet

Chunk: TypeAlias = "Sequence[tuple[int, ParameterSet]]"
Found: TypeAlias = "list[tuple[int, Outcome | Refusal]]"

CHUNKS_A_WORKER = 4
"""Sets are dealt out in at least so many parts a worker, so that none waits long for another at the end."""

CHUNK_SETS_MIN = 8
CHUNK_SETS_MAX = 128


class Crew(Protocol):
    """Those who do the work."""

    def run(self, evaluator: Evaluator, sets: Chunk, *, hashed: bool, told: Told) -> Iterator[Found]:
        """Run numbered sets and yield what they brought, some at a time; see `Evaluator.run_all`."""


def deal(sets: Chunk, workers: int) -> list[Chunk]:
    """Return the sets in parts: large enough to share nodes, small enough to be spread evenly."""
    share = -(-len(sets) // workers)
    size = max(1, min(share, max(CHUNK_SETS_MIN, min(CHUNK_SETS_MAX, share // CHUNKS_A_WORKER))))
    return [sets[first : first + size] for first in range(0, len(sets), size)]


class Threads:
    """Threads of this process.

    Args:
        workers: Most at work.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, evaluator: Evaluator, sets: Chunk, *, hashed: bool, told: Told) -> Iterator[Found]:
        """See `Crew`; who stops asking stops the threads at the end of a block."""
        ended = Event()
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            running = [
                pool.submit(evaluator.run_chunk, chunk, hashed, told, ended.is_set)
                for chunk in deal(sets, self._workers)
            ]
            try:
                for done in as_completed(running):
                    yield done.result()
            finally:
                ended.set()
                pool.shutdown(cancel_futures=True)


class Processes:
    """Processes of this machine, each with an interpreter of its own.

    Args:
        workers: Most at work.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, evaluator: Evaluator, sets: Chunk, *, hashed: bool, told: Told) -> Iterator[Found]:
        """See `Crew`; who stops asking waits for the sets that are being run."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._workers, context, _begin, (evaluator.apart(),)) as pool:
            running = [pool.submit(_work, [one], hashed) for one in sets]
            try:
                for done in as_completed(running):
                    found, bars = done.result()
                    told(bars)
                    yield found
            finally:
                pool.shutdown(cancel_futures=True)


_evaluator: Evaluator | None = None


def _begin(evaluator: Evaluator) -> None:
    """Make a process ready; an interrupt from the keyboard is for the one that started it."""
    global _evaluator
    _evaluator = evaluator
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(sets: Chunk, hashed: bool) -> tuple[Found, float]:
    """Run sets in this process; return what they brought, and how many bars were passed."""
    if _evaluator is None:
        raise RuntimeError("a process of a sweep was given no evaluator")
    return counted(lambda told: _evaluator.run_chunk(sets, hashed, told, lambda: False))


def counted(work: Callable[[Told], Found]) -> tuple[Found, float]:
    """Return what some work brought, and how many bars it passed."""
    passed: list[float] = []
    return work(passed.append), sum(passed)
