"""When has the code of a task changed: what it reaches counts, how it is written does not."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import linecache
import re
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.code_dump import canonical_text
from flowlib.code_files import SourceFile
from flowlib.code_names import names_in
from flowlib.fingerprint import Fingerprints, differs

GOLDEN = Path(__file__).parent / "golden" / "fingerprints.json"

TASKS = """
    from far import scale as rescale
    import near

    RATE = 0.5

    class Base:
        def shared(self):
            return RATE

    class Train(Base):
        def run(self, lr=0.1):
            def inner(x):
                return x + 1
            return inner(rescale(lr)) + near.half(2)
"""
NEAR = """
    from far import FACTOR

    def half(x):
        return x / FACTOR

    def unused():
        return 1
"""
FAR = """
    FACTOR = 2

    def scale(x):
        return x * FACTOR
"""
PROJECT = {"tasks": TASKS, "near": NEAR, "far": FAR}


@pytest.fixture
def fingerprint(tmp_path, monkeypatch):
    """The fingerprint of `tasks.Train` (or another) of a project that is written and imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def of(files=PROJECT, task="Train", imports="tasks"):
        for name in set(sys.modules) - before:
            del sys.modules[name]
        importlib.invalidate_caches()
        for name, text in files.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return Fingerprints().of(getattr(importlib.import_module(imports), task))

    yield of
    for name in set(sys.modules) - before:
        del sys.modules[name]


def edited(module, old, new):
    assert old in PROJECT[module]
    return {**PROJECT, module: PROJECT[module].replace(old, new)}


def test_what_a_task_reaches_is_told_by_name(fingerprint):
    """Methods, base classes, constants and functions of other modules, the task first."""
    found = fingerprint()

    assert [part.name for part in found.parts][:2] == ["Train", "Train.run"]
    assert {f"{part.module}.{part.name}" for part in found.parts} == {
        "tasks.Train",
        "tasks.Train.run",
        "tasks.Base",
        "tasks.Base.shared",
        "tasks.RATE",
        "near.half",
        "far.scale",
        "far.FACTOR",
    }
    assert found.packages == {}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("tasks", "lr=0.1", "lr=0.2"),
        ("tasks", "RATE = 0.5", "RATE = 0.6"),
        ("tasks", "return x + 1", "return x + 2"),
        ("tasks", "return RATE", "return -RATE"),
        ("tasks", "Train(Base)", "Train"),
        ("tasks", "near.half(2)", "near.half(3)"),
        ("tasks", "def run(self, lr=0.1)", "def run(self, *, lr=0.1)"),
        ("near", "x / FACTOR", "x // FACTOR"),
        ("near", "from far import FACTOR", "FACTOR = 2"),
        ("far", "FACTOR = 2", "FACTOR = 2.0"),
        ("far", "FACTOR = 2", "FACTOR = 2\n    FACTOR += 1"),
    ],
)
def test_a_change_of_what_is_reached_is_seen(fingerprint, module, old, new):
    """In the task, in a base class, in a constant, in helpers one and two modules away."""
    before = fingerprint().fact

    assert differs(before, fingerprint(edited(module, old, new)).fact)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("near", "return 1", "return 2"),
        ("near", "def unused()", "def half_unused()"),
        ("tasks", "class Train(Base):", 'class Train(Base):\n        """Says it."""\n'),
        ("tasks", "return RATE", "return RATE  # of all"),
        ("tasks", "return RATE", "return (RATE)\n"),
        ("tasks", "def inner(x):", 'def inner(x):\n                "adds"'),
        ("tasks", "def inner(x):", "def inner(x: int) -> int:"),
        ("tasks", "RATE = 0.5", "RATE: float = 0.5"),
        ("tasks", "RATE = 0.5", "RATE = 5e-1"),
        ("tasks", "import near\n", "import near, os\n    import sys\n"),
        (
            "tasks",
            "from far import scale as rescale\n    import near\n",
            "import near\n    from far import scale as rescale\n",
        ),
        ("far", "FACTOR = 2\n\n    def scale(x):\n        return x * FACTOR\n", ""),
    ],
)
def test_cosmetic_edits_are_none(fingerprint, module, old, new):
    """Comments, docstrings, formatting, annotations, the order of imports, what is not reached."""
    before = fingerprint().fact
    files = edited(module, old, new)
    if not new:  # moved within the file
        moved = "def scale(x):\n        return x * FACTOR\n\n    FACTOR = 2\n"
        files = edited(module, old, moved)

    assert fingerprint(files).fact == before


