"""Are calls of `@task` functions specs, with the keys and values that a reader expects?"""

from __future__ import annotations

from typing import Any

import pytest

from flowlib import Failure, Flow, InMemoryStore, TaskSpec, sweep
from flowlib.errors import CallError, ConfigError, GraphError, SpecError
from tests.flowlib.function_tasks import Settings, Train, add, draw, fails, fit, load, told, total


def keys(*specs: TaskSpec) -> list[str]:
    """The keys of the tasks of specs alone, without those that they read."""
    return [node.key for spec in specs for node in Flow([spec]).graph.by_spec[spec.name]]


def values(spec: TaskSpec, num_workers: int = 1) -> list[Any]:
    """What the tasks of a spec give."""
    run = Flow([spec]).run(num_workers=num_workers, results_store=InMemoryStore())
    return [each.results for each in run[spec.name]]


def result(spec: TaskSpec, num_workers: int = 1) -> Any:
    """What the one task of a spec gives under the name `result`."""
    [found] = values(spec, num_workers)
    return found["result"]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_function_gets_values_wherever_specs_stand(num_workers: int) -> None:
    """In lists, tuples, dicts and dataclasses, at any depth; items, too; other values stay."""
    data, model = load(4), fit(load(3))
    given = [data, (model["model"], {"a": data[2], 7: None}), Settings(model["more"][1]["lr"])]
    assert result(total(given), num_workers) == [
        [0, 1, 2, 3],
        (pytest.approx(0.3), {"a": 2, 7: None}),
        Settings(0.1),
    ]


def test_the_value_of_a_dict_is_the_dict() -> None:
    """What saves several artifacts gives them by name."""
    assert values(total(fit(load(2)))) == [{"model": 0.1, "more": [[1, 2], {"lr": 0.1}]}]
    assert result(total([fit(load(2))])) == [{"model": 0.1, "more": [[1, 2], {"lr": 0.1}]}]


def test_every_way_to_write_an_argument_gives_one_key() -> None:
    """By position, by name, at its default, an int for a float."""
    data = load(3)
    same = [fit(data), fit(data, 0.1), fit(data=data), fit(lr=0.1, data=data)]
    assert len(set(keys(*same))) == 1
    assert len(set(keys(fit(data, 2), fit(data, 2.0)))) == 1
    assert len(set(keys(told(1, 2, note="a"), told(1, note="a"), told(1, b="a")))) == 3


def test_where_a_spec_stands_is_part_of_the_key() -> None:
    """Another argument, another place, another item, another spec are other tasks."""
    one, two = load(1), load(2)
    calls = [
        total(one), total(two), total([one]), total((one,)), total({"a": one}), total({"b": one}),
        total([one, two]), total([two, one]), total(one[0]), total([one[0]]), total([one["0"]]),
        add(one, two), add(two, one), add(one), total({"a": {"b": one}}), total({"a.b": one}),
        total(Settings(one)), total(Settings(one, 2)),
    ]  # fmt: skip
    assert len(set(keys(*calls))) == len(calls)


def test_sweeps_may_stand_anywhere() -> None:
    """In place of an argument, in a container, in a dataclass; of specs, too."""
    assert values(add(sweep(1, 2), sweep(10, 20))) == [{"result": n} for n in (11, 21, 12, 22)]
    assert values(total([0, {"x": sweep(1, 2)}])) == [{"result": [0, {"x": n}]} for n in (1, 2)]
    assert values(total(sweep(load(1), load(2)))) == [{"result": [0]}, {"result": [0, 1]}]
    assert [each["result"].factor for each in values(total(Settings(load(1), sweep(1, 2))))] == [
        1,
        2,
    ]


def test_a_list_is_a_value() -> None:
    """Only sweep() makes several tasks of a call."""
    assert result(total([1, 2])) == [1, 2]


def test_a_reduce_gets_all_values_in_order() -> None:
    """Every spec in the arguments stands for the list of its values."""
    models = fit(load(3), lr=sweep(0.1, 1.0))
    assert result(total.reduce([models["model"], 5])) == [[pytest.approx(0.3), 3.0], 5]


def test_a_reduce_over_named_parameters_groups() -> None:
    """One call for each combination of the others."""
    runs = add(sweep(1, 2), second=sweep(10, 20))
    assert values(total.reduce_over("second")(runs)) == [{"result": [11, 21]}, {"result": [12, 22]}]
    with pytest.raises(SpecError, match="reduce names 'sedond'"):
        Flow([total.reduce_over("sedond")(runs)])


def test_map_gives_a_call_for_each_value() -> None:
    """Of one list, or of several in step."""
    assert result(total(add.map([1, 2, 3], second=5))) == [6, 7, 8]
    assert result(total(add.map([1, 2], [10, 20]))) == [11, 22]
    with pytest.raises(CallError, match="equally long: got 2, 1"):
        add.map([1, 2], [1])


