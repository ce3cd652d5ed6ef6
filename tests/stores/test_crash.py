"""Is a result of the file store whole or absent, wherever its process is killed or its disk fails?

Every step that reaches the disk is a point of the matrix: one forked child per point is killed with
SIGKILL just before it, or sees an error there.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from stores import (
    Address,
    LeaseHeld,
    LocalFileStore,
    RecordTooNew,
    StoreError,
    StoreUnwritable,
    TaskState,
)
from stores.testing import dead_owner, done, identity, put

A = Address("Train", "a" * 32)
OTHERS = [Address("Train", f"{i:032x}") for i in range(100)]

STEPS = (
    "close",
    "fsync",
    "fstat",
    "link",
    "listdir",
    "makedirs",
    "mkdir",
    "open",
    "rename",
    "replace",
    "rmdir",
    "scandir",
    "stat",
    "unlink",
    "utime",
    "write",
)
"""The functions of `os` through which a store reaches the disk."""

WRITES = {"write", "open", "mkdir", "makedirs", "fsync", "replace", "rename"}
"""Those that fail when the disk is full."""


def at_step(number, action):
    """From now on, act before step `number` or, if None, before each; returns the counter."""
    steps = Counter()

    def counted(name, function):
        def step(*arguments, **options):
            steps["all"] += 1
            if number in (None, steps["all"]):
                action(name if name != "open" or is_for_writing(*arguments) else "read")
            return function(*arguments, **options)

        return step

    for name in STEPS:
        setattr(os, name, counted(name, getattr(os, name)))
    io.open = builtins.open = counted("open", builtins.open)  # noqa: A001  # in a child of its own
    return steps


def is_for_writing(_, how="r", *__):
    """Whether a call of `open` or of `os.open` may change something."""
    return how not in ("r", "rb") if isinstance(how, str) else how & (os.O_WRONLY | os.O_RDWR)


def in_child(work):
    """Run `work` in a forked child; returns its exit code, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def compute(store, word):
    """Commit a small and a large artifact."""
    attempt = store.begin(A)
    attempt.save({"word": word}, "small")
    attempt.save(word * 10_000, "large")
    attempt.commit(identity(A), done())


def word_of(store):
    """What is found, which is whole; None if nothing is found."""
    one, many = store.statuses([A]), store.statuses([A, *OTHERS])
    assert one == {key: status for key, status in many.items() if key == A.key}
    status = one.get(A.key)
    if status is None:
        assert store.record(A) is None
        return None
    assert (status.state, status.missing, status.damaged) == (TaskState.FINISHED, (), ())
    word = store.get(A, "small")["word"]
    assert store.get(A, "large") == word * 10_000
    return word


def names_in(store, folder):
    """The names in a folder of a store, which may not be there."""
    path = Path(store.base_dir, folder)
    return sorted(each.name for each in path.iterdir()) if path.is_dir() else []


KNOWN = (".leases", ".index", ".flowlib-store", ".clock")


def assert_nothing_is_left(store):
    """No lease, no mark, no folder but that of the record, no temporary file."""
    record = store.record(A)
    numbers = {str(record.latest.number), str(record.finished.number)} if record else set()
    assert names_in(store, ".leases/Train") == []
    assert set(names_in(store, f"Train/{A.key}")) <= numbers
    hidden = [
        name
        for _, folders, files in os.walk(store.base_dir)
        for name in (*folders, *files)
        if name.startswith(".") and name not in KNOWN
    ]
    assert hidden == []


def prepared(folder, scene):
    """A store in which somebody has been before."""
    store = LocalFileStore(folder, fsync=True)
    if scene == "forced":
        compute(store, "old")
    elif scene == "after a death":
        attempt = store.begin(A, dead_owner())
        attempt.save("dead" * 10_000, "large")
    elif scene == "removed":
        compute(store, "gone")
        store.remove(A)
    return store


def begin_again(store):
    """Compute once more; a lease whose owner was killed before it wrote its name may expire."""
    try:
        compute(store, "again")
    except LeaseHeld:
        folder = f"{store.base_dir}/.leases/Train"
        (lease,) = [
            each
            for each in os.scandir(folder)
            if each.name[-1].isdigit() and not each.stat().st_size
        ]
        os.utime(lease.path, (time.time() - 5, time.time() - 5))
        compute(store, "again")


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["first", "forced", "after a death", "removed"])
def test_killed_before_any_step_a_result_is_whole_or_absent(tmp_path, scene):
    """And the next process computes it at once, and leaves nothing of the dead."""
    before = "old" if scene == "forced" else None
    seen = set()
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        store = prepared(folder, scene)

        def work(store=store, number=number):
            at_step(number, lambda _: os.kill(os.getpid(), signal.SIGKILL))
            compute(store, "new")

        code = in_child(work)
        again = LocalFileStore(folder)
        seen.add(word := word_of(again))
        if code == 0:
            assert word == "new"
            break
        assert (code, word in (before, "new")) == (-signal.SIGKILL, True)
        begin_again(again)
        assert word_of(again) == "again"
        assert_nothing_is_left(again)
    assert (seen, number > 20) == ({before, "new"}, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scene", "code"),
    [
        ("first", errno.ENOSPC),
        ("forced", errno.ENOSPC),
        ("after a death", errno.ENOSPC),
        ("first", errno.EROFS),
        ("first", errno.EACCES),
        ("first", errno.EIO),
    ],
)
def test_a_disk_that_fails_at_any_write_is_a_store_error(tmp_path, scene, code):
    """It names path and cure; what was there before counts, and nothing else is left."""
    before = "old" if scene == "forced" else None
    number = failed = 0
    while number < 1000:
        number += 1
        folder = tmp_path / str(number)
        store = prepared(folder, scene)

        def work(store=store, number=number):
            return failing_once(store, number, code)

        outcome = in_child(work)
        again = LocalFileStore(folder)
        assert outcome in (0, 1, 2)
        assert word_of(again) in ((before,) if outcome == 1 else (before, "new"))
        begin_again(again)
        assert_nothing_is_left(again)
        failed += outcome == 1
        if outcome == 2:
            break
    assert failed > 5


