"""What has a killed process left behind that nobody can read?"""

from __future__ import annotations

from dataclasses import dataclass

from stores.record import Address


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of an attempt that was never committed, or is in force no more.

    Attributes:
        address: The key it was made for.
        attempt: Number of the attempt.
        size_bytes: The room it takes.
    """

    address: Address
    attempt: int
    size_bytes: int
