"""A dashboard with a real server on the loopback, and a store in which there is all to see."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading

from flowlib import Flow, Task, TaskSpec, sweep
from flowlib.dashboard.serving import listener
from stores import LocalFileStore

LIMIT_S = 60


class Load(Task):
    def run(self):
        print("loading the data")
        return {"numbers": [1, 2, 3]}


class Train(Task):
    def __init__(self, lr: float, depth: int = 1):
        self.lr, self.depth = lr, depth

    def run(self, numbers):
        print(f"training with {self.lr}")
        if self.lr > 0.5:
            raise ValueError("loss is nan")
        return {"acc": round(1 - self.lr * self.depth, 4), "loss": self.lr + self.depth}


class Best(Task):
    def run(self, acc: list):
        return {"best": max(each.value for each in acc)}


def flow(lrs=(0.01, 0.05, 0.1, 0.2, 0.9), depths=(1, 2)):
    """Load, Train for each lr and depth, Best of them."""
    load, train = TaskSpec(Load), TaskSpec(Train, {"lr": sweep(*lrs), "depth": sweep(*depths)})
    best = TaskSpec(Best, reduce=True)
    train.requires(load)
    best.requires(train)
    return Flow([load, train, best])


def demo(folder):
    """A store after one run, in which two of twelve tasks failed and one was skipped."""
    store = LocalFileStore(folder / "runs")
    flow().run(num_workers=1, results_store=store, exit_on_error=False, run_name="first-run")
    return store


@contextlib.contextmanager
def served(store):
    """The address of a dashboard over a store, in a thread of this process."""
    told, ended = queue.Queue(), threading.Event()
    thread = threading.Thread(target=_serve, args=(store, told, ended), daemon=True)
    thread.start()
    try:
        yield told.get(timeout=LIMIT_S)
    finally:
        ended.set()
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def _serve(store, told, ended):
    import uvicorn

    from flowlib.dashboard.app import Dashboard

    async def run():
        dashboard = Dashboard(store)
        with listener("127.0.0.1", 0) as listening:
            config = uvicorn.Config(dashboard.application(), log_level="warning", lifespan="on")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            told.put(f"http://127.0.0.1:{listening.getsockname()[1]}")
            while not ended.is_set():
                await asyncio.sleep(0.05)
            server.should_exit = True
            dashboard.end()
            await serving

    asyncio.run(run())
