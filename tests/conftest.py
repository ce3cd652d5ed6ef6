"""What holds for every test: the programs it may start, what a skip means in CI, what is measured."""

from __future__ import annotations

import atexit
import compileall
import gc
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.system import in_ci, programs

PRESENT = pytest.StashKey[set[str]]()
"""Names of the listed programs that this machine has."""
SOURCES = ("benchmarks", "examples", "flowlib", "stores", "tests", "tools")
BY_PYTHON_ITSELF = {"uname"}
"""What the standard library's `platform` starts where it can and does without where it cannot."""

OF_OTHERS = ("KMP_", "PYTEST_", "RAY_")
"""How variables begin that pytest and the imports of scikit-learn and Ray set for themselves."""

SERVERS = {"chromium", "mongodb", "postgres", "postgresql", "s3"}
"""Fixtures that start one, and the kinds of store that are kept there."""


class UnlistedProgram(RuntimeError):
    """A test started a program that the set-up does not know of."""


class Skips:
    """In CI a skipped test is a failure; elsewhere the skipped ones are listed at the end."""

    def __init__(self, *, allowed: bool) -> None:
        self.allowed = allowed

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Turn a skip into a failure where all components must be there."""
        report = yield
        if report.skipped and not self.allowed and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: CI=true, nothing may be skipped: {call.excinfo}"
        return report


def pytest_addoption(parser):
    """The core suite runs where only the core dependencies are, so its tests may skip."""
    parser.addoption("--core", action="store_true", help="only the core dependencies are installed")


def pytest_configure(config):
    """Compile the sources once, refuse unlisted programs, and decide what a skip means."""
    compile_for_all(config)
    if "FLOWLIB_TEST_STATE" not in os.environ:  # runs with stores that are no folders leave logs
        os.environ["FLOWLIB_TEST_STATE"] = tempfile.mkdtemp(prefix="flowlib-state-")
        atexit.register(shutil.rmtree, os.environ["FLOWLIB_TEST_STATE"], ignore_errors=True)
    os.environ["XDG_STATE_HOME"] = os.environ["FLOWLIB_TEST_STATE"]
    config.addinivalue_line("markers", "needs(*programs): starts these programs")
    known = programs()
    config.stash[PRESENT] = {each.name for each in known if each.is_here}
    sys.addaudithook(refusing_all_but({each.name for each in known}))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # started in the background by a shell: the processes of the tests must hear Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile(
        "patient",  # on a busy machine an example may take any time
        settings.default,
        deadline=None,
        suppress_health_check={*settings.default.suppress_health_check, HealthCheck.too_slow},
    )
    settings.load_profile("patient")
    may_skip = config.getoption("--core") or not in_ci()
    config.pluginmanager.register(Skips(allowed=may_skip), "flowlib-skips")


def pytest_runtest_setup(item):
    """Skip a test whose programs are not on this machine."""
    for mark in item.iter_markers("needs"):
        missing = [name for name in mark.args if name not in item.config.stash[PRESENT]]
        if missing:
            pytest.skip(f"{', '.join(missing)} not installed; `make system` says how")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what talks to a server or a browser: `make check` does without."""
    for item in items:
        arguments = getattr(item, "callspec", None)
        kinds = () if arguments is None else arguments.params.values()
        names = {each for each in kinds if isinstance(each, str)}
        if not SERVERS.isdisjoint(names.union(item.fixturenames)):
            item.add_marker("server")


def compile_for_all(config):
    """Compile here what each of the thousands of interpreters that tests start would compile.

    They write nothing compiled themselves: of a script that is edited and run again within one
    second, Python would run the text of before.
    """
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if not hasattr(config, "workerinput"):
        for name in SOURCES:
            compileall.compile_dir(config.rootpath / name, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep what pytest makes of the test modules for its next run, whatever the environment says.

    What is collected stays to the end, so looking for garbage in it, meanwhile or later, is for nothing.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        sys.dont_write_bytecode = before


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request):
    """A quick test fails when it leaves changed what all tests of its process share.

    Slow ones may: Ray and Dask take signals and set variables when they are first used.
    """
    before = shared_by_all()
    yield
    after = shared_by_all()
    if before != after and request.node.get_closest_marker("slow") is None:
        changed = [
            f"{name} was {before.get(name)!r} and is {after.get(name)!r}"
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        ]
        pytest.fail(f"left behind: {'; '.join(changed)}", pytrace=False)


def shared_by_all():
    """The state of this process that any test can change and any other may depend on."""
    root = logging.getLogger()
    usual = multiprocessing.get_all_start_methods()[0]  # fixed by its first use
    handlers = [each for each in root.handlers if "_pytest" not in type(each).__module__]
    return {
        "the working directory": Path.cwd(),
        "the level of the root logger": root.level,
        "the start method of processes": multiprocessing.get_start_method(allow_none=True) or usual,
        **{f"handler {id(each)} of the root logger": each for each in handlers},
        **{f"the handler of {each.name}": signal.getsignal(each) for each in signal.Signals},
        **{
            f"${name}": value
            for name, value in os.environ.items()
            if not name.startswith(OF_OTHERS)
        },
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """What a slow test starts is not measured (docs/decisions/016-what-the-tests-measure.md)."""
    measured = os.environ.get("COVERAGE_PROCESS_CONFIG")
    if measured is None or item.get_closest_marker("slow") is None:
        return (yield)
    del os.environ["COVERAGE_PROCESS_CONFIG"]
    try:
        return (yield)
    finally:
        os.environ["COVERAGE_PROCESS_CONFIG"] = measured


def refusing_all_but(listed):
    """An audit hook that raises when a program is started that tools/system.toml does not list."""

    def refuse_unlisted(event, arguments):
        if event not in {"subprocess.Popen", "os.posix_spawn", "os.system"}:
            return
        name = Path(os.fsdecode(arguments[0]).split()[0]).name
        if not name.startswith("python") and name not in listed | BY_PYTHON_ITSELF:
            message = f"a test starts {name}, which tools/system.toml does not list"
            raise UnlistedProgram(message)

    return refuse_unlisted
