"""The scripts of a deployment, run with an `az` that writes down what it is asked and answers as Azure does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.template_names import INFRA

PRINCIPAL = "11111111-2222-3333-4444-555555555555"
GRAPH_ID = "99999999-0000-0000-0000-000000000000"
APP_ROLES = {
    "LearningContent.ReadWrite.All": "aaaaaaaa-0000-0000-0000-000000000001",
    "LearningAssignedCourse.ReadWrite.All": "aaaaaaaa-0000-0000-0000-000000000002",
    "LearningSelfInitiatedCourse.ReadWrite.All": "aaaaaaaa-0000-0000-0000-000000000003",
    "User.Read.All": "aaaaaaaa-0000-0000-0000-000000000004",
}
KEY = "a-key-that-only-the-host-and-event-grid-know"
AZ = """#!{python}
import json, os, pathlib, re, sys

call = sys.argv[1:]
folder = pathlib.Path(__file__).parent
answers = json.loads((folder / "answers.json").read_text())
with (folder / "calls.ndjson").open("a") as calls:
    key = os.environ.get("LMS_WEBHOOK_KEY")
    calls.write(json.dumps({{"call": call, "prefix": os.environ.get("LMS_PREFIX"), "key": key}}) + "\\n")
for pattern, answer in answers.items():
    if re.search(pattern, " ".join(call)):
        print(answer, end="\\n" if answer else "")
        break
else:
    sys.exit("az was asked for something unknown: " + " ".join(call))
"""


class Desk:
    """A terminal with a stand-in for `az`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        az = folder / "az"
        az.write_text(AZ.format(python=sys.executable), "utf-8")
        az.chmod(0o755)

    def run(self, script: str, *arguments: str, answers: dict[str, str], says: str = "") -> tuple[int, str]:
        """Run a script; `answers` are what `az` prints, by a pattern of the call."""
        (self.folder / "answers.json").write_text(json.dumps(answers), "utf-8")
        done = subprocess.run(
            [INFRA / script, *arguments],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            input=says,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def calls(self) -> list[dict[str, object]]:
        file = self.folder / "calls.ndjson"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    @property
    def granted(self) -> set[str]:
        bodies = [call[call.index("--body") + 1] for each in self.calls if "--body" in (call := list(each["call"]))]  # type: ignore[call-overload]
        assert all(json.loads(body)["principalId"] == PRINCIPAL for body in bodies)
        assert all(json.loads(body)["resourceId"] == GRAPH_ID for body in bodies)
        return {json.loads(body)["appRoleId"] for body in bodies}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def graph(*granted: str) -> dict[str, str]:
    """Return the answers of a tenant in which some roles are granted already."""
    return {
        r"--method post .*/appRoleAssignments": "",
        r"/appRoleAssignments": "\n".join(APP_ROLES[role] for role in granted),
        r"servicePrincipals\(appId='00000003-0000-0000-c000-000000000000'\)": GRAPH_ID,
        **{rf"/{GRAPH_ID}\?\$select=appRoles .*value=='{role}'": id_ for role, id_ in APP_ROLES.items()},
    }


def test_all_app_roles_are_granted(desk: Desk) -> None:
    status, said = desk.run("graph-permissions.sh", PRINCIPAL, "--yes", answers=graph())

    assert status == 0, said
    assert desk.granted == set(APP_ROLES.values())


def test_what_is_granted_is_left_alone(desk: Desk) -> None:
    status, said = desk.run("graph-permissions.sh", PRINCIPAL, "--yes", answers=graph("User.Read.All"))

    assert status == 0, said
    assert desk.granted == set(APP_ROLES.values()) - {APP_ROLES["User.Read.All"]}


def test_a_second_time_there_is_nothing_to_do(desk: Desk) -> None:
    status, said = desk.run("graph-permissions.sh", PRINCIPAL, answers=graph(*APP_ROLES))

    assert status == 0
    assert "Nothing to do." in said
    assert not desk.granted


def test_nothing_is_granted_without_a_yes(desk: Desk) -> None:
    status, said = desk.run("graph-permissions.sh", PRINCIPAL, answers=graph(), says="n\n")

    assert status == 1
    assert "Nothing was changed." in said
    assert not desk.granted


def test_without_learners_contents_are_all_that_is_granted(desk: Desk) -> None:
    desk.run("graph-permissions.sh", PRINCIPAL, "--without-learners", "--yes", answers=graph())

    assert desk.granted == {APP_ROLES["LearningContent.ReadWrite.All"]}


def test_a_role_that_graph_does_not_know_stops_before_anything_is_granted(desk: Desk) -> None:
    answers = {**graph(), rf"/{GRAPH_ID}\?\$select=appRoles .*value=='User.Read.All'": ""}

    status, said = desk.run("graph-permissions.sh", PRINCIPAL, "--yes", answers=answers)

    assert status == 1
    assert "Graph knows no app role User.Read.All" in said
    assert not desk.granted


@pytest.mark.parametrize("wrong", [(), ("not-an-id",), (PRINCIPAL, "--all")])
def test_wrong_usage_asks_azure_nothing(desk: Desk, wrong: tuple[str, ...]) -> None:
    status, _ = desk.run("graph-permissions.sh", *wrong, answers={})

    assert status == 2
    assert not desk.calls


def test_the_webhooks_key_is_in_no_argument(desk: Desk) -> None:
    answers = {"deployment group show": "func-lms-abc", "functionapp keys list": KEY, "deployment group create": ""}

    status, said = desk.run("event-subscription.sh", "rg-lms", "lms", answers=answers)

    last = desk.calls[-1]
    assert status == 0, said
    assert KEY not in said
    assert KEY not in json.dumps([each["call"] for each in desk.calls])
    assert (last["prefix"], last["key"]) == ("lms", KEY)
    assert f"--parameters {INFRA}/event-subscription.bicepparam" in " ".join(map(str, last["call"]))  # type: ignore[call-overload]


def test_a_named_app_is_not_asked_of_the_deployment(desk: Desk) -> None:
    """`azd` calls its deployments otherwise, and knows the app's name."""
    answers = {"functionapp keys list .*--name func-lms-azd": KEY, "deployment group create": ""}

    status, said = desk.run("event-subscription.sh", "rg-lms", "lms", "func-lms-azd", answers=answers)

    assert status == 0, said


@pytest.mark.parametrize("wrong", [(), ("rg-lms",), ("rg-lms", "lms", "app", "more")])
def test_wrong_usage_makes_no_subscription(desk: Desk, wrong: tuple[str, ...]) -> None:
    status, _ = desk.run("event-subscription.sh", *wrong, answers={})

    assert status == 2
    assert not desk.calls


def test_without_a_key_no_subscription_is_made(desk: Desk) -> None:
    answers = {"deployment group show": "func-lms-abc", "functionapp keys list": ""}

    status, said = desk.run("event-subscription.sh", "rg-lms", "lms", answers=answers)

    assert status == 1
    assert "Publish the code" in said
    assert not any("create" in str(each["call"]) for each in desk.calls)
