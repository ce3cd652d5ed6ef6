"""How is a command run that needs the network, which may hiccup?"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

PAUSES_S = (2.0, 10.0, 30.0)


def run_patiently(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Run `command`, again after a pause when it fails; the last failure ends this program.

    What it prints is shown only if it fails: a set-up that works is quiet.
    """
    print("  $", " ".join(command), flush=True)
    for pause_s in (*PAUSES_S, None):
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        print(done.stdout, file=sys.stderr, flush=True)
        if pause_s is None:
            sys.exit(f"failed {len(PAUSES_S) + 1} times: {' '.join(command)}")
        print(f"failed with {done.returncode}; again in {pause_s:g} s", file=sys.stderr, flush=True)
        time.sleep(pause_s)
