"""What is SLURM asked for? The words of users, and those of sbatch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flowlib.amounts import amount_of
from flowlib.errors import SpecError, nearest
from flowlib.policy import seconds_of
from stores.digests import blake2b
from stores.lazy_dataclass import dataclass

_PLAIN: Final = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
    "nodelist": "nodelist",
    "exclude": "exclude",
    "gres": "gres",
    "gpus": "gpus_per_node",
    "cpus": "cpus_per_task",
}
"""What is handed on as it is, and what submitit calls it."""

OPTIONS: Final = (*_PLAIN, "time", "memory", "warn", "setup", "sbatch")
"""What a spec may ask for."""

_CLOCK: Final = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)")
_MIB: Final = 1 << 20

_USUAL_WARN_S: Final = 90.0
"""How long before its end an allocation is almost over, but a quarter of its time at the most."""


@dataclass(frozen=True, slots=True, eq=False)
class SlurmRequest:
    """What one kind of jobs asks for.

    Attributes:
        parameters: As `submitit.SlurmExecutor.update_parameters` takes them.
        name: The same for equal requests.
        warn_after_s: How long after its start an allocation is almost over.
    """

    parameters: Mapping[str, Any]
    name: str
    warn_after_s: float

    @property
    def partitions(self) -> list[str]:
        """The partitions that it names."""
        named = str(self.parameters.get("partition") or "")
        return [each for each in named.split(",") if each]


def request_of(options: Mapping[str, object]) -> SlurmRequest:
    """What these options ask for; those that are None ask for nothing.

    Raises:
        ValueError: there is no such option, or it cannot have this value.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in OPTIONS:
            raise ValueError(
                f"there is no option {name!r}.{nearest(name, OPTIONS)} There are: "
                f'{", ".join(sorted(OPTIONS))}. sbatch={{"{name}": …}} is handed to sbatch as it is'
            )
    found = {theirs: _word(ours, given[ours]) for ours, theirs in _PLAIN.items() if ours in given}
    if not found.get("gpus_per_node"):
        found.pop("gpus_per_node", None)  # 0 is how a spec takes none where its executor has some
    found["time"] = minutes = math.ceil(_seconds("time", given.get("time", "1h")) / 60)
    if "memory" in given:
        found["mem"] = _memory(given["memory"])
    # the warning must not end a job that is just starting Python
    found["setup"] = ["trap '' USR2", *_lines(given.get("setup", []))]
    time_s = minutes * 60
    warn_s = math.ceil(_seconds("warn", given.get("warn", min(_USUAL_WARN_S, time_s / 4))))
    if warn_s >= time_s:
        raise ValueError(f"warn is {given['warn']!r}, which is not less than time, {time_s} s")
    extra = {"signal": f"B:USR2@{warn_s}", "requeue": True, **_free(given.get("sbatch", {}))}
    parameters = {**found, "additional_parameters": extra, "use_srun": False}
    text = json.dumps(parameters, sort_keys=True, default=str)
    name = blake2b(text.encode(), digest_size=4).hexdigest()
    return SlurmRequest(parameters, name, float(time_s - warn_s))


def _word(name: str, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{name} is {value!r}; give a text or a whole number")
    return value


def _seconds(name: str, value: object) -> float:
    """Seconds of `"2h"`, of a number, or of SLURM's `1-12:00:00`."""
    clock = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if clock is not None:
        days, hours, minutes, seconds = (int(each or 0) for each in clock.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    try:
        return seconds_of("slurm", name, value)
    except SpecError:
        raise ValueError(
            f"{name} is {value!r}; give seconds, or '90s', '30m', '2h', '1d', or '1-12:00:00'"
        ) from None


def _memory(value: object) -> str:
    amount = amount_of(value)
    if amount is None or not amount.is_size:
        raise ValueError(f"memory is {value!r}; give a size, '16GB' or '500MB'")
    return f"{math.ceil(amount.value / _MIB)}M"


def _lines(value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"setup is {value!r}; give a list of lines for the shell")
    return [str(each) for each in value]


_OURS: Final = frozenset(["job_name", "job-name", "array", "output", "error"])
"""What allocations and their answers are found by."""


def _free(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f'sbatch is {value!r}; give options of sbatch, {{"reservation": "night"}}')
    for name in value:
        if name in _OURS:
            raise ValueError(f"sbatch has {name!r}, which is not free: jobs are found by it")
    return {str(name): each for name, each in value.items()}
