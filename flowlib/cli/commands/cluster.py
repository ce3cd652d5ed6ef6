"""Start, look at and end workers on this machine that serve one run after the other."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import click

from flowlib.age import ago
from flowlib.cli.exits import ExitCode
from flowlib.cli.groups import Commands
from flowlib.cli.options import common_options, json_option
from flowlib.cli.output import note, signs, write_json, write_line
from flowlib.cli.verbosity import QUIET, verbosity
from flowlib.cluster import ClusterStatus, cluster_status, start_cluster, stop_cluster
from flowlib.cluster_state import KnownCluster
from flowlib.interrupts import ending_of


@click.group(cls=Commands, no_args_is_help=True)
@common_options
def command() -> None:
    """Start, look at and end workers on this machine that serve one run after the other.

    \b
    flowlib cluster start --workers 2
    flowlib run flow.yaml --executor rq
    flowlib cluster status
    flowlib cluster stop

    A Redis that listens on loopback, with a password, and workers of RQ. They go on when the
    command is over, until they are stopped. There is one cluster on a host for each user.
    """


@command.command()
@click.option(
    "-w", "--workers", type=click.IntRange(1), help="How many tasks run at once; else all CPUs."
)
@json_option
@common_options
def start(workers: int | None, as_json: bool) -> None:
    """Start Redis and workers, which `--executor rq` finds by itself.

    \b
    flowlib cluster start
    flowlib cluster start --workers 2

    Needs redis-server and the extra `rq`. Each task runs in a process of its own, so it sees your
    modules as they are by then.
    """
    with _left_when_told():
        started = start_cluster(workers or os.cpu_count() or 1)
    if as_json:
        write_json({"cluster": _document(started)})
    elif verbosity() > QUIET:
        note(
            f"{_count(started)} and Redis on {started.address} run now: flowlib run … --executor rq"
        )


@command.command()
@json_option
@common_options
def status(as_json: bool) -> ExitCode:
    """Show whether a cluster runs here, and what it has to do.

    \b
    flowlib cluster status
    flowlib cluster status --json

    It exits with 3 if none was started, and with 1 if it is not there any more.
    """
    found = cluster_status()
    if as_json:
        write_json({"cluster": None if found is None else _status_document(found)})
    elif found is None:
        note("no cluster runs here: flowlib cluster start")
    else:
        write_line(_status_line(found))
    if found is None:
        return ExitCode.NOTHING
    return ExitCode.OK if found.is_running else ExitCode.FAILED


@command.command()
@json_option
@common_options
def stop(as_json: bool) -> None:
    """End the cluster with all its processes; tasks that run have ten seconds to end.

    \b
    flowlib cluster stop
    """
    ended = stop_cluster()
    if as_json:
        write_json({"cluster": None if ended is None else _document(ended)})
    elif verbosity() > QUIET:
        note("no cluster runs here" if ended is None else f"{_count(ended)} and Redis have ended")


@contextlib.contextmanager
def _left_when_told() -> Iterator[None]:
    """SIGTERM and SIGHUP end what was started so far, as Ctrl-C does."""

    def leave(number: int, frame: object) -> None:
        raise ending_of(number)

    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _count(cluster: KnownCluster) -> str:
    return f"{cluster.workers} {'worker' if cluster.workers == 1 else 'workers'}"


def _status_line(found: ClusterStatus) -> str:
    known, since = found.cluster, ago(time.time() - found.cluster.started)
    if not found.is_running:
        icon = signs().icon("failed")
        return f"{icon} Redis or the workers have died since they were started {since}"
    icon = signs().icon("running")
    return (
        f"{icon} {found.listening} of {_count(known)} listen, {found.running} jobs run, "
        f"{found.waiting} wait   Redis on {known.address}, started {since}"
    )


def _document(cluster: KnownCluster) -> dict[str, object]:
    """What may be shown: all but the password."""
    return {
        "address": cluster.address,
        "workers": cluster.workers,
        "started": cluster.started,
        "redis_pid": cluster.redis.pid,
        "pool_pid": cluster.pool.pid,
    }


def _status_document(found: ClusterStatus) -> dict[str, object]:
    return {
        **_document(found.cluster),
        "is_running": found.is_running,
        "listening": found.listening,
        "waiting": found.waiting,
        "running": found.running,
    }
