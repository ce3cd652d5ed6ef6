"""`flowlib cat`: the value of one result on stdout."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest

from flowlib import Flow, Task, TaskSpec, sh
from stores import LocalFileStore
from tests.cli.calls import flowlib


class Makes(Task):
    """Values of several kinds, and a pickle that would tell."""

    def run(self):
        self.save(Tells(), "trap", type_="pickle")
        self.save({"a": [1, "ü"]}, "data")
        self.save("line\nü\n", "text")
        self.save(b"\x00\xff" * 100_000, "bytes")
        self.save((1, "two"), "tuple")


class Tells:
    """Leaves a trace where it is loaded."""

    def __reduce__(self):
        return open, (os.path.join("unpickled"), "w")  # noqa: PTH118


def fails(n: int):
    """Has no results."""
    raise ValueError(f"{n} is too large\nby far")


def test_what_has_failed_has_no_results_and_that_is_told(tmp_path):
    """With the first line of the error, and the command that tells more."""
    (tmp_path / "pyproject.toml").touch()
    store = LocalFileStore(tmp_path / ".flowlib")
    flow = Flow([TaskSpec(fails, {"n": 3})])
    flow.run(num_workers=1, results_store=store, exit_on_error=False)
    called = flowlib("cat", "fails", folder=tmp_path)
    assert (called.code, called.out) == (3, "")
    told = r"fails/\w{8} has no results \(failed: ValueError: 3 is too large\): `flowlib show "
    assert re.search(told, called.err), called.err


class Alone(Task):
    """One result."""

    def run(self):
        return {"only": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with what programs and tasks have made."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flowlib.toml").write_text("")
    code = (
        "import os; open('a b.csv', 'w').write('x,y\\n1,2\\n'); os.mkdir('plots')\n"
        "open('plots/p', 'w').write('p'); print('said \\x1b[31mred')"
    )
    program = sh([sys.executable, "-c", code], out=["a b.csv", "plots"], name="simulate")
    store = LocalFileStore(folder / ".flowlib")
    Flow([program, TaskSpec(Makes), TaskSpec(Alone)]).run(num_workers=1, results_store=store)
    return folder


@pytest.mark.parametrize(
    ("result", "out"),
    [
        ("simulate:a b.csv", "x,y\n1,2\n"),
        ("simulate", "said \x1b[31mred\n"),
        ("simulate:stdout", "said \x1b[31mred\n"),
        ("simulate:returncode", "0\n"),
        ("Alone", "3\n"),
        ("Makes:text", "line\nü\n"),
        ("Makes:tuple", "(1, 'two')\n"),
    ],
)
def test_values_as_text(folder, result, out):
    """As they are, or as Python prints them."""
    called = flowlib("cat", result, *(["--unpickle"] if "tuple" in result else []), folder=folder)
    assert (called.code, called.out, called.err) == (0, out, "")


def test_json_is_json(folder):
    """One line."""
    called = flowlib("cat", "Makes:data", folder=folder)
    assert json.loads(called.out) == {"a": [1, "ü"]}
    assert called.out.endswith("\n")


def test_bytes_are_raw(folder):
    """None is lost, none is added."""
    import subprocess

    from tests.cli.calls import environment

    done = subprocess.run(
        [sys.executable, "-m", "flowlib", "cat", "Makes:bytes"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"\x00\xff" * 100_000


def test_a_pickle_is_not_loaded_unless_that_is_asked_for(folder):
    """It would run code."""
    called = flowlib("cat", "Makes:trap", folder=folder)
    assert called.code == 2
    assert "trap is a pickle, which runs code when it is loaded: --unpickle" in called.err
    assert not (folder / "unpickled").exists()
    called = flowlib("cat", "Makes:trap", "--unpickle", folder=folder)
    assert called.code == 0
    assert (folder / "unpickled").exists()


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        ("Makes", 2, "has several results, so name one of them: trap, data, text, bytes, tuple"),
        ("simulate:stdot", 3, "has no result 'stdot'. Did you mean stdout?"),
        ("Nobody:x", 3, "Nobody"),
        ("simulate:plots", 2, "plots is a folder: flowlib results 'simulate/"),
    ],
)
def test_what_cannot_be_shown(folder, result, code, said):
    """With the way out."""
    called = flowlib("cat", result, folder=folder)
    assert (called.code, called.out) == (code, "")
    assert said in called.err


def test_the_hint_for_a_folder_holds(folder):
    """The command that it names writes a tar."""
    import tarfile

    hint = flowlib("cat", "simulate:plots", folder=folder).err
    id_ = hint.partition("'")[2].partition("'")[0]
    assert flowlib("results", id_, "-o", "plots.tar", folder=folder).code == 0
    with tarfile.open(folder / "plots.tar") as archive:
        assert [each.name for each in archive if each.isfile()] == ["content/p"]


def test_a_terminal_obeys_nothing_of_it(folder):
    """Control characters are shown; what is no text is refused."""
    import pty
    import subprocess

    from tests.cli.calls import environment

    def on_terminal(result):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "flowlib", "cat", result]
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=theirs, stderr=subprocess.PIPE
        )
        os.close(theirs)
        found = b""
        try:
            while data := os.read(ours, 1000):
                found += data
        except OSError:
            pass
        os.close(ours)
        _, err = process.communicate(timeout=60)
        return found.decode(), err.decode()

    assert on_terminal("simulate:stdout")[0].splitlines() == ["said \\x1b[31mred"]
    shown, err = on_terminal("Makes:bytes")
    assert shown == ""
    assert "bytes is no text: write it to a file" in err
