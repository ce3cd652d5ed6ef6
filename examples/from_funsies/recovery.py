"""
Recovering from failures: a program that does not make its file, and a step that reads it.

The step is not run, needs no code for that, and its record leads to the program that is to blame.
"""

from flowlib import Call, sh, task


@task
def analyze_data(results: bytes) -> int:
    """How many lines there are."""
    return len(results.splitlines())


def simulation(program: str = "true") -> Call[int]:
    """The analysis of what a program writes to `results.csv`.

    Args:
        program: What the shell runs beside the file `data.inp`.
    """
    sim = sh(
        program, shell=True, name="simulate", inp={"data.inp": "some input"}, out=["results.csv"]
    )
    return analyze_data(sim["results.csv"])
