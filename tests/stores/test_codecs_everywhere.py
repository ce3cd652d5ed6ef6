"""Does every codec give its values back from every kind of store, and never hold them twice?"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from stores import InMemoryStore, LocalFileStore, StoreError, TypeInfo, open_store
from stores.codec import codecs
from stores.codecs import safetensors as safetensors_codec
from stores.testing import done, identity
from stores.testing.parts import A, B

np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("sqlalchemy")
pytest.importorskip("h5py")
pytest.importorskip("zarr")
pytest.importorskip("joblib")
pytest.importorskip("safetensors")
pytest.importorskip("matplotlib")
pytest.importorskip("bokeh")
BaseModel = pytest.importorskip("pydantic").BaseModel


@dataclasses.dataclass
class Point:
    x: float
    tags: list[str]


class Model(BaseModel):
    name: str
    depth: int


def figure():
    from matplotlib.figure import Figure

    made = Figure(figsize=(1, 1))
    made.subplots().plot([1, 2, 3])
    return made


def plot():
    from bokeh.plotting import figure

    made = figure(width=100, height=100, title="a plot")
    made.line([1, 2], [3, 4])
    return made


BIG = np.arange(30_000, dtype=np.float64)

VALUES = {
    "arrow": lambda: pa.table({"n": list(range(9000)), "w": ["ü"] * 9000}),
    "bokeh": plot,
    "bytes": lambda: b"\x00\xff" * 30_000,
    "csv": lambda: [{"a": "1", "b": "x" * 50} for _ in range(1000)],
    "dataclass": lambda: Point(0.5, ["tag"] * 9000),
    "hdf5": lambda: {"a": BIG, "group": {"b": np.arange(3)}},
    "image": lambda: Image.fromarray(np.random.default_rng(1).integers(0, 255, (99, 99, 3), "u1")),
    "joblib": lambda: {"a": BIG, "word": "x"},
    "json": lambda: {"a": ["ü"] * 9000},
    "matplotlib": figure,
    "numpy": lambda: BIG,
    "pandas": lambda: pd.DataFrame({"n": range(9000), "w": ["ü"] * 9000}),
    "path": lambda: None,  # a folder of the test
    "pickle": lambda: {1: {2}, "big": frozenset(range(9000))},
    "polars": lambda: pl.DataFrame({"n": range(9000), "w": ["ü"] * 9000}),
    "pydantic": lambda: Model(name="n" * 50_000, depth=3),
    "safetensors": lambda: {"a": BIG, "b": np.arange(3, dtype=np.int8)},
    "scalar": lambda: np.float32(0.5),
    "text": lambda: "ü\r\n" * 20_000,
    "yaml": lambda: {"a": ["ü"] * 3000},
    "zarr": lambda: {"a": BIG, "group": {"b": np.arange(3)}},
}
"""A value for each type, most of them too large for a record."""


def assert_same(type_, back, value):
    if type_ in ("hdf5", "joblib", "safetensors", "zarr"):
        assert list(back) == list(value)
        np.testing.assert_equal(back, value)
    elif type_ == "matplotlib":
        assert (type(back).__module__.partition(".")[0], back.size) == ("PIL", (100, 100))
    elif type_ == "bokeh":
        assert (back.title.text, back.width) == ("a plot", 100)
    elif type_ == "image":
        assert (back.size, back.tobytes()) == (value.size, value.tobytes())
    elif type_ == "path":
        assert (back / "deep" / "ü.txt").read_text() == "hello"
    elif hasattr(value, "equals"):
        assert back.equals(value)
    else:
        assert type(back) is type(value)
        np.testing.assert_equal(back, value)


def test_there_is_a_value_for_every_codec():
    """So that a new one is tried in every store; torch has an environment of its own."""
    assert {*codecs.names} - {"torch"} == set(VALUES)


@pytest.fixture
def store(shared_uri):
    """A store of every kind that other processes see, too."""
    store = open_store(shared_uri)
    yield store
    store.close()


@pytest.mark.parametrize("type_", VALUES)
def test_a_value_comes_back(store, type_, tmp_path):
    """Eagerly, lazily, within the attempt, and from a copy in memory that came as bytes."""
    value = VALUES[type_]()
    if type_ == "path":
        value = tmp_path / "made"
        (value / "deep").mkdir(parents=True)
        (value / "deep" / "ü.txt").write_text("hello")
    attempt = store.begin(A)
    attempt.save(value, "value", type_)
    inside = attempt.load("value")
    attempt.commit(identity(A), done())
    assert store.statuses([A])[A.key].artifacts[0].type_ == type_
    other = InMemoryStore()
    assert store.copy(A, other).copied == (A,)
    for back in (
        inside,
        store.get(A, "value"),
        store.get(A, "value", lazy=True).load(),
        other.get(A, "value"),
    ):
        assert_same(type_, back, value)
    assert store.verify().ok


def write(value, path):
    Path(path).write_text(json.dumps(value))


def read(path):
    return json.loads(Path(path).read_text())


def test_a_type_of_the_user_comes_back(store):
    """One that writes text to an open file, and one that wants a path."""
    store.type_registry["by file"] = TypeInfo(json.dump, json.load, "json")
    store.type_registry["by path"] = TypeInfo(write, read, "json", needs_path=True)
    attempt = store.begin(B)
    for name in ("by file", "by path"):
        attempt.save(["ü"] * 9000, name, name)
    attempt.commit(identity(B), done())
    for name in ("by file", "by path"):
        assert store.get(B, name) == ["ü"] * 9000


class Storage:
    def data_ptr(self):
        return 7


class Tensor:
    """As much of a tensor of torch as the codec looks at."""

    nbytes = 8

    def detach(self):
        return self

    contiguous = detach

    def untyped_storage(self):
        return Storage()


Tensor.__module__ = "torch"


class Library:
    """What safetensors.torch says of tensors that share memory."""

    @staticmethod
    def save(tensors, metadata):
        raise RuntimeError("Some tensors share memory, this will lead to duplicate memory on disk")

    save_file = staticmethod(lambda tensors, filename, metadata: Library.save(tensors, metadata))


@pytest.mark.parametrize("nbytes", [8, 10_000_000])
def test_tensors_that_share_memory_are_named_with_the_cure(tmp_path, monkeypatch, nbytes):
    """In one error of the store; nothing is saved."""
    monkeypatch.setattr(safetensors_codec, "_library", lambda kind: Library)
    monkeypatch.setattr(Tensor, "nbytes", nbytes)
    value = {"head": Tensor(), "tied": Tensor()}
    for store in (
        InMemoryStore(),
        LocalFileStore(tmp_path),
        open_store(f"sqlite:///{tmp_path}/x.db"),
    ):
        attempt = store.begin(A)
        with pytest.raises(StoreError, match=r"'head', 'tied' share memory.*\.clone\(\).*torch"):
            attempt.save(value, "value", "safetensors")
        assert attempt.names == ()
        attempt.abandon()
        store.close()


MEMORY = """
import sys
from pathlib import Path
import numpy as np
from stores import open_store
from stores.testing import done, identity
from stores.testing.parts import A, B

