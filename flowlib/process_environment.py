"""How does a process get its variables before it imports anything of the user's?"""

from __future__ import annotations

import os

from flowlib.devices import Environment


class NameWithVariables(str):
    """The name of a process that sets variables when it arrives there.

    A spawned process, and one of a fork server, first reads its name, then imports the main
    module of its driver, and only then calls what it was started for: too late for libraries
    that read the environment when they are imported. A fork server has the environment it was
    born with, so the driver cannot set it there either.
    """

    __slots__ = ("_variables",)

    _variables: Environment

    def __new__(cls, name: str, variables: Environment) -> NameWithVariables:
        """A name like any other, until it is pickled."""
        self = super().__new__(cls, name)
        self._variables = variables
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # nothing of ours: the search path for modules comes after the name, too
        expression = f"__import__('os').environ.update({dict(self._variables)!r}) or {str(self)!r}"
        return eval, (expression,)


def process_name(name: str, variables: Environment) -> str:
    """The name for a process that needs these variables."""
    return NameWithVariables(name, variables) if variables else name


def set_variables(variables: Environment) -> None:
    """Set the variables in this process, which was forked and has unpickled no name."""
    os.environ.update(variables)
