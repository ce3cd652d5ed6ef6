"""Whose code is a module?"""

from __future__ import annotations

import sysconfig

from flowlib import code_modules


def test_the_standard_library_is_where_python_says():
    """Without asking `sysconfig`, which takes longer than all else about a module."""
    told = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    assert set(code_modules._standard_folders()) == told