LOCALS = """
    def task(x, scale=1):
        total = 0
        def inner(y):
            nonlocal_ = y
            return total + nonlocal_
        for part in [each * scale for each in x if (last := each)]:
            total = inner(part) - total
        try:
            match x:
                case [first, *others] as whole:
                    return first, others, whole
                case {"a": 1, **rest}:
                    return rest
        except ValueError as error:
            return error
        return (lambda z: z + total)(last)
"""


@pytest.mark.parametrize(
    "name",
    "total nonlocal_ part each last first others whole rest error".split(),
)
def test_a_local_variable_may_get_another_name(fingerprint, name):
    """Wherever it is bound and used, also by functions inside."""
    before = fingerprint({"tasks": LOCALS}, task="task").fact
    renamed = re.sub(rf"\b{name}\b", "other_name", LOCALS)

    assert fingerprint({"tasks": renamed}, task="task").fact == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("inner(part) - total", "total - inner(part)"),
        ("return total + nonlocal_", "return nonlocal_ + total"),
        ("return first, others, whole", "return others, first, whole"),
        ("scale", "factor"),
        ("inner", "within"),
        ("nonlocal_ = y", "total = y"),
        ("each * scale", "x * scale"),
    ],
)
def test_other_names_that_mean_something_else_are_a_change(fingerprint, old, new):
    """Variables that change places or scopes, parameters, and functions, which have a name."""
    before = fingerprint({"tasks": LOCALS}, task="task").fact
    after = fingerprint({"tasks": LOCALS.replace(old, new)}, task="task").fact

    assert differs(before, after)


def test_names_of_variables_count_where_they_are_asked_for(fingerprint):
    """By `locals()`, `vars()`, `eval` and the like; globals and what f-strings print always."""
    text = """
        LIMIT = 1

        def task(x):
            kept = x
            return CALL
    """
    for call, counts in (
        ("locals()", True),
        ("eval('kept')", True),
        ("f'{kept=}'", True),
        ("LIMIT + kept", False),
    ):
        one = text.replace("CALL", call)
        other = re.sub(r"\bkept\b(?!')", "held", one)
        facts = [fingerprint({"tasks": each}, task="task").fact for each in (one, other)]
        assert differs(*facts) is counts


def test_code_that_moves_to_another_module_is_the_same(fingerprint):
    """What a name leads to counts, not where that stands."""
    before = fingerprint().fact
    files = {
        "tasks": TASKS.replace("from far", "from away"),
        "near": NEAR.replace("from far", "from away"),
        "away": FAR,
        "far": "",
    }

    assert fingerprint(files).fact == before


def test_a_name_that_leads_elsewhere_is_a_change(fingerprint):
    """Also where both ends are reached anyhow, or are Python's own."""
    text = """
        from a import f
        from b import f as g
        from math import sqrt

        def task():
            return f(1), g(2), sqrt(3)
    """
    files = {"tasks": text, "a": "def f(x): return x", "b": "def f(x): return 2 * x"}
    swapped = (
        text.replace("from a", "from c").replace("from b", "from a").replace("from c", "from b")
    )
    facts = [
        fingerprint({**files, "tasks": each}, task="task").fact
        for each in (text, swapped, text.replace("math", "cmath"))
    ]

    assert len(set(facts)) == 3


