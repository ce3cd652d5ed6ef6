"""When does a run look for what others compute, say so, and lose patience? No clock in it."""

from __future__ import annotations

from typing import Final

from stores.lazy_dataclass import dataclass

_NEVER: Final = float("inf")
_FIRST_PAUSE_S: Final = 0.2
_GROWTH: Final = 1.5


@dataclass(slots=True)
class _Wait:
    """How long a node has been waited for, and how long at the most."""

    owner: str
    since: float
    until: float
    is_parked: bool = True


class Parking:
    """The nodes that other drivers compute. All times are seconds of one clock.

    Args:
        longest_pause_s: The pause between two looks at them grows up to this.
        tell_every_s: Between two messages that the run still waits.
    """

    def __init__(self, longest_pause_s: float, tell_every_s: float) -> None:
        self.look_at = _NEVER
        self._longest_pause_s = longest_pause_s
        self._pause_s = min(_FIRST_PAUSE_S, longest_pause_s)
        self._tell_every_s = tell_every_s
        self._tell_at = _NEVER
        self._end_at = _NEVER
        self._has_ended = False  # a wait, since the last look: then others may soon, too
        self._waits: dict[str, _Wait] = {}

    @property
    def wake_at(self) -> float:
        """When something is to be done next."""
        return min(self.look_at, self._tell_at, self._end_at)

    def park(self, key: str, owner: str, now: float, limit_s: float | None) -> bool:
        """A node is computed by `owner`; whether that is new.

        Args:
            key: Of the node.
            owner: Who computes it, as text.
            now: The time.
            limit_s: How long to wait for it at the most.
        """
        if self.look_at == _NEVER:
            self.look_at = now + self._pause_s
        if self._tell_at == _NEVER:
            self._tell_at = now + self._tell_every_s
        is_new = key not in self._waits
        if is_new:
            self._waits[key] = _Wait(owner, now, _NEVER if limit_s is None else now + limit_s)
        wait = self._waits[key]
        wait.owner, wait.is_parked = owner, True
        self._end_at = min(self._end_at, wait.until)
        return is_new

    def looked(self) -> None:
        """All were looked at, and those that are still open are tried again."""
        next_s = _FIRST_PAUSE_S if self._has_ended else self._pause_s * _GROWTH
        self._pause_s = min(next_s, self._longest_pause_s)
        self._has_ended = False
        self.look_at = self._end_at = _NEVER  # set again when one of them is still busy
        for wait in self._waits.values():
            wait.is_parked = False

    def leave(self, key: str) -> None:
        """A node has come to its end, or runs in this driver."""
        if self._waits.pop(key, None) is not None:
            self._has_ended = True

    def overdue(self, now: float) -> list[tuple[str, str, float]]:
        """Key, owner and seconds of the nodes that were waited for too long."""
        if now < self._end_at:
            return []
        parked = [(key, wait) for key, wait in self._waits.items() if wait.is_parked]
        self._end_at = min((w.until for _, w in parked if w.until > now), default=_NEVER)
        return [(key, w.owner, now - w.since) for key, w in parked if w.until <= now]

    def told(self, now: float) -> tuple[str, str, float, int] | None:
        """What is to be said now, if anything: the longest wait, and how many others there are.

        Returns:
            Key, owner, seconds, count of the others.
        """
        if now < self._tell_at:
            return None
        parked = [
            (wait.since, key, wait.owner) for key, wait in self._waits.items() if wait.is_parked
        ]
        self._tell_at = now + self._tell_every_s if self._waits else _NEVER
        if not parked:
            return None
        since, key, owner = min(parked)
        return key, owner, now - since, len(parked) - 1
