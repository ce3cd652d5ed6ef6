"""What does a submitted graph look like? Drawn from what was recorded; nothing is unpickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from flowlib.flow_arguments import DrawArguments, refuse_unknown
from flowlib.flow_drawing import drawn_facts
from flowlib.graph_summary import GraphFacts, TaskFacts, config_text
from flowlib.record_list import labels
from flowlib.submission import Submission
from flowlib.submitted_tasks import PENDING, Submitted
from stores import ResultsStore

if TYPE_CHECKING:
    from flowlib.drawing_bokeh import GraphPage
    from flowlib.graph_export import GraphExport


class SubmittedPicture:
    """The graph in which a task was submitted, with what the store knows of all its tasks.

    Args:
        store: Where.
        key: The beginning of a key, or another selector of submitted tasks; of several graphs
            the newest is meant.

    Raises:
        NothingSelected: nothing of this kind was submitted.
        SelectorError: the beginning of a key means several tasks.
    """

    def __init__(self, store: ResultsStore, key: str) -> None:
        submitted = Submitted(store)
        found = [submitted.places[each].submission for each in submitted.find([key])]
        submission = max(found, key=lambda each: each.when)
        self._facts = _facts(store, submitted, submission)

    def draw(
        self, view: str = "console", **how: Unpack[DrawArguments]
    ) -> GraphPage | GraphExport | None:
        """As `Flow.draw`."""
        refuse_unknown("draw", how, DrawArguments.__annotations__)
        return drawn_facts(self._facts, view, how)


def _facts(store: ResultsStore, submitted: Submitted, submission: Submission) -> GraphFacts:
    addresses = [each.address for each in submission.tasks]
    known = store.statuses(addresses)
    summaries = list(submitted.summaries(addresses))
    states = [known[a.key].state.value if a.key in known else PENDING for a in addresses]
    rows = zip(summaries, labels(summaries), states, strict=True)
    return GraphFacts(
        tasks=[
            TaskFacts(
                each.address.task,
                each.unique_name,
                each.address.key,
                label,
                state,
                config_text(each.config),
            )
            for each, label, state in rows
        ],
        sources=[submission.gates[each.gate].sources for each in submission.tasks],
    )
