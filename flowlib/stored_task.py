"""What is needed to make the task of a stored result again, in any process?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stores import Address, Input
from stores.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class StoredTask:
    """A task whose class has `restore` or `validate`, without anything of its graph.

    Attributes:
        address: Where its record lies.
        unique_name: Name of the node.
        task: The class.
        config: Its parameters; in the places of specs are slots.
        user_config: The text of what the user gave.
        inputs: What it has read, as what.
        gathers: Whether a slot stands for a list of values.
        is_call: Whether some of its parameters are those of `run`.
    """

    address: Address
    unique_name: str
    task: Callable[..., object]
    config: Mapping[str, object]
    user_config: str
    inputs: tuple[Input, ...]
    gathers: bool
    is_call: bool


StoredTasks = Mapping[str, StoredTask]
"""By key: those whose values `restore` gives."""
