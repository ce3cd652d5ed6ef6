"""Values to bytes and back: exact types, streams, errors that say what to do."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import io
import math
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.codec import Codec, codecs, infer
from stores.errors import StoreError, UnknownPlugin, Unpicklable

ROOT = pathlib.Path(__file__).resolve().parents[2]


def roundtrip(value, type_=None, **options):
    """The name of the codec, and what comes back."""
    name, codec = (type_, codecs.find(type_)()) if type_ else infer(value)
    return name, codec.from_bytes(codec.to_bytes(value, **options))


def same(one, other):
    """Equal with the same types all the way down; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(
            same(k, m) and same(v, w)
            for (k, v), (m, w) in zip(one.items(), other.items(), strict=True)
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


TEXTS = st.text() | st.text(st.characters(categories=("Cs", "Ll"))) | st.just("a\r\nb\r")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
ANY = st.recursive(
    SCALARS | st.binary() | st.dates() | st.builds(pathlib.Path, st.sampled_from(["a", "/", "."])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXTS | st.integers() | st.tuples(st.integers()), inner, max_size=3)
        | st.frozensets(st.integers())
        | st.sets(TEXTS)
    ),
    max_leaves=8,
)


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


class Shouting(str):
    """Derived from str."""


class Mapping(dict):
    """Derived from dict."""


@given(ANY)
def test_the_inferred_codec_gives_the_value_back(value):
    """Equal, with exact types: tuples stay tuples, int keys stay ints."""
    _, back = roundtrip(value)
    assert same(back, value)


@given(PLAIN)
def test_plain_values_are_text(value):
    """JSON, or text for a str: readable, and no code is run to load them."""
    name, back = roundtrip(value)
    assert name == ("text" if type(value) is str else "json")
    assert same(back, value)


@given(st.binary())
def test_bytes_stay_as_they_are(value):
    """In a file, too."""
    assert roundtrip(value) == ("bytes", value)
    assert codecs.find("bytes")().to_bytes(value) == value


@given(TEXTS)
def test_text_is_kept_character_by_character(value):
    """Line ends and lone surrogates included."""
    assert roundtrip(value, "text") == ("text", value)
    assert roundtrip([value], "json") == ("json", [value])


@given(st.integers(min_value=2**1990))
def test_huge_ints_come_back(value):
    """Whatever the limit for printing them is."""
    assert roundtrip(value * 10**5000) == ("pickle", value * 10**5000)
    assert roundtrip([value])[1] == [value]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"a": [1, 2.5, None, True, "x"]}, "json"),
        ({"a": (1, 2)}, "pickle"),
        ({1: 2}, "pickle"),
        ({1, 2}, "pickle"),
        (Point(1), "dataclass"),
        (Mapping(a=1), "pickle"),
        (Shouting("a"), "pickle"),
        ([Shouting("a")], "pickle"),
        ({Shouting("a"): 1}, "pickle"),
        (bytearray(b"a"), "pickle"),
        (pathlib.Path(), "pickle"),
        (datetime.date(2026, 1, 2), "pickle"),
        ("text", "text"),
        (b"bytes", "bytes"),
        (math.nan, "json"),
        (None, "json"),
    ],
)
def test_the_codec_is_inferred_from_the_exact_type(value, name):
    """Only what comes back exactly goes to the plain formats; folders are not copied unasked."""
    found, back = roundtrip(value)
    assert found == name
    assert same(back, value)


def test_circles_and_deep_values_are_no_json():
    """A list in itself comes back from a pickle, with the circle."""
    circle = [1]
    circle.append(circle)
    name, back = roundtrip(circle)
    assert (name, back[0], back[1] is back) == ("pickle", 1, True)
    deep = functools.reduce(lambda inner, _: [inner], range(100_000), [])
    try:
        assert infer(deep)[0] == "pickle"
    finally:
        while deep:
            deep = deep.pop()


def test_a_type_that_is_named_takes_what_the_format_takes():
    """As in the seed: json makes lists of tuples, with options of json."""
    assert roundtrip({"a": (1, 2), 3: 4}, "json") == ("json", {"a": [1, 2], "3": 4})
    assert codecs.find("json")().to_bytes({"b": 1, "a": "ä"}, indent=1, sort_keys=True) == (
        '{\n "a": "ä",\n "b": 1\n}'.encode()
    )
    assert roundtrip(bytearray(b"ab"), "bytes") == ("bytes", b"ab")
    with pytest.raises(TypeError, match="only a str can be saved as text"):
        roundtrip(5, "text")


