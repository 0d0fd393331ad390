"""Walks through a guide: runs its shell blocks in their order, with recorders in place of all that reaches Azure.

A recorder writes down how it was called and answers as the tool does, so that the next command can go on with what the
last one has printed. A variable that no step before has set ends the walk, and so does a command that is no recorder
and not there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECORDED = (
    "az",
    "azd",
    "func",
    "git",
    "gpg",
    "lms",
    "pip",
    "python",
    "python3.13",
    "shred",
    "sleep",
    "ssh-keyscan",
    "zip",
)
RECORDER = """#!{python}
import json, pathlib, sys

folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
call = sys.argv[1:]
given = sys.stdin.read() if "/dev/stdin" in call else None
with (folder / "calls.ndjson").open("a") as calls:
    calls.write(json.dumps([name, call, given]) + "\\n")
text = " ".join(call)
if name == "az" and "keyvault secret show" in text:
    sys.exit(3)  # there is none yet
if name == "python3.13" and call[:2] == ["-m", "venv"]:
    made = pathlib.Path(call[2], "bin")
    made.mkdir(parents=True, exist_ok=True)
    (made / "activate").write_text("")
    for tool in ("pip", "lms"):
        (made / tool).unlink(missing_ok=True)
        (made / tool).symlink_to(folder / "tools" / tool)
for option in ("--file", "--destination"):
    if name == "az" and option in call and ("download" in text or "backup" in text):
        target = pathlib.Path(call[call.index(option) + 1])
        if target.is_dir():
            (target / "acme.json").write_text("{{}}")
        else:
            target.write_text("secret")
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
    "secret list-versions": "https://kv-lms-abc.vault.azure.net/secrets/pgp-private-key/0123456789abcdef0123456789abcdef",
    "describe --tags": "v0.1.0",
    "ad app create": "22222222-0000-0000-0000-000000000000",
    "group show": "/subscriptions/s/resourceGroups/rg-lms",
}
"""What a tool prints, by a part of its call."""

NAMES = {
    "--resource-group": {"rg-lms", "rg-lms-north"},
    "--account-name": {ANSWERS["outputs.storageName"]},
    "--vault-name": {ANSWERS["outputs.vaultName"]},
}
"""What may stand behind these options: names that were chosen at the beginning, or printed by a step before."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a recorder."""

    tool: str
    call: list[str]
    given: str | None = None
    """What came by standard input."""

    @property
    def text(self) -> str:
        """The call as a line."""
        return " ".join([self.tool, *self.call])


def blocks(guide: str) -> list[str]:
    """Return the shell blocks of a guide in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)


def walk(folder: Path, *guides: Path, has_lms: bool = False) -> list[Step]:
    """Run all blocks of the guides in one shell, and return the calls; `has_lms` says that it was installed before.

    Raises:
        AssertionError: a command failed, or used what no step before has made.
    """
    tools, work = folder / "tools", folder / "repository"
    tools.mkdir()
    for tool in RECORDED:
        recorder = RECORDER.format(python=sys.executable, folder=str(folder), answers=ANSWERS)
        (tools / tool).write_text(recorder, "utf-8")
        (tools / tool).chmod(0o755)
    work.mkdir()
    for each in ("function_app.py", "host.json", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / each, work)
    for each in ("functions", "infra"):
        shutil.copytree(ROOT / each, work / each, ignore=shutil.ignore_patterns("local", "__pycache__"))
    (work / "shared").mkdir()
    if has_lms:
        (work / ".lms" / "bin").mkdir(parents=True)
        (work / ".lms" / "bin" / "activate").touch()
    commands = [block for guide in guides for block in blocks(guide.read_text("utf-8"))]
    # The script asks before it grants; whoever walks says yes.
    script = "\n".join(["set -euo pipefail", *commands]).replace(
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
    assert done.returncode == 0, done.stderr[-2000:]
    return [Step(*json.loads(line)) for line in (folder / "calls.ndjson").read_text("utf-8").splitlines()]
