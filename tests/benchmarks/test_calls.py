"""Do the benchmarks of remembered calls call what they say?"""

from __future__ import annotations

from pathlib import Path

from benchmarks.calls import cases, microseconds


def test_each_case_gives_what_it_is_called(tmp_path: Path) -> None:
    """All hits give the value of a computation."""
    found = {name: call() for name, call in cases(str(tmp_path))}
    assert [value for name, value in found.items() if name.startswith("hit")] == [
        3,
        {"score": 1.5, "layers": [64, 64]},
        3,
        3,
        3,
    ]
    assert found["its key"] == found["a lazy call"].key  # type: ignore[attr-defined]  # a Call


def test_a_round_is_measured() -> None:
    """In microseconds of the processor."""
    assert 0 <= microseconds(lambda: None, 100, 2) < 1000
