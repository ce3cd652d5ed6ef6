"""`sh`: programs as tasks, run for real, in this process and in workers."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

import pytest

import flowlib
from flowlib import (
    Flow,
    OutputMissing,
    ProgramFailed,
    ProgramNotFound,
    Task,
    TaskSpec,
    TaskState,
    sh,
    sweep,
    task,
)
from stores import InMemoryStore, LocalFileStore, open_store

PYTHON = sys.executable
BOTH = pytest.mark.parametrize("workers", [1, 2])


def python(code: str, *words: object, **options) -> TaskSpec:
    """A spec that runs a piece of Python."""
    options.setdefault("name", "P")
    return sh([PYTHON, "-c", code, *words], **options)


def run(*specs, workers=1, **options):
    options.setdefault("exit_on_error", False)
    return Flow(list(specs)).run(num_workers=workers, **options)


def only(spec, **options):
    """The one result of a spec."""
    (found,) = run(spec, **options)[spec.name]
    return found


def error_of(spec, **options) -> tuple[str, str]:
    """Type and message of how it failed."""
    found = only(spec, **options)
    assert found.state is TaskState.FAILED
    return found.error.type_, found.error.message


@BOTH
@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
def test_files_go_in_and_declared_ones_come_out(workers, kind, tmp_path):
    """Small ones in the record, large ones as files; what is not declared is dropped."""
    code = (
        "import os, sys; text = open('in/a b.txt').read(); os.mkdir('deep')\n"
        "open('deep/out ü.1.csv', 'w').write(text * 2)\n"
        "open('large.bin', 'wb').write(bytes(range(256)) * 1000)\n"
        "open('dropped', 'w').write('x'); print('out'); print('err', file=sys.stderr)"
    )
    spec = python(code, inp={"in/a b.txt": "ä\n"}, out=["deep/out ü.1.csv", "./large.bin"])
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
    uris = {"memory": "memory:", "file": f"file:{tmp_path}", "sqlite": f"sqlite:///{tmp_path}/db"}
    store = open_store(uris[kind])
    found = only(spec, workers=workers, results_store=store)
    assert found.results == {
        "deep/out ü.1.csv": "ä\nä\n".encode(),
        "large.bin": bytes(range(256)) * 1000,
        "stdout": b"out\n",
        "stderr": b"err\n",
        "returncode": 0,
    }
    assert store.verify().ok


def test_a_folder_is_kept_as_one(tmp_path):
    """It is loaded as the path of a copy, in every kind of store."""
    code = "import os; os.makedirs('o/p'); open('o/p/q', 'w').write('deep'); open('o/r', 'w')"
    for store in (InMemoryStore(), LocalFileStore(tmp_path)):
        found = only(python(code, out=["o"]), results_store=store)["o"]
        assert (found / "p" / "q").read_text() == "deep"
        assert sorted(each.name for each in found.iterdir()) == ["p", "r"]


def test_the_folder_is_fresh_and_goes():
    """Two attempts see nothing of each other, and nothing stays; nobody needs the old folder."""
    code = "import os; print(os.getcwd(), os.listdir())"
    found = [only(python(code, name=name))["stdout"].split() for name in "AB"]
    assert [each[1] for each in found] == [b"[]", b"[]"]
    assert found[0][0] != found[1][0]
    assert not any(Path(each[0].decode()).exists() for each in found)


def test_words_are_given_as_they_are():
    """No shell looks at them; numbers are written as Python does."""
    words = ["a b", "$HOME", "*", "'", "ü", "", 1, 0.1, -2.0, Path("x/y"), "--x=|"]
    spec = python("import json, sys; print(json.dumps(sys.argv[1:]))", *words)
    assert json.loads(only(spec)["stdout"]) == [str(each) for each in words]


def test_a_text_is_split_into_words():
    """As a shell does it, without what only a shell can do."""
    spec = sh(f"{PYTHON} -c 'import sys; print(sys.argv[1:])' 'a b' c\\ d \"e'f\"", name="P")
    assert only(spec)["stdout"] == b"""['a b', 'c d', "e'f"]\n"""


def test_a_shell_where_it_is_asked_for():
    """Pipes, variables, several lines; another shell by name."""
    text = "x=1\nfor i in 1 2; do echo $i$x; done | sort -r > r.txt"
    assert only(sh(text, out=["r.txt"], shell=True, name="S"))["r.txt"] == b"21\n11\n"
    spec = sh("echo $0", shell="sh", name="S")
    assert only(spec)["stdout"] == b"sh\n"


@BOTH
def test_several_commands_run_in_one_folder_one_after_the_other(workers):
    """Their output is one; there are the codes of all of them."""
    first = [PYTHON, "-c", "open('x', 'w').write('1'); print('first')"]
    second = [PYTHON, "-c", "print(open('x').read())"]
    found = only(sh([first, second], name="P"), workers=workers)
    assert found["stdout"] == b"first\n1\n"
    assert (found["returncode"], found["returncodes"]) == (0, [0, 0])


def test_the_first_failure_ends_several_commands(tmp_path):
    """What comes after it does not run."""
    spec = sh(["exit 3", f"touch {tmp_path}/ran"], shell=True, name="S")
    assert error_of(spec) == (
        "ProgramFailed",
        "sh ended with exit code 3, and printed nothing\ncommand: sh -c 'exit 3'",
    )
    assert not (tmp_path / "ran").exists()


@BOTH
def test_an_exit_code_is_a_failure_that_shows_the_end_of_stderr(workers):
    """The exception is the task's own, with the code."""
    code = "import sys\nfor n in range(50): print('line', n, file=sys.stderr)\nsys.exit(7)"
    with pytest.raises(ProgramFailed) as raised:
        run(python(code), workers=workers, exit_on_error=True)
    assert raised.value.returncode == 7
    said = str(raised.value)
    name = Path(PYTHON).name
    assert said.startswith(f"{name} ended with exit code 7: line 49\ncommand: {PYTHON} -c ")
    lines = ["the end of its stderr:", "…", *(f"line {n}" for n in range(30, 50))]
    assert said.endswith("\n" + "\n".join(lines))


