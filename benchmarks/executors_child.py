"""What does the process of one executor measure? It prints its figures as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.executors_engines import ENGINES, Engine
from benchmarks.executors_tasks import dies_once, nothing, waits

_WAIT_S = 0.05
_WAITING = 20


def main(name: str, tasks: int, repeats: int, workers: int) -> None:
    """Start the engine, and measure."""
    began = time.perf_counter()
    with ENGINES[name](workers) as engine, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _seconds(engine, place / "first", workers, nothing, {"n": [0]})
        found: dict[str, Any] = {"start_s": time.perf_counter() - began}
        if engine.submit is not None:
            engine.submit(20)  # both are warm now
        _seconds(engine, place / "warm", workers, nothing, {"n": list(range(20))})
        runs, own, cached = [], [], []
        for number in range(repeats):
            if engine.submit is not None:
                own.append(_timed(engine, tasks))
            config = {"n": list(range(tasks))}
            store = place / f"run{number}"
            runs.append(_seconds(engine, store, workers, nothing, config))
            cached.append(_seconds(engine, store, workers, nothing, config))
        found |= {"run_s": runs, "own_s": own, "cached_s": cached}
        found["loss_s"] = _loss(engine, place, workers, repeats)
    print(json.dumps(found))


def _timed(engine: Engine, tasks: int) -> float:
    began = time.perf_counter()
    assert engine.submit is not None  # noqa: S101  # whoever calls this has looked
    engine.submit(tasks)
    return time.perf_counter() - began


def _loss(engine: Engine, place: Path, workers: int, repeats: int) -> list[float]:
    """How much longer a run takes in which one task kills its worker, and is tried again."""
    if not engine.survives:
        return []
    longer = []
    for number in range(repeats):
        config = {"n": list(range(_WAITING)), "seconds": _WAIT_S}
        usual = _seconds(engine, place / f"usual{number}", workers, waits, config)
        mark = place / f"mark{number}"
        mark.mkdir()
        config["folder"] = str(mark)
        lost = _seconds(engine, place / f"lost{number}", workers, dies_once, config)
        longer.append(lost - usual)
    return longer


def _seconds(
    engine: Engine, folder: Path, workers: int, task: Any, config: dict[str, object]
) -> float:
    """Of one run into a store."""
    from flowlib import Flow, TaskSpec
    from stores import LocalFileStore

    retries = {"lost": 2, "killed": 2}
    flow = Flow([TaskSpec(task, config, expand="product", retries=retries)])
    store = LocalFileStore(folder, fsync=False)
    began = time.perf_counter()
    done = flow.run(
        executor=engine.executor, num_workers=workers, results_store=store, progress=None
    )
    seconds = time.perf_counter() - began
    wrong = {kind: count for kind, count in done.counts.items() if kind not in _RIGHT}
    if wrong:
        raise RuntimeError(f"not all tasks have finished: {wrong}")
    return seconds


_RIGHT = ("finished", "cached")


if __name__ == "__main__":
    main(sys.argv[1], *(int(each) for each in sys.argv[2:]))
