"""What is told to people of where a result comes from?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_FIELDS: Final = ("command", "folder", "host", "user", "python", "platform")
_MORE: Final = ("executable", "git_remote", "lock_file")
_FEW: Final = 3
_PROCESSORS: Final = ("gpus", "cpu", "gpu_driver")


def commit_text(origin: Mapping[str, Any]) -> str:
    """`git 3f2a91c0+changes on main`; empty where there was no repository."""
    commit = str(origin.get("git_commit") or "")
    if not commit:
        return ""
    changes = "+changes" if origin.get("git_dirty") else ""
    branch = f" on {origin['git_branch']}" if origin.get("git_branch") else ""
    return f"git {commit[:8]}{changes}{branch}"


def origin_rows(
    origin: Mapping[str, Any],
    patch: str | None,
    packages: Mapping[str, str] | None,
    untracked: Sequence[str],
    *,
    is_long: bool,
) -> Iterator[tuple[str, str]]:
    """Names and texts of what is known.

    Args:
        origin: The provenance of an attempt.
        patch: The file with what differed from the commit, if it is there.
        packages: Versions by name of what was installed, if they are known.
        untracked: Names of the files that git did not track.
        is_long: Whether nothing is left out.
    """
    yield "code", commit_text(origin)
    yield "changes", _changes(origin, patch)
    yield "snapshot", _snapshot(origin)
    yield "untracked", _untracked(origin, untracked, is_long=is_long)
    for each in _as_list(origin.get("git_submodules")):
        yield "submodule", each
    for name in _FIELDS + _MORE * is_long:
        yield name.removeprefix("git_"), str(origin.get(name) or "")
    yield "runs in", f"{origin.get('executor') or ''} {origin.get('job_id') or ''}".strip()
    for name in _PROCESSORS if is_long else _PROCESSORS[:1]:
        yield name.replace("_", " "), ", ".join(_as_list(origin.get(name)))
    yield "packages", _packages(packages or {}, is_long=is_long)
    variables = origin.get("environment")
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        yield "variable", f"{name}={value}"
    for note in _as_list(origin.get("notes")):
        yield "note", note


def _snapshot(origin: Mapping[str, Any]) -> str:
    """`3f2a91c0 of /work/project, without weights.bin (9,000,000 bytes)`."""
    if not origin.get("snapshot"):
        return ""
    left_out = origin.get("snapshot_left_out")
    without = f", without {left_out}" if left_out else ""
    return f"{str(origin['snapshot'])[:8]} of {origin.get('snapshot_root') or '?'}{without}"


def _untracked(origin: Mapping[str, Any], names: Sequence[str], *, is_long: bool) -> str:
    count = origin.get("git_untracked")
    if not count:
        return ""
    shown = names if is_long else names[:_FEW]
    return f"{count}: {', '.join(shown)}{', …' * (len(shown) < len(names))}".removesuffix(": ")


def _packages(packages: Mapping[str, str], *, is_long: bool) -> str:
    if is_long or not packages:
        return ", ".join(f"{name} {version}" for name, version in packages.items())
    return f"{len(packages)}: -v"


def _changes(origin: Mapping[str, Any], patch: str | None) -> str:
    if not origin.get("git_dirty"):
        return ""
    return patch or ("" if origin.get("git_diff") else "the patch is not there")


def _as_list(found: object) -> list[str]:
    """Texts of a record, which may be from another version, or damaged."""
    if isinstance(found, list):
        return [str(each) for each in found]
    return [str(found)] if found else []
