"""Equal failures are told once: by type and by the line of the user's code that raised."""

from __future__ import annotations

import json
import re

from flowlib.failure_groups import grouped, user_frames
from flowlib.failures import error_details
from stores import ErrorDetails

HEAD = "Traceback (most recent call last):"


def trace(*places: str, end: str = "ValueError: bad") -> str:
    frames = []
    for place in places:
        file, line = place.rsplit(":", 1)
        frames.append(f'  File "{file}", line {line}, in f\n    x = f()\n        ~~~^^')
    return "\n".join([HEAD, *frames, end, ""])


def failure(message: str, *places: str, type_: str = "ValueError") -> ErrorDetails:
    return ErrorDetails(type_, message, trace(*places) if places else "")


def test_failures_of_one_type_at_one_line_are_one_group():
    """Their messages may differ; the first one is shown, all members are named."""
    found = grouped(
        [
            ("Train-1", failure("lr 1", "/home/u/train.py:7")),
            ("Train-2", failure("lr 1", "/home/u/train.py:9")),
            ("Train-3", failure("lr 3", "/home/u/train.py:7")),
            ("Train-4", failure("lr 1", "/home/u/train.py:7", type_="KeyError")),
        ]
    )

    assert [(g.error.type_, g.error.message, g.place, g.members) for g in found] == [
        ("ValueError", "lr 1", "/home/u/train.py:7", ["Train-1", "Train-3"]),
        ("ValueError", "lr 1", "/home/u/train.py:9", ["Train-2"]),
        ("KeyError", "lr 1", "/home/u/train.py:7", ["Train-4"]),
    ]


def test_failures_without_a_place_are_told_apart_by_their_message():
    """Timeouts are one group, kills another."""
    slow, dead = failure("too long", type_="Timeout"), failure("SIGKILL", type_="WorkerDied")
    found = grouped([("A-1", slow), ("B-1", dead), ("A-2", slow)])

    assert [(g.members, g.place) for g in found] == [(["A-1", "A-2"], None), (["B-1"], None)]


def test_frames_of_packages_and_of_flowlib_are_not_the_users():
    """The place is the line of the user's code that called the library."""
    import flowlib

    text = trace(
        f"{flowlib.__path__[0]}/worker.py:5",
        "/home/u/train.py:3",
        "/home/u/model.py:8",
        "/venv/lib/python3.11/site-packages/torch/nn.py:99",
        "/usr/lib/python3.12/json/decoder.py:355",
        "<frozen importlib._bootstrap>:228",
    )

    assert [frame.place for frame in user_frames(text)] == [
        "/home/u/train.py:3",
        "/home/u/model.py:8",
    ]
    assert user_frames(text)[0].code == "x = f()"


def test_of_a_chain_of_exceptions_the_last_with_a_place_counts():
    """A library may raise its own error over the user's."""
    joint = "\nDuring handling of the above exception, another exception occurred:\n\n"
    users, libs = trace("/home/u/a.py:1"), trace("/v/site-packages/x.py:2")

    assert [f.place for f in user_frames(users + joint + trace("/home/u/b.py:2"))] == [
        "/home/u/b.py:2"
    ]
    assert [f.place for f in user_frames(users + joint + libs)] == ["/home/u/a.py:1"]


def test_a_message_that_looks_like_a_frame_is_none():
    """Only the lines between head and message are frames."""
    text = trace("/home/u/a.py:1", end='ValueError: see\n  File "/home/u/b.py", line 2, in g')

    assert [frame.place for frame in user_frames(text)] == ["/home/u/a.py:1"]


def test_real_exceptions_have_the_place_that_raised_them():
    """As Python writes them: plain, groups, code that does not compile."""

    def raised(call):
        try:
            call()
        except Exception as error:
            return error_details(error)

    def several():
        raise ExceptionGroup("two", [ValueError(1), KeyError(2)])

    def broken():
        compile("a b", "/home/u/broken.py", "exec")

    plain = raised(lambda: json.loads("{"))
    (found,) = grouped([("T", plain)])
    assert re.fullmatch(rf"{re.escape(__file__)}:\d+", found.place)
    assert found.frames[-1].code == 'plain = raised(lambda: json.loads("{"))'

    assert user_frames(raised(several).traceback)[-1].function == "several"
    assert user_frames(raised(broken).traceback)[-1].place == "/home/u/broken.py:1"
