"""What do type checkers know of a task? That the calls of its class give what its `run` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowlib import context

__all__ = ["Task"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from flowlib.calls import Call

    T_co = TypeVar("T_co", covariant=True, default=Any)

    class Task(context.Task[T_co]):
        """`flowlib.context.Task`, which stands below calls and cannot name them."""

        @classmethod
        def spec(cls, *args: Any, **kwargs: Any) -> Call[T_co]: ...

else:
    Task = context.Task
