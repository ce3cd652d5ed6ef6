"""Do exported graphs hold what the graph holds, whatever its names are? Each is parsed here."""

from __future__ import annotations

import base64
import json
import re
from xml.etree import ElementTree

import pytest

from flowlib import Flow, SelectorError, TaskSpec
from flowlib.graph_export import FORMS, GraphExport
from flowlib.graph_summary import GraphFacts, TaskFacts, Wish
from flowlib.graph_svg import DARK_TEXT, LIGHT_TEXT
from flowlib.page_colours import LINE, NO_STATE, colour_of
from flowlib.vocabulary import SHOWN_STATES

SVG = "{http://www.w3.org/2000/svg}"
NASTY = [
    'say "hi"',
    "back\\slash\\",
    "<b>&amp;</b>",
    "line\nbreak\x00\x1b[31m",
    "]]> --> n1; %% #quot; `md`",
    "ü ✔ 漢字",
    "\udc80lone",
    "end\\",
    "{a|b} [c] (d)",
]


def facts(*tasks, edges=()):
    """A graph of tasks, of which each is named by its spec or described by `TaskFacts`."""
    made = [each if isinstance(each, TaskFacts) else TaskFacts(each, each) for each in tasks]
    sources = [[s for s, target in edges if target == number] for number in range(len(made))]
    return GraphFacts(made, sources)


def export(form, *tasks, edges=(), wish=Wish()):  # noqa: B008  # it is frozen
    return str(GraphExport.of(facts(*tasks, edges=edges), form, wish))


# -- readers of the languages, as far as they are used -----------------------------------------

_DOT_STRING = r'"((?:[^"\\]|\\.)*)"'


def read_dot(text):
    """Labels by node, and edges; every line must be one that the grammar knows."""
    nodes, edges = {}, []
    head, direction, style, *lines, end = text.splitlines()
    assert (head, direction, end) == ("digraph flow {", "  rankdir=LR;", "}")
    assert style.startswith("  node [shape=box")
    for line in lines:
        if found := re.fullmatch(r"  n(\d+) -> n(\d+);", line):
            edges.append((int(found[1]), int(found[2])))
        else:
            pattern = rf'  n(\d+) \[label={_DOT_STRING}, tooltip={_DOT_STRING}, color="(#\w+)"\];'
            found = re.fullmatch(pattern, line)
            assert found, line
            assert set(re.findall(r"\\(.)", found[2] + found[3])) <= set('\\"n')
            nodes[int(found[1])] = re.sub(r"\\(.)", r"\1", found[2]).replace("&amp;", "&")
    return [nodes[number] for number in range(len(nodes))], edges


def read_mermaid(text):
    """Labels by node, edges, and classes."""
    head, *lines = text.splitlines()
    assert head == "flowchart LR"
    nodes, edges, classes = {}, [], {}
    for line in lines:
        if found := re.fullmatch(r"  n(\d+) --> n(\d+)", line):
            edges.append((int(found[1]), int(found[2])))
        elif found := re.fullmatch(r"  class ([n\d,]+) (\w+)", line):
            classes[found[2]] = found[1].split(",")
        elif not re.fullmatch(r"  classDef \w+ stroke:#\w+,stroke-width:2px", line):
            found = re.fullmatch(r'  n(\d+)\["((?:[^"#\[\]{}<>|`;&\\]|#\d+;)*)"\]', line)
            assert found, line
            nodes[int(found[1])] = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), found[2])
    return [nodes[number] for number in range(len(nodes))], edges, classes


def read_svg(text):
    """Texts of nodes and how many lines there are; it must be XML."""
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    labels = [group.find(f"{SVG}text").text for group in root.findall(f"{SVG}g")]
    return root, labels, len(root.findall(f"{SVG}path"))


# -- what stands in them -----------------------------------------------------------------------

SHOWN = [
    'say "hi"',
    "back\\slash\\",
    "<b>&amp;</b>",
    "line\\nbreak\\x00\\x1b[31m",
    "]]> --> n1; %% #quot; `md`",
    "ü ✔ 漢字",
    "\\udc80lone",
    "end\\",
    "{a|b} [c] (d)",
]
EDGES = [(0, 1), (0, 2), (1, 3), (2, 3)]


def test_names_of_any_kind_come_back():
    """Quotes, markup, line breaks, control characters: told, and never obeyed."""
    labels, edges = read_dot(export("dot", *NASTY, edges=EDGES))
    assert (labels, sorted(edges)) == (SHOWN, EDGES)
    labels, edges, _ = read_mermaid(export("mermaid", *NASTY, edges=EDGES))
    assert (labels, sorted(edges)) == (SHOWN, EDGES)
    _, labels, lines = read_svg(export("svg", *NASTY, edges=EDGES))
    assert (labels, lines) == (SHOWN, 4)
    document = json.loads(export("json", *NASTY, edges=EDGES))
    assert [node["spec"] for node in document["nodes"]] == NASTY
    assert [(edge["source"], edge["target"]) for edge in document["edges"]] == EDGES


def task(number, state=None, spec="Train"):
    config = f"lr=0.{number}\nnote='<&\"\\n'"
    return TaskFacts(spec, f"{spec}-{number}", f"{number:032x}", f"lr=0.{number}", state, config)


