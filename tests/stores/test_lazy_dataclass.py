"""Is a class of plain data here what `dataclasses` would make of it?"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
import threading
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, replace

import pytest

from stores import lazy_dataclass
from stores.lazy_dataclass import dataclass

OPTIONS = [
    {},
    {"slots": True},
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"slots": True, "eq": False},
    {"frozen": True, "slots": True, "repr": False},
    {"frozen": True, "slots": True, "order": True},
    {"kw_only": True},
]


def shape(decorator, **options):
    """A class with all kinds of fields, made by a decorator."""

    @decorator(**options)
    class Shape:
        """With a docstring."""

        name: str
        size: int = 3
        parts: list = field(default_factory=list)
        hidden: str = field(default="h", repr=False)
        note: str = field(default="n", compare=False)
        late: str = field(default="l", kw_only=True)
        given: int = field(init=False, default=7)
        made: dict = field(init=False, default_factory=dict)

    return Shape


def both(**options):
    return shape(dataclass, **options), shape(dataclasses.dataclass, **options)


def calls(cls):
    """What objects of the class look like, however they are made."""
    return [
        cls(name="a"),
        cls(name="a", size=4, parts=[1], hidden="x", note="y", late="z"),
    ]


@pytest.mark.parametrize("options", OPTIONS)
def test_objects_are_those_of_the_standard_library(options):
    """Values, text, equality, hash, what can be asked of the class."""
    ours, theirs = both(**options)
    for a, b in zip(calls(ours), calls(theirs), strict=True):
        assert (asdict(a), astuple(a)) == (asdict(b), astuple(b))
        if options.get("repr", True):
            assert repr(a) == repr(b)
        assert (a == copy.copy(a)) == (b == copy.copy(b))
        assert (a == replace(a, size=9)) is (b == replace(b, size=9)) is False
        assert (a == replace(a, note="other")) == (b == replace(b, note="other"))
        assert a != b
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__match_args__ == theirs.__match_args__
    assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__")
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    described = [(each.name, each.type, each.default) for each in fields(theirs)]
    assert [(each.name, each.type, each.default) for each in fields(ours)] == described


@pytest.mark.parametrize("options", [each for each in OPTIONS if "order" not in each])
def test_no_method_is_compiled_before_it_is_wanted(options, monkeypatch):
    compiled = []
    make = lazy_dataclass._new_init
    monkeypatch.setattr(
        lazy_dataclass, "_new_init", lambda *a, **k: compiled.append(1) or make(*a, **k)
    )
    ours = shape(dataclass, **options)
    before = len(compiled)
    ours(name="a"), ours(name="b")
    assert (before, len(compiled)) == (0, 1 if options != {"kw_only": True} else 0)


@pytest.mark.parametrize("slots", [True, False])
def test_a_frozen_object_refuses_to_change(slots):
    for cls in both(frozen=True, slots=slots):
        one = cls("a")
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
            one.name = "b"
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
            del one.name
        assert one.name == "a"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        shape(dataclass, frozen=True, slots=slots)("a").other = "b"


@pytest.mark.parametrize("options", [{"frozen": True, "slots": True}, {"slots": True}])
def test_wrong_arguments_are_refused_in_the_same_words(options):
    for arguments, named in [((), {}), (("a", 1, [], "h", "n", "l"), {}), (("a",), {"other": 1})]:
        said = []
        for cls in both(**options):
            with pytest.raises(TypeError) as caught:
                cls(*arguments, **named)
            said.append(str(caught.value))
        assert said[0] == said[1]


def test_each_object_has_a_default_of_its_own():
    ours = shape(dataclass, frozen=True, slots=True)
    assert ours("a").parts is not ours("b").parts
    assert ours("a").made is not ours("b").made


@dataclass(frozen=True, slots=True)
class Base:
    """What others derive from."""

    at: float


@dataclass(frozen=True, slots=True)
class Derived(Base):
    """Has a field more, and changes one when it is made."""

    name: str = "x"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.upper())


class Plain(Derived):
    """No class of plain data: may have more attributes."""


@dataclass(slots=True)
class Own:
    """Has methods of its own."""

    a: int

    def __init__(self, a: int) -> None:
        self.a = 2 * a

    def __repr__(self) -> str:
        return "own"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 5


def test_classes_derive_from_each_other():
    one = Derived(1.5, "name")
    assert (one, one.name, repr(one)) == (
        Derived(1.5, "Name"),
        "NAME",
        "Derived(at=1.5, name='NAME')",
    )
    assert Derived(1.0) != Base(1.0)
    assert hash(one) == hash(Derived(1.5, "name"))
    plain = Plain(2.0)
    plain.more = 1
    with pytest.raises(FrozenInstanceError):
        plain.at = 3.0
    with pytest.raises(FrozenInstanceError):
        del plain.at
    del plain.more
    assert (plain.at, hasattr(plain, "more")) == (2.0, False)


def test_methods_of_its_own_stay():
    one = Own(2)
    assert (one.a, repr(one), one == 3, hash(one)) == (4, "own", True, 5)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_objects_travel(protocol):
    for one in (Derived(1.5, "name"), Own(1), Base(2.0)):
        found = pickle.loads(pickle.dumps(one, protocol))
        assert (type(found), found) == (type(one), one)
        assert copy.deepcopy(one) == one


def test_a_value_in_itself_has_a_text():
    ours = shape(dataclass, frozen=True, slots=True)
    one = ours("a")
    one.parts.append(one)
    assert "parts=[...]" in repr(one)


def test_threads_make_the_first_objects_together():
    """Whoever comes first: all objects are whole."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(50):
            ours, made = shape(dataclass, frozen=True, slots=True), []
            start = threading.Barrier(4)

            def make(ours=ours, made=made, start=start):
                start.wait()
                made.append(ours("a", 4).size)

            threads = [threading.Thread(target=make) for _ in range(4)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert made == [4, 4, 4, 4]
    finally:
        sys.setswitchinterval(before)
