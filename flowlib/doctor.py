"""What works here? Versions, extras, the store, worker processes, GPUs, tmux, the terminal."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from flowlib.configuration import settings
from flowlib.credentials import without_credentials
from flowlib.devices import all_gpus
from flowlib.errors import FlowError
from flowlib.flow import Flow
from flowlib.gpu_memory import memory_of
from flowlib.next_commands import default_store_uri
from flowlib.spec import TaskSpec
from flowlib.terminal import shows_colour, shows_unicode, terminal_width
from stores import Address, LocalFileStore, StoreError, open_store
from stores.lazy_dataclass import dataclass

DISTRIBUTION: Final = "flowlib-runner"

_OLDEST: Final = (3, 11)
_LITTLE_BYTES: Final = 1 << 30
_LIMIT_S: Final = 10.0
_EXTRA: Final = re.compile(r"^([\w.-]+).*extra == ['\"]([\w-]+)['\"]")
_NO_FEATURES: Final = frozenset({"all", "examples"})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        is_ok: None for something optional that is not there.
        detail: What was found, and what to do if it is not in order.
    """

    name: str
    is_ok: bool | None
    detail: str


def checks(store_uri: str | None = None) -> Iterator[Check]:
    """Look at everything, one thing after the other; a fault in one never hides another.

    Args:
        store_uri: The store to look at; None for that of the command.
    """
    yield _python()
    yield from _libraries()
    yield from _guarded("settings", _settings)
    yield from _guarded("store", lambda: _store(store_uri or default_store_uri()))
    yield from _guarded("processes", _processes)
    yield _gpus()
    yield _program("git", "commits in provenance")
    yield _program("tmux", "panes of workers")
    yield _terminal()


def _guarded(name: str, look: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield look()
    except (FlowError, StoreError, OSError, ImportError) as error:
        yield Check(name, False, without_credentials(str(error)))


def _python() -> Check:
    is_ok = sys.version_info >= _OLDEST and os.name == "posix"
    found = f"{platform.python_version()} on {platform.system()} ({sys.executable})"
    return Check("python", is_ok, found if is_ok else f"{found}; needs 3.11 on Linux or macOS")


def _libraries() -> Iterator[Check]:
    """This distribution, what it needs, and what its extras bring."""
    try:
        yield Check("flowlib", True, metadata.version(DISTRIBUTION))
        required = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield Check("flowlib", None, "runs from its sources; extras are not known")
        return
    extras: dict[str, list[str]] = {}
    for text in required:
        if (found := _EXTRA.match(text)) is None:
            yield _library(re.split(r"[^\w.-]", text, maxsplit=1)[0])
        elif found[2] not in _NO_FEATURES:
            extras.setdefault(found[2], []).append(found[1])
    for extra, names in extras.items():
        yield _extra(extra, names)


def _library(name: str) -> Check:
    version = _version(name)
    if version is None:
        return Check(name, False, f"is missing: pip install {DISTRIBUTION}")
    return Check(name, True, version)


def _extra(extra: str, names: list[str]) -> Check:
    missing = [name for name in names if _version(name) is None]
    if missing:
        command = f"pip install '{DISTRIBUTION}[{extra}]'"
        return Check(f"[{extra}]", None, f"without {', '.join(missing)}: {command}")
    return Check(f"[{extra}]", True, ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _settings() -> Check:
    named = ", ".join(sorted(settings().origins)) or "none"
    return Check("settings", True, f"changed from their defaults: {named}")


def _store(uri: str) -> Check:
    """Open the store and take a lease in it, which leaves nothing behind."""
    shown = without_credentials(uri)
    folder = Path(uri.removeprefix("file:"))
    if uri.startswith("file:") and not folder.is_dir():
        parent = next(each for each in folder.parents if each.is_dir())
        if os.access(parent, os.W_OK):
            return Check("store", True, f"{shown} will be made by the first run")
        return Check("store", False, f"{shown} cannot be made: {parent} is not writable")
    store = open_store(uri)
    try:
        store.begin(Address("flowlib-doctor", "0" * 32)).abandon()
    finally:
        store.close()
    if not uri.startswith("file:"):
        return Check("store", True, f"{shown} can be written to")
    free = shutil.disk_usage(folder).free
    detail = f"{shown} can be written to, {free / (1 << 30):,.1f} GiB are free"
    return Check("store", free >= _LITTLE_BYTES, detail)


def _processes() -> Check:
    """Run one task in a worker process, with a store that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        run = Flow([TaskSpec(_answer, name="answer")]).run(
            num_workers=1,
            executor="processes",
            exit_on_error=False,
            results_store=LocalFileStore(folder),
            progress=None,
        )
    if not run.ok:
        return Check("processes", False, f"a worker failed: {run.exception}")
    return Check("processes", True, f"a worker answered in {run.duration_s:.2f} s")


def _answer() -> int:
    return os.getpid()


def _gpus() -> Check:
    devices = all_gpus(os.environ)
    if not devices:
        return Check("gpus", None, "no device of NVIDIA is visible")
    sizes = memory_of([str(each) for each in devices]) or []
    memory = f", {min(sizes) / (1 << 30):,.0f} GiB each" if sizes else ""
    return Check("gpus", True, f"{len(devices)} visible{memory}")


def _program(name: str, use: str) -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, None, f"is not installed: no {use}")
    flag = "-V" if name == "tmux" else "--version"
    try:
        done = subprocess.run(
            [path, flag], capture_output=True, text=True, timeout=_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name, False, f"{path} does not answer: {error}")
    return Check(name, True, done.stdout.strip().splitlines()[0])


def _terminal() -> Check:
    words = [f"{terminal_width()} columns" if sys.stdout.isatty() else "no terminal"]
    words.append("Unicode" if shows_unicode(sys.stdout) else "ASCII only")
    words.append("colours" if shows_colour(sys.stdout) else "no colours")
    return Check("terminal", True, ", ".join(words))
