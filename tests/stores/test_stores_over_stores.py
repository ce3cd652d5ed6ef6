"""Do stores over another store pass on everything that can be asked of it?"""

from __future__ import annotations

import io

import pytest

from stores import (
    Artifact,
    InMemoryStore,
    LayeredStore,
    Listing,
    LocalFileStore,
    Owner,
    ReadOnlyStore,
    ResultsStore,
    SplitStore,
    StoreUnwritable,
)
from stores.attempt_store import Lease, SaveOptions
from stores.query import Query
from stores.record import Address
from stores.testing import dead_owner, done, put
from stores.testing.parts import A, B, C

BIG = "x" * 50_000
CONFIG = {"Train": {"lr": 0.1}}
LEASE = Lease(C, 1, Owner.of_this_process(), None)
BYTES = Artifact("other", "text", size_bytes=5)

READING = {
    "addresses": lambda store: sorted(store.addresses()),
    "artifact_stream": lambda store: store.artifact_stream(A, artifact(store)).read(),
    "beat_s": lambda store: isinstance(store.beat_s, float),
    "candidates": lambda store: list(store.candidates(Query.of("Train"))),
    "close": lambda store: store.close(),
    "copy": lambda store: store.copy(None, InMemoryStore()),
    "count": lambda store: store.count("Train", where={"lr": 0.1}),
    "dependents": lambda store: store.dependents(A),
    "disk_usage": lambda store: store.disk_usage(),
    "find": lambda store: store.find("Train/a"),
    "gc": lambda store: [(each.leftovers, sorted(each.victims)) for each in [store.gc()]],
    "get": lambda store: store.get(A, "value"),
    "get_context": lambda store: store.get_context("Train", CONFIG),
    "get_results": lambda store: store.get_results("Train", CONFIG),
    "is_finished": lambda store: store.is_finished("Train", CONFIG),
    "keys_in_work": lambda store: store.keys_in_work(),
    "leftovers": lambda store: sorted(store.leftovers(), key=str),
    "lineages": lambda store: store.lineages([A, B]),
    "load": lambda store: store.load("value", "Train", CONFIG),
    "load_artifact": lambda store: store.load_artifact(A, 1, artifact(store), lazy=True).load(),
    "lock": lambda store: store.lock.__enter__(),
    "marks": lambda store: {task: sorted(keys) for task, keys in store.marks({}) if keys},
    "open": lambda store: opened(lambda: store.open("value", "Train", CONFIG, "r")),
    "open_promise": lambda store: opened(lambda: store.open_promise(promise(store), None)),
    "page": lambda store: listed(store.page(Listing("Train", limit=1, offset=1))),
    "portable": lambda store: store.portable(artifact(store)),
    "portable_stream": lambda store: store.portable_stream(A, artifact(store))[1].read(),
    "reachable_from_workers": lambda store: store.reachable_from_workers,
    "record": lambda store: [store.record(each) for each in (A, B, C)],
    "record_folder": lambda store: store.record_folder(A),
    "records": lambda store: store.records().to_dicts(),
    "run_history": lambda store: store.run_history([A, B]),
    "shelves": lambda store: store.shelves()[-1],
    "statuses": lambda store: store.statuses([A, B, C]),
    "summaries": lambda store: sorted(
        (each._replace(more=None) for each in store.summaries("Train")),
        key=lambda each: each.address,
    ),
    "supports_files": lambda store: store.supports_files,
    "unique_config": lambda store: store.unique_config(B),
    "unique_configs": lambda store: store.unique_configs([A, B]),
    "verify": lambda store: store.verify(),
    "without_files": lambda store: store.without_files("open()"),
}
"""Name of what is asked, and how: the answer is that of the store below."""

WRITING = {
    "acquire": lambda store: store.release_attempt(store.acquire(C, LEASE.owner)[0]),
    "adopt": lambda store: store.adopt(store.record(A), {}),
    "adopt_file": lambda store: store.adopt_file(*file_in(store)),
    "attempt_folder": lambda store: in_attempt(store, store.attempt_folder),
    "begin": lambda store: store.begin(C).abandon(),
    "checkpoint_folder": lambda store: in_attempt(store, store.checkpoint_folder),
    "commit_attempt": lambda store: put(store, C, {"value": 1}),
    "delete": lambda store: store.delete("value", "Train", CONFIG),
    "delete_records": lambda store: store.delete_records(B),
    "delete_run": lambda store: store.delete_run("Train", CONFIG),
    "drop_artifact": lambda store: in_attempt(store, lambda lease: dropped(store, lease)),
    "drop_leftovers": lambda store: store.drop_leftovers(list(store.leftovers())),
    "open_in_attempt": lambda store: in_attempt(
        store, lambda lease: store.open_in_attempt(lease, "x", None, "w", None, None)[1].close()
    ),
    "remove": lambda store: store.remove(B),
    "shared_folder": lambda store: store.shared_folder("Train").name,
    "save": lambda store: store.save(1, "more", task_name="Train", task_unique_config=CONFIG),
    "take_artifact": lambda store: in_attempt(
        store, lambda lease: store.take_artifact(lease, BYTES, io.BytesIO(b"hello")).size_bytes
    ),
    "write_artifact": lambda store: in_attempt(
        store, lambda lease: store.write_artifact(lease, 1, "x", SaveOptions()).inline
    ),
}
"""What changes a store: passed on by a stack, refused by one that is only read."""

