"""What do the pages show, and is what users write shown and never run?"""

from __future__ import annotations

import pytest

from flowlib.dashboard import record_page
from stores import Address, InMemoryStore, LocalFileStore
from stores.testing import done, put
from tests.cli.stored import BEST, FAST, FETCH, SLOW, filled
from tests.dashboard.furu_cases import fill

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
SLOW_PAGE = f"/tasks/Train/{SLOW.key}"


class Reading(InMemoryStore):
    """Notes which records are read one by one."""

    def __init__(self):
        super().__init__()
        self.read = []

    def record(self, address):
        self.read.append(address)
        return super().record(address)


@pytest.fixture
def shown(dashboard, tmp_path):
    return dashboard(filled(tmp_path))


def test_the_first_page_counts_by_state_and_by_task(shown):
    """Each count leads to the tasks that were counted."""
    page = shown.page("/")
    assert "4 tasks" in page.text
    assert ["Train", "2", "", "✔ finished 1 ✖ failed 1 ", "sweep"] in page.rows
    assert "/tasks?state=skipped" in page.links
    assert "/tasks?task=Train%2F" in page.links


def test_the_list_has_a_column_for_what_varies(shown):
    """Of one task; what is the same in all stands below, once."""
    page = shown.page("/tasks?task=Train/&sort=lr")
    head, *rows = page.rows
    assert head == ["", "id", "state", "lr ▴", "time", "when", "run"]
    assert [row[1:4] for row in rows] == [
        ["Train/9a7a08b2", "✔ finished", "0.001"], ["Train/9a110000", "✖ failed", "10.0"],
    ]  # fmt: skip
    assert "the same in all: batch=64" in page.text
    assert "1 to 2 of 2" in page.text
    assert "/tasks?task=Train%2F&sort=-lr" in page.links


def test_a_list_of_several_tasks_tells_what_varies_within_each(shown):
    """Of a task of one record what was given."""
    page = shown.page("/tasks")
    assert [row[1:4] for row in page.rows[1:]] == [
        ["Best/b0b0b0b0", "⊘ skipped", ""], ["Train/9a110000", "✖ failed", "lr=10.0"],
        ["Train/9a7a08b2", "✔ finished", "lr=0.001"], ["Fetch/f0f0f0f0", "✔ finished", "n=3"],
    ]  # fmt: skip


def test_filters_order_and_page_stand_in_the_address(dashboard, tmp_path):
    """Links to other pages and orders keep all the rest; totals are exact."""
    page = dashboard(fill(LocalFileStore(tmp_path))).page(
        "/tasks?state=killed&sort=lr&limit=2&offset=2"
    )
    assert "3 to 4 of 5" in page.text
    assert [row[3] for row in page.rows[1:]] == ["0.5", "0.6"]
    assert "/tasks?state=killed&sort=lr&limit=2&offset=4" in page.links
    assert "/tasks?state=killed&sort=lr&limit=2" in page.links
    assert "/tasks?state=killed&limit=2&sort=-lr" in page.links
    assert ("state", "killed") in [(a.get("name"), "killed") for t, a in page.tags if t == "select"]


def test_a_question_that_is_none_is_explained(shown):
    """With what there is to choose."""
    assert "state is 'bad'; choose of" in shown.page("/tasks?state=bad", status=422).text
    assert "nothing here" in shown.page(f"/tasks/Train/{'0' * 32}", status=404).text


def test_all_about_one_task(shown):
    """Config with defaults, neighbours, results, origin."""
    text = shown.page(SLOW_PAGE).text
    for part in (
        "finished",
        "lr",
        "0.001",
        "batch",
        "Fetch/f0f0f0f0",
        "Best/b0b0b0b0",
        "acc",
        "0.9312",
        "flowlib run flow.yaml",
        "3f2a91c0",
    ):
        assert part in text, part
    assert f"/tasks/Fetch/{FETCH.key}" in shown.page(SLOW_PAGE).links
    failed = shown.page(f"/tasks/Train/{FAST.key}").text
    assert "ValueError: loss is nan" in failed
    assert 'File "my.py", line 3' in failed
    assert "UpstreamFailed" not in shown.page(f"/tasks/Best/{BEST.key}").text


