"""How do two records differ? Config, code, upstream, results, environment; and what is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowlib.console_text import Line, Span, harmless
from flowlib.durations import took
from flowlib.origin_lines import commit_text
from flowlib.provenance import DIGESTS, PACKAGES
from flowlib.record_list import leaves, short
from flowlib.record_story import RecordStory
from flowlib.record_story_lines import size_text
from flowlib.signs import Signs
from stores import Address, canonical
from stores.canonical import Opaque
from stores.config_paths import ABSENT
from stores.lazy_dataclass import dataclass

_CODE: Final = ("git_commit", "git_dirty", "git_diff_digest")
_NOISE: Final = frozenset(
    {*_CODE, *DIGESTS.values(), "git_diff", "git_branch", "git_remote", "git_root", "git_untracked"}
    | {"pid", "command", "notes", "environment", "again"}
)
"""Of where a result comes from, what is told as code, or differs in any two runs."""

_TIME: Final = "duration_s"
_GROUPS: Final = ("config", "code", "upstream", "values", "artifacts", "environment")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that two records do not share.

    Attributes:
        group: What it is about: config, code, upstream, values, artifacts, environment.
        name: Its name: a path in the config, a result, a role.
        first: What the first has; `ABSENT` if nothing.
        second: What the second has.
    """

    group: str
    name: str
    first: object
    second: object

    @property
    def delta(self) -> float | None:
        """How much more the second has, of two numbers among the results."""
        first, second = self.first, self.second
        if self.group == "values" and _is_number(first) and _is_number(second):
            return float(second) - float(first)  # type: ignore[arg-type]  # both are numbers
        return None


@dataclass(frozen=True, slots=True)
class Difference:
    """What two records do not share.

    Attributes:
        first: Address of the first.
        second: Address of the second.
        changes: What differs, in the order of the groups.
        same: How many things are the same, by group.
    """

    first: Address
    second: Address
    changes: tuple[Change, ...]
    same: Mapping[str, int]


def difference(first: RecordStory, second: RecordStory) -> Difference:
    """What two records do not share; numbers are compared by value, all else with its type."""
    changes: list[Change] = []
    same = dict.fromkeys(_GROUPS, 0)
    for group, one, other in _facts(first, second):
        for name in [*one, *(each for each in other if each not in one)]:
            a, b = one.get(name, ABSENT), other.get(name, ABSENT)
            if _is_same(a, b):
                same[group] += 1
            else:
                changes.append(Change(group, name, a, b))
    return Difference(first.address, second.address, tuple(changes), same)


def difference_document(found: Difference) -> dict[str, Any]:
    """What two records do not share, for JSON; what one of them lacks has no key there."""
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in _GROUPS}
    for change in found.changes:
        entry: dict[str, Any] = {"name": change.name}
        for key, value in (("a", change.first), ("b", change.second)):
            if value is not ABSENT:
                entry[key] = canonical.encode(value) if isinstance(value, Opaque) else value
        if change.delta is not None:
            entry["delta"] = change.delta
        groups[change.group].append(entry)
    return {
        "a": f"{found.first.task}/{found.first.key}",
        "b": f"{found.second.task}/{found.second.key}",
        **groups,
        "same": dict(found.same),
    }


def difference_lines(found: Difference, signs: Signs, *, is_long: bool = False) -> list[Line]:
    """A table of what differs, and a line about what does not.

    Args:
        found: The difference.
        signs: What lines are made of.
        is_long: Whether environments are told in full, too.
    """
    shown = [each for each in found.changes if is_long or each.group != "environment"]
    rows = [("", str(found.first), str(found.second), "")]
    rows += [
        (
            each.name,
            _cell(each.name, each.first, signs),
            _cell(each.name, each.second, signs),
            _delta_text(each, signs),
        )
        for each in shown
    ]
    said = [[harmless(cell, signs.encoding) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*said, strict=True)]
    lines: list[Line] = []
    for number, row in enumerate(said):
        cells = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        lines.append((Span(f"  {cells.rstrip()}", "" if number else "bold"),))
    if not found.changes:
        lines.append((Span("  nothing that is recorded differs"),))
    lines.append((Span(f"  {_same_text(found, is_long=is_long)}", "dim"),))
    return lines


