"""What has a killed process left behind that nobody reads?"""

from __future__ import annotations

from stores.lazy_dataclass import dataclass
from stores.record import Address


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of an attempt that was never committed, or is in force no more; or a checkpoint.

    Attributes:
        address: The key it was made for.
        attempt: Number of the attempt; 0 for a checkpoint, which is handed on from one to the next.
        size_bytes: The room it takes.
        idle_s: For how long nobody has changed a checkpoint from which the next attempt would go
            on; None for what nobody can use.
    """

    address: Address
    attempt: int
    size_bytes: int
    idle_s: float | None = None