def test_results_are_shown_without_unpickling(dashboard, tmp_path):
    """Text, tables, images, shapes; a pickle is told by type and size only."""
    numpy = pytest.importorskip("numpy")
    store, address = LocalFileStore(tmp_path), Address("T", "a" * 32)
    bomb = _Bomb()
    values = {
        "notes": "line one\nline two", "rows": [{"a": 1}], "array": numpy.zeros((64, 3), "float32"),
        "picture": PNG, "model": bomb,
    }  # fmt: skip
    attempt = store.begin(address)
    for name, value in values.items():
        attempt.save(value, name)
    attempt.save("x,y\n1,2\n3,<b>\n", "table", type_="text")
    from stores.testing import identity

    attempt.commit(identity(address), done())
    shown = dashboard(store)
    page = shown.page(f"/tasks/T/{address.key}")
    assert "line one\nline two" in page.text
    assert "shape (64, 3)" in page.text
    assert _Bomb.exploded == 0
    [picture] = page.attribute("img", "src")
    answer = shown.get(picture)
    assert (answer.headers["content-type"], answer.content) == ("image/png", PNG)
    pickled = shown.get(f"/artifact?task=T&key={address.key}&name=model")
    assert pickled.headers["content-type"] == "application/octet-stream"
    assert pickled.headers["content-disposition"].startswith("attachment")
    assert shown.get(f"/artifact?task=T&key={address.key}&name=../../x").status_code == 404


class _Bomb:
    exploded = 0

    def __reduce__(self):
        return _explode, ()


def _explode():
    _Bomb.exploded += 1
    return _Bomb()


def test_what_users_write_is_shown_and_not_run(dashboard, tmp_path):
    """In names of tasks, parameters, values, runs, errors, artifacts."""
    store = LocalFileStore(tmp_path)
    for number, value in enumerate([EVIL, "../../etc/passwd", "x" * 300_000, "\ud800\x00\x1b[31m"]):
        address = Address(f"T{EVIL[:30]}", f"{number}" * 32)
        put(store, address, {"v": value}, done(), **{f"p{EVIL}": value})
    shown = dashboard(store)
    pages = [
        "/",
        "/tasks",
        "/tasks?text=script",
        *(link for link in shown.page("/tasks").links if link.startswith("/tasks/")),
    ]
    assert len(pages) == 7
    for path in pages:
        page = shown.page(path)
        assert "<script>alert" not in page.html
        assert not [a for t, a in page.tags if t == "img" and a.get("src") == "x"]
        assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
        assert len(page.html) < 400_000
    assert EVIL in shown.page("/tasks").text
    assert "<script>alert(1)</script>" in shown.page("/tasks").text


def test_logs_lie_in_the_folders_of_runs_and_nowhere_else(dashboard, tmp_path):
    """Whatever a record says, by a path or a link."""
    from dataclasses import replace

    store, address = LocalFileStore(tmp_path / "store"), Address("T", "a" * 32)
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    logs = tmp_path / "store" / ".runs" / "exp" / "logs"
    logs.mkdir(parents=True)
    (logs / "good.log").write_text("first\nlast line\n")
    (logs / "link.log").symlink_to(secret)
    told = {
        "good.log": "exp/logs/good.log",
        "abs": str(secret),
        "up": "../../secret.txt",
        "link": "exp/logs/link.log",
    }
    shown = dashboard(store)
    for name, path in told.items():
        put(store, address, {}, replace(done(), provenance={"log": path}))
        text = shown.page(f"/tasks/T/{address.key}").text
        assert ("last line" in text) == (name == "good.log")
        assert "a secret" not in text


def test_the_page_of_a_reduce_over_many_reads_few_records(dashboard, monkeypatch):
    """What it has read is counted, and the first of it told; the configs of all are not read."""
    monkeypatch.setattr(record_page, "_MOST_ANCESTORS", 40)
    store = Reading()
    parts = [Address("Train", f"{number:032x}") for number in range(120)]
    for number, each in enumerate(parts):
        put(store, each, {}, done(), lr=number / 10)
    best, few = Address("Best", "b" * 32), Address("Best", "c" * 32)
    put(store, best, {}, done(inputs=parts), top=1)
    put(store, few, {}, done(inputs=parts[:40]), top=2)
    shown = dashboard(store)
    store.read.clear()
    page = shown.page(f"/tasks/Best/{best.key}")
    assert {each.task for each in store.read} == {"Best"}
    assert page.text.count("Train/0000") == 50
    assert "and 70 more" in page.text
    assert "more than 40 ancestors" in page.text
    assert ["top", "1", ""] in page.rows
    whole = shown.page(f"/tasks/Best/{few.key}")
    assert {*parts[:40]} <= {*store.read}
    assert "ancestors" not in whole.text
    assert any(row[0] == "Train.lr" for row in whole.rows)
