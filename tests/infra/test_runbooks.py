"""Runbooks walked through: every command is one that its tool knows, in an order in which it can be run.

Nobody follows a runbook before it is needed, and then there is no time for a command that does not exist.
"""

import re
import shlex
from pathlib import Path

import pytest

from tests.infra import azure_cli
from tests.infra.commands import problems
from tests.infra.walk import ROOT, Step, blocks, walk

FOLDER = ROOT / "docs" / "runbooks"
SESSION = FOLDER / "README.md"
RUNBOOKS = sorted(path.name for path in FOLDER.glob("*.md") if path != SESSION)
SECTIONS = ("When", "What you need", "Check", "When it fails")
DURATION = re.compile(r"\b(seconds?|minutes?|hours?|days?)\b")
SAYS = re.compile(r"\b[Pp]rints?\b")


def section(text: str, title: str) -> str:
    """Return what stands under a heading of the second level."""
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_runbook_is_listed() -> None:
    listed = re.findall(r"^\| \[[^\]]+\]\(([a-z-]+\.md)\)", SESSION.read_text("utf-8"), re.MULTILINE)

    assert sorted(listed) == RUNBOOKS
    assert {
        "rotate-pgp-key.md",
        "rotate-sftp-key.md",
        "restore.md",
        "move-region.md",
        "upgrade.md",
        "tear-down.md",
    } == {*RUNBOOKS}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_runbook_can_be_walked_through(name: str, tmp_path: Path) -> None:
    """Its blocks are run in one shell behind those of the session."""
    steps = walk(tmp_path, SESSION, FOLDER / name, has_lms=True)

    assert [told for step in steps for told in problems(step)] == []
    assert len(steps) > 10


@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_runbook_says_when_what_and_what_if(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")

    assert [title for title in SECTIONS if len(section(text, title).strip()) < 40] == []
    assert re.search(r"^\| .* \| .* \|$", section(text, "When it fails"), re.MULTILINE)


@pytest.mark.parametrize("name", ["README.md", *RUNBOOKS])
def test_every_block_says_what_it_prints_and_how_long_it_takes(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    behind = re.split(r"^```sh\n.*?^```$", text, flags=re.MULTILINE | re.DOTALL)[1:]
    told = [re.split(r"^#+ ", each, maxsplit=1, flags=re.MULTILINE)[0] for each in behind]

    assert len(told) == len(blocks(text)) > 0
    assert [block for block, words in zip(blocks(text), told, strict=True) if not DURATION.search(words)] == []
    assert [block for block, words in zip(blocks(text), told, strict=True) if not SAYS.search(words)] == []


@pytest.mark.parametrize("name", ["docs/deployment.md", *(f"docs/runbooks/{name}" for name in RUNBOOKS)])
def test_commands_in_the_sentences_exist_as_well(name: str) -> None:
    """What to do when something fails is told in tables and sentences, which nobody runs."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = {each for code in re.findall(r"`([^`]+)`", text) for each in azure_cli.commands_in(code)}

    assert named - azure_cli._known()["commands"].keys() == set()
    lines = [shlex.split(code) for code in re.findall(r"`((?:lms|func|azd) [^`]+)`", text)]
    assert [told for tool, *call in lines for told in problems(Step(tool, call))] == []
    scripts = re.findall(r"`(infra/[\w.-]+\.sh)", text)
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["keyvault", "secret", "sets", "--name", "a"], "no command"),
        (["keyvault", "secret", "set", "--vault", "kv-lms-abc"], "no option"),
        (["keyvault", "secret", "set", "--vault-name", "kv-lms-abc", "--file", "a"], "needs --name"),
        (["keyvault", "secret", "set", "--vault-name", "kv-lms-abc", "--name", "a", "--file"], "takes one value"),
        (["keyvault", "secret", "set", "--vault-name", "another", "--name", "a", "--file", "b"], "nobody has made"),
        (["storage", "blob", "upload", "--container-name", "seald", "--file", "a"], "nobody has made 'seald'"),
    ],
)
def test_a_wrong_call_is_found(call: list[str], told: str) -> None:
    assert any(told in each for each in problems(Step("az", call)))


@pytest.mark.parametrize("call", [["doctr"], ["keys", "generate", "pgp"], ["run", "--now"], ["keys", "enable"]])
def test_a_wrong_call_of_lms_is_found(call: list[str]) -> None:
    assert list(problems(Step("lms", call)))
