"""Tensors and state dicts of PyTorch, read without running code."""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from stores.codec import Codec, library

_FIRST_SAFE: Final = (2, 6)
"""Before this version, `weights_only` could be tricked into running code (CVE-2025-32434)."""


class TorchCodec(Codec):
    """A tensor or a dict of tensors; on request all that `torch.load(weights_only=True)` reads.

    Options are those of `torch.save` and `torch.load`: `map_location="cpu"` reads tensors of a
    device that is not here, `mmap=True` maps the file. A view is saved with all of its memory.
    """

    extension: ClassVar[str] = "pt"
    priority: ClassVar[int] = 10

    def handles(self, value: object) -> bool:
        torch: Any = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "Tensor"):
            return False
        if type(value) in (dict, OrderedDict):
            items = value.items()  # type: ignore[attr-defined]  # checked by exact type
            return bool(items) and all(
                type(name) is str and _is_plain(torch, each) for name, each in items
            )
        return _is_plain(torch, value)

    def dump(self, value: Any, stream: BinaryIO, **options: Any) -> None:
        library("torch", "torch").save(value, stream, **options)

    def load(self, stream: BinaryIO, **options: Any) -> Any:
        return _load(stream, options)

    def load_path(self, path: Path, **options: Any) -> Any:
        return _load(str(path), options)


def _is_plain(torch: Any, value: Any) -> bool:
    """Whether it is a tensor that comes back as it is: dense, with data, no result of others."""
    is_tensor = type(value) is torch.Tensor or type(value) is torch.nn.Parameter
    return bool(is_tensor and value.layout == torch.strided and not value.is_meta and value.is_leaf)


def _load(source: BinaryIO | str, options: dict[str, Any]) -> Any:
    torch: Any = library("torch", "torch")
    if "weights_only" in options:
        raise TypeError("weights_only cannot be chosen: save objects of classes as pickle")
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < _FIRST_SAFE:
        raise TypeError(f"torch {torch.__version__} does not read safely: 2.6 or newer is needed")
    try:
        return torch.load(source, weights_only=True, **options)
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f"it holds no plain tensors, or is damaged ({error})") from error
