"""Which document stands for the specs of a graph?"""

from __future__ import annotations

import io
from typing import Any, Final

from flowlib.declaration import Declaration
from flowlib.errors import ConfigError
from flowlib.graph import TaskGraph
from flowlib.markers import to_markers
from flowlib.spec_options import option_values
from flowlib.task_names import name_for

_BREAKS: Final = (r"\x85", r"\u2028", r"\u2029")
"""Line breaks to YAML 1.1, as `repr` writes them, which get lost unless they are escaped."""


def document_of(graph: TaskGraph) -> dict[str, Any]:
    """A document from which the same graph is built, with the same keys.

    Raises:
        ConfigError: a task has no name that leads to it, or a value has no place in a document.
    """
    return {
        "specs": {
            name: _spec(nodes[0].declaration, graph.spec_edges[name])
            for name, nodes in graph.by_spec.items()
        }
    }


def yaml_of(document: dict[str, Any]) -> str:
    """A document as YAML that is read as the same values."""
    from ruamel.yaml import YAML  # slow to import

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None  # what holds no mapping and no list stands in one line
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # hint of the default
    yaml.width = 100
    if any(each in repr(document) for each in _BREAKS):
        yaml.allow_unicode = False
    shown = yaml.representer
    shown.yaml_representers = {**shown.yaml_representers, str: _text}
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _text(shown: Any, text: str) -> object:
    """A scalar; what ruamel leaves bare but does not read is quoted."""
    style = '"' if text.startswith((":", "?")) else None
    return shown.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _spec(declaration: Declaration, requires: tuple[str, ...]) -> dict[str, Any]:
    name, expand = declaration.name, declaration.expand
    if declaration.is_call:
        raise ConfigError(
            f"{name}: a document holds specs, TaskSpec(...), but this is a call of a task, whose "
            f"arguments may be other calls: run the script that makes it"
        )
    if expand is not None and not isinstance(expand, (str, dict)):
        raise ConfigError(f"{name}: a document names its expansion; {expand!r} has no name")
    reduce = declaration.reduce
    given: dict[str, Any] = {
        "task": name_for(declaration.task, name),
        "config": to_markers(dict(declaration.config), name),
        "additional_kwargs": to_markers(dict(declaration.additional_kwargs), name),
        "requires": list(requires),
        "reduce": list(reduce) if isinstance(reduce, tuple) else reduce,
        "expand": to_markers(expand, f"{name}.expand"),
        "config_ignore_prefix": declaration.ignore_prefix,
        "config_group_prefix": declaration.group_prefix,
        "version": declaration.version,
        **option_values(declaration.options),
    }
    return {key: value for key, value in given.items() if not _is_default(key, value)}


def _is_default(key: str, value: object) -> bool:
    if key in ("retries", "retry_pause", "priority"):
        return value == 0
    return value is None or value is False or (value in ({}, []) and key != "resources")
