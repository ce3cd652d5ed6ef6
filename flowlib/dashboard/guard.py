"""
Who may ask, and what may a browser do with the answer? Decided before anything else is.

    Host      loopback names only, so that no page of another site reaches us by a name of its own;
              with a token any name may be used
    token     `Authorization: Bearer …`, a cookie, or once `?token=…`, which becomes the cookie
    methods   GET and HEAD: nothing here changes anything
    headers   nothing is loaded from elsewhere, no script but ours runs, nobody frames our pages
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowlib.dashboard.crowds import Rounds
from flowlib.dashboard.json_answer import JsonAnswer

LOOPBACK: Final = frozenset(("127.0.0.1", "localhost", "[::1]", "::1"))
"""Names of this host that nobody else can have."""

COOKIE: Final = "flowlib_token"
_TOKEN: Final = "token"  # noqa: S105  # the name of the parameter
_METHODS: Final = frozenset(("GET", "HEAD"))
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Stands before an application.

    Args:
        inner: The application.
        token: What must be known to ask; empty if loopback is enough.
    """

    def __init__(self, inner: ASGIApp, token: str = "") -> None:
        self._inner, self._token = inner, token
        self._rounds = Rounds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it be answered."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        await self._rounds.turn()
        refusal = self._refusal(scope)
        answer: ASGIApp = refusal if refusal is not None else self._inner

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._rounds.turn()
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await answer(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further; None if it may."""
        headers = _headers(scope)
        is_api = scope["path"].startswith("/api/")
        if not self._token and not _is_loopback(_host_name(headers.get("host", ""))):
            return _told("this host name is not served: use 127.0.0.1 or localhost", 400, is_api)
        if scope["method"] not in _METHODS:
            refused = _told("only GET and HEAD: nothing here changes anything", 405, is_api)
            refused.headers["allow"] = "GET, HEAD"
            return refused
        if not self._token:
            return None
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        for name, value in given:
            if name == _TOKEN and self._is_token(value):
                return self._with_cookie(scope, [each for each in given if each[0] != _TOKEN])
        if self._is_known(headers):
            return None
        told = "a token is needed: use the address that the dashboard printed when it started"
        refused = _told(told, 401, is_api)
        refused.headers["www-authenticate"] = "Bearer"
        return refused

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        kind, _, told = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is_token(told.strip()):
            return True
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        return COOKIE in cookies and self._is_token(cookies[COOKIE].value)

    def _is_token(self, told: str) -> bool:
        return hmac.compare_digest(told.encode(), self._token.encode())

    def _with_cookie(self, scope: Scope, rest: Sequence[tuple[str, str]]) -> Response:
        """Take the token out of the address, where it would be seen and sent on."""
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        where = f"/{path.lstrip('/')}" + (f"?{urlencode(rest)}" if rest else "")
        answer = Response(status_code=303, headers={"location": where})
        # lax: a link from elsewhere is followed with it, and nothing here changes anything
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="lax")
        return answer


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _is_loopback(name: str) -> bool:
    """Whether nobody else can have this name: those above, and all of 127.0.0.0/8."""
    if name in LOOPBACK:
        return True
    with contextlib.suppress(ValueError):
        return IPv4Address(name).is_loopback
    return False


def _host_name(host: str) -> str:
    """The name in a Host header, without the port, and the dot that a whole name may end with."""
    name, bracket, _ = host.partition("]")
    if bracket:
        return f"{name}]".lower()
    return (host.rpartition(":")[0] or host).lower().removesuffix(".")


def _told(text: str, status: int, is_api: bool) -> Response:
    if is_api:
        return JsonAnswer({"detail": text}, status_code=status)
    return PlainTextResponse(f"{text}\n", status_code=status)
