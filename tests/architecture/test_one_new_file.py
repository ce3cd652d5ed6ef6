"""Is each extension point one new file, put beside the others with nothing else changed?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.architecture.sources import LIMIT_S, PACKAGES, ROOT

NEW = {
    "stores/backends/shout.py": '''
"""A store that is a memory store with another name."""
from stores.backends.memory import InMemoryStore

class ShoutStore(InMemoryStore):
    """Loud."""
''',
    "stores/codecs/span.py": '''
"""A range as text."""
from stores.codec import Codec

class SpanCodec(Codec):
    """Ranges without a step."""
    extension = "span"
    priority = 90
    is_text = True
    def handles(self, value): return type(value) is range and value.step == 1
    def dump(self, value, stream, **options): stream.write(f"{value.start} {value.stop}".encode())
    def load(self, stream, **options): return range(*map(int, stream.read().split()))
''',
    "flowlib/expansions/first.py": '''
"""Only the first choice of each list."""
from flowlib.expansion import Expansion

class First(Expansion):
    """One point."""
    def combine(self, axes): yield [0 for _ in axes]
''',
    "flowlib/executors/newest.py": '''
"""In this process, what was submitted last comes first."""
from flowlib.executor import Executor, Workers
from flowlib.worker import execute

class NewestFirst(Executor):
    """Finishes what is new."""
    def start(self, setup): return Pile(setup)

class Pile(Workers):
    """A pile of jobs."""
    def __init__(self, setup): self.setup, self.pile = setup, []
    @property
    def free_slots(self): return 9 - len(self.pile)
    def submit(self, job, assignment):
        self.pile.append((job, assignment))
        return 0
    def wait(self, timeout_s):
        if not self.pile: return []
        job, assignment = self.pile.pop()
        return [execute(job, assignment, self.setup.store, self.setup.owner)]
    def kill(self, job, reason): raise NotImplementedError
    def close(self, *, now=False): self.pile.clear()
''',
    "flowlib/views/tally.py": '''
"""One line at the end."""
from flowlib.events import RunEnded
from flowlib.view import View

class Tally(View):
    """Prints counts."""
    def show(self, event):
        if isinstance(event, RunEnded): print("tally", dict(event.counts))
''',
}

USE = """
from flowlib import Flow, TaskSpec
from stores import open_store

def count(n):
    return {"numbers": range(n)}

if __name__ == "__main__":
    store = open_store("shout:")
    assert type(store).__name__ == "ShoutStore", store
    flow = Flow([TaskSpec(count, {"n": [7, 8, 9]}, expand="first")])
    run = flow.run(num_workers=1, results_store=store, executor="newest", progress="tally")
    (address,) = store.addresses()
    (artifact,) = store.record(address).finished.artifacts
    print(artifact.type_, store.get(address, "numbers"), run["count"][0]["numbers"])
"""


@pytest.fixture(name="house")
def _house(tmp_path):
    """A copy of both packages with five files added."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    for path, text in NEW.items():
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(text.lstrip())
    return tmp_path


def test_five_extensions_are_five_new_files(house):
    """A new store, codec, expansion, executor and view work together after adding five files."""
    (house / "use.py").write_text(USE)
    done = _python(house, "use.py")
    assert done.stdout.splitlines() == [
        "tally {'finished': 1}",
        "span range(0, 7) range(0, 7)",
    ], done.stderr


@pytest.mark.parametrize(
    "registry",
    [
        "flowlib.executor.executors",
        "flowlib.expansion.expansions",
        "flowlib.view.views",
        "stores.codec.codecs",
        "stores.uri.backends",
    ],
)
def test_an_unknown_name_is_an_error_with_the_choices_and_the_nearest(registry):
    """Each registry tells what there is, and which name was probably meant."""
    module, _, name = registry.rpartition(".")
    code = f"from {module} import {name} as r; n = r.names[0]; r.find(n + 'x')"
    error = _python(ROOT, "-c", code).stderr.splitlines()[-1]
    names = _python(ROOT, "-c", f"from {module} import {name} as r; print(*r.names)").stdout.split()
    assert "UnknownPlugin" in error
    assert [each for each in names if each not in error] == []
    assert error.endswith(f"Did you mean {names[0]}?")


def _python(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
