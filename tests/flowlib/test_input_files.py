"""`InputFile`: a value that counts by the content of a file."""

from __future__ import annotations

import copy
import os
import pickle
import time
from hashlib import blake2b

import pytest

from flowlib import Flow, InputChanged, InputFile, SpecError, TaskSpec, TaskState, input_files, sh
from stores import canonical

LARGE = b"0123456789abcdef" * 100_000


@pytest.fixture(name="small")
def _small(tmp_path):
    path = tmp_path / "small.txt"
    path.write_bytes(b"one")
    return path


@pytest.fixture(name="large")
def _large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(LARGE)
    return path


def test_its_identity_is_its_content(small, tmp_path, monkeypatch):
    """Not its name, place or time; not how its path was written."""
    other = tmp_path / "elsewhere"
    other.write_bytes(b"one")
    os.utime(other, (1, 1))
    monkeypatch.chdir(tmp_path)
    files = [InputFile(small), InputFile(other), InputFile("small.txt"), InputFile(str(small))]
    digest = blake2b(b"one", digest_size=16).hexdigest()
    assert {each.digest for each in files} == {digest}
    assert {canonical.encode(each) for each in files} == {
        f'{{"$identity":["flowlib:InputFile","{digest}"]}}'
    }
    assert len(set(files)) == 1
    small.write_bytes(b"two")
    assert InputFile(small) != files[0]


def test_a_change_is_seen_at_once_and_what_is_old_is_not_read_again(large, monkeypatch):
    """The same size within the same tick counts as a change; a file at rest is read once."""
    first = InputFile(large).digest
    large.write_bytes(LARGE[::-1])
    assert InputFile(large).digest != first
    os.utime(large, (1000, 1000))
    digest = InputFile(large).digest
    monkeypatch.setattr(input_files, "_read_digest", lambda path: pytest.fail("read again"))
    assert InputFile(large).digest == digest
    assert time.time() > 1000


def test_a_small_file_is_what_it_was_and_needs_no_file(small):
    """Its content travels."""
    file = InputFile(small)
    small.unlink()
    for each in (file, pickle.loads(pickle.dumps(file)), copy.deepcopy(file)):
        assert (each.read_bytes(), each.read_text(), each.size_bytes) == (b"one", "one", 3)


def test_a_large_file_is_read_where_it_lies(large, tmp_path):
    """Its content is checked on the way; it does not travel."""
    file = InputFile(large)
    assert len(pickle.dumps(file)) < 1000
    file.copy_to(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == LARGE == file.read_bytes()


@pytest.mark.parametrize("change", ["gone", "other"])
def test_a_large_file_that_was_changed_is_an_error(large, tmp_path, change):
    """Never a result of another content."""
    file = InputFile(large)
    large.unlink() if change == "gone" else large.write_bytes(LARGE + b"x")
    said = "cannot be read here" if change == "gone" else "has another content than when"
    with pytest.raises(InputChanged, match=said):
        file.read_bytes()
    with pytest.raises(InputChanged, match=said):
        file.copy_to(tmp_path / "copy")


def test_what_can_be_no_input(tmp_path, small):
    """Found when the object is made."""
    with pytest.raises(SpecError, match="No such file or directory. Did you mean small.txt?"):
        InputFile(tmp_path / "smal.txt")
    with pytest.raises(SpecError, match="is a folder"):
        InputFile(tmp_path)


def length_of(file):
    """A task that takes a file."""
    return len(file.read_bytes())


@pytest.mark.parametrize("workers", [1, 2])
def test_any_task_takes_files(small, large, workers):
    """As a parameter like any other, in lists, too."""
    spec = TaskSpec(length_of, {"file": [InputFile(small), InputFile(large)]}, expand="product")
    run = Flow([spec]).run(num_workers=workers)
    assert [each["result"] for each in run["length_of"]] == [3, len(LARGE)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_program_gets_copies(small, large, workers):
    """It may do with them what it likes."""
    inp = {"a": InputFile(small), "b/c": InputFile(large)}
    spec = sh("cat a && wc -c < b/c && rm a && echo x > b/c", inp=inp, shell=True, name="S")
    run = Flow([spec]).run(num_workers=workers)
    assert run["S"][0]["stdout"].split() == [b"one" + str(len(LARGE)).encode()]
    assert (small.read_bytes(), large.read_bytes()) == (b"one", LARGE)


def test_a_run_after_a_change(small, large):
    """A small file is used as it was; a large one is a failure that says what to do."""
    specs = [
        sh("cat a", inp={"a": InputFile(path)}, name=path.stem, shell=True)
        for path in (small, large)
    ]
    small.write_bytes(b"changed")
    large.write_bytes(b"changed")
    run = Flow(specs).run(num_workers=1, exit_on_error=False)
    assert run["small"][0]["stdout"] == b"one"
    failed = run["large"][0]
    assert failed.state is TaskState.FAILED
    assert failed.error.type_ == "InputChanged"
