"""Which names does a piece of source use that it does not make itself?"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from flowlib.code_dump import FUNCTIONS
from stores.lazy_dataclass import dataclass

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CAPTURES = (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
_ASKS_BY_NAME = frozenset({"locals", "vars", "dir", "eval", "exec"})


@dataclass(frozen=True, slots=True, order=True)
class Imported:
    """What an import binds: `from module import name`, or a module itself.

    Attributes:
        module: As it is written, without leading dots.
        name: What is taken out of it; empty for the module itself.
        level: How many leading dots there are.
    """

    module: str
    name: str = ""
    level: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A name that is used, with the attributes that are taken of it: `np.random.rand`.

    Attributes:
        chain: The parts of the name.
        imported: What an import inside of the piece binds its first part to, if one does.
    """

    chain: tuple[str, ...]
    imported: tuple[Imported, ...] = ()


@dataclass(slots=True)
class _Scope:
    """The names that a function, lambda, comprehension or class binds.

    Attributes:
        bound: All of them.
        imports: Those that imports bind.
        seen: Those that others can see: parameters, functions, classes.
        is_class: Whether it is that of a class.
        numbers: Of the outermost function: the number of each local variable in it.
        renamed: Of the same: what stands for the names of local variables, by id of the node.
        is_open: Of the same: whether it asks for its variables by name.
    """

    bound: set[str] = field(default_factory=set)
    imports: dict[str, list[Imported]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    is_class: bool = False
    numbers: dict[tuple[int, str], str] = field(default_factory=dict)
    renamed: dict[int, str] = field(default_factory=dict)
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a piece of source.

    Attributes:
        references: Those that it takes from around it, in order of the alphabet.
        renamed: What stands for the name of a local variable, by `id` of its node.
    """

    references: tuple[Reference, ...]
    renamed: Mapping[int, str]


def names_in(nodes: Iterable[ast.AST]) -> Names:
    """The names that nodes use."""
    finder = _Finder()
    for node in nodes:
        finder.visit(node, ())
    closed = [scope.renamed for scope in finder.outermost if not scope.is_open]
    return Names(tuple(sorted(finder.found)), {k: v for each in closed for k, v in each.items()})


def bindings_of_import(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    """The names that an import binds; `*` for all."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            imported = Imported(node.module or "", alias.name, node.level)
            yield alias.asname or alias.name, imported
        elif alias.asname:
            yield alias.asname, Imported(alias.name)
        else:
            root = alias.name.partition(".")[0]
            yield root, Imported(root)


def bound_names(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that statements bind in their own scope."""
    scope = _Scope()
    for node in nodes:
        _collect(node, scope)
    return scope.bound


def root_name(node: ast.AST) -> str:
    """`X` of `X.a[0].b`; empty if it begins with something else."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class _Finder:
    """Walks through nodes with the scopes around them."""

    def __init__(self) -> None:
        self.found: set[Reference] = set()
        self.outermost: list[_Scope] = []

    def visit(self, node: ast.AST, scopes: tuple[_Scope, ...]) -> None:
        if isinstance(node, (ast.Name, ast.Attribute)):
            self._visit_name(node, scopes)
        elif isinstance(node, (*FUNCTIONS, ast.Lambda)):
            self._visit_function(node, scopes)
        elif isinstance(node, ast.ClassDef):
            self._visit_class(node, scopes)
        elif isinstance(node, _COMPREHENSIONS):
            inner = _Scope()
            for generator in node.generators:
                _collect(generator.target, inner)
            self._visit_children(node, self._inside(inner, scopes))
        elif isinstance(node, ast.AnnAssign) and not (scopes and scopes[-1].is_class):
            self.visit(node.target, scopes)
            if node.value is not None:
                self.visit(node.value, scopes)
        else:
            self._visit_other(node, scopes)

    def _visit_other(self, node: ast.AST, scopes: tuple[_Scope, ...]) -> None:
        if isinstance(node, _CAPTURES):
            bound = getattr(node, "rest" if isinstance(node, ast.MatchMapping) else "name", None)
            if bound:
                self._rename(node, bound, scopes)
        self._visit_children(node, scopes)

    def _rename(self, node: ast.AST, name: str, scopes: tuple[_Scope, ...]) -> None:
        """Let a number stand for a local variable that nobody sees from outside."""
        scope = _binding(name, scopes)
        root = next((each for each in scopes if not each.is_class), None)
        if scope is None or root is None or scope.is_class:
            return
        if name not in scope.seen and name not in scope.imports:
            number = root.numbers.setdefault((id(scope), name), f"${len(root.numbers)}")
            root.renamed[id(node)] = number

    def _visit_children(self, node: ast.AST, scopes: tuple[_Scope, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child, scopes)

    def _visit_name(self, node: ast.Name | ast.Attribute, scopes: tuple[_Scope, ...]) -> None:
        attributes = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            attributes.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.visit(inner, scopes)
            return
        chain = (inner.id, *reversed(attributes))
        scope = _binding(inner.id, scopes)
        self._rename(inner, inner.id, scopes)
        if scope is None:
            self.found.add(Reference(chain))
            for each in scopes if inner.id in _ASKS_BY_NAME else ():
                each.is_open = True
        elif inner.id in scope.imports:
            self.found.add(Reference(chain, tuple(sorted(set(scope.imports[inner.id])))))

    def _visit_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scopes: tuple[_Scope, ...]
    ) -> None:
        given = node.args
        around = [*given.defaults, *[each for each in given.kw_defaults if each is not None]]
        if not isinstance(node, ast.Lambda):
            around += node.decorator_list
        for each in around:
            self.visit(each, scopes)
        every = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
        given_names = {each.arg for each in every if each is not None} | _type_parameters(node)
        scope = _Scope(given_names, seen=set(given_names))
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self._visit_body(body, scope, scopes)

    def _visit_class(self, node: ast.ClassDef, scopes: tuple[_Scope, ...]) -> None:
        for each in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(each, scopes)
        self._visit_body(node.body, _Scope(_type_parameters(node), is_class=True), scopes)

    def _visit_body(
        self, body: Iterable[ast.AST], scope: _Scope, scopes: tuple[_Scope, ...]
    ) -> None:
        body, outside = list(body), set[str]()
        for each in body:
            _collect(each, scope, outside)
        scope.bound -= outside
        for each in body:
            self.visit(each, self._inside(scope, scopes))

    def _inside(self, scope: _Scope, scopes: tuple[_Scope, ...]) -> tuple[_Scope, ...]:
        is_outermost = not scope.is_class and all(each.is_class for each in scopes)
        if is_outermost and not any(each is scope for each in self.outermost[-1:]):
            self.outermost.append(scope)
        return (*scopes, scope)


def _binding(name: str, scopes: tuple[_Scope, ...]) -> _Scope | None:
    """The scope that binds a name; those of classes are not seen from the functions in them."""
    for distance, scope in enumerate(reversed(scopes)):
        if name in scope.bound and (distance == 0 or not scope.is_class):
            return scope
    return None


def _type_parameters(node: ast.AST) -> set[str]:
    return {str(each.name) for each in getattr(node, "type_params", ())}


def _collect(node: ast.AST, scope: _Scope, outside: set[str] | None = None) -> None:
    """Note what a node binds in the scope that it stands in.

    Args:
        node: The node.
        scope: Where to note it.
        outside: Where to note what it declares to belong to another scope.
    """
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        scope.bound.add(node.id)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for name, imported in bindings_of_import(node):
            scope.bound.add(name)
            scope.imports.setdefault(name, []).append(imported)
    elif isinstance(node, (ast.Global, ast.Nonlocal)) and outside is not None:
        outside.update(node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        scope.bound.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        scope.bound.add(node.rest)
    for child in _in_same_scope(node, scope):
        _collect(child, scope, outside)


def _in_same_scope(node: ast.AST, scope: _Scope) -> Iterator[ast.AST]:
    """The children of a node whose names belong to its scope; the name of a function is noted."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        scope.bound.add(node.name)
        scope.seen.add(node.name)
    elif isinstance(node, _COMPREHENSIONS):
        yield from (each for each in ast.walk(node) if isinstance(each, ast.NamedExpr))
    elif not isinstance(node, ast.Lambda):
        yield from ast.iter_child_nodes(node)
