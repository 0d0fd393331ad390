"""docs/deployment.md walked through: its commands run in order, with stand-ins for the tools that reach Azure.

Each command is one that its tool knows, with the options that it needs, and with the names that steps before it have
printed (see `tests/infra/walk.py`).
"""

import json
import re

import pytest

from tests.infra import azure_cli
from tests.infra.commands import problems
from tests.infra.template_names import name_lists
from tests.infra.walk import ROOT, Step, blocks, walk

FILE = ROOT / "docs" / "deployment.md"
GUIDE = FILE.read_text("utf-8")
DURATION = re.compile(r"\b([Ss]econds?|minutes?|hours?)\b")


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """All calls of the walk, in order."""
    return walk(tmp_path_factory.mktemp("walk"), FILE)


def test_every_command_is_one_that_its_tool_knows(steps: list[Step]) -> None:
    assert [told for step in steps for told in problems(step)] == []
    assert {step.tool for step in steps} >= {"az", "lms", "pip", "gpg", "ssh-keyscan", "zip"}


def test_the_workflows_call_commands_that_exist() -> None:
    """Nobody walks through them here, so their commands are looked up by name."""
    texts = [path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    named = {
        each
        for text in texts
        for each in azure_cli.commands_in(re.sub(r"^ *- name:.*|#.*$", "", text, flags=re.MULTILINE))
    }

    assert named
    assert named - azure_cli._known()["commands"].keys() == set()


def test_no_step_uses_what_no_step_before_has_made(steps: list[Step]) -> None:
    """The walk stops at a variable that is not set; here, that each step comes after what it needs."""
    order = [step.text for step in steps]

    def at(text: str) -> int:
        return next(index for index, each in enumerate(order) if text in each)

    deployed, published = at("deployment group create"), at("config-zip")
    assert at("group create") < at("what-if") < deployed
    assert deployed < at("--name pepper --file") < published
    assert deployed < at("--name sftp-login") < published
    assert deployed < at("--name pgp-private-key") < published
    assert published < at("systemKeys.blobs_extension") < at("event-subscription.bicepparam")
    assert published < at("pip install") < at("lms provider register") < at("--container-name connections")
    assert at("--container-name connections") < at("lms doctor") < at("lms dry-run") < at("lms status")


def test_the_pepper_is_made_without_being_seen(steps: list[Step]) -> None:
    (pepper,) = [step.given for step in steps if "pepper" in step.call and step.given is not None]

    assert re.fullmatch(r"[0-9a-f]{64}", pepper)
    assert not any(pepper in step.text for step in steps)


def test_containers_and_queues_of_the_guide_exist(steps: list[Step]) -> None:
    lists = name_lists()
    known = {each["name"] for each in lists["containers"]} | {lists["releases"], *lists["queues"]}
    options = ("--container-name", "--queue-name")
    named = {value for step in steps for option in options if (value := azure_cli.value_of(step.call, option))}

    assert named == {"connections", "releases"}
    assert named <= known


def test_the_pipeline_is_trusted_by_environment(steps: list[Step]) -> None:
    """Both environments of the workflow, and nobody else."""
    trusted = [step.call for step in steps if "federated-credential" in step.call]
    given = [json.loads(azure_cli.value_of(call, "--parameters") or "") for call in trusted]
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")

    assert [each["subject"].rpartition(":")[2] for each in given] == ["prod-look", "prod"]
    assert re.findall(r"environment: \$\{\{ inputs.stage \}\}(.*)", workflow) == ["-look", ""]


def test_every_step_says_how_long_it_takes_and_what_to_do_when_it_fails() -> None:
    found = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
    numbered = {step.partition(".")[0]: step for step in found if re.match(r"\d+\. ", step)}

    assert list(numbered) == [str(number) for number in range(1, 16)]
    assert [number for number, step in numbered.items() if "*Fails*" not in step] == []
    assert [number for number, step in numbered.items() if not DURATION.search(step)] == []
    assert [number for number, step in numbered.items() if not blocks(step)] == []


def test_every_step_says_what_it_prints_or_that_it_prints_nothing() -> None:
    found = re.split(r"^## (?=\d+\. )", GUIDE, flags=re.MULTILINE)[1:]

    assert [
        step.partition("\n")[0] for step in found if not re.search(r"\b([Pp]rints?|[Ll]ists|ends with)\b", step)
    ] == []
