"""Do submissions go when nobody needs them, and only then?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowlib import Flow, execute, task
from flowlib.code_snapshot import CodeSnapshot
from flowlib.submission import read_submissions, write_submission
from flowlib.submission_collection import forget, forget_code, forgettable, unneeded_code
from flowlib.submitting import submit_graph
from stores import Address, Attempt, Identity, LocalFileStore, QueryError, TaskState
from stores.text_shelf import keep


@task
def one(size=1):
    return size


@task
def plus(x, y=1):
    return x + y


def submitted(store, *flows):
    return [Flow(specs).submit(store).id for specs in flows]


def ids(found):
    return sorted(each.id for each in found)


def test_what_is_old_or_done_goes(tmp_path):
    """By age, by whether something waits, or by both; the results stay."""
    store = LocalFileStore(tmp_path)
    done, waiting = submitted(store, [plus(one(), 2)], [plus(one(3), 4)])
    execute("plus[y=2]", store, num_workers=1)
    assert forgettable(store, grace=0) == []
    assert ids(forgettable(store, older_than=0, grace=0)) == sorted([done, waiting])
    assert forgettable(store, older_than="1d", grace=0) == []
    assert ids(forgettable(store, keep_runs=3, grace=0)) == [done]
    assert ids(forgettable(store, keep_runs=3, older_than=0, grace=0)) == [done]
    assert forgettable(store, older_than=0) == []
    with pytest.raises(QueryError, match="older_than"):
        forgettable(store, older_than="soon")
    assert forget(store, forgettable(store, keep_runs=3, grace=0)) == 1
    assert ids(read_submissions(store)) == [waiting]
    assert store.count() == 2


def test_what_is_covered_by_newer_ones_goes(tmp_path):
    """Nobody would read it: of every task the newest counts."""
    store = LocalFileStore(tmp_path)
    old, new = submitted(store, [plus(one(), 2)], [plus(one(), 2), plus(one(), 3)])
    assert ids(forgettable(store, grace=0)) == [old]
    assert forgettable(store) == []
    forget(store, forgettable(store, grace=0))
    assert ids(read_submissions(store)) == [new]


def test_snapshots_that_nothing_names_go(tmp_path):
    """Those of records and of submissions stay, and so do new ones."""
    store = LocalFileStore(tmp_path)
    named, waiting, lost = (str(number) * 32 for number in (1, 2, 3))
    texts = {("snapshot", each): b"12" for each in (named, waiting, lost)}
    assert keep(store, {**texts, ("patch", lost): b"x"}) == ""
    told = Attempt(0, TaskState.FINISHED, started=1.0, ended=2.0, provenance={"snapshot": named})
    address = Address("Train", "a" * 32)
    store.begin(address).commit(Identity(address), told)
    graph = Flow([plus(one(), 2)]).graph
    whole = submit_graph(graph, store, "demo")
    with_code = replace(whole, code=CodeSnapshot(waiting, "/x"))
    write_submission(store, with_code, {}, "hidden")
    assert unneeded_code(store) == {}
    assert unneeded_code(store, grace=0) == {lost: 2}
    forget_code(store, [lost])
    assert sorted(each.name for each in (tmp_path / ".origins").iterdir()) == sorted(
        [f"{lost}.patch", f"{named}.snapshot", f"{waiting}.snapshot"]
    )


def test_what_is_being_computed_stays(tmp_path):
    """Whatever its age."""
    store = LocalFileStore(tmp_path)
    submission = Flow([plus(one(), 2)]).submit(store)
    attempt = store.begin(submission["one"][0])
    assert forgettable(store, older_than=0, grace=0) == []
    attempt.abandon()
    assert ids(forgettable(store, older_than=0, grace=0)) == [submission.id]
