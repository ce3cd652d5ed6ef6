"""What does a file of source define: functions, classes, constants; and what does it import?"""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from importlib.util import decode_source
from typing import Final

from flowlib.code_dump import FUNCTIONS, canonical_text, class_head
from flowlib.code_names import (
    Imported,
    Reference,
    bindings_of_import,
    bound_names,
    names_in,
    root_name,
)
from stores.lazy_dataclass import dataclass

_UNREADABLE: Final = (OSError, SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of source that is told of by name: a function, a method, a class, a constant.

    Attributes:
        name: `Train.run`.
        line: Where it begins.
        text: As it is written.
        canonical: As `canonical_text` has it.
    """

    name: str
    line: int
    text: str
    canonical: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What a name stands for, and what that uses.

    Attributes:
        name: The name in its module.
        pieces: Its source; of a class the head and each method.
        references: What it uses.
        path: The file.
    """

    name: str
    pieces: tuple[Piece, ...]
    references: tuple[Reference, ...]
    path: str


@dataclass(slots=True)
class SourceFile:
    """A file of source, parsed once; definitions are looked into when they are asked for.

    Attributes:
        path: The file, or what the source is called.
        tree: What it says.
        lines: Its text.
        imports: What its imports bind, by name.
        stars: The modules of which it takes all names.
    """

    path: str
    tree: ast.Module
    lines: list[str]
    imports: dict[str, list[Imported]] = field(default_factory=dict)
    stars: list[Imported] = field(default_factory=list)
    _statements: dict[str, list[ast.AST]] = field(default_factory=dict)
    _definitions: dict[str, Definition | None] = field(default_factory=dict)

    @classmethod
    def of_text(cls, text: str, path: str) -> SourceFile:
        """Parse a text.

        Raises:
            SyntaxError: it is no Python.
        """
        made = cls(path, ast.parse(text, path), re.split("\r\n|\r|\n", text))
        for statement in made.tree.body:
            made._take(statement, ())
        return made

    @property
    def names(self) -> tuple[str, ...]:
        """What it defines, without imports."""
        return tuple(sorted(self._statements))

    def definition(self, name: str) -> Definition | None:
        """What a name stands for; None if it is not defined here."""
        if name not in self._definitions:
            nodes = self._statements.get(name)
            made = None if nodes is None else self.definition_of(name, nodes)
            self._definitions[name] = made
        return self._definitions[name]

    def definition_of(self, name: str, nodes: Iterable[ast.AST]) -> Definition:
        """Some nodes of this file as the definition of a name."""
        nodes = list(nodes)
        used = names_in(nodes)
        pieces = [piece for node in nodes for piece in self._pieces(name, node, used.renamed)]
        return Definition(name, tuple(pieces), used.references, self.path)

    def literals(self) -> dict[str, object]:
        """The plain values that the module and its classes give to names, once each."""
        found: dict[str, object] = {}
        doubled = set()
        for name, value in _assigned(self.tree.body):
            doubled |= {name} & found.keys()
            with contextlib.suppress(ValueError):
                found[name] = ast.literal_eval(value)
        return {name: value for name, value in found.items() if name not in doubled}

    def _pieces(self, name: str, node: ast.AST, renamed: Mapping[int, str]) -> Iterator[Piece]:
        if not isinstance(node, ast.ClassDef):
            text = self._text(_first_line(node), _last_line(node))
            yield Piece(name, getattr(node, "lineno", 1), text, canonical_text([node], renamed))
            return
        inner = [each for each in node.body if isinstance(each, (*FUNCTIONS, ast.ClassDef))]
        hidden = {line for each in inner for line in range(_first_line(each), _last_line(each) + 1)}
        text = self._text(_first_line(node), _last_line(node), hidden)
        yield Piece(name, node.lineno, text, canonical_text([class_head(node)], renamed))
        for each in sorted(inner, key=lambda each: each.name):
            yield from self._pieces(f"{name}.{each.name}", each, renamed)

    def _text(self, first: int, last: int, hidden: Collection[int] = ()) -> str:
        return "\n".join(self.lines[n - 1] for n in range(first, last + 1) if n not in hidden)

    def _take(self, node: ast.stmt, guards: tuple[ast.AST, ...]) -> None:
        """Note which names a statement of the module stands for."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._take_import(node)
        elif isinstance(node, ast.If):
            for each in (*node.body, *node.orelse):
                self._take(each, (*guards, node.test))
        elif isinstance(node, (ast.Try, ast.TryStar)):
            handled = [each for handler in node.handlers for each in handler.body]
            for each in (*node.body, *handled, *node.orelse, *node.finalbody):
                self._take(each, guards)
        else:
            is_main = any(_asks_for_main(guard) for guard in guards)
            for name in bound_names([node]) | (set() if is_main else _changed_names(node)):
                known = self._statements.setdefault(name, [])
                known += [each for each in guards if each not in known]
                known.append(node)

    def _take_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, imported in bindings_of_import(node):
            if name == "*":
                self.stars.append(Imported(imported.module, "", imported.level))
            else:
                self.imports.setdefault(name, []).append(imported)


_files: dict[str, tuple[tuple[int, int], SourceFile | None]] = {}


def source_file(path: str) -> SourceFile | None:
    """The source in a file; None if it cannot be read or is no Python. Kept while it is the same.

    Args:
        path: The file.
    """
    try:
        found = os.stat(path)  # noqa: PTH116  # once for each file of each plan
    except OSError:
        return None
    version = (found.st_size, found.st_mtime_ns)
    known = _files.get(path)
    if known is None or known[0] != version:
        known = _files[path] = (version, _read(path))
    return known[1]


def parsed_text(text: str, path: str) -> SourceFile | None:
    """The source of a cell of a notebook, say; None if it is no Python."""
    try:
        return SourceFile.of_text(text, path)
    except _UNREADABLE:
        return None


def _read(path: str) -> SourceFile | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            return SourceFile.of_text(decode_source(file.read()), path)
    except _UNREADABLE:
        return None


def _first_line(node: ast.AST) -> int:
    lines: list[int] = [each.lineno for each in getattr(node, "decorator_list", ())]
    return min([*lines, getattr(node, "lineno", 1)])


def _last_line(node: ast.AST) -> int:
    last: int | None = getattr(node, "end_lineno", None)
    return last or _first_line(node)


def _assigned(body: Iterable[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.expr]]:
    """The values that statements, and those of classes, give to single names."""
    for each in body:
        if isinstance(each, ast.ClassDef):
            yield from _assigned(each.body, f"{prefix}{each.name}.")
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        value = getattr(each, "value", None)
        if value is not None and len(targets) == 1 and isinstance(targets[0], ast.Name):
            is_sum = isinstance(each, ast.AugAssign)
            yield prefix + targets[0].id, ast.Tuple([value], ast.Load()) if is_sum else value


def _asks_for_main(test: ast.AST) -> bool:
    """Whether a condition is that of a script's main part, which no worker runs."""
    parts = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
    words = {each.value for each in ast.walk(test) if isinstance(each, ast.Constant)}
    return "__name__" in parts and "__main__" in words


def _changed_names(node: ast.stmt) -> set[str]:
    """`X` of `X[0] = 1`, `X.a = 1`, `X.append(1)`; the names whose objects a statement changes."""
    changed = set()
    for each in _outside_of_functions(node):
        if isinstance(each, (ast.Subscript, ast.Attribute)) and not isinstance(each.ctx, ast.Load):
            changed.add(root_name(each))
        elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            called = each.value.func
            if isinstance(called, ast.Attribute):
                changed.add(root_name(called))
    return changed - {""}


def _outside_of_functions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _outside_of_functions(child)
