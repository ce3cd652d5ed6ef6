"""Does a store in S3 say in one line what is wrong, and never a secret?"""

from __future__ import annotations

import http.server
import logging
import pickle
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

pytest.importorskip("boto3")  # not there in the core suite

from flowlib import Flow, Task, TaskSpec
from stores import RecordTooNew, S3Store, StoreError, open_store, patience
from stores.testing import done, identity, put
from stores.testing.parts import A, B
from tests.services.s3 import READER_SECRET, SECRET
from tests.services.server import free_port


class Forgetful(http.server.BaseHTTPRequestHandler):
    """A server that takes every object and looks at no condition, as old ones do."""

    protocol_version = "HTTP/1.1"
    answer = 200

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.answer)
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Honest(Forgetful):
    """A server that says that it has no such thing."""

    answer = 501


class Confused(Forgetful):
    """A server that knows what is new, but not what has changed."""

    is_there = False

    def do_PUT(self):
        is_first = not Confused.is_there and self.headers["If-None-Match"] == "*"
        Confused.is_there = True
        self.answer = 200 if is_first else 412
        super().do_PUT()

    def do_GET(self):
        self.send_response(200)
        self.send_header("ETag", '"d41d8cd98f00b204e9800998ecf8427e"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(params=[Forgetful, Honest, Confused])
def server_without_conditions(request):
    """The address of such a server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_a_server_without_conditional_writes_is_refused(
    server_without_conditions, s3_url, monkeypatch
):
    """At the first question, whatever that is; the message names what is missing."""
    monkeypatch.setattr(patience, "_FIRST_PATIENCE_S", 0.2)
    store = S3Store(s3_url, endpoint_url=server_without_conditions)
    for ask in (lambda: store.statuses([A]), lambda: store.begin(A), lambda: store.record(A)):
        Confused.is_there = False
        with pytest.raises(StoreError, match=r"If-Match\s+of PutObject"):
            ask()


def test_a_good_server_is_asked_once(s3_url):
    """Copies in workers need not ask again; the marker tells the version."""
    store = S3Store(s3_url)
    put(store, A)
    assert pickle.loads(pickle.dumps(store))._client._is_prepared
    assert store._bucket.get(".flowlib-store").body == b'{"version": 1}'


def test_objects_of_a_newer_flowlib_are_refused(s3_url):
    """The whole store by its marker; a single one by its head: it is left as it is."""
    store = S3Store(s3_url)
    put(store, A)
    put(store, B)
    name = f"records/{A.key}"
    found = store._bucket.get(name)
    store._bucket.put(name, found.body.replace(b'"version":1', b'"version":2', 1))
    assert list(store.statuses([A, B])) == [A.key, B.key]
    with pytest.raises(RecordTooNew, match="newer flowlib"):
        store.begin(A)
    store._bucket.put(".flowlib-store", b'{"version": 2}')
    with pytest.raises(RecordTooNew, match="version 2"):
        S3Store(s3_url).record(B)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"{", b"garbage\nmore", b"\xff\xfe\n{}", b"{}\n{}"])
def test_a_damaged_object_harms_its_own_key_only(s3_url, damage, caplog):
    """It counts as not there, and the next success heals it."""
    store = S3Store(s3_url)
    put(store, A, {"value": 1})
    put(store, B, {"value": 2})
    store._bucket.put(f"records/{A.key}", damage)
    for each in (store, S3Store(s3_url)):
        assert list(each.statuses([A, B])) == [B.key]
        assert (each.record(A), list(each.addresses())) == (None, [B])
        assert [record.address for record in each.records()] == [B]
    put(store, A, {"value": 3})
    assert (store.get(A, "value"), len(store.statuses([A, B]))) == (3, 2)


def refusal(store, ask=lambda store: store.begin(A)):
    """What a store says; the whole traceback holds no secret."""
    with pytest.raises(StoreError) as caught:
        ask(store)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert "hidden-word" not in told
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_is_told_what_is_wrong_with_the_credentials(s3_url, monkeypatch):
    """None, unknown ones, a wrong secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-word")
    assert "does not accept these credentials" in refusal(S3Store(s3_url))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    assert "does not accept these credentials" in refusal(S3Store(s3_url))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no credentials: set AWS_ACCESS_KEY_ID" in refusal(S3Store(s3_url))


def test_who_may_only_read_reads(s3_url, monkeypatch):
    """And is told so when something is to be written."""
    put(S3Store(s3_url), A, {"value": "x" * 100_000})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", READER_SECRET)
    store = S3Store(s3_url)
    assert (store.get(A, "value"), store.count()) == ("x" * 100_000, 1)
    assert "do not allow PutObject" in refusal(store)


def test_a_bucket_that_is_not_there_is_told(s3_url):
    """With its name."""
    assert "there is no bucket no-such-bucket" in refusal(S3Store("s3://no-such-bucket/runs"))


def test_a_server_that_is_not_there_is_told(s3_url, monkeypatch, caplog):
    """After a while, and with a warning."""
    monkeypatch.setattr(patience, "_FIRST_PATIENCE_S", 0.2)
    store = S3Store(s3_url, endpoint_url=f"http://127.0.0.1:{free_port()}")
    assert "the server does not answer" in refusal(store)
    assert "waiting up to" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:bucket",
        "s3:///prefix",
        "s3://a b/c",
        "s3://bucket/../other",
        "s3://bucket/" + "x" * 600,
        "s3://me:hidden-word@bucket/runs",
        "s3://me@bucket",
    ],
)
def test_an_address_that_is_none_is_told(url):
    """Before anything is asked of anybody."""
    assert "s3://" in refusal(None, lambda _: open_store(url)) or "prefix" in url


