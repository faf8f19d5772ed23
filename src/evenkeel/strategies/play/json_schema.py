"""The JSON Schema of play files, for completion and checks in an editor."""

from __future__ import annotations

from typing import Any

from evenkeel.strategies.play.schema import PlayDocument

_TOKEN = {"type": "string", "pattern": r"^\{\{\s*\w+\s*\}\}$", "description": "A variable."}


def play_schema() -> dict[str, Any]:
    """Return the schema; every number and flag may also be a variable in quotes."""
    schema = PlayDocument.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Evenkeel play"
    for section in [schema, *schema["$defs"].values()]:
        properties = section.get("properties", {})
        for name in properties:
            properties[name] = _with_variable(properties[name])
    schema["properties"]["actions"] = {
        "description": "A map from action to expression, or a list of blocks.",
        "anyOf": [{"$ref": "#/$defs/ShortActions"}, {"type": "array", "items": {"$ref": "#/$defs/BlockSection"}}],
    }
    return schema


def _with_variable(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") in ("number", "integer", "boolean") or "enum" in part:
        kept: dict[str, Any] = {key: part[key] for key in ("description", "default", "title") if key in part}
        bare = {key: value for key, value in part.items() if key not in kept}
        return {**kept, "anyOf": [bare, _TOKEN]}
    if "anyOf" in part:
        return {**part, "anyOf": [*part["anyOf"], _TOKEN]}
    return part
