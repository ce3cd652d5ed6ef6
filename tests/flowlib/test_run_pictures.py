"""What a run looks like: bars, running tasks, failures, summary, as lines that fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowlib.console_lines import as_html, as_text, cut, width_of
from flowlib.console_text import Span, plain
from flowlib.events import Failed, Finished, RunEnded, Skipped, SpecTotal, Started
from flowlib.failure_picture import failure_panel
from flowlib.progress_picture import Frame, bars_picture, clock, parts, progress_picture, took
from flowlib.run_progress import RunProgress
from flowlib.run_summary import next_steps, summary_html, summary_picture, summary_text
from flowlib.signs import ASCII_SIGNS, UNICODE_SIGNS
from tests.flowlib.run_events import BEGAN, begun, error, example, ref, runs

HINT = "Ctrl-C once: let running tasks end · twice: stop now"
NOW = BEGAN + 190


def told(events):
    progress = RunProgress()
    for event in events:
        progress.note(event)
    return progress


def drawn(width, height, signs=UNICODE_SIGNS):
    lines = progress_picture(told(example()), NOW, Frame(width, height, signs), HINT)
    return [line.rstrip() for line in plain(lines).splitlines()]


def test_a_run_on_a_wide_terminal():
    """Header, a bar for each spec stacked by state, running tasks the oldest first, a hint."""
    ids = {number: ref("Train", number).id for number in (9, 10)}
    evals = {number: ref("Eval", number).id for number in (4, 5)}

    assert drawn(109, 29) == [
        "flowlib run sunny-otter-12  18/31  elapsed 3:10  ETA ~0:33  1 failed",
        "Fetch  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  1/1  ≡1",
        "Tfidf  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  2/2  ≡2",
        "Glove  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  3/3  ✔3",
        "Train  ━━━━━━━━━━━━━━━━━━━━╍╍╍╍╍───── 8/12  ✔7 ▶2 ✖1",
        "Eval   ━━━━━━━━━━╍╍╍╍╍─────────────── 4/12  ✔3 ▶2 ⊘1",
        "Select ──────────────────────────────  0/1",
        "running",
        f"▶ w1 cuda:1 Train lr=0.009  2:51 {ids[9]}",
        f"▶ w2 cuda:0 Train lr=0.01   2:50 {ids[10]}",
        f"▶ w1 cuda:1 Eval            1:55 {evals[4]}",
        f"▶ w2        Eval            1:54 {evals[5]}",
        HINT,
    ]


def test_a_run_on_a_small_terminal():
    """Shorter bars, no ids, the first running tasks, and what was left out."""
    assert drawn(39, 12) == [
        "sunny-otter-12  18/31  ETA ~0:33  1 fa…",
        "Fetch  ━━━━━━━━━━━━━━━━━  1/1  ≡1",
        "Tfidf  ━━━━━━━━━━━━━━━━━  2/2  ≡2",
        "Glove  ━━━━━━━━━━━━━━━━━  3/3  ✔3",
        "Train  ━━━━━━━━━━━╍╍╍─── 8/12  ✔7 ▶2 ✖1",
        "Eval   ━━━━━╍╍╍───────── 4/12  ✔3 ▶2 ⊘1",
        "Select ─────────────────  0/1",
        "running",
        "▶ w1 cuda:1 Train lr=0.009  2:51",
        "▶ w2 cuda:0 Train lr=0.01   2:50",
        "… and 2 more running",
        "Ctrl-C once: let running tasks end · t…",
    ]


def test_a_run_on_a_tiny_terminal():
    """Specs of which nothing is to be said are counted, running tasks too."""
    assert drawn(39, 7) == [
        "sunny-otter-12  18/31  ETA ~0:33  1 fa…",
        "Train  ━━━━━━━━━━━╍╍╍─── 8/12  ✔7 ▶2 ✖1",
        "Eval   ━━━━━╍╍╍───────── 4/12  ✔3 ▶2 ⊘1",
        "Select ─────────────────  0/1",
        "… and 3 more specs  6/6",
        "▶ 4 running",
    ]


def test_a_run_in_ascii():
    """The same picture for a terminal without Unicode."""
    text = "\n".join(drawn(109, 29, ASCII_SIGNS))

    assert "Train  ####################>>>>>..... 8/12  +7 >2 x1" in text
    assert text.replace("·", "").isascii()


@settings(deadline=None)
@given(
    runs(is_whole=False),
    st.integers(20, 160),
    st.integers(2, 40),
    st.sampled_from([UNICODE_SIGNS, ASCII_SIGNS]),
)
def test_a_picture_is_never_wider_or_higher_than_its_frame(events, width, height, signs):
    """Whatever runs; and it is never empty."""
    lines = progress_picture(told(events), NOW, Frame(width, height, signs), HINT)

    assert 1 <= len(lines) <= height
    assert max(map(width_of, lines)) <= width


def test_names_of_any_length_and_width_fit():
    """Wide characters take two cells."""
    long = [SpecTotal("名" * 60, 2, 0), SpecTotal("B" * 300, 1, 0)]
    task = ref("名" * 60, 1, "名=" + "字" * 100)
    progress = told([begun(long), Started(BEGAN, task, 0, "資源" * 20)])
    for width in (20, 41, 80):
        lines = progress_picture(progress, NOW, Frame(width, 20, UNICODE_SIGNS), HINT)
        assert max(cell_len(row) for row in plain(lines).splitlines()) <= width


def test_a_thousand_specs_are_counted():
    """Those that run are shown, the others are one line."""
    specs = [SpecTotal(f"S{number}", 1, number < 500) for number in range(1000)]
    progress = told([begun(specs), Started(BEGAN, ref("S700", 1), 0)])
    rows = plain(progress_picture(progress, NOW, Frame(80, 10, UNICODE_SIGNS))).splitlines()

    assert len(rows) == 10
    assert any(row.startswith("S700 ") for row in rows)
    assert any(row.startswith("… and 994 more specs") for row in rows)


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000), min_size=1),
    st.integers(0, 60),
)
def test_a_bar_is_shared_out_fairly(counts, width):
    """All of it, and who has something has a cell, as far as there are cells."""
    cells = parts(counts, width)
    present = [word for word, count in counts.items() if count]

    assert sum(cells.values()) == (width if present else 0)
    assert set(cells) <= set(present)
    if width >= len(present):
        assert set(cells) == set(present)
        total = sum(counts.values())
        assert all(
            abs(cells[word] - counts[word] * width / total) <= len(present) for word in present
        )


def test_a_log_without_the_beginning_of_a_task_has_a_bar_all_the_same():
    """It ended, so one less runs than none; nothing is divided by the sum of both."""
    assert parts({"finished": 1, "running": -1}, 8) == {"finished": 8}


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (-1, "0:00", "0.00 s"),
        (0.004, "0:00", "0.00 s"),
        (2.71, "0:02", "2.7 s"),
        (59.99, "0:59", "0:59"),
        (462, "7:42", "7:42"),
        (3723, "1:02:03", "1:02:03"),
        (200_000, "2d 07:33:20", "2d 07:33:20"),
    ],
)
def test_lengths_of_time(seconds, long, short):
    """As on a clock, and with tenths where it was short."""
    assert (clock(seconds), took(seconds)) == (long, short)


def test_a_cut_line_says_so():
    """Styles stay, and the mark takes the place of what went."""
    line = (Span("abc", "red"), Span("日本語", "dim"))

    assert cut(line, 9, "…") == line
    assert plain([cut(line, 6, "…")]) == "abc日…\n"
    assert plain([cut(line, 2, "...")]) == "..\n"
    assert as_text([line], has_colours=False) == "abc日本語\n"
    assert as_text([line], has_colours=True).startswith("\x1b[31mabc\x1b[0m")


# -- failures and the end


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my").mkdir()
    path = tmp_path / "my" / "tasks.py"
    path.write_text(
        "\n" * 55 + "def run(self):\n    loss = step()\n    raise ValueError(message)\n"
    )
    return path


def failed_run(source, count=1):
    specs = [SpecTotal("Train", count, 0), SpecTotal("Eval", 2, 0)]
    events = [begun(specs)]
    for number in range(1, count + 1):
        task = ref("Train", number, "lr=0.0001 batch=64")
        events.append(Started(BEGAN, task, 1, "gpu1"))
        failure = error(f"loss is nan in {number}", file=str(source))
        log = str(source.parent.parent / "logs" / f"Train-{number}.log")
        events.append(Failed(BEGAN + 12, task, failure, False, 12.0, log))
    events += [Skipped(BEGAN + 12, ref("Eval", n), ref("Train", 1)) for n in (1, 2)]
    return told([*events, RunEnded(BEGAN + 462, {}, 462.0)])


def test_a_failure_is_told_with_the_line_of_the_user(source):
    """Task, id, worker, resource, time; place and source; error; log; what was skipped."""
    progress = failed_run(source)
    text = plain(failure_panel(progress.failures[0], 92, UNICODE_SIGNS))
    rows = [row.strip("│").rstrip() for row in text.splitlines()]
    task = ref("Train", 1).id

    assert {cell_len(row) for row in text.splitlines()} == {92}
    assert rows[0].startswith("╭─ ✖ failed ──")
    assert [row.removeprefix(" ") for row in rows[1:-1]] == [
        f"Train lr=0.0001 batch=64   {task}   worker 1 · gpu1 · after 12.0 s",
        "",
        "my/tasks.py:58 in run",
        "     57     loss = step()",
        "❱    58     raise ValueError(message)",
        "ValueError: loss is nan in 1",
        "",
        "log    logs/Train-1.log",
        "2 tasks skipped because of it: Eval-1, Eval-2",
    ]


def test_equal_failures_are_one_panel(source):
    """And thirty-seven more, same line."""
    text = summary_text(failed_run(source, 38))

    assert text.count("my/tasks.py:58 in run") == 1
    assert "and 37 more, same line: Train-2, Train-3, …" in text
    assert "✖ 38 of 40 tasks failed  in 7:42   run sunny-otter-12" in text


def test_a_file_that_was_changed_since_is_not_quoted(source):
    """Then the traceback's own line counts; where there is no file at all, too."""
    source.write_text("something\n" * 80)
    changed = summary_text(failed_run(source))
    source.unlink()
    gone = summary_text(failed_run(source))

    for text in (changed, gone):
        assert "raise ValueError(message)" in text
        assert "something" not in text


