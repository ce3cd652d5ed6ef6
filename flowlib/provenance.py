"""Where does a result come from? Code, machine and command, found out once for a whole run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Final

from flowlib.credentials import without_credentials

MOST_CHARACTERS: Final = 4_000
"""Of a patch; every record of the run has a copy. The digest is that of the whole."""

_LIMIT_S: Final = 5.0
"""How long git may take for one answer; a huge work tree is not worth more."""

_COMMAND: Final = ("git", "--no-pager", "--no-optional-locks", "-c", "core.quotePath=false")
_DIFF: Final = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short")


def provenance(*, with_diff: bool) -> dict[str, object]:
    """What is known of the code, the machine and the command of this process.

    Without git, a repository, a commit or a remote those fields are empty. Names and passwords
    in URLs are replaced by `***`.

    Args:
        with_diff: Whether to add the patch of what differs from the last commit.
    """
    return {**_code(_folder(), with_diff=with_diff), **_machine()}


def code_state() -> str:
    """The commit of the code, and whether something differs from it: `git 3f2a91c+dirty`."""
    found = _code(_folder(), with_diff=False)
    commit = str(found["git_commit"])
    return f"git {commit[:7]}{'+dirty' * bool(found['git_dirty'])}" if commit else ""


def _machine() -> dict[str, object]:
    system = os.uname()
    return {
        "host": system.nodename,
        "user": _user(),
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "platform": f"{system.sysname}-{system.release}-{system.machine}",
        "command": without_credentials(shlex.join(sys.orig_argv)),
        "folder": _working_directory(),
    }


def _code(folder: str, *, with_diff: bool) -> dict[str, object]:
    """Commit, branch, remote and changes of the repository around a folder."""
    status = _asked(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no") or ""
    headers = dict(re.findall(r"^# branch\.(\w+) (.*)$", status, re.MULTILINE))
    commit = headers.get("oid", "")
    is_dirty = any(not line.startswith("#") for line in status.splitlines())
    remote = (_asked(folder, "remote", "get-url", "origin") or "") if headers else ""
    diff = (_asked(folder, *_DIFF) or "") if is_dirty and with_diff else ""
    return {
        "git_commit": "" if commit == "(initial)" else commit,
        "git_branch": headers.get("head", "").replace("(detached)", ""),
        "git_remote": without_credentials(remote.strip()),
        "git_dirty": is_dirty,
        "git_diff": _cut(without_credentials(diff)),
        "git_diff_digest": blake2b(diff.encode(), digest_size=16).hexdigest() if diff else "",
    }


def _asked(folder: str, *arguments: str) -> str | None:
    """What git answers; None if it cannot."""
    try:
        done = subprocess.run(
            [*_COMMAND, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _folder() -> str:
    """The folder of the script, or the working directory where there is none."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    ours = (sys.prefix, Path(__file__).parent)  # the command, installed or as `python -m flowlib`
    is_installed = script is not None and any(
        Path(script).resolve().is_relative_to(each) for each in ours
    )
    return _working_directory() if script is None or is_installed else str(Path(script).parent)


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "/"  # it was removed


def _user() -> str:
    import getpass  # only runs that compute something pay for it

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _cut(patch: str) -> str:
    """A patch of bearable length, which tells what is missing."""
    if len(patch) <= MOST_CHARACTERS:
        return patch
    kept = patch[:MOST_CHARACTERS].rpartition("\n")[0]
    left = patch.count("\n") - kept.count("\n")
    return f"{kept}\n# cut by flowlib: {left} more lines, {len(patch):,} characters in all\n"
