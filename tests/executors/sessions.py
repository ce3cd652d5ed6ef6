"""Which processes of a session still run?"""

from __future__ import annotations

from pathlib import Path


def runs(pid):
    """Whether there is such a process."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def of_session(leader):
    """The processes of a session that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(parts[3]) == leader and parts[0] not in "ZX":
            found.append(int(folder.name))
    return found
