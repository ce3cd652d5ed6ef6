"""How far two values are apart, and when two results count as the same."""

from __future__ import annotations

import math

import pytest

from flowlib.distances import distance_of
from flowlib.errors import RunError
from flowlib.rerun import is_script_or_run, script_at, without_options
from flowlib.result_comparison import Comparison, Match
from flowlib.source_tree import apply_patch, has_commit, make_tree, write_files
from stores import Address, InMemoryStore, LocalFileStore
from stores.testing import done, put
from tests.flowlib.repositories import git, repository_in

AT = Address("Train", "a" * 32)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (1, 1, 0.0),
        (1.0, 1, 0.0),
        (2.0, 1.0, 0.5),
        (0.0, 1e-300, 1.0),
        (math.nan, math.nan, 0.0),
        (math.nan, 1.0, math.inf),
        (math.inf, math.inf, 0.0),
        (math.inf, 1.0, math.inf),
        (True, 1, math.inf),
        ("a", "a", 0.0),
        ("a", "b", math.inf),
        (None, None, 0.0),
        ({"a": [1.0, 4.0]}, {"a": [1.0, 5.0]}, 0.2),
        ({"a": 1}, {"b": 1}, math.inf),
        ([1], [1, 2], math.inf),
        ([1], (1,), math.inf),
        ([], [], 0.0),
    ],
)
def test_how_far_plain_values_are_apart(one, other, distance):
    """Numbers by their relative difference, all else is equal or not."""
    assert distance_of(one, other) == pytest.approx(distance)
    assert distance_of(other, one) == pytest.approx(distance)


def test_how_far_arrays_are_apart():
    """Element by element; NaN and infinity must stand at the same places."""
    np = pytest.importorskip("numpy")
    a = np.array([1.0, -4.0, np.nan, np.inf, 0.0])
    assert distance_of(a, a.copy()) == 0.0
    assert distance_of(a, np.array([1.0, -5.0, np.nan, np.inf, 0.0])) == pytest.approx(0.2)
    for other in (a[:-1], a.astype("float32"), -a, np.array([1.0, -4.0, 1.0, np.inf, 0.0])):
        assert distance_of(a, other) == math.inf
    assert distance_of(np.array(["x"]), np.array(["x"])) == 0.0
    assert distance_of(np.array(["x"]), np.array(["y"])) == math.inf
    assert distance_of(np.array([3 + 4j]), np.array([3 + 4j])) == 0.0


def matches(old, new, **how):
    """How two sets of artifacts compare, in two kinds of stores."""
    before, after = InMemoryStore(), InMemoryStore()
    put(before, AT, old, done())
    put(after, AT, new, done())
    return {each.name: each.match for each in Comparison(before, after, **how).of(AT)}


def test_artifacts_are_compared_by_bytes_and_then_by_value():
    """With a tolerance of their own, if they have one."""
    found = matches({"a": 1.0, "b": "x", "c": 1}, {"a": 1.0 + 1e-9, "b": "x", "d": 2})
    assert found == {"a": Match.DIFFERS, "b": Match.SAME, "c": Match.MISSING, "d": Match.NEW}
    for rtol, match in ((1e-6, Match.CLOSE), ({"json": 1e-6}, Match.CLOSE), ({"": 1e-6}, Match.CLOSE),
                        ({"json": 0.0, "": 1e-6}, Match.DIFFERS), ({"numpy": 1.0}, Match.DIFFERS)):  # fmt: skip
        assert matches({"a": 1.0}, {"a": 1.0 + 1e-9}, rtol=rtol) == {"a": match}
    assert matches({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}) == {"a": Match.EQUAL}
    assert matches({"a": 1}, {"a": b"1"}) == {"a": Match.DIFFERS}
    big = "x" * 100_000
    assert matches({"a": big}, {"a": big}) == {"a": Match.SAME}
    assert matches({"a": big}, {"a": big + "y"}) == {"a": Match.DIFFERS}


class Loud:
    """Says when it is loaded."""

    loads: list[int] = []

    def __init__(self, order):
        self.order = order

    def __setstate__(self, state):
        self.loads.append(1)
        self.__dict__.update(state)

    def __eq__(self, other):
        return sorted(self.order) == sorted(other.order)

    __hash__ = None


