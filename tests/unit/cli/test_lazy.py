"""Commands that answer at once import nothing heavy. The rule is about modules, not milliseconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "polars", "pydantic", "httpx", "websockets", "asyncio", "rich", "yaml")

PROBE = """
import sys
from evenkeel.cli.entry import run
code = run(sys.argv[1:])
print("imported", *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def imported_by(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("imported "), done.stderr
    return set(last.split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        (),
        ("bactest",),
        ("run",),
        ("doctor", "--help"),
        ("doctor",),
        ("doctor", "--json"),
        ("doctor", "--gaps"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments).isdisjoint(HEAVY)


def test_completion_imports_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KEEL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "keel ")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert imported_by().isdisjoint(HEAVY)


def test_the_probe_sees_a_heavy_import() -> None:
    code = PROBE.replace("import sys\n", "import sys\nimport numpy\n", 1)
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True)

    assert "numpy" in done.stderr.split()


def test_a_run_imports_no_generated_markets_and_no_polars_before_it_writes() -> None:
    code = "import sys, evenkeel.api; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert "evenkeel.engine.research" in loaded
    assert not [name for name in loaded if name.startswith(("evenkeel.data.synthetic", "evenkeel.readiness", "polars"))]
