"""A disk on which nothing more can be written, for code that writes by functions of `os`."""

from __future__ import annotations

import errno
import os
from typing import Any


class FullDisk:
    """Stands for the module `os`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, descriptor: int, data: object) -> int:
        """Write nothing."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
