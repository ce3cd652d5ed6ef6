"""Is what tasks are to get what their keys were made of? Lists and arrays may be written into."""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

from flowlib.errors import SpecError
from flowlib.node import Argument, Node
from stores import Unencodable, canonical

_NEVER_CHANGE: Final = frozenset({str, int, float, bool, bytes, complex, type(None)})


def refuse_changed(nodes: Iterable[Node]) -> None:
    """Refuse tasks whose arguments were changed after their keys were made.

    Each argument is looked at once, however many nodes share it. Ignored ones are in no key.

    Raises:
        SpecError: there is one.
    """
    seen: set[int] = set()
    for node in nodes:
        if node.declaration.ignore_prefix:  # what is left out by it is in no key
            continue
        for each in node.arguments:
            if type(each.value) in _NEVER_CHANGE or each.full_text is None or id(each) in seen:
                continue
            seen.add(id(each))
            if not _is_same(each):
                when = "the call" if node.declaration.is_call else "the flow was made"
                raise SpecError(
                    f"{node.name}.{each.name} was changed after {when}, so that it is not any more "
                    f"what the key of {node.unique_name} ({node.address}) was made of: give each "
                    f"a copy of its own, and do not write into that"
                )


def _is_same(argument: Argument) -> bool:
    try:
        text = canonical.encode(argument.value, argument.name)
    except Unencodable:  # it came from another process in a form that has no text here
        return True
    return argument.full_text == f"{quoted(argument.name)}:{text}"
