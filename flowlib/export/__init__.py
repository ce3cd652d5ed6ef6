"""
How do other engines run a flow? As graphs of their own, whose tasks are `flowlib execute KEY`.

    prefect.to_flow(flow)                  a flow of Prefect 3
    kfp.to_pipeline(flow, base_image)      a pipeline of Kubeflow: YAML, an image, a submission
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowlib.export import kfp, prefect

__all__ = ["kfp", "prefect"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'flowlib.export' has no attribute {name!r}")
    return importlib.import_module(f"flowlib.export.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
