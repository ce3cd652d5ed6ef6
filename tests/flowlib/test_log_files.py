"""Does a log stay below its limit, keep its ends, and keep what is written while it moves?"""

from __future__ import annotations

import os
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flowlib.log_files import LogFile
from flowlib.log_names import LogNames


def left_out(text: str) -> int:
    """What the note in a log says."""
    (number,) = re.findall(r"…\s+([\d,]+) bytes left out here", text)
    return int(number.replace(",", ""))


def test_small_log_is_left_alone(tmp_path):
    """Nothing is cut up to the limit."""
    log = LogFile(tmp_path / "a.log", limit=1000)
    log.write("x" * 1000)
    assert not log.cut()
    assert log.path.read_text() == "x" * 1000


def test_large_log_keeps_its_ends_and_says_what_is_missing(tmp_path):
    """The first half of the limit, a note, the last quarter."""
    log = LogFile(tmp_path / "a.log", limit=1000)
    log.write("a" * 500 + "b" * 5000 + "c" * 250)
    assert log.cut()
    text = log.path.read_text()
    assert text.startswith("a" * 500 + "\n…")
    assert text.endswith("…\n" + "c" * 250)
    assert left_out(text) == 5000
    assert log.size < 1000


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3000), max_size=12))
def test_every_byte_is_there_or_counted(tmp_path_factory, sizes):
    """However often it is cut; the descriptor goes on appending at the end."""
    log = LogFile(tmp_path_factory.mktemp("log") / "a.log", limit=1000)
    for size in sizes:
        log.write("x" * size)
        log.cut()
    log.write("end")
    text = log.path.read_text()
    missing = left_out(text) if "…" in text else 0
    assert missing + text.count("x") == sum(sizes)
    assert text.endswith("end")
    log.close()


def test_writing_goes_on_after_a_move(tmp_path):
    """Who has the descriptor writes into the file under its new name."""
    log = LogFile(tmp_path / "part")
    log.write("one\n")
    log.move(tmp_path / "logs" / "a.log")
    log.write("two\n")
    assert (tmp_path / "logs" / "a.log").read_text() == "one\ntwo\n"
    assert not (tmp_path / "part").exists()


def test_a_log_of_that_name_is_appended_to(tmp_path):
    """Nothing that is there is lost, and nothing that comes."""
    (tmp_path / "a.log").write_text("before\n")
    log = LogFile(tmp_path / "part")
    log.write("one\n")
    log.move(tmp_path / "a.log")
    log.write("two\n")
    assert (tmp_path / "a.log").read_text() == "before\none\ntwo\n"


def test_a_move_needs_no_links(tmp_path, monkeypatch):
    """Some file systems have none."""

    def refuse(*_, **__):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    for name, text in (("a.log", "one\n"), ("a.log", "two\n")):
        log = LogFile(tmp_path / "part")
        log.write(text)
        log.move(tmp_path / name)
        log.close()
    assert (tmp_path / "a.log").read_text() == "one\ntwo\n"


def test_text_that_is_no_unicode_is_escaped(tmp_path):
    """Half of a surrogate pair is no reason to fail."""
    log = LogFile(tmp_path / "a.log")
    log.write("a\ud800b")
    assert log.path.read_text() == "a\\ud800b"


def test_names_of_logs(tmp_path):
    """Short, with a number from the second try on; only what is there has a path."""
    names = LogNames(tmp_path)
    key, twin = "9a7a08b2" * 4, "9a7a08b2" + "0" * 24
    assert names.name("Train", key) == "logs/Train-9a7a08b2.log"
    assert names.name("Train", twin) == f"logs/Train-{twin}.log"
    assert names.name("a/b", key) == "logs/a%2Fb-9a7a08b2.log"
    names.next_try(key)
    assert names.name("Train", key) == "logs/Train-9a7a08b2.2.log"
    assert names.path("Train", key) is None
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "Train-9a7a08b2.2.log").touch()
    assert names.path("Train", key) == f"{tmp_path}/logs/Train-9a7a08b2.2.log"
    assert LogNames().name("Train", key) == ""
    assert LogNames().path("Train", key) is None
