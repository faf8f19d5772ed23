"""Checks a section against its model and tells what does not fit in our own sentences."""

from __future__ import annotations

import json
import types
import typing
from typing import Any, TypeVar, Union

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, nearest, suggestion
from evenkeel.strategies.play.yaml_source import scalar

SectionT = TypeVar("SectionT", bound=BaseModel)

_SHOWN = 60
_LARGE = 1_000_000
"""From here on a limit is easier to read with its thousands apart."""


def check(model: type[SectionT], value: Any, path: Path, log: ProblemLog) -> SectionT | None:
    """Return the section as a model, or None after telling everything that does not fit."""
    if not isinstance(value, dict):
        keys = ", ".join(_names(model))
        log.error(path, f"{_shown(value)} is not a map", f"write `key: value` lines; keys are {keys}", key=False)
        return None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        misspelt = {place for detail in details if (place := _meant(model, detail))}
        for detail in details:
            if detail["type"] != "missing" or tuple(detail["loc"]) not in misspelt:
                _tell(model, value, path, detail, log)
        return None


def _meant(model: type[BaseModel], detail: ErrorDetails) -> tuple[str | int, ...] | None:
    """Return the place that an unknown key was probably meant for, so that it is not also told to be missing."""
    if detail["type"] != "extra_forbidden":
        return None
    near = nearest(detail["loc"][-1], _names(_owner(model, detail["loc"])))
    return (*detail["loc"][:-1], near) if near else None


def _tell(model: type[BaseModel], value: Any, path: Path, detail: ErrorDetails, log: ProblemLog) -> None:
    kind = detail["type"]
    place = path + _present(value, detail["loc"])
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        log.error((*path, *_present(value, detail["loc"])), f"unknown key '{key}'", _near_key(model, detail), key=True)
    elif kind == "missing":
        log.error(place, f"`{detail['loc'][-1]}` is missing", _how_to_add(model, detail), key=True)
    elif kind == "union_tag_not_found":
        models = _bare_models(model, detail["loc"])
        if not _tell_strangers(models, detail["input"], place, log):
            tags = ", ".join(tag for one in models for tag in typing.get_args(one.model_fields["type"].annotation))
            log.error(place, "`type` is missing", f"add `type:` with one of {tags}", key=True)
    elif kind == "union_tag_invalid":
        given = detail["ctx"]["tag"]
        near = nearest(given, _tags(detail).split(", "))
        remedy = f"did you mean '{near}'?" if near else f"allowed are {_tags(detail)}"
        log.error((*place, "type"), f"'{given}' is not a type", remedy)
    else:
        message, remedy = _sentence(kind, detail)
        log.error(place, message, remedy)