def _facts(
    first: RecordStory, second: RecordStory
) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    yield "config", _config(first), _config(second)
    yield "code", _code(first), _code(second)
    yield "upstream", _upstream(first), _upstream(second)
    yield "values", _values(first), _values(second)
    yield "artifacts", _artifacts(first), _artifacts(second)
    has_packages = first.kept.packages is not None and second.kept.packages is not None
    environments = [_environment(each, has_packages=has_packages) for each in (first, second)]
    yield "environment", environments[0], environments[1]


def _config(story: RecordStory) -> dict[str, object]:
    found = dict(leaves(story.config))
    for task, config in story.inherited.items():
        found.update({f"{task}.{path}": value for path, value in leaves(config)})
    return found


def _code(story: RecordStory) -> dict[str, object]:
    identity, counts = story.record.identity, story.counts
    found: dict[str, object] = {"version": identity.version, "task": story.address.task}
    if "code" in counts.facts:
        found["code"] = counts.facts["code"]
    text = commit_text(story.origin)
    found["commit"] = f"{text} {story.origin.get('git_diff_digest') or ''}".strip()
    return found


def _upstream(story: RecordStory) -> dict[str, object]:
    roles: dict[str, list[str]] = {}
    for each in story.upstream:
        roles.setdefault(each.role or each.address.task, []).append(str(each.address))
    return {role: ", ".join(sorted(found)) for role, found in roles.items()}


def _values(story: RecordStory) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in story.artifacts:
        for name, value in each.values.items():
            found[f"{each.name}.{name}" if name else each.name] = value
    if story.counts.duration_s is not None:
        found[_TIME] = story.counts.duration_s
    return found


def _artifacts(story: RecordStory) -> dict[str, object]:
    """Those that hold no plain value, by type, size and digest."""
    digests = {each.name: each.digest or each.inline for each in story.counts.artifacts}
    return {
        each.name: (each.type_, size_text(each.size_bytes), digests.get(each.name))
        for each in story.artifacts
        if not each.values
    }


def _environment(story: RecordStory, *, has_packages: bool) -> dict[str, object]:
    """Machine, variables, and packages one by one where those of both are known."""
    found = {name: _plain(value) for name, value in story.origin.items() if name not in _NOISE}
    variables = story.origin.get("environment")
    if isinstance(variables, Mapping):
        found |= {f"variable {name}": value for name, value in variables.items()}
    if has_packages:
        packages = story.kept.packages or {}
        return found | {f"package {name}": version for name, version in packages.items()}
    digest = story.origin.get(DIGESTS[PACKAGES])
    return found | ({"packages": digest} if digest else {})


def _plain(value: object) -> object:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else value


def _is_same(first: object, second: object) -> bool:
    if ABSENT in (first, second):
        return False
    if _is_number(first) and _is_number(second):
        return bool(first == second) or (first != first and second != second)
    return type(first) is type(second) and first == second


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cell(name: str, value: object, signs: Signs) -> str:
    if value is ABSENT:
        return "-" if signs.is_ascii else "–"
    if name == _TIME and isinstance(value, float):
        return took(value)
    if isinstance(value, tuple) and len(value) == 3:  # an artifact
        return f"{value[0]} {value[1]}"
    return value if isinstance(value, str) else short(value)


def _delta_text(change: Change, signs: Signs) -> str:
    delta = change.delta
    if change.group == "artifacts" and ABSENT not in (change.first, change.second):
        return "(other content)"
    if delta is None:
        return ""
    minus = "-" if signs.is_ascii else "−"
    sign = minus if delta < 0 else "+"
    amount = took(abs(delta)) if change.name == _TIME else f"{abs(delta):.6g}"
    return f"({sign}{amount})"


def _same_text(found: Difference, *, is_long: bool) -> str:
    differing = {each.group for each in found.changes}
    parts = []
    for group in _GROUPS:
        count = found.same[group]
        if group not in differing and count:
            parts.append(group)
        elif group in differing and count and group != "environment":
            parts.append(f"{count} other {group}")
    text = f"same: {', '.join(parts) or 'nothing'}"
    apart = sum(each.group == "environment" for each in found.changes)
    return text if is_long or not apart else f"{text} ({apart} of the environment differ: -v)"
