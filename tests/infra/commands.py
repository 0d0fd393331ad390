"""What is wrong with a call that a guide makes: a tool's command, its arguments, or a name that nobody has printed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from typer.exceptions import TyperException
from typer.main import get_command

from shared.cli.app import app
from tests.infra import azure_cli
from tests.infra.template_names import name_lists
from tests.infra.walk import NAMES, Step

FUNC: Mapping[tuple[str, ...], set[str]] = {("azure", "functionapp", "publish"): {"--python"}}
"""Commands of Azure Functions Core Tools that guides use, with their options; the tool itself cannot tell offline."""

AZD: Mapping[tuple[str, ...], set[str]] = {
    ("auth", "login"): set(),
    ("deploy",): set(),
    ("down",): set(),
    ("env", "get-values"): set(),
    ("env", "new"): set(),
    ("env", "set"): set(),
    ("hooks", "run"): set(),
    ("provision",): {"--preview"},
}
"""The same of the Azure Developer CLI."""


def problems(step: Step) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with a call."""
    yield from _TOOLS.get(step.tool, _nothing)(step.call)


def _az(call: Sequence[str]) -> Iterator[str]:
    yield from azure_cli.problems(call)
    lists = name_lists()
    known = {
        **NAMES,
        "--container-name": {each["name"] for each in lists["containers"]} | {lists["releases"]},
        "--queue-name": set(lists["queues"]),
    }
    for option, names in known.items():
        value = azure_cli.value_of(call, option)
        if value is not None and value not in names:
            yield f"az {azure_cli.verbs(call)}: nobody has made {value!r}, which {option} names."


def _lms(call: Sequence[str]) -> Iterator[str]:
    """Let the command line itself read the call, and do nothing."""
    command: Any = get_command(app)
    rest, parent, name = list(call), None, "lms"
    try:
        while True:
            context = command.make_context(name, rest, parent=parent)
            if not hasattr(command, "resolve_command"):
                return
            name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            parent = context
    except TyperException as error:
        yield f"lms {' '.join(call)}: {error}"


def _listed(tool: str, known: Mapping[tuple[str, ...], set[str]], call: Sequence[str]) -> Iterator[str]:
    options = {each for each in call if each.startswith("-")}
    if not any(tuple(call[: len(verbs)]) == verbs and options <= allowed for verbs, allowed in known.items()):
        yield f"{tool} {' '.join(call)} is not known."


def _nothing(_: Sequence[str]) -> Iterator[str]:
    yield from ()


_TOOLS: Mapping[str, Callable[[Sequence[str]], Iterator[str]]] = {
    "az": _az,
    "lms": _lms,
    "func": partial(_listed, "func", FUNC),
    "azd": partial(_listed, "azd", AZD),
}
