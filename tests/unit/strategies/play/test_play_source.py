"""YAML with positions: the values, the places, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.strategies.play.yaml_source import DEPTH_MAX, SIZE_MAX, read, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("12:30", "12:30"), ("2024-01-31", "2024-01-31"), ("1_000", "1_000"),
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("-3", -3), ("1e-4", 1e-4), (".5", 0.5), ("5.", 5.0),
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("15m", "15m"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: Any) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_are_always_text() -> None:
    assert read("a: '1'\nb: \"true\"\nc: |\n  5\n", "f").value == {"a": "1", "b": "true", "c": "5\n"}


def test_every_value_and_key_knows_its_place() -> None:
    source = read("a:\n  - {b: 10, cé: [1, xy]}\n", "f")
    span = source.spans["a", 0, "cé", 1]
    key = source.key_spans["a", 0, "cé"]
    assert (span.line, span.column, span.end_column) == (2, 21, 23)
    assert (key.line, key.column, key.end_column) == (2, 13, 15)


def test_an_alias_gives_the_value_again() -> None:
    assert read("a: &x [1, 2]\nb: *x\n", "f").value == {"a": [1, 2], "b": [1, 2]}


REFUSED = [
    ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice, in line 1 and in line 3"),
    ("a: {x: 1, x: 2}\n", 1, "the key 'x' stands twice, in line 1 and in line 1"),
    ("a:\n  <<: {b: 1}\n", 2, "merge keys"),
    ("1: a\n", 1, "a key must be text"),
    ("true: a\n", 1, "a key must be text"),
    ("[1, 2]: a\n", 1, "a key must be text"),
    ("a: {{ x }}\n", 1, "a key must be text"),
    ("a: !!python/object:os.system x\n", 1, "the tag"),
    ("a: !x 1\n", 1, "the tag"),
    ("a: [1, 2\nb: 3\n", 2, "this is not YAML"),
    ("a: 'x\n", 2, "this is not YAML"),
    ("a: 1\n\tb: 2\n", 2, "this is not YAML"),
    ("a: 1\n---\nb: 2\n", 2, "second document"),
    ("a: 9999999999999999999\n", 1, "whole number"),
    ("", 0, "the file is empty"),
    ("# only a comment\n", 0, "the file is empty"),
    ("a: \x00\n", 0, "this is not YAML"),
    ("a: \ud800\n", 0, "not valid Unicode"),
    ("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), 1, "nested deeper"),
    ("a: " + "[" * 100_000, 1, "nested deeper"),
    ("a: " + "x" * SIZE_MAX, 0, "the limit is 1000000"),
    ("a: &x [*x]\n", 1, "unfold"),
]


@pytest.mark.parametrize(("text", "line", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_a_play_has_no_use_for_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    (fault,) = read(text, "f").faults
    assert message in fault.message
    assert fault.line == line


def test_an_alias_bomb_is_refused() -> None:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 12)]
    (fault,) = read("l0: &l0 [1]\n" + "\n".join(levels), "f").faults
    assert "unfold into too many values" in fault.message


def test_all_faults_are_told_at_once() -> None:
    faults = read("a: 1\na: 2\n<<: {x: 1}\n3: x\nb: 1\nb: 2\n", "f").faults
    assert [fault.line for fault in faults] == [2, 3, 4, 6]


def test_an_unquoted_variable_is_told_to_be_quoted() -> None:
    (fault,) = read("a: {{ x }}\n", "f").faults
    assert fault.remedy == 'a variable must be quoted: "{{ name }}"'
