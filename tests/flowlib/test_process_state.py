"""Is a process put back as it was, without more work than what was changed asks for?"""

from __future__ import annotations

import subprocess
import sys

PUT_BACK = """
import os, random
from flowlib.process_state import ProcessState

state, asked, real = ProcessState(), [], os.urandom
state.put_back()  # the first time it cannot know

def urandom(size):
    asked.append(size)
    return real(size)

os.urandom = urandom
def after(change):
    asked.clear()
    change()
    assert state.put_back()
    return len(asked), random.random()

print(after(lambda: state.put_back() and state.put_back())[0])
print(after(random.random)[0])
seeded = [after(lambda: random.seed(0)) for _ in range(2)]
print(*[times for times, _ in seeded], len({drawn for _, drawn in seeded}))
print(after(lambda: random.gauss(0, 1))[0])
"""


def test_numbers_start_anew_where_some_were_drawn():
    """Or a seed was set. Where nobody has touched them they go on: that says nothing to anyone."""
    command = [sys.executable, "-c", PUT_BACK]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.splitlines() == ["0", "1", "1 1 2", "1"]
