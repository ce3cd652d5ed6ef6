"""What does a flow hold, and how does it look? Its specs by name, their options, the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

from flowlib.flow_arguments import DrawArguments, ViewArguments, refuse_unknown
from flowlib.flow_options import FlowOptions, FlowQuery, every_spec
from flowlib.graph import TaskGraph, build_graph
from flowlib.members import Given, Members
from flowlib.node import Node
from flowlib.spec_order import with_predecessors
from stores import TaskState

if TYPE_CHECKING:
    from networkx import DiGraph

    from flowlib.drawing_bokeh import GraphPage
    from flowlib.graph_export import Form, GraphExport
    from flowlib.plan import Plan
    from flowlib.results import Run
    from flowlib.spec_options import OptionArguments


class FlowGraph(Mapping[str, Any]):
    """The specs of a flow by name, and the graph of their tasks.

    Iteration gives the names, as with any mapping; `values()` are the specs.
    """

    def __init__(
        self,
        tasks: Given,
        config_ignore_prefix: str | None = None,
        config_group_prefix: str | None = None,
    ) -> None:
        self._members = Members(tasks)
        self._prefixes = (config_ignore_prefix, config_group_prefix)
        self._options = FlowOptions()
        self._built = self._build()
        self._built_with = 0
        self._last_run: Run | None = None
        self._last_plan: Plan | None = None

    @property
    def last_run(self) -> Run | None:
        """What `run` has done last, also where it has raised an exception; None before."""
        return self._last_run

    def __getitem__(self, name: str) -> Any:
        """The spec of this name, or a list of all of them if there are several."""
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        """The number of names; `num_tasks` is that of the tasks."""
        return len(self._members)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} ×{len(nodes)}" for name, nodes in self.graph.by_spec.items())
        return f"<Flow of {self.num_tasks} tasks: {counts}>"

    @property
    def num_tasks(self) -> int:
        """The number of nodes."""
        return len(self.graph)

    @property
    def graph(self) -> TaskGraph:
        """The nodes and what they read from."""
        if self._built_with != self._options.changes:
            self._built_with = self._options.changes
            self._built = self._build()
        return self._built

    @property
    def task_graph(self) -> DiGraph[Any]:
        """A networkx view of the nodes; the attribute `task` tells about each."""
        from flowlib.graph_views import task_graph_view

        return task_graph_view(self.graph, self._state_of)

    @property
    def task_spec_graph(self) -> DiGraph[Any]:
        """A networkx view of the specs, each as attribute `task` of its name."""
        from flowlib.graph_views import spec_graph_view

        return spec_graph_view(self.graph, with_predecessors(self._members.specs))

    def query(self, pattern: str | None = None, **options: Unpack[OptionArguments]) -> FlowQuery:
        """Some specs, to give them options: `flow.query("^fit").set(retries=2)`.

        What is set holds for specs that tasks return later, too, if they fit.

        Args:
            pattern: A regular expression that is found in a name of the spec: its name in the
                flow, that of `named`, or that of its task. None fits all.
            **options: Those are meant that have these options, and of `tags` at least one.

        Raises:
            NothingSelected: there are none, and no annotation says that a task returns specs.
            SpecError: one is no option, or its value is none.
        """
        specs = with_predecessors(self._members.specs)
        query = every_spec(specs, self._members.names(), self._options)
        return query.query(pattern, **options)

    def defaults(self, **options: Unpack[OptionArguments]) -> Self:
        """Options of all specs that say nothing else; `query(…).set(…)` is stronger.

        Specs that tasks return are among them.

        Returns:
            The flow itself.

        Raises:
            SpecError: one is no option, or its value is none.
        """
        self._options.add_defaults(options)
        return self

    def to_document(self) -> dict[str, Any]:
        """A document, as plain values, from which the same graph with the same keys is built.

        Raises:
            ConfigError: a task has no name, or a value has no place in a document.
        """
        from flowlib.document_text import document_of

        return document_of(self.graph)

    @overload
    def draw(self, view: Literal["console"] = "console", **how: Unpack[DrawArguments]) -> None: ...

    @overload
    def draw(self, view: Literal["bokeh"], **how: Unpack[ViewArguments]) -> GraphPage: ...

    @overload
    def draw(self, view: Form, **how: Unpack[ViewArguments]) -> GraphExport: ...

    def draw(
        self, view: str = "console", **how: Unpack[DrawArguments]
    ) -> GraphPage | GraphExport | None:
        """Show the graph, after a run with the states of its tasks, after a plan with those stored.

        Up to 60 tasks are shown one by one if they fit; else specs with the number of their tasks.

        Args:
            view: "console" prints it; "bokeh" gives a page for a browser or a notebook; "svg",
                "dot", "mermaid" and "json" give text for a file.
            **how: `expand`, `around`, `tasks`, and for the console `width`, `use_unicode` and
                `use_pager`: see `DrawArguments`.

        Returns:
            The page, to `.show()` or to `.save("graph.html")`; the text, to `str()` or to
            `.save("graph.svg")`; None from the console.

        Raises:
            SelectorError: `expand` or `around` names what is not in the graph.
            MissingExtra: Bokeh is wanted and not installed.
            ValueError: there is no such view.
        """
        from flowlib.flow_drawing import drawn

        refuse_unknown("Flow.draw", how, DrawArguments.__annotations__)
        return drawn(self.graph, self._seen, view, how)

    def _repr_html_(self) -> str:
        from flowlib.flow_drawing import html_of_flow

        return html_of_flow(self.graph, self._seen)

    @property
    def _seen(self) -> Run | Plan | None:
        """What tells the states of the nodes."""
        return self._last_plan if self._last_run is None else self._last_run

    def _state_of(self, node: Node) -> TaskState:
        run = self._last_run
        return TaskState.PENDING if run is None else run.state_of(node)

    def _build(self) -> TaskGraph:
        ignore_prefix, group_prefix = self._prefixes
        return build_graph(
            self._members.specs,
            ignore_prefix=ignore_prefix,
            group_prefix=group_prefix,
            labels=self._members.labels,
            declared=self._options.of,
            later=self._options.of_later_specs(ignore_prefix, group_prefix),
        )
