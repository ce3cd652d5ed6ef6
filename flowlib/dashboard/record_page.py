"""All about one task: config, reason, neighbours, results, log, where it comes from, how again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flowlib.age import ago
from flowlib.dashboard.answers import Answers
from flowlib.dashboard.frame import (
    facts,
    quoted,
    run_url,
    section,
    state_mark,
    table,
    task_link,
    url,
)
from flowlib.dashboard.logs import LogTail, log_tail
from flowlib.dashboard.markup import Child, Markup, cut, tag
from flowlib.dashboard.neighbours import (
    as_neighbours,
    has_few_ancestors,
    reader_count,
    readers_of,
)
from flowlib.dashboard.previews import artifact_url, preview
from flowlib.dashboard.stock import Stock
from flowlib.durations import took
from flowlib.reasons import EXPLANATIONS, Reason
from flowlib.record_lines import stamp
from flowlib.record_list import leaves, short
from flowlib.record_story import Neighbour, RecordStory, record_story
from flowlib.record_story_lines import size_text
from stores import Address, RecordMissing, RecordTooNew, ResultsStore
from stores.matching import artifacts_in_force

_MOST_NEIGHBOURS: Final = 50
_MOST_ANCESTORS: Final = 500
"""The configs of more are not read for a page: a reduce would read all of a store."""
_MOST_ARTIFACTS: Final = 50
_LONGEST_VALUE: Final = 2000
_LONGEST_ERROR: Final = 20_000


def task_page(
    store: ResultsStore, answers: Answers, stock: Stock, address: Address, now: float
) -> Markup | None:
    """What is known of a task; None if that is nothing.

    Args:
        store: Where its record is.
        answers: Answers questions.
        stock: What is known.
        address: Of the task.
        now: Unix time.
    """
    row = stock.find(address.task, address.key)
    try:
        readers = readers_of(answers, stock, address, _MOST_NEIGHBOURS)
        inherits = has_few_ancestors(stock, address, _MOST_ANCESTORS)
        story = record_story(
            store,
            address,
            readers=as_neighbours(readers),
            most=_MOST_NEIGHBOURS,
            inherits=inherits,
        )
    except (RecordMissing, RecordTooNew) as error:
        if row is None:
            return None
        told = "It has no record yet." if not row.state else str(error)
        tail = log_tail(store, None, address, stock.live.runs)
        return tag(
            "div", tag("h1", str(address)), tag("p", state_mark(stock.shown(row)), f" {told}"),
            _run(row.run, row.unique_name), _log(tail, address), class_="live",
        )  # fmt: skip
    word = "finished" if row is None else stock.shown(row)
    tail = log_tail(store, story.record, address, stock.live.runs)
    total = reader_count(answers, stock, address)
    note = None if inherits else _too_many(address)
    parts = _parts(store, story, total, tail, note)
    return tag("div", _head(story, word, now), *parts, class_="live")


def _too_many(address: Address) -> Markup:
    told = f"It has more than {_MOST_ANCESTORS:,} ancestors, whose configs are not read here: "
    return tag("p", told, tag("code", f"flowlib show {address}"))


def _parts(
    store: ResultsStore,
    story: RecordStory,
    readers: int,
    tail: LogTail | None,
    note: Markup | None,
) -> list[Child]:
    address, counts = story.address, story.counts
    first = min(len(counts.inputs), _MOST_NEIGHBOURS)
    read, grown = story.upstream[:first], story.upstream[first:]
    return [
        _error(story),
        section("Config", _config(story), note),
        _neighbours("Upstream", read, len(counts.inputs)),
        _neighbours("Grown: its results are theirs", grown, len(counts.grown)),
        _neighbours("Downstream", story.downstream, readers),
        _results(store, story),
        _log(tail, address),
        section("Where it comes from", facts([(k, _fact(v)) for k, v in story.origin.items()]))
        if story.origin
        else None,
        section("Make it again", quoted(story.again_text)) if story.again_text else None,
    ]


def _head(story: RecordStory, word: str, now: float) -> Markup:
    counts, address = story.counts, story.address
    run = counts.run
    ended = counts.ended or counts.started
    around = f"{address.task}/{address.key[:8]}"
    links = [
        tag("a", "graph around it", href=url("/graph", around=around)),
        " · ",
        tag("a", "like it", href=url("/tasks", task=f"{address.task}/")),
    ]
    attempts = [
        tag(
            "li",
            f"attempt {each.number} ",
            state_mark(each.state.value),
            "" if each.duration_s is None else f" took {took(each.duration_s)}",
            f" on {each.owner}" if each.owner else "",
            " its results count" if len(story.attempts) > 1 and each is counts else "",
        )
        for each in story.attempts
    ]
    return tag(
        "div",
        tag("h1", cut(str(address), 200)),
        tag("p", state_mark(word), " ", *links),
        facts(
            [
                ("key", tag("code", address.key)),
                ("version", story.record.identity.version),
                ("run", None if run is None else _run(run.run_name, run.unique_name)),
                ("why", _why(story.why)),
                ("when", None if ended is None else f"{stamp(ended)}, {ago(now - ended)}"),
                ("folder", story.folder),
            ]
        ),
        tag("ul", *attempts),
    )


def _run(name: str, unique_name: str) -> Markup | None:
    if not name:
        return None
    return tag("span", tag("a", name, href=run_url(name)), f" as {unique_name}")


def _why(why: str | None) -> str | None:
    if why is None:
        return None
    try:
        return f"{why}: {EXPLANATIONS[Reason(why)]}"
    except (ValueError, KeyError):
        return why


def _error(story: RecordStory) -> Markup | None:
    error = story.record.latest.error
    if error is None:
        return None
    return section(
        "Error",
        tag("p", cut(f"{error.type_}: {error.message}", _LONGEST_VALUE), class_="failed"),
        quoted(error.traceback[-_LONGEST_ERROR:]) if error.traceback else None,
    )


def _config(story: RecordStory) -> Markup:
    rows = [
        (path, value, "" if path.partition(".")[0] in story.given else "default")
        for path, value in leaves(story.config)
    ]
    rows.sort(key=lambda row: row[2] == "default")
    for task, config in story.inherited.items():
        rows += [(f"{task}.{path}", value, "inherited") for path, value in leaves(config)]
    if not rows:
        return tag("p", "It takes no parameters.")
    lines = [
        tag("tr", tag("th", cut(path, 200), scope="row"), _value(value), tag("td", tag("small", n)))
        for path, value, n in rows
    ]
    return table(("parameter", "value", ""), lines, class_="facts")


def _value(value: object) -> Markup:
    text = value if isinstance(value, str) else short(value)
    return tag("td", tag("code", cut(text, _LONGEST_VALUE)))


def _neighbours(title: str, found: Sequence[Neighbour], total: int) -> Markup | None:
    if not found:
        return None
    items = [
        tag(
            "li",
            task_link(each.address),
            f" as {each.role}" if each.role and each.role != each.address.task else "",
            " has no result" if each.current is None else "",
        )
        for each in found[:_MOST_NEIGHBOURS]
    ]
    more = total - len(items)
    return section(title, tag("ul", *items), tag("p", f"and {more:,} more") if more else None)


def _results(store: ResultsStore, story: RecordStory) -> Markup | None:
    if not story.artifacts:
        return None
    artifacts = artifacts_in_force(story.record)
    parts: list[Child] = []
    for each in story.artifacts[:_MOST_ARTIFACTS]:
        link = tag("a", "download", href=artifact_url(story.address, each.name), download=True)
        head = [tag("b", cut(each.name, 200)), f" {each.type_} {size_text(each.size_bytes)} ", link]
        values = _values(each.values)
        shown = values or preview(store, story.address, artifacts[each.name][1])
        parts.append(tag("div", tag("p", *head), shown, class_="result"))
    more = len(story.artifacts) - len(parts)
    return section("Results", *parts, tag("p", f"and {more:,} more") if more else None)


def _values(values: Mapping[str, object]) -> Markup | None:
    if not values:
        return None
    if "" in values:
        value = values[""]
        if isinstance(value, str):
            return quoted(cut(value, _LONGEST_VALUE))
        return tag("p", cut(short(value), _LONGEST_VALUE), class_="value")
    return facts([(cut(name, 200), short(value)) for name, value in values.items()])


def _log(tail: LogTail | None, address: Address) -> Markup | None:
    if tail is None:
        return None
    note = f"the last lines; {size_text(tail.left_out)} stand before" if tail.left_out else ""
    command = f"flowlib logs {address}"
    return section("Log", quoted(tail.text), tag("p", f"{note} ", tag("code", command)), id="log")


def _fact(value: object) -> Child:
    if value in (None, "", False):
        return None
    text = value if isinstance(value, str) else short(value)
    shown = cut(text, _LONGEST_ERROR)
    return quoted(shown) if "\n" in shown else tag("code", shown)