def test_json_tells_all_of_a_node():
    """As docs/drawing.md describes it."""
    both = [task(1, "finished"), task(2, "upstream_failed")]
    whole = json.loads(export("json", *both))
    assert whole["schema"] == 1
    assert whole["nodes"][0] == {
        "spec": "Train",
        "name": "Train-1",
        "id": "Train/00000000",
        "is_spec": False,
        "tasks": 1,
        "state": "finished",
        "states": {"finished": 1},
        "varying": "lr=0.1",
        "config": ["lr=0.1", "note='<&\"\\n'"],
    }
    (spec,) = json.loads(export("json", *both, wish=Wish(tasks=False)))["nodes"]
    assert (spec["is_spec"], spec["tasks"], spec["state"]) == (True, 2, "skipped")
    assert spec["states"] == {"finished": 1, "skipped": 1}


def test_a_spec_has_a_bar_of_states():
    """The worst first, as wide as they are many; the legend counts them."""
    tasks = [task(n, "finished" if n > 2 else "failed") for n in range(8)]
    root, labels, _ = read_svg(export("svg", *tasks, wish=Wish(tasks=False)))
    assert labels == ["✖ Train ×8"]
    box, failed, finished = root.find(f"{SVG}g").findall(f"{SVG}rect")
    width = float(box.get("width"))
    assert (box.get("stroke"), failed.get("fill")) == (colour_of("failed"), colour_of("failed"))
    assert float(failed.get("width")) == pytest.approx(width * 3 / 8, abs=0.1)
    assert float(finished.get("x")) == pytest.approx(width * 3 / 8, abs=0.1)
    assert [each.text for each in root.findall(f"{SVG}text")] == ["✖ 3 failed", "✔ 5 finished"]
    assert root.find(f"{SVG}g/{SVG}title").text.splitlines()[1:] == [
        "8 tasks",
        "3 failed, 5 finished",
    ]


def test_text_is_as_wide_as_it_was_meant_to_be():
    """Whatever the font; nothing comes from anywhere else."""
    text = export("svg", "a wide name 漢字", "b", edges=[(0, 1)])
    root, _, _ = read_svg(text)
    for group in root.findall(f"{SVG}g"):
        length = float(group.find(f"{SVG}text").get("textLength"))
        assert length < float(group.find(f"{SVG}rect").get("width"))
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert "href" not in text


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
@pytest.mark.parametrize(
    "colour", [LINE, NO_STATE, LIGHT_TEXT, DARK_TEXT, *sorted(map(colour_of, SHOWN_STATES))]
)
def test_colours_can_be_read_on_light_and_on_dark(colour, page):
    """The setting of the system does not tell what the page around a picture is: WCAG's 3:1."""
    light, dark = sorted([_luminance(colour), _luminance(page)], reverse=True)
    wanted = 2.6 if colour == DARK_TEXT else 3.0
    assert (light + 0.05) / (dark + 0.05) >= wanted


def test_states_are_classes_in_mermaid():
    """Of those that are there."""
    _, _, classes = read_mermaid(export("mermaid", task(1, "finished"), task(2, "failed")))
    assert classes == {"finished": ["n0"], "failed": ["n1"]}


# -- flows -------------------------------------------------------------------------------------


def load(n):
    return {"data": n}


def train(data, lr):
    return {"acc": lr}


@pytest.fixture
def flow():
    loads = TaskSpec(load, {"n": [1, 2]}, expand="product", name="Load")
    trains = TaskSpec(train, {"lr": [0.1, 0.2]}, expand="product", name="Train").requires(loads)
    return Flow([loads, trains])


def test_a_flow_gives_every_form(flow, tmp_path):
    """To print, to save; with the states of the last run."""
    labels, edges = read_dot(str(flow.draw("dot")))
    assert labels[:3] == ["Load n=1", "Load n=2", "Train lr=0.1"]
    assert len(edges) == 4
    flow.run(num_workers=1)
    labels, edges, classes = read_mermaid(str(flow.draw("mermaid", tasks=False)))
    assert (labels, edges) == (["✔ Load ×2", "✔ Train ×4"], [(0, 1)])
    assert classes == {"finished": ["n0", "n1"]}
    around = json.loads(str(flow.draw("json", around="Train-1")))
    assert [node["name"] for node in around["nodes"]] == ["Load-1", "Train-1"]
    for form in FORMS:
        drawn = flow.draw(form, expand="Train")
        path = drawn.save(tmp_path / f"ü.{form}")
        assert path.read_text(encoding="utf-8") == str(drawn)
        assert str(drawn).endswith("\n")
        assert repr(drawn).startswith(f"<GraphExport {form}: ")


def test_what_cannot_be_drawn_is_an_error(flow):
    """With what there is."""
    with pytest.raises(ValueError, match="no view 'png'.*'svg', 'dot', 'mermaid', 'json'"):
        flow.draw("png")
    with pytest.raises(SelectorError, match="Did you mean Train"):
        flow.draw("svg", expand="Trian")
    with pytest.raises(TypeError, match="width is for the console"):
        flow.draw("svg", width=3)
    with pytest.raises(TypeError, match="expnd"):
        flow.draw("dot", expnd="Train")


def test_a_notebook_shows_an_export(flow):
    """A picture as an image, which notebooks that are not trusted show; text as text."""
    shown = flow.draw("svg")._repr_html_()
    data = re.fullmatch(
        r'<img alt="graph" style="[^"]*" src="data:image/svg\+xml;base64,(.*)">', shown
    )
    assert base64.b64decode(data[1]).decode() == str(flow.draw("svg"))
    assert flow.draw("dot")._repr_html_().startswith("<pre>digraph flow {")
    assert "&quot;" in flow.draw("dot")._repr_html_()


def test_ten_thousand_tasks_are_one_file():
    """As specs by default; as tasks on request."""
    many = facts(*(task(n) for n in range(10_000)))
    assert len(str(GraphExport.of(many, "svg", Wish()))) < 2000
    assert str(GraphExport.of(many, "dot", Wish(tasks=True))).count("label=") == 10_000