def test_the_end_of_stdout_where_stderr_says_nothing():
    """Some programs complain there."""
    kind, message = error_of(sh("echo so; exit 1", shell=True, name="S"))
    assert kind == "ProgramFailed"
    assert message == (
        "sh ended with exit code 1: so\ncommand: sh -c 'echo so; exit 1'\n"
        "the end of its stdout:\nso"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("kill -9 $$", "was killed by SIGKILL"),
        (
            "sh -c 'kill -9 $$'; exit $?",
            "ended with exit code 137, which a shell gives for SIGKILL",
        ),
    ],
)
def test_a_signal_is_named(text, said):
    """Not a number that one has to look up."""
    kind, message = error_of(sh(text, shell=True, name="S"))
    assert kind == "ProgramFailed"
    assert said in message


def test_exit_codes_that_are_no_failure():
    """All, or some; they are results."""
    assert only(sh("exit 3", shell=True, check=False, name="S"))["returncode"] == 3
    assert only(sh("exit 3", shell=True, ok_codes=[0, 3], name="S"))["returncode"] == 3
    assert error_of(sh("exit 4", shell=True, ok_codes=3, name="S"))[0] == "ProgramFailed"
    several = only(sh(["exit 0", "exit 4", "exit 0"], shell=True, check=False, name="S"))
    assert (several["returncode"], several["returncodes"]) == (4, [0, 4, 0])


def test_a_declared_file_that_is_missing():
    """It is named, with the nearest of what was made; nothing of the attempt counts."""
    code = "open('result.csv', 'w'); open('b', 'w')"
    kind, message = error_of(python(code, inp={"in": "x"}, out=["results.csv", "b"]))
    assert kind == "OutputMissing"
    assert message == (
        f"{Path(PYTHON).name} has ended, but there is no 'results.csv', which out declares. Did you mean result.csv? "
        "It has made: b, result.csv"
    )
    with pytest.raises(OutputMissing):
        run(python("", out=["x"]), exit_on_error=True)


