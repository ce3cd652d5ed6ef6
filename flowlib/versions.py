"""Which new nodes have results of another version of their task?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from flowlib.earlier_records import EarlierRecords
from flowlib.identity import key_with_version, upstream_digest
from flowlib.node import Node
from stores import Address, ResultsStore

_TRIED: Final = 16
"""So many numbers below a version are tried; a lower one was long ago."""


def nodes_of_other_version(
    nodes: Iterable[Node], store: ResultsStore, earlier: EarlierRecords
) -> dict[str, Address]:
    """The results of other versions: same task, same config, same predecessors, by key.

    The keys of other versions are computed, and the store is asked for all of them in one look.
    None and lower numbers are tried; for versions that are words, those that earlier records
    have. Nothing is asked if no node has a version.

    Args:
        nodes: Nodes that are new.
        store: Where to look.
        earlier: Knows earlier records.
    """
    known: dict[str, list[str | int | None]] = {}
    digests: dict[int, str] = {}
    others: dict[str, list[Address]] = {}
    for node in nodes:
        if node.declaration.version is None:
            continue
        if node.name not in known:
            known[node.name] = _versions_before(node, earlier)
        digest = digests.get(id(node.upstream))
        if digest is None:
            pairs = ((each.name, each.key) for each in node.upstream.nodes)
            digest = digests[id(node.upstream)] = upstream_digest(pairs)
        others[node.key] = [
            Address(node.name, key_with_version(node, each, digest)) for each in known[node.name]
        ]
    if not others:
        return {}
    found = store.statuses([each for several in others.values() for each in several])
    return dict(_first_found(others, found))


def _first_found(
    others: Mapping[str, list[Address]], found: Mapping[str, object]
) -> Iterable[tuple[str, Address]]:
    for key, addresses in others.items():
        yield from ((key, each) for each in [a for a in addresses if a.key in found][:1])


def _versions_before(node: Node, earlier: EarlierRecords) -> list[str | int | None]:
    """Other versions, the nearest first."""
    version = node.declaration.version
    if isinstance(version, int):
        return [*range(version - 1, max(version - 1 - _TRIED, -1), -1), None]
    recorded = sorted(each for each in earlier.versions(node.name) if each not in (None, version))
    return [*recorded, None]
