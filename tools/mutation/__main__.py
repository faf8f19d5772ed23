"""Runs the tests against one small fault at a time, and names the faults that none of them notices."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import pickle
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol

from mutation.mutants import Mutant, mutants_of
from mutation.safety import module_paths, safety_functions

ROOT = Path(__file__).resolve().parent.parent.parent
EQUAL = Path(__file__).with_name("equal.txt")
SECONDS_MAX = 40.0
"""Tests run against a mutant, quickest first, up to so much time; to hang three times as long is to notice it."""

_WRAPPERS = ("__func__", "fget", "func")
"""Where class methods, properties and cached properties keep their function."""

KILLED, SURVIVED, UNTESTED = "killed", "survived", "untested"


@dataclass(slots=True)
class Seen:
    """What a run without a fault showed.

    Attributes:
        seconds: Of each test, by its name.
        tests: Names of the tests that enter a function, by module and qualified name.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[tuple[str, str], set[str]] = field(default_factory=dict)


class Plugin:
    """Replaces pytest's loop: first once without a fault, then once for each mutant in a process of its own."""

    def __init__(self, packages: Sequence[str], *, safety: bool, jobs: int) -> None:
        self.packages, self.safety, self.jobs = tuple(packages), safety, jobs
        self.results: dict[str, str] = {}

    def pytest_configure(self) -> None:
        """Let drawn tests be quick and the same each time."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants", max_examples=40, deadline=None, derandomize=True, database=None,
            phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run everything; the answer tells pytest that it was done."""
        by_name = {item.nodeid: item for item in session.items}
        mutants = list(self._mutants())
        seen = _in_child(lambda: _look(session.items))
        print(f"{len(mutants):,} mutants, {len(by_name):,} tests in {sum(seen.seconds.values()):.0f} s", flush=True)
        running: dict[int, Mutant] = {}
        for number, mutant in enumerate(mutants):
            tests = sorted(seen.tests.get((mutant.module, mutant.function), ()), key=seen.seconds.__getitem__)
            if not tests:
                self.results[mutant.name] = UNTESTED
                continue
            while len(running) >= self.jobs:
                self._reap(running)
            running[_start(mutant, [by_name[name] for name in _within(tests, seen.seconds)], seen)] = mutant
            if number % 100 == 0:
                print(f"  {number:,} of {len(mutants):,}: {Counter(self.results.values())}", flush=True)
        while running:
            self._reap(running)
        return True

    def _mutants(self) -> Iterator[Mutant]:
        rules = safety_functions(ROOT / "src") if self.safety else None
        for module, path in module_paths(ROOT / "src").items():
            if not any(module == package or module.startswith(package + ".") for package in self.packages):
                continue
            for mutant in mutants_of(module, path):
                if (rules is None or mutant.function in rules.get(module, ())) and _target(mutant) is not None:
                    yield mutant

    def _reap(self, running: dict[int, Mutant]) -> None:
        child, status = os.wait()
        mutant = running.pop(child)
        survived = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        self.results[mutant.name] = SURVIVED if survived else KILLED
        if survived:
            print(f"  survived: line {mutant.line} of {mutant.name}", flush=True)


def _within(tests: Sequence[str], seconds: dict[str, float]) -> list[str]:
    chosen: list[str] = []
    total = 0.0
    for name in tests:
        total += seconds[name]
        if chosen and total > SECONDS_MAX:
            break
        chosen.append(name)
    return chosen


def _start(mutant: Mutant, items: Sequence[pytest.Item], seen: Seen) -> int:
    """Run tests against a mutant in a child; it ends with 0 where none of them fails."""
    child = os.fork()
    if child:
        return child
    _be_quiet()
    signal.alarm(int(10 + 3 * sum(seen.seconds[item.nodeid] for item in items)))
    function = _target(mutant)
    if function is not None:
        function.__code__ = mutant.code
    os._exit(0 if all(_passes(item, after) for item, after in zip(items, [*items[1:], None], strict=True)) else 1)


