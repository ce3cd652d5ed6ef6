"""
How does Kubeflow run a flow? As a pipeline with one component for each task.

    to_pipeline -> KubeflowPipeline -> build_image   the work folder, where pods find the code
                                    -> save          YAML, for whoever uploads it
                                    -> submit        to a host
"""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowlib.credentials import without_credentials
from flowlib.errors import MissingExtra, RunError
from flowlib.export.image import Registry, build, registry_of, write_dockerfile
from flowlib.export.kfp_component import execute
from flowlib.export.steps import GPU, Engine, Step, Steps, note_unknown, steps_of
from flowlib.export.store_place import place_of
from flowlib.flow import Flow
from flowlib.tolerance import OnFailure
from stores import ResultsStore
from stores.lazy_dataclass import dataclass

_SETTER: Final = "set_"
_HOST: Final = "KF_PIPELINES_ENDPOINT"
"""The variable that names the host to kfp."""

_ACCELERATOR: Final = "nvidia.com/gpu"
_MAPPED: Final = frozenset({"cpu", "mem", "memory", GPU})
"""The kinds of resources that Kubernetes has, too."""


@dataclass(frozen=True, slots=True, eq=False)
class KubeflowPipeline:
    """A flow as a pipeline of Kubeflow.

    Attributes:
        name: What it is called there.
        image: What its pods run.
        base_image: What `build_image` puts the work folder onto.
        host: The URL of Kubeflow Pipelines; None is what kfp finds by itself.
        pipeline: The pipeline of kfp; `kfp.local` runs it when it is called.
    """

    name: str
    image: str
    base_image: str
    host: str | None = field(repr=False)
    pipeline: Any = field(repr=False)
    _registry: Registry | None = field(repr=False)

    def __str__(self) -> str:
        """The pipeline as YAML."""
        with tempfile.TemporaryDirectory(prefix="flowlib-kfp-") as folder:
            return self.save(Path(folder) / "pipeline.yaml").read_text()

    def save(self, path: str | Path) -> Path:
        """Write the pipeline as YAML, which can be uploaded; no credentials are in it.

        Args:
            path: A file that ends in .yaml.
        """
        _module().compiler.Compiler().compile(self.pipeline, str(path))
        return Path(path)

    def build_image(
        self, folder: str | Path = ".", *, program: str | Sequence[str] = "docker"
    ) -> Path:
        """Write the Dockerfile of `image`, build it, and push it if there is a registry.

        Left out of the image are `.git`, environments, `.env`, `runs`, and what a `.dockerignore`
        names. Where docker is not installed, the file is written and nothing else done.

        Args:
            folder: The work folder: with the code of the tasks.
            program: What builds: docker, or something that understands the same words.

        Returns:
            The Dockerfile.

        Raises:
            RunError: the pods run the base image itself, or a command failed.
        """
        if self.image == self.base_image:
            raise RunError(
                f"pods run {self.base_image} itself: give to_pipeline(image=…), or "
                f"registry_credentials, and there is an image to build"
            )
        dockerfile = write_dockerfile(Path(folder).absolute(), self.base_image)
        words = (program,) if isinstance(program, str) else tuple(program)
        build(self.image, dockerfile, self._registry, words)
        return dockerfile

    def submit(self, **options: Any) -> Any:
        """Run it on the host.

        Args:
            **options: For `kfp.Client().create_run_from_pipeline_func`: `run_name`,
                `experiment_name`, `namespace`, ….

        Returns:
            What kfp tells of the run.

        Raises:
            RunError: the host cannot be reached.
        """
        kfp = _module()
        shown = without_credentials(self.host or "the host of kfp's settings")
        try:
            client = kfp.Client(host=self.host, ui_host=_shown(self.host))
            return client.create_run_from_pipeline_func(
                self.pipeline, arguments={}, enable_caching=False, **options
            )
        except (OSError, *_errors_of_http()) as error:
            why = without_credentials(str(error))
            raise RunError(f"Kubeflow at {shown} cannot be reached: {why}") from None


