"""How do several wait for one piece of work in a pool, each with a Future of its own?

No lock is held while somebody else's code runs: pools cancel, and call back, under their own locks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class SharedWork:
    """The work that is on its way, by what it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: dict[Hashable, _Piece] = {}

    def join(self, what: Hashable, start: Callable[[], Future[Any]]) -> Future[Any]:
        """A Future of a piece of work, which is begun if it is not on its way.

        The work is cancelled when all have cancelled their Futures, unless it runs by then.

        Args:
            what: Tells which one.
            start: Begins it.

        Raises:
            Exception: it cannot be begun.
        """
        with self._lock:
            piece = self._pieces.get(what)
            is_new = piece is None
            if piece is None:
                piece = self._pieces[what] = _Piece(what)
            own = _Share(piece, self._leave)
            piece.shares.append(own)
        if is_new:
            self._begin(piece, start)
        return own

    def _begin(self, piece: _Piece, start: Callable[[], Future[Any]]) -> None:
        try:
            work = piece.work = start()
        except BaseException as error:
            with self._lock:
                self._remove(piece)
            for share in piece.shares[1:]:  # the first one's owner never gets it
                share.end_as(error)
            raise
        work.add_done_callback(lambda done: self._end(piece, done))

    def _end(self, piece: _Piece, done: Future[Any]) -> None:
        with self._lock:
            self._remove(piece)
        for share in piece.shares:
            share.end_as(done)

    def _leave(self, share: _Share) -> bool:
        """Whether a share may be cancelled: others wait for the work, or it was cancelled."""
        piece = share.piece
        with self._lock:
            others = any(not each.done() for each in piece.shares if each is not share)
            if not others:
                self._remove(piece)  # who comes now begins it anew
        if others:
            return not share.running()
        return piece.work is not None and piece.work.cancel()

    def _remove(self, piece: _Piece) -> None:
        if self._pieces.get(piece.what) is piece:
            del self._pieces[piece.what]


class _Piece:
    """A piece of work, and who waits for it."""

    def __init__(self, what: Hashable) -> None:
        self.what = what
        self.work: Future[Any] | None = None
        self.shares: list[_Share] = []


class _Share(Future[Any]):
    """The Future of one of those who wait."""

    def __init__(self, piece: _Piece, leave: Callable[[_Share], bool]) -> None:
        super().__init__()
        self.piece = piece
        self._leave = leave

    def running(self) -> bool:
        """Whether the work runs."""
        work = self.piece.work
        return work is not None and work.running() and not self.done()

    def cancel(self) -> bool:
        """Give up the share; whether that was possible."""
        return (self.done() or self._leave(self)) and super().cancel()

    def end_as(self, work: Future[Any] | BaseException) -> None:
        """End as the work has; called once.

        Args:
            work: What is done, or why it was never begun.
        """
        if isinstance(work, Future) and work.cancelled():
            super().cancel()
        if not self.set_running_or_notify_cancel():
            return
        error = work.exception() if isinstance(work, Future) else work
        if error is not None:
            self.set_exception(error)
        elif isinstance(work, Future):
            self.set_result(work.result())