@pytest.mark.parametrize(
    ("type_", "value"), [("text", "a"), ("bytes", b"a"), ("path", pathlib.Path())]
)
def test_options_that_do_not_exist_are_refused(type_, value):
    """A typo is not ignored."""
    with pytest.raises(TypeError, match=rf"'{type_}' has no options, so not indnt"):
        roundtrip(value, type_, indnt=2)


def test_json_that_fails_writes_nothing():
    """D9: half a file was left behind."""
    stream = io.BytesIO()
    with pytest.raises(TypeError):
        codecs.find("json")().dump({"a": 1, "b": {1, 2}}, stream)
    assert stream.getvalue() == b""


@pytest.mark.parametrize("type_", ["json", "pickle", "numpy", "scalar", "path"])
@pytest.mark.parametrize("data", [b"", b"garbage \xff\x00", b"{"])
def test_damaged_bytes_are_an_error_of_the_value(type_, data):
    """ValueError or EOFError, never another one."""
    if type_ in ("numpy", "scalar"):
        pytest.importorskip("numpy")
    with pytest.raises((ValueError, EOFError)):
        codecs.find(type_)().from_bytes(data)


def test_a_truncated_pickle_is_an_error_of_the_value():
    """Wherever it was cut."""
    data = pickle.dumps({"a": [Point(1), "text" * 10]}, protocol=5)
    for size in range(len(data)):
        with pytest.raises((ValueError, EOFError)):
            codecs.find("pickle")().from_bytes(data[:size])


def test_every_codec_works_on_a_file(tmp_path):
    """In the middle of a stream as well as in a file of its own."""
    for value in ({"a": 1}, "text", b"bytes", Point(3)):
        _, codec = infer(value)
        codec.dump_path(value, tmp_path / "file")
        assert codec.load_path(tmp_path / "file") == value


def test_an_unknown_type_names_the_nearest():
    """In place of a KeyError."""
    with pytest.raises(UnknownPlugin, match=r"Did you mean pickle\?"):
        codecs.find("pikle")


def test_a_codec_is_one_small_class():
    """With streams; the rest is derived."""

    class Reversed(Codec):
        def handles(self, value):
            return False

        def dump(self, value, stream, **options):
            stream.write(value[::-1])

        def load(self, stream, **options):
            return stream.read()[::-1]

    assert Reversed().to_bytes(b"abc") == b"cba"
    assert Reversed().from_bytes(b"cba") == b"abc"


# pickle


def local_class():
    """A class that only its function knows."""

    @dataclasses.dataclass
    class Local:
        x: int

    return Local


class Holder:
    def __init__(self, **parts):
        self.__dict__.update(parts)


class Stubborn:
    def __reduce__(self):
        raise RuntimeError("I stay here")


def test_functions_defined_inside_functions_are_saved_by_value():
    """With what they enclose."""
    factor = 3
    name, back = roundtrip([lambda x: factor * x])
    assert (name, back[0](5)) == ("pickle", 15)


def test_instances_of_local_classes_are_saved_with_a_warning():
    """Whoever loads them gets a class of their own."""
    with pytest.warns(UserWarning, match=r"local_class.<locals>.Local cannot be imported"):
        data = codecs.find("pickle")().to_bytes(local_class()(3))
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).x)"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout == b"3\n"


@pytest.mark.parametrize(
    ("value", "part", "kind"),
    [
        (
            Holder(model=Holder(layers=[1, {"a": threading.Lock()}])),
            ".model.layers[1]['a']",
            "lock",
        ),
        ({"gen": (i for i in ())}, "['gen']", "generator"),
        ([0, (1, Stubborn())], "[1][1]", "Stubborn"),
    ],
)
def test_what_cannot_be_pickled_is_named_with_its_path(value, part, kind):
    """With the reason and the cure."""
    with pytest.raises(Unpicklable) as caught:
        roundtrip(value)
    message = str(caught.value)
    assert f"its part {part}, a " in message
    assert kind in message.split(part)[1]
    assert "type_=" in message


def test_a_value_that_refuses_as_a_whole_is_named():
    """There is no part to blame."""
    with pytest.raises(Unpicklable, match=r"a Stubborn cannot be pickled, for it refuses \(I stay"):
        roundtrip(Stubborn())


def test_a_pickle_that_fails_takes_back_what_it_wrote():
    """What stood before it in the stream stays."""
    stream = io.BytesIO(b"before")
    stream.seek(6)
    with pytest.raises(Unpicklable):
        codecs.find("pickle")().dump(["x" * 100_000, Stubborn()], stream)
    assert stream.getvalue()[:6] == b"before"
    stream = io.BytesIO()
    codecs.find("pickle")().dump(["x" * 100_000, lambda: 7], stream)
    stream.seek(0)
    assert pickle.load(stream)[1]() == 7


