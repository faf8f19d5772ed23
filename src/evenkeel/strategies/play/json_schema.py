"""The JSON Schemas of strategy files (draft 2020-12), for completion and checks in an editor.

They are made from the models of `schema`, so that a new section appears by itself, and from the registry, so that each
indicator brings its own parameters. Every scalar may also be a variable in quotes. They accept every file that loads;
they cannot know which features are declared, which only the loader checks.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.strategies.play.block import BlockDocument
from evenkeel.strategies.play.json_conditions import (
    ROLE_WORDS,
    Schema,
    choice,
    condition_definitions,
    or_token,
    ref,
)
from evenkeel.strategies.play.json_nodes import feature_section, node_definitions, output_meanings, structure_section
from evenkeel.strategies.play.schema import CONDITION_MARK, PlayDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAID = ("description", "default", "examples")
_LEFT_OUT = (*_SAID, "title", "discriminator")
_NAMES = {
    "features": r"^[a-z][A-Za-z0-9_]*$",
    "setups": r"^[A-Za-z_][A-Za-z0-9_]*$",
    "variables": r"^[^\W\d]\w*$",
}
"""Sections that are maps from a name of the author's to something, and what such a name is made of."""


def play_schema() -> dict[str, Any]:
    """Return the schema of plays."""
    schema = document_schema(PlayDocument, "Evenkeel play")
    brings = ("features", "structures", "include")
    schema["allOf"] = [
        {"anyOf": [{"required": ["symbol"]}, {"required": ["symbols"]}]},
        {"not": {"required": ["risk", "risk_model"]}},
        {"anyOf": [{"required": [name]} for name in brings]},
    ]
    return schema


def block_schema() -> dict[str, Any]:
    """Return the schema of blocks; a scalar may be a parameter in quotes."""
    return document_schema(BlockDocument, "Evenkeel block")


def document_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the schema of a document with the indicators and structures that are known now, plug-ins included.

    Args:
        model: The whole document.
        title: Of the schema.
    """
    indicators, structures = all_indicators(), all_structures()
    top = model.model_json_schema(by_alias=True)
    sections = _Sections(top.pop("$defs"))
    shaped = {name: sections.section(name) for name in sections.raw}
    if "FeatureSection" in shaped:
        shaped["FeatureSection"] = feature_section(shaped["FeatureSection"], indicators)
        shaped["StructureSection"] = structure_section(shaped["StructureSection"], structures)
    if "IntentSection" in shaped:
        shaped["IntentSection"]["properties"]["metadata"]["additionalProperties"] = {
            "description": "A constant, or a value read at the decision.",
            "anyOf": [{"type": ["string", "number", "boolean"]}, ref("reference")],
        }
    properties = {name: sections.value(part) for name, part in top["properties"].items()}
    for part in (properties, *(section.get("properties", {}) for section in shaped.values())):
        _open_maps(part)
    outputs = output_meanings([*indicators.values(), *structures.values()])
    return {
        "$schema": DIALECT,
        "title": title,
        "description": top["description"],
        "type": "object",
        "properties": properties,
        "required": top["required"],
        "additionalProperties": False,
        "$defs": {**shaped, **condition_definitions(outputs), **node_definitions({**indicators, **structures})},
    }


def _open_maps(properties: dict[str, Schema]) -> None:
    """Let the sections that bring names into a document be empty, and hold their names to a pattern."""
    if "variables" in properties:
        properties["variables"] = _map_or_nothing(properties["variables"], _NAMES["variables"])
    if "features" not in properties:
        return
    for name in ("features", "structures", "setups", "include"):
        properties[name] = _map_or_nothing(properties[name], _NAMES.get(name))
    for role, part in properties["structures"]["anyOf"][0]["properties"].items():
        part["description"] = f"Structures on {ROLE_WORDS[role]}."


def _map_or_nothing(part: Schema, names: str | None) -> Schema:
    """Return a map that may also be left empty, its names held to their pattern."""
    kept = {key: value for key, value in part.items() if key in _SAID}
    bare = {key: value for key, value in part.items() if key not in _SAID}
    if names is not None:
        bare["propertyNames"] = {"pattern": names}
    return {**kept, "anyOf": [bare, {"type": "null"}]}


class _Sections:
    """Turns what pydantic says of the models into what the loader takes.

    Args:
        raw: Definitions by name, as pydantic gives them.
    """

    def __init__(self, raw: dict[str, Schema]) -> None:
        self.raw = raw

    def section(self, name: str) -> Schema:
        """Return one section: an object whose unknown keys are refused, or an alternative of such."""
        part = self.raw[name]
        if "properties" not in part:
            return self.value(part)
        kept = {key: value for key, value in part.items() if key != "title"}
        return {**kept, "properties": {key: self.value(value) for key, value in part["properties"].items()}}

    def value(self, part: Schema) -> Schema:
        """Return what may stand at a key: the value, null where the model takes it, a variable where it is a scalar."""
        said = {key: part[key] for key in _SAID if part.get(key) is not None and not isinstance(part[key], dict)}
        if part.get(CONDITION_MARK):
            return {**ref("condition"), **said}
        found = self._alternatives(part)
        made = found[0] if len(found) == 1 else {"anyOf": found}
        return or_token({**said, **made}) if any(map(_is_scalar, found)) else {**said, **made}

    def _alternatives(self, part: Schema) -> list[Schema]:
        if "anyOf" in part:
            return [one for alternative in part["anyOf"] for one in self._alternatives(alternative)]
        if "discriminator" in part:
            return [self._by_type(part["discriminator"]["mapping"])]
        bare = {key: value for key, value in part.items() if key not in _LEFT_OUT}
        for key in ("items", "additionalProperties"):
            if isinstance(bare.get(key), dict):
                bare[key] = self.value(bare[key])
        names = bare.get("propertyNames", {}).get("enum")
        if names:
            del bare["propertyNames"]
            bare = {**bare, "properties": {word: dict(bare["additionalProperties"]) for word in names}}
            bare["additionalProperties"] = False
        return [bare]

    def _by_type(self, mapping: dict[str, str]) -> Schema:
        """Return an object whose `type` decides what else may be in it."""
        meanings = {
            tag: str(self.raw[target.rpartition("/")[2]].get("description", "")) for tag, target in mapping.items()
        }
        chosen = [_given_type({"const": tag}, {"$ref": target}) for tag, target in mapping.items()]
        open_type = _given_type(ref("variable"), {"anyOf": [{"$ref": target} for target in mapping.values()]})
        return {
            "type": "object",
            "properties": {"type": or_token(choice(meanings))},
            "required": ["type"],
            "allOf": [*chosen, open_type],
        }


def _given_type(wanted: Schema, then: Schema) -> Schema:
    return {"if": {"properties": {"type": wanted}, "required": ["type"]}, "then": then}


def _is_scalar(part: Schema) -> bool:
    return part.get("type") in ("number", "integer", "boolean") or any(
        key in part for key in ("enum", "const", "pattern")
    )
