"""Which lengths of time may be given on the command line? A wrong one is told with its option."""

from __future__ import annotations

import click


def limit_of(_: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """The text of a limit above 0: `90`, `10m` or `2h`.

    Raises:
        click.BadParameter: it is none.
    """
    return _time_of(option, text, None)


def patience_of(_: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """The text of how long to wait: `0`, `90`, `10m` or `2h`.

    Raises:
        click.BadParameter: it is none.
    """
    return _time_of(option, text, 0.0)


def age_of(_: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """The text of an age, `12h` or `30d`: without its unit none is meant.

    Raises:
        click.BadParameter: it is no age.
    """
    if text is not None:
        from stores.errors import QueryError
        from stores.moments import span

        try:
            span(text, str(option.name))
        except QueryError:
            said = f"{text!r} is no age: write it with its unit, 90s, 30m, 12h, 30d or 4w"
            raise click.BadParameter(said) from None
    return text


def _time_of(option: click.Parameter, text: str | None, at_least: float | None) -> str | None:
    if text is not None:
        from flowlib.errors import SpecError
        from flowlib.policy import seconds_of

        try:
            seconds_of("", str(option.name), text, at_least=at_least)
        except SpecError:
            above = " above 0" if at_least is None else ""
            said = f"{text!r} is no time{above}: write 90 (seconds), 30m, 2h or 1d"
            raise click.BadParameter(said) from None
    return text
