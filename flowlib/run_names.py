"""What is a run called when the user does not say? Two words and a number: `sunny-otter-12`."""

from __future__ import annotations

import random
from typing import Final

_ADJECTIVES: Final = (
    "amber brave brisk calm clear crisp eager early fair fresh gentle glad golden green happy "
    "keen kind light lively lucky mellow merry mild noble patient plain polite proud quick quiet "
    "rapid ready sharp shiny silent silver smooth steady still sunny swift tidy warm wise witty"
).split()
_NOUNS: Final = (
    "badger beaver bison cedar comet crane delta ember falcon fern finch fjord gecko glacier "
    "harbor heron island jaguar juniper kestrel lagoon lark lemur lotus lynx maple marten meadow "
    "nebula oriole otter panda pebble pine plover quartz raven reef river robin sparrow tiger "
    "tulip walrus willow"
).split()


def new_run_name() -> str:
    """A fresh name; the user's own `random` state is neither read nor changed."""
    source = random.SystemRandom()
    return f"{source.choice(_ADJECTIVES)}-{source.choice(_NOUNS)}-{source.randrange(100)}"
