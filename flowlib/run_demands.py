"""What do the tasks of a run need, also those that are added while it goes on?"""

from __future__ import annotations

from collections.abc import Iterable

from flowlib.demands import Demand
from flowlib.errors import RunError
from flowlib.node import Node
from flowlib.run_means import RunMeans


class RunDemands:
    """What each spec needs of the resources of a run.

    Args:
        means: What the run works with.
    """

    def __init__(self, means: RunMeans) -> None:
        self._known = dict(means.demands)
        self._pool = means.pool
        self._workers = means.workers
        self._check_options = means.check_options

    def of(self, node: Node) -> Demand:
        """What a node needs."""
        return self._known[node.declaration]

    def add(self, nodes: Iterable[Node]) -> None:
        """Find out what new nodes need.

        Raises:
            ResourceError: the resources can never meet that.
            RunError: the workers of the run cannot do what a spec asks for, or do not know it.
        """
        for each in nodes:
            declaration, options = each.declaration, each.declaration.options
            if declaration in self._known:
                continue
            self._check_options(declaration)
            if options.timeout_s is not None and not self._workers.can_kill:
                raise RunError(
                    f"{declaration.name} has a timeout, but the workers of this run cannot end a "
                    f"running task, as nobody knew of it when the run began: use "
                    f'executor="processes"'
                )
            if options.fresh_process and not self._workers.has_fresh_processes:
                raise RunError(
                    f"{declaration.name} wants processes of its own, which the workers of this "
                    f"run do not have, as nobody knew of it when the run began: use "
                    f'executor="processes"'
                )
            self._known[declaration] = self._pool.demand(declaration.name, options.resources)
