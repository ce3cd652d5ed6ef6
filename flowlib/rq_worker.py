"""What takes jobs in a cluster that outlives runs? A worker that forks for each, well prepared."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from rq import Worker

from flowlib import rq_queue, worker

if TYPE_CHECKING:
    from rq import Queue
    from rq.job import Job

PREPARED: Final = (rq_queue, worker)
"""What each job needs: imported here, it need not be imported in each work-horse."""


class PreparedWorker(Worker):
    """Each job in a process of its own, which sees the user's modules as they are by then.

    It works where the run was started, as a process of the run would.
    """

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        with contextlib.suppress(OSError):  # a folder of another host
            os.chdir(job.meta.get(rq_queue.FOLDER, ""))
        super().main_work_horse(job, queue)
