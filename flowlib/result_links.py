"""Where does somebody who looks into the folder of a run find the files of its results?"""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flowlib.node import Node
from stores.file_layout import Layout, encoded

RESULTS: Final = "results"


def link_results(folder: Path, store_folder: Path, nodes: Iterable[Node]) -> None:
    """Make `results/Train-12`, a link to `../../../Train/<key>`, for each node that has files.

    Costs one listing for each task. Nothing is made for results that are small enough for their
    records, nor on a file system without links.

    Args:
        folder: The folder of the run.
        store_folder: That of the store it lies in.
        nodes: What has run.
    """
    by_task: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        by_task[node.address.task].append(node)
    layout, links = Layout(str(store_folder)), folder / RESULTS
    with contextlib.suppress(OSError):
        for task, those in by_task.items():
            with os.scandir(layout.task_folder(task)) as entries:
                there = {each.name for each in entries}
            for node in those:
                if node.key in there:
                    links.mkdir(exist_ok=True)
                    target = os.path.relpath(layout.key_folder(node.address), links)
                    (links / encoded(node.unique_name)).symlink_to(target)
