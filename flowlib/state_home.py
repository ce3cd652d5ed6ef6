"""Where does the system want programs to keep what they remember of a user?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_USUAL: Final = ".local/state"


def state_home() -> Path:
    """`$XDG_STATE_HOME`, or the usual folder in place of it."""
    given = os.environ.get("XDG_STATE_HOME", "")
    if Path(given).is_absolute():  # anything else is to be ignored, says the specification
        return Path(given)
    return Path.home() / _USUAL
