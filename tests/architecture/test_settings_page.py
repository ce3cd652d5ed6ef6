"""Is docs/settings.md the table of the settings?"""

from __future__ import annotations

from flowlib.configuration import TABLE
from tests.architecture.sources import ROOT


def _shown(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _row(name: str) -> str:
    setting = TABLE[name]
    kind, shown = setting.metadata["kind"], setting.metadata["shown"]
    default = shown or f"`{_shown(setting.default)}`"
    cells = (
        f"`{name}`",
        f"`FLOWLIB_{name.upper()}`",
        kind.expects,
        default,
        setting.metadata["meaning"],
    )
    return f"| {' | '.join(cells)} |"


def test_the_page_of_settings_has_a_row_for_each():
    """Name, variable, values, default and meaning, in the order of the class; and no other row."""
    lines = (ROOT / "docs" / "settings.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == [_row(name) for name in TABLE]
