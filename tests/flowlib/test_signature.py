"""Which parameters a task takes, and which values surely do not fit them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Optional

import pytest

from flowlib import Task
from flowlib.signature import location_of, signature_of, type_mismatch
from stores import LazySweep, Promise


class WithConstructor(Task):
    def __init__(self, lr: float, epochs: int = 10):
        self.lr = lr

    def run(self, features, labels: Promise, runs: list[LazySweep] | None = None):
        return None


class WithFields(Task):
    lr: float
    layers: list[int] = field(default_factory=lambda: [64])

    def run(self):
        return None


@dataclass
class AsDataclass(Task):
    lr: float = 0.1

    def run(self):
        return None


class TakesAnything(Task):
    def __init__(self, lr, **rest):
        self.rest = rest

    def run(self):
        return None


def function_task(features, lr: float, task, epochs=3):
    return None


def test_a_constructor_gives_the_config_and_run_gives_the_inputs():
    """`self`, *args and **kwargs are no parameters."""
    signature = signature_of(WithConstructor, frozenset())

    assert list(signature.config) == ["lr", "epochs"]
    assert signature.config["lr"].is_required and not signature.config["epochs"].is_required
    assert list(signature.expects) == ["features", "labels", "runs"]
    assert location_of(WithConstructor).startswith(__file__)


def test_lazy_annotations_are_recognised_though_they_are_strings():
    """`from __future__ import annotations` does not disable laziness."""
    assert signature_of(WithConstructor, frozenset()).lazy == {"labels", "runs"}


def test_annotated_fields_are_parameters_when_there_is_no_constructor():
    """A default_factory gives the default."""
    signature = signature_of(WithFields, frozenset())

    assert list(signature.config) == ["lr", "layers"]
    assert signature.config["lr"].is_required
    assert signature.config["layers"].default == [64]
    assert signature.sets_attributes


def test_a_dataclass_task_has_the_constructor_it_was_given():
    """The generated `__init__` counts like a written one."""
    signature = signature_of(AsDataclass, frozenset())

    assert signature.config["lr"].default == 0.1
    assert not signature.sets_attributes


def test_kwargs_take_any_config():
    """`**rest` accepts keys that are not named."""
    assert signature_of(TakesAnything, frozenset()).takes_any_config


def test_a_function_expects_what_the_config_does_not_give():
    """`task` is filled by flowlib, the rest by the predecessors."""
    signature = signature_of(function_task, frozenset({"lr"}))

    assert list(signature.expects) == ["features", "epochs"]
    assert signature.wants_task


@pytest.mark.parametrize(
    ("value", "annotation", "allowed"),
    [
        (1, int, ""),
        (1.5, int, "int"),
        ("0.1", float, "float"),
        (1, float, ""),
        (True, int, "int"),
        (1, bool, "bool"),
        (None, Optional[int], ""),
        (None, int, "int"),
        ("x", int | None, "int | None"),
        ((1, 2), list[int], ""),
        ("ab", list[str], "list"),
        ("sgd", Literal["sgd", "adam"], ""),
        ("sdg", Literal["sgd", "adam"], "Literal['sgd', 'adam']"),
        ("x", Any, ""),
        ("x", int | complex | Task, ""),
    ],
)
def test_only_certain_mismatches_are_reported(value, annotation, allowed):
    """An annotation that cannot be judged fits everything."""
    assert type_mismatch(value, annotation) == allowed
