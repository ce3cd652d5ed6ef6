"""How does the dashboard start? Checks what is asked, takes a port, prints one address, serves."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any, Final

from flowlib.bulk import settle
from flowlib.errors import FlowError, MissingExtra
from stores import ResultsStore, open_store
from stores.lazy_dataclass import dataclass

USUAL_PORT: Final = 8790
TOKEN_VARIABLE: Final = "FLOWLIB_DASHBOARD_TOKEN"  # noqa: S105  # the name of the variable
_SHORTEST_TOKEN: Final = 16
_GLANCE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve.

    Attributes:
        host: The address to listen at.
        port: 0 for a free one.
        api_only: Whether there are no pages.
        opens: Whether a browser is opened.
        token: What must be known; empty for none, where that is allowed.
    """

    host: str = "127.0.0.1"
    port: int = USUAL_PORT
    api_only: bool = False
    opens: bool = False
    token: str = ""

    @classmethod
    def of(cls, host: str, port: int, *, api_only: bool = False, opens: bool = False) -> Serving:
        """How to serve, with a token wherever others may reach us.

        It is that of the environment, or a new one.

        Raises:
            FlowError: the token of the environment is too short to be one.
        """
        token = os.environ.get(TOKEN_VARIABLE, "")
        if token and len(token) < _SHORTEST_TOKEN:
            raise FlowError(f"{TOKEN_VARIABLE} has less than {_SHORTEST_TOKEN} characters")
        if not token and not is_loopback(host):
            token = secrets.token_urlsafe(24)
        return cls(host, port, api_only, opens, token)


def is_loopback(host: str) -> bool:
    """Whether only this host can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def need_extra() -> None:
    """Refuse where the libraries of the dashboard are not installed.

    Raises:
        MissingExtra: they are not.
    """
    try:
        import starlette.applications  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise MissingExtra(
            "the dashboard needs Starlette and uvicorn: pip install 'flowlib-runner[dashboard]'"
        ) from None


def serve(
    store: ResultsStore, how: Serving, tell: Callable[[str], object], version: str = ""
) -> None:
    """Serve until Ctrl-C.

    Args:
        store: It is only read.
        how: Where, and to whom.
        tell: Is given the address, once it can be asked.
        version: Of flowlib.

    Raises:
        FlowError: the port is taken, or there is no such host.
        MissingExtra: Starlette or uvicorn is not installed.
    """
    need_extra()
    with listener(how.host, how.port) as listening:
        address = address_of(how, listening.getsockname()[1])
        _serve(store, how, version, [listening], lambda: _begin(address, how, tell))


def serve_and_reload(
    uri: str, how: Serving, tell: Callable[[str], object], version: str = ""
) -> None:
    """Serve in a process that is started anew whenever code of flowlib or stores changes.

    Args:
        uri: Of the store.
        how: Where, and to whom.
        tell: Is given the address.
        version: Of flowlib.

    Raises:
        FlowError: the port is taken, or there is no such host.
        MissingExtra: Starlette or uvicorn is not installed.
    """
    need_extra()
    from uvicorn import Config
    from uvicorn.supervisors import ChangeReload

    packages = ("flowlib", "stores")
    folders = [str(files(each)) for each in packages]
    config = Config(
        "flowlib.dashboard.app:application", reload=True, reload_dirs=folders, log_level="warning"
    )
    with listener(how.host, how.port) as listening:
        _begin(address_of(how, listening.getsockname()[1]), how, tell)
        target = partial(_serve_again, uri, how, version)
        ChangeReload(config, target=target, sockets=[listening]).run()


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        FlowError: the port is taken, or there is no such host.
    """
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, where = found[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FlowError(f"the dashboard cannot listen at {host}: {error}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(where)
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise FlowError(
            f"the dashboard cannot listen at {host}:{port}: {error.strerror}; --port 0 takes a "
            f"free one"
        ) from None
    return opened


def address_of(how: Serving, port: int) -> str:
    """What is typed into a browser on this host."""
    host = "127.0.0.1" if how.host == "0.0.0.0" else how.host or "127.0.0.1"  # noqa: S104
    host = "[::1]" if host == "::" else f"[{host}]" if ":" in host.strip("[]") else host
    path = "/api/openapi.json" if how.api_only else "/"
    return f"http://{host}:{port}{path}" + (f"?token={how.token}" if how.token else "")


def _begin(address: str, how: Serving, tell: Callable[[str], object]) -> None:
    tell(address)
    if how.opens:
        webbrowser.open(address)


def _serve_again(uri: str, how: Serving, version: str, sockets: list[socket.socket]) -> None:
    """What the process does that is started anew."""
    store = open_store(uri)
    try:
        _serve(store, how, version, sockets, lambda: None)
    finally:
        store.close()


def _serve(
    store: ResultsStore,
    how: Serving,
    version: str,
    sockets: list[socket.socket],
    when_started: Callable[[], None],
) -> None:
    import uvicorn

    from flowlib.dashboard.app import Dashboard

    dashboard = Dashboard(store, version)
    app = dashboard.application(token=how.token, api_only=how.api_only)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False,
        timeout_graceful_shutdown=1, lifespan="on",
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.shutdown = _ending(server.shutdown, dashboard.end)  # type: ignore[method-assign]  # before it waits for those who follow
    threading.Thread(target=_wait_for, args=(server, when_started), daemon=True).start()
    settle()  # a search of the libraries alone keeps all threads waiting for 50 ms
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends in peace and raises it again
        server.run(sockets=sockets)


def _ending(shutdown: Any, end: Callable[[], None]) -> Any:
    async def ended(sockets: list[socket.socket] | None = None) -> None:
        end()
        await shutdown(sockets=sockets)

    return ended


def _wait_for(server: Any, act: Callable[[], None]) -> None:
    """Do something once the server answers, unless it ends before."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(_GLANCE_S)
    act()
