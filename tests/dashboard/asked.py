"""A dashboard that is asked without a socket, and what its pages say."""

from __future__ import annotations

import time
from html.parser import HTMLParser

from starlette.testclient import TestClient

from flowlib.dashboard import app as dashboard

BASE = "http://127.0.0.1:8790"
LIMIT_S = 30


class Dashboard:
    """Asks a dashboard as a browser or a program does."""

    def __init__(self, store, **how):
        made = dashboard.Dashboard(store)
        self.catalogue = made._answers.catalogue
        self.client = TestClient(
            made.application(**how), base_url=BASE, raise_server_exceptions=True
        )

    def __enter__(self):
        self.client.__enter__()
        until = time.monotonic() + LIMIT_S
        while self.get("/api/stats").status_code == 503 and time.monotonic() < until:
            pass  # it is answered once all records were read
        return self

    def __exit__(self, *_):
        self.client.__exit__(None, None, None)

    def get(self, path, **more):
        """Any answer."""
        return self.client.get(path, follow_redirects=False, **more)

    def page(self, path, status=200):
        """A page; waits while the store, or the log of a run, is still being read."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            answer = self.get(path)
            if answer.status_code != 503 and " data-again" not in answer.text:
                break
            time.sleep(0.02)
        assert answer.status_code == status, answer.text
        return Seen(answer.text)

    def json(self, path, status=200):
        """An answer of the API."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, query=""):
        """The ids of the tasks that fit."""
        return [each["id"] for each in self.json(f"/api/experiments{query}")["experiments"]]


class Seen(HTMLParser):
    """What stands in a page: text, links, rows of tables, tags."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.html, self.text, self.links, self.rows, self.tags = text, "", [], [], []
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note links, rows and cells."""
        self.tags.append((tag, dict(attrs)))
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._cell = True
        elif tag == "main":
            self.text = ""

    def handle_endtag(self, tag):
        """A cell ends."""
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data):
        """Text, in a cell or beside."""
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data

    def attribute(self, tag, name):
        """The values of an attribute of all tags of a kind."""
        return [found[name] for kind, found in self.tags if kind == tag and name in found]
