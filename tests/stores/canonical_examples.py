"""Values of every kind and their canonical texts, for any Python >= 3.11 without other packages.

`python tests/stores/canonical_examples.py` prints the texts and digests as JSON; with `write` it
makes golden/canonical.json anew, which is right only together with a new `canonical.VERSION`.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import json
import math
import pathlib
import re
import sys
import types
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

GOLDEN = HERE / "golden" / "canonical.json"


class Color(enum.Enum):
    """An enum."""

    RED = 1
    GREEN = "g"


class Level(enum.IntEnum):
    """An enum of ints."""

    LOW = 1


class Right(enum.Flag):
    """A set of flags."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: object = None

    class Inner:
        """A class inside."""


Pair = collections.namedtuple("Pair", "left right")


class Own:
    """A class that says what it is."""

    def __flowlib_identity__(self):
        return {"own": (1, 2)}


class Steps(list):
    """Derived from a list."""


class Loud(str):
    """Derived from str, with another text."""

    def __str__(self):
        return "LOUD"


def function(x):
    """A function."""
    return x


UTC = datetime.timezone.utc
BERLIN = datetime.timezone(datetime.timedelta(hours=1))

VALUES = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus two": -2,
    "big": 10**40,
    "640 digits": 10**639,
    "641 digits": 10**640,
    "huge": -(7**9000),
    "float one": 1.0,
    "float zero": 0.0,
    "minus zero": -0.0,
    "minus one": -1.0,
    "float minus two": -2.0,
    "tenth": 0.1,
    "tiny": 5e-324,
    "largest": sys.float_info.max,
    "1e16": 1e16,
    "1e22": 1e22,
    "nan": math.nan,
    "minus nan": -math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "empty text": "",
    "text": 'a "quoted" \\ text\n\t\x00\x7f',
    "umlauts": "äöü ß € 😀 中",
    "separators": "\u2028\u2029",
    "lone surrogate": "a\ud800",
    "pair of lone surrogates": "\ud83d\ude00",
    "dollar": "$tuple",
    "empty list": [],
    "list": [1, 1.0, True, "1", None, [1]],
    "empty tuple": (),
    "tuple": (1, (2, [3])),
    "empty dict": {},
    "dict": {"b": 1, "a": {"z": [1], "y": (2,)}, "ä": 2, "": 3},
    "dict of numbers": {2: "b", 10: "a", 1.5: "c", None: 0, True: 1},
    "dict of tuples": {(1, 2): 1, ("a",): 2},
    "dict with a tag": {"$tuple": [1, 2]},
    "dict with surrogates": {"\ud83d\ude00": 1, "😀": 2},
    "empty set": set(),
    "set": {3, 1, 2, 10},
    "mixed set": {"1", 1.5, None, (1, 2), frozenset({1})},
    "frozenset": frozenset({"b", "a"}),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"ab"),
    "complex": complex(-0.0, math.inf),
    "range": range(1, 10, 3),
    "slice": slice(None, 5),
    "path": pathlib.PurePosixPath("a/./b//c"),
    "pattern": re.compile(r"a+", re.IGNORECASE),
    "enum": Color.RED,
    "enum of text": Color.GREEN,
    "int enum": Level.LOW,
    "flags": Right.READ | Right.WRITE,
    "no flag": Right(0),
    "datetime": datetime.datetime(2026, 11, 21, 4, 5, 6, 7),
    "datetime in utc": datetime.datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC),
    "datetime in berlin": datetime.datetime(2026, 11, 21, 5, 5, 6, tzinfo=BERLIN),
    "datetime in the second hour": datetime.datetime(2026, 10, 25, 2, 5, fold=1),
    "date": datetime.date(2026, 11, 21),
    "time": datetime.time(4, 5),
    "timedelta": datetime.timedelta(days=-1, microseconds=3),
    "decimal": decimal.Decimal("1.10"),
    "fraction": fractions.Fraction(-2, 6),
    "uuid": uuid.UUID(int=5),
    "dataclass": Point(1, [Point(2)]),
    "namedtuple": Pair(1, "a"),
    "own identity": Own(),
    "ordered dict": collections.OrderedDict(b=1, a=2),
    "counter": collections.Counter("aaab"),
    "mapping proxy": types.MappingProxyType({"a": 1}),
    "derived list": Steps([1, 2]),
    "derived str": Loud("quiet"),
    "derived str as key": {Loud("quiet"): 1},
    "function": function,
    "class": Point,
    "class inside": Point.Inner,
    "built-in class": int,
    "class of the library": pathlib.Path,
    "built-in function": len,
    "function of math": math.sin,
    "partial": functools.partial(function, 1, x=(2,)),
}


def texts() -> dict[str, list[str]]:
    """The text and the digest of each value."""
    from stores.canonical import digest, encode

    found = {name: encode(value) for name, value in VALUES.items()}
    return {name: [text, digest(text)] for name, text in found.items()}


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        GOLDEN.write_text(json.dumps(texts(), indent=1, sort_keys=True) + "\n")
    else:
        print(json.dumps(texts()))
