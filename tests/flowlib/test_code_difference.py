"""What was changed in the code of a task, as people and programs see it."""

from __future__ import annotations

from flowlib.code_difference import code_difference
from flowlib.code_texts import keep_texts, kept_texts
from flowlib.fingerprint import CodePart, Fingerprint


def part(name, text, module="tasks", line=1, **uses):
    return CodePart(name, module, f"/project/{module}.py", line, f"{text}{uses}", text, uses)


def code(*parts, fact="1.0", **packages):
    return Fingerprint(fact, parts, packages)


RUN = "    def run(self):\n        a = 1\n        b = 2\n        return f(a)"


def test_a_changed_part_is_shown_with_what_is_around_it():
    """Its place now, and one line before and after."""
    new = part("Train.run", RUN.replace("b = 2", "b = 3"), line=41)
    found = code_difference(
        code(part("Train.run", RUN), part("A", "A = 1")), code(new, part("A", "A = 1"))
    )

    assert found.texts() == [
        "/project/tasks.py:41 Train.run changed",
        "     a = 1",
        "-    b = 2",
        "+    b = 3",
        "     return f(a)",
    ]


def test_lines_that_look_like_a_header_are_kept():
    """`--x` that was removed is no name of a file."""
    found = code_difference(code(part("f", "a\n-- x")), code(part("f", "a\n++ x")))

    assert found.parts[0].lines == (" a", "--- x", "+++ x")


def test_added_and_removed_parts_are_named(tmp_path, monkeypatch):
    """With all their lines; paths below the working directory are short."""
    monkeypatch.chdir("/")
    found = code_difference(
        code(part("old", "def old(): ...")), code(part("new", "def new(): ..."))
    )

    assert found.texts() == [
        "project/tasks.py:1 new added",
        "+def new(): ...",
        "project/tasks.py:1 old removed",
        "-def old(): ...",
    ]


def test_a_part_of_another_module_is_the_same_part():
    """What was moved and changed is one difference."""
    old, new = part("f", "return 1"), part("f", "return 2", module="away")
    found = code_difference(code(old), code(new))

    assert found.texts() == ["/project/away.py:1 f changed", "-return 1", "+return 2"]


def test_what_names_mean_is_told_where_it_differs():
    """The same text can mean something else, because of an import."""
    found = code_difference(
        code(part("f", "sqrt(2)", sqrt="math.sqrt")), code(part("f", "sqrt(2)", sqrt="cmath.sqrt"))
    )

    assert found.parts[0].lines == ("-sqrt is math.sqrt", "+sqrt is cmath.sqrt", " sqrt(2)")


def test_versions_of_packages_are_told():
    """Also of those that come and go."""
    found = code_difference(code(numpy="1.0", pandas="2.0"), code(numpy="1.1", torch="2.5"))

    assert found.packages == (("numpy", "1.0", "1.1"), ("pandas", "2.0", ""), ("torch", "", "2.5"))
    assert found.texts()[0] == "package numpy 1.0 → 1.1"


def test_without_the_old_text_that_is_said():
    """A difference is a difference all the same."""
    found = code_difference(None, code())

    assert found.texts() == ["the text of the old code is not there any more"]
    assert found.to_dict() == {"is_known": False, "parts": [], "packages": []}


def test_parts_that_hang_together_otherwise_are_told():
    """Two functions that have changed their names for each other, say."""
    assert code_difference(code(part("f", "1")), code(part("f", "1"))).texts() == [
        "the same parts are put together in another way"
    ]


def test_texts_are_kept_by_fingerprint_and_read_again(tmp_path):
    """Every character; what is damaged, missing or no fact is unknown."""
    here = code(part("f", "return 'ä\ud800'", sqrt="math.sqrt"), fact="1.abc", numpy="1.0")
    keep_texts(tmp_path / "code", [here])
    (tmp_path / "code" / "1.def.json").write_text("{")

    assert kept_texts(tmp_path / "code", "1.abc") == here
    for fact in ("", "1.def", "1.none", "../code/1.abc"):
        assert kept_texts(tmp_path / "code", fact) is None


def test_what_is_kept_is_not_written_again(tmp_path):
    """One file for each fingerprint, and nothing else."""
    keep_texts(tmp_path, [code(fact="1.abc")])
    before = (tmp_path / "1.abc.json").stat().st_ino
    keep_texts(tmp_path, [code(fact="1.abc"), code(fact="1.abc")])

    assert [path.name for path in tmp_path.iterdir()] == ["1.abc.json"]
    assert (tmp_path / "1.abc.json").stat().st_ino == before
