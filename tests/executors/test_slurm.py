"""What only SLURM does: allocations that are asked for, taken away, and given again."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import submitit

from flowlib import Flow, RunError, TaskSpec
from flowlib.known_jobs import ended_jobs
from flowlib.slurm_queue import states_of_jobs
from stores import LocalFileStore
from tests.cli.calls import flowlib, project
from tests.executors import contract_tasks, slurm_tasks
from tests.services.slurm import LARGEST_ARRAY, ROOT, ask, shared_cluster, slurm_executor, until

pytestmark = [
    pytest.mark.needs("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"),
    pytest.mark.slow,
]

PATIENCE_S = 180.0


@pytest.fixture
def store(tmp_path):
    return LocalFileStore(tmp_path / "store", fsync=False)


@pytest.fixture
def gate(tmp_path):
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


def run(specs, store, executor=None, **options):
    options = {"num_workers": 2, "progress": None, **options}
    return Flow(specs).run(executor=executor or slurm_executor(), results_store=store, **options)


@contextlib.contextmanager
def beside(call):
    """Run beside the block; gives a function that waits for the answer."""
    found = []

    def keep():
        try:
            found.append(call())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()

    def answer():
        thread.join(PATIENCE_S)
        assert found, "the run goes on and on"
        if isinstance(found[0], BaseException):
            raise found[0]
        return found[0]

    yield answer


def begun(folder, count=1):
    """Wait until so many tasks have begun; the jobs that they are in."""
    limit = time.monotonic() + PATIENCE_S
    while len(found := sorted(folder.glob("begun-*"))) < count:
        assert time.monotonic() < limit, f"{count} tasks did not begin"
        time.sleep(0.05)
    return [each.name.partition("-")[2] for each in found]


def job_ids(store):
    """The jobs that records name."""
    return {record.latest.provenance["job_id"] for record in store.records()}


def test_arrays_are_as_large_as_the_cluster_allows_and_records_name_their_jobs(store, gate):
    """More allocations than one array may hold; each task runs in one of its own."""
    count = LARGEST_ARRAY + 1
    config = {"n": list(range(count)), "gate": str(gate)}
    spec = TaskSpec(contract_tasks.Waits, config, expand="product")
    shared_cluster()
    with beside(lambda: run([spec], store, num_workers=count)) as answer:
        begun(gate, count)
        (gate / "open").touch()
        assert answer().counts == {"finished": count}

    jobs = job_ids(store)
    parts = [int(each.partition(" part ")[2] or 0) for each in jobs]
    assert len(jobs) == count
    assert max(parts) < LARGEST_ARRAY


def test_specs_ask_for_what_they_need(store):
    """GPUs by their numbers; who asks for none sees none. The command finds the log of a task."""
    needy = {"slurm": {"gpus": 2, "memory": "200MB", "time": "5m", "sbatch": {"comment": "two"}}}
    two = TaskSpec(slurm_tasks.devices, {"n": 1}, name="two", executor_options=needy)
    none = TaskSpec(slurm_tasks.devices, {"n": 1}, name="none")
    done = run([two, none], store)

    assert done["two"][0].results["gpus"] in ("0,1", "2,3")  # of either node
    assert done["none"][0].results["gpus"] == ""


@pytest.mark.parametrize("how", ["requeue", "preemption"])
def test_a_task_whose_job_is_put_back_goes_on_from_its_checkpoint(how, store, gate, caplog):
    """No retries were asked for; the log of the run tells why it was tried again."""
    caplog.set_level(logging.INFO, "flowlib")
    spec = TaskSpec(slurm_tasks.Resumes, {"gate": str(gate)})
    shared_cluster()
    with beside(lambda: run([spec], store, progress="log")) as answer:
        [job] = begun(gate)
        if how == "requeue":
            ask("scontrol", "requeue", job)
        else:
            words = ("-p", "high", "--nodes=2", "--exclusive", "-o", "/dev/null")
            ask("sbatch", *words, "--wrap", "sleep 1")
        result = answer()["Resumes"][0].results

    assert result["from"] == "half"
    assert "(preempted)" in caplog.text


def test_a_cancelled_job_fails_its_task_which_resumes_later(store, gate, caplog):
    """It is not tried again at once: somebody wanted it to end. The words say so."""
    spec = TaskSpec(slurm_tasks.Resumes, {"gate": str(gate)})
    shared_cluster()
    with beside(lambda: run([spec], store, exit_on_error=False, progress="log")) as answer:
        [job] = begun(gate)
        ask("scancel", job)
        assert answer().counts == {"failed": 1}
    [record] = store.records()
    assert f"the job {job} of SLURM has ended before the task did: CANCELLED" in caplog.text
    assert record.state.value == "killed"
    assert record.latest.provenance["job_id"] == f"slurm {job}"

    assert run([spec], store)["Resumes"][0].results["from"] == "half"


def test_nodes_may_be_away_for_a_while(store, gate):
    """Tasks go on without slurmd, and their answers count."""
    spec = TaskSpec(slurm_tasks.Resumes, {"gate": str(gate)})
    cluster = shared_cluster()
    with beside(lambda: run([spec], store)) as answer:
        begun(gate)
        for node in ("n1", "n2"):
            cluster.stop_node(node)
        try:
            (gate / "open").touch()
            result = answer()["Resumes"][0].results
        finally:
            for node in ("n1", "n2"):
                cluster.start_node(node)

    assert result["from"] == ""


def test_a_task_is_told_before_its_time_is_over(store, gate):
    """It saves what it has and ends; the next allocation goes on with it."""
    spec = TaskSpec(slurm_tasks.Resumes, {"gate": str(gate), "asks": True})
    executor = slurm_executor(time="2m", warn="75s")  # SLURM itself may say so earlier
    done = run([spec], store, executor)

    assert done["Resumes"][0].results["from"] == "half"
    assert done["Resumes"][0].results["job"] not in begun(gate)


def test_the_command_runs_there_and_finds_the_logs(tmp_path):
    """What is said after `--slurm` is asked for."""
    shared_cluster()
    folder = project(tmp_path / "project")
    words = "partition=low,high,time=5m,memory=100MB,idle=5,look=1,sbatch.comment=mine"
    called = flowlib("run", "flow.yaml", "--slurm", words, "-w", "2", folder=folder)
    assert called.code == 0, called.err
    [record] = LocalFileStore(folder / ".flowlib").records("Best")
    assert record.latest.provenance["executor"] == "slurm"
    script = next((folder / ".flowlib/.runs").glob("*/slurm/logs/*_submission.sh"))
    assert {"#SBATCH --partition=low,high", "#SBATCH --time=5", "#SBATCH --mem=96M"} <= {
        *script.read_text().splitlines()
    }
    assert flowlib("logs", "Best", folder=folder).code == 0


def future_on(engine, store, gate):
    """A value that one job computes; the program may end meanwhile."""
    spec = TaskSpec(slurm_tasks.Resumes, {"gate": str(gate)})
    future = spec.submit(store, executor=engine)
    assert spec.submit(store, executor=engine) is future
    assert begun(gate) == [future.job_id]
    return future


@pytest.mark.parametrize("kind", ["flowlib", "submitit"])
def test_a_future_knows_its_job(kind, store, gate, tmp_path):
    """Who asks again gets the same job; the value comes through the store."""
    engine = slurm_executor(look=1)
    if kind == "submitit":
        engine = submitit.AutoExecutor(tmp_path / "jobs", cluster="slurm")
        engine.update_parameters(timeout_min=5, slurm_setup=[f"export PYTHONPATH={ROOT}"])
    future = future_on(engine, store, gate)
    (gate / "open").touch()

    assert future.result(PATIENCE_S) == {"from": "", "job": future.job_id}
    assert job_ids(store) == {f"slurm {future.job_id}"}


def test_the_job_of_a_future_is_put_back_and_cancelled(store, gate):
    """It goes on from its checkpoint; a job that was cancelled is told of, though nobody counts."""
    future = future_on(slurm_executor(look=1), store, gate)
    ask("scontrol", "requeue", future.job_id)
    assert future.result(PATIENCE_S)["from"] == "half"

    other = TaskSpec(slurm_tasks.counted, {"gate": str(gate)})
    cancelled = other.submit(store, executor=slurm_executor(look=1))
    begun(gate, 2)
    ask("scancel", cancelled.job_id)
    with pytest.raises(RunError, match=f"{cancelled.job_id} of SLURM has ended.*CANCELLED"):
        cancelled.result(PATIENCE_S)


ASKER = """
import sys
from flowlib import TaskSpec
from stores import LocalFileStore
from tests.executors import slurm_tasks
from tests.services import slurm

