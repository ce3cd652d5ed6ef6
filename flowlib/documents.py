"""From a document and overrides to specs, and from specs back to a document."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flowlib.document_model import FlowDocument, OptionsDocument, SpecDocument
from flowlib.errors import ConfigError, FlowError, ParameterError, SweepError, nearest
from flowlib.markers import from_markers
from flowlib.next_commands import NO_COMMAND, RunCommand
from flowlib.overrides import Override
from flowlib.overriding import Overrides, apply, parsed
from flowlib.setting_sources import project_folder
from flowlib.sources import STDIN, Place, Source, read_source
from flowlib.spec import TaskSpec
from flowlib.task_names import TaskNames
from stores import ResultsStore, StoreError, open_store
from stores.lazy_dataclass import dataclass

_OPTIONS = tuple(OptionsDocument.model_fields)
_NO_PARAMETERS = frozenset({"task", "requires"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a document says.

    Attributes:
        source: Its content with what it includes.
        document: The same, checked.
        specs: The specs, in order, linked.
    """

    source: Source
    document: FlowDocument
    specs: tuple[TaskSpec, ...]

    @property
    def prefixes(self) -> tuple[str | None, str | None]:
        """What marks ignored keys and groups, for specs that do not say."""
        return self.document.config_ignore_prefix, self.document.config_group_prefix

    @contextlib.contextmanager
    def located(self) -> Iterator[None]:
        """Put the file and the line before the errors of this block, where they name a spec."""
        try:
            yield
        except ConfigError:
            raise
        except (SweepError, ParameterError) as error:
            path = tuple(error.path.split("."))
            place: Place = ("specs", error.spec, *path)
            if place not in self.source.marks:  # a parameter, no option
                place = ("specs", error.spec, "config", *path)
            raise ConfigError(f"{self.source.where(place)}: {error}") from error
        except FlowError as error:
            names = [name for name in self.document.specs if str(error).startswith(name)]
            place = ("specs", max(names, key=len)) if names else ()
            raise ConfigError(f"{self.source.where(place)}: {error}") from error


def load(
    path: str | Path, overrides: Overrides = (), options: Mapping[str, Any] | None = None
) -> Loaded:
    """The specs of a document.

    Args:
        path: A YAML, TOML or JSON file.
        overrides: Changes of it.
        options: Options that all specs get, in place of their own.

    Raises:
        ConfigError: something is not as it should be; the message begins with `file:line`.
    """
    return build(with_includes(Path(path)), Path(path).parent, overrides, options)


def with_includes(path: Path, above: tuple[Path, ...] = ()) -> Source:
    """A document upon those that it includes; later ones win, and it wins over all.

    Raises:
        ConfigError: one cannot be read, or includes itself.
    """
    resolved = path.resolve()
    if resolved in above:
        raise ConfigError(f"{path} includes itself")
    source = read_source(path)
    if not isinstance(source.value, dict):
        raise ConfigError(f"{source.where()}: a document is a mapping with the key specs")
    names = source.value.pop("include", [])
    below = Source(str(path), {})
    for at, name in enumerate([names] if isinstance(names, str) else names):
        if not isinstance(name, str):
            raise ConfigError(f"{source.where(('include', at))}: include takes names of files")
        below = with_includes(path.parent / name, (*above, resolved)).over(below)
    return source.over(below)


def spec_names_of(path: Path) -> list[str]:
    """The names of the specs of a document; nothing is checked or imported.

    Raises:
        ConfigError: a file cannot be read.
    """
    value = with_includes(path).value
    specs = value.get("specs") if isinstance(value, dict) else None
    return list(specs) if isinstance(specs, dict) else []


def parameter_names_of(path: Path) -> list[str]:
    """The parameters that the specs of a document give, as overrides name them.

    Raises:
        ConfigError: a file cannot be read.
    """
    value = with_includes(path).value
    specs = value.get("specs") if isinstance(value, dict) else None
    named = specs.items() if isinstance(specs, dict) else ()
    configs = [(name, each.get("config")) for name, each in named if isinstance(each, dict)]
    return [f"{name}.{key}" for name, config in configs for key in config or ()]


def build(
    source: Source,
    folder: Path,
    overrides: Overrides = (),
    options: Mapping[str, Any] | None = None,
) -> Loaded:
    """The specs of a source, as `load`.

    Args:
        source: The content, without includes.
        folder: Where files that it names are looked for.
        overrides: Changes of it.
        options: Options that all specs get, in place of their own.
    """
    document = _validated(source)
    with _at(source, ("import",)):
        names = TaskNames(_listed(document.modules), folder)
    builder = _Builder(source, document, names, options or {})
    return builder.built(parsed(overrides))


def _validated(source: Source) -> FlowDocument:
    value: Any = source.value
    specs = value.get("specs")
    if isinstance(specs, dict):
        value = {**value, "specs": {k: {} if v is None else v for k, v in specs.items()}}
    try:
        return FlowDocument.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = source.where(_known(source, first["loc"]))
        raise ConfigError(f"{where}: {_reason(first)}") from None


