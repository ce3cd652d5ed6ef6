"""Are results of specs and calls computed once, remembered, and the same as those of flows?"""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import pytest

from flowlib import (
    CallError,
    CodeChanged,
    Flow,
    InMemoryStore,
    SettingsError,
    configure,
    single_results,
    sweep,
    task,
    use_store,
)
from flowlib.configuration import forget
from stores import LocalFileStore, RecordMissing
from tests.flowlib import moved_tasks
from tests.flowlib.direct_tasks import (
    count,
    eager_square,
    nothing,
    parts,
    slow,
    square,
    total,
    with_store,
)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_call_computes_once_and_is_remembered(kind: str, tmp_path: Path, folder: str) -> None:
    """What a lazy call of a flow has computed counts, too, and the other way round."""
    store = InMemoryStore() if kind == "memory" else LocalFileStore(tmp_path / "runs")
    assert [square.call(3, folder, store=store) for _ in range(3)] == [9, 9, 9]
    assert count(folder) == 1
    assert square(3).result(store) == 9
    assert Flow([square(3)]).run(num_workers=1, results_store=store).counts == {"cached": 1}
    Flow([square(4, folder)]).run(num_workers=1, results_store=store)
    assert (square.call(4, folder, store=store), count(folder)) == (16, 2)


def test_force_computes_again(tmp_path: Path, folder: str) -> None:
    """Once; what is stored then is the new one."""
    store = LocalFileStore(tmp_path / "runs")
    assert parts.call(2, folder, store=store)["count"] == 2
    assert parts.call(2, folder, store=store, force=True)["count"] == 2
    assert count(folder) == 2
    assert parts.call(2, folder, store=store)["numbers"] == [0, 1]
    assert parts(2, folder).result(store, force=True)["count"] == 2
    assert count(folder) == 3
    record = parts(2).record(store)
    assert record is not None
    assert record.latest.number == 3


def test_what_is_known_is_told_and_nothing_computed(tmp_path: Path, folder: str) -> None:
    """key, exists, load and query of a function."""
    store = LocalFileStore(tmp_path / "runs")
    assert square.key(3) == square(3).key == square(x=3).key != square.key(4)
    assert not square.exists(3, store=store)
    with pytest.raises(RecordMissing, match=r"square \(square/[0-9a-f]{8}\) has no result.*: new"):
        square.load(3, store=store)
    assert count(folder) == 0
    assert not Path(store.base_dir).exists()
    for x in (3, 4):
        square.call(x, folder, store=store)
    assert square.exists(3, store=store)
    assert square.load(3, store=store) == 9
    assert sorted(r["result"] for r in square.query(store).to_dicts()) == [9, 16]
    assert [r["result"] for r in square.query(store, x=[4, 5]).to_dicts()] == [16]
    assert count(folder) == 2


def test_none_is_a_result(tmp_path: Path, folder: str) -> None:
    """It is remembered as any other."""
    store = LocalFileStore(tmp_path / "runs")
    assert nothing.call(1, folder, store=store) is None
    assert nothing.call(1, folder, store=store) is None
    assert count(folder) == 1
    assert nothing.exists(1, folder, store=store)


def test_plain_calls_of_an_eager_function(tmp_path: Path, folder: str) -> None:
    """They compute and are remembered; `spec` gives the lazy one, with the same key."""
    with use_store(LocalFileStore(tmp_path / "runs")) as store:
        assert [eager_square(5, folder) for _ in range(2)] == [25, 25]
        assert count(folder) == 1
        assert eager_square.spec(5).result(store) == 25
        assert total([eager_square.spec(5), eager_square.spec(6)]).result() == 61
    assert eager_square.key(5) == eager_square.spec(5).key


