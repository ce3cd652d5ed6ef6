"""Which module of the standard library is larger? Run: `python -m examples.functions`."""

from __future__ import annotations

from examples.functions.flow import build


def main() -> None:
    """Run the pipeline in memory and print the comparison."""
    compared = build().run(num_workers=1)["compare"][0]
    for unit in ("lines", "tokens"):
        print(f"{unit}: {' > '.join(compared[unit])}")


if __name__ == "__main__":
    main()
