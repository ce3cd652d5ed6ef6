"""`flowlib ls`: what is listed, in which order, for people, pipes and programs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stores import Address, LocalFileStore
from stores.testing import done, put
from tests.cli.calls import environment, flowlib
from tests.cli.shapes import LS, fits
from tests.cli.stored import BEST, FAST, FETCH, SLOW, filled
from tests.screens import Terminal


@pytest.fixture
def folder(tmp_path):
    filled(tmp_path)
    return tmp_path


def test_a_pipe_gets_a_line_for_each_record_the_newest_first(folder):
    """So that `flowlib ls | wc -l` counts and `| head -1` is the newest."""
    called = flowlib("ls", folder=folder, TZ="UTC")
    assert (called.code, called.err) == (0, "")
    assert called.out.splitlines() == [
        "Best/b0b0b0b0   ⊘ skipped             2.0 s  1970-01-01 00:01:51  exp",
        "Train/9a110000  ✖ failed    lr=10.0   2.0 s  1970-01-01 00:01:50  exp",
        "Train/9a7a08b2  ✔ finished  lr=0.001  2.0 s  1970-01-01 00:01:40  exp",
        "Fetch/f0f0f0f0  ✔ finished  n=3       2.0 s  1970-01-01 00:01:30  exp",
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Train"], [FAST, SLOW]),
        (["@failed", "Fetch"], [FAST, FETCH]),
        (["Train[lr=1e-3]+"], [BEST, SLOW]),
        (["--sort", "lr", "Train"], [SLOW, FAST]),
        (["--sort", "id", "--top", "2"], [BEST, FETCH]),
        (["--limit", "1"], [BEST]),
        (["--since", "1970-01-01T00:01:45+00:00"], [BEST, FAST]),
    ],
)
def test_ids_alone_for_other_commands(folder, words, expected):
    """Whole keys, so that they never become ambiguous."""
    called = flowlib("ls", "--ids", *words, folder=folder)
    assert called.out.splitlines() == [f"{each.task}/{each.key}" for each in expected]
    again = flowlib("ls", "--ids", "--sort", "id", "-", folder=folder, stdin=called.out)
    assert again.out.splitlines() == sorted(called.out.splitlines())


def test_json_has_exact_totals_also_where_few_are_shown(folder):
    """One document, nothing else on stdout; configs keep their types."""
    found = flowlib("ls", "--json", "--top", "3", folder=folder).json
    fits(found, LS)
    assert (found["total"], len(found["records"])) == (4, 3)
    assert found["counts"] == {"skipped": 1, "failed": 1, "finished": 2}
    assert found["records"][2]["config"] == {"batch": 64, "lr": 0.001}
    assert found["records"][2]["duration_s"] == 2.0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["Trian"], 3, "Did you mean Train?"),
        (["Train[lr"], 2, "is no selector"),
        (["Train/9a"], 2, "means 2 records"),
        (["-"], 3, "no ids in stdin"),
        (["--sort", "lrr"], 2, "Did you mean lr?"),
        (["--since", "yesterday"], 2, "since is 'yesterday'"),
        (["--top", "0"], 2, "--top"),
        (["--store", "file:/nowhere"], 4, "there is no store in /nowhere"),
        (["--store", "sqlite:////nowhere/x.db"], 4, "there is no store in /nowhere/x.db"),
        (["--store", "nothing:"], 2, "nothing"),
    ],
)
def test_errors_have_their_exit_codes_and_leave_stdout_empty(folder, words, code, message):
    """2 usage, 3 nothing selected, 4 no store."""
    called = flowlib("ls", *words, folder=folder)
    assert (called.code, called.out) == (code, "")
    assert message in called.err
    assert "Traceback" not in called.err


def test_an_empty_store_is_no_error(tmp_path):
    """Nothing was asked for in particular."""
    (tmp_path / "flowlib.toml").write_text("")
    LocalFileStore(tmp_path / ".flowlib")
    (tmp_path / ".flowlib").mkdir()
    called = flowlib("ls", folder=tmp_path)
    assert (called.code, called.out) == (0, "")
    assert flowlib("ls", "--json", folder=tmp_path).json["total"] == 0


def test_the_store_is_found_from_anywhere_in_the_project(folder):
    """`.flowlib` at its root, wherever the user stands."""
    (folder / "deep" / "er").mkdir(parents=True)
    assert len(flowlib("ls", folder=folder / "deep" / "er").out.splitlines()) == 4


def test_nobody_reads_on(folder):
    """`flowlib ls | head -1` is silent."""
    store = LocalFileStore(folder / ".flowlib", fsync=False)
    for number in range(3000):
        put(store, Address("Many", f"{number:032x}"), {}, number=number)
    command = f"{sys.executable} -m flowlib ls | head -1; echo ${{PIPESTATUS[0]}}"
    done_ = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done_.stderr == ""
    assert done_.stdout.splitlines()[0].startswith("Best/b0b0b0b0")
    assert done_.stdout.splitlines()[-1] in ("141", "0")


def test_text_of_users_is_shown_and_not_obeyed(tmp_path):
    """Escape codes and line breaks in names and configs; and what the stream cannot encode."""
    (tmp_path / "flowlib.toml").write_text("")
    store = LocalFileStore(tmp_path / ".flowlib")
    for number, text in enumerate(["\x1b[31mred\nnew line\r", "é\u202e", "<script>"]):
        put(store, Address("Né\x1b[2J", f"{number}" * 32), {}, s=text)
    out = flowlib("ls", folder=tmp_path).out
    assert len(out.splitlines()) == 3
    assert "\x1b" not in out
    assert "\u202e" not in out
    ascii_ = flowlib("ls", folder=tmp_path, PYTHONIOENCODING="ascii").out
    assert ascii_.isascii()
    assert "+ finished" in ascii_


def test_a_forced_attempt_that_failed_is_told_beside_what_counts(folder):
    """The old result counts, with a note."""
    from stores import TaskState

    put(LocalFileStore(folder / ".flowlib"), FETCH, {}, done(TaskState.FAILED), n=3)
    [line] = flowlib("ls", "Fetch", folder=folder).out.splitlines()
    assert "✔ finished  n=3 (last: failed)" in line


SCRIPT = """
import sys
from flowlib.cli.main import main
sys.exit(main({words!r}))
"""


def shown(folder, *words, size=(100, 30)):
    script = SCRIPT.format(words=["ls", *words])
    with Terminal(script, folder, size=size) as terminal:
        assert terminal.wait_for_end() == 0
        return terminal.shown


def test_a_terminal_shows_a_table_with_totals(folder):
    """Titles, how long ago it was, and how many there are in which state."""
    rows = shown(folder)
    assert rows[0].split() == ["id", "state", "config", "time", "when", "run"]
    assert set(rows[1]) == {"─"}
    assert rows[2].startswith("Best/b0b0b0b0   ⊘ skipped")
    assert "d ago" in rows[3]
    assert rows[-1] == "4 records  ✖1 ⊘1 ✔2"


def test_a_terminal_says_how_many_more_there_are(folder):
    """Never a silent cut: exact totals, and how to see the rest."""
    store = LocalFileStore(folder / ".flowlib", fsync=False)
    for number in range(40):
        put(store, Address("Many", f"{number:032x}"), {}, number=number)
    rows = shown(folder, size=(60, 20))
    assert rows[-2] == "44 records  ✖1 ⊘1 ✔42"
    assert rows[-1] == "… 29 more: --all, or --top N"
    assert all(len(row) <= 60 for row in rows)
    assert len(shown(folder, "--all", size=(60, 60))) == 47


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_gets_short_configs(tmp_path, width):
    """The config gives way; who, state and when stay as long as they can."""
    (tmp_path / "flowlib.toml").write_text("")
    store = LocalFileStore(tmp_path / ".flowlib")
    for number in range(3):
        put(store, Address("Train", f"{number}" * 32), {}, text="x" * 30 + str(number), n=number)
    rows = shown(tmp_path, size=(width, 20))
    assert "Train/00000000" in rows[2]
    assert all(len(row) <= width for row in rows)
    assert width < 60 or "…" in rows[2]


@pytest.mark.parametrize(
    "words",
    [["ls"], ["ls", "Train+"], ["show", "Train/9a7a"], ["diff", "Fetch", "Best"], ["status"],
     ["rm", "Fetch", "-n"], ["gc", "-n"]],
)  # fmt: skip
def test_looking_into_a_store_is_light(folder, words):
    """Nothing heavy is imported, so that the answer comes at once; nor is any user code."""
    script = (
        f"import sys\nfrom flowlib.cli.main import main\nassert main({words!r}) == 0\n"
        "heavy = {'bokeh', 'numpy', 'pandas', 'networkx', 'pydantic', 'asyncio', 'flowlib.flow'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    done_ = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done_.stderr.splitlines()[-1] == "[]"


def test_json_is_valid_whatever_a_config_holds(tmp_path):
    """Half of a surrogate pair, no number, and a stream that knows ASCII only."""
    (tmp_path / "flowlib.toml").write_text("")
    store = LocalFileStore(tmp_path / ".flowlib")
    put(store, Address("T", "a" * 32), {"loss": float("nan")}, s="\ud800é", f=float("inf"))
    for encoding in ("utf-8", "ascii"):
        [record] = flowlib("ls", "--json", folder=tmp_path, PYTHONIOENCODING=encoding).json[
            "records"
        ]
        assert record["config"] == {"f": {"$float": "inf"}, "s": {"$str": [0xD800, 233]}}
    shown_ = flowlib("show", "T", "--json", folder=tmp_path)
    assert "NaN" not in shown_.out.replace('"NaN"', "")
    assert shown_.json["artifacts"][0]["values"] == {"": "NaN"}