def test_decorators_and_their_arguments_count(fingerprint):
    """A decorated task is what stands in the source, decorator and all."""
    text = """
        import functools

        def times(n):
            def decorate(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return n * function(*args)
                return wrapper
            return decorate

        @times(2)
        def task(x):
            return x
    """
    facts = [
        fingerprint({"tasks": each}, task="task").fact
        for each in (
            text,
            text.replace("@times(2)", "@times(3)"),
            text.replace("n * function", "n + function"),
            text.replace("return x", "return -x"),
            text.replace("@times(2)\n", "\n"),
        )
    ]

    assert len(set(facts)) == 5


def test_circles_and_recursion_end(fingerprint):
    """Modules that import each other, functions that call themselves and each other."""
    files = {
        "tasks": "import other\ndef task(n): return other.back(n - 1) if n else FIRST\nFIRST = 1",
        "other": "import tasks\ndef back(n): return tasks.task(n) + back(0)",
    }
    before = fingerprint(files, task="task")
    files["other"] = files["other"].replace("back(0)", "back(1)")

    assert {part.name for part in before.parts} == {"task", "back", "FIRST"}
    assert differs(before.fact, fingerprint(files, task="task").fact)


def test_what_a_module_does_to_a_constant_belongs_to_it(fingerprint):
    """Items, attributes and methods at the top of the module; the main part of a script is none."""
    text = """
        TABLE = {}
        TABLE["a"] = 1
        TABLE.update(b=2)

        def task():
            return TABLE

        if __name__ == "__main__":
            TABLE.update(c=3)
    """
    before = fingerprint({"tasks": text}, task="task").fact

    def fact(old, new):
        return fingerprint({"tasks": text.replace(old, new)}, task="task").fact

    assert differs(before, fact('["a"] = 1', '["a"] = 2'))
    assert differs(before, fact("b=2", "b=3"))
    assert fact("c=3", "c=4") == before


def test_imports_inside_of_functions_are_followed_without_importing(fingerprint):
    """A module that only the running task imports counts, before and after it was imported."""
    text = """
        def task():
            from late import value
            import packed.inner
            return value() + packed.inner.more()
    """
    files = {
        "tasks": text,
        "late": "def value(): return 1",
        "packed/__init__": "",
        "packed/inner": "from .deep import more",
        "packed/deep": "def more(): return 2",
    }
    before = fingerprint(files, task="task")
    is_loaded = "late" in sys.modules
    import late  # noqa: F401

    assert not is_loaded
    assert [part.name for part in before.parts] == ["task", "more", "value"]
    assert Fingerprints().of(sys.modules["tasks"].task).fact == before.fact
    files["packed/deep"] = "def more(): return 3"
    assert differs(before.fact, fingerprint(files, task="task").fact)


@pytest.mark.parametrize(
    "imports", ["from package import f", "from package import *", "import package as p\nf = p.f"]
)
def test_names_are_followed_through_packages(fingerprint, imports):
    """What a package takes from its modules, also by `*`."""
    files = {
        "tasks": f"{imports}\ndef task(): return f()",
        "package/__init__": "from package.inner import *",
        "package/inner": "from .deep import f",
        "package/deep": "def f(): return 1",
    }
    before = fingerprint(files, task="task").fact
    files["package/deep"] = "def f(): return 2"

    assert differs(before, fingerprint(files, task="task").fact)


def test_a_module_that_is_handed_on_counts_as_a_whole(fingerprint):
    """Nobody knows what is taken out of it."""
    files = {
        "tasks": "import near\ndef task(): return vars(near)",
        "near": "A = 1\ndef b(): return 2",
    }
    found = fingerprint(files, task="task")

    assert {part.name for part in found.parts} == {"task", "A", "b"}


def test_packages_count_by_version_and_only_where_they_are_used(fingerprint, monkeypatch):
    """Another version is a change; a package that other tasks use is none of this one's."""
    pytest.importorskip("numpy")
    files = {
        "tasks": """
            import click
            import numpy as np

            def task():
                return np.zeros(1)
        """
    }
    before = fingerprint(files, task="task")
    monkeypatch.setattr("flowlib.fingerprint.versions_of", lambda module: {"numpy": "0.1"})
    after = fingerprint(files, task="task")

    assert list(before.packages) == ["numpy"]
    assert after.packages == {"numpy": "0.1"}
    assert differs(before.fact, after.fact)


