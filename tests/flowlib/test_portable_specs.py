"""Is a spec that was written down, in plain values or as Python, the same one again?"""

from __future__ import annotations

import datetime
import functools
import json
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib import (
    Flow,
    InputFile,
    SpecError,
    TaskSpec,
    integers,
    sh,
    sweep,
    task,
    uniform,
    zipped,
)
from tests.flowlib import portable_specs
from tests.flowlib.portable_specs import (
    Color,
    Mode,
    Outer,
    Point,
    Prepare,
    Train,
    before_it,
    eager,
    give,
    join,
    score,
)

VALUES = [
    None,
    True,
    -7,
    1 << 70,
    10**1000,
    1.5,
    -0.0,
    math.nan,
    -math.inf,
    1 + 2j,
    complex(math.nan, -0.0),
    "text",
    "$sweep",
    "\ud800 line\nbreak",
    b"\x00bytes",
    bytearray(b"more"),
    (1, (2, [3, {"a": ()}])),
    {1, 2, 3},
    frozenset({("a", 1)}),
    set(),
    frozenset(),
    {"a": {"b": 1}, "$c": 2},
    {1: "one", (2, 3): None},
    range(1, 9, 2),
    slice(1, None, 2),
    Path("data/x.csv"),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 678),
    datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    datetime.date(2026, 1, 2),
    datetime.time(3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    datetime.timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    Fraction(1, 3),
    uuid.UUID(int=7),
    re.compile("a+", re.IGNORECASE),
    Color.RED,
    Color.BLUE,
    Mode.READ | Mode.WRITE,
    Point(1, 2.5),
    Outer(),
    Outer.Inner((Color.BLUE,)),
    Outer.Net,
    Color,
    math.sin,
    score,
    give,
    functools.partial(score, weight=2.0),
]


def same(one: Any, other: Any) -> bool:
    """Whether two values have the same types everywhere, and print alike."""
    if isinstance(one, functools.partial):
        return (one.func, one.args, one.keywords) == (other.func, other.args, other.keywords)
    return type(one) is type(other) and repr(one) == repr(other)


def by_dict(spec: TaskSpec) -> TaskSpec:
    """Through JSON."""
    return TaskSpec.from_dict(json.loads(json.dumps(spec.to_dict())))


def by_python(spec: TaskSpec) -> TaskSpec:
    """Through a module with the imports and the expression."""
    module: dict[str, Any] = {}
    text = spec.to_python(with_imports=True)
    exec(text, module)  # noqa: S102  # that is what it is for
    assert isinstance(module["spec"], TaskSpec)
    again = eval(spec.to_python(), module)  # noqa: S307  # the same
    assert keys(again) == keys(module["spec"])
    return module["spec"]


def keys(spec: TaskSpec) -> list[tuple[str, str]]:
    """Of all tasks, also upstream."""
    return sorted((node.name, node.key) for node in Flow([spec]).graph)


WAYS = [by_dict, by_python]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_with_their_types(value: Any, way: Callable[..., TaskSpec]) -> None:
    """And so with the same key, alone and inside of others."""
    spec = TaskSpec(Prepare, {"value": [value, {"inside": (value,)}]})
    again = way(spec)
    found = again.config["value"]
    assert same(found[0], value)
    assert same(found[1]["inside"][0], value)
    assert keys(again) == keys(spec)


@pytest.mark.parametrize("way", WAYS)
def test_a_graph_of_specs_comes_back(way: Callable[..., TaskSpec]) -> None:
    """With sweeps, options, names, and with one spec where two read the same."""
    data = TaskSpec(Prepare, {"value": sweep(1, 2), "_note": "x"}, config_ignore_prefix="_")
    nets = TaskSpec(
        Train,
        {"lr": zipped(0.1, 0.2), "layers": zipped([64], [64, 64], group="zipped()")},
        additional_kwargs={"activation": score},
        name="net",
        version="v2",
        resources={"gpu": 1, "mem": "8GB"},
        retries={"oom": 2},
        timeout="2h",
        tags=["big"],
        before=before_it,
    ).requires(data)
    best = TaskSpec(score, {"weight": 2.0}, name="best", reduce=["lr"], min_ok=0.5, priority=3)
    best.requires(nets, data)
    again = way(best)
    assert keys(again) == keys(best)
    assert [each.name for each in again.predecessors] == ["net", "Prepare"]
    net, prepare = again.predecessors
    assert net.predecessors == [prepare]
    assert net.declaration().options == nets.declaration().options
    assert again.declaration().options == best.declaration().options
    assert prepare.config == {"value": sweep(1, 2), "_note": "x"}
    assert net.additional_kwargs == {"activation": score}