def test_pickle_writes_to_streams_that_cannot_seek():
    """A pipe, say."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream:
        codecs.find("pickle")().dump([lambda: 7], stream)
    with os.fdopen(read, "rb") as stream:
        assert codecs.find("pickle")().load(stream)[0]() == 7


def test_a_full_disk_is_not_taken_for_a_refusal():
    """The error of the stream comes through, and nothing is tried twice."""

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        codecs.find("pickle")().dump([1] * 100, Full())


SCRIPT = """
import dataclasses, pathlib, sys
sys.path.insert(0, {root!r})
from stores.codec import codecs

@dataclasses.dataclass
class Model:
    size: int
    class Part: pass

def build(): return Model(7)

codec = codecs.find("pickle")()
path = pathlib.Path(__file__).with_name("value.p")
if __name__ == "__main__":
    if sys.argv[1:] == ["save"]:
        codec.dump_path([Model(3), build, Model.Part, lambda: Model(4)][:{count}], path)
    else:
        loaded = codec.load_path(path)
        print(type(loaded[0]) is Model, loaded[0] == Model(3), loaded[1] is build)
"""


def run(*arguments, cwd):
    """The output of a Python process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout + done.stderr


LOAD = "from stores.codec import codecs; from pathlib import Path; c = codecs.find('pickle')()\n"


@pytest.mark.parametrize("count", [3, 4])
def test_classes_of_a_script_are_found_again(tmp_path, count):
    """By the script itself, by other scripts, by modules; a lambda beside them changes nothing."""
    (tmp_path / "train.py").write_text(SCRIPT.format(root=str(ROOT), count=count))
    (tmp_path / "report.py").write_text(
        LOAD + "print([type(c.load_path(Path('value.p'))[0]).__module__])"
    )
    assert run("train.py", "save", cwd=tmp_path) == ""
    assert run("train.py", cwd=tmp_path) == "True True True\n"
    assert run("-m", "train", cwd=tmp_path) == "True True True\n"
    assert run("report.py", cwd=tmp_path) == "['train']\n"
    (tmp_path / "elsewhere").mkdir()
    code = f"{LOAD}c.load_path(Path('../value.p'))"
    assert "the pickle needs something that is not here (No module named 'train')" in run(
        "-P", "-c", code, cwd=tmp_path / "elsewhere"
    )


def test_a_renamed_class_is_named(tmp_path):
    """Rather than an AttributeError without a place."""
    codec = codecs.find("pickle")()
    data = codec.to_bytes(Point(1)).replace(b"Point", b"Piont")
    with pytest.raises(StoreError, match=r"needs something that is not here.*Piont"):
        codec.from_bytes(data)


def test_classes_without_a_file_are_saved_by_value_with_a_warning(tmp_path):
    """Those of `python -c` and of notebooks."""
    code = f"{LOAD}class A: x = 5\nc.dump_path(A(), Path('a.p'))"
    assert "UserWarning: A cannot be imported by others" in run("-c", code, cwd=tmp_path)
    run("-W", "ignore", "-c", code, cwd=tmp_path)
    assert run("-c", f"{LOAD}print(c.load_path(Path('a.p')).x)", cwd=tmp_path) == "5\n"


# files and folders


def test_a_file_is_copied(tmp_path):
    """Loading gives the path of the copy."""
    source, copy = tmp_path / "source.txt", tmp_path / "copy"
    source.write_text("hello")
    codec = codecs.find("path")()
    codec.dump_path(str(source), copy)
    source.write_text("changed")
    assert codec.load_path(copy).read_text() == "hello"


def test_a_folder_survives_a_stream(tmp_path):
    """With what links inside it point to."""
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a.txt").write_text("a")
    (source / "link").symlink_to(source / "inner" / "a.txt")
    name, back = roundtrip(source, "path")
    found = {
        str(each.relative_to(back)): each.read_text() for each in back.rglob("*") if each.is_file()
    }
    assert (name, found) == ("path", {"inner/a.txt": "a", "link": "a"})


def test_a_folder_is_not_copied_into_itself(tmp_path):
    """That would never end."""
    with pytest.raises(ValueError, match="cannot be copied into itself"):
        codecs.find("path")().dump_path(tmp_path, tmp_path / "a" / "copy")


def test_a_missing_file_is_told(tmp_path):
    """When saving, not when loading."""
    with pytest.raises(FileNotFoundError, match="nothing"):
        roundtrip(tmp_path / "nothing", "path")


# numpy

