"""How are the parts of a record written? As text at once; a dict of all of it would cost more."""

from __future__ import annotations

import json.encoder
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final, NamedTuple

from stores.lease import Owner
from stores.parts import Artifact, Attempt, Input, artifact_to_dict


def new_encoder(usual: json.JSONEncoder) -> Callable[[object], str]:
    """What `usual.encode` does, for many texts: it makes an encoder for each, which takes longer.

    Something that contains itself is a RecursionError.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)  # other Pythons have none
    if make is None:
        return usual.encode
    quote = quoted if usual.ensure_ascii else json.encoder.encode_basestring
    separators = usual.key_separator, usual.item_separator
    encoder = make(None, usual.default, quote, None, *separators, False, False, True)
    return lambda value: "".join(encoder(value, 0))


compact: Final = new_encoder(json.JSONEncoder(separators=(",", ":")))
"""A value as JSON without blanks."""


class FixedParts(dict[str, Any]):
    """Parts that many records share and nobody changes: their text is made once.

    Attributes:
        text: They as JSON.
    """

    __slots__ = ("text",)

    def __init__(self, parts: Mapping[str, Any]) -> None:
        super().__init__(parts)
        self.text: Final = compact(dict(parts))

    def __reduce__(self) -> tuple[object, ...]:
        return FixedParts, (dict(self),)

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("these parts of a record stay as they are: make a dict of them first")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class AttemptText(NamedTuple):
    """An attempt as JSON, and parts of it that others write, too.

    Attributes:
        whole: The attempt.
        facts: Its facts.
        artifacts: Its artifacts.
        started: When it began; "null" if nobody knows.
        ended: When it ended, likewise.
    """

    whole: str
    facts: str
    artifacts: str
    started: str
    ended: str


def attempt_text(attempt: Attempt) -> AttemptText:
    """The text of an attempt; what is empty is left out of the whole."""
    facts = compact(dict(attempt.facts))
    artifacts = ",".join([artifact_text(each) for each in attempt.artifacts])
    started, ended = moment_text(attempt.started), moment_text(attempt.ended)
    text = f'{{"number":{attempt.number},"state":"{attempt.state._value_}"'
    if attempt.started is not None:
        text += f',"started":{started}'
    if attempt.ended is not None:
        text += f',"ended":{ended}'
    if artifacts:
        text += f',"artifacts":[{artifacts}]'
    if attempt.inputs:
        text += f',"inputs":{_inputs_text(attempt.inputs)}'
    if attempt.grown:
        text += f',"grown":{_inputs_text(attempt.grown)}'
    whole = f"{text}{_origin_text(attempt, facts)}}}"
    return AttemptText(whole, facts, f"[{artifacts}]", started, ended)


def _origin_text(attempt: Attempt, facts: str) -> str:
    """The rest of the text of an attempt: how it ended, who made it and from what."""
    run, text = attempt.run, ""
    if attempt.error is not None:
        text += f',"error":{compact(asdict(attempt.error))}'
    if attempt.facts:
        text += f',"facts":{facts}'
    if run is not None:
        counter = "null" if run.sweep_counter is None else quoted(run.sweep_counter)
        text += f',"run":[{quoted(run.project_name)},{quoted(run.run_name)},'
        text += f"{quoted(run.unique_name)},{counter}]"
    if attempt.owner is not None:
        text += f',"owner":{owner_text(attempt.owner)}'
    if origin := attempt.provenance:
        known = origin.text if type(origin) is FixedParts else compact(dict(origin))
        text += f',"provenance":{known}'
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


def moment_text(moment: float | None) -> str:
    """The text of a time or a duration, to the microsecond; to round a number takes longer."""
    if moment is None:
        return "null"
    if type(moment) is not float or not 0.0 <= moment < _LATEST:
        return compact(round(moment, 6))
    text = f"{moment:.6f}"
    return text if text[-1] != "0" else _without_zeros(text)


def _without_zeros(text: str) -> str:
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


_LATEST: Final = 1e10
"""Until then a microsecond is more than the distance of two numbers."""


@lru_cache(maxsize=8)
def owner_text(owner: Owner) -> str:
    """The text of an owner: a process writes the same one again and again."""
    return compact(owner.to_list())


def _inputs_text(inputs: Sequence[Input]) -> str:
    return compact([[i.role, i.address.task, i.address.key, i.attempt] for i in inputs])
