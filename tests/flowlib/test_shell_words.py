"""What a call of `sh` refuses, and what it takes a text for; nothing is run here."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowlib import InputFile, SpecError, TaskSpec, sh, sweep
from flowlib.shell_texts import template, text_of
from flowlib.shell_words import commands_of, outputs_of, path_of


@pytest.mark.parametrize(
    ("cmd", "commands"),
    [
        (["a", "b c"], [["a", "b c"]]),
        (("a", 1), [["a", 1]]),
        ("a 'b c' d\\ e \"\"", [["a", "b c", "d e", ""]]),
        ("a '|' \";\" \\&", [["a", "|", ";", "&"]]),
        ([["a"], ["b", "c"]], [["a"], ["b", "c"]]),
        ([["a"], "b c"], [["a"], ["b", "c"]]),
        ("a?b[1]~", [["a?b[1]~"]]),
    ],
)
def test_what_is_a_command(cmd, commands):
    """A list of words, a text that is split, or several of them."""
    assert commands_of(cmd, is_shell=False) == commands


def test_what_is_as_usual_is_not_told():
    """Tables and records show what was asked for."""
    usual = sh(["a"], {}, [], {}, shell=False, check=True, ok_codes=[0], stdin=None, inherit=[])
    assert dict(usual.config) == {"commands": [["a"]]} == dict(sh("a").config)
    assert set(sh("a", check=False, stdin="").config) == {"commands", "ok_codes", "stdin"}


@pytest.mark.parametrize("cmd", ["a | b > c", ["a; b"], "x=$(y)"])
def test_with_a_shell_a_command_is_a_text(cmd):
    """It is left as it is."""
    assert commands_of(cmd, is_shell=True) == ([cmd] if isinstance(cmd, str) else cmd)


@pytest.mark.parametrize("sign", sorted("|&;<>()$`*\n"))
def test_a_sign_of_a_shell_is_refused_where_there_is_none(sign):
    """It would be given to the program as it is, which nobody means."""
    with pytest.raises(SpecError, match="which only a shell understands: say shell=True"):
        sh(f"a {sign} b")
    assert sh(["a", sign]).config["commands"] == [["a", sign]]


REFUSED = {
    "the command is a list of words": ({"cmd": 3}, {"cmd": None}, {"cmd": {"a"}}),
    "a command needs a program": ({"cmd": []}, {"cmd": ""}, {"cmd": "''"}, {"cmd": [["a"], []]}),
    "the name of the program is empty": ({"cmd": [""]},),
    "cannot be split into words": ({"cmd": "a 'b"},),
    "a command is empty": ({"cmd": " ", "shell": True},),
    "with shell=True a command is a text": ({"cmd": [["a"]], "shell": True},),
    "a word of the command is None": ({"cmd": ["a", None]},),
    "a word of the command is True": ({"cmd": ["a", True]},),
    "a word of the command is ['b']": ({"cmd": ["a", ["b"]]},),
    "a word of the command is {}": ({"cmd": ["a", sweep(1, {})]},),
    "holds a NUL character": ({"cmd": ["a\0"]}, {"cmd": "a\0", "shell": True}, {"out": ["a\0"]}),
    "inp is a mapping": ({"inp": ["a"]}, {"inp": "a"}),
    "inp names a file by its path": ({"inp": {3: ""}}, {"inp": {"": ""}}),
    "inp has '../x', which is no file below the folder of the task": ({"inp": {"../x": ""}},),
    "inp has 'a/../../x'": ({"inp": {"a/../../x": ""}},),
    "inp has 'a/../x'": ({"inp": {"a/../x": ""}},),
    "inp has '/x'": ({"inp": {"/x": ""}},),
    "inp has '.'": ({"inp": {".": ""}},),
    "inp names a file twice: a, ./a": ({"inp": {"a": "", "./a": ""}},),
    "inp has 'a' as a file, and 'a/b' below it": ({"inp": {"a": "", "a/b": ""}},),
    "inp['a'] is a path: InputFile('b') is the file": (
        {"inp": {"a": Path("b")}},
        {"inp": {"a": sweep(Path("b"))}},
    ),
    "inp['a'] is 3 (int); the content of a file is text": ({"inp": {"a": 3}},),
    "inp['a'] is None": ({"inp": {"a": None}},),
    "inp['a'] is {'b': 1} (dict)": ({"inp": {"a": {"b": 1}}},),
    "stdin is 3": ({"stdin": 3},),
    "out is a list of paths": ({"out": 3}, {"out": {"a": 1}}),
    "out names 'a/b' twice": ({"out": ["a/b", "a//b"]},),
    "out names 'stdout', which is what the task itself calls": ({"out": ["./stdout"]},),
    "out has '../x'": ({"out": ["../x"]},),
    "env is a mapping": ({"env": ["A"]},),
    "env has 'A=B', which is no name of a variable": ({"env": {"A=B": ""}},),
    "env has '', which": ({"env": {"": ""}},),
    "env['A'] is None": ({"env": {"A": None}},),
    "check is True or False": ({"check": "no"},),
    "with check=False every exit code is fine": ({"check": False, "ok_codes": [1]},),
    "ok_codes are numbers": ({"ok_codes": "0"}, {"ok_codes": []}, {"ok_codes": [True]}),
    "shell is True, False or the name": ({"shell": 3}, {"shell": ""}),
    "inherit has 3": ({"inherit": [3]},),
    "there is no signal 'TREM'. Did you mean SIGTERM?": ({"stop_signal": "TREM"},),
    "expand is no option of a shell task": ({"expand": "product"},),
    "reduce is no option of a shell task": ({"reduce": True},),
    "there is no option 'ouput'": ({"ouput": ["a"]},),
    "retries must be 0 or more": ({"retries": -1},),
}


@pytest.mark.parametrize(
    ("message", "call"), [(text, call) for text, calls in REFUSED.items() for call in calls]
)
def test_what_cannot_be_right_is_refused_at_once(message, call):
    """With the place, what was found, and what to do."""
    with pytest.raises(SpecError) as raised:
        sh(**{"cmd": ["a"], **call})
    assert message in str(raised.value)


def test_paths_in_their_shortest_form():
    """Two spellings are one file."""
    assert [path_of(each, "out") for each in ("a", "./a/", "a//b", "a/./b", Path("a b/ü.x"))] == [
        "a",
        "a",
        "a/b",
        "a/b",
        "a b/ü.x",
    ]
    assert outputs_of("one") == ["one"]
    assert outputs_of(each for each in "ba") == ["a", "b"]
    assert path_of("..x/...", "out") == "..x/..."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ü", "ü"),
        (3, "3"),
        (10**30, "1" + 30 * "0"),
        (1e-5, "1e-05"),
        (0.1, "0.1"),
        (b"\xff", "\udcff"),
    ],
)
def test_texts_of_values(value, text):
    """Numbers as Python writes them; bytes come out as the same bytes."""
    assert text_of(value, "x") == text


def test_numbers_of_numpy_are_numbers():
    """They are written as Python's."""
    numpy = pytest.importorskip("numpy")
    assert [text_of(numpy.float64(0.1), "x"), text_of(numpy.int64(3), "x")] == ["0.1", "3"]


