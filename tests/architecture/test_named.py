"""Every row, trap, requirement and golden vector of the exchange is named by a test.

Rows are those of the tables of plays.md 6.1 to 6.10, traps those of section 11 about money, requirements those of
section 10 about the exchange. docs/develop/acceptance.md lists them.
"""

from __future__ import annotations

import re

import pytest

from named_tests import TESTS, every_test

PAGE = TESTS.parent / "docs" / "develop" / "acceptance.md"

ROWS = (
    "6.1 MARKET", "6.1 LIMIT", "6.1 STOP_MARKET", "6.1 STOP_LIMIT", "6.1 CLOSE",
    "6.2 marketable at first live minute", "6.2 resting, later minute opens through the limit",
    "6.2 resting, range touches", "6.2 not touched", "6.2 GTC", "6.2 IOC", "6.2 FOK", "6.2 PostOnly",
    "6.2 entry inside a minute", "6.3 long entry", "6.3 short entry", "6.3 long exit", "6.3 short exit",
    "6.3 market-type SL and TP", "6.3 end of data", "6.4", "6.4 liquidation", "6.5", "6.5 interval",
    "6.6.1", "6.6.2", "6.6.3", "6.6.4", "6.6.5", "6.6.6", "6.7 position margin", "6.7 fee to close",
    "6.7 required for entry", "6.7 unrealised", "6.7 maintenance margin", "6.7 liquidation condition", "6.7 LQ long",
    "6.7 LQ short", "6.7 bankruptcy long", "6.7 bankruptcy short", "6.7 extra", "6.7 SL vs liquidation",
    "6.8 percent_equity", "6.8 risk_based", "6.8 fixed_usdt", "6.8 caps", "6.8 minimum", "6.9 disabled", "6.9 linear",
    "6.9 sqrt", "6.9 zero volume", "6.9 max_volume_fraction", "6.10", "6.10 ladder",
)  # fmt: skip
TRAPS = ("T15", "T17", "T18", "T19", "T20", "T21", "T22", "T23", "T24", "T26", "T30")
REQUIREMENTS = ("H1", "M1", "M2", "M3", "L1", "L2", "L3", "P3")
VECTORS = range(1, 48)


@pytest.fixture(scope="module")
def named() -> dict[str, str]:
    return dict(every_test())


def naming(word: str, named: dict[str, str]) -> list[str]:
    """Return the tests that name a thing by its id."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?!\w)", re.IGNORECASE)
    return [name for name, told in named.items() if pattern.search(told)]


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_a_scenario(row: str, named: dict[str, str]) -> None:
    assert naming(f"Row {row}", named) != []


@pytest.mark.parametrize("word", [*TRAPS, *REQUIREMENTS])
def test_each_trap_and_each_requirement_has_a_test_and_stands_on_the_page(word: str, named: dict[str, str]) -> None:
    assert naming(word, named) != []
    assert re.search(rf"^\| {word} \|", PAGE.read_text("utf-8"), re.MULTILINE)


def numbers(told: str) -> set[int]:
    """Return the golden vectors that the name of a test begins with: `test 25 to 27 …`, `test 1 4 …`."""
    found = re.match(r"test ((?:\d+ )+)(?:to (\d+) )?", told)
    if found is None:
        return set()
    given = [int(number) for number in found[1].split()]
    return set(given) if found[2] is None else {*given, *range(given[-1], int(found[2]) + 1)}


def test_each_golden_vector_has_a_test_of_the_engine_and_one_of_the_slow_exchange(named: dict[str, str]) -> None:
    """Vectors 1 to 47 of plays.md 6.13."""
    ours: set[int] = set()
    slow: set[int] = set()
    for name, told in named.items():
        (slow if name.startswith("unit/reference/") else ours).update(numbers(told) & set(VECTORS))
    assert sorted(set(VECTORS) - slow) == []
    assert sorted(set(VECTORS) - ours) == []


def test_the_page_names_tests_that_there_are(named: dict[str, str]) -> None:
    listed = re.findall(r"`tests/([\w/]+\.py)::(test_\w+)`", PAGE.read_text("utf-8"))

    assert len(listed) >= len(TRAPS) + len(REQUIREMENTS)
    assert [f"{path}::{name}" for path, name in listed if f"{path}::{name}" not in named] == []
