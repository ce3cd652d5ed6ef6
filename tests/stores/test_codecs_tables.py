"""Do tables come back equal, with their exact types, and are they never unpickled?"""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import LocalFileStore
from stores.codec import codecs, infer
from stores.errors import StoreError

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
INTS = st.integers(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
COLUMNS = {
    "int64": INTS,
    "uint8": st.integers(0, 255),
    "float32": st.floats(width=32),
    "float64": st.floats(),
    "bool": st.booleans(),
    "str": WORDS | st.none(),
    "datetime64[us]": TIMES,
    "timedelta64[ns]": INTS.filter(lambda each: each != -(2**63)),
    "datetime64[ns, Europe/Berlin]": TIMES,
}


def roundtrip(value):
    """The inferred codec, and what comes back through it."""
    name, codec = infer(value)
    return name, codec.from_bytes(codec.to_bytes(value))


@st.composite
def columns(draw):
    """The columns of a pandas frame, by name."""
    count = draw(st.integers(0, 5))
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4))
    return {
        name: pd.Series(draw(st.lists(COLUMNS[kind], min_size=count, max_size=count)), dtype=kind)
        for name, kind in kinds.items()
    }


@given(columns(), st.booleans())
def test_pandas_frames_come_back(found, has_labels):
    """With types, order of the columns, and index; empty ones, too."""
    frame = pd.DataFrame(found)
    if has_labels:
        labels = [f"ä{each}" for each in range(len(frame))]
        frame.index = pd.Index(labels, dtype="str", name="label of rows")
    name, back = roundtrip(frame)
    assert name == "pandas"
    pd.testing.assert_frame_equal(back, frame, check_freq=True, check_flags=True)
    assert type(back.index) is type(frame.index)


@given(columns(), st.none() | NAMES)
def test_pandas_series_come_back(found, name):
    """With their name, or without one."""
    series = next(iter(found.values())).rename(name)
    codec, back = roundtrip(series)
    assert codec == "pandas"
    pd.testing.assert_series_equal(back, series)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 11, 3),
        pd.RangeIndex(2, name="n"),
        pd.Index([3, 1]),
        pd.Index([0.5, float("nan")], name="x"),
        pd.DatetimeIndex(["2026-01-02", "2026-01-05"], name="day"),
    ],
)
def test_the_index_of_a_frame_comes_back(index):
    """Ranges as ranges."""
    frame = pd.DataFrame({"a": [1, 2]}, index=index)
    name, back = roundtrip(frame)
    assert name == "pandas"
    pd.testing.assert_frame_equal(back, frame, check_index_type="exact")


def with_attrs():
    """A frame with a note."""
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["note"] = "hello"
    return frame


class Special(pd.DataFrame):
    """Derived from a frame."""


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": [1, "x", None]}, dtype=object),
        pd.DataFrame({1: [1]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)])),
        pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026-01-01", periods=2)),
        pd.DataFrame({"a": [1]}, index=pd.Index([1], name="a")),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
        pd.DataFrame({"a": np.array([1, 2], "f2")}),
        pd.DataFrame({"a": np.array(["2026-01-01"], "M8[s]")}),
        pd.DataFrame([[1]], columns=pd.Index(["a"], name="b")),
        with_attrs(),
        Special({"a": [1]}),
        pd.Series([1], name=3),
    ],
)
def test_pandas_values_that_parquet_changes_are_pickled(frame):
    """They come back exactly as well."""
    name, back = roundtrip(frame)
    assert (name, type(back)) == ("pickle", type(frame))
    equal = pd.testing.assert_series_equal if frame.ndim == 1 else pd.testing.assert_frame_equal
    equal(back, frame)
    assert back.attrs == frame.attrs


POLARS = {
    pl.Int64: INTS,
    pl.UInt8: st.integers(0, 255),
    pl.Float32: st.floats(width=32),
    pl.Float64: st.floats(),
    pl.String: WORDS,
    pl.Binary: st.binary(),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(),
    pl.Time: st.times(),
    pl.Datetime("ms", "Europe/Berlin"): TIMES.map(lambda each: each.replace(microsecond=0)),
    pl.Duration("us"): st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999)),
    pl.List(pl.List(pl.String)): st.lists(st.lists(WORDS, max_size=2) | st.none(), max_size=2),
}


