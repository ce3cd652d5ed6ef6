"""A driver on a Ray of three nodes, all of this machine; prints what it saw as JSON.

It is a process of its own: a process can be connected to one Ray only.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from flowlib import Flow, Run, Task, TaskSpec
from flowlib.errors import RunError
from flowlib.executors.ray import RayExecutor
from stores import LocalFileStore

_STORE_BYTES = 100 << 20
_PATIENCE_S = 120.0

_LISTEN = "0A"
_LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same in IPv6, and ::1, as the kernel writes them."""


class Where(Task):
    """Tells where it runs."""

    def __init__(self, n: int, seconds: float = 0.0) -> None:
        self.n, self.seconds = n, seconds

    def run(self) -> dict[str, object]:
        """Stay for a while."""
        began = time.time()
        time.sleep(self.seconds)
        return {
            "node": ray.get_runtime_context().get_node_id(),
            "gpus": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
            "span": [began, time.time()],
            "store": type(self.results_store).__name__,
            "payload": bytes(100_000),
        }


def measure(payload: bytes, node: str) -> dict[str, object]:
    """Read what another node has written."""
    return {"length": len(payload), "from": node, "at": ray.get_runtime_context().get_node_id()}


def fails(node: str) -> None:
    """Fail, after it has read."""
    raise LookupError(f"nothing from {len(node)} letters")


class Stays(Task):
    """Runs where its node is taken away, and once more elsewhere."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def run(self) -> dict[str, object]:
        """Wait for the end of the node, the first time."""
        node = ray.get_runtime_context().get_node_id()
        (self.folder / "at.new").write_text(node)
        is_first = not (self.folder / "at").exists()
        (self.folder / "at.new").replace(self.folder / "at")
        if is_first:
            time.sleep(_PATIENCE_S)
        return {"node": node}


class Watched(LocalFileStore):
    """Notes the processes that get a copy of it."""

    def __setstate__(self, state: object) -> None:
        super().__setstate__(state)
        Path(f"{self.base_dir}.{os.getpid()}").touch()


def main(folder: Path) -> None:
    """Run all, and tell."""
    head = {"num_cpus": 2, "resources": {"disk": 1}, "object_store_memory": _STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={**head, "include_dashboard": False})
    try:
        more = {"num_cpus": 2, "object_store_memory": _STORE_BYTES}
        far = cluster.add_node(resources={"far": 1, "spare": 1}, **more)
        gpu = cluster.add_node(resources={"spare": 1}, num_gpus=1, **more)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False)
        told = {
            "nodes": {"head": cluster.head_node.node_id, "far": far.node_id, "gpu": gpu.node_id},
            "listening": _listening(),
            "places": _places(folder),
            "fractions": _fractions(folder),
            "pinned": _pinned(folder),
            "refused": _refused(folder),
            "removed": _removed(folder, cluster, [far, gpu]),
        }
        print(json.dumps(told))
    finally:
        ray.shutdown()
        cluster.shutdown()


def _run(specs: list[TaskSpec], folder: Path, executor: RayExecutor, **options: object) -> Run:
    store = LocalFileStore(folder, fsync=False)
    return Flow(specs).run(results_store=store, executor=executor, progress=None, **options)


def _wanting(name: str, wanted: dict[str, object], **config: object) -> TaskSpec:
    return TaskSpec(Where, config, expand="product", name=name, executor_options={"ray": wanted})


def _places(folder: Path) -> dict[str, list[str]]:
    """The nodes of tasks that want something of one of them."""
    specs = [
        _wanting("Far", {"resources": {"far": 0.1}}, n=[1, 2, 3]),
        _wanting("Disk", {"resources": {"disk": 0.1}}, n=[1, 2, 3]),
    ]
    done = _run(specs, folder / "places", RayExecutor())
    return {spec.name: [each.results["node"] for each in done[spec.name]] for spec in specs}


def _fractions(folder: Path) -> list[dict[str, object]]:
    """Six tasks that want half a GPU each."""
    spec = _wanting("Half", {"num_gpus": 0.5, "num_cpus": 0.1}, n=list(range(6)), seconds=0.3)
    done = _run([spec], folder / "fractions", RayExecutor())["Half"]
    return [{name: each.results[name] for name in ("node", "gpus", "span")} for each in done]


def _pinned(folder: Path) -> dict[str, object]:
    """A store that the node with the disk reaches: others ask it."""
    store = Watched(folder / "pinned", fsync=False)
    where = _wanting("Far", {"resources": {"far": 0.1}}, n=[1, 2])
    spec = TaskSpec(measure)
    spec.requires(where)
    failing = TaskSpec(fails)
    failing.requires(where)
    executor = RayExecutor(store_resources={"disk": 0.001}, keep_values="10MB")
    flow = Flow([where, spec, failing])
    options = {"results_store": store, "executor": executor, "progress": None}
    done = flow.run(**options, exit_on_error=False)
    again = flow.run(**options, exit_on_error=False)
    [error] = {record.latest.error.message for record in store.records("fails")}
    return {
        "stores": [each.results["store"] for each in done["Far"]],
        "nodes": [each.results["node"] for each in done["Far"]],
        "lengths": [each.results["length"] for each in done["measure"]],
        "counts": [done.counts, again.counts],
        "error": error,
        "openers": len(list(folder.glob("pinned.*"))),
        "in_work": len(store.keys_in_work()),
    }


def _refused(folder: Path) -> str:
    """No node has that resource."""
    try:
        _run([_wanting("Any", {}, n=1)], folder / "no", RayExecutor(store_resources={"tape": 1}))
    except RunError as error:
        return str(error)
    return ""


def _removed(folder: Path, cluster: Cluster, nodes: list[object]) -> dict[str, object]:
    """The node of a running task is taken away; the task is tried again on another one."""
    place = folder / "removed"
    place.mkdir()
    first: list[str] = []

    def remove() -> None:
        until = time.monotonic() + _PATIENCE_S
        while not (place / "at").exists() and time.monotonic() < until:
            time.sleep(0.05)
        first.append((place / "at").read_text())
        for node in nodes:
            if node.node_id == first[0]:
                cluster.remove_node(node, allow_graceful=False)

    wanted = {"ray": {"resources": {"spare": 0.1}}}
    spec = TaskSpec(Stays, {"folder": str(place)}, executor_options=wanted, retries={"lost": 2})
    thread = threading.Thread(target=remove, daemon=True)
    thread.start()
    done = _run([spec], folder / "removing", RayExecutor())
    thread.join(_PATIENCE_S)
    return {"first": first[0], "last": done["Stays"][0].results["node"], "counts": done.counts}


def _listening() -> list[str]:
    """Addresses, other than loopback, on which processes of this session listen."""
    inodes = {each for pid in _session() for each in _sockets(pid)}
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTEN and words[9] in inodes:
                found.add(words[1].partition(":")[0])
    return sorted(found - _LOOPBACK)


def _session() -> list[str]:
    """The processes that this one has started, directly or not."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[stat.parent.name] = stat.read_text().rpartition(")")[2].split()[1]
    found = [str(os.getpid())]
    for pid in found:
        found += [each for each, parent in parents.items() if parent == pid]
    return found


def _sockets(pid: str) -> list[str]:
    found = []
    for each in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            found.append(str(each.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
