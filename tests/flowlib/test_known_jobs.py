"""Does what is known of a job of SLURM go when the job is over, and only then?"""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from flowlib import known_jobs
from flowlib.cli.main import main
from flowlib.known_jobs import ended_jobs, forget_jobs, shared_job
from flowlib.slurm_queue import SlurmSilent, SlurmState, states_of_jobs
from stores import Address, InMemoryStore, LocalFileStore, QueryError
from stores.primitives import StorePrimitives
from stores.testing import put


class Job(SimpleNamespace):
    """As submitit has them."""


Job.__module__ = "submitit.slurm.slurm"


@pytest.fixture(params=[LocalFileStore, InMemoryStore])
def store(request, tmp_path):
    return request.param(*[tmp_path / "runs"] * (request.param is LocalFileStore))


@pytest.fixture
def asked(store, tmp_path):
    """Jobs that were asked for: one with a result, one without a folder, two of which SLURM knows."""

    def ask(job):
        folder = tmp_path / job
        if job != "2":
            folder.mkdir(exist_ok=True)
        return Job(job_id=job, paths=SimpleNamespace(folder=folder))

    for job in "1234":
        shared_job(store, [f"key of {job}"], lambda job=job: ask(job))
    (tmp_path / "1" / "1_0_result.pkl").touch()
    return ask


@pytest.fixture
def queue(monkeypatch):
    """What SLURM is asked, and its answer."""
    questions, known = [], {"3": SlurmState("RUNNING", 0, ""), "4": SlurmState("FAILED", 0, "")}

    def answer(jobs):
        questions.append(sorted(jobs))
        return known

    monkeypatch.setattr(known_jobs, "states_of_jobs", answer)
    return questions, known


def ids(jobs):
    return sorted(each.id for each in jobs)


def test_what_is_over_and_old_goes_and_what_goes_on_stays(store, asked, queue):
    """It is asked for once of which the folder does not tell."""
    questions, known = queue
    assert ended_jobs(store) == []  # of the last hour
    found = ended_jobs(store, grace=0)
    assert (ids(found), questions) == (["1", "2", "4"], [[], ["3", "4"]])
    assert ended_jobs(store, older_than="1d", grace=0) == []
    assert ids(ended_jobs(store, older_than=0, grace=0)) == ["1", "2", "4"]
    del known["3"]  # it has forgotten it
    assert ids(ended_jobs(store, grace=0)) == ["1", "2", "3", "4"]
    assert forget_jobs(store, found) == 3
    assert ids(ended_jobs(store, grace=0)) == ["3"]
    with pytest.raises(QueryError, match="older_than"):
        ended_jobs(store, older_than="soon")


def test_where_nobody_answers_only_what_is_certain_goes(store, asked, monkeypatch):
    """On a host without SLURM, say: a job might go on."""

    def silent(_):
        raise SlurmSilent("there is no squeue")

    monkeypatch.setattr(known_jobs, "states_of_jobs", silent)
    assert ids(ended_jobs(store, grace=0)) == ["1", "2"]


def test_a_job_that_was_asked_for_meanwhile_stays(store, asked, queue):
    """The record is that of the next one by then; one that is just being asked for stays, too."""
    pytest.importorskip("submitit")
    found = ended_jobs(store, grace=0)
    queue[1]["5"] = queue[1]["3"]
    shared_job(store, ["key of 2"], lambda: asked("5"))
    [first] = [each for each in found if each.id == "1"]
    attempt = store.beside("jobs").begin(first.address)
    try:
        assert forget_jobs(store, found) == 1
    finally:
        attempt.abandon()
    assert ids(ended_jobs(store, grace=0)) == ["1"]


def test_a_store_that_keeps_nothing_but_results_knows_no_jobs():
    """There is nothing to be forgotten."""
    store = SimpleNamespace(beside=lambda name: StorePrimitives.beside(InMemoryStore(), name))
    assert ended_jobs(store, grace=0) == []
    assert forget_jobs(store, []) == 0


def test_nobody_is_asked_about_no_job(monkeypatch):
    """`squeue` without names would tell of all."""
    assert states_of_jobs([]) == {}


def test_the_command_tells_and_deletes_them(tmp_path, monkeypatch, capsys):
    """With `-n` they are only told."""
    store = LocalFileStore(tmp_path / "runs")
    job = Job(job_id="7", paths=SimpleNamespace(folder=tmp_path / "gone"))
    put(store, Address("Train", "9a7a" * 8))
    with monkeypatch.context() as patch:
        earlier = SimpleNamespace(time=lambda: time.time() - 7200, monotonic=time.monotonic)
        patch.setattr(known_jobs, "time", earlier)
        shared_job(store, ["key"], lambda: job)
    words = ["gc", "--store", f"file:{tmp_path}/runs"]
    assert main([*words, "-n"]) == 0
    assert "; 1 ended jobs" in capsys.readouterr().out
    assert len(list(store.beside("jobs").addresses())) == 1
    assert main([*words, "-y", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == ["7"]
    assert list(store.beside("jobs").addresses()) == []
