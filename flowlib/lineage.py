"""The configs of nodes with those of all their ancestors, by task name (`unique_config`)."""

from __future__ import annotations

from collections.abc import Mapping

from flowlib.graph import TaskGraph
from flowlib.node import Node
from stores import UniqueConfig, canonical
from stores.lineage import merged

