"""The guide to plays names every key and word of the language, and what it shows loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenkeel.data.definitions import Definitions
from evenkeel.strategies.play.json_schema import play_schema
from evenkeel.strategies.play.load import load_play

ROOT = Path(__file__).parents[4]
GUIDE = (ROOT / "docs" / "guide" / "plays.md").read_text("utf-8")
NODES = ("indicator.", "structure.")


def keys_of(part: Any) -> Iterator[str]:
    """Yield every key of a schema, and every word that a key may hold."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        yield from (str(word) for word in (*part.get("enum", ()), part.get("const", "")) if isinstance(word, str))
        for inside in part.values():
            yield from keys_of(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from keys_of(inside)


def test_every_key_and_word_is_in_the_guide() -> None:
    schema = play_schema()
    sections = {name: part for name, part in schema["$defs"].items() if not name.startswith(NODES)}
    sections["reference"]["properties"].pop("field")
    sections["FeatureSection"].pop("allOf")
    sections["StructureSection"].pop("allOf")
    for key, section in (("indicator", "FeatureSection"), ("type", "StructureSection")):
        sections[section]["properties"][key] = {}
    names = set(keys_of([schema["properties"], sections]))
    silent = {name for name in names if not name.endswith(("_usdt", "_duration")) and name not in GUIDE} - {"", "field"}
    assert silent == set()
    assert {"holds_for", "cross_above", "rr_ratio", "expire_after_bars", "first_hit"} <= names


def test_the_whole_play_in_the_guide_loads_without_a_warning() -> None:
    plays = [block for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if block.startswith("version:")]
    assert len(plays) == 1
    assert load_play(plays[0], instruments=Definitions.load().find).warnings == ()


def test_every_place_that_the_guide_points_to_exists() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in GUIDE.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / "docs" / "guide" / target.partition("#")[0]).exists(), target
