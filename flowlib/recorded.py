"""What does a record tell of a node's config: the whole of it, the user's part, the defaults?"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quoted

from flowlib.declaration import Declaration
from flowlib.node import Argument
from flowlib.signature import Parameter
from stores import Unencodable, canonical


def default_text(parameter: Parameter | None) -> str | None:
    """The canonical text of a parameter's default; None without one or if it has no text."""
    if parameter is None or parameter.is_required:
        return None
    default = parameter.default
    if parameter.annotation is float and type(default) is int:
        default = float(default)
    try:
        return canonical.encode(default)
    except Unencodable:
        return None


def parameter_texts(config: str) -> dict[str, str]:
    """The canonical text of each parameter in the canonical text of a config."""
    values: dict[str, object] = json.loads(config)
    return {
        name: json.dumps(value, sort_keys=True, separators=(",", ":"))
        for name, value in values.items()
    }


class RecordedConfig:
    """The texts that the records of one spec hold; defaults are encoded once."""

    def __init__(self, declaration: Declaration) -> None:
        extra = declaration.additional_kwargs.keys()
        parameters = declaration.signature.config
        texts = {name: default_text(parameters[name]) for name in parameters if name not in extra}
        self._defaults = {name: text for name, text in sorted(texts.items()) if text is not None}
        self._named = {name: f"{quoted(name)}:{text}" for name, text in self._defaults.items()}
        self._digests: dict[tuple[str, ...], str] = {}

    def full(self, arguments: tuple[Argument, ...]) -> str:
        """The whole resolved config, defaults included, ignored keys left out."""
        texts = dict(self._named)
        for argument in arguments:
            texts.pop(argument.name, None)
            if argument.full_text is not None:
                texts[argument.name] = argument.full_text
        return "{" + ",".join([texts[name] for name in sorted(texts)]) + "}"

    def user(self, arguments: tuple[Argument, ...]) -> str:
        """What the user gave, None and defaults kept, ignored keys left out."""
        return "{" + ",".join([a.user_text for a in arguments if a.user_text is not None]) + "}"

    def defaults_digest(self, arguments: tuple[Argument, ...]) -> str:
        """Tells records apart whose parameters have the defaults of another day.

        Covers the parameters that are at their default, so that a default that was changed
        is noticed and one that was only added is none of it: the plan compares them one by one.
        """
        differing = tuple([a.name for a in arguments if a.key_text is not None])
        known = self._digests.get(differing)
        if known is None:
            known = self._digests[differing] = self._digest(differing)
        return known

    def _digest(self, differing: tuple[str, ...]) -> str:
        texts = [f"{quoted(n)}:{t}" for n, t in self._defaults.items() if n not in differing]
        return canonical.digest(",".join(texts))[:12] if texts else ""


class RecordedConfigs(dict[Declaration, RecordedConfig]):
    """The texts of specs, made when one is first asked for."""

    def __missing__(self, declaration: Declaration) -> RecordedConfig:
        found = self[declaration] = RecordedConfig(declaration)
        return found