def _how_to_add(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Return how a missing key may be written: one of its words, an example, or what it holds."""
    name = str(detail["loc"][-1])
    owner = _owner(model, detail["loc"])
    fields = owner.model_fields if isinstance(owner, type) and issubclass(owner, BaseModel) else {}
    field = next((one for key, one in fields.items() if name in (key, one.alias)), None)
    if field is None:
        return f"add `{name}: …`"
    words = [str(word) for word in _words(field.annotation)]
    if words:
        return f"add `{name}:` with one of {', '.join(words)}"
    if field.examples:
        example = field.examples[0]
        return f"add `{name}: {json.dumps(example) if scalar(str(example)) != example else example}`"
    return f"add `{name}: …`{f' ({field.description})' if field.description else ''}"


def _words(annotation: Any) -> tuple[Any, ...]:
    """Return the words that an annotation allows; none if it allows more than words."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _words(typing.get_args(annotation)[0])
    return typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()


def _tell_strangers(models: tuple[type[BaseModel], ...], given: Any, place: Path, log: ProblemLog) -> bool:
    """Tell the keys that no alternative of a union knows; return whether one of them was meant to be its `type`."""
    known = list(dict.fromkeys(name for model in models for name in _names(model)))
    strangers = [key for key in given if key not in known] if isinstance(given, dict) else []
    for key in strangers:
        log.error((*place, key), f"unknown key '{key}'", suggestion(key, known), key=True)
    return any(nearest(key, known) == "type" for key in strangers)


def _bare_models(model: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[type[BaseModel], ...]:
    """Return the models that may stand at a pydantic location."""
    owner: Any = model
    for part in loc:
        owner = _step(owner, part)
    found = owner if isinstance(owner, tuple) else (owner,)
    return tuple(one for one in found if isinstance(one, type) and issubclass(one, BaseModel))


def _sentence(kind: str, detail: ErrorDetails) -> tuple[str, str]:
    given, context = _shown(detail["input"]), detail.get("ctx", {})
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        near = nearest(detail["input"], allowed.split(", ")) if isinstance(detail["input"], str) else None
        one = "it must be" if "," not in allowed else "allowed are"
        return f"{given} is not allowed here", f"did you mean '{near}'?" if near else f"{one} {allowed}"
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        limit = context[key]
        return f"{given} is out of bounds", f"it must be {word} {f'{limit:,.0f}' if limit >= _LARGE else f'{limit:g}'}"
    if kind == "string_pattern_mismatch":
        return f"{given} is not a name", "begin with a lower-case letter; use letters, digits and _"
    if kind in ("too_short", "string_too_short"):
        return "it is empty", "write at least one"
    if kind == "too_long":
        return f"it has {context['actual_length']:,} entries", f"write at most {context['max_length']}"
    return f"{given} is not {_WANTED.get(kind, 'valid here')}", _remedy(kind, detail["input"])


def _remedy(kind: str, given: Any) -> str:
    """Return what to do about a value of the wrong kind; quotes are the reason only where they hold a number."""
    if kind == "string_type":
        return "quote it"
    quoted = isinstance(given, str) and isinstance(scalar(given), int | float)
    return "write it without quotes" if kind in ("float_type", "int_type") and quoted else ""


_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_long": "short enough for a name (100 characters)",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}


def _shown(value: Any) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"'{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}'"


def _present(value: Any, loc: tuple[str | int, ...]) -> Path:
    """Return the parts of `loc` that stand in the document: union tags and absent keys do not."""
    path: list[str | int] = []
    place = value
    for part in loc:
        if not _holds(place, part):
            continue
        place = place[part]
        path.append(part)
    return tuple(path)


def _holds(place: Any, part: str | int) -> bool:
    if isinstance(place, dict):
        return part in place
    return isinstance(place, list) and isinstance(part, int) and part < len(place)


def _tags(detail: ErrorDetails) -> str:
    return str(detail["ctx"]["expected_tags"]).replace("'", "")


def _near_key(model: type[BaseModel], detail: ErrorDetails) -> str:
    return suggestion(detail["loc"][-1], _names(_owner(model, detail["loc"])))


def _owner(model: type[BaseModel], loc: tuple[str | int, ...]) -> Any:
    """Return the model that holds the last part of a pydantic location."""
    owner: Any = model
    for part in loc[:-1]:
        owner = _step(owner, part)
    return owner


def _names(model: Any) -> list[str]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _step(owner: Any, part: str | int) -> Any:
    """Return the model one part of a pydantic location further down."""
    if isinstance(owner, type) and issubclass(owner, BaseModel) and part in owner.model_fields:
        return _bare(owner.model_fields[str(part)].annotation)
    if isinstance(owner, tuple):
        tagged = [model for model in owner if part in typing.get_args(model.model_fields["type"].annotation)]
        return tagged[0] if tagged else owner
    return owner


def _bare(annotation: Any) -> Any:
    """Return the model, or the tuple of models, that an annotation allows."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        models = [_bare(member) for member in typing.get_args(annotation) if member is not type(None)]
        flat = [one for member in models for one in (member if isinstance(member, tuple) else (member,))]
        found = tuple(one for one in flat if isinstance(one, type) and issubclass(one, BaseModel))
        return found[0] if len(found) == 1 else found
    return annotation
