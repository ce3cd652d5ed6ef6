"""How much memory do GPUs have? The driver of NVIDIA tells, if nvidia-ml-py is there to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def memory_of(ids: Sequence[str]) -> list[int] | None:
    """The memory of each device in bytes.

    Args:
        ids: Indices in the order of `nvidia-smi`, or long names.

    Returns:
        None if nobody can tell: the package is not installed, or there is no such device.
    """
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver
        return None
    try:
        return [int(pynvml.nvmlDeviceGetMemoryInfo(_device(pynvml, each)).total) for each in ids]
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _device(pynvml: Any, each: str) -> object:
    if each.isdigit():
        return pynvml.nvmlDeviceGetHandleByIndex(int(each))
    return pynvml.nvmlDeviceGetHandleByUUID(each)
