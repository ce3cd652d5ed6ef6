"""Task specs, sweeps, graphs and runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowlib.accepting import Accepted
    from flowlib.calls import Call
    from flowlib.choices import integers, sweep, uniform, union, zipped
    from flowlib.configuration import Settings, configure, settings
    from flowlib.coordinate_pages import parallel_coordinates
    from flowlib.debug_folder import debug_task
    from flowlib.direct_use import Bound
    from flowlib.drawing import visualize_graph_in_console
    from flowlib.drawing_bokeh import visualize_graph_interactive
    from flowlib.errors import (
        CallError,
        CodeChanged,
        ColumnUnknown,
        ConfigError,
        FlowError,
        GraphError,
        InputChanged,
        InputError,
        MigrationError,
        MissingExtra,
        NothingSelected,
        OutputMissing,
        ParameterError,
        ProgramFailed,
        ProgramNotFound,
        ResourceError,
        RunError,
        SelectorError,
        SettingsError,
        SpecError,
        SweepError,
        TaskFailed,
        WaitTimeout,
        WorkerDied,
    )
    from flowlib.execution import execute, wait
    from flowlib.executor import Executor
    from flowlib.executors.dask import DaskExecutor
    from flowlib.executors.ray import RayExecutor
    from flowlib.executors.rq import RQExecutor
    from flowlib.executors.slurm import SlurmExecutor
    from flowlib.expansion import Expansion, register_expansion
    from flowlib.failures import Failure, unwrap
    from flowlib.flow import Flow
    from flowlib.functions import TaskFunction, task
    from flowlib.info import TaskInfo
    from flowlib.input_files import InputFile
    from flowlib.items import Item
    from flowlib.local_cluster import LocalCluster
    from flowlib.logs import configure_logging, get_logger
    from flowlib.migration import Migration, migrate
    from flowlib.next_commands import RunCommand
    from flowlib.parameters import Ignore
    from flowlib.reproduction import Reproduction, reproduce
    from flowlib.result_table import ResultTable
    from flowlib.results import Run
    from flowlib.shell import sh
    from flowlib.spec import TaskSpec
    from flowlib.store_choice import use_store
    from flowlib.submission import Submission
    from flowlib.task_class import Task
    from flowlib.task_results import TaskResults
    from flowlib.verification import verify
    from flowlib.wrapped_pool import CachingExecutor, wrap_executor
    from stores import (
        File,
        FilePromise,
        InMemoryStore,
        LazySweep,
        LocalFileStore,
        Promise,
        ResultsStore,
        StoreContext,
        Sweep,
        TaskState,
        TypeInfo,
    )

__all__ = [
    "Accepted",
    "Bound",
    "CachingExecutor",
    "Call",
    "CallError",
    "CodeChanged",
    "ColumnUnknown",
    "ConfigError",
    "DaskExecutor",
    "Executor",
    "Expansion",
    "Failure",
    "File",
    "FilePromise",
    "Flow",
    "FlowError",
    "GraphError",
    "Ignore",
    "InMemoryStore",
    "InputChanged",
    "InputError",
    "InputFile",
    "Item",
    "LazySweep",
    "LocalCluster",
    "LocalFileStore",
    "Migration",
    "MigrationError",
    "MissingExtra",
    "NothingSelected",
    "OutputMissing",
    "ParameterError",
    "ProgramFailed",
    "ProgramNotFound",
    "Promise",
    "RQExecutor",
    "RayExecutor",
    "Reproduction",
    "ResourceError",
    "ResultTable",
    "ResultsStore",
    "Run",
    "RunCommand",
    "RunError",
    "SelectorError",
    "Settings",
    "SettingsError",
    "SlurmExecutor",
    "SpecError",
    "StoreContext",
    "Submission",
    "Sweep",
    "SweepError",
    "Task",
    "TaskFailed",
    "TaskFunction",
    "TaskInfo",
    "TaskResults",
    "TaskSpec",
    "TaskState",
    "TypeInfo",
    "WaitTimeout",
    "WorkerDied",
    "configure",
    "configure_logging",
    "debug_task",
    "execute",
    "get_logger",
    "integers",
    "migrate",
    "parallel_coordinates",
    "register_expansion",
    "reproduce",
    "settings",
    "sh",
    "sweep",
    "task",
    "uniform",
    "union",
    "unwrap",
    "use_store",
    "verify",
    "visualize_graph_in_console",
    "visualize_graph_interactive",
    "wait",
    "wrap_executor",
    "zipped",
]

_HOMES = {
    "Accepted": "flowlib.accepting",
    "CachingExecutor": "flowlib.wrapped_pool",
    "Bound": "flowlib.direct_use",
    "Call": "flowlib.calls",
    "DaskExecutor": "flowlib.executors.dask",
    "Executor": "flowlib.executor",
    "Expansion": "flowlib.expansion",
    "Failure": "flowlib.failures",
    "Flow": "flowlib.flow",
    "Ignore": "flowlib.parameters",
    "Item": "flowlib.items",
    "LocalCluster": "flowlib.local_cluster",
    "Migration": "flowlib.migration",
    "RQExecutor": "flowlib.executors.rq",
    "SlurmExecutor": "flowlib.executors.slurm",
    "RayExecutor": "flowlib.executors.ray",
    "Reproduction": "flowlib.reproduction",
    "ResultTable": "flowlib.result_table",
    "Run": "flowlib.results",
    "RunCommand": "flowlib.next_commands",
    "Settings": "flowlib.configuration",
    "Task": "flowlib.context",
    "TaskFunction": "flowlib.functions",
    "TaskInfo": "flowlib.info",
    "TaskResults": "flowlib.task_results",
    "TaskSpec": "flowlib.spec",
    "TaskState": "stores",
    "File": "stores",
    "FilePromise": "stores",
    "InMemoryStore": "stores",
    "LazySweep": "stores",
    "LocalFileStore": "stores",
    "Promise": "stores",
    "ResultsStore": "stores",
    "StoreContext": "stores",
    "Sweep": "stores",
    "TypeInfo": "stores",
    "Submission": "flowlib.submission",
    "debug_task": "flowlib.debug_folder",
    "execute": "flowlib.execution",
    "wait": "flowlib.execution",
    "visualize_graph_in_console": "flowlib.drawing",
    "visualize_graph_interactive": "flowlib.drawing_bokeh",
    "configure": "flowlib.configuration",
    "configure_logging": "flowlib.logs",
    "get_logger": "flowlib.logs",
    "InputFile": "flowlib.input_files",
    "integers": "flowlib.choices",
    "migrate": "flowlib.migration",
    "parallel_coordinates": "flowlib.coordinate_pages",
    "register_expansion": "flowlib.expansion",
    "reproduce": "flowlib.reproduction",
    "verify": "flowlib.verification",
    "settings": "flowlib.configuration",
    "sh": "flowlib.shell",
    "sweep": "flowlib.choices",
    "task": "flowlib.functions",
    "uniform": "flowlib.choices",
    "union": "flowlib.choices",
    "unwrap": "flowlib.failures",
    "use_store": "flowlib.store_choice",
    "wrap_executor": "flowlib.wrapped_pool",
    "zipped": "flowlib.choices",
}
"""Where each public name lives; a name that is not here is an error of `flowlib.errors`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'flowlib' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, "flowlib.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
