"""What an xAPI statement may hold, as shapes: the tables and rules of both versions of the specification.

They are xAPI 1.0.3, part two, and IEEE 9274.1.1, which is 2.0: that one adds agents and groups to the context and wants
times as RFC 3339 writes them. Times come out as times and durations as hours; all else is the statement as it was.
"""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from pydantic import AfterValidator, Field, Tag, TypeAdapter

from shared.domain.xapi.activities import Activities, Activity
from shared.domain.xapi.parties import Actor, Agent, AgentShape, Authority, Group, GroupShape
from shared.domain.xapi.values import (
    MEDIA_TYPE,
    SHA2,
    VERSION_1,
    VERSION_2,
    Exactly,
    Extensions,
    Hours,
    Iri,
    Iso8601,
    LanguageMap,
    LanguageTag,
    Rfc3339,
    Uuid,
    Verb,
    broken,
    by_object_type,
)
from shared.domain.xapi.versions import Version

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
"""The one verb that the specification itself names: this statement takes another one back."""


class StatementRef(Exactly):
    """Points to another statement."""

    objectType: Literal["StatementRef"]
    id: Uuid


class ScoreShape(Exactly):
    """A score, before the rules on its order."""

    scaled: NotRequired[Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]]
    raw: NotRequired[Annotated[float, Field(allow_inf_nan=False)]]
    min: NotRequired[Annotated[float, Field(allow_inf_nan=False)]]
    max: NotRequired[Annotated[float, Field(allow_inf_nan=False)]]


def _in_order(score: ScoreShape) -> ScoreShape:
    least, most, raw = score.get("min"), score.get("max"), score.get("raw")
    if least is not None and most is not None and least >= most:
        raise broken("must be less than max.", "min")
    if raw is not None and ((least is not None and raw < least) or (most is not None and raw > most)):
        raise broken("must be between min and max.", "raw")
    return score


Score = Annotated[ScoreShape, AfterValidator(_in_order)]


class Result(Exactly):
    """What came out of it."""

    score: NotRequired[Score]
    success: NotRequired[bool]
    completion: NotRequired[bool]
    response: NotRequired[str]
    duration: NotRequired[Hours]
    extensions: NotRequired[Extensions]


class ContextActivities(Exactly):
    """Activities that have to do with the one of the statement."""

    parent: NotRequired[Activities]
    grouping: NotRequired[Activities]
    category: NotRequired[Activities]
    other: NotRequired[Activities]


class Context(Exactly):
    """What else belongs to it, in 1.0.3."""

    registration: NotRequired[Uuid]
    instructor: NotRequired[Actor]
    team: NotRequired[Group]
    contextActivities: NotRequired[ContextActivities]
    revision: NotRequired[str]
    platform: NotRequired[str]
    language: NotRequired[LanguageTag]
    statement: NotRequired[StatementRef]
    extensions: NotRequired[Extensions]


RelevantTypes = Annotated[list[Iri], Field(min_length=1)]


class ContextAgent(Exactly):
    """An agent that has to do with it, and as what."""

    objectType: Literal["contextAgent"]
    agent: Agent
    relevantTypes: NotRequired[RelevantTypes]


class ContextGroup(Exactly):
    """A group that has to do with it, and as what."""

    objectType: Literal["contextGroup"]
    group: Group
    relevantTypes: NotRequired[RelevantTypes]


class WiderContext(Context):
    """What else belongs to it, in 2.0."""

    contextAgents: NotRequired[list[ContextAgent]]
    contextGroups: NotRequired[list[ContextGroup]]


class Attachment(Exactly):
    """What a file that belongs to the statement is."""

    usageType: Iri
    display: LanguageMap
    description: NotRequired[LanguageMap]
    contentType: Annotated[str, Field(pattern=MEDIA_TYPE)]
    length: Annotated[int, Field(ge=0)]
    sha2: Annotated[str, Field(pattern=SHA2)]
    fileUrl: NotRequired[Iri]


class SubStatementShape[C, T, O](Exactly):
    """A statement inside another one, which has neither an id nor a life of its own."""

    objectType: Literal["SubStatement"]
    actor: Actor
    verb: Verb
    object: O
    result: NotRequired[Result]
    context: NotRequired[C]
    timestamp: NotRequired[T]
    attachments: NotRequired[list[Attachment]]


class StatementShape[C, T, O, V](Exactly):
    """A statement, before the rules on how its parts go together."""

    # Said again and not inherited: what a type parameter of a base stands for is not looked up in checks.
    id: NotRequired[Uuid]
    actor: Actor
    verb: Verb
    object: O
    result: NotRequired[Result]
    context: NotRequired[C]
    timestamp: NotRequired[T]
    attachments: NotRequired[list[Attachment]]
    stored: NotRequired[T]
    authority: NotRequired[Authority]
    version: NotRequired[V]


class Statement(TypedDict, total=False):
    """A valid statement of either version, as far as completions are made of it."""

    id: str
    actor: AgentShape | GroupShape
    verb: Verb
    object: dict[str, Any]
    result: Result
    timestamp: datetime
    stored: datetime


def _together(event: Any) -> Any:  # noqa: ANN401 - of any version
    kind = event["object"].get("objectType", "Activity")
    for name in ("revision", "platform"):
        if kind != "Activity" and name in event.get("context", ()):
            raise broken("goes only with an activity as object.", f"context.{name}")
    if event["verb"]["id"] == VOIDED and kind != "StatementRef":
        raise broken("must be a StatementRef, for the statement voids another one.", "object")
    return event


def _statement(context: Any, time: Any, version: str) -> Any:  # noqa: ANN401 - types, put together at run time
    """Return the type of a statement of one version."""
    kinds = ("Activity", "Agent", "Group", "StatementRef")
    plain: Any = (
        Annotated[Activity, Tag("#Activity")]
        | Annotated[Agent, Tag("#Agent")]
        | Annotated[Group, Tag("#Group")]
        | Annotated[StatementRef, Tag("#StatementRef")]
    )
    inner: Any = Annotated[plain, by_object_type("Activity", *kinds)]
    sub: Any = Annotated[SubStatementShape[context, time, inner], AfterValidator(_together), Tag("#SubStatement")]
    outer: Any = Annotated[plain | sub, by_object_type("Activity", *kinds, "SubStatement")]
    named: Any = Annotated[str, Field(pattern=version)]
    return Annotated[StatementShape[context, time, outer, named], AfterValidator(_together)]


@cache
def _adapter(version: Version) -> TypeAdapter[Any]:
    """Build the checks of a version, when its first statement comes."""
    if version is Version.V1:
        return TypeAdapter(_statement(Context, Iso8601, VERSION_1))
    return TypeAdapter(_statement(WiderContext, Rfc3339, VERSION_2))


def version_of(value: object, otherwise: Version) -> Version:
    """Return by which version's rules a statement is read: what it says itself, or else what its file is."""
    said = value.get("version") if isinstance(value, dict) else None
    if not isinstance(said, str):
        return otherwise
    return Version.V2 if said.startswith("2.") else Version.V1 if said.startswith("1.") else otherwise


def read_statement(value: object, otherwise: Version) -> Statement:
    """Return a statement that follows the specification.

    Raises:
        pydantic.ValidationError: it does not.
    """
    return cast(Statement, _adapter(version_of(value, otherwise)).validate_python(value))
