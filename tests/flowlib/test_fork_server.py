"""What the server that forks workers has loaded before the first of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowlib


@pytest.mark.parametrize(
    ("imports", "has_loaded"),
    [("from flowlib import Flow, TaskSpec", True), ("from flowlib import Task", False)],
)
def test_workers_find_loaded_what_the_driver_uses(imports, has_loaded, tmp_path):
    """Whoever uses Flow has modules that import it: loading it again in each worker takes long."""
    (tmp_path / "teller.py").write_text(
        "import sys\n\n\ndef tell(sender):\n    sender.send('flowlib.flow' in sys.modules)\n"
    )
    script = f"""
import multiprocessing, sys
{imports}
import teller
from flowlib.fork_server import start_fork_server
multiprocessing.set_forkserver_preload([])
start_fork_server()
context = multiprocessing.get_context("forkserver")
ours, theirs = context.Pipe()
child = context.Process(target=teller.tell, args=(theirs,))
child.start()
print(ours.recv())
child.join()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(flowlib.__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(has_loaded)
