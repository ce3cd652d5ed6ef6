"""How long is a length of time, in a few characters?"""

from __future__ import annotations


def clock(seconds: float) -> str:
    """A length of time: `0:04`, `7:42`, `1:02:03`, `2d 03:04:05`."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02d}:{minutes:02d}:{rest:02d}"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def took(seconds: float) -> str:
    """How long something took: `0.04 s`, `2.7 s`, `7:42`."""
    if seconds < 1:
        return f"{max(0.0, seconds):.2f} s"
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)
