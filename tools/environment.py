"""Which packages does a virtual environment need, and has it got them?

A stamp inside the environment holds a digest of what pyproject.toml asks for and what of it was
installed, so a second call for the same or less does nothing.

    python -m tools.environment .venv --extra examples --group dev
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.patience import run_patiently

ROOT = Path(__file__).resolve().parents[1]
LAYOUT = 1
"""Raised when environments made before must be made anew."""
DECIDING = ("build-system", "project", "dependency-groups")
"""The tables of pyproject.toml that decide what is installed."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an environment was made from and what was installed into it."""

    digest: str
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def to_json(self) -> str:
        """As text, stable for equal stamps."""
        content = [self.digest, sorted(self.extras), sorted(self.groups)]
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> Stamp:
        """Back from `to_json`."""
        digest, extras, groups = json.loads(text)
        return cls(digest, frozenset(extras), frozenset(groups))

    def covers(self, other: Stamp) -> bool:
        """Whether nothing of `other` is missing here."""
        return (
            self.digest == other.digest
            and self.extras >= other.extras
            and self.groups >= other.groups
        )


def digest_of(python: str) -> str:
    """A digest of all that decides what is installed."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    deciding = json.dumps([tables[name] for name in DECIDING], sort_keys=True).encode()
    version = subprocess.run([python, "-VV"], capture_output=True, check=True).stdout
    return hashlib.blake2b(b"%d|%b|%b" % (LAYOUT, version, deciding), digest_size=16).hexdigest()


def ensure(
    folder: Path,
    *,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    python: str | None = None,
) -> Path:
    """Make `folder` an environment of `python` with the project and what it needs.

    Args:
        folder: The environment.
        extras: Extras of the project.
        groups: Dependency groups of pyproject.toml.
        python: The interpreter it is made of; None is the one below this program's environment.

    Returns:
        The environment's interpreter.
    """
    python = python or base_interpreter()
    wanted = Stamp(digest_of(python), frozenset(extras), frozenset(groups))
    stamp, inner = folder / "flowlib-stamp.json", folder / "bin" / "python"
    present = Stamp.from_json(stamp.read_text()) if stamp.exists() else None
    if present is not None and present.covers(wanted) and inner.exists():
        return inner
    if present is not None and present.digest == wanted.digest:
        wanted = Stamp(
            wanted.digest, present.extras | wanted.extras, present.groups | wanted.groups
        )
    else:
        shutil.rmtree(folder, ignore_errors=True)
        create(folder, python)
    stamp.unlink(missing_ok=True)
    install(inner, project_with(wanted))
    stamp.write_text(wanted.to_json())
    return inner


def base_interpreter() -> str:
    """The interpreter of this program, or the one its environment was made of."""
    return str(getattr(sys, "_base_executable", sys.executable))


def create(folder: Path, python: str) -> None:
    """Make an empty environment with a pip that knows dependency groups."""
    print(f"making {folder} with {python}", flush=True)
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    install(folder / "bin" / "python", ["--upgrade", "pip>=25.1"])


def install(python: Path, what: Iterable[str]) -> None:
    """Install `what` (arguments of pip) for the interpreter `python`."""
    run_patiently([str(python), "-m", "pip", "install", "--quiet", "--no-input", *what])


def project_with(stamp: Stamp) -> list[str]:
    """The arguments with which pip installs the project, its extras and groups."""
    extras = f"[{','.join(sorted(stamp.extras))}]" if stamp.extras else ""
    groups = [
        part
        for each in sorted(stamp.groups)
        for part in ("--group", f"{ROOT}/pyproject.toml:{each}")
    ]
    return ["--editable", f"{ROOT}{extras}", *groups]


def main() -> None:
    """Read the command line and set the environment up."""
    parser = argparse.ArgumentParser(prog="python -m tools.environment", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extra", action="append", default=[])
    parser.add_argument("--group", action="append", default=[])
    given = parser.parse_args()
    ensure(given.folder, extras=given.extra, groups=given.group)


if __name__ == "__main__":
    main()
