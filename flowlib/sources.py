"""What does a YAML, TOML or JSON file hold, and in which line does each part of it stand?"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowlib.errors import ConfigError, nearest
from flowlib.scalars import read_scalar
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

Place = tuple[str | int, ...]
"""The keys and positions that lead to a part of a document."""

STDIN: Final = "-"
"""The path that means the standard input, with YAML or JSON."""

_ENDINGS: Final = (".yaml", ".yml", ".toml", ".json")
_NO_DOCUMENTS: Final = ("pyproject.toml", "flowlib.toml")

_MOST_PARTS: Final = 1_000_000
"""Parts of a document after all aliases are followed; a few lines of them can mean billions."""

_KINDS: Final = frozenset(
    {"str", "int", "float", "bool", "null", "timestamp", "value", "merge", "binary"}
)
"""Tags that YAML itself gives to words."""

_HEADER: Final = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?")
_WORD: Final = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_ENTRY: Final = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")
_KEY: Final = re.compile(_WORD)


@dataclass(frozen=True, slots=True)
class Source:
    """The content of one file.

    Attributes:
        name: What to call it in errors; its path as it was given.
        value: What it holds.
        marks: `file:line` of its parts, as far as they are known.
    """

    name: str
    value: object
    marks: Mapping[Place, str] = field(default_factory=dict)

    def where(self, place: Place = ()) -> str:
        """`file:line` of a part, or of what it stands in."""
        while place not in self.marks and place:
            place = place[:-1]
        return self.marks.get(place, self.name)

    def over(self, other: Source) -> Source:
        """This upon `other`: mappings are joined key by key, all else is replaced.

        A mapping whose keys begin with `$` stands for one value, and is replaced as a whole.
        """
        marks = dict(other.marks)
        value = _joined(self, (), self.value, other.value, marks)
        return Source(self.name, value, marks)


def _joined(
    top: Source, place: Place, value: object, below: object, marks: dict[Place, str]
) -> object:
    if not (_is_joinable(value) and _is_joinable(below)):
        _replace_marks(top, place, marks)
        return value
    assert isinstance(value, dict)  # noqa: S101  # both are joinable
    assert isinstance(below, dict)  # noqa: S101
    found = dict(below)
    for key, inner in value.items():
        if key in found:
            found[key] = _joined(top, (*place, key), inner, found[key], marks)
        else:
            found[key] = inner
            _replace_marks(top, (*place, key), marks)
    return found


def _is_joinable(value: object) -> bool:
    return isinstance(value, dict) and not any(key.startswith("$") for key in value)


def _replace_marks(top: Source, place: Place, marks: dict[Place, str]) -> None:
    count = len(place)
    for each in [each for each in marks if each[:count] == place]:
        del marks[each]
    marks.update({each: mark for each, mark in top.marks.items() if each[:count] == place})


def read_source(path: Path) -> Source:
    """The content of a file; its ending tells the language, YAML without one.

    Raises:
        ConfigError: it is not there, cannot be read, or is not of that language.
    """
    if str(path) == STDIN:
        return parse(sys.stdin.read(), "<stdin>")
    if path.suffix == ".py":
        raise ConfigError(
            f"{path} is a script, no document (.yaml, .toml, .json): run it by `python {path}`, "
            f"or record it by `flowlib submit {path}`"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = _nearest_document(path) if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"{path} cannot be read: {reason}{hint}") from None
    return parse(text, str(path), path.suffix.lower())


def _nearest_document(path: Path) -> str:
    """The document beside that may be meant, as a sentence behind others."""
    with suppress(OSError):
        names = [each.name for each in path.parent.iterdir() if each.suffix in _ENDINGS]
        if hint := nearest(path.name, [each for each in names if each not in _NO_DOCUMENTS]):
            return f".{hint}"
    return ""


def parse(text: str, name: str, ending: str = ".yaml") -> Source:
    """The content of a text.

    Args:
        text: All of it.
        name: What to call it in errors.
        ending: `.toml`, `.json`, or anything else for YAML.

    Raises:
        ConfigError: it is not of that language, or a key stands twice; with the line.
    """
    if ending == ".toml":
        return _toml(text, name)
    if ending == ".json":
        return _json(text, name)
    return _yaml(text, name)


def _toml(text: str, name: str) -> Source:
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{name}:{line[1] if line else text.count(chr(10)) + 1}"
        raise ConfigError(f"{where}: no TOML: {error}") from None
    lines: dict[Place, int] = {}
    table: Place = ()
    for number, line_text in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line_text):
            table = _keys(header[1])
            lines.setdefault(table, number)
        elif entry := _ENTRY.match(line_text):
            lines.setdefault(table + _keys(entry[1]), number)
    return Source(name, value, _marks(name, lines))


def _marks(name: str, lines: Mapping[Place, int]) -> dict[Place, str]:
    return {place: f"{name}:{line}" for place, line in lines.items()}


def _keys(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _KEY.findall(dotted))


def _json(text: str, name: str) -> Source:
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}:{error.lineno}: no JSON: {error.msg}") from None
    except _Doubled as error:
        raise ConfigError(f"{name}: the key {error} stands twice") from None
    # JSON is YAML; tabs stand only between its tokens, where YAML has none
    try:
        return Source(name, value, _yaml(text.expandtabs(), name).marks)
    except ConfigError:
        return Source(name, value)


class _Doubled(Exception):
    """A key stands twice in one object."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise _Doubled(repr(next(key for key in names if names.count(key) > 1)))
    return found


