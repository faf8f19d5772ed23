"""A sweep over a Ray cluster: the bars go out once, each set as its resolved definition, and figures come back.

The definition of a set is what a manifest records, so a node needs no file of the user. Each node must have the same
version of this package; one that has another refuses.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from evenkeel.engine.manifest import source_digest
from evenkeel.engine.market import Market
from evenkeel.engine.sweep.crew import Chunk, Found, counted, deal
from evenkeel.engine.sweep.together import Job, Told
from evenkeel.features.plugin import plugin_facts, plugins_behind
from evenkeel.model.errors import OutsideError, UsageError
from evenkeel.strategies.load import recorded_strategy

if TYPE_CHECKING:
    from evenkeel.engine.sweep.evaluate import Evaluator

KNOCK_S = 10.0
"""Seconds in which a cluster must answer."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A set on its way to a node.

    Attributes:
        number: Of the set.
        definition: Strategy and plug-ins as a manifest records them, as JSON.
        bars: Which of the markets that were sent it runs on.
        first_execs: First execution bar of each stretch at whose close it decides.
    """

    number: int
    definition: bytes
    bars: int
    first_execs: tuple[int, ...]


class Cluster:
    """The workers of a Ray cluster.

    Args:
        address: As `ray.init` takes it: `auto`, `HOST:PORT` or `ray://HOST:PORT`.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def run(self, evaluator: Evaluator, sets: Chunk, *, hashed: bool, told: Told) -> Iterator[Found]:
        """See `Crew`; who stops asking cancels what is still running."""
        ray = _ray()
        try:
            _knock(self._address)
            ray.init(address=self._address, log_to_driver=False, logging_level="error", ignore_reinit_error=True)
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise OutsideError(
                f"there is no Ray cluster at '{self._address}' ({error}); start one with `ray start --head`"
            ) from None
        try:
            yield from _spread(ray, evaluator, sets, hashed=hashed, told=told)
        finally:
            ray.shutdown()


def _knock(address: str) -> None:
    """Ask whether somebody listens at a host and port, because Ray itself waits for minutes.

    Raises:
        OSError: If nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK_S).close()


def _spread(ray: ModuleType, evaluator: Evaluator, sets: Chunk, *, hashed: bool, told: Told) -> Iterator[Found]:
    task = ray.remote(_work)
    markets: dict[object, tuple[int, Any]] = {}
    running: list[Any] = []
    for chunk in deal(sets, max(1, int(ray.cluster_resources().get("CPU", 1)))):
        refused: Found = []
        sent: list[Sent] = []
        for job in evaluator.jobs(chunk):
            if isinstance(job, Job):
                sent.append(_sent(ray, job, markets))
            else:
                refused.append(job)
        if refused:
            yield refused
        if sent:
            known = dict(markets.values())
            used = {number: known[number] for number in {one.bars for one in sent}}
            running.append(task.remote(sent, list(used), list(used.values()), hashed, source_digest()))
    try:
        while running:
            (done,), running = ray.wait(running, num_returns=1)
            found, bars = _result(ray, done)
            told(bars)
            yield found
    finally:
        for left in running:
            ray.cancel(left, force=True)


def _sent(ray: ModuleType, job: Job, markets: dict[object, tuple[int, Any]]) -> Sent:
    """Return a set as it travels; its bars go into the store of the cluster where they are not there yet."""
    strategy, stretches = job.strategy, job.market.stretches
    bars = tuple(id(stretch.series) for stretch in stretches)
    if bars not in markets:
        markets[bars] = len(markets), ray.put(job.market)
    definition = {
        "strategy": {"kind": strategy.kind, "hash": strategy.hash, "resolved": dict(strategy.resolved)},
        "plugins": plugin_facts(plugins_behind(strategy.program.nodes)),
    }
    firsts = tuple(stretch.first_exec for stretch in stretches)
    return Sent(job.number, msgspec.json.encode(definition), markets[bars][0], firsts)


def _result(ray: ModuleType, done: Any) -> tuple[Found, float]:
    try:
        found: tuple[Found, float] = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        cause = error.as_instanceof_cause()
        if isinstance(cause, UsageError):
            raise UsageError(cause.message, reason=cause.reason) from None
        raise
    except ray.exceptions.RayError as error:
        raise OutsideError(f"the Ray cluster failed: {error}; the same command goes on with what is missing") from None
    return found


def _work(
    sent: list[Sent], numbers: list[int], references: list[Any], hashed: bool, digest: str
) -> tuple[Found, float]:
    """Run sets on a node."""
    if digest != _own_digest():
        raise UsageError("a node of the Ray cluster has another version of Evenkeel; install the same one everywhere")
    from evenkeel.engine.sweep.evaluate import run_jobs

    markets = dict(zip(numbers, _ray().get(references), strict=True))
    jobs = [_job(one, markets[one.bars]) for one in sent]
    return counted(lambda told: run_jobs(jobs, hashed=hashed, told=told, stopped=lambda: False))


def _job(sent: Sent, market: Market) -> Job:
    definition: Mapping[str, Any] = msgspec.json.decode(sent.definition)
    strategy = recorded_strategy(definition, instruments=lambda _: market.instrument)
    stretches = (replace(s, first_exec=first) for s, first in zip(market.stretches, sent.first_execs, strict=True))
    return Job(sent.number, strategy, replace(market, stretches=tuple(stretches)))


@cache
def _own_digest() -> str:
    return source_digest()


def _ray() -> ModuleType:
    """Return Ray, or say how to get it."""
    try:
        import ray
    except ImportError:
        raise UsageError("--ray needs Ray: pip install 'evenkeel[ray]'", reason="NOT_INSTALLED") from None
    module: ModuleType = ray
    return module
