"""How do tasks on all nodes of Ray use a store that one node reaches? An actor there does it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from flowlib.asked_store import AskedStore, StoreKeeper
from flowlib.errors import RunError
from flowlib.executor import ExecutorSetup
from flowlib.pickle_rule import loads_pickles
from flowlib.transport import dumps, loads
from stores import ResultsStore, StoreError

_NAMESPACE: Final = "flowlib"

_AT_ONCE: Final = 16
"""How many questions the actor works on at a time."""

_PATIENCE_S: Final = 60.0
"""How long the actor may take to start."""


class _Keeper:
    """The actor: answers with values and with the errors of the store."""

    def __init__(self, told: bytes) -> None:
        store: Any = loads(told)
        self._keeper = StoreKeeper(store)

    def answer(self, method: str, *arguments: Any) -> tuple[bool, Any]:
        """What the method gives, or what it raises."""
        try:
            return True, getattr(self._keeper, method)(*arguments)
        except (StoreError, OSError) as error:
            return False, error

    def sees(self, folder: str) -> bool:
        """Whether a folder is there."""
        return Path(folder).is_dir()


class AskActor:
    """Asks the actor of a name.

    Args:
        name: Of it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, method: str, *arguments: Any) -> Any:
        """What the store answers.

        Raises:
            StoreError: that is what it answers, or the actor is gone.
        """
        import ray

        try:
            sent = _actor(self._name).answer.remote(method, *arguments)
            is_fine, answer = ray.get(sent)
        except (ray.exceptions.RayError, ValueError) as error:
            raise StoreError(f"the node of Ray with the store is lost: {error}") from error
        if not is_fine:
            raise answer
        return answer


@lru_cache(maxsize=4)
def _actor(name: str) -> Any:
    import ray

    return ray.get_actor(name, namespace=_NAMESPACE)


class PinnedStore:
    """The store of a run, for as long as the actor lives.

    Args:
        ray: The module, connected.
        setup: What the run gives.
        resources: Of the node that reaches the store, and how much of them the actor takes.

    Attributes:
        store: What tasks use, wherever they run.

    Raises:
        RunError: there is no such node, or it does not see the folder that the driver sees.
    """

    def __init__(self, ray: Any, setup: ExecutorSetup, resources: Mapping[str, float]) -> None:
        self._ray = ray
        _check(ray, resources)
        name = f"store-{uuid4().hex}"
        options = {"num_cpus": 0, "resources": dict(resources), "max_concurrency": _AT_ONCE}
        kept = dumps(setup.store, "the store", by_value=True)
        actor = ray.remote(_Keeper).options(name=name, namespace=_NAMESPACE, **options)
        self._actor = actor.remote(kept)
        ask = AskActor(name)
        words = f"<{setup.store!r} on the node of Ray with {', '.join(resources)}>"
        self.store: ResultsStore = AskedStore(words, ask, loads_pickles=loads_pickles(setup.store))
        self._check_place(setup)

    def close(self) -> None:
        """End the actor."""
        self._ray.kill(self._actor)

    def _check_place(self, setup: ExecutorSetup) -> None:
        folder = "/" if setup.output is None else str(setup.output.folder)
        try:
            is_seen = self._ray.get(self._actor.sees.remote(folder), timeout=_PATIENCE_S)
        except self._ray.exceptions.RayError as error:
            self.close()
            raise RunError(f"the store cannot be opened on its node of Ray: {error}") from error
        if not is_seen:
            self.close()
            raise RunError(
                f"the node of Ray that store_resources mean does not see {folder}, which this "
                f"process writes: start the run on that node, or give a store that both reach"
            )


def _check(ray: Any, resources: Mapping[str, float]) -> None:
    there = ray.cluster_resources()
    for name, amount in resources.items():
        if there.get(name, 0.0) < amount:
            given = f'{{"{name}": 1}}'
            raise RunError(
                f"store_resources: no node of Ray has {amount:g} of {name!r}. Start the one that "
                f"reaches the store by: ray start --resources='{given}'"
            )
