"""Stores of results: records, artifacts and leases; knows nothing of tasks and graphs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stores.attempt import OpenAttempt
    from stores.backends.file import LocalFileStore
    from stores.backends.layered import LayeredStore
    from stores.backends.memory import InMemoryStore
    from stores.backends.mongodb import MongoDBStore
    from stores.backends.readonly import ReadOnlyStore
    from stores.backends.s3 import S3Store
    from stores.backends.split import SplitStore
    from stores.backends.sql import SQLStore
    from stores.codec import (
        Codec,
        PathCodec,
    )
    from stores.errors import (
        AmbiguousConfig,
        ArtifactDamaged,
        ArtifactMissing,
        CodecNotFound,
        DependentsExist,
        LeaseHeld,
        LeaseLost,
        PickleRefused,
        QueryError,
        RecordDamaged,
        RecordMissing,
        RecordTooNew,
        StoreError,
        StoreUnwritable,
        StoreWithoutFiles,
        Unencodable,
        UnknownPlugin,
        Unpicklable,
    )
    from stores.files import (
        File,
        FilePromise,
        TypeInfo,
    )
    from stores.heartbeat import Heartbeat
    from stores.lease import Owner
    from stores.listing import Listing
    from stores.query import Criteria, Query
    from stores.record import (
        Address,
        Artifact,
        Attempt,
        ErrorDetails,
        Identity,
        Input,
        Record,
        RunInfo,
        Status,
        TaskState,
    )
    from stores.store import ResultsStore
    from stores.table import Records
    from stores.uri import open_store
    from stores.values import (
        LazySweep,
        MetaDict,
        Promise,
        StoreContext,
        Sweep,
        UniqueConfig,
    )

__all__ = [
    "Address",
    "AmbiguousConfig",
    "Artifact",
    "ArtifactDamaged",
    "ArtifactMissing",
    "Attempt",
    "Codec",
    "CodecNotFound",
    "Criteria",
    "DependentsExist",
    "ErrorDetails",
    "File",
    "FilePromise",
    "Heartbeat",
    "Identity",
    "InMemoryStore",
    "Input",
    "LayeredStore",
    "LazySweep",
    "LeaseHeld",
    "LeaseLost",
    "Listing",
    "LocalFileStore",
    "MetaDict",
    "MongoDBStore",
    "OpenAttempt",
    "Owner",
    "PathCodec",
    "PickleRefused",
    "Promise",
    "Query",
    "QueryError",
    "ReadOnlyStore",
    "Record",
    "RecordDamaged",
    "RecordMissing",
    "RecordTooNew",
    "Records",
    "ResultsStore",
    "RunInfo",
    "S3Store",
    "SQLStore",
    "SplitStore",
    "Status",
    "StoreContext",
    "StoreError",
    "StoreUnwritable",
    "StoreWithoutFiles",
    "Sweep",
    "TaskState",
    "TypeInfo",
    "Unencodable",
    "UniqueConfig",
    "UnknownPlugin",
    "Unpicklable",
    "open_store",
]

_HOMES = {
    "OpenAttempt": "stores.attempt",
    "LocalFileStore": "stores.backends.file",
    "LayeredStore": "stores.backends.layered",
    "InMemoryStore": "stores.backends.memory",
    "ReadOnlyStore": "stores.backends.readonly",
    "MongoDBStore": "stores.backends.mongodb",
    "S3Store": "stores.backends.s3",
    "SplitStore": "stores.backends.split",
    "SQLStore": "stores.backends.sql",
    "Codec": "stores.codec",
    "PathCodec": "stores.codec",
    "AmbiguousConfig": "stores.errors",
    "ArtifactDamaged": "stores.errors",
    "ArtifactMissing": "stores.errors",
    "CodecNotFound": "stores.errors",
    "DependentsExist": "stores.errors",
    "LeaseHeld": "stores.errors",
    "LeaseLost": "stores.errors",
    "PickleRefused": "stores.errors",
    "QueryError": "stores.errors",
    "RecordDamaged": "stores.errors",
    "RecordMissing": "stores.errors",
    "RecordTooNew": "stores.errors",
    "StoreError": "stores.errors",
    "StoreUnwritable": "stores.errors",
    "StoreWithoutFiles": "stores.errors",
    "Unencodable": "stores.errors",
    "UnknownPlugin": "stores.errors",
    "Unpicklable": "stores.errors",
    "File": "stores.files",
    "FilePromise": "stores.files",
    "TypeInfo": "stores.files",
    "Heartbeat": "stores.heartbeat",
    "Owner": "stores.lease",
    "Listing": "stores.listing",
    "Criteria": "stores.query",
    "Query": "stores.query",
    "Address": "stores.record",
    "Artifact": "stores.record",
    "Attempt": "stores.record",
    "ErrorDetails": "stores.record",
    "Identity": "stores.record",
    "Input": "stores.record",
    "Record": "stores.record",
    "RunInfo": "stores.record",
    "Status": "stores.record",
    "TaskState": "stores.record",
    "ResultsStore": "stores.store",
    "Records": "stores.table",
    "open_store": "stores.uri",
    "LazySweep": "stores.values",
    "MetaDict": "stores.values",
    "Promise": "stores.values",
    "StoreContext": "stores.values",
    "Sweep": "stores.values",
    "UniqueConfig": "stores.values",
}
"""Where each public name lives."""

_EXTRAS = {"MongoDBStore": "mongodb", "S3Store": "s3", "SQLStore": "sql"}
"""The extras of this distribution that bring what a name needs."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'stores' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or (error.name or "").startswith("stores"):
            raise
        raise ModuleNotFoundError(
            f"{name} needs {error.name}: pip install 'flowlib-runner[{_EXTRAS[name]}]'",
            name=error.name,
        ) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
