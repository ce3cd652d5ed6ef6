"""
Which nodes does a user mean by `Train[lr=0.1]+`? The grammar of selectors.

    Train              all nodes of a spec; * and ? stand for any letters
    Train/9a7a08b2     the node whose key begins so
    Train-12           the node of this unique name
    Train[lr=0.1]      those with this config; several conditions between commas must all hold
    @failed            those that a word stands for
    Train+  +Train     also what is downstream, or upstream, of them
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from flowlib.errors import NothingSelected, SelectorError, nearest
from flowlib.scalars import read_scalar
from stores import Unencodable
from stores.config_paths import ABSENT, same_text, value_at
from stores.lazy_dataclass import dataclass

_GRAMMAR: Final = re.compile(
    r"""(?P<up>\+?)
    (?:@(?P<word>[a-z_]+)
     |(?P<name>[^\s+@\[\]/]+)(?:/(?P<key>[0-9a-f]+))?(?:\[(?P<where>.*)\])?)
    (?P<down>\+?)""",
    re.VERBOSE | re.DOTALL,
)
_CONDITION: Final = re.compile(
    r"""\s*(?P<path>[^\s=,'"]+)\s*=\s*(?P<value>'[^']*'|"[^"]*"|[^,]*)\s*"""
)
_KEY: Final = re.compile("[0-9a-f]+")
_GLOB: Final = frozenset("*?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a config.

    Attributes:
        path: `lr`, or `model.depth` inside a dict.
        value: What stands there.
        pattern: Where the value is a word with `*` or `?`, that word.
    """

    path: str
    value: object
    pattern: str = ""

    def holds(self, config: Mapping[str, object]) -> bool:
        """Whether a config has the value; 1 equals 1.0, and True is no number."""
        found = value_at(config, self.path)
        if found is ABSENT:
            return False
        if self.pattern:
            return isinstance(found, str) and fnmatchcase(found, self.pattern)
        try:
            return same_text(found) == same_text(self.value)
        except Unencodable:
            return False


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector.

    Attributes:
        text: As the user wrote it.
        name: Of a spec, perhaps with `*` and `?`, or of a node; empty for a word.
        key: How the key begins.
        word: What stands behind `@`.
        conditions: On the config; all must hold.
        upstream: Whether what is upstream of the nodes is meant, too.
        downstream: Whether what is downstream of them is.
        is_exact: Whether `name` is the name of a spec, letter by letter.
    """

    text: str
    name: str = ""
    key: str = ""
    word: str = ""
    conditions: tuple[Condition, ...] = ()
    upstream: bool = False
    downstream: bool = False
    is_exact: bool = False

    def names_spec(self, spec: str) -> bool:
        """Whether a spec is meant by its name."""
        return spec == self.name if self.is_exact else fnmatchcase(spec, self.name)

    def matches(self, spec: str, unique_name: str, key: str, config: Mapping[str, object]) -> bool:
        """Whether a node is meant; words and what is up- and downstream are the caller's."""
        is_named = self.names_spec(spec) or (not self.key and unique_name == self.name)
        return (
            is_named and key.startswith(self.key) and all(c.holds(config) for c in self.conditions)
        )


def parse_selector(text: str, specs: Collection[str] = ()) -> Selector:
    """The selector that a text stands for.

    Args:
        text: What the user wrote.
        specs: Names of specs: each stands for itself, whatever letters it has, also before a key.

    Raises:
        SelectorError: it is none.
    """
    for upstream in (False, True):
        for downstream in (False, True):
            core = text[upstream : len(text) - downstream]
            name, key = _exact(core, specs)
            if name and text == "+" * upstream + core + "+" * downstream:
                return Selector(
                    text, name, key, upstream=upstream, downstream=downstream, is_exact=True
                )
    found = _GRAMMAR.fullmatch(text)
    if found is None:
        raise SelectorError(
            f"{text!r} is no selector: write Train, Train/9a7a08b2, Train-12, Train[lr=0.1] or "
            f"@failed, with + behind or before for what is down- or upstream"
        )
    return Selector(
        text,
        name=found["name"] or "",
        key=found["key"] or "",
        word=found["word"] or "",
        conditions=() if found["where"] is None else _conditions(text, found["where"]),
        upstream=bool(found["up"]),
        downstream=bool(found["down"]),
    )


def _exact(text: str, specs: Collection[str]) -> tuple[str, str]:
    """The spec that a text names letter by letter, and the beginning of a key behind it."""
    if text in specs:
        return text, ""
    name, _, key = text.rpartition("/")
    return (name, key) if name in specs and _KEY.fullmatch(key) else ("", "")


def _conditions(text: str, where: str) -> tuple[Condition, ...]:
    conditions, at = [], 0
    while True:
        found = _CONDITION.match(where, at)
        if found is None or not found["value"].strip():
            raise SelectorError(f"{text!r}: a condition such as lr=0.1 is expected in [ ]")
        conditions.append(_condition(found["path"], found["value"].strip()))
        if found.end() == len(where):
            return tuple(conditions)
        if where[found.end()] != ",":
            raise SelectorError(f"{text!r}: a comma is expected after {found[0].strip()}")
        at = found.end() + 1


def _condition(path: str, value: str) -> Condition:
    if value[0] in "'\"" and value[-1] == value[0] and len(value) > 1:
        return Condition(path, value[1:-1])
    read = read_scalar(value)
    is_pattern = isinstance(read, str) and bool(_GLOB & set(value))
    return Condition(path, read, value if is_pattern else "")


def unknown(selector: Selector, specs: Collection[str], words: Iterable[str]) -> NothingSelected:
    """The error for a selector that selects nothing.

    Args:
        selector: It.
        specs: Names of the specs that there are.
        words: What may stand behind `@`.
    """
    if selector.word:
        known = [*words]
        if selector.word in known:
            return NothingSelected(f"{selector.text!r} selects nothing: there is none")
        listed = ", ".join(f"@{word}" for word in known)
        return NothingSelected(
            f"{selector.text!r}: there is no @{selector.word}.{nearest(selector.word, known)} "
            f"There are: {listed or 'none'}"
        )
    if any(selector.names_spec(spec) for spec in specs):
        return NothingSelected(f"{selector.text!r} selects nothing: no task has this key or config")
    return NothingSelected(
        f"{selector.text!r} selects nothing: the flow has no such task."
        f"{nearest(selector.name, specs)} There are: {', '.join(specs) or 'none'}"
    )