def test_a_file_that_cannot_be_kept():
    """A pipe would be read for ever."""
    assert error_of(python("import os; os.mkfifo('p')", out=["p"])) == (
        "OutputMissing",
        "'p' is neither file nor folder, so it cannot be kept",
    )


def test_a_program_that_is_not_here():
    """It is named before any of the commands runs, with the nearest one."""
    spec = sh([[PYTHON, "-c", "open('/nobody/comes/here', 'w')"], ["slep", "1"]], name="P")
    kind, message = error_of(spec)
    assert kind == "ProgramNotFound"
    assert message == (
        f"there is no program 'slep' in the PATH of {socket.gethostname()}. Did you mean sleep? "
        f"One in the folder of the task is ./slep"
    )
    assert error_of(sh(["/no/such", "x"])) == ("ProgramNotFound", "there is no program /no/such")
    with pytest.raises(ProgramNotFound):
        run(sh(["nothing-like-it"]), exit_on_error=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no script", "./x cannot be started: it is no program, or nobody may run it (chmod +x)"),
        (
            "#!/no/such\n",
            "./x cannot be started: the interpreter that its first line names is not here",
        ),
        (None, "./x cannot be started: there is no such file in the folder of the task"),
    ],
)
def test_a_script_that_cannot_be_started(content, said):
    """Three reasons for one error of the system."""
    inp = {} if content is None else {"x": content}
    assert error_of(sh(["./x"], inp=inp), workers=2) == ("ProgramNotFound", said)


def test_a_script_may_be_run():
    """An input that begins like a script is one."""
    spec = sh(["./x.sh", "a"], inp={"x.sh": "#!/bin/sh\necho got $1"})
    assert only(spec, workers=2)["stdout"] == b"got a\n"


@BOTH
def test_variables_are_a_clean_set(workers, monkeypatch):
    """What is not listed is not there, unless it is given or inherited."""
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("LICENSE_FILE", "here")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    spec = python(code, env={"N": 1, "U": "ü"}, inherit=["LICENSE_FILE", "NOT_SET"])
    found = json.loads(only(spec, workers=workers)["stdout"])
    found.pop("LC_CTYPE", None)  # Python's own
    usual = {"HOME", "LOGNAME", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "USER", "OMP_NUM_THREADS"}
    assert found.keys() - usual == {"LANG", "N", "U", "LICENSE_FILE"}
    assert [found[name] for name in ("LANG", "N", "U", "LICENSE_FILE")] == [
        "C.UTF-8",
        "1",
        "ü",
        "here",
    ]