@pytest.mark.parametrize("near", ["def half(x: return x", None, b"\xff\xfe\x00"])
def test_what_cannot_be_read_makes_it_unknown(fingerprint, tmp_path, near):
    """A file with an error, a file that is gone, or one that is no text: never a change."""
    before = fingerprint()
    path = tmp_path / "near.py"
    if near is None:
        path.unlink()
    elif isinstance(near, bytes):
        path.write_bytes(near)
    else:
        path.write_text(near)

    assert Fingerprints().of(sys.modules["tasks"].Train) is None
    assert not differs(before.fact, "")
    assert not differs("", before.fact)


def test_another_form_of_fingerprints_is_no_change():
    """Records of a flowlib that hashed otherwise cannot be compared."""
    assert not differs("0.1234", "1.5678")
    assert differs("1.1234", "1.5678")


def make(factor, inner=None):
    def local(x):
        return inner(x) if inner else factor * x

    return local


def one(x):
    return x + 1


def two(x):
    return x + 2


def test_what_a_local_function_has_around_it_counts():
    """Plain values and functions of its closure, beside its own source."""
    facts = [Fingerprints().fact(each) for each in (make(1), make(2), make(1, one), make(1, two))]

    assert len(set(facts)) == 4
    assert Fingerprints().fact(make(1)) == facts[0]


def test_lambdas_and_local_classes_have_fingerprints():
    """They are found by their line or their name."""

    class Local:
        def run(self):
            return one(1)

    class Other:
        def run(self):
            return two(1)

    facts = [
        Fingerprints().fact(each)
        for each in (lambda x: x + 1, lambda x: x + 2, Local, Other)  # noqa: E731
    ]

    assert "" not in facts
    assert len(set(facts[2:])) == 2


def test_functions_without_source_are_unknown():
    """Generated code has no fingerprint, and is no error."""
    space = {"__name__": "generated"}
    exec("def task(): return 1", space)

    assert Fingerprints().of(space["task"]) is None


def test_a_cell_of_a_notebook_is_found_in_linecache():
    """With the functions, constants and modules of other cells, as they are now."""

    def cell(number, text, space):
        name = f"<cell {number}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), space)

    space = {"__name__": "notebook"}
    cell(1, "import math\nRATE = 0.5\ndef helper(x):\n    return x * RATE\n", space)
    cell(2, "def task(x):\n    return helper(x) + math.sqrt(x)\n", space)
    before = Fingerprints().of(space["task"])
    space["RATE"] = 0.6
    other_constant = Fingerprints().fact(space["task"])
    cell(3, "RATE = 0.5\ndef helper(x):\n    # the same\n    return x * RATE\n", space)
    same = Fingerprints().fact(space["task"])
    cell(4, "def helper(x):\n    return x - RATE\n", space)

    assert [part.name for part in before.parts] == ["task", "helper"]
    assert same == before.fact
    assert differs(before.fact, other_constant)
    assert differs(before.fact, Fingerprints().fact(space["task"]))


def test_installed_tasks_count_by_the_version_of_their_package():
    """Their source is nobody's to edit."""
    import click

    found = Fingerprints().of(click.echo)

    assert found.parts == ()
    assert list(found.packages) == ["click"]


def test_a_huge_module_is_parsed_once(fingerprint, monkeypatch):
    """Its size costs once per process, and only what is reached is looked into."""
    lines = [f"def f{n}(x):\n    return f{n - 1}(x) + {n}\n" for n in range(1, 2000)]
    files = {"tasks": "from huge import f1, f1999\ndef task(): return f1(1)"}
    files["huge"] = "def f0(x):\n    return x\n" + "\n".join(lines)
    parsed = []
    made = SourceFile.of_text
    monkeypatch.setattr(
        SourceFile, "of_text", lambda text, path: parsed.append(path) or made(text, path)
    )
    first = fingerprint(files, task="task")
    again = Fingerprints().of(sys.modules["tasks"].task)

    assert [part.name for part in first.parts] == ["task", "f1", "f0"]
    assert again == first
    assert sorted(Path(path).name for path in parsed) == ["huge.py", "tasks.py"]


