"""What may be said of a run? The arguments of `Flow.run`, which documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowlib.flow_arguments import Selectors
from flowlib.next_commands import NO_COMMAND, RunCommand
from flowlib.run_identity import UNCATEGORIZED
from flowlib.running import GRACE_S
from flowlib.wishes import Wishes
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from flowlib.code_snapshot import CodeSnapshot


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The arguments of one run."""

    num_workers: int | None = None
    resources: object = None
    start_method: str | None = None
    exit_on_error: bool = True
    max_failures: int | None = None
    log_to_tmux: bool = False
    max_panes_per_window: int = 4
    force: Selectors = None
    only: Selectors = None
    skip: Selectors = None
    keep: Selectors = None
    resume: str | None = None
    on_code_change: str | None = None
    project_name: str = UNCATEGORIZED
    run_name: str | None = None
    results_store: ResultsStore | None = None
    return_results: str | None = "all"
    executor: object = None
    progress: str | None = "auto"
    grace_s: float = GRACE_S
    command: RunCommand = NO_COMMAND
    snapshot: CodeSnapshot | bool = False

    @property
    def wants_part(self) -> bool:
        """Whether something else is wanted than all that is not there."""
        return any((self.force, self.only, self.skip, self.keep, self.resume))

    @property
    def wishes(self) -> Wishes:
        """Those that tell what is wanted."""
        wanted = (self.force, self.only, self.skip, self.keep, self.resume)
        return Wishes(*wanted, on_code_change=self.on_code_change)