def test_ignored_parameters_reach_the_function_and_no_key() -> None:
    """Named by the decorator or by the annotation."""
    plain, loud = draw(1, seed=2), draw(1, seed=2, verbose=True, quiet=False)
    assert keys(plain) == keys(loud)
    with pytest.raises(SpecError, match=r"draw.verbose is ignored.*cannot hold <call of load>"):
        draw(1, seed=2, verbose=load(1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add(), r"add\(\) is missing first"),
        (lambda: add(1, 2, 3), r"add\(\) takes 2 arguments by position, but 3 were given"),
        (lambda: add(1, secnd=2), r"add\(\) got 'secnd', .* Did you mean second\?"),
        (lambda: add(1, first=2), r"add\(\) got 'first' twice"),
        (lambda: add("one"), r"add.first is 'one' \(str\), but add .* wants int"),
        (lambda: draw(1), r"draw\(\) is missing seed"),
        (lambda: total(iter([1])), r"total: values is an iterator .*make it a list"),
        (lambda: total({load(1)}), r"<call of load> can be an argument of a call"),
    ],
)
def test_a_wrong_call_is_refused_where_it_is_written(call: Any, message: str) -> None:
    """Before anything is run, with what is wrong and what could be right."""
    with pytest.raises(SpecError, match=message):
        call()


def test_a_spec_cannot_be_walked_through() -> None:
    """Nobody knows how many values it will have."""
    with pytest.raises(TypeError, match="name its items"):
        list(load(1))


def test_classes_are_called_by_spec() -> None:
    """The parameters of `run` come first, then those of `__init__`."""
    data = load(4)
    assert values(Train.spec(data, 0.5)) == [{"score": 2.0}]
    assert keys(Train.spec(data, lr=0.5)) == keys(Train.spec(data=data, lr=0.5, depth=1))
    assert result(total(Train.spec(data, lr=sweep(1))["score"])) == 4.0


def test_calls_of_one_function_stand_together() -> None:
    """They are numbered; keys know nothing of the number."""
    chain: Any = add(1)
    for _ in range(3):
        chain = add(chain)
    flow = Flow([chain, load(1)])
    assert [node.unique_name for node in flow.graph.by_spec["add"]] == [
        f"add-{n}" for n in range(1, 5)
    ]
    assert len(Flow([load(1), load(1), load(2)]).graph) == 2


def test_names_are_labels() -> None:
    """A named call has the key of the same call without a name."""
    model = fit(load(1)).named("model")
    flow = Flow([model, fit(load(2))])
    assert {node.unique_name for node in flow.graph} >= {"model"}
    assert keys(model) == keys(fit(load(1)))
    for doubled in ([load(1).named("x"), load(2).named("x")], [load(1).named("fit"), fit([1])]):
        with pytest.raises(GraphError, match="give (one of them another|it another) name"):
            Flow(doubled)


def test_options_are_no_part_of_the_key() -> None:
    """Calls of one function may differ in them."""
    plain, eager = add(1), add(1, 2).options(retries=2, priority=3, tags=["a"])
    assert keys(add(1, 2)) == keys(eager)
    found = [node.declaration.options.priority for node in Flow([plain, eager]).graph]
    assert sorted(found) == [0, 3]
    with pytest.raises(SpecError, match=r"there is no option 'retry'. Did you mean retries\?"):
        add(1).options(retry=1)


def chain_of(length: int) -> TaskSpec:
    """Calls that read each other."""
    spec: Any = add(0)
    for _ in range(length - 1):
        spec = add(spec)
    return spec  # type: ignore[no-any-return]  # a call


def test_a_long_chain_is_built_without_recursion() -> None:
    """10,000 calls, each of which reads the one before."""
    assert len(Flow([chain_of(10_000)]).graph) == 10_000


def test_functions_that_feed_each_other_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """One box each, without the lines that lead back; all of them count as one spec."""
    chain: Any = add(1)
    for _ in range(70):
        chain = add(chain, total(chain))
    flow = Flow([chain])
    flow.draw(use_unicode=False)
    assert "add x71" in capsys.readouterr().out.replace("×", "x")
    assert "add" in str(flow.draw("dot"))


def test_latest_results_are_those_that_nothing_reads() -> None:
    """Also where calls of one function read each other."""
    flow = Flow([add(add(1)), fit(load(2))])
    run = flow.run(num_workers=1, results_store=InMemoryStore(), return_results="latest")
    assert sorted(run) == ["add", "fit"]


def test_a_document_holds_no_calls() -> None:
    """The error says what to do."""
    with pytest.raises(ConfigError, match="run the script that makes it"):
        Flow([load(1)]).to_document()


def test_selectors_know_functions_and_labels() -> None:
    """The name of the function means all of its calls."""
    flow = Flow([fit(load(1)).named("small"), fit(load(2))])
    store = InMemoryStore()
    flow.run(num_workers=1, results_store=store)
    assert len(flow.plan(force="fit", results_store=store).reasons) == 2
    [key] = flow.plan(force="small", results_store=store).reasons
    assert flow.graph.nodes[key].unique_name == "small"


def test_a_failure_may_be_an_argument() -> None:
    """Under `on_failure="pass"`, in its place; without a word what reads it is not run."""
    flow = Flow([total([load(1), load(-1), fails(1)]).options(on_failure="pass"), total(fails(1))])
    run = flow.run(num_workers=1, results_store=InMemoryStore(), exit_on_error=False)
    [passed, cut] = sorted(run["total"], key=lambda each: each.results is None)
    assert passed["result"][:2] == [[0], []]
    assert isinstance(passed["result"][2], Failure)
    assert cut.results is None


def test_a_sweep_over_specs_that_vary_is_told_where_it_is_not_clear() -> None:
    """What belongs together could not be known."""
    swept = load(sweep(1, 2))
    mixed = total(sweep(swept, load(9)))
    with pytest.raises(GraphError, match="reads load in some of its tasks only"):
        Flow([total([mixed, swept])])