def failing_once(store, number, code):
    """Compute while one write fails: 0 it went well, 1 as it should fail, 2 there was no such."""

    def fail(name):
        if name in WRITES:
            raise OSError(code, os.strerror(code), "somewhere")

    steps = at_step(number, fail)
    try:
        compute(store, "new")
    except StoreUnwritable as error:
        assert store.base_dir in str(error), error
        return 1
    except StoreError as error:
        assert code == errno.EIO, error
        return 1
    return 2 if steps["all"] < number else 0


def test_a_full_disk_spoils_neither_the_next_artifact_nor_the_store(tmp_path):
    """A file may not grow beyond a limit: the large artifact fails, the task may go on."""
    store = LocalFileStore(tmp_path / "runs")

    def work():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        attempt = store.begin(A)
        with pytest.raises(StoreUnwritable, match=r"Train.*large.*disk"):
            attempt.save("x" * 1_000_000, "large")
        attempt.save("y" * 20_000, "medium")
        attempt.commit(identity(A), done())

    assert in_child(work) == 0
    assert [each.name for each in store.statuses([A])[A.key].artifacts] == ["medium"]
    assert_nothing_is_left(store)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1}', "\xff\x00"])
def test_a_damaged_record_counts_as_none_and_is_healed(tmp_path, text):
    """One by one and in bulk; the others are not concerned."""
    store = LocalFileStore(tmp_path / "runs")
    compute(store, "old")
    put(store, OTHERS[0])
    Path(store.base_dir, "Train", f"{A.key}.json").write_text(text, encoding="latin-1")
    for each in (store, LocalFileStore(tmp_path / "runs")):
        assert word_of(each) is None
        assert list(each.statuses([A, *OTHERS])) == [OTHERS[0].key]
    compute(store, "healed")
    assert word_of(LocalFileStore(tmp_path / "runs")) == "healed"


def test_a_process_without_free_descriptors_does_not_take_a_record_for_damaged(tmp_path):
    """Else it would compute again what is there."""
    store = LocalFileStore(tmp_path)
    compute(store, "old")

    def work():
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        for action in (store.record, store.begin, lambda each: store.statuses([each])):
            with pytest.raises(OSError, match="Too many open files"):
                action(A)

    assert in_child(work) == 0
    assert word_of(store) == "old"


def test_a_newer_record_is_one_clear_error_and_is_not_overwritten(tmp_path):
    """It counts as unknown in listings; whoever wants to compute it is told."""
    store = LocalFileStore(tmp_path / "runs")
    compute(store, "old")
    path = Path(store.base_dir, "Train", f"{A.key}.json")
    text = path.read_text().replace('"schema":1', '"schema":99')
    path.write_text(text)
    assert store.statuses([A]) == {}
    for action in (store.begin, store.record):
        with pytest.raises(RecordTooNew, match=r"schema 99.*up to 1"):
            action(A)
    assert path.read_text() == text
    assert names_in(store, ".leases/Train") == []


def test_a_newer_store_is_one_clear_error_and_is_not_touched(tmp_path):
    """Also for a store object that was made before."""
    early = LocalFileStore(tmp_path)
    (tmp_path / ".flowlib-store").write_text('{"schema": 2, "more": []}')
    with pytest.raises(RecordTooNew, match=r"schema 2.*up to 1.*Nothing was changed"):
        LocalFileStore(tmp_path)
    with pytest.raises(RecordTooNew):
        early.begin(A)
    assert names_in(early, ".") == [".flowlib-store"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x"}'])
def test_a_damaged_marker_is_written_anew(tmp_path, text):
    """The records have their own schema."""
    compute(LocalFileStore(tmp_path), "old")
    (tmp_path / ".flowlib-store").write_text(text)
    store = LocalFileStore(tmp_path)
    assert word_of(store) == "old"
    compute(store, "new")
    assert (tmp_path / ".flowlib-store").read_text() == '{"schema": 1}'


def test_a_store_that_cannot_be_written_can_be_read(tmp_path):
    """An index that cannot be kept is no reason to fail; computing is one clear error."""
    compute(LocalFileStore(tmp_path), "old")
    assert not (tmp_path / "Train" / ".index").exists()  # one record is not worth a file

    def work():
        def refuse(name):
            if name in WRITES:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), "somewhere")

        at_step(None, refuse)
        store = LocalFileStore(tmp_path)
        assert word_of(store) == "old"
        with pytest.raises(StoreUnwritable, match=r"read-only: use a store in another place"):
            compute(store, "new")

    assert in_child(work) == 0
    assert word_of(LocalFileStore(tmp_path)) == "old"
