"""Do tools that are run at once all end, and is every failure told?"""

from __future__ import annotations

import pytest

from tools import side_by_side

MEETS = """
import sys, time
from pathlib import Path
here = Path({folder!r})
(here / {own!r}).touch()
while not (here / {other!r}).exists():
    time.sleep(0.01)
print("this is", {own!r})
sys.exit({code})
"""


@pytest.fixture(name="run")
def _run(tmp_path, monkeypatch):
    """Gives what runs two tools that wait for each other, with the codes that they end with."""

    def run(**codes):
        for own, other in ("ab", "ba"):
            text = MEETS.format(folder=str(tmp_path), own=own, other=other, code=codes[own])
            (tmp_path / f"{own}.py").write_text(text)
        monkeypatch.setattr(side_by_side, "ROOT", tmp_path)
        monkeypatch.setattr("sys.argv", ["side_by_side", "a", "b"])
        side_by_side.main()

    return run


def test_they_run_at_once_and_each_shows_its_output(run, capfd):
    """Each waits here until the other has begun; what they say is in the order of their names."""
    run(a=0, b=0)
    assert capfd.readouterr().out == "this is a\nthis is b\n"


@pytest.mark.parametrize(("codes", "told"), [({"a": 2, "b": 0}, "a"), ({"a": 0, "b": 1}, "b")])
def test_those_that_fail_are_named(run, codes, told, capfd):
    """When all have ended, whatever the first did."""
    with pytest.raises(SystemExit, match=f"^failed: {told}$"):
        run(**codes)
    assert capfd.readouterr().out == "this is a\nthis is b\n"
