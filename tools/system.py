"""Which programs do the tests start, and are they on this machine?

As root on Debian `python -m tools.system` installs what is missing; elsewhere it lists what will
not be run. With CI=true a program that is missing in the end is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.patience import run_patiently

LIST = Path(__file__).with_name("system.toml")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that tests start.

    Attributes:
        name: Its name.
        package: The Debian package that brings it; None if a wheel in the environment does.
        purpose: What it is for.
        folder: A pattern of folders outside of PATH where the package puts it.
    """

    name: str
    package: str | None
    purpose: str
    folder: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it is on PATH or in its folder; wheels come with the environment."""
        if self.package is None or shutil.which(self.name) is not None:
            return True
        return self.folder is not None and bool(list(Path("/").glob(f"{self.folder}/{self.name}")))


def programs() -> list[Program]:
    """All programs that tests may start, in the order of the list."""
    rows = tomllib.loads(LIST.read_text())["program"]
    return [Program(row["name"], row.get("package"), row["for"], row.get("folder")) for row in rows]


def in_ci() -> bool:
    """Whether a missing component is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def install(packages: list[str]) -> None:
    """Install Debian packages; only root can."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_patiently(["apt-get", "update", "-q"], env=env)
    run_patiently(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=env)


def main() -> None:
    """Install or list what is missing."""
    missing = [each for each in programs() if not each.is_here]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install(sorted({each.package for each in missing if each.package is not None}))
        missing = [each for each in missing if not each.is_here]
    for each in missing:
        print(f"not run, {each.name} is missing (Debian: {each.package}): {each.purpose}")
    if missing and in_ci():
        sys.exit("CI=true: every program that the tests start must be there")


if __name__ == "__main__":
    main()
