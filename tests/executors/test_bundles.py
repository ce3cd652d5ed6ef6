"""Short jobs travel together, long ones alone; what happens to one is no affair of the others."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from flowlib import Flow, TaskSpec, future_workers
from flowlib.bundle import LARGEST, Answers, Pace, fair_share
from flowlib.errors import RunError
from flowlib.executor import Executor, ExecutorSetup
from flowlib.executors import dask, futures, ray
from flowlib.future_workers import FutureWorkers
from flowlib.job import Outcome, OutcomeKind
from flowlib.remote_job import RemoteJobs, run_packed
from stores import Address, LocalFileStore, Owner
from tests.executors import bundle_tasks as tasks
from tests.executors.cases import CASES


class Engine(Executor):
    """Two threads that run bundles; it notes their sizes, and may lose one."""

    options_name = "engine"

    def __init__(self, *, loses: bool = False) -> None:
        self.sizes: list[int] = []
        self.loses = loses

    def start(self, setup):
        return EngineWorkers(self, setup)


class EngineWorkers(FutureWorkers):
    """Those of an engine."""

    def __init__(self, engine, setup):
        super().__init__(setup, 2, deepest=8, largest=LARGEST)
        self.engine, self.jobs, self.pool = engine, RemoteJobs(setup), ThreadPoolExecutor(2)

    def start_bundle(self, work):
        self.engine.sizes.append(len(work))
        if self.engine.loses and len(work) >= 4:
            self.engine.loses = False
            return self.pool.submit(self.lose, self.jobs.packed(work[:2]))
        return self.pool.submit(run_packed, self.jobs.packed(work))

    def lose(self, begun):
        run_packed(begun)
        raise ConnectionError("the worker is gone")

    def close(self, *, now=False):
        self.pool.shutdown()


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def folder(tmp_path):
    """Where tasks take note of having run."""
    made = tmp_path / "notes"
    made.mkdir()
    return made


@pytest.fixture
def patient(monkeypatch):
    """What counts as short does not depend on how busy this machine is."""
    monkeypatch.setattr("flowlib.bundle.BUNDLE_S", 30.0)
    monkeypatch.setattr("flowlib.remote_job.LONGEST_S", 30.0)


def sweep(task, folder, count, **options):
    config = {"folder": str(folder), "n": list(range(count))}
    return Flow([TaskSpec(task, config, expand="product", **options)])


def run(flow, executor, store, **options):
    return flow.run(executor=executor, num_workers=2, results_store=store, progress=None, **options)


def once(count):
    return dict.fromkeys(range(count), 1)


def test_short_tasks_travel_together(store, folder, patient):
    """Each of them runs once; the engine is asked a fifth as often, and not at all again."""
    engine, flow = Engine(), sweep(tasks.notes, folder, 300)
    done = run(flow, engine, store)

    assert [each.results["n"] for each in done["notes"]] == list(range(300))
    assert tasks.times_run(folder) == once(300)
    assert sum(engine.sizes) == 300
    assert len(engine.sizes) <= 60
    assert max(engine.sizes) <= LARGEST
    engine.sizes.clear()
    assert run(flow, engine, store).counts == {"cached": 300}
    assert engine.sizes == []


def test_long_tasks_travel_alone(store, folder):
    """Nobody waits for a neighbour."""
    engine = Engine()
    run(sweep(tasks.sleeps, folder, 8), engine, store)
    assert engine.sizes == [1] * 8


def test_a_failure_in_a_bundle_is_that_of_one_task(store, folder, patient):
    """The others finish; what is tried again was in no other bundle."""
    engine = Engine()
    flow = sweep(tasks.fails, folder, 100, retries=1)
    done = run(flow, engine, store, exit_on_error=False)

    assert done.counts == {"finished": 90, "failed": 10}
    assert tasks.times_run(folder) == {n: 2 if n % 10 == 7 else 1 for n in range(100)}
    assert max(engine.sizes) > 1


@pytest.mark.parametrize("retries", [0, 1])
def test_a_lost_bundle_is_the_loss_of_the_task_that_ran(store, folder, patient, retries):
    """What had ended counts and is not run again; what had not begun is run once."""
    engine = Engine(loses=True)
    flow = sweep(tasks.notes, folder, 200, retries={"lost": retries})
    counts = run(flow, engine, store, exit_on_error=False).counts

    assert engine.loses is False
    lost = [each for each in store.records() if each.latest.error or each.latest.number > 1]
    assert len(lost) == 1
    assert counts == ({"finished": 200} if retries else {"finished": 199, "failed": 1})
    ran = tasks.times_run(folder)
    assert set(ran.values()) == {1}
    assert len(ran) == 199 + retries


def test_others_do_not_wait_behind_a_long_task(store, folder, patient, monkeypatch):
    """It waits for all of them, those in its bundle as well."""
    monkeypatch.setattr(future_workers, "_LATE_S", 0.2)
    done = run(sweep(tasks.waits_for_all, folder, 100), Engine(), store)

    assert done.counts == {"finished": 100}
    assert done["waits_for_all"][60].results["seen"] == 99
    assert tasks.times_run(folder) == once(100)


def test_a_run_that_has_failed_too_often_ends(store, folder):
    """What is on its way ends; nothing else begins."""
    with pytest.raises(ValueError, match="ends in seven"):
        run(sweep(tasks.fails, folder, 1000), Engine(), store)
    assert len(tasks.times_run(folder)) < 1000


def test_a_bundle_ends_when_its_time_is_up(store, folder, patient, monkeypatch):
    """Tasks that were not begun by then come back, and run."""
    monkeypatch.setattr("flowlib.remote_job.LONGEST_S", 0.0)
    engine = Engine()
    assert run(sweep(tasks.notes, folder, 60), engine, store).counts == {"finished": 60}
    assert tasks.times_run(folder) == once(60)
    assert max(engine.sizes) > 1


def answers(seconds, count):
    outcome = Outcome.finished(Address("a", "b"), 1, 0.0)
    return Answers((outcome,) * count, seconds)


def test_bundles_grow_while_tasks_are_short():
    """Twice as many with every answer, up to a twentieth of a second; fewer when tasks are not."""
    pace = Pace(8, LARGEST)
    assert (pace.size, pace.depth) == (1, 1)
    sizes = []
    for _ in range(6):
        pace.note(answers(0.001 * pace.size, pace.size))
        sizes.append(pace.size)
    assert sizes == [2, 4, 8, 16, 32, 32]
    assert pace.depth == 64
    pace.note(answers(1.0, 1))
    assert (pace.size, pace.depth) == (1, 1)


def test_few_tasks_are_spread_over_all_workers():
    """Two bundles for each, as large as that allows."""
    assert [fair_share(jobs, 2) for jobs in (0, 1, 4, 5, 20, 128)] == [1, 1, 1, 2, 5, 32]
    assert fair_share(10, 0) == 5


def test_only_short_tasks_are_sent_ahead(store, folder):
    """A spec with short ones lets no more long ones of another spec to the engine than it runs."""
    engine, most = Engine(), []

    class Counting(EngineWorkers):
        def start_bundle(self, work):
            long = [job for job in self.open_jobs if job.spec == "sleeps"]
            most.append(len(long) + (work[0][0].spec == "sleeps"))
            return super().start_bundle(work)

    engine.start = lambda setup: Counting(engine, setup)
    short = {"folder": str(folder), "n": list(range(200))}
    long = {"folder": str(folder), "n": list(range(200, 210))}
    specs = [TaskSpec(tasks.notes, short, expand="product")]
    specs.append(TaskSpec(tasks.sleeps, long, expand="product"))
    assert run(Flow(specs), engine, store).counts == {"finished": 210}
    assert max(most) <= 2


def test_what_waits_to_travel_comes_back_when_the_run_is_stopped(store, folder, patient):
    """Jobs that were not sent have not begun."""
    kept = []

    class Asking(EngineWorkers):
        def start_bundle(self, work):
            future = Future()
            future.set_running_or_notify_cancel()
            kept.append((future, run_packed(self.jobs.packed(work))))
            return future

        def wait(self, timeout_s):
            if self._waiting:
                waiting = len(self._waiting)
                self.ask_to_stop()
                told = super().wait(0.0)
                assert [each.kind for each in told] == [OutcomeKind.RETURNED] * waiting
                raise RunError("seen")
            self._send_waiting()
            for future, answer in kept:
                future.set_result(answer)
            kept.clear()
            return super().wait(timeout_s)

    engine = Engine()
    engine.start = lambda setup: Asking(engine, setup)
    with pytest.raises(RunError, match="seen"):
        run(sweep(tasks.notes, folder, 50), engine, store)


@pytest.fixture(params=["dask", "ray", "fork-pool"])
def real(request, patient):
    """A real engine with two workers, and the sizes of what it is given."""
    module = {"dask": dask, "ray": ray, "fork-pool": futures}[request.param]
    name = {"dask": "_DaskWorkers", "ray": "_RayWorkers", "fork-pool": "_PoolWorkers"}
    workers, sizes = getattr(module, name[request.param]), []

    def start(self, work, before=workers.start_bundle):
        sizes.append(len(work))
        return before(self, work)

    [case] = [each for each in CASES if each.name == request.param]
    with pytest.MonkeyPatch.context() as patch, case.given(2) as executor:
        patch.setattr(workers, "start_bundle", start)
        yield executor, sizes, case


@pytest.mark.slow
def test_an_engine_is_asked_less_often_than_there_are_tasks(real, store, folder):
    """And runs each of them once."""
    executor, sizes, _ = real
    assert run(sweep(tasks.notes, folder, 300), executor, store).counts == {"finished": 300}
    assert tasks.times_run(folder) == once(300)
    assert len(sizes) < 300


@pytest.mark.slow
def test_a_killed_worker_takes_no_neighbour_with_it(real, store, folder):
    """The task that killed it is tried again, the others of its bundle run once."""
    executor, sizes, case = real
    flow = sweep(tasks.dies, folder, 300, retries={"lost": 2})
    if not case.survives:
        with pytest.raises(RunError):
            run(flow, executor, store)
        assert [each for each in store.records() if each.finished]
        return
    assert run(flow, executor, store).counts == {"finished": 300}
    assert max(sizes) > 1
    assert tasks.times_run(folder) == {n: 2 if n == 150 else 1 for n in range(300)}


class Handed(SimpleNamespace):
    """What an engine returns for what it was handed; notes when that is cancelled."""

    status, is_cancelled = "pending", False

    def __init__(self):
        super().__init__(answer=Future())

    def options(self, **_):
        return self

    def future(self):
        return self.answer

    def add_done_callback(self, tell):
        """Nobody ends it."""

    def cancel(self):
        self.is_cancelled = True


def _dask_workers(setup, hand):
    client = SimpleNamespace(submit=lambda *_, **__: hand())
    return dask._DaskWorkers(setup, client, 0, ExitStack())


def _ray_workers(setup, hand):
    call = Handed()
    call.remote = lambda *_: hand()
    module = SimpleNamespace(remote=lambda _: call, cancel=lambda each, force: each.cancel())
    return ray._RayWorkers(setup, ray.RayExecutor(), module, setup.store, ExitStack())


@pytest.mark.parametrize("start", [_dask_workers, _ray_workers])
def test_a_job_that_was_sent_once_more_is_let_go_after_its_old_bundle_has_ended(start, store):
    """It had failed early in a bundle that went on: each of the two is known by itself."""
    handed = []
    setup = ExecutorSetup(store, 1, None, Owner.of_this_process())
    workers = start(setup, lambda: handed.append(Handed()) or handed[-1])
    try:
        workers._jobs = SimpleNamespace(packed=lambda work: b"", told=b"")
        job = SimpleNamespace(spec="Train", address=Address("Train", "ab" * 16), inputs=())
        assignment = SimpleNamespace(id="1", name="Train", executor_options={})
        old, new, other = [workers.start_bundle([(job, assignment)]) for _ in range(3)]
        old.set_result(Answers((), 0.0))
        workers.let_go(job, new)
        workers.let_go(job, old)
        assert [each.is_cancelled for each in handed] == [False, True, False]
    finally:
        workers.close()
    assert [each.is_cancelled for each in handed] == [False, True, True]
    assert not other.done()
