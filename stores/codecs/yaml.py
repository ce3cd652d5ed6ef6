"""Plain values as YAML, written and read by the safe dialect of ruamel."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, ClassVar

from stores.codec import Codec, library, refuse_options


class YamlCodec(Codec):
    """On request only: what a person may want to read or edit. There are no options."""

    extension: ClassVar[str] = "yaml"
    is_text: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return False

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        refuse_options("yaml", options)
        text = io.StringIO()
        yaml: Any = _yaml()
        try:
            yaml.dump(value, text)
        except library("ruamel.yaml", "all").YAMLError as error:
            raise TypeError(str(error)) from error
        stream.write(text.getvalue().encode())

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        refuse_options("yaml", options)
        try:
            return _yaml().load(stream.read().decode())
        except library("ruamel.yaml", "all").YAMLError as error:
            raise ValueError(f"it is no YAML, or damaged ({error})") from error


def _yaml() -> Any:
    yaml = library("ruamel.yaml", "all").YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False
    return yaml
