"""What surrounds every page: its head, the ways to the others, and whether it is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from flowlib.dashboard.markup import Child, Markup, cut, escaped, joined, tag
from flowlib.vocabulary import shown_state
from stores import Address

_PLACES: Final = (
    ("/", "Overview", "o"), ("/tasks", "Tasks", "t"), ("/runs", "Runs", "r"),
    ("/graph", "Graph", "g"), ("/sweep", "Sweep", "s"),
)  # fmt: skip
_KEYS: Final = (
    ("/", "filter"), ("j k", "next, previous row"), ("Enter", "open the row"),
    ("x", "select the row"), ("c", "compare what is selected"),
    *((f"g {key}", name.lower()) for _, name, key in _PLACES), ("?", "these keys"),
)  # fmt: skip
_LONGEST_TITLE: Final = 100


def page(title: str, *main: Child, store: str, here: str = "", refresh_s: int | None = None) -> str:
    """A whole page.

    Args:
        title: Of the page.
        *main: What it is about; the part of the class `live` is fetched anew after changes.
        store: Where the records are, in words.
        here: The address of the place that is shown as the present one.
        refresh_s: After so many seconds the page is loaded again, without a script.
    """
    links = [
        tag("a", name, href=where, aria_current="page" if where == here else None)
        for where, name, _ in _PLACES
    ]
    head = joined(
        Markup('<meta charset="utf-8">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        None if refresh_s is None else tag("meta", http_equiv="refresh", content=refresh_s),
        tag("title", f"{cut(title, _LONGEST_TITLE)} · flowlib"),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href="/static/dashboard.css"),
        tag("script", src="/static/dashboard.js", defer=True),
    )
    body = joined(
        tag("a", "to the content", href="#main", class_="skip"),
        tag(
            "header",
            tag("nav", *links, aria_label="pages"),
            tag("span", cut(store, 120), class_="store", title="the store"),
            tag("span", id="connection", role="status"),
        ),
        tag("main", *main, id="main", tabindex="-1"),
        tag(
            "dialog",
            tag("h2", "Keys"),
            tag("dl", *(joined(tag("dt", key), tag("dd", what)) for key, what in _KEYS)),
            tag("form", tag("button", "close"), method="dialog"),
            id="keys",
        ),
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def url(path: str, *pairs: tuple[str, object], **named: object) -> str:
    """An address here; values that are None or empty are left out."""
    given = [*pairs, *named.items()]
    shown = [(name, str(value)) for name, value in given if value not in (None, "")]
    told = urlencode(shown, errors="surrogatepass")
    sign = "&" if "?" in path else "?"
    return f"{path}{sign}{told}" if told else path


def task_url(address: Address) -> str:
    """The page of a task."""
    task = quote(address.task, safe="", errors="surrogatepass")
    return f"/tasks/{task}/{quote(address.key, errors='surrogatepass')}"


def run_url(name: str) -> str:
    """The page of a run."""
    return f"/runs/{quote(name, safe='', errors='surrogatepass')}"


def task_link(address: Address, text: str = "") -> Markup:
    """A link to the page of a task."""
    return tag("a", text or str(address), href=task_url(address), class_="id")


def counted(number: int, what: str) -> str:
    """`1 task`, `2,000 tasks`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def state_mark(word: str) -> Markup:
    """A state as icon and word, in its colour."""
    state = shown_state(word)
    return tag("span", f"{state.icon} {state.word}", class_=f"state {state.word}")


def counts_bar(counts: Mapping[str, int]) -> Markup:
    """States side by side, as wide as they are many, and in words."""
    words = [(word, count) for word, count in counts.items() if count]
    total = sum(count for _, count in words)
    left, pieces = 0.0, []
    for word, count in words:
        width = 100 * count / total
        pieces.append(
            tag("rect", x=f"{left:.3f}", y=0, width=f"{width:.3f}", height=6, class_=f"fill {word}")
        )
        left += width
    told = ", ".join(f"{count:,} {word}" for word, count in words)
    return tag(
        "svg", *pieces, viewBox="0 0 100 6", preserveAspectRatio="none", class_="bar", role="img",
        aria_label=told,
    )  # fmt: skip


def table(head: Sequence[Child], rows: Sequence[Markup], **attributes: object) -> Markup:
    """A table; cells of the head that are text become headings of columns."""
    cells = [each if isinstance(each, Markup) else tag("th", each, scope="col") for each in head]
    body = tag("tbody", *rows)
    return tag("table", tag("thead", tag("tr", *cells)), body, **attributes)


def facts(pairs: Sequence[tuple[str, Child]]) -> Markup:
    """Names and what they are, one below the other; what is None or empty is left out."""
    shown = [(name, value) for name, value in pairs if value not in (None, "")]
    return tag("dl", *(joined(tag("dt", name), tag("dd", value)) for name, value in shown))


def section(title: str, *children: Child, **attributes: object) -> Markup:
    """A part of a page with a heading."""
    return tag("section", tag("h2", title), *children, **attributes)


def quoted(text: str) -> Markup:
    """Text as it is, line by line."""
    return Markup(f"<pre>{escaped(text)}</pre>")
