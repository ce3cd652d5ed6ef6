"""Which text stands for a value, as a word of a command, a variable, or in a template?"""

from __future__ import annotations

import numbers
import os
import string
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from flowlib.choices import Choices
from flowlib.errors import SpecError, nearest
from flowlib.input_files import InputFile
from stores import Promise

_TEMPLATE: Final = frozenset({"template", "values"})
"""A text with values that are not known yet is a dict of these."""


def check_text(value: object, where: str) -> None:
    """Refuse what no program can be given as a word.

    Raises:
        SpecError: it is no text and no number.
    """
    for each in choices_in(value):
        check_text(each, where)
    if is_plain(value) and not is_template(value):
        text_of(value, where)


def choices_in(value: object) -> tuple[object, ...]:
    """The alternatives of a sweep; nothing for all else."""
    return value.values if isinstance(value, Choices) else ()


def is_plain(value: object) -> bool:
    """Whether a value is what it is, not something from which a value will be made."""
    kinds = (str, bytes, bytearray, int, float, PurePath, InputFile, list, tuple, dict, set)
    return value is None or isinstance(value, kinds)


def text_of(value: object, where: str) -> str:
    """The text that a value stands for as a word, a variable, or in a template.

    Raises:
        SpecError: it stands for none.
    """
    if is_template(value):
        return rendered(value, where)
    if isinstance(value, Promise):
        value = value.load()
    text: str | None = None
    if isinstance(value, str):
        text = str.__str__(value)
    elif isinstance(value, (bytes, bytearray)):
        text = os.fsdecode(bytes(value))
    elif isinstance(value, PurePath):
        text = str(value)
    elif not isinstance(value, bool) and isinstance(value, numbers.Real):
        text = _number(value)
    if text is None:
        raise SpecError(
            f"sh: {where} is {value!r} ({type(value).__name__}), which is neither text nor a "
            f"number: write it as the program wants it"
        )
    refuse_nul(text)
    return text


def _number(value: numbers.Real) -> str:
    """A number as Python writes it, whatever it is derived from."""
    if isinstance(value, numbers.Integral):
        return str(int(value))
    return repr(float(value))


def template(text: str, values: Mapping[str, object]) -> Any:
    """A text with these values in it: at once if they are all known, later if not.

    Raises:
        SpecError: the text has a place without a value, or there is a value without a place.
    """
    if not isinstance(text, str):
        raise SpecError(f"sh.template: the text is a str, not {text!r}")
    pattern = string.Template(text)
    if not pattern.is_valid():
        raise SpecError(
            "sh.template: a $ stands for itself only as $$; else it is $name or ${name}"
        )
    names = pattern.get_identifiers()
    for name in names:
        if name not in values:
            raise SpecError(
                f"sh.template: ${name} has no value.{nearest(name, values)} "
                f"Values are given as arguments: sh.template(text, {name}=…)"
            )
    for name, value in values.items():
        if name not in names:
            raise SpecError(f"sh.template: the text has no ${name}.{nearest(name, names)}")
        check_text(value, f"${name} of a template")
    unknown = {"template": text, "values": dict(values)}
    is_known = all(is_plain(each) and not is_template(each) for each in values.values())
    return rendered(unknown, "a template") if is_known else unknown


def rendered(value: Any, where: str) -> str:
    """The text of a template whose values are known."""
    texts = {name: text_of(each, f"${name} in {where}") for name, each in value["values"].items()}
    return string.Template(value["template"]).substitute(texts)


def is_template(value: object) -> bool:
    """Whether a value is a template that waits for its values."""
    return isinstance(value, Mapping) and value.keys() == _TEMPLATE


def refuse_nul(text: str) -> None:
    """Refuse the character that ends a text of C.

    Raises:
        SpecError: it is in there.
    """
    if "\0" in text:
        raise SpecError(f"sh: {text!r} holds a NUL character, which no program can be given")
