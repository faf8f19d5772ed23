"""Giving the names of a block a prefix: every declaration and everything that refers to one.

A text that was handed in from outside (`Given`) names something of whoever handed it in, and keeps its name; every
other text names something of the block if the block declares it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenkeel.strategies.play.vocabulary import ARITHMETIC, OPERATORS

_REFERENCE = re.compile(r"([A-Za-z_]\w*)(.*)\Z", re.ASCII | re.DOTALL)
_CHAIN = "indicator:"
_SIGNS = (*OPERATORS, *ARITHMETIC)


class Given(str):
    """A text that was handed to a block.

    Attributes:
        level: How many blocks stand around the text that wrote it; 0 is the play.
    """

    level: int

    def __new__(cls, text: str, level: int) -> Given:
        """Bind the level to the text; a text that was handed on keeps its first level."""
        made = super().__new__(cls, text)
        made.level = text.level if isinstance(text, Given) else level
        return made


@dataclass(frozen=True)
class Renaming:
    """What the names of one block become.

    Attributes:
        values: Ids of its features and keys of its structures, old to new.
        setups: Names of its setups, old to new.
        level: How many blocks stand around its text, itself included.
    """

    values: Mapping[str, str]
    setups: Mapping[str, str]
    level: int

    def feature(self, section: Any) -> Any:
        """Return the declaration of an indicator."""
        if not isinstance(section, dict):
            return section
        changed = dict(section)
        if isinstance(changed.get("source"), str) and changed["source"].startswith(_CHAIN):
            source = changed["source"]
            changed["source"] = source if self._is_foreign(source) else _CHAIN + self._text(source[len(_CHAIN) :])
        return changed

    def structure(self, section: Any) -> Any:
        """Return the declaration of a structure."""
        if not isinstance(section, dict):
            return section
        changed = dict(section)
        key = section.get("key")
        changed["key"] = self.values.get(key, key) if isinstance(key, str) else key
        if "uses" in section:
            changed["uses"] = self._each(section["uses"])
        params = section.get("params")
        if isinstance(params, dict) and "atr_key" in params:
            changed["params"] = {**params, "atr_key": self.reference(params["atr_key"])}
        return {key: value for key, value in changed.items() if key in section}

    def condition(self, value: Any) -> Any:
        """Return a condition, or any part of one."""
        if isinstance(value, list):
            has_sign = len(value) > 1 and isinstance(value[1], str) and value[1] in _SIGNS
            return [item if has_sign and place == 1 else self.condition(item) for place, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._part(key, part) for key, part in value.items()}
        return self.reference(value)

    def reference(self, value: Any) -> Any:
        """Return a reference with the prefix if it names something of the block."""
        return self._text(value) if isinstance(value, str) and not self._is_foreign(value) else value

    def _part(self, key: str, part: Any) -> Any:
        if key in ("op", "field", "anchor_tf", "duration"):
            return part
        if key == "setup":
            own = isinstance(part, str) and not self._is_foreign(part)
            return self.setups.get(part, part) if own else part
        return self.condition(part)

    def _each(self, value: Any) -> Any:
        return [self.reference(item) for item in value] if isinstance(value, list) else self.reference(value)

    def _text(self, text: str) -> str:
        match = _REFERENCE.match(text)
        if match is None or match.group(1) not in self.values:
            return text
        return self.values[match.group(1)] + match.group(2)

    def _is_foreign(self, text: str) -> bool:
        return isinstance(text, Given) and text.level < self.level


def plain_texts(value: Any) -> Any:
    """Return the value with every text an ordinary one."""
    if isinstance(value, dict):
        return {key: plain_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain_texts(part) for part in value]
    return str(value) if isinstance(value, Given) else value
