"""Does a store load what runs code when it is loaded?"""

from __future__ import annotations

from typing import Final

from stores import Address, Artifact, PickleRefused, ResultsStore, StoreError

_NOWHERE: Final = Address("none", "0" * 32)


def loads_pickles(store: ResultsStore) -> bool:
    """Whether it does; it is asked for a pickle that is nowhere."""
    try:
        store.load_artifact(_NOWHERE, 1, Artifact("none", "pickle", file="1/none"))
    except PickleRefused:
        return False
    except StoreError:
        return True
    return True
