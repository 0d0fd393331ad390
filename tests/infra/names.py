"""What has a name both in the code and in the templates, and in what the two differ."""

from collections.abc import Iterator
from dataclasses import dataclass

LISTS = 'infra/names.json, under "{0}s"'


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one side. `triggers` are `function container` of the functions that packages start."""

    settings: frozenset[str]
    containers: frozenset[str]
    queues: frozenset[str]
    tables: frozenset[str]
    roles: frozenset[str]
    triggers: frozenset[str]


_PLACES = {
    "settings": ("app setting", "infra/modules/settings.bicep"),
    "containers": ("container", LISTS.format("container")),
    "queues": ("queue", LISTS.format("queue")),
    "tables": ("table", LISTS.format("table")),
    "roles": ("role", "infra/modules/roles.bicep, in `appRoles`"),
    "triggers": ("blob trigger", 'infra/names.json, under "triggers"'),
}


def differences(app: Names, templates: Names) -> Iterator[str]:
    """Yield a sentence for every name that only one of the two has, with the place to mend."""
    for field, (kind, place) in _PLACES.items():
        needed: frozenset[str] = getattr(app, field)
        given: frozenset[str] = getattr(templates, field)
        for name in sorted(needed - given):
            yield f"The code needs the {kind} {name!r}, which no template makes: add it to {place}."
        for name in sorted(given - needed):
            yield f"The templates make the {kind} {name!r}, which nothing in the code needs: remove it from {place}."
