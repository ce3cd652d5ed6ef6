"""Do files for people and other programs hold what was saved, and what comes back?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import LocalFileStore
from stores.codec import codecs, infer
from stores.errors import PickleRefused, StoreError

np = pytest.importorskip("numpy")
arrays = pytest.importorskip("hypothesis.extra.numpy")
Document = pytest.importorskip("bokeh.document").Document
figure = pytest.importorskip("bokeh.plotting").figure
# matplotlib starts "fc-list" when it is imported for the first time.
Figure = pytest.importorskip("matplotlib.figure").Figure
Image = pytest.importorskip("PIL.Image")
pytest.importorskip("joblib")

WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85\ufeff")
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
WHERE = {"task_name": "T", "task_unique_config": {"T": {}}}


def roundtrip(value, type_, **options):
    """What comes back."""
    codec = codecs.find(type_)()
    return codec.from_bytes(codec.to_bytes(value, **options))


@given(PLAIN)
def test_plain_values_come_back_from_yaml(value):
    """Equal, with their types and the order of names."""
    back = roundtrip(value, "yaml")
    assert repr(back) == repr(value)


def test_yaml_is_for_people():
    """In the order given, unicode as it is, a line for each name."""
    codec = codecs.find("yaml")()
    assert codec.to_bytes({"b": 1, "a": ["ä", None]}).decode() == "b: 1\na:\n- ä\n- null\n"


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getpid []", "a: [", "{"])
def test_yaml_that_is_none_or_names_code_is_refused(text):
    """As damaged."""
    with pytest.raises(ValueError, match="it is no YAML"):
        codecs.find("yaml")().from_text(text)


def test_objects_are_no_yaml():
    """When saving."""
    with pytest.raises(TypeError):
        roundtrip({"a": object()}, "yaml")


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "ä b": CELLS}), max_size=4))
def test_dicts_of_text_come_back_from_csv(rows):
    """With line ends and quotes in cells."""
    assert roundtrip(rows, "csv") == rows


def test_cells_of_csv_come_back_as_text():
    """A CSV file knows no numbers; gaps and None are empty."""
    rows = [{"n": 1, "x": 0.5}, {"n": None, "y": True}]
    assert roundtrip(rows, "csv") == [
        {"n": "1", "x": "0.5", "y": ""},
        {"n": "", "x": "", "y": "True"},
    ]
    codec = codecs.find("csv")()
    data = codec.to_bytes([["n", "x"], (1, 2)], delimiter=";")
    assert data == b"n;x\r\n1;2\r\n"
    assert codec.from_bytes(data, rows=True, delimiter=";") == [["n", "x"], ["1", "2"]]


@pytest.mark.parametrize("value", [["ab"], [1], [{"a": 1}, [2]]])
def test_what_has_no_rows_is_no_csv(value):
    """When saving."""
    with pytest.raises(TypeError):
        roundtrip(value, "csv")


def test_joblib_loads_and_maps_arrays(tmp_path):
    """Refused where pickles are."""
    value = {"a": np.arange(10_000), "b": (1, None, "ä")}
    back = roundtrip(value, "joblib", compress=3)
    np.testing.assert_array_equal(back["a"], value["a"])
    assert back["b"] == value["b"]
    LocalFileStore(str(tmp_path)).save(value, "v", "joblib", **WHERE)
    mapped = LocalFileStore(str(tmp_path)).load("v", **WHERE, mmap_mode="r")
    assert isinstance(mapped["a"], np.memmap)
    with pytest.raises(PickleRefused):
        LocalFileStore(str(tmp_path), allow_pickle=False).load("v", **WHERE)


@given(st.sampled_from([("L", ()), ("LA", (2,)), ("RGB", (3,)), ("RGBA", (4,))]), st.data())
def test_images_come_back(kind, data):
    """Pixel by pixel, those that cannot be seen included."""
    mode, depth = kind
    shape = (*data.draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=5)), *depth)
    image = Image.fromarray(data.draw(arrays.arrays("u1", shape)), mode)
    name, codec = infer(image)
    back = codec.from_bytes(codec.to_bytes(image))
    assert (name, type(back)) == ("image", Image.Image)
    assert back == image


def test_bitmaps_come_back_and_other_images_are_pickled():
    """Those with a palette or notes, say."""
    bitmap = Image.new("1", (3, 2), 1)
    assert infer(bitmap)[0] == "image"
    assert roundtrip(bitmap, "image") == bitmap
    noted = Image.new("RGB", (1, 1))
    noted.info["dpi"] = (72, 72)
    for image in (noted, Image.new("P", (2, 2)), Image.new("F", (2, 2)), Image.new("L", (0, 0))):
        assert infer(image)[0] == "pickle"


def test_arrays_can_be_kept_as_images():
    """They come back as arrays."""
    array = np.arange(24, dtype="u1").reshape(2, 4, 3)
    back = roundtrip(array, "image")
    assert (type(back), back.dtype) == (np.ndarray, array.dtype)
    np.testing.assert_array_equal(back, array)


def test_figures_become_pictures_on_request():
    """Without a type they stay figures."""
    drawn = Figure(figsize=(2, 1))
    drawn.subplots().plot([1, 2])
    back = roundtrip(drawn, "matplotlib", dpi=50)
    assert (type(back), back.size) == (Image.Image, (100, 50))
    name, codec = infer(drawn)
    assert (name, type(codec.from_bytes(codec.to_bytes(drawn)))) == ("pickle", Figure)


def test_plots_of_bokeh_come_back():
    """A plot as a plot, a document as a document."""
    plot = figure(title="ä")
    plot.line([1, 2], [3, 4])
    back = roundtrip(plot, "bokeh")
    assert (type(back), back.title.text) == (type(plot), "ä")
    assert back.renderers[0].data_source.data == {"x": [1, 2], "y": [3, 4]}
    assert plot.document is back.document is None
    document = Document(title="all")
    document.add_root(plot)
    found = roundtrip(document, "bokeh")
    assert (type(found), found.title, len(found.roots)) == (Document, "all", 1)
    with pytest.raises(ValueError, match="belongs to a document"):
        roundtrip(plot, "bokeh")


@pytest.mark.parametrize("type_", ["image", "matplotlib", "bokeh", "joblib"])
@pytest.mark.parametrize("data", [b"", b"garbage \xff\x00", b"{}"])
def test_damaged_files_are_an_error_of_the_value(type_, data):
    """As for every codec."""
    with pytest.raises((ValueError, EOFError)):
        codecs.find(type_)().from_bytes(data)


@pytest.mark.parametrize("type_", ["matplotlib", "bokeh", "image"])
def test_what_is_no_picture_is_refused(tmp_path, type_):
    """With the name of the artifact."""
    with pytest.raises((StoreError, AttributeError)):
        LocalFileStore(str(tmp_path)).save("text", "v", type_, **WHERE)