@pytest.mark.parametrize("way", WAYS)
def test_calls_come_back(way: Callable[..., TaskSpec]) -> None:
    """With items, labels, options and all kinds of parameters."""
    numbers = give([1, 2], 3, 4, note="x", other=Color.RED)
    both = join([numbers, numbers[0], {"a": give(sweep(1, 2)), "b": eager.spec(3)}])
    last = join.reduce([both[1], Outer.Net.spec(both), Train.spec(data=numbers, lr=0.5)])
    spec = last.named("last").options(retries=0, tags=["t"])
    again = way(spec)
    assert keys(again) == keys(spec)
    assert (repr(again), again.declaration().options) == (
        "<call last>",
        spec.declaration().options,
    )
    assert again.declaration().options.retries.total == 0
    assert by_dict(again).to_dict() == spec.to_dict()


@pytest.mark.parametrize("way", WAYS)
def test_programs_come_back(way: Callable[..., TaskSpec], tmp_path: Path) -> None:
    """With files, templates and what they read from others."""
    path = tmp_path / "input.txt"
    path.write_text("1")
    first = sh(["cat", "a.txt"], inp={"a.txt": InputFile(path)}, name="first", env={"A": "b"})
    second = sh(["cp", "b", "c"], inp={"b": first["stdout"]}, out=["c"], timeout=5)
    assert keys(way(second)) == keys(second)


@pytest.mark.parametrize("way", WAYS)
def test_what_varies_comes_back(way: Callable[..., TaskSpec]) -> None:
    """Of each kind, with conditions."""
    config = {
        "value": {
            "kernel": sweep("rbf", "linear"),
            "gamma": sweep(0.1, 1).when(kernel="rbf"),
            "layers": [1, 2, "@g"],
            "depth": zipped(3, 4, group="@g"),
        }
    }
    spec = TaskSpec(Prepare, config, expand="product", config_group_prefix="@")
    assert keys(way(spec)) == keys(spec)
    assert way(spec).config == config
    drawn = {"value": uniform(0.1, 1, log=True).when(note=("a", 2)), "note": integers(1, 3)}
    sampled = TaskSpec(Prepare, drawn, expand={"random": {"n": 3, "seed": 1}})
    assert way(sampled).config == drawn
    assert way(sampled).expand_method == sampled.expand_method


def test_the_text_is_what_one_would_write() -> None:
    """Short names, and a name for what is used twice."""
    assert give(3).to_python() == "give(3)"
    numbers = give([1])
    assert join([numbers, numbers]).to_python() == "join(values=[(spec_1 := give([1])), spec_1])"
    spec = TaskSpec(Train, {"lr": sweep(0.1, 0.2)}, retries=2).requires(TaskSpec(Prepare))
    assert spec.to_python(with_imports=True) == (
        "from flowlib import TaskSpec\n"
        "from flowlib import sweep\n"
        "from tests.flowlib.portable_specs import Prepare\n"
        "from tests.flowlib.portable_specs import Train\n"
        "\n"
        "spec = TaskSpec(Train, config={'lr': sweep(0.1, 0.2)}, retries=2)"
        ".requires([TaskSpec(Prepare)])\n"
    )


def test_the_form_is_plain_and_read_by_anybody() -> None:
    """Lists, dicts, texts and numbers."""
    spec = TaskSpec(Train, {"lr": 0.5, "layers": (64,)}).requires(TaskSpec(Prepare))
    assert spec.to_dict() == {
        "flowlib": 1,
        "specs": [
            {"task": f"{portable_specs.__name__}:Prepare", "name": "Prepare"},
            {
                "task": f"{portable_specs.__name__}:Train",
                "name": "Train",
                "config": {"lr": 0.5, "layers": {"$tuple": [64]}},
                "requires": [0],
            },
        ],
    }


@pytest.mark.parametrize("write", [TaskSpec.to_dict, TaskSpec.to_python])
def test_what_no_name_leads_to_is_refused(write: Callable[[TaskSpec], object]) -> None:
    """With the place and the cure."""

    @task(name="local")
    def local(x: Any) -> Any:
        return x

    with pytest.raises(SpecError, match=r"local: .* is defined inside a function, so no name"):
        write(local(1))
    spec = TaskSpec(Prepare, additional_kwargs={"value": [object()]})
    with pytest.raises(
        SpecError, match=r"Prepare\S*value\S*0\S* is of the type object|is a object"
    ):
        write(spec)


def test_forms_that_are_none_are_refused() -> None:
    """And those of a newer flowlib, and what is not there any more."""
    with pytest.raises(SpecError, match="what TaskSpec.to_dict"):
        TaskSpec.from_dict({"task": "x"})
    with pytest.raises(SpecError, match="newer flowlib"):
        TaskSpec.from_dict({"flowlib": 2, "specs": [{}]})
    form = TaskSpec(Prepare).to_dict()
    form["specs"][0]["task"] = f"{portable_specs.__name__}:Gone"
    with pytest.raises(SpecError, match="leads to nothing"):
        TaskSpec.from_dict(form)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_NESTED = st.recursive(
    _SCALARS | st.datetimes() | st.sampled_from([*Color]),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers(), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(_NESTED)
def test_any_nesting_comes_back(value: Any) -> None:
    """Both ways."""
    spec = TaskSpec(Prepare, {"value": value})
    for way in WAYS:
        again = way(spec)
        assert same(again.config["value"], value)
        assert keys(again) == keys(spec)
