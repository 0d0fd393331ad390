"""What the Azure CLI knows: its commands with their options, as it tells them itself, and what is wrong with a call.

`python -m tests.infra.azure_cli PYTHON` reads them anew, where PYTHON is that of an environment with the package
`azure-cli`. Only commands that documents, scripts and workflows use are kept.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("azure_cli.json")
GLOBAL = {"--output": "one", "-o": "one", "--query": "one", "--verbose": "none", "--debug": "none", "--help": "none"}
"""Options that every command has, and how many values they take."""

_READER = """
import json, sys
from azure.cli.core import __version__, get_default_cli
from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args

cli = get_default_cli()
create_invoker_and_load_cmds_and_args(cli)
table = cli.invocation.commands_loader.command_table
commands = {}
for name in json.load(sys.stdin):
    options = {}
    for argument in table[name].arguments.values() if name in table else ():
        settings = argument.type.settings
        spelled = sorted(each for each in settings.get("options_list") or () if isinstance(each, str))
        flag = settings.get("action") in ("store_true", "store_false") or settings.get("nargs") == 0
        takes = "none" if flag else {"?": "maybe", "*": "many", "+": "many"}.get(settings.get("nargs"), "one")
        if spelled:
            options[" ".join(spelled)] = takes + (" required" if settings.get("required") else "")
    if name in table:
        commands[name] = options
json.dump({"version": __version__, "commands": commands}, sys.stdout)
"""
_OF_ALL = {"--change-reference", "--acquire-policy-token", "--cmd"}
_FITS: Mapping[str, Callable[[int], bool]] = {
    "none": lambda count: count == 0,
    "maybe": lambda count: count <= 1,
    "one": lambda count: count == 1,
    "many": lambda count: count >= 1,
}
_WORDS = re.compile(r"\baz ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)*)")


def verbs(call: Sequence[str]) -> str:
    """Return the name of a command: all before its first option."""
    return " ".join(call[: next((i for i, each in enumerate(call) if each.startswith("-")), len(call))])


def problems(call: Sequence[str]) -> Iterator[str]:
    """Yield what the CLI would not take about a call: the command, an option, or one that is missing."""
    name = verbs(call)
    known = _known()["commands"].get(name)
    if known is None:
        yield f"There is no command az {name}."
        return
    spelled = {each: (takes.split()[0], names) for names, takes in known.items() for each in names.split()}
    spelled |= {each: (takes, each) for each, takes in GLOBAL.items()}
    given: set[str] = set()
    rest = list(call[len(name.split()) :])
    while rest:
        option = rest.pop(0)
        if option not in spelled:
            yield f"az {name} has no option {option}."
            return
        takes, names = spelled[option]
        given.add(names)
        count = next((i for i, each in enumerate(rest) if each.startswith("--")), len(rest))
        if (takes == "none" and count and option not in ("--overwrite", "--enabled")) or (
            takes == "one" and count != 1
        ):
            yield f"az {name}: {option} takes {takes} value, not {count}."
        del rest[:count]
    for names, takes in known.items():
        if takes.endswith("required") and names not in given and not _is_given_by_id(given):
            yield f"az {name} needs {names}."


def value_of(call: Sequence[str], option: str) -> str | None:
    """Return the value that an option has in a call."""
    return call[call.index(option) + 1] if option in call else None


def commands_in(text: str) -> set[str]:
    """Return the commands of the CLI that a text names, as far as they are known."""
    names = _known()["commands"]
    found = set()
    for words in _WORDS.findall(text):
        parts = words.split()
        fitting = [" ".join(parts[:count]) for count in range(len(parts), 0, -1)]
        found |= {next((each for each in fitting if each in names), words)}
    return found


def _is_given_by_id(given: set[str]) -> bool:
    """Whether an id stands for the names; the CLI takes either."""
    return any("--id" in names.split() or "--ids" in names.split() for names in given)


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return known


def main() -> None:
    """Read the commands that are kept anew, and those that are named behind PYTHON."""
    python, *more = sys.argv[1:]
    names = sorted({*_known()["commands"], *more} if FILE.exists() else more)
    done = subprocess.run([python, "-c", _READER], input=json.dumps(names), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    commands = {name: _own(options) for name, options in told["commands"].items()}
    FILE.write_text(json.dumps({"version": told["version"], "commands": commands}, indent=1) + "\n", "utf-8")


def _own(options: dict[str, str]) -> dict[str, str]:
    """Leave out what every command has since lately and no guide uses."""
    return {names: takes for names, takes in sorted(options.items()) if not _OF_ALL & set(names.split())}


if __name__ == "__main__":
    main()
