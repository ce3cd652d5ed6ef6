"""The seed's TypeInfo, File and FilePromise: types of the user's, and artifacts as open files."""

from __future__ import annotations

import gzip
import io
import json
import pickle
from pathlib import Path

import pytest

from stores.files import File, FilePromise, TypeInfo, TypeInfoCodec


def save_lines(lines, file, end="\n"):
    """A text format."""
    file.writelines(f"{line}{end}" for line in lines)


def load_lines(file, upper=False):
    """Its reader, with an option."""
    lines = file.read().splitlines()
    return [line.upper() for line in lines] if upper else lines


def save_folder(values, path):
    """A format that is a folder."""
    Path(path).mkdir()
    for name, text in values.items():
        (Path(path) / name).write_text(text)


def load_folder(path):
    """Its reader."""
    return {each.name: each.read_text() for each in sorted(Path(path).iterdir())}


def save_bytes(value, file):
    """A binary format."""
    file.write(value)


def load_bytes(file):
    """Its reader."""
    return file.read()


def save_json(value, file, **options):
    """The format of the seed's examples."""
    json.dump(value, file, **options)


LINES = TypeInfo(save_lines, load_lines, extension="lines")
BINARY = TypeInfo(save_bytes, load_bytes, extension="bin", is_binary=True)
ZIPPED = TypeInfo(save_bytes, load_bytes, "gz", is_binary=True, open_fn=gzip.open)
FOLDER = TypeInfo(save_folder, load_folder, needs_path=True)
FILE_BY_PATH = TypeInfo(
    lambda value, path: Path(path).write_text(value),
    lambda path: Path(path).read_text(),
    needs_path=True,
)
EXAMPLES = [
    (LINES, ["ä", "b"]),
    (BINARY, b"\x00\xff"),
    (ZIPPED, b"\x00\xff" * 1000),
    (FOLDER, {"a": "1", "b": "2"}),
    (FILE_BY_PATH, "text"),
]


@pytest.mark.parametrize(("info", "value"), EXAMPLES)
def test_a_type_of_the_users_saves_and_loads(info, value, tmp_path):
    """Text, binary, with its own open function, with a path, as a folder."""
    codec = TypeInfoCodec(info)
    codec.dump_path(value, tmp_path / "value")
    assert codec.load_path(tmp_path / "value") == value
    assert (tmp_path / "value").is_dir() == (info is FOLDER)


@pytest.mark.parametrize(("info", "value"), EXAMPLES)
def test_a_type_of_the_users_works_in_stores_without_files(info, value):
    """Its bytes are those of the file, or an archive of what it makes of a path."""
    codec = TypeInfoCodec(info)
    assert codec.from_bytes(codec.to_bytes(value)) == value


def test_the_defaults_are_those_of_the_seed():
    """Two functions are enough."""
    info = TypeInfo(save_lines, load_lines)
    assert info == TypeInfo(
        save_fn=save_lines,
        load_fn=load_lines,
        extension=None,
        is_binary=None,
        open_fn=None,
        needs_path=False,
    )
    assert (TypeInfoCodec(info).suffix, TypeInfoCodec(LINES).suffix) == ("", "lines")


def test_options_reach_the_functions(tmp_path):
    """Those of saving, loading and opening."""
    codec = TypeInfoCodec(LINES)
    path = tmp_path / "value"
    codec.dump_path(["ä"], path, open_kwargs={"encoding": "latin-1"}, end="!\n")
    assert path.read_bytes() == b"\xe4!\n"
    assert codec.load_path(path, open_kwargs={"encoding": "latin-1"}, upper=True) == ["Ä!"]
    codec.dump_path(["b"], path, mode="a")
    assert path.read_bytes() == b"\xe4!\nb\n"
    with pytest.raises(TypeError, match="lower"):
        codec.load_path(path, open_kwargs={"encoding": "latin-1"}, lower=True)


def test_a_type_of_the_users_is_never_inferred():
    """It is taken where it is named."""
    assert TypeInfoCodec(LINES).handles(["a"]) is False


def opened(path, mode, info=LINES, **options):
    """A file of a type."""
    return File(str(path), mode, info.save_fn, info.load_fn, info.open_fn, **options)


def test_reading_and_writing_return_their_results(tmp_path):
    """D26: `read` and `write` gave None."""
    path = tmp_path / "log"
    with opened(path, "w") as file:
        assert (file.write("one\n"), file.write("two\nthree\n")) == (4, 10)
        assert file.tell() == 14
    with opened(path, "r") as file:
        assert (file.read(3), file.readline(), file.readlines()) == (
            "one",
            "\n",
            ["two\n", "three\n"],
        )
        assert (file.seek(0), file.read()) == (0, "one\ntwo\nthree\n")
        assert (file.seek(4), file.readline(2), file.readline()) == (4, "tw", "o\n")


def test_a_file_is_an_iterator_of_lines(tmp_path):
    """As Python's files are."""
    path = tmp_path / "log"
    with opened(path, "w") as file:
        file.writelines(["a\n", "b\n", "c\n"])
    with opened(path, "r") as file:
        assert next(file) == "a\n"
        assert list(file) == ["b\n", "c\n"]


