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
MISSING: tuple[int | str, ...] = ()
"""Rows and requirements that no test names yet."""


def rows_of(told: str) -> set[int]:
    """Return the rows that the name or the words of a test name: `row 11 and 12`, `rows 1 to 3`."""
    found: set[int] = set()
    for said in re.findall(r"\brows? (\d+(?:(?:, | and | to )\d+)*)\b(?!\.\d)", told, re.IGNORECASE):
        numbers = [int(number) for number in re.findall(r"\d+", said)]
        found |= set(range(numbers[0], numbers[-1] + 1)) if " to " in said else set(numbers)
    return found


@pytest.fixture(scope="module")
def named() -> dict[str, str]:
    return {name: told for name, told in every_test() if name.startswith(("scenario/", "property/"))}


def test_each_row_that_is_due_is_named_by_a_test(named: dict[str, str]) -> None:
    told = {row for words in named.values() for row in rows_of(words)}

    assert [row for row in ROWS if row not in told] == [row for row in MISSING if isinstance(row, int)]


def test_each_requirement_that_is_due_is_named_by_a_test(named: dict[str, str]) -> None:
    words = " ".join(named.values())
    told = [word for word in REQUIREMENTS if re.search(rf"(?<!\w){word}(?!\w)", words, re.IGNORECASE)]

    assert [word for word in REQUIREMENTS if word not in told] == [word for word in MISSING if isinstance(word, str)]
