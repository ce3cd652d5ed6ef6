"""Do stored results still come out the same?"""

from __future__ import annotations

from typing import Any

import click

from flowlib.cli.completing import run_names, task_names
from flowlib.cli.documents import flow_of, flow_of_run
from flowlib.cli.exits import ExitCode
from flowlib.cli.options import common_options, json_option, store_option
from flowlib.cli.output import signs, write_json, write_lines
from flowlib.cli.tolerances import tolerance_option, tolerances_of
from flowlib.cli.verbosity import VERBOSE, verbosity
from flowlib.verification import sample_size, verify
from flowlib.verification_lines import verification_lines


def _checked(_: click.Context, __: click.Parameter, sample: str) -> str:
    try:
        sample_size(sample, 1)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return sample


@click.command()
@click.argument("selectors", nargs=-1, metavar="[SELECTOR…]", shell_complete=task_names)
@click.option("--sample", default="5%", callback=_checked, help="How many: 5%, a number, or all.")
@click.option("--random-seed", type=int, metavar="NUMBER", help="Draw the same ones again.")
@click.option("--document", metavar="FILE", help="The document; without it that of the last run.")
@click.option(
    "--run", "run_name", metavar="RUN", help="The run whose document is meant.",
    shell_complete=run_names,
)  # fmt: skip
@click.option("-w", "--workers", "num_workers", type=click.IntRange(1), help="Tasks at once.")
@click.option("--unpickle", is_flag=True, help="Compare pickles by value: code of the store runs.")
@tolerance_option
@json_option
@store_option
@common_options
def command(
    selectors: tuple[str, ...], *, as_json: bool, store_uri: str | None, **options: Any
) -> int:
    """Compute some finished results again with the code of now, and compare.

    \b
    flowlib verify --sample 5%
    flowlib verify Train --sample 20 --rtol numpy=1e-6
    flowlib verify 'Train[lr=0.1]' --sample all --document flow.yaml

    It finds tasks that are not deterministic, and results that are stale. They are computed into a
    temporary store: what is stored is only read. It exits with 1 if one came out differently.
    """
    tolerance = tolerances_of(options["rtol"])
    document = options["document"]
    if document is None:
        flow = flow_of_run(options["run_name"], store_uri)
    else:
        flow = flow_of(document, (), store_uri)
    assert flow.results_store is not None  # noqa: S101  # every flow of a document has one here
    found = verify(
        flow,
        flow.results_store,
        list(selectors) or None,
        sample=options["sample"],
        random_seed=options["random_seed"],
        rtol=tolerance,
        may_unpickle=options["unpickle"],
        num_workers=options["num_workers"],
        progress="none",
    )
    if as_json:
        write_json(found.to_dict())
    else:
        write_lines(verification_lines(found, signs(), is_long=verbosity() >= VERBOSE))
    return ExitCode.OK if found.ok else ExitCode.FAILED
