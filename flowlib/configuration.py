"""
Which settings hold in this process? The weightiest source that names one decides.

    argument of a call > configure() > environment > .env > flowlib.toml or pyproject.toml
        > $XDG_CONFIG_HOME/flowlib/config.toml > default

They are read when first asked for, not when flowlib is imported, and kept. Workers are told those
of their driver.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, field, fields
from pathlib import Path
from typing import Any, Final

from flowlib.credentials import without_credentials
from flowlib.errors import SettingsError, nearest
from flowlib.setting_kinds import (
    COUNT,
    FLAG,
    LEVEL,
    NAMES,
    SECONDS,
    STORE,
    STORES,
    VIEW,
    Kind,
    one_of,
)
from flowlib.setting_sources import PREFIX, Entry, entries
from stores.lazy_dataclass import dataclass

_DEFAULT: Final = "default"


def _setting(kind: Kind, default: object, meaning: str, shown: str = "") -> Any:
    return field(default=default, metadata={"kind": kind, "meaning": meaning, "shown": shown})


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """All settings, each with its default; `docs/settings.md` is this table."""

    store: str | None = _setting(
        STORE, None, "Where results live when a call names no store", "a memory store per run"
    )
    stores: tuple[tuple[str, str], ...] = _setting(
        STORES, (), "Stores by name, for `use_store` and direct calls", "none"
    )
    log_level: str | int = _setting(
        LEVEL, "INFO", "From which level on `configure_logging` shows records"
    )
    rich_uncaught_tracebacks: bool = _setting(
        FLAG, True, "Whether `configure_logging` has rich show uncaught exceptions"
    )
    ignore_diff: bool = _setting(
        FLAG, False, "Whether records leave out what differs from the last commit"
    )
    keep_untracked: bool = _setting(
        FLAG, False, "Whether files that git does not track are kept, too, for `flowlib reproduce`"
    )
    recorded_variables: tuple[str, ...] = _setting(
        NAMES,
        ("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "*_NUM_THREADS", "PYTHONHASHSEED"),
        "Which variables of the environment records tell of",
        "`CUDA_VISIBLE_DEVICES`, `CUBLAS_WORKSPACE_CONFIG`, `*_NUM_THREADS`, `PYTHONHASHSEED`",
    )
    lease_secs: float = _setting(
        SECONDS, 120.0, "After how long the work of a silent process on another host is taken over"
    )
    heartbeat_secs: float = _setting(
        SECONDS, 40.0, "How often a process shows that it is at work", "a third of `lease_secs`"
    )
    stale_after_secs: float = _setting(
        SECONDS, 1800.0, "After how long a run without sign of life counts as interrupted"
    )
    poll_interval_secs: float = _setting(
        SECONDS, 10.0, "The longest pause between looks at tasks that another process computes"
    )
    wait_log_every_secs: float = _setting(
        SECONDS, 10.0, "How often a run says that it waits for another process"
    )
    log_limit_bytes: int = _setting(
        COUNT, 64 << 20, "How much of its output the log of a task keeps: its ends"
    )
    preempt_max: int = _setting(
        COUNT, 5, "How often a task is started again whose process was taken away"
    )
    cancelled_is_preempted: bool = _setting(
        FLAG, False, "Whether a process killed from outside counts as taken away, too"
    )
    on_code_change: str = _setting(
        one_of("warn", "rerun", "ignore", "error"),
        "warn",
        "What is done with results that other code has made: see [code](code.md)",
    )
    progress: str = _setting(VIEW, "auto", "Which view of a run is shown")
    color: str = _setting(one_of("auto", "always", "never"), "auto", "Whether output is coloured")
    ascii: bool = _setting(
        FLAG, False, "Whether drawings keep to ASCII also where the terminal can show more"
    )
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        named = (f"{name}={getattr(self, name)!r}" for name in TABLE)
        return without_credentials(f"Settings({', '.join(named)})")

    def origin(self, name: str) -> str:
        """Where the value of a setting comes from: `default`, or a name and its place.

        Raises:
            SettingsError: there is no such setting.
        """
        if name not in TABLE:
            raise SettingsError(_unknown(name, name, "flowlib"))
        return self.origins.get(name, _DEFAULT)


TABLE: Final[Mapping[str, Field[Any]]] = {
    each.name: each for each in fields(Settings) if each.name != "origins"
}
"""The settings by name, with kind and meaning."""

_changes: dict[str, Entry] = {}
_known: Settings | None = None


def settings() -> Settings:
    """The settings that hold, read when they are first asked for.

    Raises:
        SettingsError: a source names an unknown setting, or a value that is none.
    """
    global _known
    if _known is None:
        _known = _read(_changes)
    return _known


def configure(**changes: object) -> Settings:
    """Change settings of this process, and read all sources anew.

    Args:
        **changes: Settings by name; None takes an earlier change back.

    Raises:
        SettingsError: there is no such setting, or a value is none; then nothing has changed.
    """
    global _changes, _known
    for name in changes:
        if name not in TABLE:
            raise SettingsError(_unknown(name, name, "configure()"))
    merged = {**_changes, **{name: _entry(name, value) for name, value in changes.items()}}
    kept = {name: each for name, each in merged.items() if each.value is not None}
    _known = _read(kept)
    _changes = kept
    return _known


def adopt(given: Settings) -> None:
    """Take the settings of the driver, whatever is written down where this worker runs."""
    global _known
    _known = given


def forget() -> None:
    """Take all changes back and read the sources anew when asked next."""
    global _changes, _known
    _changes, _known = {}, None


def _entry(name: str, value: object) -> Entry:
    return Entry(name, name, value, "configure()", _working_directory() or Path("/"))


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None  # it was removed


def _read(changes: Mapping[str, Entry]) -> Settings:
    found: dict[str, Entry] = {}
    for each in (*entries(os.environ, _working_directory()), *changes.values()):
        if each.setting not in TABLE:
            raise SettingsError(_unknown(each.name, each.setting, each.place))
        found[each.setting] = each
    values = {name: _value(each) for name, each in found.items()}
    origins = {name: each.origin for name, each in found.items()}
    if "heartbeat_secs" not in values and "lease_secs" in values:
        values["heartbeat_secs"] = values["lease_secs"] / 3
        origins["heartbeat_secs"] = f"a third of {origins['lease_secs']}"
    known = Settings(**values, origins=origins)
    if known.heartbeat_secs >= known.lease_secs:
        raise SettingsError(
            f"a lease would end before it is renewed: heartbeat_secs is {known.heartbeat_secs:g} "
            f"({known.origin('heartbeat_secs')}), lease_secs {known.lease_secs:g} "
            f"({known.origin('lease_secs')}); give a third of it"
        )
    return known


def _value(entry: Entry) -> Any:
    kind: Kind = TABLE[entry.setting].metadata["kind"]
    try:
        value = kind.read(entry.value)
    except (TypeError, ValueError, OverflowError):
        raise SettingsError(f"{entry.origin} is {entry.value!r}; expected {kind.expects}") from None
    if kind in (STORE, STORES):
        from stores.uri import anchored

        folder = str(entry.folder)
        if kind is STORE:
            return anchored(str(value), folder)
        pairs: Any = value
        return tuple((name, anchored(uri, folder)) for name, uri in pairs)
    return value


def _unknown(name: str, setting: str, place: str) -> str:
    """What is wrong with a name, and the nearest one, written as this one was."""
    hint = nearest(setting, TABLE)
    if hint and name.startswith(PREFIX):
        hint = nearest(setting, [each.upper() for each in TABLE]).replace("mean ", f"mean {PREFIX}")
    return f"{name} in {place}: there is no such setting.{hint} They are: {', '.join(TABLE)}"
