"""Do the modules keep to the measures of the house?"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, dotted, library_modules, tree

LINES = 300
FUNCTION_LINES = 50
ARGUMENTS = 6


@pytest.mark.parametrize("path", library_modules(), ids=dotted)
def test_a_module_fits_on_a_few_pages(path):
    """No module is longer than 300 lines."""
    assert len(path.read_text().splitlines()) <= LINES


@pytest.mark.parametrize("path", library_modules(), ids=dotted)
def test_a_function_fits_on_a_screen(path):
    """No function is longer than 50 lines, its docstring not counted."""
    assert [name for name, lines, _ in _functions(path) if lines > FUNCTION_LINES] == []


@pytest.mark.parametrize("path", library_modules(), ids=dotted)
def test_a_module_says_what_it_is_for(path):
    """Every module begins with a docstring."""
    assert ast.get_docstring(tree(path)), f"{path.relative_to(ROOT)} has no docstring"


@pytest.mark.parametrize("path", library_modules(), ids=dotted)
def test_a_call_needs_no_more_than_six_arguments(path):
    """No function has more than six parameters without a default, `self` not counted."""
    assert [name for name, _, required in _functions(path) if required > ARGUMENTS] == []


@pytest.mark.parametrize("path", library_modules(), ids=dotted)
def test_classes_of_plain_data_cost_no_time_at_import(path):
    """`dataclass` is that of `stores.lazy_dataclass`, which alone takes it from Python."""
    sources = [
        node.module
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and "dataclass" in [each.name for each in node.names]
    ]
    if dotted(path) != "stores.lazy_dataclass":
        assert set(sources) <= {"stores.lazy_dataclass"}


@cache
def _functions(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Of each function of a module its name, its lines, and what every call must give."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return tuple(
        (node.name, _length(node), _required(node))
        for node in ast.walk(tree(path))
        if isinstance(node, kinds)
    )


def _required(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters that every call must give."""
    given = function.args
    positional = [each.arg for each in (*given.posonlyargs, *given.args)]
    bound = positional[:1] in (["self"], ["cls"])
    keyword_only = sum(default is None for default in given.kw_defaults)
    return len(positional) - len(given.defaults) - bound + keyword_only


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the signature to the end, without the docstring."""
    first, *_ = function.body
    docstring = ast.get_docstring(function, clean=False)
    shown = docstring.count("\n") + 1 if docstring and isinstance(first, ast.Expr) else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - shown
