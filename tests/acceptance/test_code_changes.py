"""Code that is edited between runs: real files, fresh processes, every policy."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest

from stores import LocalFileStore, TaskState
from tests.acceptance.scripts import run_forked, run_python

TASKS = """
    from flowlib import Task
    from near import half

    class Load(Task):
        def run(self):
            return {"numbers": [1, 2, 3]}

    class Train(Task):
        def __init__(self, lr=0.1, epochs=1):
            self.lr, self.epochs = lr, epochs

        def run(self, numbers):
            return {"loss": half(sum(numbers)) * self.lr}

    class Report(Task):
        def run(self, loss):
            return {"text": f"loss {loss}"}
"""
NEAR = """
    from far import FACTOR

    def half(x):
        return x / FACTOR
"""
FAR = """
    FACTOR = 2
"""
FLOW = """
    import json, sys
    from flowlib import CodeChanged, Flow, TaskSpec
    from stores import LocalFileStore, open_store
    from tasks import Load, Report, Train

    def main():
        given = json.loads(sys.argv[1])
        load = TaskSpec(Load)
        train = TaskSpec(Train, {"lr": [0.1, 0.2]}, expand="product", **given.pop("spec", {}))
        flow = Flow([load, train.requires(load), TaskSpec(Report).requires(train)])
        store = LocalFileStore("store")
        accepted = flow.accept(given.pop("accept"), store) if "accept" in given else ()
        why = given.pop("why", None)
        told = {"accepted": [str(each) for each in accepted], "text": str(accepted)}
        try:
            plan = flow.plan(results_store=store, **given)
            told |= {
                "reasons": sorted({f"{plan.graph.nodes[k].name} {r.value}" for k, r in plan.reasons.items()}),
                "changed": [each.unique_name for each in plan.changed],
                "notes": list(plan.notes),
                "stale": [each.unique_name for each in plan.stale],
            }
            if why:
                told |= {"why": str(plan.why(why)), "document": plan.why(why).to_dict()}
            else:
                run = flow.run(num_workers=WORKERS, results_store=store, **given)
                told["loss"] = [each.results["loss"] for each in run["Train"]]
        except CodeChanged as error:
            told["error"] = str(error)
        print(json.dumps(told))

    if __name__ == "__main__":
        main()
