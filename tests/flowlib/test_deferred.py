"""Is a graph that was submitted run later, by whoever reaches the store, and by nobody twice?"""

from __future__ import annotations

import importlib
import json
import sys
import threading

import pytest

from flowlib import (
    Flow,
    NothingSelected,
    RunError,
    SelectorError,
    SpecError,
    TaskSpec,
    execute,
    task,
    wait,
)
from flowlib.execution import target_of
from flowlib.policy import FailureKind
from flowlib.submission import read_submissions
from flowlib.submitted_tasks import Submitted
from stores import InMemoryStore, LocalFileStore, TaskState, open_store
from tests.flowlib.deferred_scripts import PROJECT, RUN, counted, started, told


@task
def one():
    return 1


@task
def plus(x, y=1, *, unseen=None):
    return x + y


@task(ignore=["password"])
def login(name, password):
    return name


def keyed(x, api_key=""):
    return x


def failing():
    raise ValueError("always")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A module of the user's, which only this process finds by itself."""
    folder = tmp_path / "project"
    folder.mkdir()
    name = f"deferred_{abs(hash(str(tmp_path)))}"
    (folder / f"{name}.py").write_text(PROJECT)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield importlib.import_module(name)
    sys.modules.pop(name, None)


def test_another_process_runs_what_was_submitted(project, tmp_path):
    """Classes, reduces, calls and objects of the project, whose folder it is told of."""
    uri = f"file:{tmp_path}/store"
    submission = project.flow().submit(open_store(uri))
    assert submission.is_new
    assert len(submission) == 7
    assert [each.task for each in submission.targets] == ["Total", "twice", "twice"]
    assert len(submission["Load"]) == 2
    assert submission["Total"] == (submission.targets[0],)
    assert list(open_store(uri).addresses()) == []
    assert counted(tmp_path / "project") == {}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    good, bad = submission.targets[1], submission.targets[2]
    out = told(started(RUN, uri, "Total", good.key[:12], folder=elsewhere))
    counts, states = json.loads(out)
    assert counts == {"finished": 5}
    assert [state for _, state in states] == ["finished", "finished"]
    store = open_store(uri)
    assert store.get(submission.targets[0], "total") == 2 + 6
    assert store.get(good, "result") == 8
    record = store.record(submission["Load"][0])
    assert record.identity.config == '{"scale":2,"size":2}'
    counts, states = json.loads(told(started(RUN, uri, "twice", folder=elsewhere)))
    assert counts == {"cached": 1, "failed": 1, "upstream_failed": 1}
    assert dict(states)[f"twice/{bad.key}"] == "upstream_failed"
    folder = tmp_path / "project"
    assert counted(folder) == {"Load": 2, "Total": 1, "add": 2, "twice": 1}
    with pytest.raises(ValueError, match="-1 is negative"):
        execute(bad.key, store, num_workers=1)


def test_two_that_execute_at_once_share_the_work(project, tmp_path):
    """Each task is run by one of them; both end with all of it."""
    uri = f"file:{tmp_path}/store"
    project.flow().submit(open_store(uri))
    both = [started(RUN, uri, "Total", folder=tmp_path, PAUSE="0.5") for _ in range(2)]
    found = [json.loads(told(each)) for each in both]
    assert [[state for _, state in states] for _, states in found] == [["finished"], ["finished"]]
    assert counted(tmp_path / "project") == {"Load": 2, "Total": 1}


def test_submitting_again_writes_nothing_new(tmp_path):
    """Unless an option, or a value that is in no key, is another one; then the newest counts."""
    store = LocalFileStore(tmp_path)
    first = Flow([plus(one())]).submit(store)
    files = sorted(tmp_path.rglob("*"))
    second = Flow([plus(one())]).submit(store)
    assert (first.is_new, second.is_new) == (True, False)
    assert (second.id, second.when) == (first.id, first.when)
    assert sorted(tmp_path.rglob("*")) == files
    assert Flow([plus(one()).options(retries=3)]).submit(store).is_new
    assert Flow([plus(one()).options(retries=3)]).submit(store).is_new is False
    assert len(read_submissions(store)) == 1
    graph = target_of("plus", store).graph
    assert [node.declaration.options.retries.total for node in graph.by_spec["plus"]] == [3]


def test_once_means_one_try(tmp_path):
    """Whatever the spec says: for callers, such as other engines, that try again by themselves."""
    store = LocalFileStore(tmp_path)
    spec = TaskSpec(failing, retries=2)
    Flow([spec]).submit(store)
    for attempts, once in [(1, True), (4, False)]:
        run = execute("failing", store, num_workers=1, exit_on_error=False, once=once)
        assert run.counts == {"failed": 1}
        (record,) = store.records("failing")
        assert record.latest.number == attempts
    graph = target_of("failing", store, once=True).graph
    (node,) = graph
    preempted = FailureKind.PREEMPTED
    assert not node.declaration.options.retries.allow([preempted])


def test_submitting_at_once_records_it_once(tmp_path):
    """Threads that submit the same graph all get it."""

    def submitted(folder):
        found = []
        together = threading.Barrier(4)

        def submit():
            flow = Flow([plus(one(), each) for each in range(20)])
            together.wait()
            found.append(flow.submit(LocalFileStore(folder)))

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return found

    for turn in range(20):
        found = submitted(tmp_path / str(turn))
        assert len({each.id for each in found}) == 1
        assert [each.is_new for each in found].count(True) == 1
        assert len(read_submissions(LocalFileStore(tmp_path / str(turn)))) == 1


