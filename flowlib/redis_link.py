"""How is a Redis reached that may be away for a while?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flowlib.errors import RunError, refuse_missing

if TYPE_CHECKING:
    from redis import Redis

PATIENCE_S: Final = 60.0
"""How long Redis may be away."""

PAUSE_S: Final = 0.5
"""Between two tries to reach it."""


def check_rq() -> None:
    """See to it that RQ is installed, and what it needs to speak with Redis.

    Raises:
        MissingExtra: it is not.
    """
    refuse_missing("rq", "RQ", "rq", "redis")


def link(url: str, *, is_patient: bool = True) -> Redis:
    """A connection; it connects when it is used.

    Args:
        url: Of Redis; may hold a password, which no error shows.
        is_patient: Whether it tries again while Redis is away.

    Raises:
        RunError: the URL is none.
        MissingExtra: RQ is not installed.
    """
    check_rq()
    from redis import Redis
    from redis.backoff import ConstantBackoff
    from redis.retry import Retry

    tries = int(PATIENCE_S / PAUSE_S) if is_patient else 0
    try:
        return Redis.from_url(url, retry=Retry(ConstantBackoff(PAUSE_S), tries))
    except ValueError:  # whose words may hold a piece of the password
        raise RunError(
            "the url of RQExecutor is none of Redis: give redis://[:password@]host:port, "
            "rediss://… or unix://…"
        ) from None


def refuse_unreachable(url: str, cure: str = "") -> None:
    """Tell at once that there is no Redis.

    Args:
        url: Where it is to be.
        cure: What to do if it is not.

    Raises:
        RunError: it does not answer, or wants another password, or the URL is none.
        MissingExtra: RQ is not installed.
    """
    redis = link(url, is_patient=False)
    try:
        redis.ping()
    except Exception as error:  # of redis, or of the socket
        raise RunError(f"Redis cannot be reached: {error}{cure}") from error
    finally:
        redis.close()
