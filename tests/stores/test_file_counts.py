"""How often does a task that has run go to the file system? Counts, which no load changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given

from stores.index_entry import entry_of, line_of
from tests.stores.test_record import records

COUNT_CALLS = """
import json, os, sys
from collections import Counter
from stores import Address, LocalFileStore
from stores.testing import dead_owner, put

calls = Counter()
def count(name):
    original = getattr(os, name)
    def counted(*arguments, **options):
        calls[name] += 1
        return original(*arguments, **options)
    setattr(os, name, counted)
for name in "open close write access stat fstat rename unlink mkdir link".split():
    count(name)

def calls_of(address):
    calls.clear()
    number = put(store, address, {"value": 1}).latest.number
    return [number, dict(calls)]

store = LocalFileStore(sys.argv[1], fsync=False)
for number in range(20):  # it has its folders and its index by then
    put(store, Address("Train", f"{number:032x}"), {"value": number})
new, touched = Address("Train", "f" * 32), Address("Train", "e" * 32)
store.begin(touched, dead_owner())
print(json.dumps([calls_of(new), calls_of(touched), calls_of(new)]))
"""

COUNT_FRAMES = """
import sys
from stores import Address, LocalFileStore, Owner
from stores.testing import done, identity

store, owner, frames = LocalFileStore(sys.argv[1], fsync=False), Owner.of_this_process(), 0

def task(number):
    address = Address("Train", f"{number:032x}")
    attempt = store.begin(address, owner)
    attempt.save({"value": number, "kind": "mlp"}, "result", "json")
    attempt.commit(identity(address), done())

def count(frame, event, argument):
    global frames
    frames += event == "call"

for number in range(20):
    task(number)
sys.setprofile(count)
for number in range(100, 110):
    task(number)
sys.setprofile(None)
print(frames / 10)
"""

CODECS_AFTER = """
import sys
from stores import Address, LocalFileStore
from stores.testing import put
store = LocalFileStore(sys.argv[1], fsync=False)
put(store, Address("Train", "a"), {"number": 1, "text": "a", "list": [1.5], "raw": b"a"})
print(*sorted(name.rpartition(".")[2] for name in sys.modules if name.startswith("stores.codecs.")))
"""


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Numbers of attempts and calls: at a new key, at one of somebody dead, at a finished one."""
    folder = str(tmp_path_factory.mktemp("runs"))
    return json.loads(output_of(COUNT_CALLS, folder))


def output_of(program, folder) -> str:
    """What a program prints, in a process in which nobody else asks the system."""
    command = [sys.executable, "-c", program, folder]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def test_a_task_costs_one_file_and_few_looks(counts):
    """A lease that becomes the record and a line; looks: record, mark, record, checkpoint."""
    new, _, _ = counts
    expected = {"open": 1, "write": 3, "rename": 1, "close": 1, "access": 4, "stat": 1, "fstat": 1}
    assert new == [1, expected]


def test_only_a_key_that_was_touched_costs_more(counts):
    """Its marks are looked for first if it has a record, or a lease of somebody."""
    _, (taken_over, calls), (again, more_calls) = counts
    assert (taken_over, again) == (2, 2)
    assert calls["access"] > 4
    assert more_calls["access"] > 4


def test_a_task_needs_few_functions(tmp_path):
    """They are most of what its record costs where the disk need not be waited for."""
    assert float(output_of(COUNT_FRAMES, str(tmp_path))) <= 95


def test_plain_values_need_no_other_formats(tmp_path):
    """The first task of each worker would wait for twenty modules."""
    assert output_of(CODECS_AFTER, str(tmp_path)).split() == ["bytes", "json", "text"]


@given(records())
def test_a_line_of_the_index_is_the_entry_of_its_record(record):
    """It is made of the text of the record, whatever ended how."""
    found = os.stat(__file__)  # noqa: PTH116  # some file
    assert json.loads(line_of(record, record.text(), found)) == entry_of(record, found)
