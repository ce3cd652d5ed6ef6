"""Are the front doors of both packages complete, sorted, lazy and light?"""

from __future__ import annotations

import ast
import importlib
import json

import pytest

from tests.architecture.sources import PACKAGES, ROOT, dotted, library_modules, output_of, tree

HEAVY = (
    "_hashlib", "asyncio", "bokeh", "click", "cloudpickle", "grandalf", "networkx", "numpy",
    "pandas", "pydantic", "rich", "ruamel", "scipy", "sklearn",
)  # fmt: skip
MODULES = {"canonical"}
"""Public names that are meant to be modules."""
IMPORTS = (
    "import flowlib; from flowlib import Flow, Task, TaskSpec; from stores import LocalFileStore"
)
BEFORE = "import sys; before = {*sys.modules}"  # what measures coverage is there already
LOADED = f"import json; print(json.dumps([m for m in {HEAVY!r} if m in {{*sys.modules}} - before]))"
WARM = """
if __name__ == "__main__":
    import contextlib, io
    from flowlib import Flow, TaskSpec
    from stores import LocalFileStore
    def double(n):
        return {"doubled": 2 * n}
    def run():
        flow = Flow([TaskSpec(double, config={"n": [1, 2]}, expand="product")])
        return flow.run(num_workers=1, results_store=LocalFileStore("runs"))
    with contextlib.redirect_stdout(io.StringIO()):
        counts = run().counts
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_of_the_front_door_is_there_once_and_in_order(package):
    """`__all__` is sorted, without doubles, and each name can be taken from the package."""
    module = importlib.import_module(package)
    assert module.__all__ == sorted(set(module.__all__))
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_the_front_door_shows_to_type_checkers_is_what_it_gives(package):
    """The names imported for type checkers are exactly those of `__all__`."""
    shown = [
        alias.asname or alias.name
        for node in ast.walk(tree(ROOT / package / "__init__.py"))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    ]
    assert sorted(shown) == importlib.import_module(package).__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(package):
    """A typo gives the error that Python gives, and names the package."""
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"'{package}'.*'Nonsense'"):
        _ = module.Nonsense


def test_the_front_doors_import_nothing_heavy():
    """Importing the packages and their first classes loads no big library."""
    assert json.loads(output_of(f"{BEFORE}; {IMPORTS}\n{LOADED}")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_front_door_alone_imports_no_module_of_the_house(package):
    """`import flowlib` and `import stores` load nothing but themselves."""
    ours = f"sorted(m for m in sys.modules if m.partition('.')[0] in {PACKAGES!r})"
    assert output_of(f"import sys, {package}; print({ours})") == str([package])


def test_a_run_of_cached_tasks_imports_nothing_heavy(tmp_path):
    """When all is cached, the run loads no big library either."""
    script = tmp_path / "warm.py"
    script.write_text(f"{WARM}    {LOADED}; print(counts, file=sys.stderr)\n")
    run = f"{BEFORE}; import runpy; sys.path.insert(0, {str(ROOT)!r}); "
    run += f"runpy.run_path({str(script)!r}, dict(sys=sys, before=before), '__main__')"
    output_of(run, tmp_path)
    assert json.loads(output_of(run, tmp_path)) == []


def test_no_module_bears_the_name_of_a_public_object():
    """`from flowlib import task` stays a function whatever was imported before."""
    doors = [importlib.import_module(each) for each in PACKAGES]
    public = {name for door in doors for name in door.__all__} - MODULES
    planned = {"call", "result", "sh", "sweep", "task", "zipped"}
    names = {dotted(path) for path in library_modules()}
    children = {name.partition(".")[2] for name in names if name.count(".") == 1}
    assert sorted(children & (public | planned)) == []


@pytest.mark.slow
def test_public_names_stay_what_they_are_when_every_module_was_imported():
    """No import of a module replaces a name of the front door."""
    modules = [
        dotted(path)
        for path in library_modules()
        if path.name != "__main__.py" and "bokeh" not in path.stem
    ]
    code = (
        f"import importlib, types\nfor name in {modules!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError as error: assert error.name.partition('.')[0] not in"
        f" {PACKAGES!r}, error\n"
        f"for package in map(importlib.import_module, {PACKAGES!r}):\n"
        "    for name in package.__all__:\n"
        "        value = getattr(package, name)\n"
        f"        if isinstance(value, types.ModuleType) and name not in {MODULES!r}: print(name)\n"
    )
    assert output_of(code) == ""
