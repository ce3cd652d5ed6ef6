"""Static pieces of pages as tests read them: small, and without scripts."""

from __future__ import annotations

from html.parser import HTMLParser

LIMIT_BYTES = 50_000


class Page(HTMLParser):
    """Tags and texts of a piece of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.texts, self.sources = [], [], [], []
        self._is_in_cell = False
        self.feed(text)
        assert "script" not in self.tags
        assert len(text.encode()) < LIMIT_BYTES

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._is_in_cell = True
        self.sources += [value for name, value in attrs if name == "src"]

    def handle_endtag(self, tag):
        self._is_in_cell = self._is_in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        self.texts.append(data)
        if self._is_in_cell:
            self.rows[-1][-1] += data