DTYPES = "?bBhHiIlLefdFDSU"


def test_numpy_is_not_imported_for_others():
    """Neither to infer nor to save and load plain values and objects."""
    code = (
        "import sys\nfrom stores.codec import infer\n"
        "for v in (1, 'a', b'a', [1], (1,), {1}):\n"
        "    n, c = infer(v)\n    assert c.from_bytes(c.to_bytes(v)) == v\n"
        "print([m for m in ('numpy', 'pandas', 'cloudpickle') if m in sys.modules])"
    )
    assert run("-c", code, cwd=ROOT) == "[]\n"


@pytest.mark.parametrize("code", [*DTYPES, ">f8", "M8[ns]", "m8[D]", "V3", "i4,f8", "2i4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 2)])
def test_arrays_come_back(code, shape):
    """With dtype, shape and order in memory."""
    np = pytest.importorskip("numpy")
    array = np.zeros(shape, np.dtype(code) if code not in "SU" else f"{code}5", order="F")
    name, back = roundtrip(array)
    assert name == "numpy"
    assert (type(back), back.dtype, back.shape) == (np.ndarray, array.dtype, array.shape)
    assert back.flags.f_contiguous == array.flags.f_contiguous
    assert back.tobytes() == array.tobytes()


def test_arrays_of_objects_and_derived_arrays_are_pickled():
    """A .npy file would lose them, or need a pickle inside."""
    np = pytest.importorskip("numpy")
    name, back = roundtrip(np.array([1, "a", None], dtype=object))
    assert (name, back.tolist()) == ("pickle", [1, "a", None])
    name, back = roundtrip(np.ma.array([1, 2], mask=[False, True]))
    assert (name, back.tolist()) == ("pickle", [1, None])
    aligned = np.zeros(2, np.dtype([("a", "i1"), ("b", "i8")], align=True))
    assert roundtrip(aligned)[1].dtype == aligned.dtype


@pytest.mark.parametrize("code", DTYPES.replace("S", ""))
def test_scalars_of_numpy_come_back_as_text(code):
    """A metric is readable, and keeps its dtype."""
    np = pytest.importorskip("numpy")
    for number in (0, 1, "nan" if code in "efdFD" else 1, "0.1" if code in "efdFD" else 0):
        value = np.dtype(code).type(number)
        name, back = roundtrip(value)
        assert (name, type(back), repr(back)) == ("scalar", type(value), repr(value))


def test_a_scalar_is_readable():
    """In the record, and without numpy."""
    np = pytest.importorskip("numpy")
    data = codecs.find("scalar")().to_bytes(np.float64(0.93))
    assert data == b'{"dtype": "float64", "value": 0.93}'


def test_scalars_wider_than_pythons_are_pickled():
    """Long doubles, and dates in units of their own."""
    np = pytest.importorskip("numpy")
    for value in (np.longdouble("0.1"), np.datetime64("2026-01-02", "ns"), np.bytes_(b"a\x00b")):
        name, back = roundtrip(value)
        assert (name, type(back), back) == ("pickle", type(value), value)


def test_arrays_are_mapped_into_memory(tmp_path):
    """From a file, and from a stream that is a file."""
    np = pytest.importorskip("numpy")
    path = tmp_path / "array.npy"
    codec = codecs.find("numpy")()
    codec.dump_path(np.arange(10), path)
    with path.open("rb") as stream:
        mapped = [codec.load_path(path, mmap_mode="r"), codec.load(stream, mmap_mode="r")]
    for each in mapped:
        assert (type(each), each.tolist()) == (np.memmap, list(range(10)))
    with path.open("rb") as stream:
        back = codec.from_bytes(stream.read(), mmap_mode="r")
    assert back.tolist() == list(range(10))


def test_a_large_array_is_not_doubled_in_memory(tmp_path):
    """Neither when it is saved nor when it is loaded: at most a tenth more than the array."""
    np = pytest.importorskip("numpy")
    array = np.ones(25_000_000, "f4")  # 100 MB
    codec = codecs.find("numpy")()
    tracemalloc.start()
    try:
        codec.dump_path(array, tmp_path / "a.npy")
        saving = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        back = codec.load_path(tmp_path / "a.npy")
        loading = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert saving < 0.1 * array.nbytes
    assert loading < 1.1 * array.nbytes
    assert bool((back == array).all())


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_generator_is_refused_with_what_to_give_instead(wrapped):
    """What it gives is there once only: no later reader could have it."""
    generator = (n for n in range(3))
    with pytest.raises(Unpicklable, match="used up when it is read once: give a list of its items"):
        roundtrip([generator] if wrapped else generator)
