"""Are all programs that the tests start in the list of the set-up?"""

from __future__ import annotations

import ast
import subprocess

import pytest

from tests.architecture.sources import ROOT, modules_of_tests, tree
from tests.conftest import UnlistedProgram
from tools.system import programs

STARTERS = {"Popen", "call", "check_call", "check_output", "run", "which", "needs"}
UNLISTED = "nobody-lists-this"


def _constant(node: ast.expr) -> list[str]:
    """The program that a first argument names: text, or a list whose first item is text."""
    if isinstance(node, ast.List) and node.elts:
        node = node.elts[0]
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return [node.value.split()[0].rpartition("/")[2]] if is_text and node.value.strip() else []


def _started(call: ast.Call) -> list[str]:
    """Programs that a call starts by name, or asks for."""
    name = getattr(call.func, "attr", None)
    holder = getattr(getattr(call.func, "value", None), "id", None) or getattr(
        getattr(call.func, "value", None), "attr", None
    )
    if name not in STARTERS or holder not in {"subprocess", "shutil", "mark"}:
        return []
    return [each for argument in call.args for each in _constant(argument)]


def test_every_program_that_a_test_names_is_listed():
    """What the sources of the tests start stands in tools/system.toml."""
    started = {
        (program, str(path.relative_to(ROOT)))
        for path in modules_of_tests()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for program in _started(node)
    }
    listed = {each.name for each in programs()}
    assert sorted(each for each in started if each[0] not in listed) == []


def test_a_program_that_is_not_listed_is_refused_when_a_test_starts_it():
    """A name put together at run time is caught when the program is started."""
    with pytest.raises(UnlistedProgram, match=UNLISTED):
        subprocess.run([UNLISTED], check=False)


def test_every_listed_program_is_started_by_some_test():
    """The set-up installs nothing that no test needs."""
    texts = "\n".join(path.read_text() for path in modules_of_tests())
    assert [each.name for each in programs() if f'"{each.name}"' not in texts] == []