def test_a_template_of_known_values_is_a_text():
    """So it has the key of that text."""
    assert template("$a-${b}c $$", {"a": 1, "b": "x"}) == "1-xc $"
    assert sh.template("$text", text="t") == "t"


def test_a_template_waits_for_values_that_are_not_known():
    """It may stand wherever a text may."""
    spec = sh(["a", sh.template("-$x", x=sweep(1, 2))], inp={"f": sh.template("$y", y=sweep(1))})
    assert isinstance(spec, TaskSpec)
    assert len(spec.expand()) == 2


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("$rate", {"rte": 1}, "$rate has no value. Did you mean rte?"),
        ("$a", {"a": 1, "b": 2}, "the text has no $b"),
        ("$", {}, "a $ stands for itself only as $$"),
        ("$a", {"a": None}, "$a of a template is None"),
        (3, {}, "the text is a str"),
    ],
)
def test_a_template_that_does_not_fit_its_values(text, values, message):
    """Found when it is made."""
    with pytest.raises(SpecError) as raised:
        sh.template(text, **values)
    assert message in str(raised.value)


def test_what_is_given_is_not_changed(tmp_path):
    """Neither the lists and dicts of the caller nor, by them, the spec."""
    (tmp_path / "x").write_text("1")
    cmd, inp, out, env = ["a"], {"x": InputFile(tmp_path / "x")}, ["o"], {"V": 1}
    spec = sh(cmd, inp, out, env)
    cmd.append("b"), inp.clear(), out.append("p"), env.clear()
    assert (spec.config["commands"], spec.config["out"]) == ([["a"]], ["o"])
    assert (list(spec.config["inp"]), spec.config["env"]) == (["x"], {"V": 1})
