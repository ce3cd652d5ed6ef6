"""What only RQ does: workers that come and go, and a Redis that is away for a while."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from flowlib import Flow, RunError, TaskSpec
from flowlib.executors.rq import RQExecutor
from flowlib.rq_queue import taken_back
from stores import LocalFileStore
from tests.executors import contract_tasks as tasks
from tests.services.redis import end_worker, redis_server, start_worker

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def server():
    with redis_server() as server:
        yield server


@pytest.fixture
def queue(server):
    """An executor with a queue of its own; `with_worker()` starts an ordinary worker for it."""
    name = f"test-{time.monotonic_ns()}"
    with contextlib.ExitStack() as stack:

        def with_worker():
            worker = start_worker(server.url, name)
            stack.callback(end_worker, worker)
            return worker

        yield RQExecutor(server.url, name), with_worker


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


def run(executor, specs, store, **options):
    return Flow(specs).run(
        executor=executor, num_workers=2, results_store=store, progress=None, **options
    )


def in_thread(call):
    """Run beside the test; the answer comes from `join()`."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()

    def join(timeout=120.0):
        thread.join(timeout)
        assert not thread.is_alive()
        return found[0]

    return join


def begun(folder, count, seconds=60.0):
    until = time.monotonic() + seconds
    while len(list(folder.glob("begun-*"))) < count:
        assert time.monotonic() < until, f"{count} tasks did not begin"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_worker_that_comes_late_takes_what_waits(queue, store, tmp_path):
    """Nobody listens when the run begins."""
    executor, with_worker = queue
    spec = TaskSpec(tasks.square, {"n": [1, 2, 3]}, expand="product")
    join = in_thread(lambda: run(executor, [spec], store))
    time.sleep(1.0)
    with_worker()

    assert [each.results["square"] for each in join()["square"]] == [1, 4, 9]


@pytest.mark.slow
def test_the_job_of_a_killed_worker_is_taken_up_by_another(queue, store, tmp_path):
    """With its work-horse; no retries were asked for."""
    executor, with_worker = queue
    first = with_worker()
    spec = TaskSpec(tasks.Waits, {"n": 1, "gate": str(tmp_path)})
    join = in_thread(lambda: run(executor, [spec], store))
    begun(tmp_path, 1)
    end_worker(first)
    (tmp_path / "begun-1").unlink()
    with_worker()
    begun(tmp_path, 1)
    (tmp_path / "open").touch()

    assert join()["Waits"][0].results["ended"] == "gate"


def test_a_killed_work_horse_fails_its_task_only(queue, store, tmp_path):
    """The worker goes on; the kind of the failure is `lost`, which may be retried."""
    executor, with_worker = queue
    with_worker()
    config = {"folder": str(tmp_path), "n": [1, 2]}
    spec = TaskSpec(tasks.dies, config, expand="product", retries={"lost": 1})

    assert [each.results["n"] for each in run(executor, [spec], store)["dies"]] == [1, 2]


@pytest.mark.slow
def test_redis_may_be_away_for_ten_seconds(store, tmp_path):
    """Running tasks end meanwhile; their answers come when it is back."""
    with redis_server() as server:
        worker = start_worker(server.url, "away")
        try:
            config = {"n": [1, 2, 3], "gate": str(tmp_path)}
            spec = TaskSpec(tasks.Waits, config, expand="product")
            join = in_thread(lambda: run(RQExecutor(server.url, "away"), [spec], store))
            begun(tmp_path, 1)
            server.stop()
            (tmp_path / "open").touch()
            time.sleep(10.0)
            server.start()
            done = join(180.0)
        finally:
            end_worker(worker)

    assert done.counts == {"finished": 3}


def test_jobs_that_redis_has_lost_are_submitted_again(store, tmp_path):
    """It comes back empty, as one does that keeps nothing on disk; no retries were asked for."""
    with redis_server() as server, contextlib.ExitStack() as stack:
        config = {"n": list(range(6)), "gate": str(tmp_path)}
        spec = TaskSpec(tasks.Waits, config, expand="product")
        first = start_worker(server.url, "lost")
        stack.callback(end_worker, first)
        join = in_thread(lambda: run(RQExecutor(server.url, "lost"), [spec], store))
        begun(tmp_path, 1)
        server.stop()
        server.forget()
        end_worker(first)
        (tmp_path / "open").touch()
        server.start()
        stack.callback(end_worker, start_worker(server.url, "lost"))
        done = join(180.0)

    assert done.counts == {"finished": 6}


def test_a_job_that_is_taken_back_is_forgotten(server):
    """Redis would keep it for ever; a job that a worker has taken is left alone."""
    import redis
    import rq

    with contextlib.closing(redis.Redis.from_url(server.url)) as link:
        queue = rq.Queue("taken-back", connection=link)
        job = queue.enqueue_call(tasks.square, (1,), timeout=-1)
        assert link.exists(job.key)
        assert [taken_back(queue, job.id), taken_back(queue, job.id)] == [True, False]
        assert not link.exists(job.key)
        taken = queue.enqueue_call(tasks.square, (2,), timeout=-1)
        link.lrem(queue.key, 1, taken.id)
        assert not taken_back(queue, taken.id)
        assert link.exists(taken.key)


def test_a_redis_that_is_not_there_is_told_at_once_without_its_password(store):
    """Before anything runs."""
    spec = TaskSpec(tasks.square, {"n": 1})
    with pytest.raises(RunError, match="Redis cannot be reached") as caught:
        run(RQExecutor("redis://:secret@127.0.0.1:1"), [spec], store)

    assert "secret" not in str(caught.value)
    with pytest.raises(RunError, match="url of RQExecutor is none of Redis") as caught:
        run(RQExecutor("radis://:secret@host:1"), [spec], store)
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(RQExecutor("redis://:secret@127.0.0.1:1"))
    assert list(store.records()) == []
