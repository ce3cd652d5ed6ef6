"""Is a graph submitted to, and run from, every store, apart from the results in it?"""

from __future__ import annotations

import json

import pytest

from flowlib import Flow, execute, task
from flowlib.submission import drop_submission, read_submissions
from stores import Address, open_store
from stores.errors import StoreError
from tests.flowlib.deferred_scripts import started, told
from tests.services.fixtures import any_store, mongo_uri, mongodb, postgres, shared_uri, uri_of

__all__ = ["any_store", "mongo_uri", "mongodb", "postgres", "shared_uri", "uri_of"]

EXECUTE = """
import json, sys
from flowlib import execute
from stores import open_store
if __name__ == "__main__":
    run = execute("plus", open_store(sys.argv[1]), num_workers=2)
    print(json.dumps([run.counts, [each["result"] for each in run["plus"]]]))
"""

SUBMIT = """
import sys
from flowlib import Flow, task
from stores import open_store

@task
def one():
    return 1

@task
def plus(x, y=1):
    return x + y

if __name__ == "__main__":
    flow = Flow([plus(one(), 4)])
    assert flow.submit(open_store(sys.argv[1])).is_new
"""


@task
def one():
    return 1


@task
def plus(x, y=1, *, unseen=None):
    return x + y


def test_it_is_the_same_flow_whoever_runs_it(any_store):
    """Submitted, then run by the script itself: the results are found; and the other way round."""
    last = plus(plus(one(), 2), unseen=3)
    submission = Flow([last]).submit(any_store)
    assert list(any_store.addresses()) == []
    assert any_store.count() == 0
    assert not any_store.statuses(submission.targets)
    found = execute(submission.targets[0].key, any_store, num_workers=1)
    assert found.counts == {"finished": 3}
    assert found["plus"][-1]["result"] == 4
    again = Flow([last]).run(num_workers=1, results_store=any_store)
    assert again.counts == {"cached": 3}
    assert execute("plus", any_store, num_workers=1).counts == {"cached": 2}


@pytest.mark.slow
def test_a_script_is_submitted_and_run_by_other_processes(shared_uri, tmp_path):
    """The tasks of the script that runs are found by its name, in its folder."""
    scripts, elsewhere = tmp_path / "scripts", tmp_path / "elsewhere"
    scripts.mkdir()
    elsewhere.mkdir()
    told(started(SUBMIT, shared_uri, folder=scripts))
    assert open_store(shared_uri).count() == 0
    out = told(started(EXECUTE, shared_uri, folder=elsewhere))
    assert json.loads(out) == [{"finished": 2}, [5]]


def test_a_submission_may_be_forgotten(any_store):
    """Its results stay."""
    submission = Flow([plus(one())]).submit(any_store)
    execute("plus", any_store, num_workers=1)
    assert drop_submission(any_store, submission.id)
    assert read_submissions(any_store) == []
    assert any_store.count() == 2
    with pytest.raises(StoreError):
        any_store.beside("submitted").get(Address("graph", submission.id), "index")