def test_which_store_holds(tmp_path: Path, folder: str) -> None:
    """argument > use_store, the innermost > settings > one memory store of the process."""
    one, other = LocalFileStore(tmp_path / "one"), InMemoryStore()
    with use_store(one):
        with use_store(f"file:{tmp_path / 'inner'}") as inner:
            square.call(1, folder)
            square.call(2, folder, store=other)
        square.call(3, folder)
    configure(store=f"file:{tmp_path / 'settings'}")
    try:
        square.call(4, folder)
    finally:
        configure(store=None)
    square.call(5, folder)
    stores: dict[str, Any] = {
        "one": one,
        "inner": inner,
        "other": other,
        "settings": f"file:{tmp_path / 'settings'}",
        "memory": None,
    }
    found = {
        name: [x for x in range(1, 6) if square.exists(x, store=store)]
        for name, store in stores.items()
    }
    assert found == {"inner": [1], "other": [2], "one": [3], "settings": [4], "memory": [5]}
    assert count(folder) == 5


def test_stores_have_names_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """In a file, relative to it; in a variable; in `configure`."""
    (tmp_path / "flowlib.toml").write_text("[stores]\nscratch = 'file:here'\n")
    monkeypatch.chdir(tmp_path)
    forget()
    try:
        with use_store("scratch") as store:
            assert square.call(3, folder) == 9
        assert square.exists(3, store=LocalFileStore(tmp_path / "here"))
        assert square.call(3, folder, store="scratch") == 9
        with pytest.raises(SettingsError, match=r"no store is called 'scrach'.* Did you mean scr"):
            square.call(3, store="scrach")
        monkeypatch.setenv("FLOWLIB_STORES", "one=memory:,other=file:there")
        forget()
        assert square.call(3, folder, store="other") == 9
        configure(stores={"third": "file:third"})
        assert square.call(3, folder, store="third") == 9
    finally:
        forget()
    assert repr(store) == f"LocalFileStore('{tmp_path / 'here'}')"
    assert (count(folder), len([*tmp_path.glob("*/square/*.json")])) == (3, 3)
    with pytest.raises(SettingsError, match="stores in configure"):
        configure(stores={"a b": "file:x"})


def test_a_store_that_is_none_is_refused() -> None:
    """Whoever names it."""
    with pytest.raises(TypeError, match="which is no store"):
        square.call(1, store=7)  # type: ignore[arg-type]  # what is to be refused
    with pytest.raises(TypeError, match="which is no store"), use_store(7):  # type: ignore[arg-type]  # the same
        pass


def test_only_what_is_missing_is_computed(tmp_path: Path, folder: str) -> None:
    """What is upstream of a result that is there is not even looked for."""
    store = LocalFileStore(tmp_path / "runs")
    middle = parts(square(2, folder), folder)
    answer = total(middle["numbers"])
    assert answer.result(store) == 6
    assert count(folder) == 2
    for each in square.query(store):
        store.remove(each.address)
    assert answer.result(store) == 6
    assert count(folder) == 2
    for name in ("total", "parts"):
        for each in store.records(name):
            store.remove(each.address)
    assert (answer.result(store), count(folder)) == (6, 4)


def test_several_tasks_are_a_list(tmp_path: Path) -> None:
    """In the order of their results in a flow; a part of each, too."""
    store = LocalFileStore(tmp_path / "runs")
    squares = square(sweep(3, 1, 2))
    assert squares.result(store) == [9, 1, 4]
    assert parts(squares)["count"].result(store) == [9, 1, 4]
    assert total.reduce(squares).result(store) == 14
    assert square(sweep(3)).result(store) == 9
    assert squares.keys == [square.key(x) for x in (3, 1, 2)]


def test_a_call_may_read_specs(tmp_path: Path, folder: str) -> None:
    """It is what the lazy call would be."""
    store = LocalFileStore(tmp_path / "runs")
    read = parts(3, folder)
    assert total.call(read["numbers"], store=store) == 3
    assert total(read["numbers"]).exists(store)
    assert total.load(read["numbers"], store=store) == 3
    assert count(folder) == 1


def test_a_parameter_of_the_function_is_never_taken_for_one_of_the_call(tmp_path: Path) -> None:
    """Where both are called `store`, that is an error with the cure."""
    store = LocalFileStore(tmp_path / "runs")
    with pytest.raises(CallError, match=r"with_store has a parameter 'store' of its own"):
        with_store.call(1, store=store)
    assert with_store.bind(store=store)(1, store="x") == "1x"
    with use_store(store):
        assert with_store.call(1, "x") == "1x"
    assert with_store.exists(1, "x", store=None) is False


