"""Reading a JSON file key by key, with the key named in every refusal."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path

Json = dict[str, object]

NUMBER_MAX = Decimal("1e18")
"""No price, quantity or amount of a run comes near this."""


class Unreadable(Exception):
    """A file of the run is missing, damaged or says something it may not; the message names file and place."""


class Document:
    """A JSON file whose values are asked for by dotted key.

    Numbers keep the digits that the file has: they are read as `Decimal`.

    Args:
        path: The file.

    Raises:
        Unreadable: If the file is missing or no JSON object.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
        except FileNotFoundError:
            raise Unreadable(f"{path.name} is missing") from None
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path.name} cannot be read: {error}") from None
        if not isinstance(content, dict):
            raise Unreadable(f"{path.name} is not a JSON object")
        self._content: Json = content

    def has(self, key: str) -> bool:
        """Whether the dotted key is there, null included."""
        found, _ = self._look_up(key)
        return found

    def value(self, key: str) -> object:
        """Return whatever stands at the dotted key.

        Raises:
            Unreadable: If there is no such key.
        """
        found, value = self._look_up(key)
        if not found:
            raise Unreadable(f"{self.name}: the key {key} is missing")
        return value

    def text(self, key: str) -> str:
        """Return the string at the key."""
        value = self.value(key)
        if not isinstance(value, str):
            raise Unreadable(f"{self.name}: {key} is {value!r}, a string was expected")
        return value

    def flag(self, key: str) -> bool:
        """Return the truth value at the key."""
        value = self.value(key)
        if not isinstance(value, bool):
            raise Unreadable(f"{self.name}: {key} is {value!r}, true or false was expected")
        return value

    def section(self, key: str) -> Json | None:
        """Return the object at the key, or None where it is null."""
        value = self.value(key)
        if value is not None and not isinstance(value, dict):
            raise Unreadable(f"{self.name}: {key} is {value!r}, an object or null was expected")
        return value

    def number(self, key: str) -> Decimal:
        """Return the number at the key, be it written as a number or as a decimal string."""
        value = self.optional_number(key)
        if value is None:
            raise Unreadable(f"{self.name}: {key} is null, a number was expected")
        return value

    def optional_number(self, key: str) -> Decimal | None:
        """Return the number at the key, or None where it is null."""
        value = self.value(key)
        return None if value is None else finite(value, f"{self.name}: {key}")

    def _look_up(self, key: str) -> tuple[bool, object]:
        value: object = self._content
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return False, None
            value = value[part]
        return True, value


def finite(value: object, place: str) -> Decimal:
    """Return `value` as a `Decimal` of a magnitude that sums of postings can hold.

    Args:
        value: A `Decimal` or its text.
        place: File and key or row, for the message.

    Raises:
        Unreadable: If it is no such number.
    """
    if isinstance(value, Decimal | str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number) < NUMBER_MAX:
            return number
    raise Unreadable(f"{place} is {value!r}, a number below {NUMBER_MAX:g} was expected")