def test_at_most_four_frames_and_never_a_local(source):
    """The innermost ones; values of variables may be secrets."""
    trace = "Traceback (most recent call last):\n"
    trace += "".join(f'  File "{source}", line {n}, in f{n}\n    call()\n' for n in range(1, 9))
    failure = Failed(BEGAN, ref("A", 1), type(error())("KeyError", "'x'", trace), False, 1.0)
    text = summary_text(told([begun([SpecTotal("A", 1, 0)]), failure]))

    assert [f"in f{n}\n" in text for n in range(1, 9)] == [False] * 4 + [True] * 4


def test_a_long_message_is_shortened_and_broken():
    """Its beginning is told; all of it is in the log."""
    failure = Failed(BEGAN, ref("A", 1), error("word " * 500, line=0), True, 1.0)
    progress = told([begun([SpecTotal("A", 1, 0)]), failure])
    lines = failure_panel(progress.failures[0], 60, ASCII_SIGNS)

    assert max(map(width_of, lines)) <= 60
    assert "more lines" in plain(lines)
    assert "x killed" in plain(lines)


def test_many_kinds_of_failures_are_counted():
    """Ten panels at most."""
    events = [begun([SpecTotal("A", 30, 0)])]
    events += [Failed(BEGAN, ref("A", n), error(line=n), False, 1.0) for n in range(1, 31)]
    text = summary_text(told(events))

    assert text.count("ValueError: loss is nan") == 10
    assert "… and 20 more kinds of failures" in text


