"""In which image do tasks run elsewhere? In one of the work folder, built by docker."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final

from flowlib.errors import RunError, nearest
from stores.lazy_dataclass import dataclass

_log = logging.getLogger("flowlib")

DOCKERFILE: Final = "Dockerfile.flowlib"

_FOLDER: Final = "/work"
"""Where the work folder lies in the image."""

_LEFT_OUT: Final = (
    "**/.git", "**/.flowlib", "**/.venv*", "**/.env*", "**/__pycache__", "**/.ipynb_checkpoints",
    "runs", f"{DOCKERFILE}*",
)  # fmt: skip
"""What does not go into the image: results, environments, and files that hold secrets."""

_BUILDKIT: Final = {"DOCKER_BUILDKIT": "1"}
"""What docker builds with: the older way to build would not read what is left out."""

_CREDENTIALS: Final = ("server", "username", "password")
_STORES: Final = ("credsStore", "credHelpers")
"""Where docker would keep a password after the end of this program."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Where an image is pushed.

    Attributes:
        server: Its address, `registry.example.org/team`.
        username: Who pushes; empty is whoever docker is logged in as.
        password: The secret of that user; never shown.
    """

    server: str
    username: str = ""
    password: str = field(default="", repr=False)


def registry_of(credentials: Mapping[str, str] | None) -> Registry | None:
    """The registry that credentials name.

    Raises:
        RunError: they are not of that form; what is in them is not told.
    """
    if credentials is None:
        return None
    if not isinstance(credentials, Mapping):
        raise RunError("registry_credentials is a mapping with server, username and password")
    for name in credentials:
        if name not in _CREDENTIALS:
            hint = nearest(str(name), _CREDENTIALS)
            raise RunError(f"registry_credentials has no {name!r}.{hint} There are: server, …")
    texts = {name: credentials.get(name) or "" for name in _CREDENTIALS}
    if not all(isinstance(each, str) for each in texts.values()):
        raise RunError("server, username and password of registry_credentials are texts")
    server = texts["server"].rstrip("/")
    if not server or "://" in server or "@" in server or any(c.isspace() for c in server):
        raise RunError(
            "registry_credentials needs a server such as registry.example.org/team: no https://, "
            "and no user or password in it"
        )
    if bool(texts["username"]) is not bool(texts["password"]):
        raise RunError("registry_credentials needs both username and password, or neither")
    return Registry(server, texts["username"], texts["password"])


def write_dockerfile(folder: Path, base_image: str) -> Path:
    """Write what an image is built from, and beside it what is left out; nothing else is touched.

    Args:
        folder: The work folder.
        base_image: An image with Python and all that the tasks import, flowlib included.

    Returns:
        The file.
    """
    path = folder / DOCKERFILE
    path.write_text(
        f"# Written by flowlib: the work folder onto the base image.\n"
        f"FROM {base_image}\n"
        f"WORKDIR {_FOLDER}\n"
        f"COPY . {_FOLDER}\n"
        f"ENV PYTHONPATH={_FOLDER}\n"
        f'RUN ["python3", "-c", "import flowlib"]\n'
    )
    own = folder / ".dockerignore"
    lines = [*_LEFT_OUT, *(own.read_text().splitlines() if own.is_file() else ())]
    (folder / f"{DOCKERFILE}.dockerignore").write_text("\n".join(lines) + "\n")
    return path


def build(image: str, dockerfile: Path, registry: Registry | None, program: Sequence[str]) -> bool:
    """Build an image, and push it if there is a registry; whether this machine could.

    Args:
        image: Its name.
        dockerfile: In the work folder.
        registry: Where it is pushed.
        program: The first words of the commands: `("docker",)`.

    Raises:
        RunError: a command failed.
    """
    folder = dockerfile.parent
    if shutil.which(program[0]) is None:
        _log.warning(
            "%s is not here, so %s is only written: build %s with it where there is one",
            program[0], dockerfile, image,
        )  # fmt: skip
        return False
    words = ["build", "--file", str(dockerfile), "--tag", image, str(folder)]
    if registry is None:
        _run([*program, *words], _BUILDKIT)
        return True
    with _logged_in(program, registry) as variables:
        _run([*program, *words], {**variables, **_BUILDKIT})
        _run([*program, "push", image], variables)
    return True


@contextlib.contextmanager
def _logged_in(program: Sequence[str], registry: Registry) -> Iterator[Mapping[str, str]]:
    """The variables with which docker may push; no password is left on this machine.

    Without credentials docker is logged in already, or nobody needs to be.
    """
    if not registry.username:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="flowlib-docker-") as name:
        folder = Path(name)
        _copy_settings(Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"), folder)
        variables = {"DOCKER_CONFIG": name, "REGISTRY_AUTH_FILE": f"{name}/config.json"}
        host = registry.server.partition("/")[0]
        login = ["login", "--username", registry.username, "--password-stdin", host]
        _run([*program, *login], variables, registry.password)
        yield variables


def _copy_settings(source: Path, folder: Path) -> None:
    """What docker knows of its user, but for the places that would keep the password."""
    known: dict[str, object] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((source / "config.json").read_text())
    kept = {name: value for name, value in known.items() if name not in _STORES}
    (folder / "config.json").write_text(json.dumps(kept))
    for name in ("contexts", "cli-plugins"):
        if (source / name).is_dir():
            (folder / name).symlink_to((source / name).absolute())


def _run(words: Sequence[str], variables: Mapping[str, str] | None = None, given: str = "") -> None:
    """Run a command; what it says is seen, unless it is given a secret.

    Raises:
        RunError: it failed, or cannot be started.
    """
    shown = subprocess.DEVNULL if given else None
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(variables or {})},
            input=given.encode(),
            stdout=shown,
            stderr=shown,
            check=False,
        )
    except OSError as error:
        raise RunError(f"{words[0]} cannot be started: {error.strerror}") from None
    if done.returncode:
        action = next(each for each in words if each in ("build", "login", "push"))
        raise RunError(f"{words[0]} {action} failed with exit code {done.returncode}")
