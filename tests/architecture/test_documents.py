"""Do the documents tell the truth?"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.scripts import run_forked
from tests.architecture.sources import PACKAGES, ROOT, pages, tree

BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"`make ([a-z-]+)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::([\w:\[\]-]+))?`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")
SUFFIXES = {".md", ".py", ".toml", ".yaml", ".yml", ".txt", ".cfg", ".sh", ""}
SKIPPED = {"build", "dist", "runs"}


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _texts() -> list[Path]:
    """Every text of the project, without what was built or installed."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [each for each in folders if each[0] != "." and each not in SKIPPED]
        found += [Path(folder, name) for name in names if Path(name).suffix in SUFFIXES]
    return [path for path in found if not path.name.startswith(".coverage")]


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Gives what a page prints and the folder where it ran; for all tests it runs once."""

    @cache
    def run(page):
        folder = tmp_path_factory.mktemp(page.stem)
        return _printed_by(page, folder), folder

    return run


@pytest.mark.parametrize("page", list(pages()), ids=_relative)
def test_the_code_of_a_page_runs(page, first_run):
    """The Python blocks of a page, put together as one script, run to the end."""
    first_run(page)


def test_the_readme_shows_the_graph_that_its_example_draws(first_run):
    """What the first flow prints and the picture are as shown; a second run computes nothing."""
    page = ROOT / "README.md"
    (shortest, *graph, first), folder = first_run(page)
    again, *_, second = _printed_by(page, folder)
    text = page.read_text()
    assert f"prints `{shortest}`, and when it is started again `{again}`" in text
    assert "\n".join(["```", *graph, "```"]) in text
    assert first.replace("finished", "cached") == second


def test_the_readme_begins_with_a_flow_that_can_be_pasted():
    """What to install, and a whole script of at most 20 lines, stand before anything else."""
    text = (ROOT / "README.md").read_text()
    first = BLOCK.findall(text)[0]
    assert len(first.splitlines()) <= 20
    assert text.index("pip install .") < text.index(first) < text.index("\n## ")


def test_the_readme_tells_of_every_extra_and_every_page():
    """Each extra of pyproject.toml has its word in the table, each page of docs/ its link."""
    text = (ROOT / "README.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = re.findall(r"`([a-z0-9]+)`", text.partition("\n## Extras\n")[2])
    assert sorted({*project["optional-dependencies"]} - {*told}) == []
    pages_ = [path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md")]
    assert [str(each) for each in pages_ if f"({each})" not in text] == []


def test_the_drawing_page_shows_what_its_code_prints(first_run):
    """Every picture of the page is the one that its code draws."""
    page = ROOT / "docs" / "drawing.md"
    shown = re.findall(r"^```\n(?=\S| )(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    printed, _ = first_run(page)
    assert "".join(shown).splitlines() == printed


def _printed_by(page: Path, folder: Path) -> list[str]:
    """The lines that the code of a page prints, run as a script in `folder`."""
    script = folder / "page.py"
    script.write_text("\n".join(BLOCK.findall(page.read_text())))
    done = run_forked([str(script)], folder)
    assert done.code == 0, done.err
    return done.out.splitlines()


@pytest.mark.parametrize("page", list(pages()), ids=_relative)
def test_the_links_of_a_page_lead_somewhere(page):
    """Every relative link names a file or folder that exists."""
    assert [
        link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()
    ] == []


@pytest.mark.parametrize("page", list(pages()), ids=_relative)
def test_the_make_targets_of_a_page_exist(page):
    """Every `make …` that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert sorted(set(MAKE.findall(page.read_text())) - targets) == []


def test_every_test_named_by_the_parity_page_exists():
    """Each row of docs/parity.md that names a test names one that is there."""
    named = NAMED_TEST.findall((ROOT / "docs" / "parity.md").read_text())
    assert named
    there = {path for path, _ in named if (ROOT / path).exists()}
    known = {path: _names(tree(ROOT / path)) for path in there}
    missing = [each for each in named if each[0] not in known or not _has(known[each[0]], each[1])]
    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_architecture_page_draws_the_layers_that_are_checked(package):
    """Rooms, line for line, are those of the contract of import-linter, which knows every module."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    (drawing,) = re.findall(rf"^{package}/\n((?:  .*\n)+)", page, re.MULTILINE)
    drawn = [line.split(" · ") for line in re.findall(r"^  (\w.*)$", drawing, re.MULTILINE)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [package]
    ]
    assert drawn == [re.findall(r"\w+", layer) for layer in layers]


def test_no_text_names_the_foreign_distribution():
    """`flowlib` on the package index belongs to others; ours is `flowlib-runner`."""
    wrong = re.compile(r"pip3? install(?: -\S+)* [\"']?" + r"(?:flowlib|stores)\b(?!-runner)")
    assert [_relative(path) for path in _texts() if wrong.search(_read(path))] == []


def _read(path: Path) -> str:
    return path.read_text(errors="replace")


def _names(module: ast.Module) -> dict[str, set[str]]:
    """What stands in a module, and (by name) in each of its classes."""
    named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    inside = {
        each.name: {one.name for one in ast.walk(each) if isinstance(one, named)}
        for each in ast.walk(module)
        if isinstance(each, ast.ClassDef)
    }
    return {**inside, "": {each.name for each in ast.walk(module) if isinstance(each, named)}}


def _has(known: dict[str, set[str]], name: str) -> bool:
    """Whether a module has the test `name`, which may stand in a class and have parameters."""
    scope = ""
    for part in name.partition("[")[0].split("::") if name else ():
        if part not in known.get(scope, ()):
            return False
        scope = part
    return True
