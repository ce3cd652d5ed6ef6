"""What is said to SLURM, and what does it answer? One question is asked for all jobs of a run."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from flowlib.errors import RunError, nearest, refuse_missing
from flowlib.slurm_request import SlurmRequest
from stores.lazy_dataclass import dataclass

_ANSWER_S: Final = 60.0
"""How long a command of SLURM may take."""

_PROGRAMS: Final = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
_WIDTHS: Final = {"JobArrayID": 64, "State": 32, "RestartCnt": 16, "Reason": 96}
_HABITS: Final = ("SQUEUE_", "SINFO_", "SCANCEL_")
"""Variables in which users keep options: they would change what is asked."""

_OF_A_JOB: Final = ("SLURM_ARRAY_", "SLURM_RESTART_COUNT")
"""Variables of the job that this process runs in: those that it asks for would take them, too."""

_FORGOTTEN: Final = "Invalid job id"
_USUAL_ARRAY: Final = 1001
"""MaxArraySize, where SLURM does not say."""


class SlurmSilent(Exception):
    """SLURM has refused something, or does not answer; the words are its own."""


@dataclass(frozen=True, slots=True)
class SlurmState:
    """What SLURM knows of a job.

    Attributes:
        state: In its own word: RUNNING.
        restarts: How often it was restarted.
        reason: Why it waits, in its own word.
    """

    state: str
    restarts: int
    reason: str


def check_slurm() -> None:
    """See to it that this host can speak with SLURM.

    Raises:
        MissingExtra: submitit is not installed.
        RunError: there are no commands of SLURM, or nobody answers them.
    """
    check_submitit()
    missing = [each for each in _PROGRAMS if shutil.which(each) is None]
    if missing:
        raise RunError(
            f'executor="slurm" needs {missing[0]} of SLURM, which is not on PATH: run this on a '
            f"host that submits jobs, a login node for instance"
        )
    try:
        largest_array()
    except SlurmSilent as error:
        raise RunError(f"SLURM does not answer: {error}") from error


def refuse_unknown_partition(request: SlurmRequest) -> None:
    """See to it that SLURM has the partitions that are asked for, if it tells.

    Raises:
        ValueError: one is unknown.
    """
    if not request.partitions or shutil.which("sinfo") is None:
        return
    with contextlib.suppress(SlurmSilent):
        known = _asked("sinfo", "--noheader", "--all", "--format=%R").split()
        for name in request.partitions:
            if name not in known:
                raise ValueError(
                    f"SLURM has no partition {name!r}.{nearest(name, known)} There are: "
                    f"{', '.join(sorted(set(known)))}"
                )


@functools.lru_cache(maxsize=1)
def largest_array() -> int:
    """How many jobs an array may have at the most.

    Raises:
        SlurmSilent: nobody answers.
    """
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _asked("scontrol", "show", "config"), re.M)
    return max(1, int(found.group(1))) if found else _USUAL_ARRAY


class SlurmQueue:
    """The jobs of one run.

    Args:
        folder: For what submitit and the jobs write.
        name: What the jobs are called; no other job is called so.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def submit(self, request: SlurmRequest, call: Callable[[], object], count: int) -> list[str]:
        """Ask for so many allocations, each for one call; their names, as squeue shows them.

        Args:
            request: What each of them asks for.
            call: Called in each of them.
            count: How many; an array, if that is more than one.

        Raises:
            SlurmSilent: SLURM does not take them.
        """
        try:
            engine = submitit_executor(self._folder, request, self._name, array=count)
            with outside_of_jobs(), engine.batch():
                jobs = [engine.submit(call) for _ in range(count)]
        except Exception as error:  # of submitit, which passes on what sbatch says
            raise SlurmSilent(str(error)) from error
        return [str(job.job_id) for job in jobs]

    def states(self) -> dict[str, SlurmState]:
        """What SLURM knows of them; it forgets jobs some minutes after their end.

        Raises:
            SlurmSilent: nobody answers.
        """
        return _states(f"--name={self._name}")

    def cancel(self, *, only_pending: bool) -> None:
        """End all of them, also those that SLURM has put back; it is no error if there are none."""
        pending = ["--state=PENDING"] if only_pending else []
        with contextlib.suppress(SlurmSilent):
            _asked("scancel", *pending, f"--name={self._name}")

    def last_words(self, job: str) -> str:
        """The end of what a job has written."""
        for name in (f"{job}_0_log.err", f"{job}_0_log.out"):
            with contextlib.suppress(OSError):
                text = (self._folder / name).read_text(errors="replace").strip()
                if text:
                    return text[-1000:]
        return ""


def submitit_executor(folder: Path, request: SlurmRequest, name: str, *, array: int = 1) -> Any:
    """An executor of submitit.

    Args:
        folder: For what it and its jobs write.
        request: What a job asks for.
        name: What the jobs are called.
        array: How many jobs an array may run at once.

    Raises:
        MissingExtra: submitit is not installed.
    """
    check_submitit()
    import submitit

    # exec: SLURM's signals reach the first process of the job, which is to be Python
    python = f"exec {shlex.quote(sys.executable)}"
    engine = submitit.SlurmExecutor(folder=folder, python=python)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine.update_parameters(**request.parameters, job_name=name, array_parallelism=array)
    return engine


def state_of_job(job: str) -> SlurmState | None:
    """What SLURM knows of one job; None if that is nothing.

    Raises:
        SlurmSilent: nobody answers.
    """
    try:
        return _states(f"--jobs={job}").get(job)
    except SlurmSilent as error:
        if _FORGOTTEN in str(error):
            return None
        raise


def states_of_jobs(jobs: Sequence[str]) -> dict[str, SlurmState]:
    """What SLURM knows of some jobs, asked for once; what it has forgotten is left out.

    Raises:
        SlurmSilent: nobody answers.
    """
    try:
        return _states(f"--jobs={','.join(jobs)}") if jobs else {}
    except SlurmSilent as error:
        if _FORGOTTEN in str(error):  # one job alone
            return {}
        raise


def _states(*which: str) -> dict[str, SlurmState]:
    wanted = ",".join(f"{field}:{width}" for field, width in _WIDTHS.items())
    words = ("--noheader", "--all", "--array", "--states=all", *which)
    found = {}
    for line in _asked("squeue", *words, f"--Format={wanted}").splitlines():
        job, state, restarts, reason = _columns(line)
        number = int(restarts) if restarts.isdecimal() else 0
        found[job] = SlurmState(state, number, reason)
    return found


def _columns(line: str) -> list[str]:
    found, at = [], 0
    for width in _WIDTHS.values():
        found.append(line[at : at + width].strip())
        at += width
    return found


@contextlib.contextmanager
def outside_of_jobs() -> Iterator[None]:
    """As if this process did not run in a job of an array, or one that was restarted."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_OF_A_JOB)}
    try:
        yield
    finally:
        os.environ.update(taken)


def _asked(*words: str) -> str:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_HABITS)}
    try:
        done = subprocess.run(  # noqa: S603
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_S,
            stdin=subprocess.DEVNULL,
            env=plain,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SlurmSilent(str(error)) from error
    if done.returncode:
        raise SlurmSilent(done.stderr.strip() or f"{words[0]} has failed")
    return done.stdout


def check_submitit() -> None:
    """See to it that submitit is installed.

    Raises:
        MissingExtra: it is not.
    """
    refuse_missing("slurm", "submitit", "submitit")
