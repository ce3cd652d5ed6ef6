"""Does the API answer whatever is asked as its OpenAPI document promises?"""

from __future__ import annotations

import pytest

schemathesis = pytest.importorskip("schemathesis")
from dataclasses import replace  # noqa: E402

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from schemathesis import checks  # noqa: E402
from schemathesis.specs.openapi import checks as openapi_checks  # noqa: E402

from flowlib.dashboard.app import application  # noqa: E402
from stores import Address, InMemoryStore, LocalFileStore  # noqa: E402
from stores.testing import done, put  # noqa: E402
from tests.dashboard.asked import Dashboard  # noqa: E402
from tests.dashboard.furu_cases import fill  # noqa: E402

SECRET = "nobody may read this"
HOST = {"host": "127.0.0.1"}
NAMES = st.text(max_size=30) | st.sampled_from(
    [
        "../../etc/passwd",
        "../secret",
        "../../secret.json",
        "secret",
        "a/b",
        "%2e%2e%2f",
        "<script>",
        "x" * 10_000,
        "\x00",
        "é",
        "..",
        ".",
        "T+",
        " ",
    ]
)
PLACES = (
    "/",
    "/tasks",
    "/graph",
    "/sweep",
    "/runs",
    "/compare",
    "/artifact",
    "/api/experiments",
    "/api/dag",
    "/api/stats",
)
PARAMETERS = st.sampled_from(
    ["task", "state", "text", "sort", "limit", "offset", "config_filter", "started_after", "id", "run", "around", "expand", "metric", "mode", "key", "name", "token", "zzz"]
)  # fmt: skip


def _filled(store):
    fill(store)
    put(
        store,
        Address("a/b <c>", "9" * 32),
        {"x": float("nan")},
        replace(done(), started=1e300, ended=-1e300),
        v=float("inf"),
        big=10**400,
    )
    return store


@pytest.fixture(scope="module", params=["memory", "file"])
def shown(request, tmp_path_factory):
    """A dashboard; that over files has secrets beside it, to which names may lead."""
    folder = tmp_path_factory.mktemp("fuzz") / "a" / "store"
    is_file = request.param == "file"
    store = _filled(LocalFileStore(folder, fsync=False) if is_file else InMemoryStore())
    if is_file:
        for place in (folder, folder.parent, folder.parent.parent):
            for name in ("secret", "secret.json", "passwd"):
                (place / name).write_text(SECRET)
    with Dashboard(store) as dashboard:
        dashboard.json("/api/stats")
        yield dashboard


CHECKS = (
    checks.not_a_server_error, openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance, openapi_checks.response_schema_conformance,
)  # fmt: skip


@pytest.mark.slow
def test_answers_are_what_the_document_says():
    """Codes, types and forms, for what it allows."""
    app = application(_filled(InMemoryStore()))

    async def never_started(scope, receive, send):
        if scope["type"] != "lifespan":  # schemathesis leaves it open, with what it has altered
            await app(scope, receive, send)

    loaded = schemathesis.openapi.from_asgi("/api/openapi.json", never_started, headers=HOST)
    seen = set()
    for found in loaded.get_all_operations():

        @settings(
            max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=found.ok().as_strategy())
        def check(case):
            seen.add(case.call_and_validate(headers=HOST, checks=CHECKS).status_code)

        check()
    assert {200, 404, 422} <= seen


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(PLACES),
    st.lists(st.tuples(PARAMETERS, NAMES | st.integers().map(str)), max_size=4),
)
def test_no_parameter_makes_it_fail(shown, path, given_):
    """Pages and API answer or refuse, and never break."""
    answer = shown.client.get(path, params=given_, follow_redirects=False)
    assert answer.status_code in (200, 404, 422), answer.text
    assert "Traceback" not in answer.text
    assert SECRET not in answer.text
    if answer.status_code == 422:
        assert len(answer.text) < 40_000


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(("/tasks/", "/runs/", "/static/", "/api/experiments/")), NAMES, NAMES)
def test_no_path_makes_it_fail(shown, base, first, second):
    """Whatever stands between slashes."""
    from urllib.parse import quote

    path = f"{base}{quote(first, safe='', errors='replace')}/{quote(second, safe='', errors='replace')}"
    answer = shown.client.get(path, follow_redirects=False)
    assert answer.status_code in (200, 404, 422), answer.text
    assert "root:x" not in answer.text
    assert SECRET not in answer.text


def test_strange_records_are_told_by_every_page(shown):
    """Times out of this world, numbers without end, names with slashes."""
    key = "9" * 32
    for path in (
        "/",
        "/tasks",
        "/tasks?sort=big",
        "/tasks?sort=-v",
        f"/tasks/a%2Fb%20%3Cc%3E/{key}",
        "/graph",
        "/sweep?task=a/b%20%3Cc%3E",
        "/tasks?task=a/b",
    ):
        assert shown.get(path).status_code == 200, path
    found = shown.json(f"/api/experiments/a/b%20%3Cc%3E/{key}")
    assert found["id"] == "a/b <c>/99999999"
    assert shown.json(f"/api/experiments/a/b%20%3Cc%3E/{key}/relationships")["parents"] == []
    assert shown.json("/api/experiments")["total"] == 11
