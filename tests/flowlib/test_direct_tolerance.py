"""Do direct results know of failures as values, and do errors come back from anywhere?"""

from __future__ import annotations

import copyreg
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowlib import (
    Failure,
    Flow,
    InMemoryStore,
    SpecError,
    Task,
    TaskFailed,
    sweep,
    task,
    use_store,
    wrap_executor,
)
from stores import LocalFileStore


@task
def odd(n: int, log: str = "") -> int:
    """Fails for even numbers."""
    if log:
        with Path(log).open("a") as file:
            file.write(f"{n} ")
    if n % 2 == 0:
        raise ValueError(f"{n} is even")
    return n


@task
def known(found: list[Failure | int]) -> list[int]:
    """Those that there are."""
    return [each for each in found if not isinstance(each, Failure)]


@task
def strict(found: Any) -> Any:
    """Takes no failures."""
    return found


class NeedsTwo(Exception):
    """Cannot be rebuilt: its arguments are not those of `__init__`."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args  # as without it, but tblib takes it for what it is


@task
def raises(n: int) -> int:
    """Raises what does not travel."""
    raise NeedsTwo(n, os.getpid())


def with_its_context(error: TaskFailed) -> tuple[Any, ...]:
    """What tblib makes of an exception that it knows, in short."""
    return rebuilt, (str(error), error.__context__)


def rebuilt(message: str, context: BaseException | None) -> TaskFailed:
    """The exception of `with_its_context`."""
    error = TaskFailed(message)
    error.__context__ = context
    return error


def let_contexts_travel() -> None:
    """As the import of Dask does."""
    copyreg.pickle(TaskFailed, with_its_context)


def plus(n: int) -> int:
    """Of the pool alone."""
    return n + 1


class Fit(Task):
    """A class."""

    def run(self) -> int:
        """One."""
        return 1


@pytest.mark.parametrize("executor", [None, "threads"])
def test_a_tolerant_spec_gets_failures_and_has_a_value(executor: Any) -> None:
    """By annotation and by option; whatever fails first."""
    store = InMemoryStore()
    spec = known(odd.map([2, 1, 4, 3]))
    assert spec.submit(store, executor=executor).result(60) == [1, 3]
    assert spec.result(store) == [1, 3]
    assert known.reduce(odd(sweep(1, 2, 3))).result(store) == [1, 3]
    assert known.call(odd.map([6, 5]), store=store) == [5]
    passed = strict(odd.map([2, 1])).options(on_failure="pass").result(store)
    assert [isinstance(each, Failure) for each in passed] == [True, False]


def test_what_is_missing_is_raised_by_the_task_at_which_it_began(tmp_path: Path) -> None:
    """Without a tolerant task nothing more is begun; with one the others go on."""
    store, log = InMemoryStore(), tmp_path / "log"
    with pytest.raises(ValueError, match="2 is even"):
        strict(odd.map([2, 1], log=str(log))).result(store)
    assert log.read_text() == "2 "
    with pytest.raises(ValueError, match="4 is even"):
        strict([known(odd.map([1])), odd(4)]).result(store)
    assert known([odd(1)]).exists(store)


def test_a_value_that_lacks_some_is_completed_later(tmp_path: Path) -> None:
    """As in flows: it does not count as soon as there may be more."""
    store = LocalFileStore(tmp_path / "store", fsync=False)
    spec = known(odd.map([1, 2]))
    assert spec.result(store) == [1]
    assert not spec.exists(store)
    flow = Flow([spec])
    assert flow.run(num_workers=1, results_store=store, exit_on_error=False)["known"][0][
        "result"
    ] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_exception_that_does_not_travel_leaves_the_pool_whole(
    method: str, tmp_path: Path
) -> None:
    """A pool of processes breaks by it; here its words come back, and the next call is computed."""
    context = multiprocessing.get_context(method)
    processes = ProcessPoolExecutor(1, context, let_contexts_travel)
    with processes, use_store(LocalFileStore(tmp_path)):
        pool = wrap_executor(processes)
        with pytest.raises(TaskFailed, match=r"^raises failed: NeedsTwo: 3 and \d+$"):
            pool.submit(raises, 3).result(120)
        with pytest.raises(ValueError, match="2 is even"):
            pool.submit(odd, 2).result(120)
        assert pool.submit(odd, 3).result(120) == 3
        assert pool.submit(plus, 3).result(120) == 4


def test_in_this_process_the_exception_is_itself() -> None:
    """Nothing has to travel."""
    with ThreadPoolExecutor(1) as threads:
        pool = wrap_executor(threads, InMemoryStore())
        with pytest.raises(NeedsTwo, match="3 and"):
            pool.submit(raises, 3).result(60)


def test_a_function_or_class_in_the_place_of_a_spec_is_told_how() -> None:
    """The most frequent slip."""
    with pytest.raises(TypeError, match=r"a call of it is a spec, odd\(…\)$"):
        Flow([odd])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"TaskSpec\(Fit, config\) is a spec of it$"):
        Flow([Fit])  # type: ignore[list-item]


def test_a_query_that_is_no_regular_expression_is_an_error_of_ours() -> None:
    """With the text that means the characters."""
    with pytest.raises(SpecError, match=r"unterminated subpattern .*'fit\\\\\(' means"):
        Flow([odd(1)]).query("fit(")
