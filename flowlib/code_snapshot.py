"""
What did the project's own files hold when a run began? Kept once for equal contents.

A snapshot is a compressed tar beside the records, named by the digest of what is in it. Records
name it, so that it goes where they are copied.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from flowlib.errors import RunError
from flowlib.git_state import digest_of, work_tree
from flowlib.project_files import project_files
from flowlib.provenance import folder_of_code
from flowlib.source_tree import write_files
from stores import ResultsStore
from stores.lazy_dataclass import dataclass
from stores.text_shelf import keep, read

SNAPSHOT: Final = "snapshot"
"""The kind of the text, and the field of a record that names it."""

ROOT: Final = "snapshot_root"
"""The field of a record with the folder that the files were in."""

LEFT_OUT: Final = "snapshot_left_out"
"""The field of a record with the names of large files that are not in it."""

_MOST_TOLD: Final = 5
_OURS: Final = ("flowlib", "stores")
_MAINS: Final = ("__main__", "__mp_main__")
_UNUSED_S: Final = 30 * 86_400.0
"""What was unpacked, and not used for so long, is deleted; it can be unpacked again."""


@dataclass(frozen=True, slots=True)
class CodeSnapshot:
    """Code as it was.

    Attributes:
        digest: Names it.
        root: The folder that it was in.
        left_out: The large files that are not in it, for people.
    """

    digest: str
    root: str
    left_out: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What records say of it."""
        facts = {SNAPSHOT: self.digest, ROOT: self.root, LEFT_OUT: self.left_out}
        return {name: value for name, value in facts.items() if value}


def take_snapshot(store: ResultsStore) -> CodeSnapshot:
    """Keep the project's own files beside the records of a store.

    Raises:
        RunError: they are too many or too large, cannot be read, or the store cannot keep them.
    """
    folder = folder_of_code()
    root = Path(work_tree(folder) or folder)
    found = project_files(root, store, has_git=bool(work_tree(folder)))
    data = _packed(root, found.paths)
    digest = digest_of(data)
    if why := keep(store, {(SNAPSHOT, digest): gzip.compress(data, mtime=0)}):
        raise RunError(f"the snapshot of {root} cannot be kept, so nothing was run: {why}")
    return CodeSnapshot(digest, str(root), _told(found.large))


def _told(large: Mapping[str, int]) -> str:
    """Names and sizes, the largest first."""
    first = sorted(large, key=lambda name: (-large[name], name))[:_MOST_TOLD]
    more = [f"{len(large) - len(first)} more"] * (len(large) > len(first))
    return ", ".join([*(f"{name} ({large[name]:,} bytes)" for name in first), *more])


def unpack(store: ResultsStore, digest: str, folder: Path) -> None:
    """Write the files of a snapshot into a folder.

    Raises:
        RunError: it is not there, or damaged.
    """
    kept = read(store, SNAPSHOT, digest)
    if kept is None:
        raise RunError(f"the snapshot {digest[:8]} of the code is not in {store!r}")
    try:
        data = gzip.decompress(kept)
    except (OSError, EOFError, ValueError) as error:
        raise RunError(f"the snapshot {digest[:8]} of the code is damaged: {error}") from error
    if digest_of(data) != digest:
        raise RunError(f"the snapshot {digest[:8]} of the code is damaged")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                write_files(folder, {member.name: content.read()})
                (folder / member.name).chmod(member.mode & 0o777)


def unpacked(store: ResultsStore, digest: str) -> Path:
    """The folder of this user with the files of a snapshot; they are for reading.

    Raises:
        RunError: it is not there, or damaged.
    """
    place = _cache() / digest
    if not place.is_dir():
        new = Path(tempfile.mkdtemp(prefix=f".{digest}.", dir=_cache()))
        try:
            unpack(store, digest, new)
            new.rename(place)
        except OSError:  # another process was quicker
            if not place.is_dir():
                raise
        finally:
            shutil.rmtree(new, ignore_errors=True)
    with suppress(OSError):
        os.utime(place)
    return place


@contextmanager
def imported_from(snapshot: CodeSnapshot, store: ResultsStore) -> Iterator[None]:
    """Let what is imported here, and in processes that are started here, be of a snapshot.

    Raises:
        RunError: it is not there, or damaged.
    """
    folder, main = str(unpacked(store, snapshot.digest)), sys.modules.get("__main__")
    before, script = list(sys.path), getattr(main, "__file__", None)
    ours = moved_paths(before, snapshot.root, folder)
    sys.path[:] = ours
    moved = None if script is None else _moved(str(Path(script).absolute()), snapshot.root, folder)
    if main is not None and moved is not None and Path(moved).is_file():
        main.__file__ = moved
    try:
        yield
    finally:
        if sys.path == ours:
            sys.path[:] = before
        if main is not None and script is not None:
            main.__file__ = script


def import_from(store: ResultsStore, snapshot: CodeSnapshot, folders: Iterable[str]) -> None:
    """Let this process import the project from a snapshot from now on.

    Args:
        store: Where it is.
        snapshot: It.
        folders: Where the code was found in the process that took it.

    Raises:
        RunError: other code of the project is loaded here already.
    """
    folder = unpacked(store, snapshot.digest)
    others = [Path(snapshot.root), _cache()]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or name in _MAINS or name.partition(".")[0] in _OURS:
            continue
        path = Path(file)
        if not path.is_relative_to(folder) and any(map(path.is_relative_to, others)):
            raise RunError(
                f"{name} is loaded from {file} already, and the tasks want the code that they were "
                f"submitted with: run `flowlib execute` for them, in a process of its own"
            )
    path_entries = dict.fromkeys([*folders, *sys.path])
    sys.path[:] = moved_paths(path_entries, snapshot.root, str(folder))


def moved_paths(paths: Iterable[str], root: str, folder: str) -> list[str]:
    """Where Python looks for code, with another folder in place of the project's."""
    moved = [_moved(str(Path(each).absolute()), root, folder) or each for each in paths]
    first = [str(each) for each in (Path(folder, "src"), Path(folder)) if each.is_dir()]
    there = [each for each in moved if not Path(each).is_relative_to(folder) or Path(each).is_dir()]
    below = [each for each in there if Path(each).is_relative_to(folder)]
    rest = [each for each in there if not Path(each).is_relative_to(folder)]
    return list(dict.fromkeys([*below, *first, *rest]))


def _moved(path: str, root: str, folder: str) -> str | None:
    """A path below the root as it is in the folder; None of any other."""
    resolved, base = Path(path).resolve(), Path(root).resolve()
    if not resolved.is_relative_to(base) or resolved.is_relative_to(sys.prefix):
        return None
    return str(Path(folder, resolved.relative_to(base)))


def _packed(root: Path, paths: dict[str, Path]) -> bytes:
    """The files as a tar that is the same for the same names, contents and rights to execute."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(paths):
            try:
                content = paths[name].read_bytes()
                is_program = paths[name].stat().st_mode & stat.S_IXUSR
            except OSError as error:
                raise RunError(
                    f"{name} below {root} cannot be read for the snapshot, so nothing was run: "
                    f"{error.strerror}"
                ) from error
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o555 if is_program else 0o444
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _cache() -> Path:
    """Where this user's processes unpack snapshots; old ones are deleted."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(base, "flowlib", "code")
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    for each in found.iterdir():
        with suppress(OSError):
            if each.stat().st_mtime < time.time() - _UNUSED_S:
                shutil.rmtree(each, ignore_errors=True)
    return found
