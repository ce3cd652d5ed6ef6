"""What does the process of one case do? Read its case, call the adapter, leave an outcome.

A script of its own, not a module run by `-m`: this is how users start their flows.
"""

# Importing pathlib would be a good part of what is measured.
# ruff: noqa: PTH100, PTH120, PTH123
from __future__ import annotations

import importlib
import json
import os
import sys
import time


def peak_rss_kib() -> int:
    """The most memory that this process or one of its ended children has held."""
    import resource  # only here: not part of what is measured

    peaks = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    try:
        with open("/proc/self/status") as status:  # ru_maxrss counts the launcher before exec too
            peaks += [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
    except OSError:
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return max(peaks)


def main() -> None:
    """Run the case described by the first argument."""
    began = time.perf_counter()
    order = json.loads(sys.argv[1])
    from benchmarks.workloads import Case

    case = Case(**order["case"])
    adapter = importlib.import_module(f"benchmarks.adapters.{order['adapter']}")
    facts = getattr(adapter, order["function"])(case) if order["function"] else {}
    outcome = {
        "facts": facts,
        "inner_s": time.perf_counter() - began,
        "rss_kib": peak_rss_kib(),
        "speeds": case.speeds,
    }
    with open(order["outcome"], "w") as file:
        json.dump(outcome, file)


if __name__ == "__main__":
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    main()
