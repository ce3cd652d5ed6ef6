"""The one text of a value: injective, stable, and refused with path and cure where there is none."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import itertools
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import threading
import types
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.canonical import Opaque, decode, digest, encode, qualified_name
from stores.errors import Unencodable

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE / "canonical_examples.py"
GOLDEN = json.loads((HERE / "golden" / "canonical.json").read_text())

SAME_TEXT = [
    {"nan", "minus nan"},  # any NaN is one
]


def examples(*options, **environment):
    """What the examples print in a process of its own."""
    done = subprocess.run(
        [sys.executable, *options, str(EXAMPLES)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return json.loads(done.stdout)


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass(frozen=True)
class Point:
    x: object
    y: object = None


@dataclasses.dataclass(frozen=True)
class Unset:
    x: int = dataclasses.field(init=False)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=("Cs", "Lu")))
    | st.sampled_from(["$tuple", "$", "$dict", "a", "b"])
    | st.binary()
    | st.complex_numbers()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.builds(range, st.integers(0, 5), st.integers(0, 5), st.integers(1, 3))
    | st.builds(pathlib.PurePosixPath, st.text(st.sampled_from("ab./")))
)
HASHABLES = st.recursive(
    SCALARS,
    lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
VALUES = st.recursive(
    SCALARS | HASHABLES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.sampled_from(["$tuple", "$list"]), inner, max_size=4)
        | st.dictionaries(HASHABLES, inner, max_size=3)
        | st.sets(HASHABLES, max_size=3)
    ),
    max_leaves=12,
)


def shape(value):
    """A value as nested tuples that are equal only where type and content are the same."""
    kind = type(value)
    if kind in (list, tuple):
        return kind.__name__, tuple(map(shape, value))
    if kind in (set, frozenset):
        return kind.__name__, tuple(sorted(map(repr, map(shape, value))))
    if kind is dict:
        items = ((repr(shape(key)), shape(item)) for key, item in value.items())
        return "dict", tuple(sorted(items, key=repr))
    if kind in (float, complex):
        return kind.__name__, repr(value)
    return kind.__name__, repr(value)


def test_texts_and_digests_are_those_of_the_golden_file():
    """Whatever the hash seed, on every Python: they change only with VERSION."""
    assert {seed: examples(PYTHONHASHSEED=seed) == GOLDEN for seed in "012"} == dict.fromkeys(
        "012", True
    )


def test_texts_do_not_depend_on_how_python_is_started():
    """Neither on `-O`, nor on the longest int that may be printed, nor on the locale."""
    assert examples("-OO") == GOLDEN
    assert examples("-X", "int_max_str_digits=640") == GOLDEN
    assert examples("-X", "int_max_str_digits=0", "-X", "utf8=0", LC_ALL="C") == GOLDEN


def test_the_golden_texts_differ():
    """But for the values that count as one."""
    texts = {}
    for name, (text, _) in GOLDEN.items():
        texts.setdefault(text, set()).add(name)
    assert [names for names in texts.values() if len(names) > 1] == SAME_TEXT


def test_the_golden_texts_are_compact_sorted_json():
    """Reading a text as JSON and writing it again gives the same text."""
    for text, code in GOLDEN.values():
        again = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        assert (again, digest(text)) == (text, code)


def test_a_decoded_golden_text_has_the_same_text():
    """Built-in types come back, others as opaque values of the same text."""
    for text, _ in GOLDEN.values():
        assert encode(decode(text)) == text


@given(VALUES)
def test_built_in_values_come_back_as_they_were(value):
    """With exact types, all the way down."""
    text = encode(value)
    assert shape(decode(text)) == shape(_with_paths(value))
    assert encode(decode(text)) == text


@given(VALUES, VALUES)
def test_two_values_have_one_text_only_if_they_are_the_same(one, other):
    """Same type and same content, all the way down."""
    assert (encode(one) == encode(other)) == (shape(one) == shape(other))


@given(VALUES)
def test_a_text_is_compact_sorted_ascii_json(value):
    """So that a record can hold it as nested JSON and give the same text again."""
    text = encode(value)
    assert text.isascii()
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text


@given(st.dictionaries(st.text() | st.integers(), st.integers()), st.randoms())
def test_the_order_of_items_does_not_matter(items, random):
    """Of dicts and of sets."""
    pairs = list(items.items())
    random.shuffle(pairs)
    assert encode(dict(pairs)) == encode(items)
    assert encode(set(pairs)) == encode(set(items.items()))


def test_numbers_of_different_types_and_signs_differ():
    """Six numbers that Python finds equal, or nearly; two that hash alike."""
    values = [1, 1.0, True, "1", 0, 0.0, -0.0, False, -1.0, -2.0, -1, -2, 1 + 0j]
    assert len({encode(value) for value in values}) == len(values)


def test_containers_of_different_types_differ():
    """Even empty ones, and dicts that look like a tag."""
    values = [[], (), set(), frozenset(), {}, "", b"", bytearray(), None, [[]], ((),), [()]]
    values += [{"$tuple": []}, {"$dict": []}, {"$set": []}, {"tuple": []}, {1: 2}, {"1": 2}]
    assert len({encode(value) for value in values}) == len(values)


def test_any_nan_is_one_value():
    """However it came about."""
    nans = [math.nan, -math.nan, float("nan"), math.inf - math.inf]
    assert {encode(each) for each in nans} == {'{"$float":"nan"}'}


def test_nan_keys_are_all_kept():
    """A dict may have several."""
    assert encode({float("nan"): 1, float("nan"): 2}) == (
        '{"$dict":[[{"$float":"nan"},1],[{"$float":"nan"},2]]}'
    )


def test_half_surrogates_are_not_joined():
    """JSON would read two halves as one character."""
    assert encode("\ud83d\ude00") != encode("\U0001f600")
    assert encode({"\ud83d\ude00": 1}) != encode({"\U0001f600": 1})
    assert decode(encode("\ud83d\ude00")) == "\ud83d\ude00"


def test_dataclasses_of_one_name_and_two_modules_differ():
    """The module is a part of the name."""
    other = dataclasses.make_dataclass("Point", ["x", "y"])
    other.__module__ = "elsewhere"
    text = encode(other(1, 2))
    assert text == '{"$dataclass":["elsewhere:Point",{"x":1,"y":2}]}'
    assert encode(Point(1, 2)) == text.replace("elsewhere", __name__)


def test_a_dataclass_without_some_of_its_fields_is_encoded():
    """A field that is set later is none yet."""
    assert encode(Unset()) == f'{{"$dataclass":["{__name__}:Unset",{{}}]}}'


def test_subclasses_count_as_their_base():
    """What they print themselves as does not matter."""

    class Text(str):
        def __str__(self):
            return "other"

        __repr__ = __str__

    class Number(int):
        def __repr__(self):
            return "other"

    class Real(float):
        def __repr__(self):
            return "other"

    class Items(dict):
        def __repr__(self):
            return "other"

    values = Items(a=[Text("x"), Number(1), Real(2.5)])
    assert encode(values) == encode({"a": ["x", 1, 2.5]})
    assert encode({Text("b"): 1, "a": 2}) == encode({"b": 1, "a": 2})
    assert encode(types.MappingProxyType({"a": 1})) == encode({"a": 1})


def test_a_class_may_say_what_identifies_it():
    """The class is part of it."""

    class Model:
        def __init__(self, size, cache):
            self.size, self.cache = size, cache

        def __flowlib_identity__(self):
            return {"size": self.size}

    assert encode(Model(3, object())) == encode(Model(3, None))
    assert encode(Model(3, None)) != encode(Model(4, None))
    assert encode(Model(3, None)) != encode({"size": 3})


def test_pydantic_models_are_known_by_class_and_fields():
    """Extra fields count, too."""
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        model_config = {"extra": "allow"}
        x: int
        y: tuple[int, ...] = ()

    text = encode(Model(x=1))
    assert json.loads(text)["$pydantic"][1] == {"x": 1, "y": {"$tuple": []}}
    assert encode(Model(x=1, z=2)) != text
    assert encode(decode(text)) == text


def test_attrs_classes_are_known_by_class_and_fields():
    """What `attrs` defines is enough: the package need not be imported."""

    class Attribute:
        def __init__(self, name):
            self.name = name

    class Model:
        __attrs_attrs__ = (Attribute("x"),)
        x = 1

    assert json.loads(encode(Model()))["$attrs"][1] == {"x": 1}


def test_functions_and_classes_are_known_by_name():
    """Those of modules, built in or not; methods of classes by both names."""
    assert encode(len) == '{"$function":"builtins:len"}'
    assert encode(json.dumps) == '{"$function":"json:dumps"}'
    assert encode(datetime.date) == '{"$type":"datetime:date"}'
    assert encode(shape) == f'{{"$function":"{qualified_name(shape)}"}}'
    assert json.loads(encode(datetime.datetime.now().date().__class__)) == {
        "$type": "datetime:date"
    }
    assert encode(cached) == f'{{"$function":"{__name__}:cached"}}'
    assert encode(functools.partial(len, x=1)) != encode(functools.partial(len, x=2))


@functools.lru_cache
def cached():
    """A function in a wrapper that is no function."""


class Base:
    @classmethod
    def make(cls):
        return cls()

    def method(self):
        return None


class Derived(Base):
    pass


def test_methods_of_classes_are_told_apart():
    """An inherited one belongs to the class it is taken from; one of an instance is refused."""
    assert encode(Base.make) != encode(Derived.make)
    with pytest.raises(Unencodable, match="method"):
        encode(Base().method)


def local_function():
    """A function that another process cannot find."""

    def inner():
        return None

    return inner


class Locked:
    def __init__(self):
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda: 1, r"<lambda>.*give it a name.*additional_kwargs"),
        (local_function(), r"<locals>\.inner.*give it a name.*additional_kwargs"),
        (functools.partial(lambda: 1), r"\[0\] is <lambda>"),
        (object(), r"type object.*__flowlib_identity__.*additional_kwargs"),
        (Locked(), r"type Locked.*__flowlib_identity__"),
        (threading.Lock(), "lock"),
        (iter([1]), r"iterator \(list_iterator\).*a list or a tuple"),
        (map(len, []), r"iterator \(map\)"),
        (memoryview(b"a"), "memoryview"),
        (sys, "module"),
    ],
)
def test_what_has_no_text_is_refused_with_the_path_and_the_cure(value, message):
    """At the top, in dicts, lists, sets of keys and fields."""
    with pytest.raises(Unencodable, match=f"^the value.*{message}|^\\[0\\].*{message[-9:]}"):
        encode(value)
    with pytest.raises(Unencodable, match=r"^config\.opt\[1\]\.x"):
        encode({"opt": [0, Point(value)]}, "config")
    with pytest.raises(Unencodable, match=r"^opt\[1\]\[5\]"):
        encode({"opt": ({}, {5: value})})


def test_generators_are_not_consumed():
    """Refused before anything is taken from them."""
    numbers = (each for each in (1, 2, 3))
    with pytest.raises(Unencodable, match="generator"):
        encode({"data": numbers})
    assert list(numbers) == [1, 2, 3]


def test_values_are_not_changed():
    """Nor are the dicts and lists that are walked."""
    value = {"b": [3, 1], "a": {2, 1}}
    encode(value)
    assert list(value) == ["b", "a"]
    assert value == {"b": [3, 1], "a": {2, 1}}


def circles():
    """Values that contain themselves, with the path where they do."""
    items = [1]
    items.append(items)
    mapping = {"a": {"b": {}}}
    mapping["a"]["b"]["c"] = mapping["a"]
    point = Point([])
    point.x.append((point,))
    return [(items, "[1]"), (mapping, "a.b.c"), (point, "x[0][0]"), ([0, mapping], "[1].a.b.c")]


@pytest.mark.parametrize(("value", "path"), circles())
def test_circles_are_refused_with_the_path(value, path):
    """Not by a RecursionError."""
    with pytest.raises(Unencodable, match=f"^{re.escape(path)} contains itself"):
        encode(value)


def test_shared_parts_are_no_circles():
    """A list that stands in two places is written twice."""
    part = [1]
    assert encode([part, part, {"a": part}]) == '[[1],[1],{"a":[1]}]'


def test_very_deep_values_are_refused():
    """Nobody could read their text."""
    value = functools.reduce(lambda inner, _: [inner], range(20_000), [])
    try:
        with pytest.raises(Unencodable, match="nested too deeply"):
            encode(value)
    finally:
        while value:  # freed from outside to inside, which needs no deep stack
            value = value.pop()


def test_names_of_a_script_begin_with_its_stem():
    """Under any name that multiprocessing gives it; without a file they begin with `__main__`."""
    assert GOLDEN["class"][0] == '{"$type":"canonical_examples:Point"}'
    code = "class A: pass\nfrom stores.canonical import encode\nprint(encode(A))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parents[1],
    )
    assert done.stdout == '{"$type":"__main__:A"}\n'


def test_opaque_values_are_hashable_and_equal_by_content():
    """They may stand in sets and as keys, where the values they stand for stood."""
    text = encode({Point(1): {Color.RED, Point((1, 2))}})
    decoded = decode(text)
    ((key, members),) = decoded.items()
    assert key == Opaque("dataclass", [f"{__name__}:Point", {"x": 1, "y": None}])
    assert Opaque("enum", [f"{__name__}:Color", "RED"]) in members
    assert encode(decoded) == text


def test_a_tag_that_is_unknown_or_damaged_stays_opaque():
    """A text of a later version can still be read."""
    assert decode('{"$later":[1]}') == Opaque("later", [1])
    assert decode('{"$uuid":"nonsense"}') == Opaque("uuid", "nonsense")
    assert encode(decode('{"$uuid":"nonsense"}')) == '{"$uuid":"nonsense"}'


def test_decoding_gives_values_of_the_standard_library():
    """The ones that have a tag of their own."""
    value = {
        "path": pathlib.Path("a/b"),
        "time": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
        "delta": datetime.timedelta(1, 2, 3),
        "decimal": decimal.Decimal("1.10"),
        "uuid": uuid.UUID(int=3),
        "pattern": re.compile(b"a", re.DOTALL),
        "big": 10**5000,
    }
    assert decode(encode(value)) == value


def _with_paths(value):
    """A value with pure paths as the paths that come back."""
    if isinstance(value, pathlib.PurePath):
        return pathlib.Path(value)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(_with_paths, value))
    if type(value) is dict:
        return {_with_paths(key): _with_paths(item) for key, item in value.items()}
    return value


def arrays(np):
    """Arrays and scalars of numpy that differ, each with its name."""
    base = np.arange(6, dtype="f8")
    return {
        "f8": base,
        "f4": base.astype("f4"),
        "i8": base.astype("i8"),
        "M8": base.astype("M8[s]"),
        "M8 days": base.astype("M8[D]"),
        "square": base.reshape(2, 3),
        "square transposed": base.reshape(3, 2),
        "minus zero": -0.0 * base,
        "zeros": 0 * base,
        "bool": np.zeros(6, "?"),
        "u1": np.zeros(6, "u1"),
        "text": np.array(["a", "b"]),
        "long text": np.array(["a", "b"], "U9"),
        "empty": np.zeros((0, 3)),
        "empty other": np.zeros((3, 0)),
        "no dimension": np.array(1.5),
        "one": np.array([1.5]),
        "records": np.zeros(2, [("a", "i4"), ("b", "f8")]),
        "records other names": np.zeros(2, [("a", "i4"), ("c", "f8")]),
        "complex": np.array([1j, complex(0, 2)]),
        "raw": np.zeros(2, "V3"),
        "longdouble": np.arange(3, dtype=np.longdouble),
        "5 ns": np.timedelta64(5, "ns"),
        "5 years": np.timedelta64(5, "Y"),
        "a day": np.datetime64("2026-01-01"),
        "five": 5,
        "dtype": np.dtype("f4"),
        "dtype f8": np.dtype("f8"),
        "sin": np.sin,
        "mean": np.mean,
        "float32 class": np.float32,
    }


def test_arrays_are_known_by_dtype_shape_and_content():
    """All of these differ, and have the same text again after decoding."""
    np = pytest.importorskip("numpy")
    texts = {name: encode(value) for name, value in arrays(np).items()}
    assert [a for a, b in itertools.combinations(texts, 2) if texts[a] == texts[b]] == []
    assert {name: encode(decode(text)) for name, text in texts.items()} == texts
    assert texts["f8"] == '{"$ndarray":["<f8",[6],"3d91e4af8cb16544b719e24d6c5f0bd8"]}'


def test_arrays_with_the_same_content_have_one_text():
    """Whatever their order in memory, byte order, sign of NaN or padding."""
    np = pytest.importorskip("numpy")
    base = np.arange(6.0).reshape(2, 3)
    same = [base, np.asfortranarray(base), base.astype(">f8"), base[:, ::-1][:, ::-1]]
    assert len(set(map(encode, same))) == 1
    nans = [np.array([math.nan, 1]), np.array([-math.nan, 1])]
    assert len(set(map(encode, nans))) == 1
    padded = np.dtype([("a", "i1"), ("b", "i8")], align=True)
    one, other = np.empty(2, padded), np.empty(2, padded)
    one.view("u1")[:] = 255
    other.view("u1")[:] = 0
    for each in (one, other):
        each["a"], each["b"] = 1, 2
    assert encode(one) == encode(other)


def test_scalars_of_numpy_count_as_pythons():
    """Also as keys."""
    np = pytest.importorskip("numpy")
    pairs = [
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.bytes_(b"a"), b"a"),
        (np.complex64(1j), 1j),
        ({np.str_("a"): np.int64(1)}, {"a": 1}),
    ]
    assert [encode(one) for one, _ in pairs] == [encode(other) for _, other in pairs]


def test_arrays_that_hold_more_than_bytes_are_refused():
    """Python objects, masks."""
    np = pytest.importorskip("numpy")
    with pytest.raises(Unencodable, match=r"^opt\.a is an array of Python objects"):
        encode({"opt": {"a": np.array([object()])}})
    with pytest.raises(Unencodable, match="MaskedArray"):
        encode(np.ma.array([1, 2], mask=[0, 1]))


class Nanoseconds(datetime.datetime):
    """Like a Timestamp of pandas: a datetime that holds more."""

    def isoformat(self):
        return super().isoformat() + ".000000001"


class Nothing(datetime.datetime):
    """Like NaT of pandas."""

    def isoformat(self):
        return "NaT"


class Moment(datetime.datetime):
    """A class of its own that holds no more than a datetime."""


class Weeks(datetime.timedelta):
    """Like a Timedelta of pandas, which may hold more."""


def test_times_of_other_packages_count_as_pythons_where_nothing_is_lost():
    """Others are refused: nanoseconds, no time at all, kinds of durations."""
    assert encode(Moment(2026, 1, 2, 3)) == encode(datetime.datetime(2026, 1, 2, 3))
    for value in (Nanoseconds(2026, 1, 2), Nothing(2026, 1, 2), Weeks(1)):
        with pytest.raises(Unencodable, match=type(value).__name__):
            encode(value)
