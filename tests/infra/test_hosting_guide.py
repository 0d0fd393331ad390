"""docs/hosting.md walked through, with stand-ins for the tools that reach Azure, Docker and a cluster.

A command with an option that it does not have would be found by whoever is in the middle of a deployment.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.template_names import INFRA, settings, templates
from tests.infra.test_kubernetes import ONLY_HERE, environment

GUIDE = (INFRA.parent / "docs" / "hosting.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)

COMMANDS = {
    "az provider register": {"namespace", "wait"},
    "az deployment group show": {"resource-group", "name", "query", "output"},
    "az deployment group create": {"resource-group", "name", "output", "parameters"},
    "az acr build": {"registry", "image"},
    "az acr show": {"name", "query", "output"},
    "az role assignment create": {
        *("role", "scope", "output"),
        *("assignee-object-id", "assignee-principal-type"),
    },
    "az aks update": {"name", "resource-group", "attach-acr", "output"},
    "az aks show": {"name", "resource-group", "query", "output"},
    "az identity federated-credential create": {
        *("name", "identity-name", "resource-group", "output"),
        *("issuer", "subject", "audiences"),
    },
    "docker build": {"tag"},
    "kubectl apply": {"kustomize"},
    "kubectl rollout status deployment/connector": {"namespace"},
    "kubectl get scaledobject connector": {"namespace"},
}
"""Commands that the guide uses, with options that they have."""

STAND_IN = """#!/usr/bin/env bash
printf '%s %s\\n' "$(basename "$0")" "$(printf '%q ' "$@")" >>"$CALLS"
for each in "$@"; do
  case $each in
    properties.outputs.*.value) each=${each#properties.outputs.}; echo "the-${each%.value}" ;;
    oidcIssuerProfile.issuerUrl) echo https://issuer.example/ ;;
    id) echo /subscriptions/a/registry ;;
  esac
done
"""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the guide was followed; `calls` are the commands that it ran."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "tools").mkdir()
    for tool in ("az", "docker", "kubectl"):
        (folder / "tools" / tool).write_text(STAND_IN, "utf-8")
        (folder / "tools" / tool).chmod(0o755)
    shutil.copytree(INFRA / "kubernetes", folder / "infra" / "kubernetes")
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -euo pipefail", *BLOCKS])],
        cwd=folder,
        env={
            "PATH": f"{folder / 'tools'}:{os.environ['PATH']}",
            "CALLS": str(folder / "calls"),
            "GROUP": "rg-lms",
            "STAGE": "prod",
            "LMS_PREFIX": "lms",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def calls(walk: Path) -> list[list[str]]:
    return [shlex.split(line) for line in (walk / "calls").read_text("utf-8").splitlines()]


def test_every_command_is_one_that_there_is(walk: Path) -> None:
    used = set()
    for call in calls(walk):
        options = {each.removeprefix("--") for each in call if each.startswith("--")}
        command = next(known for known in COMMANDS if _is_of(call, known.split()))
        assert options <= COMMANDS[command], call
        used.add(command)

    assert used == COMMANDS.keys()


def _is_of(call: list[str], command: list[str]) -> bool:
    """Tell whether a call is of a command: its words come in this order, and options may stand between them."""
    words = iter(call)
    return call[0] == command[0] and all(word in words for word in command)


def test_only_outputs_that_the_templates_have_are_asked_for(walk: Path) -> None:
    known = set(re.findall(r"^output (\w+) ", templates()["main.bicep"], re.MULTILINE))
    asked = {
        name for call in calls(walk) for each in call for name in re.findall(r"^properties\.outputs\.(\w+)\.", each)
    }

    assert asked
    assert asked <= known


def test_the_image_is_built_before_the_app_is_told_of_it(walk: Path) -> None:
    order = [" ".join(call[:4]) for call in calls(walk)]

    assert order.index("az acr build --registry") < order.index("az deployment group create")
    assert order.index("az aks update --name") < order.index("kubectl apply --kustomize infra/kubernetes")


@pytest.mark.parametrize("file", ["dev.bicepparam", "prod.bicepparam"])
def test_parameter_files_read_what_the_guide_exports(file: str) -> None:
    read = set(re.findall(r"readEnvironmentVariable\('(LMS_\w+)'", (INFRA / file).read_text("utf-8")))
    exported = set(re.findall(r"^export (LMS_\w+)=", GUIDE, re.MULTILINE))

    assert exported == {"LMS_PLAN", "LMS_REGISTRY", "LMS_IMAGE"}
    assert exported <= read


def test_the_cluster_is_told_what_differs(walk: Path) -> None:
    text = (walk / "infra" / "kubernetes" / "deployment.env").read_text("utf-8")
    given = dict(line.split("=", 1) for line in text.splitlines())
    images = (walk / "infra" / "kubernetes" / "kustomization.yaml").read_text("utf-8")

    assert given.keys() == environment("deployment.env").keys()
    assert given.keys() <= settings().keys() | ONLY_HERE.keys()
    assert all("the-" in value for value in given.values())
    assert "newName: the-registryName.azurecr.io/lms-connector\n" in images
    assert "newTag: 0.1.0\n" in images


def test_azure_believes_the_accounts_that_the_manifests_have(walk: Path) -> None:
    subjects = {call[call.index("--subject") + 1] for call in calls(walk) if "federated-credential" in call}

    assert subjects == {
        "system:serviceaccount:lms-connector:connector",
        "system:serviceaccount:kube-system:keda-operator",
    }
