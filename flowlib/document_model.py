"""What may stand in a document: the parameters of a TaskSpec, one mapping for each spec."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

Names = StrictStr | list[StrictStr]
Number = StrictInt | float


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class OptionsDocument(_Model):
    """Options of a spec that are no part of its identity, as `TaskSpec` takes them."""

    resources: dict[str, Number | StrictStr] | None = None
    retries: StrictInt | dict[str, StrictInt] | None = None
    retry_pause: Number | StrictStr | None = None
    timeout: Number | StrictStr | None = None
    fresh_process: StrictBool | None = None
    priority: StrictInt | None = None
    tags: Names | None = None
    on_failure: StrictStr | None = None
    min_ok: Number | None = None
    wait_timeout: Number | StrictStr | None = None
    on_code_change: StrictStr | None = None
    store: StrictStr | None = None
    executor_options: dict[str, dict[str, Any]] | None = None


class SpecDocument(OptionsDocument):
    """One spec.

    Attributes:
        task: `module:attribute`, or the name of something in the modules of `import`; without it
            the name of the spec is meant.
        config: The parameters; lists are choices under `expand`.
        requires: Names of the specs it reads from.
    """

    task: StrictStr | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    requires: Names = Field(default_factory=list)
    reduce: StrictBool | list[StrictStr] | None = None
    expand: StrictStr | dict[str, Any] | None = None
    config_ignore_prefix: StrictStr | None = None
    config_group_prefix: StrictStr | None = None
    version: StrictStr | StrictInt | None = None


class FlowDocument(_Model):
    """A whole flow.

    Attributes:
        project: Name of the project of its runs.
        modules: Modules, or files beside the document, in which the tasks are.
        store: Where the results go, as `open_store` takes it.
        stores: The same for specs that name another store, by these names.
        config_ignore_prefix: As in `Flow`.
        config_group_prefix: As in `Flow`.
        defaults: Options of all specs that have none of their own.
        specs: By name, in order.
    """

    project: StrictStr | None = None
    modules: Annotated[Names, Field(alias="import")] = Field(default_factory=list)
    store: StrictStr | dict[str, Any] | None = None
    stores: dict[str, StrictStr | dict[str, Any]] = Field(default_factory=dict)
    config_ignore_prefix: StrictStr | None = None
    config_group_prefix: StrictStr | None = None
    defaults: OptionsDocument = Field(default_factory=OptionsDocument)
    specs: dict[str, SpecDocument]


def json_schema() -> dict[str, Any]:
    """The JSON schema of documents, for editors."""
    schema = FlowDocument.model_json_schema(by_alias=True)
    schema["properties"]["include"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "Documents that this one stands upon; paths are relative to it.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
