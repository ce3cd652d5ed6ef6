"""What holds for specs that tasks of a flow will return? What it says of all of its specs."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Final

from flowlib.declaration import Declaration
from flowlib.option_story import Asked, Said, Story, layered, own_names
from flowlib.spec import TaskSpec
from stores.lazy_dataclass import dataclass

_ONE_TRY: Final = Said(None, {"retries": {"preempted": 0}})


@dataclass(frozen=True, slots=True, eq=False)
class LaterSpecs:
    """Gives specs that tasks return what holds for the specs of the flow.

    Attributes:
        story: What was said of their options so far.
        ignore_prefix: For specs that have none.
        group_prefix: For specs that have none.
    """

    story: Story = ()
    ignore_prefix: str | None = None
    group_prefix: str | None = None
    _known: dict[tuple[object, ...], tuple[Declaration, Declaration]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def says_something(self) -> bool:
        """Whether specs are other than by themselves."""
        return bool(self.story) or (self.ignore_prefix, self.group_prefix) != (None, None)

    def __call__(self, spec: TaskSpec, declaration: Declaration) -> Declaration:
        """What counts as the declaration of a spec, which was made with the prefixes.

        Raises:
            SpecError: an option that was said of it does not fit it.
        """
        if not self.story:
            return declaration
        names = own_names(spec)
        known = (id(declaration), *names)
        if known not in self._known:  # the first is kept, so that its id is not used again
            self._known[known] = (declaration, self._told(names, declaration))
        return self._known[known][1]

    def tried_once(self) -> LaterSpecs:
        """The same, but for retries: there are none, whatever is said."""
        return replace(self, story=(*self.story, _ONE_TRY))

    def _told(self, names: list[str], declaration: Declaration) -> Declaration:
        """The declaration as if the spec had been there when all that was said."""
        defaults: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        meant: set[Asked | None] = {None}
        for each in self.story:
            if isinstance(each, Asked):
                declared = layered(declaration, defaults, changes).options
                if each.within in meant and each.fits(names, declared):
                    meant.add(each)
            elif each.is_default:
                defaults |= each.given
            elif each.asked in meant:
                changes |= each.given
        return layered(declaration, defaults, changes)
