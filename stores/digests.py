"""
Where does BLAKE2 come from? From Python itself, without OpenSSL.

`hashlib` loads OpenSSL for algorithms that nothing here asks for, 3 to 13 ms at every start (seen
2026-11-22); the `random` module of Python avoids that in the same way.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b  # type: ignore[import-not-found,unused-ignore]  # no stub
except ImportError:  # another Python
    from hashlib import blake2b

__all__ = ["blake2b"]
