"""How does a process get its variables before it imports anything of the user's?"""

from __future__ import annotations

import os
from collections.abc import Mapping

from flowlib.devices import Environment


class NameWithVariables(str):
    """The name of a process that sets the environment when it arrives there.

    A spawned process, and one of a fork server, first reads its name, then imports the main
    module of its driver, and only then calls what it was started for: too late for libraries
    that read the environment when they are imported. A fork server has the environment it was
    born with, whatever its driver has changed since.
    """

    __slots__ = ("_environment",)

    _environment: Mapping[str, str]

    def __new__(cls, name: str, environment: Mapping[str, str]) -> NameWithVariables:
        """A name like any other, until it is pickled."""
        self = super().__new__(cls, name)
        self._environment = environment
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # nothing of ours: the search path for modules comes after the name, too
        setting = f"e.clear() or e.update({dict(self._environment)!r}) or {str(self)!r}"
        return eval, (f"(lambda e: {setting})(__import__('os').environ)",)


def process_name(name: str, variables: Environment) -> str:
    """The name for a process with the environment of this one and these variables."""
    return NameWithVariables(name, {**os.environ, **dict(variables)})


def set_variables(variables: Environment) -> None:
    """Set the variables in this process, which was forked and has unpickled no name."""
    os.environ.update(variables)
