"""
Which devices may a worker process see, and how many threads may it start? Environment variables.

CUDA reads `CUDA_VISIBLE_DEVICES` once, when it starts, and libraries of arithmetic read how many
threads to use when they are imported; so both must stand in the environment of a process before
any code of the user's is imported, and a process serves one set of devices only.

`HIP_VISIBLE_DEVICES` means the same to ROCm. `ROCR_VISIBLE_DEVICES` stands below it and renumbers
what it lets through; setting both hides devices twice, so it is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from flowlib.errors import ResourceError
from stores.lazy_dataclass import dataclass

Environment = tuple[tuple[str, str], ...]
"""Variables and their values; equal ones may share a process."""

_DEVICES: Final = Path("/dev")
"""Where the driver of NVIDIA shows its devices: nvidia0, nvidia1, …"""

_VISIBLE: Final = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_BELOW: Final = "ROCR_VISIBLE_DEVICES"
_ORDER: Final = "CUDA_DEVICE_ORDER"
_NO_DEVICE: Final = "-1"  # an empty value hides nothing from some versions of ROCm
DEVICE_NAMES: Final = ("GPU-", "MIG-")
"""How the long names of devices begin."""

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A device that only the processes see that have leased it.

    Attributes:
        id: What it is called in `CUDA_VISIBLE_DEVICES`: its index, or its long name.
    """

    id: str

    def __str__(self) -> str:
        return f"gpu {self.id}"


def gpus_of(wanted: int | Sequence[object], environ: Mapping[str, str]) -> tuple[Gpu, ...] | None:
    """The devices that a user named: how many, or which.

    Indices count the devices that this process may see, in the order of `nvidia-smi`.

    Args:
        wanted: A number of devices, or their indices and names (`GPU-…`, `MIG-…`).
        environ: The environment of this process.

    Returns:
        None if `wanted` holds something else: objects of the user's own.

    Raises:
        ResourceError: there are fewer devices, or one is named twice.
    """
    ids = list(range(wanted)) if isinstance(wanted, int) else list(wanted)
    if not all(_is_device(each) for each in ids):
        return None
    visible = _visible(environ)
    gpus = tuple(Gpu(_id_of(each, visible)) for each in ids)
    if len(set(gpus)) < len(gpus):
        raise ResourceError(f"resources name a GPU twice: {', '.join(each.id for each in gpus)}")
    return gpus


def all_gpus(environ: Mapping[str, str]) -> list[object]:
    """The devices that this process may use, as `gpus_of` takes them."""
    visible = _visible(environ)
    if visible is not None:
        return [*range(len(visible))]
    return [*range(len(list(_DEVICES.glob("nvidia[0-9]*"))))]


def environment_of(
    gpus: Sequence[Gpu] | None, cpus: float | None, environ: Mapping[str, str]
) -> Environment:
    """The variables of the process for a task that was leased these.

    Args:
        gpus: Its devices; None if the run has no devices to lease.
        cpus: How many CPUs it asked for; None if it did not.
        environ: The environment of this process: what the user has set there of the numbers of
            threads and of the order of devices holds. (A fork server may not know of it yet.)
    """
    found: list[tuple[str, str]] = []
    if gpus is not None:
        ids = ",".join(each.id for each in gpus) or _NO_DEVICE
        found += [(name, ids) for name in _VISIBLE]
        found.append((_ORDER, environ.get(_ORDER, "PCI_BUS_ID")))
    if cpus is not None:
        threads = str(max(1, int(cpus)))
        found += [(name, environ.get(name, threads)) for name in _THREADS]
    return tuple(found)


def names_inside(gpus: Sequence[Gpu]) -> list[str]:
    """What the devices are called in the process that has leased them: the first is `cuda:0`."""
    return [f"cuda:{index}" for index in range(len(gpus))]


def _is_device(each: object) -> bool:
    if isinstance(each, str):
        return each.startswith(DEVICE_NAMES)
    return isinstance(each, int) and not isinstance(each, bool)


def _visible(environ: Mapping[str, str]) -> list[str] | None:
    """The ids of the devices this process may see; None if it may see all there are."""
    for name in _VISIBLE:
        if name in environ:
            ids = [each.strip() for each in environ[name].split(",")]
            hidden = next((n for n, each in enumerate(ids) if each in ("", _NO_DEVICE)), len(ids))
            return ids[:hidden]
    if _BELOW in environ:
        return [str(index) for index, _ in enumerate(environ[_BELOW].split(","))]
    return None


def _id_of(wanted: object, visible: list[str] | None) -> str:
    if not isinstance(wanted, int):
        return str(wanted)
    if wanted < 0:
        raise ResourceError(f"resources name the GPU {wanted}; the first is 0")
    if visible is None:
        return str(wanted)
    if wanted >= len(visible):
        raise ResourceError(
            f"resources name the GPU {wanted}, but this process may see {len(visible)} only "
            f"(the environment says: {','.join(visible) or 'none'}); the first is 0"
        )
    return visible[wanted]
