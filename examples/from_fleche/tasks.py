"""What is computed: functions at the top of a module, where worker processes find them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from flowlib import task

THREADS = ThreadPoolExecutor(max_workers=2)


@task
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@task
def expensive(x: int) -> int:
    """The third power."""
    return x**3


@task
def cube_sne(x: int) -> int:
    """The third power, for executorlib."""
    return x**3


@task
def triple(x: int) -> int:
    """Three times as much."""
    return x * 3


@task(eager=True)
def square_async(x: int) -> Future[int]:
    """Submits work and returns a Future; the value is stored when it is done."""
    return THREADS.submit(lambda: x**2)
