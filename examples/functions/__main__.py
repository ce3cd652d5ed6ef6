"""Which module of the standard library is larger? Run: `python -m examples.functions`."""

from __future__ import annotations

from examples.functions.flow import build


def main() -> None:
    """Run the pipeline in memory and print the comparison."""
    run = build().run(num_workers=1)
    for unit, modules in run["compare"][0].results.items():
        print(f"{unit}: {' > '.join(modules)}")


if __name__ == "__main__":
    main()
