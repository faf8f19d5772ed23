"""HTML that is safe by construction: text is escaped unless it is `Html` already.

>>> tag("p", "a < b", class_="note")
'<p class="note">a &lt; b</p>'
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

_VOID = frozenset({"meta", "input"})


class Html(str):
    """Markup that may stand in the page as it is."""

    __slots__ = ()


Child: TypeAlias = "Html | str | None"
Attribute: TypeAlias = "str | int | float | bool | None"


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element.

    Args:
        name: Of the element.
        children: `Html` stands as it is, other text is escaped, None is left out.
        attributes: A trailing underscore is dropped and others become hyphens; True gives a bare attribute, None and
            False leave it out.
    """
    head = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Html(head) if name in _VOID else Html(f"{head}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Return the children one after the other, text escaped."""
    return Html("".join(escape(child) for child in children if child is not None))


def escape(text: Html | str) -> Html:
    """Return text as markup; `Html` passes unchanged."""
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value), quote=True)}"'
