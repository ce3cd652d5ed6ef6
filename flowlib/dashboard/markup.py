"""How is HTML written so that nothing of a user becomes part of it? Text is escaped, always."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from flowlib.console_text import encodable

_EMPTY: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """HTML that was made by `tag`, or written by us: it is not escaped again."""

    __slots__ = ()


Child = object
"""Markup, text, a number, several of them; None is nothing."""


def tag(name: str, /, *children: Child, **attributes: object) -> Markup:
    """An element; what is no `Markup` is escaped.

    Args:
        name: Of the element.
        *children: What stands in it.
        **attributes: `class_` and the like lose the line at their end, others become dashes; True
            is an attribute without a value, None and False are none.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Several pieces as one."""
    return Markup("".join(_child(each) for each in children))


def escaped(text: object) -> str:
    """Text for an element or an attribute; what UTF-8 cannot tell is written as it is escaped."""
    return html.escape(encodable(str(text)))


def cut(text: object, longest: int) -> str:
    """Text that is not longer than this; what is left out is counted."""
    found = str(text)
    if len(found) <= longest:
        return found
    return f"{found[:longest]}… ({len(found) - longest:,} more characters)"


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (str, int, float)):
        return escaped(child)
    if isinstance(child, Iterable):
        return "".join(_child(each) for each in child)
    return escaped(child)


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escaped(value)}"'
