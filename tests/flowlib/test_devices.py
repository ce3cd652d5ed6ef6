"""The variables that tell a process its devices and threads; pure, the environment is given."""

from __future__ import annotations

import pytest

from flowlib import ResourceError
from flowlib.devices import Gpu, environment_of, gpus_of, names_inside

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def ids(wanted, **environ):
    return [each.id for each in gpus_of(wanted, environ)]


def test_devices_are_named_by_number_index_or_long_name():
    """A number is the first so many."""
    assert ids(2) == ["0", "1"]
    assert ids([1, 3]) == ["1", "3"]
    assert ids(["GPU-8932f937", "MIG-41b35"]) == ["GPU-8932f937", "MIG-41b35"]


def test_objects_of_the_users_are_no_devices():
    """`["cuda:0", "cuda:1"]` are objects like any others."""
    assert gpus_of(["cuda:0", "cuda:1"], {}) is None
    assert gpus_of([0, "cuda:1"], {}) is None
    assert gpus_of([True], {}) is None


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"CUDA_VISIBLE_DEVICES": "4,6"}, ["4", "6"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-aa, GPU-bb"}, ["GPU-aa", "GPU-bb"]),
        ({"HIP_VISIBLE_DEVICES": "2,3"}, ["2", "3"]),
        ({"ROCR_VISIBLE_DEVICES": "6,7"}, ["0", "1"]),
        ({"ROCR_VISIBLE_DEVICES": "6,7", "HIP_VISIBLE_DEVICES": "1,0"}, ["1", "0"]),
    ],
)
def test_indices_count_what_this_process_may_see(environ, found):
    """A job of a cluster has its own first GPU."""
    assert ids(2, **environ) == found


@pytest.mark.parametrize(
    ("wanted", "environ", "message"),
    [
        (3, {"CUDA_VISIBLE_DEVICES": "4,6"}, "the GPU 2, but this process may see 2"),
        (1, {"CUDA_VISIBLE_DEVICES": ""}, "may see 0 only .the environment says: none"),
        (1, {"CUDA_VISIBLE_DEVICES": "-1"}, "may see 0"),
        ([-1], {}, "the GPU -1; the first is 0"),
        ([1, 1], {}, "a GPU twice: 1, 1"),
    ],
)
def test_devices_that_are_not_there_are_refused(wanted, environ, message):
    """Before anything runs."""
    with pytest.raises(ResourceError, match=message):
        gpus_of(wanted, environ)


def test_a_process_sees_its_devices_only():
    """For CUDA and for ROCm, counted as nvidia-smi does unless the user says otherwise."""
    gpus = (Gpu("3"), Gpu("1"))
    found = dict(environment_of(gpus, None, {}))

    assert found == {
        "CUDA_VISIBLE_DEVICES": "3,1",
        "HIP_VISIBLE_DEVICES": "3,1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
    assert names_inside(gpus) == ["cuda:0", "cuda:1"]
    assert dict(environment_of(gpus, None, {"CUDA_DEVICE_ORDER": "x"}))["CUDA_DEVICE_ORDER"] == "x"


def test_a_task_without_devices_sees_none_where_others_lease_them():
    """And where the run has none to lease, nothing is changed."""
    assert dict(environment_of((), None, {}))["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment_of(None, None, {}) == ()


@pytest.mark.parametrize(("cpus", "threads"), [(4.0, "4"), (2.5, "2"), (0.5, "1")])
def test_as_many_threads_as_cpus(cpus, threads):
    """At least one; what the user has set stays."""
    assert dict(environment_of(None, cpus, {})) == dict.fromkeys(THREADS, threads)
    kept = dict(environment_of(None, cpus, {"OMP_NUM_THREADS": "9"}))
    assert kept == {**dict.fromkeys(THREADS, threads), "OMP_NUM_THREADS": "9"}
