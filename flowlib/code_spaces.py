"""What does a name mean where a piece of code stands: in a file, in a notebook, in a closure?"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from types import CellType, CodeType, FunctionType
from typing import Final

from flowlib.code_dump import FUNCTIONS
from flowlib.code_files import Definition, SourceFile, parsed_text, source_file
from flowlib.code_modules import ModulePlace
from flowlib.code_names import Imported
from stores.lazy_dataclass import dataclass

ABSENT: Final = object()
"""In place of a value that is not there."""

_LOCAL: Final = "<locals>"


@dataclass(frozen=True, slots=True)
class Space:
    """The names around a piece of code.

    Attributes:
        key: What tells it from others.
        place: The module.
        source: Its file, if it has one.
        values: Objects that are there while the program runs and win over the file: the variables
            of a notebook, or of the function around a local one.
        own: Definitions that have no name in the file.
    """

    key: str
    place: ModulePlace
    source: SourceFile | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    own: Mapping[str, Definition] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All that the file defines."""
        return () if self.source is None else self.source.names

    @property
    def stars(self) -> list[Imported]:
        """The modules of which it takes all names."""
        return [] if self.source is None else self.source.stars

    def definition(self, name: str) -> Definition | None:
        """The source behind a name, if there is some."""
        if name in self.own:
            return self.own[name]
        return None if self.source is None else self.source.definition(name)

    def imports(self, name: str) -> list[Imported]:
        """What imports bind a name to."""
        return [] if self.source is None else self.source.imports.get(name, [])

    def value(self, name: str) -> object:
        """The object behind a name, where only that is known; else `ABSENT`."""
        return self.values.get(name, ABSENT)


def local_space(task: Callable[..., object], place: ModulePlace) -> Space | None:
    """A space that holds the source of something that its file does not name.

    Args:
        task: A local function or class, a lambda, or something of a notebook.
        place: Its module.

    Returns:
        None where no source is found.
    """
    functions = [task] if isinstance(task, FunctionType) else list(_methods(task))
    source = _source_of(functions, place)
    nodes = [] if source is None else list(_nodes(task, source.tree))
    if source is None or not nodes:
        return None
    values: dict[str, object] = {}
    if place.path is None:
        values = dict(functions[0].__globals__) if functions else {}
    for each in functions:
        names, cells = each.__code__.co_freevars, each.__closure__ or ()
        values |= {n: _content(cell) for n, cell in zip(names, cells, strict=True)}
    values.pop("__class__", None)  # of a method that calls super()
    name = task.__qualname__
    own = {name: source.definition_of(_short(name), nodes)}
    around = source if source.path == place.path else None
    return Space(f"{source.path} {name} {id(task)}", place, around, values, own)


def _source_of(functions: list[FunctionType], place: ModulePlace) -> SourceFile | None:
    """The file, or the cell of a notebook, in which functions stand."""
    path = functions[0].__code__.co_filename if functions else place.path
    if path is None:
        return None
    if lines := linecache.getlines(path) if path.startswith("<") else []:
        return parsed_text("".join(lines), path)
    found = source_file(path)
    if found is None and (lines := linecache.getlines(path)):
        return parsed_text("".join(lines), path)
    return found


def _nodes(task: Callable[..., object], tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that may be the source of a task; several lambdas may begin on one line."""
    code: CodeType | None = getattr(task, "__code__", None)
    for path, node in _named(tree, ()):
        if code is None or isinstance(node, ast.ClassDef):
            is_it = isinstance(task, type) and _path(task) == path
        elif isinstance(node, ast.Lambda):
            is_it = code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
        else:
            lines = [node.lineno, *[each.lineno for each in node.decorator_list]]
            is_it = code.co_name == node.name and min(lines) == code.co_firstlineno
        if is_it:
            yield node


def _named(
    node: ast.AST, path: tuple[str, ...]
) -> Iterator[
    tuple[tuple[str, ...], ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]
]:
    """All functions, classes and lambdas, with the names of what they stand in."""
    for child in ast.iter_child_nodes(node):
        inner = path
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            inner = (*path, child.name)
            yield inner, child
        elif isinstance(child, ast.Lambda):
            yield path, child
        yield from _named(child, inner)


def _path(task: type) -> tuple[str, ...]:
    return tuple(each for each in task.__qualname__.split(".") if each != _LOCAL)


def _methods(task: object) -> Iterator[FunctionType]:
    for each in vars(task).values():
        plain = getattr(each, "__func__", each)  # of a class or static method
        if isinstance(plain, FunctionType):
            yield plain


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT  # nothing was put into it yet


def _short(qualname: str) -> str:
    return qualname.rpartition(f"{_LOCAL}.")[2]
