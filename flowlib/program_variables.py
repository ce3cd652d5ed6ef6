"""Which variables does a program see? A clean set, and what its task gives it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Final

_INHERITED: Final = (
    "HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "USER",
    # which devices it may use, and how many threads: the worker sets them for each task
    "CUDA_DEVICE_ORDER",
    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_FIXED: Final = {"LANG": "C.UTF-8"}

CHECKPOINTS: Final = "FLOWLIB_CHECKPOINT_DIR"
"""Names the folder that later attempts find again."""


def program_variables(own: Mapping[str, str], inherited: Iterable[str]) -> dict[str, str]:
    """The whole environment of a program.

    Args:
        own: What its task gives it; it wins.
        inherited: Names of more variables that it sees as this process does, if it has them.
    """
    found = {**_FIXED, **_of_this_process(_INHERITED)}
    found["PATH"] = _path(found.get("PATH", os.defpath))
    return {**found, **_of_this_process(inherited), **own}


def _of_this_process(names: Iterable[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _path(path: str) -> str:
    """The programs of the virtual environment come first, as where it is activated."""
    if sys.prefix == sys.base_prefix:
        return path
    folder = os.path.join(sys.prefix, "bin")  # noqa: PTH118  # text for a variable
    return path if folder in path.split(os.pathsep) else f"{folder}{os.pathsep}{path}"
