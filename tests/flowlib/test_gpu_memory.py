"""A size of GPU memory is a part of a device, where the driver tells how much it has."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from flowlib import ResourceError
from flowlib.gpu_memory import memory_of
from flowlib.resources import pool_of

GB = 10**9


class FakeLibrary(ModuleType):
    """What is used of nvidia-ml-py, for two devices."""

    class NVMLError(Exception):
        pass

    def __init__(self, has_driver=True):
        super().__init__("pynvml")
        self.has_driver = has_driver
        self.open = 0
        self.sizes = {0: 24 * GB, 1: 40 * GB, "GPU-aa": 24 * GB}

    def nvmlInit(self):
        if not self.has_driver:
            raise self.NVMLError("no driver")
        self.open += 1

    def nvmlShutdown(self):
        self.open -= 1

    def nvmlDeviceGetHandleByIndex(self, index):
        if index not in self.sizes:
            raise self.NVMLError("no such device")
        return index

    nvmlDeviceGetHandleByUUID = nvmlDeviceGetHandleByIndex

    def nvmlDeviceGetMemoryInfo(self, handle):
        return SimpleNamespace(total=self.sizes[handle], free=1, used=1)


@pytest.fixture
def library(monkeypatch):
    fake = FakeLibrary()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


def test_the_memory_of_devices_is_asked_of_the_driver(library):
    """By index and by long name; the library is left as it was found."""
    assert memory_of(["0", "1"]) == [24 * GB, 40 * GB]
    assert memory_of(["GPU-aa"]) == [24 * GB]
    assert library.open == 0


@pytest.mark.parametrize("ids", [["0", "7"], ["GPU-bb"]])
def test_an_unknown_device_is_no_error(library, ids):
    """Nobody can tell."""
    assert memory_of(ids) is None
    assert library.open == 0


def test_without_driver_or_package_nobody_can_tell(library, monkeypatch):
    """And nothing breaks."""
    library.has_driver = False
    assert memory_of(["0"]) is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert memory_of(["0"]) is None


def test_tasks_share_a_device_by_its_memory(library):
    """Two of 10 GB fit into 24 GB, three do not."""
    pool = pool_of({"gpu": [0]})
    demand = pool.demand("Train", {"gpu": "10GB"})
    held = [pool.take(demand), pool.take(demand)]

    assert not pool.fits(demand)
    assert not pool.fits(pool.demand("Train", {"gpu": "5GB"}))
    assert pool.fits(pool.demand("Train", {"gpu": "4GB"}))
    assert pool.resource(held[0]) == "cuda:0"


def test_of_unequal_devices_the_smallest_counts(library):
    """A demand must fit into whichever is free."""
    pool = pool_of({"gpu": 2})
    whole = pool.demand("Train", {"gpu": "24GB"})

    assert pool.label(pool.take(whole)) == "gpu 0"
    assert pool.label(pool.take(whole)) == "gpu 1"
    with pytest.raises(ResourceError, match="Train needs 30GB of a gpu, but the smallest has 24GB"):
        pool.demand("Train", {"gpu": "30GB"})


def test_a_size_of_an_unknown_device_is_told_with_its_cure(library):
    """Fractions always work."""
    library.has_driver = False
    pool = pool_of({"gpu": 2})
    with pytest.raises(ResourceError, match=r"cannot be found out.*flowlib-runner\[nvidia\].*0.5"):
        pool.demand("Train", {"gpu": "10GB"})

    assert pool.fits(pool.demand("Train", {"gpu": 0.5}))
    with pytest.raises(ResourceError, match="write both as numbers"):
        pool_of(["cuda:0"]).demand("Train", {"gpu": "10GB"})