@given(st.data())
def test_polars_frames_come_back(data):
    """With nulls, nested lists, time zones; empty ones, too."""
    names = data.draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    count = data.draw(st.integers(0, 4))
    kinds = [data.draw(st.sampled_from(list(POLARS))) for _ in names]
    frame = pl.DataFrame(
        [
            pl.Series(
                name,
                data.draw(st.lists(POLARS[kind] | st.none(), min_size=count, max_size=count)),
                dtype=kind,
                strict=False,
            )
            for name, kind in zip(names, kinds, strict=True)
        ]
    )
    codec, back = roundtrip(frame)
    assert (codec, type(back), back.schema) == ("polars", pl.DataFrame, frame.schema)
    assert back.equals(frame)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": [object()]}, schema={"a": pl.Object}).drop("a"),
        pl.DataFrame({"a": ["x"]}, schema={"a": pl.Categorical}),
        pl.DataFrame({"a": [{"b": 1}]}),
        pl.Series("a", [1]),
    ],
)
def test_other_polars_values_are_pickled(frame):
    """Categories, structures, frames without columns."""
    name, back = roundtrip(frame)
    assert (name, type(back), back.equals(frame)) == ("pickle", type(frame), True)


ARROW = {
    pa.int64(): INTS,
    pa.uint8(): st.integers(0, 255),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): WORDS,
    pa.large_string(): WORDS,
    pa.binary(): st.binary(),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): TIMES.map(lambda each: each.replace(tzinfo=datetime.UTC)),
    pa.list_(pa.string()): st.lists(WORDS | st.none(), max_size=3),
}


@given(st.data())
def test_arrow_tables_come_back(data):
    """With the metadata of the schema and of the fields."""
    names = data.draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    count = data.draw(st.integers(0, 4))
    kinds = [data.draw(st.sampled_from(list(ARROW))) for _ in names]
    values = [
        pa.array(data.draw(st.lists(ARROW[k] | st.none(), min_size=count, max_size=count)), k)
        for k in kinds
    ]
    metadata = data.draw(st.none() | st.just({"unit": "m/s"}))
    fields = [pa.field(n, k, metadata=metadata) for n, k in zip(names, kinds, strict=True)]
    table = pa.table(values, schema=pa.schema(fields, metadata=metadata))
    codec, back = roundtrip(table)
    assert (codec, type(back)) == ("arrow", pa.Table)
    assert back.equals(table, check_metadata=True)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.table({"a": pa.array([1], pa.timestamp("s"))}),
        pa.table({"a": pa.array(["x"]).dictionary_encode()}),
        pa.table([[1], [2]], names=["a", "a"]),
    ],
)
def test_other_arrow_tables_are_pickled(table):
    """Times in seconds, dictionaries, columns of one name."""
    name, back = roundtrip(table)
    assert (name, back.equals(table, check_metadata=True)) == ("pickle", True)


@pytest.mark.parametrize("type_", ["pandas", "polars", "arrow"])
@pytest.mark.parametrize("data", [b"", b"garbage \xff\x00", b"PAR1 cut PAR1"])
def test_damaged_tables_are_an_error_of_the_value(type_, data):
    """As for every codec."""
    with pytest.raises((ValueError, EOFError)):
        codecs.find(type_)().from_bytes(data)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"x": np.arange(10_000), "y": ["ä"] * 10_000}),
        pl.DataFrame({"x": range(10_000), "y": ["ä"] * 10_000}),
        pa.table({"x": list(range(10_000)), "y": ["ä"] * 10_000}),
    ],
    ids=["pandas", "polars", "arrow"],
)
def test_tables_are_files_that_a_store_loads_without_pickles(tmp_path, table):
    """Some of the columns, if wanted."""
    where = {"task_name": "T", "task_unique_config": {"T": {}}}
    store = LocalFileStore(str(tmp_path), allow_pickle=False)
    store.save(table, "table", **where)
    assert list(tmp_path.rglob("*.parquet"))
    back = store.load("table", **where)
    assert type(back) is type(table)
    assert back.equals(table)
    assert store.load("table", **where, columns=["y"]).shape == (10_000, 1)


def test_a_library_that_is_missing_is_named():
    """With the extra that brings it."""
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "from stores.codec import codecs\n"
        "from stores import StoreError\n"
        "try: codecs.find('polars')().from_bytes(b'')\n"
        "except StoreError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'flowlib-runner[polars]'" in done.stdout


def test_what_is_no_table_is_refused():
    """When saving, not when loading."""
    with pytest.raises((TypeError, StoreError)):
        codecs.find("polars")().to_bytes([1, 2])
    with pytest.raises(TypeError):
        codecs.find("pandas")().to_bytes([1, 2])
    with pytest.raises(TypeError):
        codecs.find("arrow")().to_bytes([1, 2])
