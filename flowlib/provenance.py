"""Where does a result come from? Code, machine and command, found out once for a whole run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from flowlib.credentials import without_secret_words
from flowlib.git_state import GitState, commit_and_changes, digest_of, git_state
from flowlib.machine import job_id, machine, variables
from flowlib.packages import installed_packages, lock_file
from stores.lazy_dataclass import dataclass

PATCH: Final = "patch"
PACKAGES: Final = "packages"
UNTRACKED: Final = "untracked"
CONTENTS: Final = "contents"

DIGESTS: Final = {
    PATCH: "git_diff_digest",
    PACKAGES: "packages",
    UNTRACKED: "git_untracked_digest",
    CONTENTS: "git_contents_digest",
}
"""The field of a record that names a text which is kept beside the records."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the results of a run come from.

    Attributes:
        facts: What every record holds.
        texts: What is kept once for all: patch, packages, names and contents of untracked files.
    """

    facts: Mapping[str, Any]
    texts: Mapping[str, bytes]


def provenance(*, with_diff: bool) -> dict[str, Any]:
    """What is known of the code, the machine and the command of this process.

    Without git, a repository, a commit or a remote those fields are empty, and `notes` say why.
    Names and passwords in URLs, and what looks like a secret, are replaced by `***`.

    Args:
        with_diff: Whether to ask for the digest of what differs from the last commit.
    """
    return dict(origin_of_process(with_diff=with_diff).facts)


def origin_of_process(
    *, with_diff: bool, with_contents: bool = False, names: Iterable[str] = ()
) -> Origin:
    """Where the results come from that this process computes, with the texts to be kept.

    Args:
        with_diff: Whether to ask for the patch of what differs from the last commit.
        with_contents: Whether to read the files that git does not track.
        names: Of the variables of the environment that are recorded; `*` stands for any letters.
    """
    folder = _folder()
    state = git_state(folder, with_diff=with_diff, with_contents=with_contents)
    lock, lock_digest = lock_file(folder, state.root)
    texts = {
        PATCH: state.patch,
        PACKAGES: installed_packages().encode("utf-8", "surrogateescape"),
        UNTRACKED: "".join(f"{each}\n" for each in state.untracked).encode(
            "utf-8", "surrogateescape"
        ),
        CONTENTS: state.contents,
    }
    optional = {
        "lock_file": f"{lock} {lock_digest}".strip(),
        "environment": variables(os.environ, names),
        **{
            field: state.patch_digest if kind == PATCH else digest_of(texts[kind])
            for kind, field in DIGESTS.items()
            if kind != PATCH
        },
    }
    facts = {**_code(state), **machine(), **_command()}
    facts |= {name: value for name, value in optional.items() if value}
    return Origin(facts, {kind: text for kind, text in texts.items() if text})


def code_state() -> str:
    """The commit of the code, and whether something differs from it: `git 3f2a91c+dirty`."""
    return commit_and_changes(_folder())


def origin_of_attempt(
    known: Mapping[str, Any], log: str, own: Iterable[tuple[str, str]] = ()
) -> Mapping[str, Any]:
    """Where the result of one attempt comes from, in the process that computes it.

    Args:
        known: What is known of the run.
        log: Where its log is; empty if there is none.
        own: Variables of the environment that this process was given for its devices.
    """
    more: dict[str, Any] = {}
    if "host" in known:
        host, job = _here(os.getpid())
        if known["host"] != host:  # a worker on another machine than the driver
            known = {**{k: v for k, v in known.items() if k not in _OF_MACHINES}, **machine()}
        elif job:
            more["job_id"] = job
    if own:
        more["environment"] = {**known.get("environment", {}), **dict(own)}
    if log:
        more["log"] = log
    return {**known, **more} if more else known


_OF_MACHINES: Final = ("cpu", "gpus", "gpu_driver", "job_id")


@lru_cache(maxsize=1)
def _here(pid: int) -> tuple[str, str]:
    """Host and job of this process."""
    return os.uname().nodename, job_id(os.environ)


def _code(state: GitState) -> dict[str, object]:
    found: dict[str, object] = {
        "git_commit": state.commit,
        "git_branch": state.branch,
        "git_remote": state.remote,
        "git_dirty": state.is_dirty,
        "git_diff": "",
        "git_diff_digest": state.patch_digest,
    }
    optional = {
        "git_root": state.root,
        "git_untracked": len(state.untracked),
        "git_submodules": list(state.submodules),
        "notes": state.notes,
    }
    return found | {name: value for name, value in optional.items() if value}


def _command() -> dict[str, str]:
    import shlex

    return {
        "command": shlex.join(without_secret_words(sys.orig_argv)),
        "folder": _working_directory(),
    }


def folder_of_code() -> str:
    """The folder of the code that this process runs."""
    return _folder()


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
