"""Does the driver get every message of a worker, whole and in order, whatever its size?"""

from __future__ import annotations

import struct
import threading
from multiprocessing import Pipe

import pytest

from flowlib.frames import FrameReader


@pytest.fixture(name="ends")
def _ends():
    """A reader, and the end that is written to."""
    ours, theirs = Pipe()
    reader = FrameReader(ours.fileno())
    yield reader, theirs
    reader.close()
    ours.close()
    theirs.close()


def test_messages_of_all_sizes(ends):
    """Also those that `Connection` sends in two parts, and an empty one."""
    reader, theirs = ends
    sent = [b"", b"a", b"b" * 16_000, b"c" * 20_000]
    for each in sent:
        theirs.send_bytes(each)
    assert reader.read() == sent
    assert reader.read() == []


def test_a_message_in_parts_arrives_when_it_is_whole(ends):
    """Cut at every place, its size included."""
    reader, theirs = ends
    import os

    data = struct.pack("!i", 5) + b"hello" + struct.pack("!iQ", -1, 3) + b"you"
    found = []
    for byte in data:
        os.write(theirs.fileno(), bytes([byte]))
        found.append(reader.read())
    assert [each for each in found if each] == [[b"hello"], [b"you"]]
    assert (found.index([b"hello"]), found.index([b"you"])) == (8, len(data) - 1)


def test_more_than_a_socket_holds(ends):
    """The reader never waits; in the end all is there."""
    reader, theirs = ends
    sent = [bytes([n]) * 3_000_000 for n in range(5)]
    thread = threading.Thread(target=lambda: [theirs.send_bytes(each) for each in sent])
    thread.start()
    found = []
    while len(found) < len(sent):
        found += reader.read()
    thread.join()
    assert found == sent


def test_what_was_sent_before_the_end_is_read(ends):
    """Then EOFError, also where a message was cut."""
    reader, theirs = ends
    theirs.send_bytes(b"last")
    theirs._send(struct.pack("!i", 5) + b"he")
    theirs.close()
    assert reader.read() == [b"last"]
    with pytest.raises(EOFError):
        reader.read()


def test_what_was_sent_counts_though_the_other_end_had_not_read_all():
    """A process that is killed leaves jobs unread: the system calls that a reset."""
    ours, theirs = Pipe()
    reader = FrameReader(ours.fileno())
    ours.send_bytes(b"a job")
    theirs.send_bytes(b"an answer")
    theirs.close()
    assert reader.read() == [b"an answer"]
    with pytest.raises(EOFError):
        reader.read()
    reader.close()
    ours.close()
