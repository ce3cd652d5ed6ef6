"""Who may ask the dashboard, and what may a browser do with its answers?"""

from __future__ import annotations

import builtins
import io
import os

import pytest

from stores import Address, InMemoryStore, LocalFileStore
from stores.testing import done, put

TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8790", "127.0.0.2:8790", "localhost", "LOCALHOST:1", "localhost.:8790", "[::1]:1"],
)
def test_names_of_this_host_are_served(dashboard, host):
    """In whatever letters, with any port."""
    assert dashboard(InMemoryStore()).get("/api/stats", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost@evil",
        "[::2]:1",
        "128.0.0.1",
        "127.1.evil:1",
        ".",
    ],
)
def test_other_names_are_refused(dashboard, host):
    """A page of another site may have a name of its own for this host, and must not read."""
    shown = dashboard(InMemoryStore())
    assert shown.get("/", headers={"host": host}).status_code == 400
    assert shown.get("/api/stats", headers={"host": host}).json()["detail"].startswith("this host")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(dashboard, method):
    """Only GET and HEAD are answered."""
    answer = dashboard(InMemoryStore()).client.request(method, "/api/stats")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_token_is_asked_for_and_kept_as_a_cookie(dashboard):
    """It goes out of the address at once; a wrong one is none, and any host name will do."""
    shown = dashboard(InMemoryStore(), token=TOKEN)
    other = {"host": "node7:8790"}
    assert shown.get("/", headers=other).status_code == 401
    assert shown.get("/?token=wrong", headers=other).status_code == 401
    assert shown.get("/api/stats", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert shown.get("/api/stats", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    answer = shown.get(f"/tasks?token={TOKEN}&state=failed", headers=other)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks?state=failed")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert shown.get("/api/stats").status_code == 200  # with the cookie


def test_a_redirect_never_leads_elsewhere(dashboard):
    """Whatever the path looks like."""
    answer = dashboard(InMemoryStore(), token=TOKEN).get(f"//evil.example/x?token={TOKEN}")
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith("//")


def test_browsers_are_told_to_load_nothing_from_elsewhere(dashboard):
    """No script but ours, no frame around us, no guess at types; refusals say the same."""
    shown = dashboard(InMemoryStore())
    for path, host in (("/", "127.0.0.1"), ("/nothing", "127.0.0.1"), ("/", "evil.example")):
        headers = shown.get(path, headers={"host": host}).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


SECRET = "nobody may read this"
WAYS = (
    "../secret", "../../secret", "../secret.json", "..%2fsecret", "%2e%2e/secret", "..%252fsecret",
    "Train/../../secret", "Train/..%2f..%2fsecret", ".runs/../../secret", "./../secret", "..\\secret",
    "{outside}/secret", "%2f{outside}/secret", "file://{outside}/secret",
    "../secret%00", "../secret%00.json",
)  # fmt: skip
BASES = (
    "/static/{}", "/tasks/{}", "/tasks/Train/{}", "/tasks/{}/x", "/runs/{}", "/api/experiments/{}",
    "/api/experiments/Train/{}", "/api/experiments/{}/x/relationships", "/graph?run={}",
    "/artifact?task=Train&key={key}&name={}", "/artifact?task=Train&key={}&name=secret",
    "/artifact?task={}&key={key}&name=secret", "/sweep?task={}", "/compare?address={}&address=x/y", "/.{}",
)  # fmt: skip


@pytest.fixture
def beside_a_secret(dashboard, tmp_path):
    """A dashboard over a store of files, beside which lie secrets."""
    outside = tmp_path / "outside"
    store = LocalFileStore(outside / "store")
    key = "a" * 32
    put(store, Address("Train", key), {"acc": 1}, done(), n=1)
    for name in ("secret", "secret.json", "secret.log"):
        (outside / name).write_text(SECRET)
    return dashboard(store), outside, key


@pytest.fixture
def opened(monkeypatch):
    """What is opened from now on, by whatever way there is to open a file."""
    found = []
    for module in (builtins, io, os):
        usual = module.open

        def watched(path, *more, usual=usual, **named):
            found.append(os.path.realpath(path) if isinstance(path, (str, os.PathLike)) else path)
            return usual(path, *more, **named)

        monkeypatch.setattr(module, "open", watched)
    return found


def test_no_path_of_a_request_reaches_the_file_system(beside_a_secret, opened):
    """Names are looked up in what the store lists: no file beside it is read, or even opened."""
    shown, outside, key = beside_a_secret
    for base in BASES:
        for way in WAYS:
            path = base.replace("{key}", key).replace("{}", way.format(outside=outside))
            answer = shown.get(path)
            assert answer.status_code in (404, 422), path
            assert SECRET not in answer.text
    secret = os.path.realpath(outside / "secret")
    assert not [each for each in opened if str(each).startswith(secret)]
    (outside / "store" / ".." / "secret").read_text()
    assert [each for each in opened if str(each).startswith(secret)] == [secret]  # it is noticed


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/app.py", "/static/"]
)
def test_two_files_of_ours_have_names_and_no_other_has(dashboard, path):
    """Also none that lies beside them."""
    answer = dashboard(InMemoryStore()).get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text
