"""Tasks for jobs of SLURM; in a module of their own, so that workers can import them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import flowlib


def devices(n: int) -> dict[str, object]:
    """Tell which GPUs SLURM has given."""
    return {"gpus": os.environ.get("CUDA_VISIBLE_DEVICES", ""), "job": os.environ["SLURM_JOB_ID"]}


class Resumes(flowlib.Task):
    """Waits the first time, and goes on from its checkpoint the second time."""

    def __init__(self, gate: str, asks: bool = False) -> None:
        self.gate, self.asks = gate, asks

    def run(self) -> dict[str, object]:
        """Write down what there is, and wait to be ended."""
        checkpoint = self.checkpoint_dir / "state"
        if checkpoint.exists():
            return {"from": checkpoint.read_text(), "job": os.environ["SLURM_JOB_ID"]}
        checkpoint.write_text("half")
        Path(self.gate, f"begun-{os.environ['SLURM_JOB_ID']}").touch()
        until = time.monotonic() + 120.0
        while time.monotonic() < until and not Path(self.gate, "open").exists():
            if self.asks and self.should_stop():
                raise KeyboardInterrupt
            time.sleep(0.05)
        return {"from": "", "job": os.environ["SLURM_JOB_ID"]}


def numbered(n: int, gate: str) -> dict[str, object]:
    """The same, with a number."""
    Path(gate, f"begun-{n}-{time.monotonic_ns()}").touch()
    until = time.monotonic() + 120.0
    while time.monotonic() < until and not Path(gate, "open").exists():
        time.sleep(0.05)
    return {"n": n}


def counted(gate: str) -> dict[str, object]:
    """Tell by a file that it was called, and wait for the gate."""
    Path(gate, f"begun-{time.monotonic_ns()}").touch()
    until = time.monotonic() + 120.0
    while time.monotonic() < until and not Path(gate, "open").exists():
        time.sleep(0.05)
    return {"pid": os.getpid()}


def meets(n: int, gate: str) -> dict[str, object]:
    """Tell in which job it runs; the first of each job waits for the first of another one."""
    job = os.environ["SLURM_JOB_ID"]
    Path(gate, job).touch()
    until = time.monotonic() + 120.0
    while time.monotonic() < until and len(list(Path(gate).iterdir())) < 2:
        time.sleep(0.05)
    return {"square": n * n, "job": job, "pid": os.getpid()}