def test_programs_of_the_virtual_environment_are_found(monkeypatch):
    """Whether it is activated or not; `python` is the one that runs here."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = only(sh(["python", "-c", "import sys; print(sys.prefix)"]))["stdout"].decode().strip()
    assert sys.prefix == sys.base_prefix or found == sys.prefix


def test_what_the_program_reads():
    """Nothing by default; text, bytes or a file for the first command."""
    code = "import sys; print(repr(sys.stdin.buffer.read()))"
    assert only(python(code))["stdout"] == b"b''\n"
    assert only(python(code, stdin="ü"))["stdout"] == b"b'\\xc3\\xbc'\n"


def test_output_that_is_no_text():
    """It is kept byte by byte, and escaped in the log."""
    code = "import os; os.write(1, b'\\xff\\x00' * 3 + 'ü'.encode())"
    found = only(python(code), workers=2, results_store=InMemoryStore())
    assert found["stdout"] == b"\xff\x00" * 3 + "ü".encode()
    assert Path(found.log).read_text() == "\\xff\x00" * 3 + "ü"


@BOTH
def test_output_is_in_the_log_while_the_program_runs(workers, tmp_path):
    """Long before it ends; both streams, in the order of time."""
    code = (
        "import pathlib, sys, time; print('first', flush=True); time.sleep(0.2)\n"
        "print('second', file=sys.stderr, flush=True)\n"
        "end = time.time() + 30\n"
        "while not pathlib.Path(sys.argv[1]).exists() and time.time() < end: time.sleep(0.01)\n"
        "print(time.time() < end)"
    )
    spec = python(code, str(tmp_path / "seen"), env={"PYTHONUNBUFFERED": 1})
    watcher = TaskSpec(watch, {"folder": str(tmp_path)}, fresh_process=True)
    store = LocalFileStore(tmp_path / "store")
    if workers == 1:
        import threading

        thread = threading.Thread(target=watch, args=(str(tmp_path),))
        thread.start()
        found = run(spec, results_store=store)["P"][0]
        thread.join()
    else:
        found = run(spec, watcher, workers=2, results_store=store)["P"][0]
    assert found["stdout"] == b"first\nTrue\n"
    assert Path(found.log).read_text() == "first\nsecond\nTrue\n"


def watch(folder):
    """Wait until a log holds both lines, then let the program go on."""
    end = time.time() + 20
    while time.time() < end:
        for log in Path(folder, "store").rglob("*.log"):
            if log.read_text() == "first\nsecond\n":
                Path(folder, "seen").touch()
                return
        time.sleep(0.01)


def test_sweeps_may_stand_anywhere():
    """In words, contents, variables and templates; one node for each combination."""
    spec = sh(
        ["sh", "-c", "cat a; echo $0 $V", sweep(1, 2)],
        inp={"a": sh.template("$x-", x=sweep("p", "q"))},
        env={"V": sweep("v")},
        name="S",
    )
    assert sorted(each["stdout"] for each in run(spec)["S"]) == [
        b"p-1 v\n",
        b"p-2 v\n",
        b"q-1 v\n",
        b"q-2 v\n",
    ]


def key(*args, **options) -> str:
    (node,) = Flow([sh(*args, **{"name": "S", **options})]).graph.by_spec["S"]
    return node.key


def test_what_the_identity_is_made_of(tmp_path, monkeypatch):
    """Words, inputs, outputs, variables and what counts as success; not place, time or options."""
    first = key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 1})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/bin")
    same = [
        key(["a", "b"], {"./x": "1"}, ["p", "./o"], {"V": 1}, timeout=3, retries=2),
        key("a b", {"x": "1"}, ["o", "p"], {"V": 1}, inherit=["Q"], stop_signal="TERM"),
        key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 1}, checkpoint=True, ok_codes=0),
    ]
    others = [
        key(["a", "c"], {"x": "1"}, ["o", "p"], {"V": 1}),
        key(["a", "b"], {"x": "2"}, ["o", "p"], {"V": 1}),
        key(["a", "b"], {"x": b"1"}, ["o", "p"], {"V": 1}),
        key(["a", "b"], {"x": "1"}, ["o"], {"V": 1}),
        key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 2}),
        key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 1}, check=False),
        key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 1}, stdin=""),
        key(["a", "b"], {"x": "1"}, ["o", "p"], {"V": 1}, version=2),
        key("a b", {"x": "1"}, ["o", "p"], {"V": 1}, shell=True),
        key("a b", {"x": "1"}, ["o", "p"], {"V": 1}, shell="bash"),
        key([["a"], ["b"]], {"x": "1"}, ["o", "p"], {"V": 1}),
    ]
    assert same == [first] * 3
    assert len({first, *others}) == len(others) + 1


def test_the_key_is_the_same_for_ever():
    """A change of this text would orphan the results of everybody."""
    assert key(["a", 1], {"x": b"1"}, ["o"], {"V": "v"}) == KEY


KEY = "e1af8cd7687f95a7905e80cef1a18988"


def test_a_result_is_found_again(tmp_path):
    """Nothing is run for what is stored, wherever it is asked for."""
    store = LocalFileStore(tmp_path)
    spec = python("import time; print(time.time())")
    first, second = (only(spec, results_store=store) for _ in range(2))
    assert first["stdout"] == second["stdout"]
    assert second.is_cached


def test_a_failed_program_is_tried_again(tmp_path):
    """In another fresh folder; a checkpoint folder is handed on."""
    code = (
        "import os, pathlib, sys; p = pathlib.Path(os.environ['FLOWLIB_CHECKPOINT_DIR'], 'n')\n"
        "n = int(p.read_text()) if p.exists() else 0; p.write_text(str(n + 1))\n"
        "print(n, os.listdir()); open('trace', 'w'); sys.exit(n < 2)"
    )
    spec = python(code, retries=2, checkpoint=True)
    found = only(spec, results_store=LocalFileStore(tmp_path))
    assert found["stdout"] == b"2 []\n"


def test_devices_reach_the_program():
    """As they reach any other task."""
    spec = python(
        "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['OMP_NUM_THREADS'])",
        resources={"gpu": 1, "cpu": 2},
    )
    found = only(spec, workers=2, resources={"gpu": [3], "cpu": 4})
    assert found["stdout"] == b"3 2\n"


def test_what_a_program_leaves_behind_ends_with_it():
    """Nobody waits for it although it holds the output open."""
    began = time.monotonic()
    found = only(sh("sleep 60 & echo $!", shell=True, name="S"))
    assert time.monotonic() - began < 10
    pid = int(found["stdout"])
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
            break
        time.sleep(0.01)
    else:
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_a_flood_of_output_takes_no_memory(tmp_path):
    """200 MB go to the disk, and on to another program, piece by piece."""
    code = "import os\nfor _ in range(200): os.write(1, b'x' * 1_000_000)"
    count = "import os; print(os.stat('in').st_size)"
    script = (
        "import resource, sys\n"
        "from flowlib import Flow, sh\n"
        "from stores import LocalFileStore\n"
        f"made = sh([sys.executable, '-c', {code!r}], name='P')\n"
        f"used = sh([sys.executable, '-c', {count!r}], inp={{'in': made['stdout']}}, name='Q')\n"
        f"store = LocalFileStore({str(tmp_path)!r})\n"
        "Flow([sh(['sh', '-c', 'exit 0'])]).run(num_workers=1, results_store=store)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "run = Flow([used]).run(num_workers=1, results_store=store)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(run['Q'][0]['stdout'].decode(), (after - before) // 1024, file=sys.stderr)\n"
    )
    root = str(Path(flowlib.__file__).parents[1])
    found = only(python(script, env={"PYTHONPATH": root}, name="Outer"), workers=2)
    assert found.state is TaskState.FINISHED, found.error
    size, grown_mb = found["stderr"].split()[-2:]
    assert int(size) == 200_000_000
    assert int(grown_mb) < 40


def test_a_part_of_a_result_is_an_input():
    """However deep it lies."""
    spec = sh("cat x", inp={"x": several(7)["text"]}, shell=True, name="S")
    assert only(spec)["stdout"] == b"n=7"
    spec = sh("cat x", inp={"x": sh.template("$n", n=several(7)["numbers"][1])}, shell=True)
    assert only(spec)["stdout"] == b"8"


def test_a_spec_of_one_program_has_its_name():
    """Another one where it can be no name."""
    assert sh(["/usr/bin/simulate", "x"]).name == "simulate"
    assert sh("make -j 4 all").name == "make"
    assert sh("X=1 make", shell=True).name == "sh"
    assert sh([["a"], ["b"]]).name == "a"


def test_a_shell_task_reads_files_of_a_task_it_requires():
    """Results of other tasks are values: nothing of `sh` is special in a flow."""
    made = python("open('a', 'w').write('1')", out=["a"], name="Make")
    reader = TaskSpec(Reads)
    reader.requires(made)
    assert run(made, reader)["Reads"][0].results == {"result": "b'1'"}


class Reads(Task):
    """Reads a file that a program has made."""

    def run(self, **given):
        (source,) = self.predecessors
        return repr(self.results_store.get(source.address, "a"))


@task
def doubled(data: bytes) -> str:
    """Text from what a program has made."""
    return data.decode() * 2


@task
def several(n):
    """A result of several parts."""
    return {"text": f"n={n}", "numbers": [n, n + 1]}


@task
def total(outs, codes):
    """Gathers."""
    return [[each.decode() for each in outs], codes]


@BOTH
def test_results_of_other_tasks_go_in_and_out(workers, tmp_path):
    """Files of programs, values of functions, in contents, words, variables and templates."""
    made = sh(
        ["sh", "-c", 'echo "$0" > a.txt; mkdir d; echo deep > d/x', sweep("p", "q")],
        out=["a.txt", "d"],
        name="Make",
    )
    text = doubled(made["a.txt"])
    parts = several(3)
    used = sh(
        ["sh", "-c", 'cat in/a.txt both t d/x; echo "$0 $V"', parts["numbers"][1]],
        inp={
            "in/a.txt": made["a.txt"],
            "both": text,
            "d": made["d"],
            "t": sh.template("<$a $b>\n", a=parts["text"], b=sweep(1)),
        },
        env={"V": parts["text"]},
        name="Use",
    )
    last = total.reduce(used["stdout"], used["returncode"])
    store = LocalFileStore(tmp_path)
    found = run(last, workers=workers, results_store=store)
    assert found.failed == []
    assert sorted(each["stdout"].decode() for each in found["Use"]) == [
        f"{x}\n{x}\n{x}\n<n=3 1>\ndeep\n4 n=3\n" for x in "pq"
    ]
    outs, codes = found["total"][0]["result"]
    assert (sorted(outs)[0][:2], len(outs), codes) == ("p\n", 2, [0, 0])
    again = run(last, workers=workers, results_store=store)
    assert set(again.counts) == {"cached"}


def test_calls_of_one_program_are_told_apart():
    """They have one name; equal ones are one task."""
    calls = [sh(["sh", "-c", f"echo {n}"]) for n in (1, 2, 2)]
    found = run(*calls)
    assert [each["stdout"] for each in found["sh"]] == [b"1\n", b"2\n"]
    named = run(*[each.named(f"step {n}") for n, each in enumerate(calls[:2])])
    assert [each.task_unique_name for each in named["sh"]] == ["step 0", "step 1"]


def test_options_may_follow():
    """As for all calls."""
    spec = sh("false").options(retries=1, tags=["x"])
    assert spec.declaration().options.tags == ("x",)
    assert key("a") == key("a", tags=["x"])


def test_an_input_that_is_all_results_of_a_task():
    """The error names those that there are."""
    made = sh("exit 0", shell=True, name="Make")
    kind, message = error_of(sh("exit 0", inp={"x": made}, shell=True, name="Use"))
    assert kind == "RunError"
    assert message == (
        "inp['x'] is a dict, so name one of its results: stdout, stderr, returncode; the content "
        "of a file is text or bytes"
    )
    kind, message = error_of(sh(["sh", several(1)["numbers"]], name="Use"))
    assert (kind, message[:33]) == ("SpecError", "sh: a word of the command is [1, ")


def test_a_failure_of_a_program_is_one_of_those_that_read_from_it():
    """They are not run."""
    broken = sh("exit 2", shell=True, name="Broken")
    found = run(sh("exit 0", shell=True, inp={"x": broken["stdout"]}, name="Use"))
    assert found["Use"][0].state is TaskState.UPSTREAM_FAILED


def test_another_version_of_flowlib_changes_no_code_of_a_program():
    """There is no code of the user's: what is not known never counts as changed."""
    spec = sh(["sh", "-c", "exit 0"])
    flow = Flow([spec])
    assert flow.plan(results_store=InMemoryStore()).code.of(spec.task) is None
    store = InMemoryStore()
    flow.run(num_workers=1, results_store=store)
    assert run(spec, results_store=store, on_code_change="error").counts == {"cached": 1}
