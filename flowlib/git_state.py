"""What does git say of the code: commit, branch, remote, and what differs from the commit?"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import IO, Final

from flowlib.credentials import without_credentials, without_secrets
from stores.digests import blake2b
from stores.lazy_dataclass import dataclass

MOST_BYTES: Final = 4 << 20
"""Of a patch, and of the contents of untracked files."""

_LIMIT_S: Final = 5.0
"""How long git may take for one answer; a huge work tree is not worth more."""

_CHUNK_BYTES: Final = 1 << 20
_FOREIGN: Final = (".flowlib/", "__pycache__/")
"""Untracked folders that are no part of the code: the usual store, and what Python writes."""

_COMMAND: Final = ("git", "--no-pager", "--no-optional-locks", "-c", "core.quotePath=false")
_DIFF: Final = (
    "diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--no-textconv",
    "--submodule=short", "--no-relative", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip


@dataclass(slots=True)
class GitState:
    """The state of the repository around a folder; all is empty where there is none.

    Attributes:
        root: The work tree.
        commit: The last commit.
        branch: The branch; empty if none is checked out.
        remote: The URL of `origin`, without passwords.
        is_dirty: Whether something that git tracks differs from the commit.
        patch: What differs, as `git apply` takes it, without secrets, cut at `MOST_BYTES`.
        patch_digest: Of the whole.
        untracked: Names of files and folders that git neither tracks nor ignores.
        contents: Of these files, as JSON; empty unless it was asked for.
        submodules: Path and commit of each.
        notes: Why something is empty, or not whole.
    """

    root: str = ""
    commit: str = ""
    branch: str = ""
    remote: str = ""
    is_dirty: bool = False
    patch: bytes = b""
    patch_digest: str = ""
    untracked: tuple[str, ...] = ()
    contents: bytes = b""
    submodules: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def git_state(folder: str, *, with_diff: bool, with_contents: bool = False) -> GitState:
    """What git says of the repository around a folder. What it does not say stays empty.

    Args:
        folder: The folder.
        with_diff: Whether to ask for the patch of what differs from the commit.
        with_contents: Whether to read the files that git does not track.
    """
    state = GitState(root=work_tree(folder))
    if not state.root and "GIT_DIR" not in os.environ:
        state.notes.append("there is no git repository")
        return state
    if not _note_status(state, folder, "normal") and not _note_status(state, folder, "no"):
        state.notes[:] = dict.fromkeys(state.notes)
        return state
    url = _text(_asked(state, folder, "config", "--get", "remote.origin.url"))
    state.remote = without_credentials(url)
    if _is_shallow(Path(state.root)):
        state.notes.append("the clone is shallow")
    if Path(state.root, ".gitmodules").exists():
        found = _text(_asked(state, folder, "submodule", "status", "--recursive"))
        state.submodules = tuple(line[1:].partition(" (")[0] for line in found.split("\n") if line)
    if state.is_dirty and with_diff:
        _note_patch(state, folder)
    if with_contents and state.untracked:
        _note_contents(state, folder)
    return state


def commit_and_changes(folder: str) -> str:
    """The commit, and whether something differs from it: `git 3f2a91c+dirty`."""
    state = GitState(root=work_tree(folder))
    if state.root or "GIT_DIR" in os.environ:
        _note_status(state, folder, "no")
    return f"git {state.commit[:7]}{'+dirty' * state.is_dirty}" if state.commit else ""


def work_tree(folder: str) -> str:
    """The nearest folder, upwards, that git works in; empty if there is none."""
    path = Path(folder)
    with contextlib.suppress(OSError):
        for each in (path, *path.parents):
            if (each / ".git").exists():
                return str(each)
    return ""


def _note_status(state: GitState, folder: str, untracked: str) -> bool:
    """Commit, branch and names of what differs; whether git has answered."""
    asked = ("status", "--porcelain=v2", "--branch", "-z", f"--untracked-files={untracked}")
    answer = _asked(state, folder, *asked)
    if answer is None:
        return False
    lines = iter(answer.split(b"\0"))
    names = []
    for line in lines:
        kind, _, rest = line.partition(b" ")
        if kind == b"#":
            _note_header(state, rest.decode("utf-8", "replace"))
        elif kind == b"?":
            names.append(os.fsdecode(rest))
        elif kind:
            state.is_dirty = True
            _note_submodule(state, line)
            if kind == b"2":
                next(lines)  # the name from which it was renamed
    state.untracked = tuple(sorted(each for each in names if not each.endswith(_FOREIGN)))
    if not state.commit:
        state.notes.append("there is no commit yet")
    return True


def _note_header(state: GitState, text: str) -> None:
    name, _, value = text.partition(" ")
    if name == "branch.oid" and value != "(initial)":
        state.commit = value
    elif name == "branch.head" and value != "(detached)":
        state.branch = value


def _note_submodule(state: GitState, line: bytes) -> None:
    """A submodule whose own files have changed: no patch tells of that."""
    parts = line.split(b" ")
    if len(parts) > 8 and parts[2].startswith(b"S") and parts[2][2:] != b"..":
        name = b" ".join(parts[8:]).decode("utf-8", "replace")
        state.notes.append(f"the submodule {name} has changes of its own, which are not kept")


def _note_patch(state: GitState, folder: str) -> None:
    try:
        kept, count, digest = _streamed(folder)
    except (OSError, subprocess.SubprocessError):
        state.notes.append("git could not make the patch")
        return
    state.patch = kept
    if count > MOST_BYTES:
        state.patch = kept[: kept.rfind(b"\n") + 1]
        state.notes.append(f"the patch is cut: {len(state.patch):,} of {count:,} bytes are kept")
    text, secrets = without_secrets(state.patch.decode("utf-8", "surrogateescape"))
    if secrets:
        state.patch = text.encode("utf-8", "surrogateescape")
        state.notes.append(f"secrets in the patch are replaced by ***: {secrets}")
    is_whole = count <= MOST_BYTES and not secrets
    state.patch_digest = digest if is_whole or count > MOST_BYTES else digest_of(state.patch)


def _streamed(folder: str) -> tuple[bytes, int, str]:
    """The beginning of the patch, the length and the digest of the whole."""
    started = subprocess.Popen(
        [*_COMMAND, *_DIFF],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with started as process:
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        timer = threading.Timer(_LIMIT_S, process.kill)
        timer.start()
        try:
            read = _read(process.stdout)
        finally:
            timer.cancel()
    if process.returncode:
        raise subprocess.SubprocessError(process.returncode)
    return read


def _read(stream: IO[bytes]) -> tuple[bytes, int, str]:
    digest, kept, count = blake2b(digest_size=16), bytearray(), 0
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
        kept += chunk[: max(0, MOST_BYTES - count)]
        count += len(chunk)
    return bytes(kept), count, digest.hexdigest() if count else ""


def digest_of(data: bytes) -> str:
    """By which a text is kept."""
    return blake2b(data, digest_size=16).hexdigest() if data else ""


def _note_contents(state: GitState, folder: str) -> None:
    """Read what git does not track, as long as it is not too much."""
    listed = _asked(
        state, folder, "ls-files", "--others", "--exclude-standard", "-z", "--full-name"
    )
    names = [os.fsdecode(each) for each in (listed or b"").split(b"\0") if each]
    kept, left, room = {}, [], MOST_BYTES
    for name, size in _files(state.root, names):
        if size > room:
            left.append(name)
            continue
        with contextlib.suppress(OSError):
            kept[name] = base64.b85encode(_harmless(Path(state.root, name).read_bytes())).decode()
            room -= size
    if left:
        state.notes.append(f"too large to be kept, of what is not tracked: {', '.join(left[:5])}")
    state.contents = json.dumps(kept, sort_keys=True).encode()


def _files(root: str, names: list[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        path = Path(root, name)
        if not any(each.rstrip("/") in path.parts for each in _FOREIGN) and path.is_file():
            yield name, path.stat().st_size


def _harmless(data: bytes) -> bytes:
    text, secrets = without_secrets(data.decode("utf-8", "surrogateescape"))
    return text.encode("utf-8", "surrogateescape") if secrets else data


def _is_shallow(root: Path) -> bool:
    folder = root / ".git"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if folder.is_file():  # a work tree beside another, or a submodule
            folder = root / folder.read_text("utf-8").removeprefix("gitdir:").strip()
            if (folder / "commondir").exists():
                folder /= (folder / "commondir").read_text("utf-8").strip()
        return (folder / "shallow").exists()
    return False


def _asked(state: GitState, folder: str, *arguments: str) -> bytes | None:
    """What git answers; None, and a note that says why, if it cannot."""
    try:
        done = subprocess.run(
            [*_COMMAND, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        state.notes.append(f"git {arguments[0]} took more than {_LIMIT_S:g} s")
        return None
    except OSError as error:
        state.notes.append(f"git could not be started: {error.strerror}")
        return None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        if said:  # else there is nothing of the kind
            state.notes.append(without_credentials(f"git {arguments[0]}: {said}"))
        return None
    return done.stdout


def _text(answer: bytes | None) -> str:
    return (answer or b"").decode("utf-8", "replace").rstrip("\n")
