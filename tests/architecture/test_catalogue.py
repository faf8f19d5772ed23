"""Every row of the failure catalogue (operations.md 12) and of plays.md 10 that is due is named by a test."""

from __future__ import annotations

import re

import pytest

from named_tests import every_test

ROWS = (
    *range(1, 25), *range(32, 39), 40, 41, *range(45, 53), 55, 57, *range(60, 78), *range(81, 85), 89, 90, 94, 96, 97,
    100, 103, 104,
)  # fmt: skip
REQUIREMENTS = ("C2", "C5", "C6", "C7", "H1", "H2", "H3", "H4", "H5", "H9", "H13", "P1", "P2")
PLACES = ("scenario/", "property/", "unit/risk/", "unit/execution/", "unit/engine/")
MISSING: tuple[int | str, ...] = (8, 9, 34, 60, 61, 94, "H4")
"""Rows and requirements that no test names yet."""


def rows_of(told: str) -> set[int]:
    """Return the rows that the name or the words of a test name: `row 17`, `rows 11 and 12`; no ranges, no `6.1`."""
    said = re.findall(r"\brows? (\d+(?:(?:, | and )\d+)*)\b(?!\.\d| \d| to \d)", told, re.IGNORECASE)
    return {int(number) for one in said for number in re.findall(r"\d+", one)}


@pytest.fixture(scope="module")
def named() -> dict[str, str]:
    return dict(every_test())


def test_each_row_that_is_due_is_named_by_a_test(named: dict[str, str]) -> None:
    told = {row for name, words in named.items() if name.startswith(PLACES) for row in rows_of(words)}

    assert [row for row in ROWS if row not in told] == [row for row in MISSING if isinstance(row, int)]


def test_each_requirement_that_is_due_is_named_by_a_test(named: dict[str, str]) -> None:
    words = " ".join(named.values())
    told = [word for word in REQUIREMENTS if re.search(rf"(?<!\w){word}(?!\w)", words, re.IGNORECASE)]

    assert [word for word in REQUIREMENTS if word not in told] == [word for word in MISSING if isinstance(word, str)]