def _passes(item: pytest.Item, after: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=after))


def _look(items: Sequence[pytest.Item]) -> Seen:
    """Run every test without a fault, and note what it enters."""
    seen, entered = Seen(), set[CodeType]()
    source = str(ROOT / "src")

    def note(frame: object, event: str, _: object) -> None:
        if event == "call":
            entered.add(frame.f_code)  # type: ignore[attr-defined]

    for item, after in zip(items, [*items[1:], None], strict=True):
        entered.clear()
        begun = time.perf_counter()
        sys.setprofile(note)
        passed = _passes(item, after)
        sys.setprofile(None)
        if not passed:
            raise SystemExit(f"{item.nodeid} fails without a fault: nothing can be learnt from it")
        seen.seconds[item.nodeid] = time.perf_counter() - begun
        for code in entered:
            if code.co_filename.startswith(source):
                module = Path(code.co_filename).relative_to(source).with_suffix("")
                name = ".".join(part for part in module.parts if part != "__init__")
                seen.tests.setdefault((name, code.co_qualname.split(".<locals>")[0]), set()).add(item.nodeid)
    return seen


def _in_child(act: Callable[[], Seen]) -> Seen:
    """Return what a child finds: this process must not start threads, for a copy of it would lack them."""
    with tempfile.NamedTemporaryFile() as answer:
        child = os.fork()
        if not child:
            try:
                Path(answer.name).write_bytes(pickle.dumps(act()))
            except SystemExit as failure:
                print(failure, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit("the run without a fault did not end well")
        seen: Seen = pickle.loads(Path(answer.name).read_bytes())
        return seen


def _target(mutant: Mutant) -> FunctionType | None:
    """Return the living function of a mutant; None of one that is compiled or made anew by a decorator."""
    place: object = importlib.import_module(mutant.module)
    for name in mutant.function.split("."):
        place = (place.__dict__ if isinstance(place, type | ModuleType) else {}).get(name)
        place = (
            getattr(place, "__func__", None) or getattr(place, "fget", None) or getattr(place, "func", None) or place
        )
    place = inspect.unwrap(place) if isinstance(place, FunctionType) else place
    if isinstance(place, FunctionType) and place.__code__.co_freevars == mutant.code.co_freevars:
        return place
    return None


def _be_quiet() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def known_equal() -> dict[str, str]:
    """Return the mutants that change nothing that can be seen, each with the reason."""
    lines = EQUAL.read_text(encoding="utf-8").splitlines() if EQUAL.exists() else []
    pairs = [line.partition("  # ") for line in lines if line and not line.startswith("#")]
    return {name.strip(): why for name, _, why in pairs}


def main() -> int:
    """Mutate, test, and print the score; the exit code is 1 where a fault that counts survives."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--packages", nargs="+", default=["evenkeel.risk", "evenkeel.execution", "evenkeel.engine"])
    options.add_argument("--safety", action="store_true", help="only safety rules: what a gate, order or halt reaches")
    options.add_argument("--list", action="store_true", help="print the safety rules and do nothing")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("tests", nargs="*", help="tests to run, as for pytest")
    chosen = options.parse_args()
    if chosen.list:
        for module, names in safety_functions(ROOT / "src").items():
            print(f"{module}: {', '.join(sorted(names))}")
        return 0
    plugin = Plugin(chosen.packages, safety=chosen.safety, jobs=chosen.jobs)
    pytest.main(["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-n", "0", *chosen.tests], plugins=[plugin])
    equal = known_equal()
    left = [name for name, result in plugin.results.items() if result != KILLED and name not in equal]
    counts = Counter(plugin.results.values())
    score = counts[KILLED] / max(1, len(plugin.results) - sum(name in equal for name in plugin.results))
    print(f"\n{len(plugin.results):,} mutants: {dict(counts)}; {score:.1%} of those that can be noticed are")
    print("\n".join(f"{plugin.results[name]}: {name}" for name in left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