def test_the_result_of_a_slow_call_is_its_value(tmp_path: Path, folder: str) -> None:
    """A list of the user's is one value."""
    store = LocalFileStore(tmp_path / "runs")
    assert slow.call(3, folder, 0.0, store=store) == [3, 9]
    assert slow(3, folder, 0.0).result(store) == [3, 9]
    assert slow(3, folder, 0.0)[1].result(store) == 9


def test_records_tell_where_results_come_from(tmp_path: Path) -> None:
    """As those of runs; but there is no folder of a run for each call."""
    store = LocalFileStore(tmp_path / "runs")
    square.call(3, store=store)
    square(4).result(store)
    for x in (3, 4):
        record = square(x).record(store)
        assert record is not None
        assert record.latest.run is not None
        assert record.latest.run.run_name == "direct"
        assert record.latest.provenance["executor"] == "inline"
        assert record.latest.provenance["pid"] == os.getpid()
    assert not Path(store.base_dir, ".runs").exists()


def test_options_that_need_a_process_get_one(tmp_path: Path) -> None:
    """A timeout, say; the value is the same."""
    store = LocalFileStore(tmp_path / "runs")
    assert square(3).options(timeout=60).result(store) == 9
    record = square(3).record(store)
    assert record is not None
    assert record.latest.provenance["executor"] == "processes"


def test_a_changed_code_is_told_once_and_obeyed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in flows: warn, rerun, ignore, error."""
    store = LocalFileStore(tmp_path / "runs", fsync=False)

    def moved(policy: str) -> Any:
        return task(name="square", ignore=["folder"], on_code_change=policy)(moved_tasks.square.fn)

    single_results._told.discard("square")
    assert square.call(3, store=store) == 9
    assert [moved("warn").call(3, store=store) for _ in range(3)] == [9] * 3
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert moved("ignore").call(3, store=store) == 9
    with pytest.raises(CodeChanged):
        moved("error").call(3, store=store)
    with pytest.raises(AssertionError, match="it is not computed again"):
        moved("rerun").call(3, store=store)
    other = LocalFileStore(tmp_path / "other")  # what was told of one store says nothing of it
    assert [square.call(3, store=other) for _ in range(2)] == [9, 9]


def test_a_hit_opens_no_file_and_looks_at_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often; another process that writes the record anew is noticed."""
    store = LocalFileStore(tmp_path / "runs")
    for _ in range(2):
        assert square.call(3, store=store) == 9
    looked: list[str] = []
    opened: list[str] = []
    stat, open_ = os.stat, builtins.open

    def noting_stat(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        looked.append(str(path))
        return stat(path, *args, **kwargs)

    def noting_open(path: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(str(path))
        return open_(path, *args, **kwargs)

    single_results._code_in.cache_clear()  # code is looked at once a second at the most
    assert square.call(3, store=store) == 9
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", noting_stat)
        patched.setattr(builtins, "open", noting_open)
        found = [square.call(3, store=store) for _ in range(10)]
    assert found == [9] * 10
    record = f"{store.base_dir}/square/{square.key(3)}.json"
    assert [each for each in looked if each.startswith(store.base_dir)] == [record] * 10
    assert [each for each in opened if each.startswith(store.base_dir)] == []
    assert square.call(3, store=LocalFileStore(store.base_dir), force=True) == 9
    assert store.record(square(3).record(store).address).latest.number == 2  # type: ignore[union-attr]  # they are there


def test_a_spec_may_name_its_store(tmp_path: Path, folder: str) -> None:
    """One of the setting `stores`; the others are where they always are."""
    store = LocalFileStore(tmp_path / "runs")
    kept = square(3, folder).options(store="kept")
    with pytest.raises(SettingsError, match="no store is called 'kept'"):
        kept.result(store)
    configure(stores={"kept": f"file:{tmp_path / 'kept'}"})
    try:
        assert [total([kept, 1]).result(store) for _ in range(2)] == [10, 10]
        assert kept.exists(store)
        record = kept.record(store)
    finally:
        configure(stores=None)
    assert record is not None
    assert count(folder) == 1
    assert square.exists(3, store=LocalFileStore(tmp_path / "kept"))
    assert not square.exists(3, store=store)
    assert total([square(3), 1]).record(store) is not None
