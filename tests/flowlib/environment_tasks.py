"""Tasks that tell what their process was when this module was imported, and what it is now."""

from __future__ import annotations

import os
import time

from flowlib import Task

AT_IMPORT = dict(os.environ)
NAMES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "OMP_NUM_THREADS")


def variable(name):
    """Say what the process was when it started, and what it is."""
    return {"value": os.environ.get(name), "at_import": AT_IMPORT.get(name)}


class Look(Task):
    """Say which devices and threads there are, and hold them for a while."""

    def __init__(self, n: int, seconds: float = 0.05):
        self.seconds = seconds

    def run(self):
        """Look, wait, tell."""
        began = time.time()
        time.sleep(self.seconds)
        return {
            "at_import": {name: AT_IMPORT.get(name) for name in NAMES},
            "now": {name: os.environ.get(name) for name in NAMES},
            "resource": self.resource,
            "pid": os.getpid(),
            "span": (began, time.time()),
        }