def test_pickles_are_loaded_on_request_only():
    """Then values decide, by their own `==`."""
    assert matches({"a": Loud([1, 2])}, {"a": Loud([2, 1])}) == {"a": Match.DIFFERS}
    assert Loud.loads == []
    found = matches({"a": Loud([1, 2])}, {"a": Loud([2, 1])}, may_unpickle=True)
    assert found == {"a": Match.EQUAL}
    assert matches({"a": Loud([1])}, {"a": Loud([2])}, may_unpickle=True) == {"a": Match.DIFFERS}


def test_a_value_that_is_gone_differs(tmp_path):
    """It is no error."""
    before, after = LocalFileStore(tmp_path / "a"), LocalFileStore(tmp_path / "b")
    for store, text in ((before, "x"), (after, "y")):
        put(store, AT, {"big": text * 100_000}, done())
    (file,) = [
        p for p in (tmp_path / "b").rglob("*") if p.is_file() and p.stat().st_size == 100_000
    ]
    file.unlink()
    (found,) = Comparison(before, after).of(AT)
    assert found.match is Match.DIFFERS
    assert "the values cannot be loaded" in found.detail


@pytest.mark.parametrize(
    ("command", "at"),
    [
        ("python train.py --lr 1", 1),
        ("/venv/bin/python3.11 -X dev -u train.py", 4),
        ("python -m my.train", 1),
        ("python -m flowlib run x.yaml", None),
        ("python -m ipykernel_launcher -f x.json", None),
        ("python -c pass", None),
        ("python -", None),
        ("python", None),
        ("", None),
        ("flowlib run flow.yaml", None),
    ],
)
def test_where_the_script_of_a_command_stands(command, at):
    """Only of a script it is known what would be run again."""
    assert script_at(command.split()) == at


def test_which_commands_name_what_they_run():
    """A graph that was submitted is in its store, and in no document."""
    assert is_script_or_run(["python", "train.py"])
    assert is_script_or_run(["flowlib", "run", "flow.yaml"])
    assert not is_script_or_run(["flowlib", "execute"])


def test_words_without_options():
    """What names the store and the executor stands behind what is run."""
    words = ("run", "x", "b=1", "--store", "file:a", "--executor", "rq")
    assert without_options(words) == ("run", "x", "b=1")
    assert without_options(("run", "x")) == ("run", "x")


@pytest.mark.needs("git")
def test_a_tree_of_an_earlier_commit(tmp_path):
    """Also from another work tree, from a shallow clone, and with its submodules."""
    repository = repository_in(tmp_path / "repository")
    first = git(repository, "rev-parse", "HEAD")
    other = repository_in(tmp_path / "other")
    git(
        repository,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(other),
        "lib",
    )
    (repository / "a.py").write_text("two\n")
    git(repository, "commit", "-q", "-a", "-m", "second")
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "beside"))
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    state = git(repository, "status", "--porcelain", "--branch")
    for source in (repository, tmp_path / "beside", tmp_path / "shallow"):
        tree = tmp_path / f"tree of {source.name}"
        make_tree(tree, str(source), head)
        assert (tree / "a.py").read_text() == "two\n"
        assert (tree / "lib" / "a.py").read_text() == "one\n"
    make_tree(tmp_path / "old", str(repository), first)
    assert (tmp_path / "old" / "a.py").read_text() == "one\n"
    assert git(repository, "status", "--porcelain", "--branch") == state
    assert has_commit(str(repository), first)
    assert not has_commit(str(tmp_path / "shallow"), first)
    assert not has_commit(str(tmp_path / "nowhere"), first)


@pytest.mark.needs("git")
def test_a_patch_that_does_not_fit_changes_nothing(tmp_path):
    """Nor is a file written outside of the tree."""
    repository = repository_in(tmp_path / "repository")
    (repository / "a.py").write_text("two\n")
    patch = git(repository, "diff").encode() + b"\n"
    with pytest.raises(RunError, match="git apply"):
        apply_patch(repository, patch)
    git(repository, "checkout", "-q", "a.py")
    apply_patch(repository, patch)
    assert (repository / "a.py").read_text() == "two\n"
    write_files(repository, {"sub/x.py": b"x"})
    assert (repository / "sub" / "x.py").read_bytes() == b"x"
    for name in ("../x.py", "/tmp/x.py", ".git/hooks/post-checkout"):
        with pytest.raises(RunError, match="is no file of the work tree"):
            write_files(repository, {name: b"x"})
