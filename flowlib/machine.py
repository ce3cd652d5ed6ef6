"""On which machine does this process run, as who, with which processors, in which job?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from flowlib.credentials import is_secret_name, without_secrets

_JOBS: Final = {
    "SLURM_JOB_ID": "slurm",
    "PBS_JOBID": "pbs",
    "LSB_JOBID": "lsf",
    "FLUX_JOB_ID": "flux",
    "AWS_BATCH_JOB_ID": "aws batch",
    "KUBERNETES_POD_NAME": "kubernetes",
}
"""The variables by which systems tell a process its job."""

_PROCESSORS: Final = Path("/proc/cpuinfo")
_GPUS: Final = Path("/proc/driver/nvidia")
_HEAD_BYTES: Final = 4096
_MOST_CHARACTERS: Final = 1000


def machine() -> dict[str, object]:
    """Host, user, process, platform, Python and processors; what is not known is left out."""
    system = os.uname()
    found: dict[str, object] = {
        "host": system.nodename,
        "user": _user(),
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "platform": f"{system.sysname}-{system.release}-{system.machine}",
        "cpu": _cpu(),
        "gpus": list(_gpus()),
        "gpu_driver": _gpu_driver(),
        "job_id": job_id(os.environ),
    }
    optional = ("cpu", "gpus", "gpu_driver", "job_id")
    return {name: value for name, value in found.items() if value or name not in optional}


def job_id(environment: Mapping[str, str]) -> str:
    """The job of a cluster that a process belongs to: `slurm 4711`; empty if there is none."""
    for name, system in _JOBS.items():
        if number := environment.get(name):
            part = environment.get("SLURM_ARRAY_TASK_ID", "") if system == "slurm" else ""
            return f"{system} {number}" + (f" part {part}" if part else "")
    return ""


def variables(environment: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """The variables of the environment that are to be recorded, without secrets.

    Args:
        environment: All of them.
        wanted: Names; `*` stands for any letters.
    """
    patterns = tuple(wanted)
    return {
        name: "***" if is_secret_name(name) else without_secrets(value)[0][:_MOST_CHARACTERS]
        for name, value in sorted(environment.items())
        if any(fnmatchcase(name, each) for each in patterns)
    }


def _user() -> str:
    import getpass  # only runs that compute something pay for it

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _cpu() -> str:
    """`AMD EPYC 9654 ×16`: the model, and how many this process may use."""
    model = next(_values(_head(_PROCESSORS), "model name"), "")
    return f"{model} ×{len(os.sched_getaffinity(0))}" if model else ""


def _gpus() -> Iterator[str]:
    """The models of NVIDIA's devices; those of others are not known."""
    try:
        folders = sorted((_GPUS / "gpus").iterdir())
    except OSError:
        return
    for folder in folders:
        yield from _values(_head(folder / "information"), "Model")


def _gpu_driver() -> str:
    words = _head(_GPUS / "version").partition("\n")[0].split()
    return next((each for each in words if each.count(".") > 1 and each[0].isdecimal()), "")


def _values(text: str, name: str) -> Iterator[str]:
    for line in text.splitlines():
        found, _, value = line.partition(":")
        if found.strip() == name:
            yield value.strip()


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
