"""What does a store do while its server does not answer? It says so once, waits and asks again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_log = logging.getLogger("stores")

PATIENCE_S: Final = 600.0
"""So long a store waits for a server that has answered before."""

_FIRST_PATIENCE_S: Final = 10.0
"""So long for one that never has: its address may be wrong."""

_PAUSES_S: Final = (0.05, 2.0)
"""The first and the longest pause between two questions; each is twice the one before."""


class Patience:
    """Asks a server again while it does not answer.

    Args:
        name: What to call the server in messages, without any password.
        is_passing: Whether an error says that the server does not answer just now.
        limit_s: Seconds after which to give up.
    """

    def __init__(
        self, name: str, is_passing: Callable[[Exception], bool], limit_s: float = PATIENCE_S
    ) -> None:
        self.has_answered = False
        self._name, self._is_passing, self._limit_s = name, is_passing, limit_s

    def ask(self, question: Callable[[], T]) -> T:
        """What `question` returns, asked again while the server does not answer.

        Only questions that may be asked twice: the first answer may have been lost.
        """
        began = pause_s = 0.0
        while True:
            try:
                answer = question()
            except Exception as error:
                if not self._is_passing(error):
                    raise
                now = time.monotonic()
                if not began:
                    began, pause_s = now, _PAUSES_S[0]
                    self._tell(error)
                if now - began + pause_s > self._patience_s:
                    raise
                time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # not for secrets
                pause_s = min(2 * pause_s, _PAUSES_S[1])
                continue
            if began:
                _log.warning("%s answers again after %.1f s", self._name, time.monotonic() - began)
            self.has_answered = True
            return answer

    @property
    def _patience_s(self) -> float:
        return self._limit_s if self.has_answered else min(self._limit_s, _FIRST_PATIENCE_S)

    def _tell(self, error: Exception) -> None:
        _log.warning(
            "%s does not answer (%s); waiting up to %.0f s for it, nothing is lost",
            self._name,
            type(error).__name__,
            self._patience_s,
        )
