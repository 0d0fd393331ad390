"""The images, read as text: there is no Docker where these tests run, and the workflow `ci` builds and starts them."""

import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import typer

from infra.local.__main__ import app as tenant
from tests.infra.template_names import templates
from tests.infra.yaml_files import ROOT, read_yaml, schema_complains

IMAGES = {"Dockerfile": ".dockerignore", "infra/local/Dockerfile": "infra/local/Dockerfile.dockerignore"}
"""Every Dockerfile, and what keeps files from it."""


@cache
def instructions(path: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each in one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / path).read_text("utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def given(path: str, word: str) -> list[str]:
    return [rest for each, rest in instructions(path) if each == word]


@cache
def tracked() -> list[str]:
    """What is or will be in the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def is_ignored(path: str, ignore: str) -> bool:
    """As Docker and Core Tools do: the last pattern that fits the path, or a folder that it is in, decides."""
    places = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
    ignored = False
    for line in (ROOT / ignore).read_text("utf-8").splitlines():
        pattern = line.removeprefix("!").rstrip("/").removeprefix("**/")
        if pattern and not line.startswith("#") and any(fnmatch(place, pattern) for place in places):
            ignored = not line.startswith("!")
    return ignored


def copied(image: str) -> Iterator[tuple[str, str]]:
    """Yield what comes into an image, and by which source of a `COPY`."""
    for line in given(image, "COPY"):
        for source in line.split()[:-1]:
            for path in tracked():
                if (path == source or path.startswith(f"{source}/")) and not is_ignored(path, IMAGES[image]):
                    yield path, source


@pytest.mark.parametrize("image", IMAGES)
def test_nobody_is_root_in_it(image: str) -> None:
    """By number, for Kubernetes cannot tell of a name whether it is root."""
    last = [word for word, _ in instructions(image)]

    assert given(image, "USER") == ["10001:10001"]
    assert set(last[last.index("USER") :]) <= {"USER", "ENTRYPOINT", "CMD"}
    assert "useradd --uid 10001 " in " ".join(given(image, "RUN"))


@pytest.mark.parametrize("image", IMAGES)
def test_no_secret_comes_into_it(image: str) -> None:
    text = " ".join(rest for word, rest in instructions(image) if word in ("ARG", "ENV", "RUN", "LABEL"))
    names = {path for path, _ in copied(image)}

    assert not re.search(r"(?i)key=|token|password|secret(?!s\b)|AccountKey|connectionstring", text)
    assert not given(image, "ARG")
    assert not [name for name in names if re.search(r"\.(env|pem|key|asc|pgp)$|local\.settings", name)]


@pytest.mark.parametrize("image", IMAGES)
def test_every_source_of_a_copy_exists_and_is_not_ignored(image: str) -> None:
    sources = {source for line in given(image, "COPY") for source in line.split()[:-1]}

    assert sources == {source for _, source in copied(image)}
    assert not given(image, "ADD")


def test_the_image_holds_the_app_and_nothing_else() -> None:
    """What comes into the image is what is published on the other plans, requirements aside: they are installed."""
    held = {path for path, _ in copied("Dockerfile")}
    published = {path for path in tracked() if not is_ignored(path, ".funcignore")} - {".funcignore"}

    assert held == published
    assert {path.partition("/")[0] for path in held} == {
        *("function_app.py", "functions", "host.json", "requirements.txt", "shared"),
    }
    assert {"shared/profiles/__init__.py", "functions/process_package.py"} <= held
    assert not [path for path in held if path.startswith("shared/cli/")]


def test_the_image_runs_the_python_of_the_project_with_gnupg() -> None:
    (base,) = given("Dockerfile", "FROM")

    assert base == "mcr.microsoft.com/azure-functions/python:4-python3.13"
    assert f"'{base}'" in templates()["modules/app-container.bicep"]
    assert re.search(r"apt-get install .*\bgnupg\b", " ".join(given("Dockerfile", "RUN")))
    assert "--requirement /tmp/requirements.txt" in " ".join(given("Dockerfile", "RUN"))


def test_all_speak_of_the_same_port() -> None:
    """Container Apps and Kubernetes have to be told, for it is not the base image's."""
    (port,) = given("Dockerfile", "EXPOSE")
    pods = read_yaml("infra/kubernetes/app.yaml")[0]["spec"]["template"]["spec"]

    assert f"ASPNETCORE_URLS=http://+:{port}" in given("Dockerfile", "ENV")[0]
    assert (
        f"{{ name: 'WEBSITES_PORT', value: empty(image) ? '80' : '{port}' }}"
        in templates()["modules/app-container.bicep"]
    )
    assert [str(each["containerPort"]) for each in pods["containers"][0]["ports"]] == [port]


def test_the_tenants_image_holds_what_the_tenant_needs() -> None:
    held = {path for path, _ in copied("infra/local/Dockerfile")}

    assert {path for path in tracked() if path.startswith("infra/local/") and "Dockerfile" not in path} <= held
    assert {path for path, _ in copied("Dockerfile")} <= held
    assert {"shared/cli/__main__.py", "requirements-dev.txt"} <= held
    assert not [path for path in held if path.startswith(("tests/", "docs/", ".local/"))]


def test_compose_reads_the_file() -> None:
    (compose,) = read_yaml("compose.yaml")

    assert schema_complains("vendor.compose-spec", "compose.yaml") == ""
    for service in compose["services"].values():
        assert service["build"]["dockerfile"] in IMAGES
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        assert service["read_only"]
        # Simulators ask nobody who they are: what they listen on is not for the network.
        assert "ports" not in service


PROVIDED = ("keys/private.asc", "keys/passphrase.txt", "directory.csv")


def test_the_tenant_understands_what_compose_has_it_do(tmp_path: Path) -> None:
    services = read_yaml("compose.yaml")[0]["services"]
    for name in PROVIDED:
        (tmp_path / "provider" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "provider" / name).touch()

    for name in ("provider", "tenant"):
        verb, *arguments = (str(each).replace("/data/", f"{tmp_path}/") for each in services[name]["command"])
        _commands()[verb].make_context(verb, arguments)  # refuses options that it does not know, and files not there
    assert services["tenant"]["depends_on"] == {"provider": {"condition": "service_completed_successfully"}}
    assert services["tenant"]["network_mode"] == "host"
    assert "/data/tenant/lms.env" in services["tenant"]["healthcheck"]["test"]


@pytest.mark.slow
def test_the_provider_writes_what_the_tenant_is_given(tmp_path: Path) -> None:
    verb, _ = read_yaml("compose.yaml")[0]["services"]["provider"]["command"]
    few = ["--learners=1", "--items=1", "--assignments=1", "--completions=1"]

    _commands()[verb].main([str(tmp_path), *few], verb, standalone_mode=False)

    assert all((tmp_path / name).is_file() for name in PROVIDED)
    assert list((tmp_path / "sftp").iterdir())


def _commands() -> Any:  # noqa: ANN401 - typer's own copy of click has no public types
    return typer.main.get_command(tenant).commands  # type: ignore[attr-defined]  # a group, as there are several
