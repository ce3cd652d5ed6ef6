"""A real SLURM on loopback: munged, slurmctld and two slurmds, as two nodes with two GPUs each."""

from __future__ import annotations

import atexit
import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tests.services.server import free_port

ROOT = Path(__file__).parents[2]
START_S = 60.0
LARGEST_ARRAY = 5
"""Larger ones are refused, as those of thousands are elsewhere."""

_CONFIGURATION = """\
ClusterName=flow
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=6
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
ReturnToService=2
JobRequeue=1
MinJobAge=300
KillWait=2
InactiveLimit=0
OverTimeLimit=0
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
FirstJobId={first_job}
MaxArraySize={array_size}
MaxJobCount=20000
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={n1} CPUs=4 RealMemory=4000 Gres=gpu:2
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={n2} CPUs=4 RealMemory=4000 Gres=gpu:2
PartitionName=low Nodes=n[1-2] Default=YES MaxTime=1:00:00 PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=n[1-2] MaxTime=1:00:00 PriorityTier=10 PreemptMode=OFF
"""


class SlurmCluster:
    """Two nodes with two GPUs each; partitions `low`, and `high`, whose jobs take its nodes away.

    While it runs, SLURM_CONF in the environment of this process says where it is.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowlib-slurm-"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._before = os.environ.get("SLURM_CONF")

    def start(self) -> None:
        """Start it, and return when both nodes wait for jobs."""
        self._write()
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        munge = self.folder / "munge"
        socket_path = self.folder / "munge.sock"
        self._run(
            "munged",
            *("--foreground", "--force", f"--socket={socket_path}"),
            *(f"--key-file={munge}/key", f"--seed-file={munge}/seed"),
            *(f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/log/munged.log"),
        )
        until(socket_path.exists, START_S, "munged did not start")
        self._run("slurmctld", "-D")
        for node in ("n1", "n2"):
            self.start_node(node)
        until(self._is_ready, START_S, "the nodes of SLURM did not come up")

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        self._run("slurmd", "-D", "-N", node, name=node)

    def stop_node(self, node: str) -> None:
        """Stop the slurmd of a node; its jobs go on."""
        _end(self._processes.pop(node))

    def close(self) -> None:
        """End its jobs, then itself; nothing is left."""
        with contextlib.suppress(subprocess.TimeoutExpired, AssertionError):
            ask("scancel", "--user", getpass.getuser(), check=False)
            until(lambda: not ask("squeue", "-h", check=False), 20.0, "jobs are left")
        while self._processes:
            _end(self._processes.popitem()[1])
        self._end_steps()
        if self._before is None:
            os.environ.pop("SLURM_CONF", None)
        else:
            os.environ["SLURM_CONF"] = self._before
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        for name in ("log", "state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)  # munge wants its socket to be reached by all
        munge = self.folder / "munge"
        munge.mkdir(0o700)
        key = munge / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        host = socket.gethostname().partition(".")[0]
        text = _CONFIGURATION.format(
            host=host,
            folder=self.folder,
            user=getpass.getuser(),
            array_size=LARGEST_ARRAY,
            first_job=time.time_ns() // 10**9 % 10**6 * 50 + 1,  # no id comes twice
            port=free_port(),
            n1=free_port(),
            n2=free_port(),
        )
        (self.folder / "slurm.conf").write_text(text)
        gpus = [f"{self.folder}/gpu{number}" for number in range(4)]
        for gpu in gpus:  # any device will do: only the number in the name counts
            Path(gpu).symlink_to("/dev/null")
        (self.folder / "gres.conf").write_text(
            f"NodeName=n1 Name=gpu File={self.folder}/gpu[0-1]\n"
            f"NodeName=n2 Name=gpu File={self.folder}/gpu[2-3]\n"
        )

    def _run(self, *words: str, name: str = "") -> None:
        with (self.folder / "log" / "output").open("ab") as output:
            self._processes[name or words[0]] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} has ended:\n{self._last_words()}"
        return (
            ask("sinfo", "-h", "-N", "-p", "low", "-o", "%t", check=False).split() == ["idle"] * 2
        )

    def _last_words(self) -> str:
        return "\n".join(path.read_text()[-1000:] for path in (self.folder / "log").iterdir())

    def _end_steps(self) -> None:
        """Whatever outlived a job and its daemon: it has our folder in its environment."""
        mark = f"SLURM_CONF={self.folder}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                known = (entry / "environ").read_bytes()
                name = (entry / "comm").read_text().strip()
                if mark in known and (name.startswith("slurm") or b"SLURM_JOB_ID=" in known):
                    os.kill(int(entry.name), signal.SIGKILL)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """Let a daemon take leave of its children; kill its group if it does not."""
    daemon.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        daemon.wait(10.0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()


@lru_cache(maxsize=1)
def shared_cluster() -> SlurmCluster:
    """The cluster that all tests of this process share."""
    cluster = SlurmCluster()
    atexit.register(cluster.close)
    cluster.start()
    return cluster


def slurm_executor(**options: object) -> object:
    """An executor for it, whose workers import what is tested here."""
    from flowlib import SlurmExecutor

    shared_cluster()
    usual = {"setup": [f"export PYTHONPATH={shlex.quote(str(ROOT))}"], "look": 0.5, "idle": 5}
    return SlurmExecutor(**(usual | options))


def ask(*words: str, check: bool = True) -> str:
    """What a command of SLURM says."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def until(holds: Callable[[], object], seconds: float, otherwise: str) -> None:
    """Wait until something holds."""
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.1)
