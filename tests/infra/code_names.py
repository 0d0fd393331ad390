"""What the code names, read from its text: so that a text in which something is missing can be asked as well.

`app_names` asks the running app the same question. A name counts when the code uses it: a setting that nothing reads
and a container that nothing opens are not needed, however well they are defined.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.infra.app_names import NOT_IN_AZURE
from tests.infra.names import Names

ROOT = Path(__file__).parents[2]
APP, HOST, IMAGE = "function_app.py", "host.json", "Dockerfile"
WIRING, SETTINGS, MESSAGES = "shared/wiring.py", "shared/settings.py", "shared/domain/messages.py"
ENVIRONMENTS = ("environment", "_environment")

CLIENT_ROLES = {
    "BlobServiceClient": "Storage Blob Data Owner",
    "QueueServiceClient": "Storage Queue Data Contributor",
    "TableServiceClient": "Storage Table Data Contributor",
    "SecretClient": "Key Vault Secrets User",
}
"""What whoever makes such a client needs of Azure."""
HOST_CONNECTION = ("__accountName", "__credential", "__clientId")
"""What the functions host reads of a connection that a trigger names."""
HOST_LOGS = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING")
"""What the functions host reads when `host.json` has it send logs."""
LOG_ROLE, IMAGE_ROLE = "Monitoring Metrics Publisher", "AcrPull"

type Sources = Mapping[str, str]
"""Texts by their path below the repository's root."""
type Modules = Mapping[str, "Facts"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a function: the arguments of its decorator that are texts."""

    function: str
    arguments: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return dict(self.arguments).get(name, "")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one module says."""

    constants: Mapping[str, str]
    reads: frozenset[tuple[str, str]]
    """Attributes that are read, with the last word of what they are read from."""
    loads: frozenset[str]
    asked: frozenset[str]
    """What is asked of the environment."""
    called: frozenset[str]
    """What is called, and what it is called with, where that is a name."""
    opened: tuple[tuple[str, str, str], ...]
    """Of every argument of `Parts`: its name, what is made for it over the account, and by which name of its own."""
    fields: Mapping[str, frozenset[str]]
    """Of every class, its annotated attributes."""
    asks: Mapping[str, frozenset[str]]
    """Of every class, what it asks its storage account for."""
    bases: Mapping[str, tuple[str, ...]]
    """Of every class, what it is made from."""
    makers: Mapping[str, str]
    """Of every function that makes something over an account, what that is."""
    triggers: tuple[Trigger, ...]


def read_sources() -> dict[str, str]:
    """Return the texts of what runs in Azure."""
    files = [
        ROOT / APP,
        *(ROOT / "functions").glob("*.py"),
        *(ROOT / "shared").rglob("*.py"),
        ROOT / HOST,
        ROOT / IMAGE,
    ]
    paths = [str(file.relative_to(ROOT)) for file in files]
    return {path: (ROOT / path).read_text("utf-8") for path in paths if not path.startswith("shared/cli/")}


def code_names(sources: Sources) -> Names:
    """Return all names that a text of the code uses."""
    modules = {path: _facts(text) for path, text in sources.items() if path.endswith(".py")}
    triggers = [each for path in _registered(modules[APP]) for each in modules[path].triggers]
    by_packages = {(each.function, each.get("path").partition("/")[0]) for each in triggers if each.get("path")}
    return Names(
        settings=frozenset(_settings(modules, triggers, sources[HOST]) - NOT_IN_AZURE.keys()),
        containers=frozenset({*_wired(modules, "container"), *(container for _, container in by_packages)}),
        queues=frozenset({*_sent_to(modules), *(each.get("queue_name") for each in triggers)} - {""}),
        tables=frozenset(_wired(modules, "table")),
        roles=frozenset(_roles(modules, sources)),
        triggers=frozenset(f"{function} {container}" for function, container in by_packages),
    )


@cache
def _facts(text: str) -> Facts:
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    classes = [each for each in nodes if isinstance(each, ast.ClassDef)]
    functions = [each for each in nodes if isinstance(each, ast.FunctionDef)]
    calls = [each for each in nodes if isinstance(each, ast.Call)]
    defaults = {name: text for each in functions for name, text in _defaults(each.args)}
    return Facts(
        constants=dict(_constants(tree)),
        reads=frozenset(_reads(nodes)),
        loads=frozenset(each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)),
        asked=frozenset(_asked_of_the_environment(calls, defaults)),
        called=frozenset(_last_word(word) for each in calls for word in (each.func, *each.args)),
        opened=tuple(opened for each in calls if _last_word(each.func) == "Parts" for opened in _opened(each)),
        fields={each.name: frozenset(_fields(each)) for each in classes},
        asks={each.name: frozenset(_asked_of_the_account(each)) for each in classes if "_account" in text},
        bases={each.name: tuple(map(_last_word, each.bases)) for each in classes},
        makers={each.name: made for each in functions if "(account, " in text for made in _over_an_account(each)},
        triggers=tuple(each for function in functions for each in _triggers(function)),
    )