def to_pipeline(
    flow: Flow,
    base_image: str,
    registry_credentials: Mapping[str, str] | None = None,
    host: str | None = None,
    results_store: ResultsStore | str | None = None,
    *,
    image: str | None = None,
    name: str | None = None,
    names_store: bool = True,
) -> KubeflowPipeline:
    """A pipeline of Kubeflow that runs a flow; the graph is recorded in the store now.

    Args:
        flow: It. `executor_options={"kfp": {…}}` of its specs are given to the setters of kfp's
            tasks: `{"accelerator_type": "nvidia.com/gpu"}` calls `set_accelerator_type`.
        base_image: An image with Python, flowlib and all that the tasks import.
        registry_credentials: `{"server": …, "username": …, "password": …}` of the registry that
            `build_image` pushes to; they are in no text that this gives.
        host: The URL of Kubeflow Pipelines, for `submit`.
        results_store: Where results live, or its URI; None is the store of the flow, or of the
            settings. Pods have to reach it.
        image: What pods run; None is `SERVER/NAME:latest` in the registry, if there is one, else
            the base image.
        name: Of the pipeline; None is the project.
        names_store: Whether the pipeline names the store; if not, the variable FLOWLIB_STORE of the
            pods does, which may come from a secret of Kubernetes.

    Raises:
        MissingExtra: kfp is not installed.
        RunError: the store cannot be reached by pods, or its URI holds a password, or an option is
            unknown, or a task bears failures of what it reads.
        SpecError: a task or a value cannot be sent to another process, or is a secret.
        StoreError: the store cannot be written.
    """
    kfp = _module()
    registry = registry_of(registry_credentials)
    if not isinstance(base_image, str) or not base_image.strip() or "\n" in base_image:
        raise RunError(f"base_image is {base_image!r}: give the name of an image")
    place = place_of(flow, results_store)
    _refuse_tolerant(flow)
    if names_store and place.is_secret:
        raise RunError(
            "the URI of the store holds a password, which anybody would see who sees the pipeline: "
            "give names_store=False, and pods a variable FLOWLIB_STORE from a secret of Kubernetes"
        )
    steps = steps_of(flow, place if names_store else replace(place, is_secret=True), _engine(kfp))
    _note_unknown(steps)
    title = _dns_name(name or steps.name)
    run_by = image or (f"{registry.server}/{title}:latest" if registry else base_image)
    pipeline = kfp.dsl.pipeline(name=title)(_composing(kfp, steps, run_by))
    return KubeflowPipeline(title, run_by, base_image, host, pipeline, registry)


def _shown(host: str | None) -> str | None:
    """What kfp prints in links: all but a user with a password."""
    known = host or os.environ.get(_HOST)
    return known and without_credentials(known)


def _refuse_tolerant(flow: Flow) -> None:
    """Kubeflow cannot start a task when several others have ended, whichever way.

    Raises:
        RunError: a task of the flow is to run although one that it reads from has failed.
    """
    for node in flow.graph:
        bears = node.declaration.options.tolerance.on_failure
        if bears is not OnFailure.FAIL and node.upstream.nodes:
            raise RunError(
                f"{node.name} has on_failure={bears.value!r}, but Kubeflow starts a task only when "
                f"all that it reads from has succeeded: run the flow under Prefect, or by "
                f"Flow.run with any executor"
            )


def _engine(kfp: Any) -> Engine:
    setters = [each for each in dir(kfp.dsl.PipelineTask) if each.startswith(_SETTER)]
    return Engine("Kubeflow", "kfp", frozenset(each.removeprefix(_SETTER) for each in setters))


def _note_unknown(steps: Steps) -> None:
    note_unknown("Kubeflow", "tags", (step.address.task for step in steps.all if step.options.tags))
    others = (step.address.task for step in steps.all if step.demand.keys() - _MAPPED)
    note_unknown("Kubeflow", "resources other than cpu, mem and gpu", others)


def _composing(kfp: Any, steps: Steps, image: str) -> Callable[[], None]:
    """What composes the pipeline, when kfp calls it."""

    @cache
    def component_of(task: str) -> Any:
        made = kfp.dsl.component(execute, base_image=image)
        made.component_spec.name = made.name = _dns_name(task)
        return made

    def compose() -> None:
        made: dict[str, Any] = {}
        for step in steps.all:
            task = component_of(step.address.task)(words=list(step.words))
            made[step.address.key] = task.after(*[made[key] for key in step.reads])
            _set_options(task, step)

    compose.__annotations__.clear()  # kfp reads them, and they are texts here
    return compose


def _set_options(task: Any, step: Step) -> None:
    """What the options of a spec are to kfp."""
    task.set_display_name(step.name).set_caching_options(False)
    _set_resources(task, step)
    if step.retries:
        pause = step.options.retries.pause_s
        longest = step.options.retries.pause_after(step.retries)
        backoff = (f"{math.ceil(pause)}s", 2.0, f"{math.ceil(longest)}s") if pause else ()
        task.set_retry(step.retries, *backoff)
    for option, value in step.told("kfp").items():
        setter = getattr(task, f"{_SETTER}{option}")
        try:
            setter(**value) if isinstance(value, Mapping) else setter(value)
        except (TypeError, ValueError) as error:
            where = f"executor_options of {step.address.task} for kfp"
            raise RunError(f"{where}: {option}: {error}") from error


def _set_resources(task: Any, step: Step) -> None:
    """A pod has what the task demands, and no more."""
    for kind, amount in step.demand.items():
        if kind == "cpu":
            cores = f"{math.ceil(amount.value * 1000)}m"
            task.set_cpu_request(cores).set_cpu_limit(cores)
        elif kind in ("mem", "memory"):
            size = f"{math.ceil(amount.value / 1000)}K"
            task.set_memory_request(size).set_memory_limit(size)
        elif kind == GPU:
            whole = 1 if amount.is_size else math.ceil(amount.value)
            task.set_accelerator_type(_ACCELERATOR).set_accelerator_limit(whole)


def _dns_name(text: str) -> str:
    """A name as Kubernetes takes it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "flow"


def _errors_of_http() -> Any:
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    return ApiException, HTTPError


def _module() -> Any:
    try:
        import kfp
        import kfp.compiler
        import kfp.dsl
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "kfp":
            raise
        raise MissingExtra(
            "an export to Kubeflow needs kfp: pip install 'flowlib-runner[kfp]'"
        ) from None
    return kfp
