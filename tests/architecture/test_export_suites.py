"""Is an engine that cannot be installed told, and in CI a failure?"""

from __future__ import annotations

import pytest

from tests.architecture.sources import ROOT
from tools import export_suites


@pytest.fixture(autouse=True)
def _uninstallable(monkeypatch):
    """No engine can be installed."""

    def ensure(folder, **wanted):
        raise SystemExit(f"no network for {folder.name}: {wanted['extras']}")

    monkeypatch.setattr(export_suites, "ensure", ensure)


def test_what_cannot_be_installed_is_told(monkeypatch, capsys):
    """And passes, where nobody has said that all must be there."""
    monkeypatch.setenv("CI", "false")
    assert export_suites.passes("prefect")
    assert "not run: the exports to prefect" in capsys.readouterr().out


def test_with_ci_it_is_a_failure(monkeypatch):
    """Nothing that should be proven is left out silently."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="no network for .venv-kfp"):
        export_suites.passes("kfp")


def test_each_engine_has_its_tests():
    """One module for each of them."""
    names = {path.stem for path in (ROOT / "tests" / "exports").glob("test_*.py")}
    assert names == {f"test_{engine}" for engine in export_suites.ENGINES}
