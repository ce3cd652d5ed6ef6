"""Are the results the same, bit for bit, when drivers, workers and servers are killed all the time?"""

from __future__ import annotations

import pytest

from benchmarks.faults import KINDS, Report, contents, inject, table
from benchmarks.faults_tasks import TASKS_OF_ROUND, flow_of
from stores import InMemoryStore, LocalFileStore

SECONDS = 12.0
SEED = 11
SERVERS = ("postgresql", "mongodb")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_kills_at_random_change_no_result(tmp_path, kind):
    """Every artifact is that of a run in peace; nothing ran again that was finished, nothing stays."""
    report = inject(kind, tmp_path, SECONDS, SEED)
    output = (tmp_path / "run" / "output").read_text()[-4000:]
    assert report.problems == [], f"{table([report])}\n{output}"
    assert report.keys >= TASKS_OF_ROUND
    assert report.executions == report.keys + report.takeovers
    assert report.kills["driver"] > 0
    assert report.kills["worker"] > 0
    assert (report.kills["server"] > 0) is (kind in SERVERS)


def test_the_comparison_sees_a_single_bit(tmp_path):
    """What a store holds is compared by its bytes, whatever the store."""
    stores = [InMemoryStore(), LocalFileStore(tmp_path / "store", fsync=False)]
    for store in stores:
        flow_of(0, "", 0.0).run(num_workers=1, results_store=store)
    one, other = map(contents, stores)
    assert one == other
    assert len(one) == 2 * 40 + 3 * 40 + 2
    path = max((tmp_path / "store").rglob("*"), key=lambda each: each.stat().st_size)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    changed = contents(stores[1])
    assert [name for name in one if one[name] != changed[name]] != []


def test_the_table_names_what_differs():
    """A wrong run has its reasons below the table."""
    text = table([Report("file", keys=3), Report("sqlite", problems=["one bit"])])
    assert "| file | 0 | 3 |" in text
    assert text.endswith("- sqlite: one bit")
    assert text.count("**wrong**") == 1