def _asked_of_the_account(node: ast.ClassDef) -> Iterator[str]:
    return (what for owner, what in _reads(ast.walk(node)) if owner == "_account")


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for each in tree.body:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _reads(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    return ((_last_word(each.value), each.attr) for each in nodes if isinstance(each, ast.Attribute))


def _last_word(node: ast.expr) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
    return ""


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, str]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    for argument, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        match default:
            case ast.Constant(value=str(text)):
                yield argument.arg, text


def _over_an_account(function: ast.FunctionDef) -> Iterator[str]:
    for each in ast.walk(function):
        match each:
            case ast.Call(func=ast.Name(id=made), args=[ast.Name(id="account"), ast.Name()]):
                yield made


def _triggers(function: ast.FunctionDef) -> Iterator[Trigger]:
    for each in function.decorator_list:
        match each:
            case ast.Call(func=ast.Attribute(attr=kind), keywords=given) if kind.endswith("_trigger"):
                yield Trigger(function.name, tuple(_texts(given)))


def _texts(keywords: Iterable[ast.keyword]) -> Iterator[tuple[str, str]]:
    for each in keywords:
        match each:
            case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                yield name, text


def _registered(app: Facts) -> Iterator[str]:
    """The modules of the functions that the app registers."""
    return (f"functions/{name}.py" for name in sorted(app.loads - {"app", "func", "each", "gc"}))


def _settings(modules: Modules, triggers: Iterable[Trigger], host: str) -> set[str]:
    read = {name for each in modules.values() for owner, name in each.reads if owner == "settings"}
    found = {f"LMS_{name.upper()}" for name in modules[SETTINGS].fields["Settings"] & read}
    found |= {name for each in modules.values() for name in each.asked}
    for each in triggers:
        found |= {name for _, text in each.arguments for name in re.findall("%([^%]+)%", text)}
        found |= {each.get("connection") + part for part in HOST_CONNECTION if each.get("connection")}
    if "applicationInsights" in json.loads(host)["logging"]:
        found |= set(HOST_LOGS)
    return found


def _asked_of_the_environment(calls: Iterable[ast.Call], defaults: Mapping[str, str]) -> Iterator[str]:
    for each in calls:
        match each:
            case ast.Call(func=ast.Attribute(value=asked, attr="get"), args=[name, *_]):
                if _last_word(asked) in ENVIRONMENTS and (text := "".join(_words(name, defaults))) and "*" not in text:
                    yield text


def _words(node: ast.expr, defaults: Mapping[str, str]) -> Iterator[str]:
    """The parts of a text; what is put into it is the default of the parameter of that name, or `*`."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            for each in parts:
                yield from _words(each, defaults)
        case ast.FormattedValue(value=inner):
            yield from _words(inner, defaults)
        case _:
            yield defaults.get(_last_word(node).removeprefix("_"), "*")


def _opened(parts: ast.Call) -> Iterator[tuple[str, str, str]]:
    for part in parts.keywords:
        for each in ast.walk(part.value):
            match each:
                case ast.Call(func=ast.Name(id=made), args=[ast.Name(id="account"), ast.Constant(value=str(name))]):
                    yield part.arg or "", made, name


def _wired(modules: Modules, kind: str) -> Iterator[str]:
    """What the wiring opens for an attribute of the parts that something reads."""
    wiring = modules[WIRING]
    read = {name for each in modules.values() for owner, name in each.reads if owner == "parts"}
    asks = {name: asked for each in modules.values() for name, asked in each.asks.items()}
    bases = {name: found for each in modules.values() for name, found in each.bases.items()}
    for part, made, name in wiring.opened:
        adapter = wiring.makers.get(made, made)
        if part in read and any(kind in asks.get(each, ()) for each in (adapter, *bases[adapter])):
            yield name


def _sent_to(modules: Modules) -> Iterator[str]:
    loads = {name for each in modules.values() for name in each.loads}
    return (text for name, text in modules[MESSAGES].constants.items() if name in loads)


def _roles(modules: Modules, sources: Sources) -> Iterator[str]:
    called = {name for each in modules.values() for name in each.called}
    yield from (role for client, role in CLIENT_ROLES.items() if client in called)
    if "applicationInsights" in json.loads(sources[HOST])["logging"]:
        yield LOG_ROLE
    if IMAGE in sources:
        yield IMAGE_ROLE
