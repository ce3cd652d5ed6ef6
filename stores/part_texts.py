"""How are the parts of a record written? As text at once; a dict of all of it would cost more."""

from __future__ import annotations

import json.encoder
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from typing import Any, Final, NamedTuple

from stores.lease import Owner
from stores.parts import Artifact, Attempt, Input, artifact_to_dict


def _new_compact() -> Callable[[object], str]:
    """An encoder for many texts: `json` makes one for each, which takes longer than the text."""
    usual = json.JSONEncoder(separators=(",", ":"))
    make: Any = getattr(json.encoder, "c_make_encoder", None)  # other Pythons have none
    if make is None:
        return usual.encode
    encoder = make(None, usual.default, quoted, None, ":", ",", False, False, True)
    return lambda value: "".join(encoder(value, 0))


compact: Final = _new_compact()
"""A value as JSON without blanks."""


class AttemptText(NamedTuple):
    """An attempt as JSON, and parts of it that others write, too.

    Attributes:
        whole: The attempt.
        facts: Its facts.
        artifacts: Its artifacts.
    """

    whole: str
    facts: str
    artifacts: str


def attempt_text(attempt: Attempt) -> AttemptText:
    """The text of an attempt; what is empty is left out of the whole."""
    facts = compact(dict(attempt.facts))
    artifacts = f"[{','.join([artifact_text(each) for each in attempt.artifacts])}]"
    text = f'{{"number":{attempt.number},"state":"{attempt.state.value}"'
    if attempt.started is not None:
        text += f',"started":{number_text(round(attempt.started, 6))}'
    if attempt.ended is not None:
        text += f',"ended":{number_text(round(attempt.ended, 6))}'
    if attempt.artifacts:
        text += f',"artifacts":{artifacts}'
    if attempt.inputs:
        text += f',"inputs":{_inputs_text(attempt.inputs)}'
    if attempt.grown:
        text += f',"grown":{_inputs_text(attempt.grown)}'
    return AttemptText(f"{text}{_origin_text(attempt, facts)}}}", facts, artifacts)


def _origin_text(attempt: Attempt, facts: str) -> str:
    """The rest of the text of an attempt: how it ended, who made it and from what."""
    run, text = attempt.run, ""
    if attempt.error is not None:
        text += f',"error":{compact(asdict(attempt.error))}'
    if attempt.facts:
        text += f',"facts":{facts}'
    if run is not None:
        names = [run.project_name, run.run_name, run.unique_name, run.sweep_counter]
        text += f',"run":{compact(names)}'
    if attempt.owner is not None:
        text += f',"owner":{owner_text(attempt.owner)}'
    if attempt.provenance:
        text += f',"provenance":{compact(dict(attempt.provenance))}'
    return text


def artifact_text(artifact: Artifact) -> str:
    """The text of an artifact; what is usual is left out."""
    is_usual = artifact.encoding == "utf-8" and artifact.codec_version == 1
    if artifact.inline is None or not is_usual or artifact.load_kwargs:
        return compact(artifact_to_dict(artifact))
    return (
        f'{{"name":{quoted(artifact.name)},"type":{quoted(artifact.type_)},'
        f'"text":{quoted(artifact.inline)},"bytes":{artifact.size_bytes}}}'
    )


def number_text(value: float) -> str:
    """The text of a number."""
    return repr(value) if type(value) is float and isfinite(value) else compact(value)


@lru_cache(maxsize=8)
def owner_text(owner: Owner) -> str:
    """The text of an owner: a process writes the same one again and again."""
    return compact(owner.to_list())


def _inputs_text(inputs: Sequence[Input]) -> str:
    return compact([[i.role, i.address.task, i.address.key, i.attempt] for i in inputs])
