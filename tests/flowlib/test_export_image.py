"""Is the image what was asked for, and do the credentials stay where they belong?"""

from __future__ import annotations

import json
import sys

import pytest

from flowlib import RunError
from flowlib.export.image import Registry, build, registry_of, write_dockerfile

PASSWORD = "hunter2-of-the-registry"
CREDENTIALS = {"server": "registry.example.org/team", "username": "ann", "password": PASSWORD}
DOCKER = """
import json, os, pathlib, sys

here = pathlib.Path(__file__).parent
settings = pathlib.Path(os.environ.get("DOCKER_CONFIG", "/nowhere"), "config.json")
told = {
    "words": sys.argv[1:],
    "given": sys.stdin.read(),
    "settings": json.loads(settings.read_text()) if settings.exists() else None,
    "folder": str(settings.parent),
    "buildkit": os.environ.get("DOCKER_BUILDKIT"),
}
with (here / "calls").open("a") as file:
    file.write(json.dumps(told) + "\\n")
if sys.argv[1] == "login":
    settings.write_text(json.dumps({"auths": {"registry.example.org": {}}}))
sys.exit(sys.argv[1] == (here / "fails").read_text())
"""


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A program that notes its calls, and the settings of a user who has docker."""
    folder = tmp_path / "docker"
    (folder / "user" / "contexts").mkdir(parents=True)
    settings = {"credsStore": "desktop", "currentContext": "rootless"}
    (folder / "user" / "config.json").write_text(json.dumps(settings))
    (folder / "docker.py").write_text(DOCKER)
    (folder / "fails").write_text("nothing")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder / "user"))
    return folder


def calls(docker):
    return [json.loads(line) for line in (docker / "calls").read_text().splitlines()]


def test_the_dockerfile_puts_the_work_folder_onto_the_base_image(tmp_path):
    """Without results, environments and secrets, and without what the user leaves out."""
    (tmp_path / ".dockerignore").write_text("data\n")
    path = write_dockerfile(tmp_path, "python:3.11")
    assert path.read_text().splitlines()[1:] == [
        "FROM python:3.11",
        "WORKDIR /work",
        "COPY . /work",
        "ENV PYTHONPATH=/work",
        'RUN ["python3", "-c", "import flowlib"]',
    ]
    ignored = (tmp_path / f"{path.name}.dockerignore").read_text().splitlines()
    assert {"**/.env*", "**/.git", "**/.venv*", "**/.flowlib", "runs", "data"} <= set(ignored)
    assert (tmp_path / ".dockerignore").read_text() == "data\n"


def test_the_image_is_built_and_pushed_with_credentials_that_stay_hidden(docker, tmp_path, capfd):
    """The password is read from stdin, by a docker that keeps it no longer than this takes."""
    path = write_dockerfile(tmp_path, "python:3.11")
    registry = registry_of(CREDENTIALS)
    program = [sys.executable, str(docker / "docker.py")]
    assert build("registry.example.org/team/x:latest", path, registry, program)
    login, built, pushed = calls(docker)
    assert login["words"] == [
        "login",
        "--username",
        "ann",
        "--password-stdin",
        "registry.example.org",
    ]
    assert (login["given"], built["given"], pushed["given"]) == (PASSWORD, "", "")
    assert login["settings"] == {"currentContext": "rootless"}
    assert built["words"] == [
        "build", "--file", str(path), "--tag", "registry.example.org/team/x:latest", str(tmp_path),
    ]  # fmt: skip
    assert built["buildkit"] == "1"  # or docker would not read what is left out
    assert pushed["words"] == ["push", "registry.example.org/team/x:latest"]
    assert pushed["settings"] == {"auths": {"registry.example.org": {}}}
    kept = [each for each in docker.rglob("*") if each.is_file() and each.name != "calls"]
    assert [each for each in kept if PASSWORD in each.read_text()] == []
    assert not (tmp_path / pushed["folder"]).exists()
    assert PASSWORD not in "".join(capfd.readouterr())


@pytest.mark.parametrize("step", ["login", "build", "push"])
def test_a_step_that_fails_is_told_without_credentials(step, docker, tmp_path):
    """And nothing is done after it."""
    (docker / "fails").write_text(step)
    path = write_dockerfile(tmp_path, "python:3.11")
    program = [sys.executable, str(docker / "docker.py")]
    with pytest.raises(RunError, match=f"{step} failed with exit code 1") as error:
        build("x", path, registry_of(CREDENTIALS), program)
    assert PASSWORD not in str(error.value)
    assert calls(docker)[-1]["words"][0] == step


def test_without_a_registry_nothing_is_pushed(docker, tmp_path):
    """And the settings of docker are those of the user."""
    path = write_dockerfile(tmp_path, "python:3.11")
    assert build("x", path, None, [sys.executable, str(docker / "docker.py")])
    (built,) = calls(docker)
    assert built["settings"]["credsStore"] == "desktop"
    assert built["buildkit"] == "1"


def test_without_a_user_docker_pushes_as_whoever_it_is_logged_in_as(docker, tmp_path):
    """With its own settings, where the login is."""
    path = write_dockerfile(tmp_path, "python:3.11")
    registry = registry_of({"server": "registry.example.org"})
    assert build("x", path, registry, [sys.executable, str(docker / "docker.py")])
    built, pushed = calls(docker)
    assert [built["words"][0], pushed["words"][0]] == ["build", "push"]
    assert {each["settings"]["credsStore"] for each in (built, pushed)} == {"desktop"}


def test_where_there_is_no_docker_the_file_is_all(tmp_path, caplog):
    """That is said."""
    path = write_dockerfile(tmp_path, "python:3.11")
    assert not build("x", path, None, ["no-such-docker"])
    assert "no-such-docker is not here" in caplog.text
    assert path.exists()


def test_a_registry_hides_its_password():
    """In whatever is printed."""
    registry = registry_of({**CREDENTIALS, "server": "registry.example.org/team/"})
    assert registry == Registry("registry.example.org/team", "ann", PASSWORD)
    assert PASSWORD not in repr(registry)
    assert registry_of(None) is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"server": "https://registry.example.org"}, "no https://"),
        ({"server": f"ann:{PASSWORD}@registry.example.org"}, "no user or password in it"),
        ({"server": ""}, "needs a server"),
        ({"username": ""}, "both username and password"),
        ({"passwort": PASSWORD}, "no 'passwort'. Did you mean password"),
        ({"password": 7}, "are texts"),
    ],
)
def test_credentials_of_another_form_are_told_without_them(changed, error):
    """What is in them never stands in an error."""
    with pytest.raises(RunError, match=error) as raised:
        registry_of({**CREDENTIALS, **changed})
    assert PASSWORD not in str(raised.value)