def _known(source: Source, location: tuple[str | int, ...]) -> Place:
    """The longest beginning of a location that stands in the document."""
    place: Place = ()
    for key in location:
        if (*place, key) in source.marks:
            place = (*place, key)
    return place


def _reason(fault: Any) -> str:
    dotted = ".".join(str(each) for each in fault["loc"])
    if fault["type"] == "extra_forbidden":
        is_spec = fault["loc"][0] == "specs"
        model = SpecDocument if is_spec else FlowDocument
        if fault["loc"][0] == "defaults":
            known = [*_OPTIONS]
        else:
            known = [field.alias or name for name, field in model.model_fields.items()]
        wrong = str(fault["loc"][-1])
        return f"{dotted} is not known.{nearest(wrong, known)} It can be: {', '.join(known)}"
    if fault["type"] == "missing":
        return f"{dotted} is missing"
    return f"{dotted}: {fault['msg'][:1].lower()}{fault['msg'][1:]}, found {fault['input']!r}"


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


@contextlib.contextmanager
def _at(source: Source, place: Place) -> Iterator[None]:
    """Put the place before an error that does not have one yet."""
    try:
        yield
    except (FlowError, TypeError, ValueError) as error:
        raise ConfigError(f"{source.where(place)}: {error}") from error


class _Builder:
    """Makes the specs of one document."""

    def __init__(
        self,
        source: Source,
        document: FlowDocument,
        names: TaskNames,
        options: Mapping[str, Any],
    ) -> None:
        self._source = source
        self._options = {name: value for name, value in options.items() if value is not None}
        self._document = document
        self._tasks = {name: self._task(name, each, names) for name, each in document.specs.items()}
        self._configs: dict[str, dict[str, Any]] = {
            name: self._markers(("specs", name, "config"), each.config)
            for name, each in document.specs.items()
        }

    def built(self, overrides: Sequence[Override]) -> Loaded:
        """The specs, linked."""
        apply(overrides, self._configs, self._tasks)
        specs = {name: self._spec(name, each) for name, each in self._document.specs.items()}
        for name, each in self._document.specs.items():
            for at, required in enumerate(_listed(each.requires)):
                if required not in specs:
                    where = self._source.where(("specs", name, "requires", at))
                    hint = nearest(required, specs)
                    raise ConfigError(f"{where}: {name} requires {required}, no spec.{hint}")
                specs[name].requires(specs[required])
        return Loaded(self._source, self._document, tuple(specs.values()))

    def _task(self, name: str, spec: SpecDocument, names: TaskNames) -> Any:
        place: Place = ("specs", name, "task") if spec.task else ("specs", name)
        with _at(self._source, place):
            return names.find(spec.task or name)

    def _markers(self, place: Place, config: dict[str, Any]) -> dict[str, Any]:
        return {
            key: from_markers(self._source, (*place, key), value) for key, value in config.items()
        }

    def _spec(self, name: str, document: SpecDocument) -> TaskSpec:
        given: dict[str, Any] = {
            key: value
            for key in (*OptionsDocument.model_fields, *SpecDocument.model_fields)
            if key not in _NO_PARAMETERS
            and key in document.model_fields_set
            and (value := getattr(document, key)) is not None
        }
        defaults = self._document.defaults
        for key in _OPTIONS:
            if key not in given and (value := getattr(defaults, key)) is not None:
                given[key] = value
        extra = self._markers(("specs", name, "additional_kwargs"), document.additional_kwargs)
        given |= {"config": self._configs[name], "additional_kwargs": extra, "name": name}
        given |= self._options
        with _at(self._source, ("specs", name)):
            return TaskSpec(self._tasks[name], **given)


def command_of(loaded: Loaded, path: str | Path, overrides: Overrides) -> RunCommand:
    """The words of the command that runs the flow of a document."""
    if str(path) == STDIN or (isinstance(overrides, Mapping) and overrides):
        return NO_COMMAND
    words = ("flowlib", "run", str(path), *overrides)
    return RunCommand(words, names_store=loaded.document.store is not None)


def store_of(loaded: Loaded, path: Path) -> ResultsStore | None:
    """The store that a document names; a relative folder is one of the project of the document.

    Raises:
        ConfigError: it is no store.
    """
    where = loaded.document.store
    return None if where is None else _opened(loaded, path, where, ("store",))


def stores_of(loaded: Loaded, path: Path) -> dict[str, ResultsStore]:
    """The stores that its specs name; relative folders are as for `store_of`.

    Raises:
        ConfigError: one is no store.
    """
    named = loaded.document.stores
    return {name: _opened(loaded, path, named[name], ("stores", name)) for name in named}


def _opened(loaded: Loaded, path: Path, where: str | dict[str, Any], place: Place) -> ResultsStore:
    if isinstance(where, str) and where.startswith("file:"):
        where = f"file:{project_folder(path.resolve().parent) / where.removeprefix('file:')}"
    try:
        return open_store(where)
    except StoreError as error:
        raise ConfigError(f"{loaded.source.where(place)}: {error}") from error
