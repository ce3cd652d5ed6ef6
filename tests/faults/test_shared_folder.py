"""Do drivers that see one folder through two mounts, in two process namespaces, share its leases?"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest

from stores import LocalFileStore
from tests.faults.drivers import ROOT, SCRIPT, chain, check_results, executions, leftovers

COUNT = 100
LIMIT_S = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mount", "umount", "unshare"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a folder twice"),
]


@contextmanager
def mounted(folder, point):
    """The same folder, seen at another place."""
    point.mkdir()
    subprocess.run(["mount", "--bind", str(folder), str(point)], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


def started(folder, base, log, *, is_apart):
    """A driver, perhaps one that sees other process numbers, as on another host."""
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", str(base), str(log), str(COUNT), "2", "0.01"]
    apart = ["--pid", "--fork", "--mount-proc", "--kill-child"] if is_apart else ["--mount"]
    return subprocess.Popen(
        ["unshare", *apart, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_two_mounts_and_two_namespaces_share_the_leases(tmp_path):
    """Nobody can tell whether the other's processes live; every key is computed once all the same."""
    base, log = tmp_path / "store", tmp_path / "log"
    base.mkdir()
    with mounted(base, tmp_path / "other-mount") as other, ExitStack() as stack:
        drivers = [
            stack.enter_context(started(tmp_path / "one", base, log, is_apart=False)),
            stack.enter_context(started(tmp_path / "two", other, log, is_apart=True)),
        ]
        try:
            endings = [each.communicate(timeout=LIMIT_S)[1] for each in drivers]
        finally:
            for each in drivers:
                each.kill()
        assert [each.returncode for each in drivers] == [0, 0], endings
    begun = executions(log)
    half = COUNT // 2
    assert sorted(begun) == sorted(f"{name} {x}" for name in ("Make", "Use") for x in range(half))
    run = chain(COUNT, log).run(results_store=LocalFileStore(base))
    check_results(run, COUNT)
    assert run.counts == {"cached": COUNT}
    assert leftovers(base) == []