def test_only_what_is_missing_and_needed_runs(tmp_path):
    """An ancestor is looked at only if something missing needs it."""
    store = LocalFileStore(tmp_path)
    flow = Flow([plus(plus(one(), 5), 7)])
    submission = flow.submit(store)
    assert execute(submission["plus"][0].key, store, num_workers=1).counts == {"finished": 2}
    store.delete_records(task="one", keep_dependents=True)
    assert execute(submission.targets[0].key, store, num_workers=1).counts["finished"] == 1
    assert store.count(task="one") == 0


def test_tasks_are_named_as_everywhere(tmp_path):
    """By the beginning of a key, by selectors, with the name of a result; nearest names are told."""
    store = LocalFileStore(tmp_path)
    submission = Flow([plus(one(), each) for each in range(3)]).submit(store)
    submitted = Submitted(store)
    whole = submission["plus"]
    assert submitted.find(["plus"]) == list(whole)
    assert submitted.find([whole[1].key[:10]]) == [whole[1]]
    assert submitted.find([f"plus/{whole[1].key[:10]}"]) == [whole[1]]
    assert submitted.find(["plus[y=2]"]) == [whole[2]]
    assert submitted.find(["plus-1", "one"]) == [whole[0], *submission["one"]]
    assert set(submitted.find(["one+"])) == {*whole, *submission["one"]}
    assert submitted.find(["+plus-1"]) == [whole[0], *submission["one"]]
    assert execute(f"{whole[1].key}:result", store, num_workers=1)["plus"][0]["result"] == 2
    with pytest.raises(NothingSelected, match="'pluss' selects nothing.* Did you mean plus"):
        execute("pluss", store)
    with pytest.raises(SelectorError, match=r"'plus/' is no selector|means 3|no selector"):
        execute("plus/", store)
    with pytest.raises(NothingSelected, match="nothing was submitted to this store"):
        execute("plus", LocalFileStore(tmp_path / "other"))


def test_tasks_of_several_submissions_run_together(tmp_path):
    """Although each calls its tasks as it likes."""
    store = LocalFileStore(tmp_path)
    Flow([TaskSpec(keyed, config={"x": 1}, name="keyed")]).submit(store)
    Flow([TaskSpec(keyed, config={"x": 2}, name="keyed", retries=2)]).submit(store)
    run = execute("keyed", store, num_workers=1)
    assert run.counts == {"finished": 2}
    assert sorted(each["result"] for each in run["keyed"]) == [1, 2]


def test_no_secret_is_recorded(tmp_path):
    """What no record would hold is refused if it is a secret by its name or its form."""
    store = LocalFileStore(tmp_path)
    with pytest.raises(SpecError, match=r"login\.password is a secret"):
        Flow([login("ada", password="hunter2")]).submit(store)
    spec = TaskSpec(keyed, config={"x": 1}, additional_kwargs={"api_key": "hunter2"})
    with pytest.raises(SpecError, match=r"keyed\.api_key is a secret.*environment"):
        Flow([spec]).submit(store)
    with pytest.raises(SpecError, match=r"plus\.unseen|is a secret") as told_error:
        Flow([login("ada", password="postgresql://ada:hunter2@h/d")]).submit(store)
    assert "hunter2" not in str(told_error.value)
    assert list(tmp_path.rglob("*")) == []


def test_listings_never_unpickle(tmp_path):
    """A store that refuses pickles tells what was submitted, and refuses to run it."""
    Flow([plus(one())]).submit(LocalFileStore(tmp_path))
    strict = LocalFileStore(tmp_path, allow_pickle=False)
    assert [each.task for each in Submitted(strict).pending] == ["one", "plus"]
    with pytest.raises(Exception, match="pickle"):
        execute("plus", strict)


def test_waiting_ends_when_all_have_ended(tmp_path):
    """With their states; a timeout tells what is still to come."""
    store = LocalFileStore(tmp_path)
    submission = Flow([plus(one()), TaskSpec(failing)]).submit(store)
    first, second = (f"{n}/{submission[n][0].key}" for n in ("plus", "failing"))
    assert wait(first, store, timeout=0.1) == {first: TaskState.PENDING}
    thread = threading.Timer(0.5, execute, ("plus", LocalFileStore(tmp_path), 1))
    thread.start()
    assert wait([first], store, timeout="1m") == {first: TaskState.FINISHED}
    thread.join()
    execute("failing", store, num_workers=1, exit_on_error=False)
    found = wait([first, second], store)
    assert found == {first: TaskState.FINISHED, second: TaskState.FAILED}
    attempt = store.begin(submission["failing"][0])
    assert wait(second, store, timeout=0) == {second: TaskState.RUNNING}
    attempt.abandon()
    with pytest.raises(NothingSelected):
        wait("nobody", store)


def test_a_memory_store_serves_its_own_process():
    """Nobody else reaches it."""
    store = InMemoryStore()
    Flow([plus(one())]).submit(store)
    assert execute("plus", store, num_workers=1)["plus"][0]["result"] == 2


def test_named_stores_are_told_when_it_runs(tmp_path):
    """They are no part of what is recorded: a spec that names one wants it then."""
    store, other = LocalFileStore(tmp_path / "main"), LocalFileStore(tmp_path / "other")
    Flow([TaskSpec(keyed, config={"x": 1}, store="other")]).submit(store)
    with pytest.raises(RunError, match="other"):
        execute("keyed", store, num_workers=1)
    run = execute("keyed", store, num_workers=1, stores={"other": other})
    assert run.counts == {"finished": 1}
    assert (store.count(), other.count()) == (0, 1)