"""


class Project:
    """A project in a folder, run in fresh processes."""

    def __init__(self, folder, workers=1, store='LocalFileStore("store")'):
        self.folder = folder
        files = {"tasks": TASKS, "near": NEAR, "far": FAR, "flow": FLOW}
        for name, text in files.items():
            text = text.replace("WORKERS", str(workers)).replace('LocalFileStore("store")', store)
            (folder / f"{name}.py").write_text(textwrap.dedent(text))

    def edit(self, name, old, new):
        path = self.folder / f"{name}.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def run(self, **given):
        """What the script tells, and what it says on stderr."""
        # with PYTHONDONTWRITEBYTECODE=1: there are edits within a second, of one length
        done = run_forked(["flow.py", json.dumps(given)], self.folder)
        assert done.code == 0, done.err
        return json.loads(done.out), done.err

    @property
    def store(self):
        return LocalFileStore(self.folder / "store")


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    project.run()
    return project


def test_a_constant_two_modules_away_is_told_and_the_result_is_used(project):
    """By default: one line that names the specs and the cures, on stderr and in the plan."""
    before, quiet = project.run()
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, err = project.run()

    assert (before["reasons"], before["changed"], quiet) == ([], [], "")
    assert (told["reasons"], told["changed"]) == ([], ["Train-1", "Train-2"])
    assert told["loss"] == before["loss"]
    (note,) = told["notes"]
    assert "the code of Train ×2 has changed" in note
    assert 'on_code_change="rerun"' in note
    assert 'force="Train+"' in note
    assert err.count("the code of Train ×2 has changed") == 1


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tasks", "class Train(Task):", 'class Train(Task):\n    """Learns."""\n'),
        ("near", "return x / FACTOR", "return (\n        x / FACTOR  # the half\n    )"),
        ("near", "from far import FACTOR", "import sys\nfrom far import FACTOR"),
        ("near", "def half(x):", "def unused(): ...\n\n\ndef half(x: float) -> float:"),
        ("far", "FACTOR = 2", "import os\n\nOTHER = 1\nFACTOR: int = 0b10"),
    ],
)
def test_cosmetic_edits_are_silent(project, name, old, new):
    """Docstrings, comments, formatting, annotations, imports and what nobody uses."""
    project.edit(name, old, new)
    told, err = project.run(on_code_change="rerun")

    assert (told["reasons"], told["changed"], err) == ([], [], "")


@pytest.mark.parametrize("workers", [1, 2])
def test_rerun_computes_again_with_all_downstream(tmp_path, workers):
    """The reason is `code`, downstream `upstream`; then all is cached, with the new code."""
    project = Project(tmp_path, workers)
    before, _ = project.run()
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, err = project.run(on_code_change="rerun")
    again, _ = project.run(on_code_change="rerun")

    assert told["reasons"] == ["Report upstream", "Train code"]
    assert told["loss"] == pytest.approx([loss * 2 / 3 for loss in before["loss"]])
    assert "has changed" not in err
    assert (again["reasons"], again["changed"], again["loss"]) == ([], [], told["loss"])


def test_error_runs_nothing(project):
    """It names what has changed and what to do."""
    project.edit("near", "x / FACTOR", "x * FACTOR")
    told, _ = project.run(on_code_change="error")
    kept, err = project.run(on_code_change="error", keep="Train")

    assert "the code of Train ×2 has changed" in told["error"]
    assert "loss" not in told
    assert (kept["reasons"], kept["changed"], err) == ([], [], "")


def test_ignore_says_nothing(project, monkeypatch):
    """As an argument, for a spec, or as the setting."""
    project.edit("near", "x / FACTOR", "x * FACTOR")
    by_argument = project.run(on_code_change="ignore")
    by_spec = project.run(spec={"on_code_change": "ignore"})
    monkeypatch.setenv("FLOWLIB_ON_CODE_CHANGE", "ignore")
    by_setting = project.run()

    for told, err in (by_argument, by_spec, by_setting):
        assert (told["reasons"], told["changed"], told["notes"], err) == ([], [], [], "")


def test_the_argument_wins_over_the_spec_and_the_spec_over_the_setting(project, monkeypatch):
    """The nearest to the call decides."""
    project.edit("near", "x / FACTOR", "x * FACTOR")
    monkeypatch.setenv("FLOWLIB_ON_CODE_CHANGE", "error")
    by_spec, _ = project.run(spec={"on_code_change": "ignore"}, why="Train-1")
    by_argument, _ = project.run(
        spec={"on_code_change": "ignore"}, on_code_change="rerun", why="Train-1"
    )

    assert by_spec["reasons"] == []
    assert by_argument["reasons"] == ["Report upstream", "Train code"]


def test_accepted_results_count_for_the_new_code(project):
    """Nothing is computed, nothing of the results changes, nothing downstream is out of date."""
    before = {record.address: record for record in project.store.records()}
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, err = project.run(accept="Train+", on_code_change="rerun")
    after = {record.address: record for record in project.store.records()}

    assert [each.partition("/")[0] for each in told["accepted"]] == ["Train", "Train"]
    assert (told["reasons"], told["changed"], told["stale"], err) == ([], [], [], "")
    for address, record in after.items():
        known = before[address].finished
        assert record.identity == before[address].identity
        for name in ("number", "started", "ended", "artifacts", "inputs", "run", "provenance"):
            assert getattr(record.finished, name) == getattr(known, name)
        is_accepted = address.task == "Train"
        assert (record.finished.facts != known.facts) is is_accepted
        assert (record.latest.state is TaskState.SAVED) is is_accepted
    assert project.run(accept="Train")[0]["text"] == "there was nothing to accept"


def test_a_changed_default_is_accepted_for_good(project):
    """Also when another parameter is added later; a second change is a new one."""
    project.edit("tasks", "epochs=1", "epochs=5")
    changed, _ = project.run(on_code_change="ignore", why="Train-1")
    accepted, _ = project.run(accept="all", on_code_change="rerun")
    project.edit("tasks", "epochs=5", "epochs=5, size=1")
    added, _ = project.run(on_code_change="ignore", why="Train-1")
    project.edit("tasks", "epochs=5", "epochs=6")
    again, _ = project.run(on_code_change="ignore", why="Train-1")

    assert changed["reasons"] == ["Report upstream", "Train default"]
    assert "accepted: code, default" in accepted["text"]
    assert (accepted["reasons"], added["reasons"]) == ([], [])
    assert again["reasons"] == ["Report upstream", "Train default"]


def test_what_cannot_be_accepted_is_named(project):
    """Results that are not there, or not whole."""
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    records = list(project.store.records("Train"))
    project.store.delete_records(records[0].address, keep_dependents=True)
    told, _ = project.run(accept="Train", why="Train-1")

    assert len(told["accepted"]) == 1
    assert "left as it is: it has no result" in told["text"]


def test_records_without_a_fingerprint_are_unknown(project):
    """Those of earlier versions are used in silence, and get one when they are accepted."""
    for path in (project.folder / "store" / "Train").glob("*.json"):
        record = json.loads(path.read_text())
        del record["latest"]["facts"]["code"]
        path.write_text(json.dumps(record))
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, err = project.run(on_code_change="error")
    accepted, _ = project.run(accept="Train")
    project.edit("far", "FACTOR = 3", "FACTOR = 4")
    later, _ = project.run()

    assert (told["reasons"], err) == ([], "")
    assert len(accepted["accepted"]) == 2
    assert later["changed"] == ["Train-1", "Train-2"]


def test_why_shows_what_was_changed_where_and_since_when(project):
    """The lines that differ, with the run and the moment of the result, and what to do."""
    project.edit("near", "return x / FACTOR", "half = x / FACTOR\n    return half")
    told, _ = project.run(why="Train-1")
    rerun, _ = project.run(why="Train-1", on_code_change="rerun")
    (run_name,) = {record.finished.run.run_name for record in project.store.records()}
    (code,) = [task["code"] for task in told["document"]["tasks"]]

    lines = [line.strip() for line in told["why"].splitlines()]
    (at,) = [n for n, line in enumerate(lines) if line.startswith("code")]
    assert lines[at].startswith(f"code      near.py:4 half changed since run {run_name} (20")
    assert lines[at + 1 : at + 5] == [
        "def half(x):",
        "-    return x / FACTOR",
        "+    half = x / FACTOR",
        "+    return half",
    ]
    assert "is used all the same" in told["why"]
    assert "would run: its result was computed by other code" in rerun["why"]
    assert "flow.accept('Train/" in rerun["why"]
    assert (code["state"], code["run"], code["is_known"]) == ("changed", run_name, True)
    assert [each["name"] for each in code["parts"]] == ["half"]


@pytest.mark.slow
def test_a_database_has_the_texts_beside_its_runs(tmp_path, monkeypatch):
    """Policies, differences and acceptance are those of a folder."""
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = Project(tmp_path, store='open_store("sqlite:///results.db")')
    project.run()
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, _ = project.run(why="Train-1")
    accepted, _ = project.run(accept="Train", on_code_change="rerun")

    assert "-FACTOR = 2" in told["why"]
    assert list((tmp_path / "state" / "flowlib" / "code").iterdir())
    assert len(accepted["accepted"]) == 2
    assert (accepted["reasons"], accepted["stale"]) == ([], [])


def test_why_tells_that_code_is_the_same_or_was_accepted(project):
    """After an acceptance, that is what a later change is compared with."""
    same, _ = project.run(why="Train-1")
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    accepted, _ = project.run(why="Train-1", accept="Train")
    project.edit("far", "FACTOR = 3", "FACTOR = 4")
    later, _ = project.run(why="Train-1")

    assert "code same" in " ".join(same["why"].split())
    assert "code same" in " ".join(accepted["why"].split())
    assert "far.py:2 FACTOR changed since it was accepted" in later["why"]
    assert "-FACTOR = 3" in later["why"]


def test_without_the_old_text_why_says_so(project):
    """Whoever has deleted it knows still that there is a difference."""
    for path in (project.folder / "store" / ".code").iterdir():
        path.unlink()
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    told, _ = project.run(why="Train-1")

    assert "the text of the old code is not there any more" in told["why"]


@pytest.mark.parametrize("how", ["-c", "stdin"])
def test_code_without_a_file_is_no_error(tmp_path, how):
    """It is unknown, and so never changed; from 3.13 on Python keeps the text of `-c`."""
    script = """
        from flowlib import Flow, TaskSpec
        from stores import LocalFileStore

        def task(x=1):
            return {"y": RATE * x}

        RATE = 2
        run = Flow([TaskSpec(task)]).run(num_workers=1, results_store=LocalFileStore("s"))
        print(run["task"][0].results["y"], run.counts)
    """
    outs = []
    for text in (script, script.replace("RATE = 2", "RATE = 3")):
        text = textwrap.dedent(text)
        arguments = {"-c": ["-c", text], "stdin": ["-"]}[how]
        done = run_python(arguments, tmp_path, text if how == "stdin" else "")
        is_told = how == "-c" and sys.version_info >= (3, 13) and outs
        assert done.code == 0, done.err
        assert done.err.startswith("the code of task ×1 has changed") if is_told else not done.err
        outs.append(done.out)

    assert outs == ["2 {'finished': 1}\n", "2 {'cached': 1}\n"]


def test_what_the_code_said_is_kept_once(project):
    """One file for each version of each task, beside the records."""
    folder = project.folder / "store" / ".code"
    first = sorted(folder.iterdir())
    project.run(force="Train")
    assert sorted(folder.iterdir()) == first
    project.edit("far", "FACTOR = 2", "FACTOR = 3")
    project.run(on_code_change="rerun")
    texts = [json.loads(path.read_text()) for path in folder.iterdir()]

    assert len(first) == 3
    assert len(texts) == 4
    parts = {part["name"]: part["text"] for each in texts for part in each["parts"]}
    assert parts["half"] == "def half(x):\n    return x / FACTOR"
