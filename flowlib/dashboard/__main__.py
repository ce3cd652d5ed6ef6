"""`python -m flowlib.dashboard serve` is `flowlib dashboard`; with `api` it has no pages."""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    words = sys.argv[1:]
    first = words[0] if words else ""
    if first in ("serve", "api"):
        words = words[1:]
    elif first not in ("", "-h", "--help"):
        sys.exit(f"usage: python -m flowlib.dashboard serve|api [OPTIONS], not {first!r}")
    sys.argv[1:] = ["dashboard", *(["--api-only"] if first == "api" else []), *words]
    runpy.run_module("flowlib", run_name="__main__", alter_sys=True)
