"""Which address is answered by what? Everything that reads a store does so in a thread."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.resources import files
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from flowlib.dashboard import api
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.catalogue import Catalogue
from flowlib.dashboard.crowds import Together
from flowlib.dashboard.first_look import first_look
from flowlib.dashboard.first_page import first_page
from flowlib.dashboard.frame import page
from flowlib.dashboard.guard import Guard
from flowlib.dashboard.json_answer import JsonAnswer, json_answer
from flowlib.dashboard.live_runs import LiveRuns
from flowlib.dashboard.markup import Child, tag
from flowlib.dashboard.openapi import openapi
from flowlib.dashboard.pages import Asked, pages
from flowlib.dashboard.questions import BadQuestion, Given, question_of
from flowlib.dashboard.stock import Stock
from flowlib.dashboard.stream import Stream
from flowlib.dashboard.sweep_rows import SweepRows
from flowlib.dashboard.turns import Turns
from flowlib.errors import FlowError
from stores import Address, ResultsStore, StoreError

_STATIC: Final = {"dashboard.css": "text/css", "dashboard.js": "text/javascript"}
_SWITCH_S: Final = 0.001
"""A thread that reads the store lets the loop run that often; Python's own 5 ms are felt when the
loop needs several turns for one answer."""

_MOST_THREADS: Final = 16
"""So many requests are worked at: the loop waits for its turn among all threads that want to run,
and one processor does not get more done by forty of them. Some may wait for a slow store."""

_WAIT_PAGE_S: Final = 0.25
_WAIT_FIRST_S: Final = 0.02
"""So long all records may take before a store that can do so is asked for one page of them."""

_NOT_YET: Final = 503
_WAIT_API_S: Final = 5.0
_AGAIN_S: Final = 2
"""Who cannot be answered yet may ask again after so many seconds."""


def application(
    store: ResultsStore, *, token: str = "", api_only: bool = False, version: str = ""
) -> ASGIApp:
    """The dashboard of a store, for a server of ASGI.

    Args:
        store: It is only read.
        token: What must be known to ask; empty if loopback is enough.
        api_only: Whether there are no pages.
        version: Of flowlib.
    """
    return Dashboard(store, version).application(token=token, api_only=api_only)


class Dashboard:
    """Answers requests about one store.

    Args:
        store: It is only read.
        version: Of flowlib.
    """

    def __init__(self, store: ResultsStore, version: str = "") -> None:
        self._store, self._version = store, version
        self._answers = Answers(Catalogue(store), LiveRuns(store))
        self._sweeps = SweepRows(store)
        self._stream: Stream | None = None
        self._turns = Turns()

    def application(self, *, token: str = "", api_only: bool = False) -> ASGIApp:
        """What a server of ASGI serves.

        Args:
            token: What must be known to ask; empty if loopback is enough.
            api_only: Whether there are no pages.
        """
        routes = self.api_routes() + ([] if api_only else self.page_routes())
        inner = Starlette(
            routes=routes,
            lifespan=self.lifespan,
            exception_handlers={HTTPException: _refused, Exception: _failed},
        )
        inner.router.redirect_slashes = False
        return Guard(inner, token)

    def end(self) -> None:
        """Let those go who follow: the server ends."""
        if self._stream is not None:
            self._stream.end()

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Read the store while the server starts; nobody waits for that here."""
        usual_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        current_default_thread_limiter().total_tokens = _MOST_THREADS
        self._stream = Stream(self._answers)
        self._answers.catalogue.look_apart()
        try:
            yield
        finally:
            await self._stream.close()
            self._answers.runs.close()
            sys.setswitchinterval(usual_s)

    def api_routes(self) -> list[Route]:
        """What programs ask for."""
        one = "/api/experiments/{task:path}/{key}"
        return [
            Route("/api/openapi.json", self._openapi),
            Route("/api/experiments", self._json(self._experiments, self._first_experiments)),
            Route(f"{one}/relationships", self._json(self._relationships)),
            Route(one, self._json(self._experiment)),
            Route("/api/stats", self._json(self._stats)),
            Route("/api/dag", self._json(self._dag)),
        ]

    def page_routes(self) -> list[Route]:
        """What people look at."""
        routes = [Route(path, Together(self._page(make, here))) for path, make, here in pages()]
        return [
            *routes,
            Route("/artifact", _artifact_of(self._store)),
            Route("/events", self._events),
            Route("/static/{name}", _static),
        ]

    def _openapi(self, _: Request) -> Response:
        return JsonAnswer(openapi(self._version or "0"))

    def _json(
        self,
        make: Callable[[Request, Stock], Mapping[str, Any] | None],
        first: Callable[[Request], Mapping[str, Any] | None] = lambda _: None,
    ) -> Callable[[Request], Response]:
        catalogue = self._answers.catalogue

        def answer(request: Request) -> Response:
            try:
                found = None if catalogue.is_complete(_WAIT_FIRST_S) else first(request)
                if found is None:
                    if not catalogue.is_complete(_WAIT_API_S):
                        return _problem("the store is still being read", _NOT_YET)
                    with self._turns.one():
                        found = make(request, self._answers.stock())
            except BadQuestion as error:
                return _problem(str(error), 422)
            except StoreError as error:
                return _problem(str(error), _NOT_YET)
            return _problem("there is no such task", 404) if found is None else json_answer(found)

        return answer

    def _experiments(self, request: Request, stock: Stock) -> Mapping[str, Any]:
        asked = question_of(request.query_params.multi_items())
        return api.experiments(self._answers, stock, asked)

    def _first_experiments(self, request: Request) -> Mapping[str, Any] | None:
        """One page before all records were read; None if only all of them tell it."""
        asked = question_of(request.query_params.multi_items())
        look = first_look(self._store, self._answers, asked)
        return None if look is None else api.experiments(look.answers, look.stock, asked)

    def _experiment(self, request: Request, stock: Stock) -> Mapping[str, Any] | None:
        _without_parameters(request)
        return api.experiment(self._store, self._answers, stock, _address(request))

    def _relationships(self, request: Request, stock: Stock) -> Mapping[str, Any] | None:
        _without_parameters(request)
        return api.relationships(self._store, self._answers, stock, _address(request))

    def _stats(self, request: Request, stock: Stock) -> Mapping[str, Any]:
        _without_parameters(request)
        return api.stats(self._answers, stock)

    def _dag(self, request: Request, stock: Stock) -> Mapping[str, Any]:
        given = request.query_params.multi_items()
        for name in ("sort", "limit", "offset"):
            if any(each == name for each, _ in given):
                raise BadQuestion(f"the graph has no {name}: all of it that fits is told")
        return api.dag(self._answers, stock, question_of(given))

    def _page(
        self, make: Callable[[Asked], tuple[str, Child] | None], here: str
    ) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            given = request.query_params.multi_items()
            try:
                if not self._has_read_all():
                    return self._early(request.url.path, given, here)
                with self._turns.one():
                    return self._made(make, self._asked(request), here)
            except BadQuestion as error:
                return self._html("not understood", tag("p", str(error)), here, 422)
            except StoreError as error:
                told = tag("p", str(error))
                return self._html("cannot be read", told, here, _NOT_YET, refresh_s=_AGAIN_S)

        return answer

    def _asked(self, request: Request) -> Asked:
        given, path = request.query_params.multi_items(), dict(request.path_params)
        stock, now = self._answers.stock(), time.time()
        return Asked(self._store, self._answers, stock, given, path, now, self._sweeps)

    def _made(
        self, make: Callable[[Asked], tuple[str, Child] | None], asked: Asked, here: str
    ) -> Response:
        """A page of what is known."""
        try:
            found = make(asked)
        except BadQuestion as error:
            return self._html("not understood", tag("p", str(error)), here, 422)
        except (FlowError, StoreError) as error:
            return self._html("not there", tag("p", str(error)), here, 404)
        if found is None:
            return self._html("not found", tag("p", "There is nothing here."), here, 404)
        return self._html(found[0], found[1], here)

    def _has_read_all(self) -> bool:
        """Whether all records were read; waits for that a little."""
        is_complete = self._answers.catalogue.is_complete
        return is_complete() or is_complete(_WAIT_FIRST_S if self._store.can_page else _WAIT_PAGE_S)

    def _early(self, path: str, given: Given, here: str) -> Response:
        """What is shown before all records were read."""
        found = first_page(self._store, self._answers, path, given, time.time())
        if found is not None:
            return self._html(*found, here)
        told = tag("p", f"reading the store: {self._answers.catalogue.read:,} records so far …")
        return self._html("reading", told, here, _NOT_YET, refresh_s=1)

    def _html(
        self, title: str, main: Child, here: str, status: int = 200, refresh_s: int | None = None
    ) -> Response:
        body = main if status == 200 else tag("div", tag("h1", title), main)
        text = page(title, body, store=repr(self._store), here=here, refresh_s=refresh_s)
        return HTMLResponse(text, status_code=status)

    async def _events(self, _: Request) -> Response:
        assert self._stream is not None  # noqa: S101  # made when the server started
        return StreamingResponse(self._stream.events(), media_type="text/event-stream")


def _artifact_of(store: ResultsStore) -> Callable[[Request], Response]:
    from flowlib.dashboard.artifact_answer import artifact_answer

    return lambda request: artifact_answer(store, request)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return _problem("there is no such file", 404)
    text = (files("flowlib.dashboard") / "static" / name).read_text(encoding="utf-8")
    headers = {"cache-control": "no-cache"}
    return Response(text, media_type=_STATIC[name], headers=headers)


def _address(request: Request) -> Address:
    return Address(request.path_params["task"], request.path_params["key"])


def _without_parameters(request: Request) -> None:
    for name, _ in request.query_params.multi_items():
        raise BadQuestion(f"there is no parameter {name!r} here")


def _problem(text: str, status: int) -> Response:
    headers = {"retry-after": str(_AGAIN_S)} if status == _NOT_YET else None
    return JsonAnswer({"detail": text}, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = error.detail if isinstance(error, HTTPException) else "it failed"
    return _problem(told, status)


async def _failed(_: Request, error: Exception) -> Response:
    return _problem(f"it failed: {type(error).__name__}", 500)
