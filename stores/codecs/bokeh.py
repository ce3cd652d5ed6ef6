"""Plots of bokeh as the JSON of their document."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library, refuse_options


class BokehCodec(Codec):
    """On request only. A plot or layout comes back as one, a `Document` as a document.

    It is a new plot of the same content. There are no options; Python callbacks are left out.
    """

    extension: ClassVar[str] = "json"
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("bokeh", options)
        document: Any = library("bokeh.document", "viz").Document
        if isinstance(value, document):
            content = {"is_document": True, "document": value.to_json(deferred=False)}
        elif isinstance(value, library("bokeh.model", "viz").Model):
            content = {"is_document": False, "document": _shown(value, document())}
        else:
            raise TypeError("only a model or a Document can be saved as bokeh")
        text = library("bokeh.core.json_encoder", "viz").serialize_json(content)
        stream.write(text.encode())

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options("bokeh", options)
        content = json.loads(stream.read())
        library("bokeh.models", "viz")
        library("bokeh.plotting", "viz")
        document: Any = library("bokeh.document", "viz").Document
        try:
            found = document.from_json(content["document"])
        except (KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(f"it is no document of bokeh ({error})") from error
        if content["is_document"]:
            return found
        (model,) = found.roots
        found.remove_root(model)
        return model


def _shown(model: Any, document: Any) -> Any:
    """The JSON of a document that shows the model, which then belongs to none again."""
    if model.document is not None:
        raise ValueError("it belongs to a document: save that, or the plot before it is shown")
    document.add_root(model)
    try:
        return document.to_json(deferred=False)
    finally:
        document.remove_root(model)
