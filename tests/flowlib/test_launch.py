"""How a run is put together: its arguments, refused early and clearly."""

from __future__ import annotations

import logging

import pytest

from flowlib import Flow, ResourceError, TaskSpec
from stores import InMemoryStore, UnknownPlugin


def task(x=1):
    return {"x": x}


@pytest.fixture
def flow():
    return Flow([TaskSpec(task, {"x": [1, 2]}, expand="product")])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_workers": 0}, ValueError, "num_workers must be 1 or more, not 0"),
        ({"num_workers": True}, ValueError, "num_workers"),
        ({"return_results": "al"}, ValueError, '"all", "latest" and None'),
        ({"executor": "inlin"}, UnknownPlugin, "Did you mean inline"),
        ({"progress": "line"}, UnknownPlugin, "Did you mean lines"),
        ({"resources": {"cpu": -1}}, ResourceError, "0 or more"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(flow, options, error, message):
    """Nothing is in the store afterwards."""
    store = InMemoryStore()
    with pytest.raises(error, match=message):
        flow.run(results_store=store, **{"num_workers": 1, **options})

    assert list(store.addresses()) == []


def test_a_run_without_a_store_forgets(flow):
    """Each such run has a memory store of its own."""
    assert flow.run(num_workers=1).counts == {"finished": 2}
    assert flow.run(num_workers=1).counts == {"finished": 2}


def test_panes_are_asked_for_in_vain_but_the_run_goes_on(flow, caplog):
    """One line says so."""
    with caplog.at_level(logging.WARNING, logger="flowlib"):
        run = flow.run(num_workers=1, log_to_tmux=True, max_panes_per_window=2)

    assert run.counts == {"finished": 2}
    assert [r.message for r in caplog.records if "tmux" in r.message] == [
        "panes of tmux are not there yet: the run goes on without them"
    ]


def test_lines_tell_every_event(flow, capsys):
    """One plain line per event on stderr, nothing on stdout."""
    flow.run(num_workers=1, progress="lines", run_name="demo")
    out, err = capsys.readouterr()
    lines = [line.split(maxsplit=1)[1] for line in err.splitlines()]

    assert out == ""
    assert lines[0] == "run demo: 2 to run, 0 cached"
    assert lines[1].startswith("[0/2] start   task-1 (task/")
    assert lines[2].startswith("[1/2] done    task-1 (task/")
    assert lines[-1].startswith("2 finished in")
