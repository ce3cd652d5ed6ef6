"""Is what the documents call public importable and typed, with the core install only?"""

from __future__ import annotations

import importlib
import inspect
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.scripts import run_script

EXTRAS = [
    "bokeh",
    "libtmux",
    "pymongo",
    "sqlalchemy",
    "starlette",
    "dask",
    "ray",
    "pandas",
    "sklearn",
]


def public(package: str) -> dict[str, Any]:
    """The public objects of a package; those whose extra is not installed must say which it is."""
    module = importlib.import_module(package)
    found = {}
    for name in module.__all__:
        try:
            found[name] = getattr(module, name)
        except ModuleNotFoundError as error:
            assert re.fullmatch(
                rf"{name} needs \w+: pip install 'flowlib-runner\[\w+\]'", str(error)
            )
    return found


@pytest.mark.parametrize("package", ["flowlib", "stores"])
def test_public_names_are_importable_and_documented(package: str) -> None:
    """F44: everything in `__all__` is there and has a docstring."""
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    for name, value in public(package).items():
        assert value.__doc__, name


@pytest.mark.parametrize("package", ["flowlib", "stores"])
def test_packages_are_typed(package: str) -> None:
    """F44: both packages have `py.typed`, and public functions are annotated."""
    assert (resources.files(package) / "py.typed").is_file()
    for function in filter(inspect.isfunction, public(package).values()):
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, function
        assert all(p.annotation is not p.empty for p in signature.parameters.values()), function


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())

from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.acceptance.tasks import Number

if __name__ == "__main__":
    spec = TaskSpec(Number, {"x": [1, 2]}, expand="product")
    run = Flow([spec]).run(num_workers=2, results_store=LocalFileStore("s"))
    print([each.results for each in run["Number"]])
"""


def test_core_works_without_extras(tmp_path: Path) -> None:
    """F01: no extra is needed to sweep, run and store."""
    done = run_script(BLOCKED.replace("{EXTRAS!r}", repr(EXTRAS)), tmp_path, how="file")
    assert (done.code, done.out.strip()) == (0, "[{'value': 1}, {'value': 2}]"), done.err


MISSING = (
    BLOCKED.partition("from flowlib")[0]
    + """
try:
    from stores import {NAME}
except ImportError as error:
    print(error)
"""
)


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [("MongoDBStore", "pymongo", "mongodb"), ("SQLStore", "sqlalchemy", "sql")],
)
def test_a_name_whose_extra_is_missing_says_which(name, library, extra, tmp_path: Path) -> None:
    """F01: one line that tells what to install, without an extra's traceback."""
    script = MISSING.replace("{EXTRAS!r}", repr(EXTRAS)).replace("{NAME}", name)
    done = run_script(script, tmp_path, how="file")
    assert done.out.strip() == f"{name} needs {library}: pip install 'flowlib-runner[{extra}]'"


SHADOWS = """
import contextlib, importlib, pkgutil, types
import flowlib, stores

for package in (flowlib, stores):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.startswith(SKIPPED):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(found.name)
    for name in package.__all__:
        with contextlib.suppress(ModuleNotFoundError):
            print(package.__name__, name, type(getattr(package, name)).__name__)
"""


@pytest.mark.slow
def test_no_module_shadows_a_public_name(tmp_path: Path) -> None:
    """Whatever was imported before, `from flowlib import name` is the object, not a module."""
    untouched, all_imported = (
        run_script(SHADOWS.replace("SKIPPED", skipped), tmp_path, how="file")
        for skipped in ('""', '("flowlib.__main__", "flowlib.drawing_bokeh", "stores.testing")')
    )
    assert untouched.out == all_imported.out != "", untouched.err + all_imported.err
