"""Which options do the specs of a flow run with?"""

from __future__ import annotations

import pytest

from flowlib import Flow, InMemoryStore, NothingSelected, SpecError, TaskSpec, sweep
from flowlib.executor import Executor
from flowlib.executors.inline import InlineExecutor
from tests.flowlib.flow_tasks import Train, double, fit, load, pick


@pytest.fixture
def flow():
    """Two models upon data, one of them big, and the best of them."""
    data = load(3)
    small = fit(data, lr=0.1).named("small")
    big = fit(data, lr=1.0).named("big").options(tags=["gpu", "slow"], retries=1)
    return Flow({"best": pick([small["score"], big["score"]])})


def options(flow, name):
    """The options of the one node of a name."""
    (node,) = [each for each in flow.graph if each.unique_name == name]
    return node.declaration.options


def test_a_query_finds_specs_by_name_tag_and_option(flow):
    """Names are those in the flow, of `named` and of tasks, also of what is only read."""
    assert len(flow.query()) == 4
    assert [spec.label for spec in flow.query("^fit$")] == ["small", "big"]
    assert [spec.label for spec in flow.query("big|small").query(tags="slow")] == ["big"]
    assert [spec.name for spec in flow.query(tags=["late", "early"])] == ["pick"]
    assert [spec.name for spec in flow.query("best")] == ["pick"]
    assert [spec.label for spec in flow.query(retries=1)] == ["big"]
    assert repr(flow.query("fit")) == "<FlowQuery of 2: small, big>"


def test_options_are_set_in_the_flow_and_nowhere_else(flow):
    """Calls may be chained; other options stay; keys do not change; nor do the specs."""
    before = {node.unique_name: node.key for node in flow.graph}
    found = flow.query("^fit$").set(retries=3, resources={"gpu": 1})
    found.query(tags="gpu").set(resources={"gpu": 2}, executor_options={"ray": {"num_cpus": 2}})
    assert {node.unique_name: node.key for node in flow.graph} == before
    small, big = options(flow, "small"), options(flow, "big")
    assert (small.resources, small.retries.total) == ({"gpu": 1}, 3)
    assert (big.resources, big.retries.total, big.tags) == ({"gpu": 2}, 3, ("gpu", "slow"))
    assert big.executor_options == {"ray": {"num_cpus": 2}}
    assert options(flow, "load").resources is None
    again = Flow(list(found))
    assert options(again, "big").retries.total == 1
    assert options(again, "small").resources is None


def test_what_is_set_between_two_plans_counts_for_the_second(flow):
    """The graph is made anew when it is asked for."""
    found = flow.query("load")
    first = flow.plan(results_store=InMemoryStore())
    found.set(priority=5)
    second = flow.plan(results_store=InMemoryStore())
    (old,), (new,) = first.graph.by_spec["load"], second.graph.by_spec["load"]
    assert (old.declaration.options.priority, new.declaration.options.priority) == (0, 5)


def test_defaults_are_the_weakest_layer(flow):
    """What a spec says is stronger, what is set in the flow the strongest; one by one."""
    before = [*flow.graph.nodes]
    assert flow.defaults(retries=2, tags=["all"], timeout="1h") is flow
    flow.defaults(timeout="2h").query("small").set(retries=5)
    retries = {node.unique_name: node.declaration.options.retries.total for node in flow.graph}
    assert retries == {"load": 2, "small": 5, "big": 1, "best": 2}
    assert options(flow, "big").tags == ("gpu", "slow")
    assert options(flow, "load").tags == ("all",)
    assert {node.declaration.options.timeout_s for node in flow.graph} == {7200.0}
    assert [*flow.graph.nodes] == before


def test_specs_with_grids_have_layers_too():
    """All tasks of a spec have the same options."""
    spec = TaskSpec(double, {"x": sweep(1, 2, 3)}, retries=1)
    flow = Flow({"doubles": spec}).defaults(fresh_process=True, min_ok=2)
    flow.query("^doubles$").set(priority=3)
    (declaration,) = {node.declaration for node in flow.graph}
    found = declaration.options
    assert (found.retries.total, found.fresh_process, found.priority) == (1, True, 3)
    assert flow.to_document()["specs"]["double"]["priority"] == 3
    assert spec.declaration().options.priority == 0


def test_options_decide_how_a_flow_runs(flow):
    """Those that were set reach the run: here, hooks and what executors are told."""
    seen = []
    flow.query("small").set(before=lambda task: seen.append(task.unique_name))
    flow.query("load").set(executor_options={"keen": {"speed": 9}})
    flow.defaults(before=lambda task: seen.append("any"))
    run = flow.run(results_store=InMemoryStore(), executor=Keen())
    assert run["pick"][0]["result"] == 3.0
    assert seen == ["any", "small", "any", "any"]
    assert Keen.told == {"load": 9}


class Keen(Executor):
    """An executor with options of its own."""

    told: dict[str, int] = {}

    def start(self, setup):
        """Inline workers that note what specs say for them."""
        workers = InlineExecutor().start(setup)
        submit = workers.submit

        def noted(job, assignment):
            if "keen" in assignment.executor_options:
                Keen.told[assignment.name] = assignment.executor_options["keen"]["speed"]
            return submit(job, assignment)

        workers.submit = noted
        return workers


@pytest.mark.parametrize(
    ("ask", "error", "match"),
    [
        (lambda f: f.query("^smal$"), NothingSelected, r"Did you mean small\? There are: best"),
        (lambda f: f.query(tags="gpus"), NothingSelected, "query.tags='gpus'. fits no spec"),
        (lambda f: f.query("fit").query("load"), NothingSelected, "There are: small, big"),
        (lambda f: f.query("fit").set(retrys=1), SpecError, "Did you mean retries"),
        (lambda f: f.query("fit").set(timeout="soon"), SpecError, "timeout is"),
        (lambda f: f.defaults(retries=-1), SpecError, "Flow.defaults: retries"),
        (lambda f: f.query(retires=2), SpecError, "Did you mean retries"),
        (lambda f: f.defaults(executor_options={"ray": 2}), SpecError, "executor_options is"),
        (lambda f: f.defaults(executor_options=2), SpecError, "executor_options is 2"),
        (lambda f: f.defaults(executor_options={3: {}}), SpecError, "keys of executor_options"),
    ],
)
def test_what_fits_nothing_or_is_no_option_is_an_error(flow, ask, error, match):
    """At once, with the nearest name."""
    with pytest.raises(error, match=match):
        ask(flow)


def test_classes_are_found_by_the_names_of_their_tasks():
    """A class that is called is a spec like any other."""
    flow = Flow([Train.spec(lr=0.5), Train.spec(lr=0.7)])
    flow.query("Train").set(priority=1)
    assert {node.declaration.options.priority for node in flow.graph} == {1}


@pytest.mark.parametrize("tags", [3, ["a", 1]])
def test_tags_are_words(tags):
    """One, or several."""
    with pytest.raises(SpecError, match="tags is .*; give a word, or a list of words"):
        TaskSpec(print_nothing, tags=tags)


def print_nothing():
    pass
