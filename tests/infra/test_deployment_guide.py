"""docs/deployment.md walked through: its commands run in order, with stand-ins for the tools that reach Azure.

The stand-ins check that each command of `az` is one that exists, with options that it has, and answer so that the next
one can go on.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.template_names import name_lists

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "deployment.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)

AZ = {
    "login": {},
    "account set": {"subscription"},
    "provider register": {"namespace", "wait"},
    "group create": {"name", "location", "output"},
    "group delete": {"name"},
    "group show": {"name", "query", "output"},
    "ad app create": {"display-name", "query", "output"},
    "ad app federated-credential create": {"id", "output", "parameters"},
    "ad sp create": {"id", "output"},
    "role assignment create": {"assignee", "role", "scope", "output"},
    "deployment group what-if": {"resource-group", "parameters"},
    "deployment group create": {"resource-group", "name", "output", "parameters"},
    "deployment group show": {"resource-group", "name", "query", "output"},
    "rest": {"method", "url", "query", "output", "body"},
    "keyvault secret show": {"vault-name", "name", "output"},
    "keyvault secret set": {"vault-name", "name", "file", "encoding", "output", "expires"},
    "functionapp deployment source config-zip": {"resource-group", "name", "src", "build-remote"},
    "functionapp restart": {"resource-group", "name"},
    "functionapp keys list": {"resource-group", "name", "query", "output"},
    "storage blob upload": {"auth-mode", "account-name", "container-name", "name", "file", "overwrite", "output"},
    "storage message put": {"auth-mode", "account-name", "queue-name", "output", "content"},
    "resource list": {"resource-group", "query", "output"},
    "resource delete": {"verbose", "ids"},
    "lock delete": {"name", "resource-group", "resource-name", "resource-type"},
}
"""Commands of the Azure CLI that the guide and its scripts use, with options that they have."""

STAND_IN = """#!{python}
import json, pathlib, sys

folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
call = sys.argv[1:]
given = sys.stdin.read() if "/dev/stdin" in call else None
with (folder / "calls.ndjson").open("a") as calls:
    calls.write(json.dumps([name, call, given]) + "\\n")
text = " ".join(call)
if name == "az" and text.startswith("keyvault secret show"):
    sys.exit(3)
for pattern, answer in {answers!r}.items():
    if pattern in text:
        print(answer)
        break
"""
ANSWERS = {
    "outputs.appName": "func-lms-abc",
    "outputs.storageName": "stlmsabc",
    "outputs.vaultName": "kv-lms-abc",
    "outputs.identityPrincipalId": "11111111-2222-3333-4444-555555555555",
    "outputs.outgoingAddress": "198.51.100.1",
    "$select=id": "99999999-0000-0000-0000-000000000000",
    "appRoles[?": "aaaaaaaa-0000-0000-0000-000000000001",
    "systemKeys.blobs_extension": "the-key",
    "?type!='Microsoft.KeyVault/vaults'": "/subscriptions/a/storage\n/subscriptions/a/app",
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[str], str | None]]:
    """All calls of the walk, in order. Whatever a step needs lies in the folder, as the guide says."""
    folder = tmp_path_factory.mktemp("walk")
    tools = folder / "tools"
    tools.mkdir()
    for tool in ("az", "azd", "gpg", "zip", "pip", "ssh-keyscan", "lms", "shred"):
        (tools / tool).write_text(STAND_IN.format(python=sys.executable, folder=str(folder), answers=ANSWERS), "utf-8")
        (tools / tool).chmod(0o755)
    work = folder / "repository"
    work.mkdir()
    for each in ("function_app.py", "host.json", "requirements.txt"):
        shutil.copy(ROOT / each, work)
    for each in ("functions", "infra"):
        shutil.copytree(ROOT / each, work / each, ignore=shutil.ignore_patterns("local", "__pycache__"))
    (work / "shared").mkdir()
    script = "\n".join(["set -euo pipefail", *BLOCKS]).replace(
        'graph-permissions.sh "$PRINCIPAL"', 'graph-permissions.sh "$PRINCIPAL" <<<y'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=work,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in (folder / "calls.ndjson").read_text("utf-8").splitlines()]


def test_every_command_is_one_that_azure_knows(calls: list[tuple[str, list[str], str | None]]) -> None:
    used = set()
    for tool, call, _ in calls:
        if tool == "az":
            verbs = " ".join(call[: next((i for i, each in enumerate(call) if each.startswith("-")), len(call))])
            options = {each.removeprefix("--") for each in call if each.startswith("--")}
            assert verbs in AZ, verbs
            assert options <= set(AZ[verbs]), call
            used.add(verbs)

    assert used == AZ.keys()


def test_no_step_uses_what_no_step_before_has_made(calls: list[tuple[str, list[str], str | None]]) -> None:
    """The walk stops at a variable that is not set; here, that each step comes after what it needs."""
    order = [" ".join([tool, *call]) for tool, call, _ in calls]

    def at(text: str) -> int:
        return next(index for index, each in enumerate(order) if text in each)

    deployed, published = at("deployment group create"), at("config-zip")
    assert at("group create") < at("what-if") < deployed
    assert deployed < at("--name pepper --file") < published
    assert deployed < at("--name sftp-login") < published
    assert deployed < at("--name pgp-private-key") < published
    assert published < at("systemKeys.blobs_extension") < at("event-subscription.bicepparam")
    assert published < at("--container-name connections") < at("--queue-name commands") < at("lms runs")


def test_the_pepper_is_made_without_being_seen(calls: list[tuple[str, list[str], str | None]]) -> None:
    (pepper,) = [given for _, call, given in calls if "pepper" in call and given is not None]

    assert re.fullmatch(r"[0-9a-f]{64}", pepper)
    assert not any(pepper in " ".join(call) for _, call, _ in calls)


def test_containers_and_queues_of_the_guide_exist(calls: list[tuple[str, list[str], str | None]]) -> None:
    lists = name_lists()
    known = {each["name"] for each in lists["containers"]} | {lists["releases"], *lists["queues"]}
    named = {
        call[index + 1]
        for _, call, _ in calls
        for index, each in enumerate(call)
        if each in ("--container-name", "--queue-name")
    }

    assert named == {"connections", "releases", "commands"}
    assert named <= known


def test_the_pipeline_is_trusted_by_environment(calls: list[tuple[str, list[str], str | None]]) -> None:
    """Both environments of the workflow, and nobody else."""
    given = [json.loads(call[call.index("--parameters") + 1]) for _, call, _ in calls if "federated-credential" in call]
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")

    assert [each["subject"].rpartition(":")[2] for each in given] == ["prod-look", "prod"]
    assert re.findall(r"environment: \$\{\{ inputs.stage \}\}(.*)", workflow) == ["-look", ""]


def test_every_step_says_what_to_do_when_it_fails() -> None:
    steps = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
    numbered = {step.partition(".")[0]: step for step in steps if re.match(r"\d+\. ", step)}

    assert list(numbered) == [str(number) for number in range(1, 15)]
    assert not [number for number, step in numbered.items() if "*Fails*" not in step]
