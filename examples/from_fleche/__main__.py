"""What do the cells of the notebook print? Run: `python -m examples.from_fleche [NUMBER…]`."""

from __future__ import annotations

import sys

from examples.from_fleche.cells import CELLS


def main() -> None:
    """Run all cells in order, or those that are named."""
    for number in sys.argv[1:] or CELLS:
        print(f"[{number}]")
        CELLS[number]()


if __name__ == "__main__":
    main()
