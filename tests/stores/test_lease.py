"""Are owners told apart, and is it known whether they live?"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from stores import Address, LocalFileStore, Owner, RecordDamaged
from stores.record import Record
from stores.testing import put
from tests.stores.leases import dead_owner, owner_elsewhere


def test_this_process_is_alive():
    """An owner tells host, boot, number and start of the process that asks."""
    owner = Owner.of_this_process()
    assert (owner.host, owner.pid) == (os.uname().nodename, os.getpid())
    assert owner.started > 0
    assert owner.is_alive() is True


def test_a_killed_process_is_dead():
    """Its number is not there any more."""
    assert dead_owner().is_alive() is False


def test_a_process_that_nobody_has_waited_for_is_dead():
    """A zombie computes nothing, though its number is still there."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    owner = replace(Owner.of_this_process(), pid=process.pid, started=0)
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    owner = replace(owner, started=int(stat[19]))
    assert owner.is_alive() is True
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert owner.is_alive() is False
    process.communicate()


def test_another_start_or_boot_is_another_process():
    """A number that was given again does not bring its first owner back."""
    here = Owner.of_this_process()
    assert replace(here, started=here.started - 1).is_alive() is False
    assert replace(here, boot_id="an earlier one").is_alive() is False


def test_nobody_knows_of_processes_in_other_containers():
    """They have the name of the host and its boot, but their numbers mean other processes."""
    here = Owner.of_this_process()
    boot, _, space = here.boot_id.partition(":")
    assert space.isdigit()
    assert replace(here, boot_id=f"{boot}:1", pid=2**22 + 1).is_alive() is None


def test_nobody_knows_of_a_process_whose_start_is_not_told():
    """As on systems without /proc: its number may have been given again."""
    here = Owner.of_this_process()
    assert replace(here, started=0).is_alive() is None
    assert replace(here, started=0, pid=2**22 + 1).is_alive() is False


def test_nobody_knows_of_processes_on_other_hosts():
    """Even if this host has a process of that number."""
    assert owner_elsewhere().is_alive() is None
    assert replace(Owner.of_this_process(), host="elsewhere").is_alive() is None


def test_an_owner_comes_back_from_json():
    """What is written into a lease is the owner, whole."""
    here = Owner.of_this_process()
    assert Owner.from_list(here.to_list()) == here


def test_a_fork_is_another_owner():
    """What the parent remembered about itself does not hold for the child."""
    here = Owner.of_this_process()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=lambda: sender.send(Owner.of_this_process())
    )
    process.start()
    child = receiver.recv()
    process.join()
    assert child.pid == process.pid != here.pid
    assert child.is_alive() is False


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN", "1e999", "null", '"x"'])
@pytest.mark.parametrize("parts", ['["here","boot",{},1]', '["here","boot",1,{}]'])
def test_an_owner_whose_numbers_are_none_cannot_be_read(parts, number):
    """As in damaged records and leases: whoever reads them expects a ValueError or a TypeError."""
    with pytest.raises((ValueError, TypeError)):
        Owner.from_list(json.loads(parts.replace("{}", number)))


@pytest.mark.parametrize("number", ["Infinity", "NaN", "1e30"])
def test_a_record_with_such_an_owner_is_damaged(tmp_path, number):
    """It counts as not there, and says so."""
    store, address = LocalFileStore(tmp_path), Address("Train", "ab" * 16)
    put(store, address)
    path = tmp_path / "Train" / f"{address.key}.json"
    pid = f",{os.getpid()},"
    assert path.read_text().count(pid) == 1
    path.write_text(path.read_text().replace(pid, f",{number},"))
    with pytest.raises(RecordDamaged):
        Record.from_json(path.read_text(), str(path))
    assert store.record(address) is None
    assert put(store, address).latest.number == 2


@pytest.mark.parametrize("number", [-1, 1 << 31, 1e30])
def test_no_process_has_a_number_that_a_system_would_not_take(number):
    """It could not be asked whether such a process lives."""
    with pytest.raises(ValueError, match="no process"):
        Owner.from_list(["here", "boot", number, 1])
