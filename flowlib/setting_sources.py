"""Where are settings written down? The environment, `.env`, and the files of project and user."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from flowlib.dotenv import assignments
from flowlib.errors import SettingsError
from stores.lazy_dataclass import dataclass

PREFIX: Final = "FLOWLIB_"
_OF_TESTS: Final = ("FLOWLIB_TEST_", "FLOWLIB_BENCH_")
"""Variables of these names belong to the tests of flowlib itself."""

PROJECT_MARKS: Final = ("pyproject.toml", "flowlib.toml", ".git")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting, as it was found.

    Attributes:
        name: The name it was given there.
        setting: The name of the setting that it would be.
        value: As it stands there.
        place: Where it stands, for messages.
        folder: What relative paths in the value are relative to.
    """

    name: str
    setting: str
    value: object
    place: str
    folder: Path

    @property
    def origin(self) -> str:
        """Name and place."""
        return f"{self.name} in {self.place}"


def entries(environment: Mapping[str, str], folder: Path | None) -> Iterator[Entry]:
    """All that is written down, the weightiest last.

    Args:
        environment: The variables of the process.
        folder: The working directory; None if it is gone.

    Raises:
        SettingsError: a file cannot be read.
    """
    yield from _of_toml(_user_file(environment), ())
    if folder is not None:
        yield from _of_project(folder)
        yield from _of_dotenv(folder)
    for name, value in environment.items():
        if _is_ours(name):
            yield _variable(name, value, "the environment", folder or Path("/"))


def project_folder(folder: Path) -> Path:
    """The nearest folder with one of `PROJECT_MARKS`, upwards; `folder` itself without one."""
    return next((each for each in (folder, *folder.parents) if _is_project(each)), folder)


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(_OF_TESTS)


def _variable(name: str, value: str | None, place: str, folder: Path) -> Entry:
    rest = name.removeprefix(PREFIX)
    return Entry(name, rest.lower() if rest == rest.upper() else name, value, place, folder)


def _user_file(environment: Mapping[str, str]) -> Path:
    given = environment.get("XDG_CONFIG_HOME", "")
    base = given if given.startswith("/") else os.path.expanduser("~/.config")  # noqa: PTH111  # no home is no error
    return Path(base, "flowlib", "config.toml")


def _of_project(folder: Path) -> Iterator[Entry]:
    """The nearest file with settings, going up from the working directory."""
    for each in (folder, *folder.parents):
        if (file := each / "flowlib.toml").is_file():
            yield from _of_toml(file, ())
            return
        found = list(_of_toml(each / "pyproject.toml", ("tool", "flowlib")))
        if found:
            yield from found
            return


def _of_toml(file: Path, tables: tuple[str, ...]) -> Iterator[Entry]:
    text = _text(file)
    if "flowlib" not in text and tables:
        return  # a big project file costs nothing when it says nothing about us
    import tomllib

    try:
        found: object = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is no TOML: {error}") from None
    for table in tables:
        found = found.get(table, {}) if isinstance(found, dict) else {}
    place = f"[{'.'.join(tables)}] of {file}" if tables else str(file)
    if not isinstance(found, dict):
        raise SettingsError(f"{place} is no table: write its settings below it, a line each")
    for name, value in found.items():
        yield Entry(name, name, value, place, file.parent)


def _of_dotenv(folder: Path) -> Iterator[Entry]:
    """The nearest `.env` that is not above the project."""
    root = project_folder(folder)
    for each in (folder, *folder.parents):
        file = each / ".env"
        if file.is_file():
            for line, name, value in assignments(_text(file)):
                place = f"{file}, line {line}"
                if _is_ours(name) and value is None:
                    raise SettingsError(f"{name} in {place}: a quote is not closed")
                if _is_ours(name):
                    yield _variable(name, value, place, each)
            return
        if each == root:
            return


def _is_project(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in PROJECT_MARKS)


def _text(file: Path) -> str:
    """What stands in a file; nothing if there is none."""
    try:
        return file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
