"""Which picture fits, is it what it was, and does no line leave the terminal?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowlib.console_graph import charset, graph_lines
from flowlib.console_text import plain
from flowlib.errors import GraphError
from flowlib.graph_summary import GraphFacts, TaskFacts, Wish
from tests.flowlib.graph_cases import FOLDER, Builder, names_of_pictures, picture, sweep
from tests.flowlib.picture_tracer import Tracer
from tests.flowlib.test_console_painter import random_graph

STATES = ["finished", "cached", "running", "failed", "killed", "upstream_failed", "pending"]


def text_of(facts, width, wish=Wish(), is_unicode=True):  # noqa: B008  # it is frozen
    return plain(graph_lines(facts, width, charset(is_unicode), wish))


def random_facts(seed, nodes, name_of, state_of=lambda _: None):
    targets = random_graph(seed, nodes, int(nodes * 1.2), 8)
    sources = [[] for _ in targets]
    for node, near in enumerate(targets):
        for each in near:
            sources[each].append(node)
    tasks = [TaskFacts(name_of(n), name_of(n), "", "", state_of(n)) for n in range(nodes)]
    return GraphFacts(tasks, sources), targets


@pytest.mark.parametrize("name", names_of_pictures())
def test_the_picture_is_the_one_that_was_looked_at(name):
    """`python -m tests.flowlib.graph_cases` writes them anew."""
    text = picture(name)
    assert text == (FOLDER / name).read_text()
    assert max(map(cell_len, text.splitlines())) <= int(name.split("-")[-2])
    assert text.isascii() == ("ascii" in name)


def test_every_golden_file_has_its_case():
    """None is left over."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(names_of_pictures())


@given(
    st.integers(),
    st.lists(st.tuples(st.text(max_size=12), st.sampled_from(STATES)), min_size=1, max_size=30),
    st.integers(1, 200),
    st.booleans(),
    st.sampled_from([None, True, False]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_line_is_wider_than_asked_and_nothing_is_obeyed(seed, nodes, width, is_unicode, tasks):
    """Names of any characters, any width from one cell on."""
    facts, _ = random_facts(seed, len(nodes), lambda n: nodes[n][0] or "_", lambda n: nodes[n][1])
    chars = charset(is_unicode, "utf-8" if is_unicode else "ascii")
    try:
        lines = graph_lines(facts, width, chars, Wish(tasks=tasks))
    except GraphError:  # nodes of one name are one spec, which may then read from itself
        return
    for line in lines:
        text = "".join(span.text for span in line)
        assert cell_len(text) <= width
        assert text.isprintable()
        assert text == text.rstrip()
        assert is_unicode or text.isascii()
        assert all(a.style != b.style for a, b in pairwise(line))


@given(st.integers(), st.integers(1, 60), st.booleans())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_states_do_not_disturb_the_lines(seed, nodes, is_unicode):
    """With icons, too, every line leads where its edge does."""
    facts, targets = random_facts(seed, nodes, "n{}".format, lambda n: STATES[n % 7])
    tracer = Tracer(text_of(facts, 10_000, Wish(tasks=True), is_unicode).splitlines()[:-2])
    assert tracer.names() == sorted(f"n{number}" for number in range(nodes))
    assert tracer.edges() == {(f"n{a}", f"n{b}") for a, near in enumerate(targets) for b in near}


def test_sixty_tasks_are_tasks_and_more_are_specs():
    """Whoever wants more asks for them."""
    build = Builder()
    build.spec("Many", [f"x={n}" for n in range(60)], [()])
    assert len(text_of(build.facts(), 80).splitlines()) == 60
    build.spec("One", [""], [()])
    assert text_of(build.facts(), 80) == "Many ×60\nOne\n"
    assert len(text_of(build.facts(), 80, Wish(tasks=True)).splitlines()) == 61


def test_tasks_that_do_not_fit_become_specs_then_lose_counts_config_and_letters():
    """The order in which things are dropped as the terminal gets narrower."""
    facts = sweep(3)
    assert "lr=0.01" in text_of(facts, 100)
    specs = text_of(facts, 100, Wish(tasks=False))
    assert "✖ Train ×12 ✔9 ▶2 ✖1 ──" in specs
    assert "✖ Train ×12 ──" in text_of(facts, 85, Wish(tasks=False))
    task = Wish(around="Train-4")
    assert "✔ Train lr=0.1 ──" in text_of(facts, 90, task)
    assert "✔ Train-4 ──" in text_of(facts, 78, Wish(around="Train-4"))
    assert "✔ Tra…n" in text_of(facts, 64, task) or "✔ Tr…-4" in text_of(facts, 64, task)
    assert "✔ Train-4 lr=0.1 ← Tfidf-1, Glove-2\n" in text_of(facts, 60, task)


def test_wide_characters_keep_the_columns():
    """A name of three characters may take six cells."""
    build = Builder()
    (start,) = build.spec("开始", [""], [()])
    build.spec("b", ["x=模型", "x=2"], [(start,)])
    first, second = text_of(build.facts(), 80).splitlines()
    assert cell_len(first[: first.index("b ")]) == cell_len(second[: second.index("b ")])


def test_names_and_values_cannot_break_the_picture():
    """A newline or an escape sequence in a config is shown as what it is."""
    build = Builder()
    build.spec("a\nb", ["x=\x1b[2J", "x=1"], [()])
    assert text_of(build.facts(), 80) == "a\\nb x=\\x1b[2J\na\\nb x=1\n"


def test_one_node_is_its_name():
    """Nothing else to tell."""
    assert text_of(GraphFacts([TaskFacts("Train", "Train")], [()]), 80) == "Train\n"
    assert text_of(GraphFacts([], []), 80) == ""


def test_a_chain_of_thousands_is_a_list():
    """It is wider than any terminal, and nothing recurs."""
    facts = GraphFacts(
        [TaskFacts(f"n{n}", f"n{n}") for n in range(5000)],
        [(n - 1,) if n else () for n in range(5000)],
    )
    lines = text_of(facts, 80).splitlines()
    assert lines[:2] == ["n0", "n1 ← n0"]
    assert lines[-1] == "n4999 ← n4998"
    assert len(lines) == 5000


def test_ten_thousand_tasks_are_painted_when_they_are_wanted():
    """A row for each; every line leads to the right one."""
    build = Builder()
    roots = build.spec("A", [f"x={n}" for n in range(100)], [()])
    build.spec("B", [f"y={n}" for n in range(99)], [(each,) for each in roots])
    facts = build.facts()
    named = GraphFacts([TaskFacts(f"n{i}", f"n{i}") for i in range(10_000)], facts.sources)
    tracer = Tracer(text_of(named, 40, Wish(tasks=True)).splitlines())
    assert len(tracer.names()) == 10_000
    assert tracer.edges() == {
        (f"n{source}", f"n{task}") for task, near in enumerate(facts.sources) for source in near
    }


def test_a_width_of_nothing_is_an_error():
    """It is a mistake of the caller's."""
    with pytest.raises(ValueError, match="at least 1 wide"):
        text_of(sweep(3), 0)