def peak(kind):
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kind)) >> 10

uri, type_, what = sys.argv[1:]
store = open_store(uri)
def save(address, value):
    attempt = store.begin(address)
    attempt.save(value if type_ in ("numpy", "joblib", "pickle") else {"x": value}, "value", type_)
    attempt.commit(identity(address), done())
save(B, np.ones(300_000))
store.get(B, "value")
if what == "save":
    array = np.arange(12_500_000, dtype=np.float64)
    before = peak("VmHWM")
    save(A, array)
    print(peak("VmHWM") - before)
else:
    before = peak("RssAnon")
    back = store.get(A, "value")
    back = back["x"] if isinstance(back, dict) else back
    print(peak("VmHWM") - before - 96)
    assert (back[0], back[-1], back.nbytes) == (0, 12_499_999, 100_000_000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("type_", ["numpy", "safetensors", "hdf5", "zarr", "joblib", "pickle"])
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_large_array_is_held_once(uri_of, kind, type_):
    """Saving and loading 100 MB takes less than half of that beside the array itself.

    A safetensors file is mapped while it is read, which the system counts until it wants it back.
    """
    uri = uri_of(kind)
    limits = {"save": 50, "load": 175 if type_ == "safetensors" else 80}
    for what, limit in limits.items():
        found = subprocess.run(
            [sys.executable, "-c", MEMORY, uri, type_, what], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        assert int(found.stdout) < limit, (what, found.stdout)
