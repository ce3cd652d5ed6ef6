"""Do named arrays come back from safetensors, HDF5 and zarr files, without pickles?"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import LocalFileStore
from stores.codec import codecs, infer
from stores.errors import ArtifactDamaged

np = pytest.importorskip("numpy")
arrays = pytest.importorskip("hypothesis.extra.numpy")
for each in ("safetensors", "h5py", "zarr"):
    pytest.importorskip(each)

NAMES = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN_NAMES = st.text(st.sampled_from("abcä 語0"), min_size=1).filter(lambda each: each.strip())
DTYPES = st.sampled_from("? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split())
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = arrays.arrays(DTYPES, SHAPES)


def assert_same(back, value):
    """Equal down to the type and the order of names."""
    assert list(back) == list(value)
    for name, each in value.items():
        if isinstance(each, dict):
            assert_same(back[name], each)
        else:
            assert (type(back[name]), back[name].dtype) == (np.ndarray, each.dtype)
            np.testing.assert_array_equal(back[name], each, strict=True)


@given(st.dictionaries(NAMES.filter(lambda n: n != "__metadata__"), ARRAYS, min_size=1, max_size=4))
def test_dicts_of_arrays_come_back_from_safetensors(value):
    """In their order, with shapes, types and NaN; they can be changed."""
    name, codec = infer(value)
    back = codec.from_bytes(codec.to_bytes(value))
    assert name == "safetensors"
    assert_same(back, value)
    assert all(each.flags.writeable for each in back.values())


def test_transposed_and_strided_arrays_come_back(tmp_path):
    """The library alone would write the memory as it lies there."""
    array = np.arange(12).reshape(3, 4)
    value = {"t": array.T, "s": array[::2, ::-1], "f": np.asfortranarray(array)}
    codec = codecs.find("safetensors")()
    assert_same(codec.from_bytes(codec.to_bytes(value)), value)
    codec.dump_path(value, tmp_path / "file")
    assert_same(codec.load_path(tmp_path / "file"), value)


@pytest.mark.parametrize(
    "value",
    [
        {"a": np.array([1j])},
        {"a": np.array(["x"])},
        {"a": np.array([1], ">i4")},
        {"a": np.array([1]), "b": 2},
        {1: np.array([1])},
        {"__metadata__": np.array([1])},
        {"a": {"b": np.array([1])}},
    ],
)
def test_other_dicts_are_pickled(value):
    """Complex numbers, text, numbers beside arrays."""
    assert infer(value)[0] == "pickle"


@pytest.mark.parametrize("type_", ["safetensors", "hdf5", "zarr"])
@pytest.mark.parametrize("data", [b"", b"garbage \xff\x00", b"\x02" + b"\x00" * 7 + b"{}12"])
def test_damaged_files_are_an_error_of_the_value(type_, data, tmp_path):
    """In streams as in files."""
    if type_ == "safetensors" and data.endswith(b"12"):
        data = data[:-3]
    (tmp_path / "file").write_bytes(data)
    with pytest.raises((ValueError, EOFError, OSError)):
        codecs.find(type_)().from_bytes(data)
    with pytest.raises((ValueError, EOFError, OSError)):
        codecs.find(type_)().load_path(tmp_path / "file")


@pytest.mark.parametrize("type_", ["hdf5", "zarr"])
@settings(deadline=None)  # files are slow on a busy disk
@given(
    value=st.dictionaries(
        PLAIN_NAMES, ARRAYS | st.dictionaries(PLAIN_NAMES, ARRAYS, max_size=2), max_size=3
    )
)
def test_groups_of_arrays_come_back(type_, value):
    """Nested ones, and empty ones."""
    codec = codecs.find(type_)()
    assert_same(codec.from_bytes(codec.to_bytes(value)), value)


@pytest.mark.parametrize("type_", ["hdf5", "zarr"])
@pytest.mark.parametrize("value", [{"a/b": np.array(1)}, {1: np.array(1)}, {"": np.array(1)}, [1]])
def test_names_that_groups_cannot_have_are_refused(type_, value):
    """A slash would make a group."""
    with pytest.raises((TypeError, ValueError)):
        codecs.find(type_)().to_bytes(value)


@pytest.mark.parametrize("type_", ["safetensors", "hdf5", "zarr"])
def test_arrays_are_files_that_a_store_loads_without_pickles(tmp_path, type_):
    """Damage is told as such."""
    where = {"task_name": "T", "task_unique_config": {"T": {}}}
    store = LocalFileStore(str(tmp_path), allow_pickle=False)
    value = {"b": np.arange(10_000.0), "a": np.ones((2, 3), "i2")}
    store.save(value, "arrays", type_, **where)
    assert_same(store.load("arrays", **where), value)
    (path,) = tmp_path.rglob(f"*.{codecs.find(type_).extension}")
    path.write_bytes(b"\x00" * path.stat().st_size)
    with pytest.raises(ArtifactDamaged):
        store.load("arrays", **where)