slurm.shared_cluster = lambda: None  # it runs already
if __name__ == "__main__":
    spec = TaskSpec(slurm_tasks.counted, {"gate": sys.argv[2]})
    store = LocalFileStore(sys.argv[1], fsync=False)
    future = spec.submit(store, executor=slurm.slurm_executor(look=1))
    print(future.job_id, flush=True)
    future.result()
"""


@pytest.fixture
def asker(store, gate):
    """Asks for the value in a process of its own; gives that and the job that it was told."""
    shared_cluster()
    started = []

    def ask_for_it():
        words = [sys.executable, "-c", ASKER, str(store.base_dir), str(gate)]
        process = subprocess.Popen(
            words,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield ask_for_it
    for process in started:
        process.kill()
        process.communicate()


def test_who_asks_in_another_process_gets_the_same_job(asker, store, gate):
    """While it waits or runs, also if who has asked first was killed; the task runs once."""
    first, job = asker()
    _, same = asker()
    first.kill()
    begun(gate)
    spec = TaskSpec(slurm_tasks.counted, {"gate": str(gate)})
    future = spec.submit(store, executor=slurm_executor(look=1))
    assert [same, future.job_id] == [job, job]
    (gate / "open").touch()

    assert future.result(PATIENCE_S).keys() == {"pid"}
    assert len(begun(gate)) == 1
    assert job_ids(store) == {f"slurm {job}"}


def test_a_job_that_was_cancelled_or_has_failed_is_not_given_again(asker, store, gate):
    """Who asks then gets a new one."""
    first, job = asker()
    begun(gate)
    assert ended_jobs(store, grace=0) == []
    ask("scancel", job)
    assert first.wait(PATIENCE_S) != 0
    assert [each.id for each in ended_jobs(store, grace=0)] == [job]
    second, other = asker()
    assert other not in ("", job)
    begun(gate, 2)
    assert ended_jobs(store, grace=0) == []
    (gate / "open").touch()
    assert second.wait(PATIENCE_S) == 0
    assert [each.id for each in ended_jobs(store, grace=0)] == [other]
    known = states_of_jobs([other, "99999999"])  # one that SLURM has forgotten is left out
    assert known.keys() == {other}
    assert states_of_jobs(["99999999"]) == {}

    fails = TaskSpec(contract_tasks.raises, {"n": 5})
    futures = []
    for _ in range(2):
        futures.append(fails.submit(store, executor=slurm_executor(look=1)))
        with pytest.raises(LookupError):
            futures[-1].result(PATIENCE_S)
    assert futures[0].job_id != futures[1].job_id


def test_the_exception_of_a_task_travels_through_its_future(store):
    """As everywhere."""
    future = TaskSpec(contract_tasks.raises, {"n": 4}).submit(store, executor=slurm_executor())
    with pytest.raises(LookupError, match="no 4 here"):
        future.result(PATIENCE_S)


DRIVER = """
import sys
from flowlib import Flow, TaskSpec
from stores import LocalFileStore
from tests.cli.calls import flowlib, project
from tests.executors import contract_tasks, slurm_tasks
from tests.services import slurm

