"""How the use of each name is taken out of the code's text, in every place where it is used."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.infra.code_names import (
    APP,
    CLIENT_ROLES,
    HOST,
    IMAGE,
    IMAGE_ROLE,
    LOG_ROLE,
    MESSAGES,
    SETTINGS,
    WIRING,
    Sources,
)
from tests.infra.names import Names

CONNECTION = "AzureWebJobsStorage"


@dataclass(frozen=True, slots=True)
class Removal:
    """A name whose use is taken away, and how."""

    name: str
    how: str
    edits: tuple[tuple[str, str, str], ...]
    """Which files, as a pattern of their path; what in them, as a pattern; what stands there instead."""

    def __str__(self) -> str:
        return f"{self.name}-{self.how}"

    def apply(self, sources: Sources) -> dict[str, str]:
        """Return the texts without it.

        Raises:
            ValueError: an edit found nothing to change, so that nothing would be tested.
        """
        changed = dict(sources)
        for paths, pattern, instead in self.edits:
            hits = 0
            for path in [path for path in changed if re.fullmatch(paths, path)]:
                changed[path], count = re.subn(pattern, instead, changed[path], flags=re.MULTILINE)
                hits += count
            if not hits:
                raise ValueError(f"{self}: {pattern} is not in {paths} any more")
        return {path: text for path, text in changed.items() if text}


def removals(names: Names, sources: Sources) -> Iterator[Removal]:
    """Yield one or more removals of every name that the code uses."""
    for name in sorted(names.settings):
        yield from _of_setting(name)
    for name in sorted(names.containers):
        started = _unregister(sources, rf'path="{name}/')
        yield Removal(name, "not wired", (*started, (WIRING, rf'^ +\w+=\w+\(account, "{name}"\),\n', "")))
        parts = "|".join(re.findall(rf'^ +(\w+)=\w+\(account, "{name}"\),\n', sources[WIRING], re.MULTILINE))
        yield Removal(name, "wired but not used", (*started, (".*", rf"\bparts\.({parts})\b", "parts.gone")))
    for name in sorted(names.tables):
        yield Removal(name, "not wired", ((WIRING, rf'^ +{name}=.*_table\(account, "{name}"\)\),\n', ""),))
        yield Removal(name, "wired but not used", ((".*", rf"\bparts\.{name}\b", "parts.gone"),))
    constants = {text: constant for constant, text in re.findall(r'^(\w+) = "(.*)"$', sources[MESSAGES], re.MULTILINE)}
    for name in sorted(names.queues):
        read_no_more = _unregister(sources, rf'queue_name="{name}"')
        if constant := constants.get(name):
            others = rf"(?!{MESSAGES}).*"
            yield Removal(name, "not sent to, not read", (*read_no_more, (others, rf"\b{constant}\b", "GONE")))
        else:
            yield Removal(name, "not read", read_no_more)
    clients = {role: client for client, role in CLIENT_ROLES.items()}
    for role in sorted(names.roles - {LOG_ROLE, IMAGE_ROLE}):
        yield Removal(role, "no client", (("shared/adapters/.*", rf"\b{clients[role]}\b", "Gone"),))
    yield Removal(LOG_ROLE, "host sends no logs", (_NO_LOGS,))
    yield Removal(IMAGE_ROLE, "no image", ((IMAGE, r"(?s)\A.*\Z", ""),))
    for name in sorted(names.triggers):
        yield Removal(name, "not registered", _unregister(sources, rf"def {name.split()[0]}\("))


_NO_LOGS = (HOST, '"applicationInsights"', '"console"')


def _of_setting(name: str) -> Iterator[Removal]:
    if name.startswith("LMS_"):
        field = name.removeprefix("LMS_").lower()
        yield Removal(name, "not read", ((r"shared/.*", rf"\bsettings\.{field}\b", "None"),))
        yield Removal(
            name, "not defined", ((SETTINGS, rf"^    {field}: .*= Field\((.*\)$|\n(?s:.*?)^    \)$)", "    pass"),)
        )
    elif name.startswith("APPLICATIONINSIGHTS_"):
        yield Removal(name, "host sends no logs", (_NO_LOGS,))
    elif name.startswith(CONNECTION):
        edits = [("functions/.*", rf',\s*connection="{CONNECTION}"', "")]
        if (part := name.removeprefix(CONNECTION)) != "__credential":
            edits.append(("shared/adapters/.*", rf'self\._environment\.get\(f"{{self\._connection}}{part}"\)', "None"))
        yield Removal(name, "no trigger names the connection", tuple(edits))
    else:
        yield Removal(name, "not read", ((".*", rf'"%{name}%"|environment\.get\("{name}", ""\)', '""'),))


def _unregister(sources: Mapping[str, str], pattern: str) -> tuple[tuple[str, str, str], ...]:
    """Edits that take the functions in whose text the pattern is out of the app."""
    return tuple(
        (APP, rf"^(    {module},\n|from functions\.{module} import .*\n)", "")
        for path, text in sources.items()
        if path.startswith("functions/") and re.search(pattern, text)
        for module in [path.removeprefix("functions/").removesuffix(".py")]
    )