OWN = {
    "beside": "a store over those that lie beside, which refuses as this one does",
    "can_page": "several stores together have no index of their own",
    "lease_folder": "a store that is only read has no leases",
    "lease_times": "a store that is only read has no leases",
    "release_attempt": "harmless where nothing can be acquired",
    "renew": "harmless where nothing can be acquired",
    "runs_dir": "a run writes nothing beside a store that is only read",
    "shown_uri": "a stack is shown as one, with what it is made of",
}


def artifact(store):
    return store.record(A).finished.artifacts[0]


def listed(page):
    return page.total, [each.address for each in page.summaries]


def promise(store):
    return store.get(A, "value", lazy=True)


def opened(open_):
    with open_() as file:
        return file.read()


def in_attempt(store, action):
    """What an action gives within an attempt that leaves nothing; a path by its name."""
    lease = LEASE if isinstance(store, ReadOnlyStore) else store.acquire(C, LEASE.owner)[0]
    try:
        return getattr(found := action(lease), "name", found)
    finally:
        if lease is not LEASE:
            store.release_attempt(lease)


def dropped(store, lease):
    kept = artifact(store)
    if not isinstance(store, ReadOnlyStore):
        kept = store.write_artifact(lease, BIG, "x", SaveOptions())
    store.drop_artifact(lease, kept)


def file_in(store):
    if isinstance(store, ReadOnlyStore):
        return LEASE, "x", None, None
    lease = store.acquire(C, LEASE.owner)[0]
    path = store.attempt_folder(lease) / "x.txt"
    path.write_text("hello")
    return lease, "x", path, None


def split(below):
    """The same store for all tasks, once by the name of the task."""
    return SplitStore(below, {"Train": below})


@pytest.fixture
def below(tmp_path):
    """A store with a result, one computed from it, something that was left, and a live lease."""
    store = LocalFileStore(tmp_path / "below", fsync=False)
    put(store, A, {"value": BIG}, lr=0.1)
    put(store, B, {"value": 2}, done(inputs=[A]), lr=0.2)
    store.begin(Address("Train", "d" * 32), dead_owner()).save(BIG, "half")
    store.begin(Address("Eval", "e" * 32))
    return store


def test_every_public_name_is_asked():
    """A new method has to be passed on, or to be named here with a reason."""
    public = {name for name in dir(ResultsStore) if not name.startswith("_")}
    assert {*READING, *WRITING, *OWN} == public


@pytest.mark.parametrize("name", READING)
def test_what_is_read_is_the_answer_of_the_store_below(below, name):
    """In a stack, alone or second, and in a store that is only read."""
    expected = READING[name](below)
    empty = LocalFileStore(f"{below.base_dir}-empty", fsync=False)
    stacks = [LayeredStore([below]), LayeredStore([empty, below]), ReadOnlyStore(below)]
    stacks += [SplitStore(below, {}), SplitStore(empty, {"Train": below, "Eval": below})]
    for store in stacks if name != "leftovers" and name != "gc" else stacks[::2]:
        assert READING[name](store) == expected
    assert READING[name](ReadOnlyStore(stacks[0])) == expected


@pytest.mark.parametrize("stack_of", [lambda below: LayeredStore([below]), split])
@pytest.mark.parametrize("name", WRITING)
def test_what_changes_is_done_or_refused(below, name, stack_of):
    """The stack does as its first store would do; the other says that it is only read."""

    def outcome(store):
        try:
            return WRITING[name](store)
        except (NotImplementedError, TypeError) as error:
            return type(error)

    shown = ReadOnlyStore(below)
    before = sorted(str(each) for each in shown.addresses()), shown.verify()
    with pytest.raises(StoreUnwritable, match=r"ReadOnlyStore\(.*only read"):
        WRITING[name](shown)
    assert (sorted(str(each) for each in shown.addresses()), shown.verify()) == before
    copy = LocalFileStore(f"{below.base_dir}-copy", fsync=False)
    below.copy(None, copy)
    copy.begin(Address("Train", "d" * 32), dead_owner()).save(BIG, "half")
    copy.begin(Address("Eval", "e" * 32))
    assert plain(outcome(stack_of(below))) == plain(outcome(copy))


def plain(found):
    """Records by what they say, not by where they are."""
    latest = getattr(found, "latest", None)
    return found if latest is None else [each.name for each in latest.artifacts]


def test_leases_are_those_of_the_first(below):
    """Renewed, taken and ended there; where nothing can be taken nothing is renewed."""
    stack, shown = LayeredStore([below]), ReadOnlyStore(below)
    assert stack.lease_times is below.lease_times
    assert stack.lease_folder(A) == below.lease_folder(A)
    assert shown.lease_folder(A) is None
    assert stack.runs_dir == below.runs_dir
    assert shown.runs_dir is None
    attempt = stack.begin(C)
    stack.renew([C])
    shown.renew([C])
    shown.release_attempt(attempt.lease)
    assert C in below.keys_in_work()
    stack.release_attempt(attempt.lease)
    assert C not in below.keys_in_work()


def test_a_read_only_memory_store_stays_in_its_process():
    """As its copy in a worker would not see what comes later."""
    assert not ReadOnlyStore(InMemoryStore()).reachable_from_workers
