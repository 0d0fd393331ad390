"""What a statement is about: activities, and interactions among them (xAPI 1.0.3, part two, 2.4.4.1)."""

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Discriminator, Tag

from shared.domain.xapi.values import Exactly, Extensions, Iri, LanguageMap, broken

COMPONENT_LISTS = {
    "choice": ("choices",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "matching": ("source", "target"),
    "performance": ("steps",),
}
"""The lists of components that an interaction of a type may have."""
_ALL_LISTS = ("choices", "scale", "source", "target", "steps")


class Component(Exactly):
    """One of the choices, steps and the like of an interaction."""

    id: str
    description: NotRequired[LanguageMap]


def _distinct(components: list[Component]) -> list[Component]:
    if len({each["id"] for each in components}) != len(components):
        raise broken("must hold no id twice.")
    return components


Components = Annotated[list[Component], AfterValidator(_distinct)]


class DefinitionShape(Exactly):
    """What an activity is, before the rules on interactions."""

    name: NotRequired[LanguageMap]
    description: NotRequired[LanguageMap]
    type: NotRequired[Iri]
    moreInfo: NotRequired[Iri]
    extensions: NotRequired[Extensions]
    interactionType: NotRequired[
        Literal[
            "true-false",
            "choice",
            "fill-in",
            "long-fill-in",
            "matching",
            "performance",
            "sequencing",
            "likert",
            "numeric",
            "other",
        ]
    ]
    correctResponsesPattern: NotRequired[list[str]]
    choices: NotRequired[Components]
    scale: NotRequired[Components]
    source: NotRequired[Components]
    target: NotRequired[Components]
    steps: NotRequired[Components]


def _interaction(definition: DefinitionShape) -> DefinitionShape:
    kind = definition.get("interactionType")
    lists = [name for name in _ALL_LISTS if name in definition]
    if kind is None and (lists or "correctResponsesPattern" in definition):
        raise broken("is missing; an interaction needs its type.", "interactionType")
    for name in lists:
        if name not in COMPONENT_LISTS.get(kind or "", ()):
            raise broken("does not belong to an interaction of this type.", name)
    return definition


class Activity(Exactly):
    """What was done something with: here, a course."""

    objectType: NotRequired[Literal["Activity"]]
    id: Iri
    definition: NotRequired[Annotated[DefinitionShape, AfterValidator(_interaction)]]


def _one_or_many(value: object) -> str:
    return "#many" if isinstance(value, list) else "#one"


Activities = Annotated[
    Annotated[Activity, Tag("#one")] | Annotated[list[Activity], Tag("#many")], Discriminator(_one_or_many)
]