@pytest.mark.parametrize("url", ["127.0.0.1:9000", "ftp://host", "http://me:hidden-word@host", ""])
def test_an_endpoint_that_is_none_is_told(url):
    """And may hold no credentials."""
    assert "https://host:port" in refusal(None, lambda _: S3Store("s3://bucket", "", url))


@pytest.mark.slow
def test_all_ways_to_open_it(s3, s3_url, monkeypatch):
    """A URI, a mapping with options, the class."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    options = {"url": s3_url, "endpoint_url": s3.endpoint_url}
    put(S3Store(s3_url, "thesis", s3.endpoint_url), A)
    store = open_store({"kind": "s3", "options": options}, project="thesis")
    assert list(store.addresses()) == [A]
    assert list(open_store({"kind": "s3", "options": options}).addresses()) == []
    assert repr(store) == f"S3Store({s3_url!r}, project='thesis')"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.endpoint_url)
    assert list(open_store(f"{s3_url}//", project="thesis").addresses()) == [A]


@pytest.mark.parametrize("project", ["a/b", "..", "ü" * 300])
def test_projects_of_any_name_are_kept_apart(s3_url, project):
    """In folders of their own."""
    store = S3Store(s3_url, project)
    put(store, A, {"value": "x" * 100_000})
    assert store.get(A, "value") == "x" * 100_000
    assert list(S3Store(s3_url).addresses()) == []


class Looks(Task):
    """Reads the command lines of all processes."""

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self):
        """Which of them show the secret."""
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = each.read_bytes().decode(errors="replace")
            except OSError:
                continue
            if SECRET in line:
                found.append(line)
        self.save(found, "found")
        self.save("x" * 100_000, "large")


def test_a_run_shows_no_secret(s3_url, s3, caplog, capfd):
    """Not in its messages, its command lines, a pickle, nor in any object."""
    store = S3Store(s3_url)
    with caplog.at_level(logging.DEBUG, "stores"):
        Flow([TaskSpec(Looks, {"number": 1})]).run(
            executor="processes", num_workers=2, results_store=store
        )
    (record,) = store.records()
    assert store.get(record.address, "found") == []
    assert SECRET not in caplog.text + "".join(capfd.readouterr()) + repr(store)
    assert SECRET.encode() not in pickle.dumps(store)
    bodies = [store._bucket.get(each.name).body for each in store._bucket.listing("")]
    assert len(bodies) > 2
    assert [each for each in bodies if SECRET.encode() in each] == []


def test_it_is_told_which_extra_is_missing():
    """Where boto3 is not installed."""
    script = (
        "import sys; sys.modules['boto3'] = None\n"
        "import stores\n"
        "try:\n    stores.open_store('s3://bucket/runs')\n"
        "except stores.StoreError as error:\n    print(error)\n"
        "try:\n    stores.S3Store\n"
        "except ImportError as error:\n    print(error)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert done.stdout.count("pip install 'flowlib-runner[s3]'") == 2, done.stdout + done.stderr


def test_a_late_answer_of_a_commit_is_no_loss(s3_url):
    """The server has made it, the answer was lost, and the client asks again."""
    store = S3Store(s3_url)
    attempt = store.begin(A)
    replace = store._bucket.replace

    def lost(*arguments):
        replace(*arguments)
        store._bucket.replace = replace

    store._bucket.replace = lost
    attempt.commit(identity(A), done())
    assert store.statuses([A])[A.key].attempt == 1
    create = store._bucket.create

    def lost_too(*arguments):
        create(*arguments)

    store._bucket.create = lost_too
    assert store.begin(B).number == 1
