"""A file or a whole folder: the content is copied into the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from stores.codec import PathCodec, refuse_options


class FileOrFolderCodec(PathCodec):
    """Loading gives the path of the copy, which is the store's: copy it before changing it.

    It is never inferred: a path in a result is saved as a path, for who knows how much lies there.
    """

    keeps_path: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        return False

    def dump_path(self, value: Any, path: Path, **options: Any) -> None:
        import shutil  # slow to import, and every inference imports this module

        refuse_options("path", options)
        source = Path(value)
        if not source.is_dir():
            shutil.copyfile(source, path)
        elif path.resolve().is_relative_to(source.resolve()):
            raise ValueError(f"{source} cannot be copied into itself: name a folder inside it")
        else:
            shutil.copytree(source, path)

    def load_path(self, path: Path, **options: Any) -> Any:
        refuse_options("path", options)
        return path
