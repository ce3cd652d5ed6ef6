"""A file or a whole folder: the content is copied into the store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from stores.codec import PathCodec


class FileOrFolderCodec(PathCodec):
    """Loading gives the path of the copy, which is the store's: copy it before changing it."""

    priority: ClassVar[int] = 30
    keeps_path: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return isinstance(value, Path) and value.exists()

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        source = Path(value)
        if source.is_dir():
            shutil.copytree(source, path, symlinks=True)
        else:
            shutil.copyfile(source, path)

    def load_path(self, path: Path, **options: Any) -> Any:
        return path
