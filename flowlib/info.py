"""The summary of one task that the seed's API calls `TaskInfo`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from stores import TaskState


class TaskInfo(BaseModel):
    """The most important facts of one task, ready to be serialised.

    Attributes:
        project_name: Name of the project.
        run_name: Name of the run that made the task.
        state: Its state, as text.
        started: When it started, in UTC.
        ended: When it ended, in UTC.
        duration: From start to end, or until now.
        run_history: Task name -> id, of all predecessors and of the task itself.
        sweep_counter: The index of the task among those of its spec, three digits at least.
        unique_config_hash: The first 8 characters of the key.
        id: The run name and the sweep counter.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, use_enum_values=True)

    project_name: str
    run_name: str
    state: TaskState | None = None
    started: datetime | None = None
    ended: datetime | None = None
    duration: timedelta | None = None
    run_history: dict[str, Any] | None = None
    sweep_counter: str | None = None
    unique_config_hash: str | None = None
    id: str | None = None