@pytest.mark.parametrize(
    ("events", "headline"),
    [
        ([Finished(BEGAN, ref("A", 1), 1.0), Finished(BEGAN, ref("A", 2), 1.0)], "✔ 3 tasks finished"),
        ([Finished(BEGAN, ref("A", 1), 1.0)], "◌ stopped: 1 of 3 tasks did not run"),
        (
            [Failed(BEGAN, ref("A", 1), error(), False, 1.0)],
            "✖ 1 of 3 tasks failed, 1 did not run",
        ),
    ],
)  # fmt: skip
def test_the_end_of_a_run_in_one_line(events, headline):
    """All went well, it was stopped, or something failed."""
    progress = told([begun([SpecTotal("A", 3, 1, 90.0)]), *events, RunEnded(BEGAN, {}, 0.5)])
    rows = summary_text(progress).splitlines()

    assert f"{headline}  in 0.50 s   run sunny-otter-12" in rows
    assert any("≡ 1 cached (saved ~1:30)" in row for row in rows)


def test_a_run_that_only_found_results_says_what_it_saved():
    """In one line."""
    progress = told([begun([SpecTotal("A", 3, 3, 690.0)], workers=0), RunEnded(BEGAN, {}, 0.02)])

    assert summary_text(progress).splitlines() == [
        "≡ all 3 tasks are cached (saved ~11:30)  in 0.02 s   run sunny-otter-12",
        "  store   LocalFileStore('runs')",
    ]


