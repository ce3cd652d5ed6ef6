"""Does the API find tasks by furu's filters, in every store, and refuse what is no question?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from flowlib.dashboard import json_answer
from stores import Address, InMemoryStore, LocalFileStore, Owner, TaskState
from stores.parts import Input
from stores.testing import done, put
from tests.dashboard.furu_cases import CASES, address, fill, ids, in_order

A = address("a")
ONE = f"/api/experiments/{A.task}/{A.key}"


def with_status(at, word):
    return in_order([key for key, case in CASES.items() if case[at] == word])


@pytest.fixture
def shown(dashboard, any_store):
    return dashboard(fill(any_store))


def test_all_tasks_are_listed_the_newest_first_with_an_exact_total(shown):
    """Page by page; a page behind the last is empty and still tells the total."""
    found = shown.json("/api/experiments")
    assert (found["schema"], found["total"], found["offset"], found["limit"]) == (1, 10, 0, 50)
    assert [each["id"] for each in found["experiments"]] == in_order(CASES)
    second = shown.json("/api/experiments?limit=4&offset=8")
    assert ([each["id"] for each in second["experiments"]], second["total"]) == (
        in_order(CASES)[8:],
        10,
    )
    assert shown.json("/api/experiments?offset=100")["experiments"] == []


def test_every_word_of_results_and_attempts_finds_its_tasks(shown):
    """In every kind of store."""
    for word in ("incomplete", "success", "failed", "absent"):
        assert shown.ids(f"?result_status={word}") == with_status(2, word), word
    for word in ("success", "failed", "cancelled", "preempted", "crashed", "queued", "running"):
        assert shown.ids(f"?attempt_status={word}") == with_status(3, word), word
    assert shown.ids("?state=skipped") == ids("2")


def test_what_is_told_of_a_task(shown):
    """All that filters ask for, and the config by its paths."""
    [found] = shown.json("/api/experiments?task=Train/bbbb")["experiments"]
    assert {name: found[name] for name in ("task", "key", "state", "result_status", "attempt_status", "attempt", "duration_s", "run", "unique_name", "user", "executor", "error_type", "config")} == {
        "task": "Train", "key": "b" * 32, "state": "failed", "result_status": "failed", "attempt_status": "failed",
        "attempt": 1, "duration_s": 5.0, "run": "exp", "unique_name": "Train-1", "user": "ada", "executor": "slurm",
        "error_type": "ValueError", "config": {"lr": 0.1, "model.depth": 1},
    }  # fmt: skip
    assert found["started_at"].startswith("1970-01-01T")
    assert found["host"] == Owner.of_this_process().host


def test_filters_by_who_where_what_and_when(shown):
    """Several of them must all hold."""
    assert shown.ids("?executor=slurm") == in_order("abc")
    assert shown.ids("?user=ada&executor=slurm") == ids("b")
    assert shown.ids(f"?host={Owner.of_this_process().host}") == in_order(CASES)
    assert shown.ids("?host=elsewhere") == []
    assert shown.ids("?run=exp&task=Tr") == in_order(CASES)
    assert shown.ids("?task=Train/") == in_order(CASES)
    assert shown.ids("?task=Tra/") == []
    assert shown.ids("?started_after=1970-01-01T00:17:50%2B00:00") == in_order("3")[:0] + in_order(
        [k for i, k in enumerate(CASES) if 1000 + 10 * i >= 1070]
    )
    assert shown.ids("?started_before=1970-01-01T00:17:00%2B00:00") == in_order(
        [k for i, k in enumerate(CASES) if 1000 + 10 * i < 1020]
    )
    assert shown.ids("?updated_after=1970-01-01T00:18:10%2B00:00") == in_order(
        [k for i, k in enumerate(CASES) if 1005 + 10 * i >= 1090]
    )
    assert shown.ids("?updated_before=1970-01-01T00:16:50%2B00:00") == in_order(
        [k for i, k in enumerate(CASES) if 1005 + 10 * i < 1010]
    )


def test_filters_by_config(shown):
    """Numbers by value, words by letters, paths into dicts; all of several."""
    assert shown.ids("?config_filter=lr=0.3") == ids("d")
    assert shown.ids("?config_filter=model.depth=3.0") == ids("d")
    assert shown.ids("?config_filter=lr=0.3,model.depth=4") == []
    assert shown.ids("?config_filter=lr=0.3&config_filter=model.depth=3") == ids("d")
    assert shown.ids("?config_filter=nothing=1") == []
    assert shown.ids("?text=valueerror") == ids("b")
    assert shown.ids("?text=train%20lr=0.4") == ids("e")


def test_orders(shown):
    """By any column or parameter, both ways; what has no value comes last."""
    assert shown.ids("?sort=lr") == ids(*CASES)
    assert shown.ids("?sort=-model.depth") == ids(*reversed(CASES))
    assert shown.ids("?sort=id") == ids(*sorted(CASES))
    assert shown.ids("?sort=-id") == ids(*sorted(CASES, reverse=True))
    assert shown.ids("?sort=when") == ids(*CASES)


@pytest.mark.parametrize(
    "query",
    [
        "result_status=none", "attempt_status=", "state=bad", "started_after=yesterday", "updated_before=2026-99-99",
        "started_after=0001-01-01", "limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1e3", "nothing=1",
        "task=a&task=b", "config_filter=lr", "config_filter=[", "config_filter=lr%3D", "text=" + "x" * 10_001, "limit=%D9%A1",
    ],
)  # fmt: skip
def test_a_bad_value_is_422_and_says_what_is_wrong(dashboard, query):
    """Never an error of ours, and never silently everything; an empty value is none."""
    answer = dashboard(InMemoryStore()).get(f"/api/experiments?{query}")
    assert answer.status_code == (200 if query == "attempt_status=" else 422), answer.text
    if answer.status_code == 422:
        assert query.partition("=")[0] in answer.json()["detail"]


def test_detail_tells_all_and_an_unknown_task_is_404(shown):
    """Config with its types, attempts, artifacts."""
    found = shown.json(ONE)
    assert (found["result_status"], found["config"]) == (
        "success",
        {"lr": 0.0, "model": {"depth": 0}},
    )
    assert [each["name"] for each in found["artifacts"]] == ["acc"]
    assert [each["number"] for each in found["attempts"]] == [1]
    for path in (
        f"/api/experiments/Train/{'9' * 32}",
        "/api/experiments/No/x",
        f"{ONE}x",
        f"/api/experiments/No/{A.key}/relationships",
    ):
        assert shown.get(path).status_code == 404
    assert shown.get(f"{ONE}?x=1").status_code == 422


def test_what_a_task_has_grown_stands_beside_what_it_has_read(dashboard, any_store):
    """In the API, the graph and on its page: its results are those of the tasks it returned."""
    load, part, fit = Address("Load", "1" * 32), Address("Part", "2" * 32), Address("Fit", "3" * 32)
    put(any_store, load, {"x": 1}, done())
    put(any_store, part, {"y": 1}, done(inputs=[load]))
    grown = (Input("part", part, 1),)
    put(any_store, fit, {"y": 1}, replace(done(inputs=[load]), grown=grown))
    shown = dashboard(any_store)
    found = shown.json(f"/api/experiments/Fit/{fit.key}/relationships")
    assert [(p["id"], p["is_grown"]) for p in found["parents"]] == [
        ("Load/11111111", False), ("Part/22222222", True),
    ]  # fmt: skip
    near = shown.json(f"/api/experiments/Part/{part.key}/relationships")
    assert [each["id"] for each in near["children"]] == ["Fit/33333333"]
    assert shown.json(f"/api/experiments/Fit/{fit.key}")["grown"] == ["Part/22222222"]
    edges = shown.json("/api/dag")["edges"]
    assert {(e["source"][:4], e["target"][:3]) for e in edges} == {
        ("Load", "Par"), ("Load", "Fit"), ("Part", "Fit"),
    }  # fmt: skip
    page = shown.page(f"/tasks/Fit/{fit.key}").text
    assert page.index("Upstream") < page.index("Load/1111") < page.index("Grown: its results")
    assert page.index("Grown: its results") < page.index("Part/2222")
    graph = shown.page("/graph").html
    assert graph.count('class="edge"') == 3


def test_relationships_name_parents_that_are_gone(dashboard, any_store):
    """With what they were read as, and all children."""
    load, gone, fit = Address("Load", "1" * 32), Address("Load", "2" * 32), Address("Fit", "3" * 32)
    put(any_store, load, {"x": 1}, done())
    put(any_store, fit, {"y": 1}, done(inputs=[load, gone]))
    put(any_store, Address("Best", "4" * 32), {}, replace(done(TaskState.FAILED, [fit])))
    shown = dashboard(any_store)
    found = shown.json(f"/api/experiments/Fit/{fit.key}/relationships")
    assert [(p["id"], p["role"], p["result_status"]) for p in found["parents"]] == [
        ("Load/11111111", "Load", "success"), ("Load/22222222", "Load", "absent"),
    ]  # fmt: skip
    assert [(c["id"], c["result_status"]) for c in found["children"]] == [
        ("Best/44444444", "failed")
    ]
    dag = shown.json("/api/dag")
    assert {n["address"]: n["result_status"] for n in dag["nodes"]} == {
        f"Best/{'4' * 32}": "failed", f"Fit/{'3' * 32}": "success",
        f"Load/{'1' * 32}": "success", f"Load/{'2' * 32}": "absent",
    }  # fmt: skip
    assert sorted((e["source"][:6], e["target"][:6]) for e in dag["edges"]) == [
        ("Fit/33", "Best/4"), ("Load/1", "Fit/33"), ("Load/2", "Fit/33"),
    ]  # fmt: skip
    assert dag["tasks"] == [
        {"source": "Fit", "target": "Best", "count": 1}, {"source": "Load", "target": "Fit", "count": 2},
    ]  # fmt: skip
    assert len(shown.json("/api/dag?task=Load/")["nodes"]) == 1
    assert shown.get("/api/dag?limit=3").status_code == 422


def test_stats_count_by_each_word(shown):
    """As the filters find them."""
    found = shown.json("/api/stats")
    assert found["total"] == 10
    assert found["result_status"] == {"absent": 0, "incomplete": 7, "success": 1, "failed": 2}
    assert found["attempt_status"] == {
        "queued": 0, "running": 0, "success": 2, "failed": 1, "cancelled": 3, "preempted": 1, "crashed": 3,
    }  # fmt: skip
    assert found["tasks"] == {"Train": {"finished": 2, "failed": 2, "killed": 5, "skipped": 1}}
    assert (found["unreadable"], found["runs"]) == (0, 0)


@pytest.mark.slow
def test_what_is_written_meanwhile_is_found(dashboard, any_store):
    """Within a second or so; what is removed is gone."""
    import time

    shown = dashboard(any_store)
    assert shown.ids() == []
    put(any_store, A, {"acc": 1}, done(), lr=1)

    def until(wanted):
        end = time.monotonic() + 30
        while shown.ids() != wanted and time.monotonic() < end:
            time.sleep(0.05)
        assert shown.ids() == wanted

    until(ids("a"))
    put(any_store, A, {"acc": 1}, done(TaskState.FAILED), lr=1)
    end = time.monotonic() + 30
    while shown.ids("?attempt_status=failed") != ids("a") and time.monotonic() < end:
        time.sleep(0.05)
    assert shown.ids("?attempt_status=failed&result_status=success") == ids("a")
    any_store.remove(A)
    until([])


def test_damaged_records_are_counted_and_break_nothing(dashboard, tmp_path):
    """Empty, torn, of a newer flowlib, or not even text."""
    store = LocalFileStore(tmp_path)
    fill(store)
    for key, data in {"a": b"", "b": b"{", "c": b"\xff\xfe", "d": None}.items():
        path = tmp_path / "Train" / f"{key * 32}.json"
        path.write_bytes(
            path.read_bytes().replace(b'"schema":1', b'"schema":99') if data is None else data
        )
    shown = dashboard(store)
    assert shown.json("/api/stats")["unreadable"] == 4
    assert shown.json("/api/experiments")["total"] == 6
    assert "4 records cannot be read" in shown.page("/").text
    for key in "abcd":
        assert shown.get(f"/api/experiments/Train/{key * 32}").status_code == 404
        shown.page(f"/tasks/Train/{key * 32}", status=404)


def test_each_name_means_one_thing_wherever_it_stands(shown):
    """Ids are for people and addresses for programs; a task is told as in the list."""
    listed = {each["key"]: each for each in shown.json("/api/experiments")["experiments"]}
    nodes = shown.json("/api/dag")["nodes"]
    assert {each["key"]: (each["id"], each["address"]) for each in nodes} == {
        key: (f"Train/{key[:8]}", f"Train/{key}") for key in listed
    }
    for key, row in listed.items():
        whole = shown.json(f"/api/experiments/Train/{key}")
        near = shown.json(f"/api/experiments/Train/{key}/relationships")
        assert (near["id"], near["address"]) == (row["id"], row["address"])
        assert {name: whole[name] for name in row if name != "config"} == {
            name: value for name, value in row.items() if name != "config"
        }
        assert whole["project"] == "demo"


def test_a_long_answer_is_sent_in_pieces(dashboard):
    """Each list item by item: its text is never there as a whole, and all of it arrives."""
    store, load = InMemoryStore(), Address("Load", "f" * 32)
    put(store, load, {}, done())
    for number in range(1_500):
        put(store, Address("Train", f"{number:032x}"), {}, done(inputs=[load]), n=number)
    shown = dashboard(store)
    for path, name, count in (
        ("/api/dag", "nodes", 1_501),
        (f"/api/experiments/Load/{load.key}/relationships", "children", 1_500),
        (f"/api/experiments/Load/{load.key}", "downstream", 1_500),
        ("/api/experiments?limit=1000", "experiments", 1_000),
    ):
        answer = shown.get(path)
        assert "content-length" not in answer.headers, path
        assert len(answer.json()[name]) == count, path
    assert len(shown.json("/api/dag")["edges"]) == 1_500
    assert "and 1,450 more" in shown.page(f"/tasks/Load/{load.key}").text


def test_json_in_pieces_is_the_json_of_the_whole(monkeypatch):
    """Wherever it is cut; lists that are empty, and names that no UTF-8 has, included."""
    document = {"a\udce9": [1, {"b": [None, 2.5]}], "e": [], "t": (True,), "d": {}, "x": "<é>"}
    for size in (1, 7, 10**6):
        monkeypatch.setattr(json_answer, "_PIECE_CHARACTERS", size)
        told = b"".join(json_answer._joined(json_answer._texts({**document, "i": iter([[3], 4])})))
        assert json.loads(told) == {**document, "t": [True], "i": [[3], 4]}
    assert b"".join(json_answer._joined(json_answer._texts({}))) == b"{}"


def test_the_openapi_document_tells_of_refusals(dashboard):
    """Each address has every code that who asks may get, and such an answer has its form."""
    token = "a-token-of-some-length"
    shown = dashboard(InMemoryStore(), token=token)
    told = {"authorization": f"Bearer {token}"}
    document = shown.get("/api/openapi.json", headers=told).json()
    assert document["security"] == [{}, {"token": []}]
    form = document["components"]["schemas"]["Problem"]["required"]
    for path, found in document["paths"].items():
        asked = path.format(task="T", key="k")
        wrong = (
            shown.get(asked),
            shown.client.post(asked, headers=told),
            shown.get(f"{asked}?zzz=1", headers=told),
        )
        assert [each.status_code for each in wrong] == [401, 405, 422], path
        for each in wrong:
            assert sorted(each.json()) == form
            assert str(each.status_code) in found["get"]["responses"]


def test_the_openapi_document_names_the_filters(dashboard):
    """And the API alone has no pages."""
    shown = dashboard(InMemoryStore(), api_only=True)
    document = shown.json("/api/openapi.json")
    asked = document["paths"]["/api/experiments"]["get"]["parameters"]
    assert {each["name"] for each in asked} >= {
        "result_status", "attempt_status", "task", "executor", "host", "user", "started_after", "config_filter",
    }  # fmt: skip
    assert shown.get("/").status_code == 404
    assert shown.get("/tasks").status_code == 404
