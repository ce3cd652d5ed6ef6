"""
A dashboard with a probe: how long was its event loop ever kept from running?

By the wall, and by the processor time that this process took meanwhile: on a machine that others
use, only the latter tells of what the dashboard does itself.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from flowlib.bulk import settle
from flowlib.dashboard.app import Dashboard
from flowlib.dashboard.serving import listener
from stores import open_store

_PROBE_S = 0.005


async def main(where: dict[str, Any]) -> None:
    """Serve until stdin ends; each line of it is answered by what was measured since the last."""
    dashboard = Dashboard(open_store(where))
    worst = [0.0, 0.0]
    with listener("127.0.0.1", 0) as listening:
        config = uvicorn.Config(dashboard.application(), log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        settle()  # as `serve` does
        probing = asyncio.create_task(_probe(worst))
        while not server.started:
            await asyncio.sleep(0.01)
        _say({"address": f"http://127.0.0.1:{listening.getsockname()[1]}"})
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            figures = {"blocked_s": worst[0], "busy_s": worst[1], "cpu_s": time.process_time()}
            _say({**figures, "rss_mb": _rss_mb(), "peak_mb": _peak_mb()})
            worst[:] = 0.0, 0.0
        probing.cancel()
        dashboard.end()
        server.should_exit = True
        await serving


async def _probe(worst: list[float]) -> None:
    while True:
        before, used = time.perf_counter(), time.process_time()
        await asyncio.sleep(_PROBE_S)
        late_s = time.perf_counter() - before - _PROBE_S
        worst[0] = max(worst[0], late_s)
        worst[1] = max(worst[1], min(late_s, time.process_time() - used))


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _say(document: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
