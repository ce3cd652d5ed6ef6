"""What does the API promise? Its OpenAPI document, made of the same names that it reads."""

from __future__ import annotations

from typing import Any, Final

from flowlib.dashboard.questions import MOST_AT_ONCE, NAMES, USUAL
from flowlib.dashboard.statuses import ATTEMPT, RESULT
from flowlib.vocabulary import SHOWN_STATES

Document = dict[str, Any]

_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_WHEN: Final = {
    "type": "string",
    "description": "A date, a time, or how long ago: `2026-01-31`, `2026-01-31T14:00`, `7d`.",
    "example": "2026-01-31",
}
_SCHEMAS: Final[Document] = {
    **dict.fromkeys(("task", "executor", "host", "user", "run", "text"), _TEXT),
    "sort": {
        **_TEXT,
        "default": "-when",
        "description": (
            "id, task, state, time, when, updated, run, or a path of configs; "
            "`-` for the largest first."
        ),
    },
    "result_status": {"type": "string", "enum": [*RESULT]},
    "attempt_status": {"type": "string", "enum": [*ATTEMPT]},
    "state": {"type": "string", "enum": [*SHOWN_STATES]},
    **dict.fromkeys(("started_after", "started_before", "updated_after", "updated_before"), _WHEN),
    "config_filter": {
        "type": "array",
        "items": {"type": "string", "example": "lr=0.001"},
        "description": "What the config has to hold; all of several.",
    },
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL},
    "offset": {"type": "integer", "minimum": 0, "maximum": 10**12, "default": 0},
}
_NULL_TEXT: Final = {"type": ["string", "null"]}
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_ADDRESS: Final = {
    "id": {**_TEXT, "description": "Task and beginning of the key, for people; may not be unique."},
    "address": {**_TEXT, "description": "Task and whole key: no other one has it."},
    "task": _TEXT,
    "key": _TEXT,
}
_RESULT: Final = {"type": "string", "enum": [*RESULT]}
_ATTEMPT: Final = {"type": ["string", "null"], "enum": [*ATTEMPT, None]}


def _object(needed: Document, **optional: Any) -> Document:
    return {"type": "object", "required": [*needed], "properties": {**needed, **optional}}


_ROW: Final = {
    **_ADDRESS,
    "state": {"type": "string", "enum": [*SHOWN_STATES]},
    "result_status": _RESULT,
    "attempt_status": _ATTEMPT,
    "attempt": {"type": ["integer", "null"]},
    "started_at": _NULL_TEXT,
    "ended_at": _NULL_TEXT,
    "updated_at": _NULL_TEXT,
    "duration_s": {"type": ["number", "null"]},
    **dict.fromkeys(("run", "unique_name", "executor", "host", "user", "error_type"), _TEXT),
    "config": {"type": "object"},
}
_REFUSALS: Final = {
    "400": "The request cannot be read, or asks a host name that is not served.",
    "401": "A token is needed, and none was given or another one.",
    "405": "Only GET and HEAD: nothing here changes anything.",
    "422": "A parameter is not known, or has no such value.",
    "503": "The store is still being read, or cannot be read now.",
}
"""What any address may answer, with the reason in words."""

_NEIGHBOUR: Final = {**_ADDRESS, "result_status": _RESULT, "attempt_status": _ATTEMPT}
_COMPONENTS: Final[Document] = {
    "Problem": _object({"detail": _TEXT}),
    "Experiments": _object(
        {
            "schema": {"type": "integer"},
            "total": {"type": "integer", "minimum": 0},
            "offset": {"type": "integer", "minimum": 0},
            "limit": {"type": "integer", "minimum": 1},
            "experiments": {"type": "array", "items": _object(_ROW)},
        }
    ),
    "Experiment": _object({"schema": {"type": "integer"}, **_ADDRESS}),
    "Relationships": _object(
        {
            "schema": {"type": "integer"},
            **_ADDRESS,
            "parents": {
                "type": "array",
                "items": _object({**_NEIGHBOUR, "role": _TEXT, "is_grown": _FLAG}),
            },
            "children": {"type": "array", "items": _object(_NEIGHBOUR)},
        }
    ),
    "Stats": _object(
        {
            "schema": {"type": "integer"},
            "total": {"type": "integer", "minimum": 0},
            "result_status": _COUNTS,
            "attempt_status": _COUNTS,
            "states": _COUNTS,
            "tasks": {"type": "object", "additionalProperties": _COUNTS},
            "unreadable": {"type": "integer"},
            "runs": {"type": "integer"},
            "live_runs": {"type": "integer"},
        }
    ),
    "Dag": _object(
        {
            "schema": {"type": "integer"},
            "total": {"type": "integer", "minimum": 0},
            "nodes": {
                "type": "array",
                "items": _object({**_ADDRESS, "state": _NULL_TEXT, "result_status": _RESULT}),
            },
            "edges": {
                "type": "array",
                "description": "From node to node, by address.",
                "items": _object({"source": _TEXT, "target": _TEXT}),
            },
            "tasks": {
                "type": "array",
                "description": "From task to task, by name.",
                "items": _object({"source": _TEXT, "target": _TEXT, "count": {"type": "integer"}}),
            },
        }
    ),
}


def openapi(version: str) -> Document:
    """The document.

    Args:
        version: Of flowlib.
    """
    asked = [_query(name) for name in NAMES]
    filters = [_query(name) for name in NAMES if name not in ("sort", "limit", "offset")]
    place = [_path("task"), _path("key")]
    one = "/api/experiments/{task}/{key}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "flowlib dashboard", "version": version},
        "paths": {
            "/api/experiments": _get("The tasks that fit, page by page.", "Experiments", asked),
            one: _get("All about one task.", "Experiment", place, is_one=True),
            f"{one}/relationships": _get(
                "What it has read and what has read it.", "Relationships", place, is_one=True
            ),
            "/api/stats": _get("How many there are of each kind.", "Stats", []),
            "/api/dag": _get("The tasks that fit, and what they have read.", "Dag", filters),
        },
        "components": {
            "schemas": _COMPONENTS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],  # asked for where others than this host may ask
    }


def _query(name: str) -> Document:
    return {"name": name, "in": "query", "required": False, "schema": _SCHEMAS[name]}


def _path(name: str) -> Document:
    return {
        "name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}
    }  # fmt: skip


def _get(what: str, schema: str, parameters: list[Document], *, is_one: bool = False) -> Document:
    problem = {"$ref": "#/components/schemas/Problem"}
    answers: Document = {"200": _answer(what, {"$ref": f"#/components/schemas/{schema}"})}
    for code, told in _REFUSALS.items():
        answers[code] = _answer(told, problem)
    if is_one:
        answers["404"] = _answer("There is no such task.", problem)
    return {
        "get": {
            "operationId": schema.lower(),
            "summary": what,
            "parameters": parameters,
            "responses": answers,
        }
    }


def _answer(what: str, schema: Document) -> Document:
    return {"description": what, "content": {"application/json": {"schema": schema}}}
