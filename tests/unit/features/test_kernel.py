"""Compiling and calling kernels: the one place that knows Numba's inside, and the cache that must never be stale."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evenkeel
from evenkeel import kernel as kernels
from evenkeel.features.conditions import add, constant
from evenkeel.features.graph import run_block
from evenkeel.features.node import condition
from evenkeel.kernel import NODE_SIGNATURE, address_of, compiled, source_digest

SOURCE = Path(evenkeel.__file__).parent


@condition("tells_all", inputs=("a",), params=("p0", "p1"), state=lambda _: 2, formula="every argument, as a number")
def tells_all(p, s, x, r, start, stop):
    """Write down what arrived."""
    s[0] += 1.0
    for i in range(start, stop):
        x[r[1], i] = x[r[0], i] + 10.0 * p[0] + 100.0 * p[1] + 1000.0 * len(p) + 10000.0 * len(s) + 100000.0 * len(r)
        s[1] = 1000.0 * start + stop


@condition("refuses", inputs=("a",), formula="an error at the first bar")
def refuses(p, s, x, r, start, stop):
    """Raise where the input is negative."""
    for i in range(start, stop):
        if x[r[0], i] < 0.0:
            raise ValueError("a negative input")
        x[r[1], i] = 1.0


def block(nodes: list[object], x: np.ndarray, s: np.ndarray, start: int, stop: int) -> None:  # type: ignore[type-arg]
    """Run nodes that read row 0 and write the rows after it, through native addresses."""
    plan = np.array([[address_of(node.kernel), 0, 2, 0, 2, 2 * k, 2 * k + 2] for k, node in enumerate(nodes)])  # type: ignore[attr-defined]
    rows = np.array([row for k in range(len(nodes)) for row in (0, k + 1)], dtype=np.int64)
    _run(plan, np.array([3.0, 4.0]), s, rows, x, start, stop)


def _run(*arguments: object) -> None:
    from evenkeel.features.graph import RUN_SIGNATURE

    compiled(run_block, RUN_SIGNATURE)(*arguments)


def test_a_call_by_address_passes_every_argument_as_a_direct_call_does() -> None:
    """Fails when a release of Numba changes its calling convention."""
    x, y = (np.zeros((2, 6)) for _ in range(2))
    x[0] = y[0] = np.arange(6.0)
    s, t = np.zeros(2), np.zeros(2)

    block([tells_all], x, s, 2, 5)
    compiled(tells_all.kernel, NODE_SIGNATURE)(np.array([3.0, 4.0]), t, y, np.array([0, 1]), 2, 5)

    assert x.tolist() == y.tolist()
    assert s.tolist() == t.tolist() == [1.0, 2005.0]
    assert x[1].tolist() == [0, 0, 222432.0, 222433.0, 222434.0, 0]


def test_an_error_inside_a_node_called_by_address_reaches_the_caller() -> None:
    x = np.array([[1.0, 1.0, -1.0, 1.0], [0.0] * 4, [0.0] * 4])

    with pytest.raises(ValueError, match="a negative input"):
        block([refuses, tells_all], x, np.zeros(2), 0, 4)

    assert x[1].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert x[2].tolist() == [0.0] * 4


def test_an_address_stays_the_same_within_a_process() -> None:
    assert address_of(add.kernel) == address_of(add.kernel)
    assert address_of(add.kernel) != address_of(constant.kernel)


def test_a_compiled_kernel_takes_no_other_types() -> None:
    compiled(tells_all.kernel, NODE_SIGNATURE)

    with pytest.raises(TypeError):
        tells_all.kernel(np.zeros(2, dtype=np.float32), np.zeros(2), np.zeros((2, 2)), np.array([0, 1]), 0, 1)
    assert len(tells_all.kernel.overloads) == 1


def test_arithmetic_is_strict() -> None:
    """Division by zero is no exception, and nothing is reassociated."""
    x = np.array([[1.0, -0.0, 1e308], [0.0] * 3])

    @condition("strict", inputs=("a",), formula="(a + 1e308) - 1e308, and a division")
    def strict(p, s, x, r, start, stop):
        for i in range(start, stop):
            x[r[1], i] = ((x[r[0], i] + 1e308) - 1e308) / x[r[0], i] if i < 2 else x[r[0], i] / 0.0

    compiled(strict.kernel, NODE_SIGNATURE)(np.zeros(1), np.zeros(1), x, np.array([0, 1]), 0, 3)

    assert x[1, 0] == 0.0
    assert math.isnan(x[1, 1])
    assert x[1, 2] == math.inf


def copy_of_source(tmp_path: Path) -> Path:
    root = tmp_path / "src"
    shutil.copytree(
        SOURCE, root / "evenkeel", ignore=shutil.ignore_patterns("__pycache__", "bundled", "*.parquet", "calendars")
    )
    return root


def python(root: Path, code: str, cache: Path, **environment: str) -> str:
    """Run a fresh interpreter on a copy of the source; return what it printed."""
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NUMBA", "EVENKEEL"))},
        "PYTHONPATH": str(root), "EVENKEEL_KERNEL_CACHE": str(cache), **environment,
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


SLIP = """
import numpy as np
from numba import types
from evenkeel.kernel import kernel, compiled, FLOATS
from evenkeel.venues.simulated.steps import place_exit, place_entry
from evenkeel.venues.simulated.book import Book
from evenkeel.kernel import INTS
book = np.zeros(len(Book), dtype=np.int64)
compiled(place_exit, types.void(INTS, FLOATS, types.int64, types.int64, types.int64))(book, np.zeros(99), 9, 3, 7)
print(book.tolist().index(3))
"""


KERNELS = (
    "kernel.py", "venues/simulated/steps.py", "venues/simulated/loop.py", "risk/sizing.py", "risk/gates/entry.py",
    "risk/liquidation.py",
    "features/conditions.py", "features/indicators/ema.py", "features/structures/_held.py",
    "strategies/play/decide.py", "data/aggregate.py",
)  # fmt: skip
CONSTANTS = ("venues/simulated/book.py", "strategies/decision.py", "model/reason.py")
"""A place in the book, a slot or the number of a reason is a constant in compiled code."""


def test_the_name_of_the_cache_changes_with_every_file_that_compiled_code_depends_on(tmp_path: Path) -> None:
    root = copy_of_source(tmp_path) / "evenkeel"
    seen = {source_digest(root)}
    for number, edited in enumerate((*KERNELS, *CONSTANTS), 2):
        path = root / edited
        path.write_text(path.read_text() + "\nEDITED = True\n")
        seen.add(source_digest(root))
        assert len(seen) == number, edited


def test_the_name_of_the_cache_does_not_change_with_what_no_kernel_sees(tmp_path: Path) -> None:
    root = copy_of_source(tmp_path) / "evenkeel"
    before = source_digest(root)
    for edited in ("cli/console.py", "engine/core.py", "monitor/report/page.py"):
        path = root / edited
        path.write_text(path.read_text() + "\nEDITED = True\n")

    assert source_digest(root) == before


def test_a_kernel_compiled_before_an_edit_of_a_constant_elsewhere_is_not_served_again(tmp_path: Path) -> None:
    root, cache = copy_of_source(tmp_path), tmp_path / "cache"
    assert python(root, SLIP, cache) == "13\n"

    book = root / "evenkeel" / "venues" / "simulated" / "book.py"
    text = book.read_text()
    assert "    EXIT = 13\n    EXIT_SIGNAL = 14\n" in text
    book.write_text(text.replace("    EXIT = 13\n    EXIT_SIGNAL = 14\n", "    EXIT_SIGNAL = 13\n    EXIT = 14\n"))

    assert python(root, SLIP, cache) == "14\n"


def test_kernels_are_compiled_once_and_read_from_the_cache_after_that(tmp_path: Path) -> None:
    code = SLIP + "\nprint(sum(place_exit.stats.cache_hits.values()), sum(place_exit.stats.cache_misses.values()))"
    root = copy_of_source(tmp_path)

    first, second = (python(root, code, tmp_path / "cache").split() for _ in range(2))

    assert first == ["13", "0", "1"]
    assert second == ["13", "1", "0"]


@pytest.mark.skipif(os.name == "nt", reason="a folder below a file cannot be told from a forbidden one there")
def test_a_cache_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("no folder")
    told = "import evenkeel.kernel as k; k.announce = print\n" + SLIP + "\nprint(k.CACHE_FOLDER)"

    found = python(SOURCE.parent, told, blocked / "cache").splitlines()

    assert found[0].startswith("compiling kernels for this machine")
    assert "no cache folder can be written" in found[0]
    assert found[1:] == ["13", "None"]


def test_old_caches_are_removed_and_strangers_are_left_alone(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for place in range(7):
        (cache / f"{place:024d}").mkdir(parents=True)
    (cache / "notes").mkdir()

    python(SOURCE.parent, "import evenkeel.kernel", cache)

    names = {path.name for path in cache.iterdir()}
    assert "notes" in names
    assert len(names - {"notes"}) == kernels.CACHE_FOLDERS_KEPT
    assert len([name for name in names if name.startswith("0" * 20)]) == kernels.CACHE_FOLDERS_KEPT - 1


def test_the_digest_repeats() -> None:
    assert source_digest() == source_digest()
    assert len(source_digest()) == 24


_LOADED_ALONE = """
import sys
from evenkeel.features.registry import find_indicator
from evenkeel.kernel import address_of
address_of(find_indicator("ema").kernel)
print("numba.np.arraymath" in sys.modules, "evenkeel.features.indicators.rsi" in sys.modules)
"""


def test_a_cached_kernel_is_loaded_without_what_a_compilation_imports(tmp_path: Path) -> None:
    environment = {**os.environ, "EVENKEEL_KERNEL_CACHE": str(tmp_path)}

    def run() -> str:
        command = [sys.executable, "-c", _LOADED_ALONE]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert [run(), run()] == ["True False", "False False"]
