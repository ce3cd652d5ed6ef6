"""Does every setting change what flowlib does? One test for each, and none but these has to know."""

from __future__ import annotations

import pytest

from tests.acceptance.scripts import run_script

LOG = """
    import logging, sys
    from flowlib import configure_logging
    configure_logging({arguments})
    logging.getLogger("mine").debug("low")
    logging.getLogger("mine").warning("high")
    {then}
"""


def logged(folder, arguments="", then="", **variables):
    """What a script writes to stderr that sets up logging."""
    return run_script(LOG.format(arguments=arguments, then=then), folder, **variables).err


def test_log_level(tmp_path):
    """The level of `configure_logging`, unless the call names one."""
    level = {"FLOWLIB_LOG_LEVEL": "ERROR"}
    assert "high" in logged(tmp_path)
    assert "low" not in logged(tmp_path)
    assert "low" in logged(tmp_path, FLOWLIB_LOG_LEVEL="DEBUG")
    assert "high" not in logged(tmp_path, **level)
    assert "low" in logged(tmp_path, "'DEBUG'", **level)


@pytest.mark.parametrize("argument", [None, True, False])
@pytest.mark.parametrize("value", ["true", "false"])
def test_rich_uncaught_tracebacks(value, argument, tmp_path):
    """Whether a box is drawn around an uncaught exception, unless the call says so."""
    arguments = "" if argument is None else f"rich_traceback={argument}"
    shown = logged(tmp_path, arguments, "1 / 0", FLOWLIB_RICH_UNCAUGHT_TRACEBACKS=value)
    assert "ZeroDivisionError" in shown
    is_plain = "Traceback (most recent call last):\n" in shown
    assert is_plain is not (value == "true" if argument is None else argument)


@pytest.mark.parametrize(("value", "is_coloured"), [("auto", 0), ("always", 1), ("never", 0)])
def test_color_of_the_log(value, is_coloured, tmp_path):
    """A pipe has no colours unless they are asked for."""
    shown = logged(tmp_path, FLOWLIB_COLOR=value, NO_COLOR="", TERM="xterm-256color")
    assert ("\x1b[" in shown) is bool(is_coloured)
