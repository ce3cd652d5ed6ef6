"""Does every mistake fail before any task runs, and say where it is and how to cure it?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowlib import Flow, TaskSpec
from tests.acceptance import tasks
from tests.acceptance.tasks import noted


class Typed(tasks.Anything):
    """Has typed parameters, so that mistakes can be told."""

    def __init__(
        self, learning_rate: float, layers: list[int], epochs: int = 10, log: str | None = None
    ) -> None:
        super().__init__(log=log)


def wrong_key() -> TaskSpec:
    """A misspelt key."""
    return TaskSpec(Typed, {"learning_rat": 0.1, "layers": [1]}, name="Fit")


def missing_key() -> TaskSpec:
    """A parameter without a default is left out."""
    return TaskSpec(Typed, {"learning_rate": 0.1}, name="Fit")


def wrong_type() -> TaskSpec:
    """A string where a number is wanted."""
    return TaskSpec(Typed, {"learning_rate": "fast", "layers": [1]}, name="Fit")


def unknown_expansion() -> TaskSpec:
    """A misspelt method."""
    config = {"learning_rate": [0.1, 0.2], "layers": [[1]]}
    return TaskSpec(Typed, config, name="Fit", expand="produkt")


def unequal_zip() -> TaskSpec:
    """Three values beside two."""
    config = {"learning_rate": [0.1, 0.2, 0.3], "layers": [[1]], "epochs": [1, 2]}
    return TaskSpec(Typed, config, name="Fit", expand="zip")


def unencodable_value() -> TaskSpec:
    """An object that has no identity."""
    return TaskSpec(Typed, {"learning_rate": 0.1, "layers": [tasks.Opaque()]}, name="Fit")


def ignored_sweep() -> TaskSpec:
    """A sweep over a key that is no part of the identity."""
    config = {"learning_rate": 0.1, "layers": [[1]], "_epochs": [1, 2]}
    return TaskSpec(Typed, config, name="Fit", expand="product", config_ignore_prefix="_")


def wrong_extra() -> TaskSpec:
    """A misspelt additional keyword argument."""
    config = {"learning_rate": 0.1, "layers": [1]}
    return TaskSpec(Typed, config, {"epoch": 3}, name="Fit")


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (wrong_key, ["Fit", "learning_rat", "Did you mean learning_rate?"]),
        (missing_key, ["Fit", "layers", "missing"]),
        (wrong_type, ["Fit", "learning_rate", "fast", "float"]),
        (unknown_expansion, ["Fit", "produkt", "Did you mean product?"]),
        (unequal_zip, ["Fit", "learning_rate", "3", "epochs", "2"]),
        (unencodable_value, ["Fit", "layers", "Opaque"]),
        (ignored_sweep, ["Fit", "epochs", "ignore"]),
        (wrong_extra, ["Fit", "epoch", "Did you mean epochs?"]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_mistake_in_a_spec_is_told_when_the_flow_is_built(
    mistake: Callable[[], TaskSpec], said: list[str], tmp_path: Path
) -> None:
    """Who, where, what was found, what to do; nothing has run."""
    log = tmp_path / "log"
    before = TaskSpec(tasks.Number, {"x": 1}, additional_kwargs={"log": str(log)})
    with pytest.raises(ValueError) as caught:
        Flow([before, mistake()]).run(num_workers=1)
    assert [word for word in said if word not in str(caught.value)] == []
    assert noted(log) == []


def test_cycle_is_told_with_its_names() -> None:
    """The circle is named in the order in which it runs."""
    a, b, c = (TaskSpec(tasks.Anything, name=name) for name in ("First", "Second", "Third"))
    b.requires(a)
    c.requires(b)
    a.requires(c)
    with pytest.raises(ValueError, match=r"First|Second|Third") as caught:
        Flow([a, b, c])
    assert all(name in str(caught.value) for name in ("First", "Second", "Third"))


def test_spec_that_requires_itself_is_a_cycle() -> None:
    """The smallest circle."""
    spec = TaskSpec(tasks.Anything, name="Selfish")
    spec.requires(spec)
    with pytest.raises(ValueError, match="Selfish"):
        Flow([spec])


@pytest.mark.parametrize(
    ("force", "said"),
    [
        ("Numbr", ["Numbr", "Number"]),
        ("Numbr+", ["Numbr", "Number"]),
        (["Number", "nope"], ["nope"]),
        ("all+", ["all"]),
        ("", ["force"]),
    ],
    ids=str,
)
def test_unknown_force_name_is_told(force: Any, said: list[str], tmp_path: Path) -> None:
    """Before anything runs, with the nearest name."""
    log = tmp_path / "log"
    flow = Flow([TaskSpec(tasks.Number, {"x": 1}, additional_kwargs={"log": str(log)})])
    with pytest.raises(ValueError) as caught:
        flow.run(num_workers=1, force=force)
    assert [word for word in said if word not in str(caught.value)] == []
    assert noted(log) == []


def test_force_mixes_all_with_no_names() -> None:
    """`["all", "x"]` is a TypeError, as it was."""
    with pytest.raises(TypeError, match="all"):
        Flow([TaskSpec(tasks.Number)]).run(num_workers=1, force=["all", "Number"])


def test_no_tasks_is_an_error() -> None:
    """An empty flow says so."""
    with pytest.raises(ValueError, match="no tasks"):
        Flow([])


@pytest.mark.parametrize("task", [3, "Number", tasks.Opaque, print])
def test_task_must_be_a_task_class_or_a_function(task: Any) -> None:
    """Anything else is a TypeError that names what was given."""
    with pytest.raises(TypeError, match="Task"):
        TaskSpec(task)


def test_reduce_and_expand_exclude_each_other() -> None:
    """The spec says so when it is made."""
    with pytest.raises(ValueError, match="reduce"):
        TaskSpec(tasks.Gather, reduce=True, expand="product")


def test_unmeetable_resource_is_a_plan_error(tmp_path: Path) -> None:
    """A demand for more than there is fails before anything runs."""
    log = tmp_path / "log"
    spec = TaskSpec(
        tasks.Number, {"x": 1}, additional_kwargs={"log": str(log)}, resources={"gpu": 2}
    )
    with pytest.raises(ValueError, match="Number") as caught:
        Flow([spec]).run(num_workers=2, resources=["cuda:0"])
    assert "gpu" in str(caught.value)
    assert noted(log) == []


def test_errors_have_one_base() -> None:
    """`except FlowError` catches what flowlib raises on purpose."""
    from flowlib.errors import FlowError

    with pytest.raises(FlowError):
        Flow([wrong_key()])