def test_what_is_cached_and_older_than_its_input_is_named():
    """A few by name, also where nothing ran."""
    stale = [f"T{number}" for number in range(8)]
    few, many = (told([begun([SpecTotal("A", 9, 9)], stale=stale[:n])]) for n in (2, 8))

    lines = [summary_text(each).splitlines()[1] for each in (few, many)]
    assert lines == [
        "  older   than their input, but cached: T0, T1",
        "  older   than their input, but cached: T0, T1, T2, T3, T4 … and 3 more",
    ]


def test_next_steps_are_those_that_help():
    """Nothing after success; a store in memory forgets, so running again would not help."""
    good = told([begun([SpecTotal("A", 1, 1)])])
    left = told([begun([SpecTotal("A", 3, 1)])])
    memory = told([begun([SpecTotal("A", 3, 1)], store="<InMemoryStore 1f2e3d4c>")])

    assert next_steps(good) == next_steps(memory) == []
    assert next_steps(left) == ["run it again (runs only what is left: 2)"]
    assert "in memory, gone with this process" in summary_text(memory)


def test_a_page_is_static_escaped_and_small(source):
    """Whatever the run was like: under 50 kB, no script, no address."""
    nasty = "<script>alert(1)</script>&\"'" * 40
    specs = [SpecTotal(f"<b>{n}</b>{nasty}", 9, 1) for n in range(400)]
    events = [begun(specs, name=nasty, store=nasty)]
    for n in range(1, 400):
        task = ref(f"<b>{n}</b>{nasty}", n, nasty)
        events.append(Started(BEGAN, task, n, nasty))
        events.append(
            Failed(BEGAN, task, error(nasty, line=n, file=str(source)), False, 1.0, nasty)
        )
    page = summary_html(told([*events, RunEnded(BEGAN, {}, 1.0)]))

    assert len(page) < 50_000
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page


def test_the_bars_that_stay_fit_their_frame():
    """As many as there is room for."""
    lines = bars_picture(told(example()), Frame(60, 4, UNICODE_SIGNS))

    assert len(lines) == 4
    assert as_html(lines).count("\n") == 3


def test_the_summary_without_boxes_has_none():
    """For pipes."""
    text = plain(summary_picture(told(example()), 90, UNICODE_SIGNS, has_boxes=False))

    assert not set("╭╮╰╯│") & set(text)