def _yaml(text: str, name: str) -> Source:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = name if mark is None else f"{name}:{mark.line + 1}"
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{where}: no YAML: {reason}") from None
    reader = _YamlReader(name)
    value = None if node is None else reader.read(node, ())
    return Source(name, value, _marks(name, reader.lines))


class _YamlReader:
    """Makes values of the nodes of a YAML document, which is never asked for Python objects."""

    def __init__(self, name: str) -> None:
        self.lines: dict[Place, int] = {}
        self._name = name
        self._open: set[int] = set()
        self._parts = 0

    def read(self, node: Node, place: Place) -> object:
        """The value of a node; notes the lines of all its parts."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        self.lines.setdefault(place, node.start_mark.line + 1)
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise self._fault(node, f"the document has more than {_MOST_PARTS} parts")
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._fault(node, "an alias stands inside of what it names")
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.read(each, (*place, at)) for at, each in enumerate(node.value)]
            assert isinstance(node, MappingNode)  # noqa: S101  # there are three kinds
            return self._mapping(node, place)
        finally:
            self._open.remove(id(node))

    def _scalar(self, node: Any) -> object:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        if kind not in _KINDS:
            raise self._fault(node, f"the tag {node.tag} is not known: write plain values")
        if node.style is not None or kind == "str":
            return node.value
        value = read_scalar(node.value)
        return float(value) if kind == "float" and type(value) is int else value

    def _mapping(self, node: Any, place: Place) -> dict[str, object]:
        found: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            if key_node.value == "<<" and key_node.style is None:
                merged.update(self._merged(value_node, place))
                continue
            key = key_node.value
            if not isinstance(key, str):
                raise self._fault(key_node, "a key is a word, not a list or a mapping")
            if key in found:
                raise self._fault(key_node, f"the key {key} stands twice")
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            found[key] = self.read(value_node, (*place, key))
        return {**merged, **found}

    def _merged(self, node: Any, place: Place) -> dict[str, object]:
        value = self.read(node, place)
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in mappings):
            raise self._fault(node, "<< takes a mapping, or a list of them")
        return {key: inner for each in reversed(mappings) for key, inner in each.items()}

    def _fault(self, node: Any, text: str) -> ConfigError:
        return ConfigError(f"{self._name}:{node.start_mark.line + 1}: {text}")