def test_a_file_tells_its_state(tmp_path):
    """Whether it is open, and what can be done with it."""
    file = opened(tmp_path / "log", "w")
    assert (file.closed, file.readable(), file.writable(), file.seekable()) == (
        False,
        False,
        True,
        True,
    )
    file.write("abcdef")
    file.flush()
    assert (tmp_path / "log").read_text() == "abcdef"
    assert file.truncate(2) == 2
    file.close()
    file.close()
    assert file.closed
    assert (tmp_path / "log").read_text() == "ab"
    with pytest.raises(ValueError, match="closed"):
        file.write("x")


@pytest.mark.parametrize("mode", ["w", "a", "w+", "x"])
def test_all_modes_of_open_work(tmp_path, mode):
    """A file that is there already is refused by "x" alone."""
    path = tmp_path / "log"
    with opened(path, mode) as file:
        file.write("a")
    if mode == "x":
        with pytest.raises(FileExistsError):
            opened(path, mode)
        return
    with opened(path, mode) as file:
        file.write("b")
    assert path.read_text() == ("ab" if mode == "a" else "b")


def test_values_are_saved_and_loaded_one_after_another(tmp_path):
    """For data that does not fit into memory: several values in one file."""
    path = tmp_path / "values.p"
    with File(str(path), "wb", pickle.dump, pickle.load) as file:
        for number in range(3):
            file.save({"number": number})
    with File(str(path), "rb", pickle.dump, pickle.load) as file:
        assert [file.load()["number"] for _ in range(3)] == [0, 1, 2]


def test_options_of_saving_and_loading(tmp_path):
    """Given when opened, or in the call, which wins."""
    path = tmp_path / "value"
    with opened(path, "w") as file:
        file.save(["a"], end=";")
    with opened(path, "r", load_kwargs={"upper": True}) as file:
        assert file.load() == ["A;"]
        file.seek(0)
        assert file.load(upper=False) == ["a;"]


def test_options_of_opening(tmp_path):
    """Text is UTF-8 unless another encoding is named, whatever the locale says."""
    path = tmp_path / "value"
    with opened(path, "w") as file:
        file.write("ä")
    assert path.read_bytes() == "ä".encode()
    with opened(path, "w", encoding="latin-1") as file:
        file.write("ä")
    assert path.read_bytes() == b"\xe4"


def test_a_file_may_have_an_open_function_of_its_own(tmp_path):
    """With its options."""
    path = tmp_path / "value.gz"
    with opened(path, "wb", ZIPPED, compresslevel=1) as file:
        file.save(b"a" * 1000)
    assert path.stat().st_size < 100
    with opened(path, "rb", ZIPPED) as file:
        assert file.load() == b"a" * 1000


def test_files_of_other_libraries_need_not_return_numbers(tmp_path):
    """What `write` of the user's file gives is handed on."""

    class Quiet(io.StringIO):
        def write(self, text):
            super().write(text)

    file = File(str(tmp_path / "x"), "w", save_lines, load_lines, lambda path, mode: Quiet())
    assert file.write("a") is None


def test_closing_calls_back_once(tmp_path):
    """The store commits what was written when the file is closed."""
    calls = []
    file = opened(tmp_path / "log", "w")
    file.on_close(lambda: calls.append((tmp_path / "log").read_text()))
    file.write("done")
    assert calls == []
    file.close()
    file.close()
    assert calls == ["done"]


def promise(path, **options):
    """A promise of lines."""
    return FilePromise("value", str(path), save_lines, load_lines, **options)


def test_a_promise_loads_when_asked(tmp_path):
    """Each time anew; with options of the promise, or of the call."""
    path = tmp_path / "value"
    path.write_text("a\n")
    lines = promise(path, load_kwargs={"upper": True})
    assert (lines.load(), lines.load(upper=False)) == (["A"], ["a"])
    path.write_text("b\n")
    assert lines.load() == ["B"]


def test_a_promise_opens_as_a_file(tmp_path):
    """In its own mode, and with its own options for opening."""
    path = tmp_path / "value"
    path.write_bytes(b"\xe4\n")
    with File.from_promise(promise(path, encoding="latin-1")) as file:
        assert file.load() == ["ä"]
    with File.from_promise(promise(path, mode="a", encoding="latin-1")) as file:
        file.save(["ö"])
    assert path.read_bytes() == b"\xe4\n\xf6\n"


def test_a_promise_survives_a_pickle(tmp_path):
    """Reduce tasks in other processes get them."""
    path = tmp_path / "value"
    path.write_text("a\n")
    copy = pickle.loads(pickle.dumps(promise(path, load_kwargs={"upper": True})))
    assert (copy.name, copy.path, copy.load()) == ("value", str(path), ["A"])


def test_a_promise_of_a_file_that_is_gone_is_none_with_a_warning(tmp_path, caplog):
    """As in the seed."""
    assert promise(tmp_path / "value").load() is None
    assert "value is gone: value cannot be loaded" in caplog.text
