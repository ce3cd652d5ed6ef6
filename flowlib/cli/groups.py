"""Which command of a group is meant, if there is none of that name?"""

from __future__ import annotations

import click

from flowlib.errors import nearest


class Commands(click.Group):
    """Tells the nearest name of a command that there is not, or all names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            hint = nearest(args[0], known) or f" There are: {', '.join(known)}"
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)
