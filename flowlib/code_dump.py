"""
When do two pieces of source mean the same? They have the same canonical text.

It is written here and not by `ast.dump`, whose form differs between versions of Python. Left out
are what nobody computes with: places, comments, formatting, docstrings and other constants that
stand alone, `pass`, annotations of functions and of their variables, type parameters and imports,
of which only what they lead to counts. Numbers may stand for the names of local variables.
Annotations of the fields of a class are kept: dataclasses, pydantic and flowlib read them. Methods
are in the order of their names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_ANNOTATED: Final = (*FUNCTIONS, ast.arg)
_LEFT_OUT: Final = frozenset({"ctx", "kind", "returns", "type_comment", "type_params"})


class _Text(list[str]):
    """The parts of a text, and what stands for the names of local variables."""

    def __init__(self, renamed: Mapping[int, str]) -> None:
        super().__init__()
        self.renamed = renamed


def canonical_text(nodes: Iterable[ast.AST], renamed: Mapping[int, str] | None = None) -> str:
    """The text of some nodes, the same wherever and however they are written.

    Args:
        nodes: Statements or expressions.
        renamed: What stands for the names of local variables, by `id` of the node.
    """
    out = _Text(renamed or {})
    _write_all(list(nodes), out, in_class=False)
    return "".join(out)


def class_head(node: ast.ClassDef) -> ast.ClassDef:
    """A class without its methods and inner classes."""
    parts = (*FUNCTIONS, ast.ClassDef)
    body = [each for each in node.body if not isinstance(each, parts)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)


def _write_all(nodes: list[ast.AST], out: _Text, *, in_class: bool) -> None:
    nodes = [each for each in nodes if not _is_idle(each, in_class=in_class)]
    if in_class:
        methods = [each for each in nodes if isinstance(each, FUNCTIONS)]
        rest = [each for each in nodes if not isinstance(each, FUNCTIONS)]
        nodes = [*rest, *sorted(methods, key=lambda each: each.name)]
    out.append("[")
    for node in nodes:
        _write(node, out, in_class=in_class)
        out.append(",")
    out.append("]")


def _is_idle(node: ast.AST, *, in_class: bool) -> bool:
    """Whether a statement does nothing."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.AnnAssign) and not in_class:
        return node.value is None
    return isinstance(node, (ast.Pass, ast.Import, ast.ImportFrom))


def _write(node: ast.AST, out: _Text, *, in_class: bool = False) -> None:
    if isinstance(node, ast.Constant):
        out.append(_constant(node.value))
    elif isinstance(node, ast.JoinedStr):
        out.append("f")
        _write_fields(_joined(node), out)
    elif isinstance(node, ast.AnnAssign) and not in_class:
        _write(ast.Assign([node.target], node.value or ast.Constant(None)), out)
    else:
        out.append(type(node).__name__)
        _write_fields(_fields(node, out.renamed), out, is_class=isinstance(node, ast.ClassDef))


def _fields(node: ast.AST, renamed: Mapping[int, str]) -> Iterator[tuple[str, object]]:
    """The fields that say something; a field that a later Python adds is empty, or new."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, str) and id(node) in renamed:
            value = renamed[id(node)]
        if name in _LEFT_OUT or value is None or value == []:
            continue
        if not (name == "annotation" and isinstance(node, _ANNOTATED)):
            yield name, value


def _write_fields(
    fields: Iterable[tuple[str, object]], out: _Text, *, is_class: bool = False
) -> None:
    out.append("(")
    for name, value in fields:
        if isinstance(value, list):
            _write_list(name, value, out, is_class=is_class)
            continue
        out.append(f"{name}=")
        if isinstance(value, ast.AST):
            _write(value, out)
        else:
            out.append(_constant(value))
        out.append(";")
    out.append(")")


def _write_list(name: str, items: list[object], out: _Text, *, is_class: bool) -> None:
    """A field with several values; a body in which nothing is done is none."""
    statements = [each for each in items if isinstance(each, ast.stmt)]
    if all(_is_idle(each, in_class=is_class) for each in statements) and statements:
        return
    out.append(f"{name}=")
    if statements:
        _write_all([*statements], out, in_class=is_class)
    else:
        _write_items(items, out)
    out.append(";")


def _write_items(items: list[object], out: _Text) -> None:
    out.append("[")
    for item in items:
        if isinstance(item, ast.AST):
            _write(item, out)
        else:
            out.append(_constant(item))
        out.append(",")
    out.append("]")


def _joined(node: ast.JoinedStr) -> Iterator[tuple[str, object]]:
    """The parts of an f-string; texts side by side are one, and empty ones none."""
    text = ""
    for each in node.values:
        if isinstance(each, ast.Constant):
            text += str(each.value)
            continue
        if text:
            yield "text", text
            text = ""
        yield "value", _without_empty_spec(each)
    if text:
        yield "text", text


def _without_empty_spec(node: ast.expr) -> ast.expr:
    if not isinstance(node, ast.FormattedValue):
        return node
    spec = node.format_spec
    if isinstance(spec, ast.JoinedStr) and not list(_joined(spec)):
        spec = None
    return ast.FormattedValue(node.value, node.conversion, spec)


def _constant(value: object) -> str:
    """A constant with its type; numbers too long for decimals, and lone surrogates, too."""
    if type(value) is int:
        return f"int {value:x}"
    if isinstance(value, str):
        return f"str {value!a}"
    if isinstance(value, tuple):
        return f"tuple ({','.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"frozenset ({','.join(sorted(map(_constant, value)))})"
    return f"{type(value).__name__} {value!r}"