slurm.shared_cluster = lambda: None  # it runs already
spec = {spec}
if __name__ == "__main__":
    store = LocalFileStore({store!r}, fsync=False)
    executor = slurm.slurm_executor(**{options!r})
    Flow([spec]).run(executor=executor, num_workers=2, results_store=store)
"""


@pytest.fixture
def driver(tmp_path, store):
    """Starts a driver in a process of its own."""
    shared_cluster()
    started = []

    def start(spec, **options):
        script = tmp_path / "driver.py"
        text = DRIVER.format(spec=spec, store=str(store.base_dir), options=options)
        script.write_text(text)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, str(script)], env=environment, stderr=subprocess.DEVNULL
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_restarted_driver_computes_nothing_twice(driver, store, gate, caplog):
    """What runs in an allocation goes on when the driver is killed, and the next one waits for it."""
    text = f"TaskSpec(slurm_tasks.counted, {{'gate': {str(gate)!r}}})"
    first = driver(text)
    begun(gate)
    first.kill()
    first.wait()
    spec = TaskSpec(slurm_tasks.counted, {"gate": str(gate)})
    caplog.set_level(logging.INFO, "flowlib")
    with beside(lambda: run([spec], store, progress="log")) as answer:
        until(lambda: "] waiting " in caplog.text, PATIENCE_S, "nobody waits")
        (gate / "open").touch()
        answer()

    assert len(begun(gate)) == 1


def killed(process):
    process.kill()
    process.wait()


@pytest.mark.parametrize("place", ["run", "own"])
def test_allocations_of_a_killed_driver_end_what_they_run(place, driver, store, gate, tmp_path):
    """They are told by the next one, which takes their results and does the rest; none is left."""
    options = {"idle": 600}
    if place == "own":
        options["folder"] = str(tmp_path / "spools")
    config = f"{{'n': [1, 2, 3], 'gate': {str(gate)!r}}}"
    first = driver(f"TaskSpec(slurm_tasks.numbered, {config}, expand='product')", **options)
    begun(gate, 2)
    killed(first)
    config = {"n": [1, 2, 3], "gate": str(gate)}
    spec = TaskSpec(slurm_tasks.numbered, config, expand="product")
    with beside(lambda: run([spec], store, slurm_executor(**options), num_workers=1)) as answer:
        begun(gate, 3)
        (gate / "open").touch()
        done = answer()

    assert [each.results["n"] for each in done["numbered"]] == [1, 2, 3]
    assert sorted(each.partition("-")[0] for each in begun(gate)) == ["1", "2", "3"]
    until(lambda: not ask("squeue", "-h"), PATIENCE_S, "jobs are left")


def test_allocations_of_a_killed_driver_that_wait_are_cancelled(driver, store, gate):
    """Nobody would ever end one that waits for good; its task is not computed by it."""
    (gate / "open").touch()
    text = f"TaskSpec(slurm_tasks.numbered, {{'n': 1, 'gate': {str(gate)!r}}})"
    first = driver(text, sbatch={"hold": True})
    held = ("squeue", "-h", "--states=PENDING")
    until(lambda: "Held" in ask(*held), PATIENCE_S, "nothing was asked for")
    killed(first)
    done = run([TaskSpec(slurm_tasks.numbered, {"n": 1, "gate": str(gate)})], store)

    assert done.counts == {"finished": 1}
    assert "Held" not in ask(*held)
    assert len(begun(gate)) == 1
    assert list(Path(store.base_dir, ".runs").glob("*/slurm/waiting/*/*")) == []


def test_ctrl_c_tells_the_tasks_and_leaves_no_job(driver, store, gate):
    """A task that looks ends by itself, and its result counts."""
    text = f"TaskSpec(contract_tasks.Waits, {{'n': 1, 'gate': {str(gate)!r}}})"
    process = driver(text)
    begun(gate)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    [record] = store.records()

    assert record.state.value == "finished"
    until(lambda: not ask("squeue", "-h"), PATIENCE_S, "jobs are left")


def test_jobs_that_never_begin_a_task_are_told_with_their_last_words(store):
    """Nobody asks for allocations for ever."""
    executor = slurm_executor(setup=["echo no such disk >&2; exit 3"])
    with pytest.raises(RunError, match="3 jobs of SLURM in a row have ended") as caught:
        run([TaskSpec(slurm_tasks.devices, {"n": 1})], store, executor, num_workers=1)

    assert "no such disk" in str(caught.value)
    until(lambda: not ask("squeue", "-h"), PATIENCE_S, "jobs are left")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "hihg"}, "no partition 'hihg'.*high"),
        ({"gpu": 1}, "no option 'gpu'.*gpus"),
        ({"memory": 16}, "memory is 16; give a size"),
        ({"time": "long"}, "time is 'long'; give seconds"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(options, words, store):
    """With what is allowed, and the nearest name."""
    shared_cluster()
    spec = TaskSpec(slurm_tasks.devices, {"n": 1}, executor_options={"slurm": options})
    with pytest.raises(RunError, match=words):
        run([spec], store)

    assert list(store.records()) == []
