"""Which packages are installed, and which lock file does the project have?"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from flowlib.credentials import without_credentials
from stores.digests import blake2b

LOCK_FILES: Final = (
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pixi.lock",
    "conda-lock.yml",
    "requirements.txt",
)
"""The first that is there counts."""

_ENDING: Final = ".dist-info"


def installed_packages(path: Iterable[str] | None = None) -> str:
    """A line for each installed package, in order: `numpy==2.1.0`, and ` @ URL` if it has one.

    Names of folders are read, and no more of most packages: a thousand take some milliseconds.

    Args:
        path: Where Python looks; None is `sys.path`.
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path if path is None else path):
        for name, line in _packages_in(folder or "."):
            found.setdefault(name, line)  # the first is what is imported
    return "".join(f"{found[name]}\n" for name in sorted(found))


def packages_in(text: str) -> dict[str, str]:
    """Versions by name of package, from the lines of `installed_packages`."""
    found = {}
    for line in text.splitlines():
        name, sign, version = line.partition("==")
        if sign:
            found[name] = version
    return found


def lock_file(folder: str, root: str) -> tuple[str, str]:
    """Name and digest of the nearest lock file, upwards; both are empty if there is none.

    Args:
        folder: Where to begin.
        root: The last folder that is looked at; empty for `folder` alone.
    """
    here = Path(folder)
    for each in (here, *(here.parents if root else ())):
        for name in LOCK_FILES:
            try:
                content = (each / name).read_bytes()
            except OSError:
                continue
            return name, blake2b(content, digest_size=16).hexdigest()
        if str(each) == root:
            break
    return "", ""


def _packages_in(folder: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  # thousands of names
    except OSError:
        return  # an archive, or gone
    for each in names:
        if each.endswith(_ENDING):
            name, _, version = each.removesuffix(_ENDING).partition("-")
            name = name.lower().replace("_", "-")
            yield name, f"{name}=={version}{_origin(Path(folder, each, 'direct_url.json'))}"


def _origin(file: Path) -> str:
    """` @ URL` of what a package was installed from; empty for one of an index."""
    try:
        told = json.loads(file.read_bytes())
        url = without_credentials(str(told["url"]))
        commit = told.get("vcs_info", {}).get("commit_id", "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f" @ {url}@{commit}" if commit else f" @ {url}"
