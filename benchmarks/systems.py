"""Which systems are measured, and what does each support?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STORING = ("cold", "busy", "warm", "one_more", "gather", "shape")
ALL = ("expand", *STORING, "start")


@dataclass(frozen=True, slots=True)
class System:
    """One way to compute the workloads.

    Attributes:
        name: What it is called in tables and on the command line.
        adapter: Module in `benchmarks.adapters`.
        supports: Names of functions of the adapter that may be called.
        requires: What pip installs for it; nothing for what this interpreter has.
        imports: The statement that a user's script begins with.
        help_module: The module whose `--help` is measured; none without a command.
        fsync: Whether results survive a power failure.
    """

    name: str
    adapter: str
    supports: Sequence[str] = ALL
    requires: Sequence[str] = ()
    imports: str = "pass"
    help_module: str | None = None
    fsync: bool = False


_FRONT_DOOR = "from flowlib import Flow, Task, TaskSpec; from stores import LocalFileStore"
_DURABLE = ("cold", "busy", "one_more")

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System("floor", "floor", (*ALL, "payload")),
        System("floor-files", "floor_files", STORING),
        System("flowlib", "flowlib", (*ALL, "payload"), (), _FRONT_DOOR, "flowlib"),
        System("floor-files-fsync", "floor_files", _DURABLE, fsync=True),
        System("flowlib-fsync", "flowlib", (*_DURABLE, "payload"), fsync=True),
        System("fluidml", "fluidml", (*ALL, "payload"), ("fluidml==0.3.4",), "import fluidml"),
        System(
            "joblib",
            "joblib",
            (*STORING, "payload", "start"),
            ("joblib", "numpy"),
            "import joblib",
        ),
        System("doit", "doit", ALL, ("doit",), "import doit", "doit"),
    )
}


def chosen(names: str) -> list[System]:
    """The systems of a comma-separated list, in that order; all if it is empty.

    Raises:
        SystemExit: one is unknown.
    """
    wanted = [name.strip().replace("_", "-") for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in SYSTEMS]:
        raise SystemExit(f"unknown system {unknown[0]!r}; there are {', '.join(SYSTEMS)}")
    return [SYSTEMS[name] for name in wanted or SYSTEMS]
