"""Does the next run complete when the driver is killed at a given step of an attempt?"""

from __future__ import annotations

import signal

import pytest

from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.faults.drivers import driver, leftovers
from tests.faults.tasks import KillsItself, noted, payload

SCRIPT = """
import os, signal, sys
from stores import LocalFileStore
from tests.faults.tasks import KillsItself
from tests.faults.test_crash_points import flow

def before(owner, name, holds=lambda *given: True):
    real = getattr(owner, name)
    def patched(*given, **options):
        if holds(*given):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **options)
    setattr(owner, name, patched)

def third(task):
    return task.x == 2

if __name__ == "__main__":
    from stores.backends.file import LocalFileStore as Files
    from stores.file_index import FileIndex
    from stores.file_lease import FileLeases
    from flowlib import worker
    count = [0]
    def at_third(*given):
        count[0] += 1
        return count[0] == 3
    point = sys.argv[3]
    if point == "before the claim":
        before(FileLeases, "acquire", at_third)
    elif point == "after the claim":
        before(worker, "_call", at_third)
    elif point == "in user code":
        before(KillsItself, "run", third)
    elif point == "between artifact write and rename":
        before(os, "replace", lambda source, target: "data" in str(target) and at_third())
    elif point == "before the rename of the record":
        before(FileLeases, "commit", at_third)
    elif point == "before the index line":
        before(FileIndex, "add", at_third)
    flow(sys.argv[2]).run(num_workers=1, results_store=LocalFileStore(sys.argv[1]))
"""
DONE = {"before the index line": 3}
BEGUN = {"before the claim": 2, "after the claim": 2, "in user code": 2}


def flow(log):
    """Five tasks with a file each."""
    config = {"x": [0, 1, 2, 3, 4]}
    return Flow([TaskSpec(KillsItself, config, {"log": str(log)}, expand="product")])


@pytest.mark.parametrize(
    "point",
    [
        "before the claim",
        "after the claim",
        "in user code",
        "between artifact write and rename",
        "before the rename of the record",
        "before the index line",
    ],
)
def test_the_next_run_completes_whatever_step_was_the_last(tmp_path, point):
    """What was committed counts and is not run again, what was not is run once more."""
    base, log = tmp_path / "store", tmp_path / "log"
    with driver(tmp_path, base, log, point, script=SCRIPT) as started:
        code, err = started.end()
    assert code == -signal.SIGKILL, err
    assert len(noted(log)) == BEGUN.get(point, 3)
    done = DONE.get(point, 2)
    store = LocalFileStore(base)
    assert len(list(store.addresses())) == done
    before = len(noted(log))
    run = flow(log).run(num_workers=1, results_store=store)
    assert run.counts == {"cached": done, "finished": 5 - done}
    assert sorted(noted(log)[before:]) == [str(x) for x in range(done, 5)]
    values = [each.results for each in run["KillsItself"]]
    assert values == [{"data": payload(x), "square": x * x} for x in range(5)]
    assert leftovers(base) == []
