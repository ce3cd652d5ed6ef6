"""How does the code of an earlier day come into a folder of its own?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flowlib.errors import RunError

_GIT: Final = ("git", "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always")
_MODULES: Final = ".gitmodules"


def has_commit(repository: str, commit: str) -> bool:
    """Whether a repository on this machine has a commit with all its files."""
    try:
        _git(repository, "cat-file", "-e", f"{commit}^{{tree}}")
    except RunError:
        return False
    return True


def make_tree(folder: Path, repository: str, commit: str) -> None:
    """Check a commit out into a new folder; the repository is only read.

    Args:
        folder: It must be empty, or not there.
        repository: A work tree, or a bare repository, on this machine. The folder borrows its
            objects, so it must stay where it is.
        commit: The commit.

    Raises:
        RunError: git refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    common = Path(repository, _git(repository, "rev-parse", "--git-common-dir").strip()).resolve()
    _git(folder, "init", "--quiet")
    own = folder / ".git"
    (own / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (own / "objects" / "info" / "alternates").write_text(f"{common / 'objects'}\n")
    if (common / "shallow").exists():
        (own / "shallow").write_bytes((common / "shallow").read_bytes())
    _git(folder, "checkout", "--quiet", "--detach", commit)
    if (folder / _MODULES).exists():
        _check_out_submodules(folder, Path(repository))


def files_of(folder: str) -> list[str]:
    """The files of a work tree that git tracks, or neither tracks nor ignores; sorted names.

    Raises:
        RunError: git refuses.
    """
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found = []
    for name in {each for each in listed.split("\0") if each}:
        below = Path(folder, name)
        if below.is_dir() and not below.is_symlink():  # a submodule
            found += [f"{name.rstrip('/')}/{each}" for each in _of_submodule(below)]
        else:
            found.append(name)
    return sorted(found)


def _of_submodule(folder: Path) -> list[str]:
    return files_of(str(folder)) if (folder / ".git").exists() else []


def apply_patch(folder: Path, patch: bytes) -> None:
    """Change the files of a work tree as a patch says.

    Raises:
        RunError: it does not fit; nothing is changed then.
    """
    if patch:
        _git(folder, "apply", "--whitespace=nowarn", "-", given=patch)


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a work tree.

    Raises:
        RunError: one would lie outside of it.
    """
    root = folder.resolve()
    for name, content in contents.items():
        path = (root / name).resolve()
        if not path.is_relative_to(root) or ".git" in path.relative_to(root).parts:
            raise RunError(f"{name} is no file of the work tree: the store is damaged")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _check_out_submodules(folder: Path, repository: Path) -> None:
    """Take submodules from where they are checked out already, else from where they come from."""
    listed = _git(folder, "config", "-f", _MODULES, "--get-regexp", r"submodule\..*\.path")
    _git(folder, "submodule", "--quiet", "init")
    for line in listed.splitlines():
        name, _, path = line.partition(" ")
        if (repository / path / ".git").exists():
            _git(folder, "config", name.removesuffix(".path") + ".url", str(repository / path))
    _git(folder, "submodule", "--quiet", "update", "--recursive")


def _git(folder: str | Path, *arguments: str, given: bytes | None = None) -> str:
    """What git answers in a folder.

    Raises:
        RunError: it cannot be started, or refuses.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [*_GIT, *arguments], cwd=folder, env=kept, input=given or b"",
            capture_output=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise RunError(f"git cannot be started in {folder}: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RunError(f"git {arguments[0]} in {folder}: {said}")
    return os.fsdecode(done.stdout)
