"""Are people told where a result comes from?"""

from __future__ import annotations

from flowlib.origin_lines import origin_rows


def told(origin) -> dict[str, str]:
    """What is told, by name; nothing of what is not known."""
    rows = origin_rows(origin, None, None, [], is_long=False)
    return {name: text for name, text in rows if text}


def test_a_snapshot_is_told_with_its_folder_and_what_is_not_in_it():
    """And nothing where there is none, or only half of it is known."""
    known = {"snapshot": "3f2a91c0" * 4, "snapshot_root": "/work/project"}
    assert told(known) == {"snapshot": "3f2a91c0 of /work/project"}
    left_out = {**known, "snapshot_left_out": "weights.bin (9,000,000 bytes)"}
    assert told(left_out) == {
        "snapshot": "3f2a91c0 of /work/project, without weights.bin (9,000,000 bytes)"
    }
    assert told({"snapshot": "3f2a91c0" * 4}) == {"snapshot": "3f2a91c0 of ?"}
    assert told({}) == {}
