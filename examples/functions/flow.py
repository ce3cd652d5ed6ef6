"""How are functions put into a flow? Exactly as classes are."""

from __future__ import annotations

from examples.functions.tasks import compare, measure, read
from flowlib import Flow, TaskSpec


def build() -> Flow:
    """Return the pipeline: 3 modules, 2 units, one comparison."""
    reading = TaskSpec(read, config={"module": ["json", "tokenize", "argparse"]}, expand="product")
    measuring = TaskSpec(measure, config={"unit": ["lines", "tokens"]}, expand="product")
    comparing = TaskSpec(compare, reduce=True)
    measuring.requires(reading)
    comparing.requires(measuring)
    return Flow([reading, measuring, comparing])