LOADED = """
    RATE = 1
    TABLE = {}

    class Train:
        limit = 3

        def run(self):
            "Says it."
            return RATE * self.limit, TABLE, helper()

    def helper():
        return [x + 1 for x in (1, 2.0)]
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 1", "RATE = 2"),
        ("RATE = 1", "RATE = True"),
        ("limit = 3", "limit = 4"),
        ("RATE * self.limit", "RATE + self.limit"),
        ("x + 1", "x + 3"),
        ("2.0", "2"),
    ],
)
def test_a_file_that_was_edited_after_its_import_is_unknown(
    fingerprint, tmp_path, caplog, old, new
):
    """What runs is something else, until it is imported anew; one line says so."""
    before = fingerprint({"tasks": LOADED})
    path = tmp_path / "tasks.py"
    path.write_text(path.read_text().replace(old, new))
    found = [Fingerprints().of(sys.modules["tasks"].Train) for _ in range(2)]
    after = Fingerprints().of(importlib.reload(sys.modules["tasks"]).Train)

    assert found == [None, None]
    assert differs(before.fact, after.fact)
    assert caplog.text.count("was edited after it was imported") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Says it."', '"Says it otherwise."'),
        ("RATE = 1", "# of all\nRATE = 1"),
        ("def helper", "def more():\n    return 3\n\n\ndef helper"),
        ("TABLE = {}", "TABLE = {}\nOTHER = 1"),
    ],
)
def test_an_edit_that_is_none_leaves_it_known(fingerprint, tmp_path, old, new):
    """Also where the objects of the module have changed since."""
    before = fingerprint({"tasks": LOADED}).fact
    sys.modules["tasks"].TABLE["x"] = 1
    path = tmp_path / "tasks.py"
    path.write_text(path.read_text().replace(old, new))

    assert Fingerprints().fact(sys.modules["tasks"].Train) == before


def test_loaded_objects_of_all_kinds_are_those_of_their_file(fingerprint):
    """Properties, static methods, decorated functions, closures, classes that hold each other."""
    text = """
        import dataclasses
        import functools

        def twice(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args) * 2
            return wrapper

        @dataclasses.dataclass
        class Point:
            x: int = 0

            class Inner:
                y = 1.5

            @property
            def wide(self):
                return self.x

            @staticmethod
            def far():
                return -1

            @classmethod
            @functools.lru_cache
            def near(cls):
                return cls

        Point.itself = Point

        @twice
        def task():
            return Point().wide + Point.far()
    """

    assert fingerprint({"tasks": text}, task="task") is not None


def test_facts_are_those_of_the_golden_file(fingerprint):
    """The same on every machine and with every Python from 3.11 on."""
    golden = json.loads(GOLDEN.read_text())
    facts = {
        name: fingerprint({"tasks": each["source"]}, task=each["task"]).fact
        for name, each in golden.items()
    }

    assert facts == {name: each["fact"] for name, each in golden.items()}


SOURCES = sorted(Path(functools.__file__).parent.glob("*.py"))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SOURCES))
def test_reformatting_changes_nothing(path):
    """Whatever `ast.unparse` writes anew has the same canonical text."""
    tree = ast.parse(path.read_bytes())
    again = ast.parse(ast.unparse(tree))
    one, other = ((each.body, names_in(each.body)) for each in (tree, again))

    assert one[1].references == other[1].references
    assert canonical_text(one[0], one[1].renamed) == canonical_text(other[0], other[1].renamed)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SOURCES), st.data())
def test_every_constant_counts(path, data):
    """A number anywhere in a file is part of its canonical text."""
    tree = ast.parse(path.read_bytes())
    numbers = [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and type(each.value) is int
    ]
    if not numbers:
        return
    before = canonical_text(tree.body)
    data.draw(st.sampled_from(numbers)).value += 1

    assert canonical_text(tree.body) != before
