"""Where is each system installed? Each peer in a venv of its own, under the cache folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from benchmarks.systems import System

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"


def cache_folder() -> Path:
    """The folder of venvs, stores and raw results; git ignores it."""
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    return CACHE


def python_of(system: System) -> Path | None:
    """The interpreter that has the system; None if it is not installed."""
    if not system.requires:
        return Path(sys.executable)
    python = _venv_of(system) / "bin" / "python"
    return python if (_venv_of(system) / "installed").exists() else None


def set_up(systems: Iterable[System]) -> None:
    """Install what is missing."""
    cache_folder()
    for system in systems:
        if python_of(system) is not None:
            print(f"{system.name}: there")
            continue
        folder = _venv_of(system)
        print(f"{system.name}: installing {' '.join(system.requires)} in {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", *system.requires], check=True)
        (folder / "installed").touch()


def clean() -> None:
    """Remove the folders that sessions have kept."""
    for folder in cache_folder().glob("work-*"):
        shutil.rmtree(folder)


def _venv_of(system: System) -> Path:
    return CACHE / f"venv-{system.name}"
