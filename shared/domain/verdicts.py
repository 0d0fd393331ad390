"""What an answer of Viva Learning means for the operation that was sent: one table.

Codes and texts differ between Graph's own pages in case, wording and apostrophes. So the HTTP status and a
few words decide; the first row that fits is taken. A reason is our own sentence: nothing of Graph's text is
repeated in it but the names of fields we know.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.errors import Code
from shared.domain.plan import Act


class Decision(StrEnum):
    """What to do next with the operation."""

    DONE = "done"
    RETRY = "retry"
    """Nothing is lost by sending it again. When the judgement has a code, Graph's riddle is taken for that
    error once the retries are used up."""
    RETRY_LATER = "retry_later"
    """The service asks for a pause; everything else waits as well."""
    LOOK_UP_THEN_CREATE = "look_up_then_create"
    """A create whose outcome is unknown: only its alternate key tells."""
    LOOK_UP = "look_up"
    """Graph's id is unknown or wrong: find it by the alternate key."""
    ALREADY_GONE = "already_gone"
    """There is no such object."""
    ALTERNATE = "alternate"
    """The same call has another spelling: try that once."""
    SHORTEN = "shorten"
    """Texts are longer than Graph takes; `limits` says which."""
    UNLICENSED = "unlicensed"
    REJECT = "reject"
    STOP = "stop"
    """A person must change something before anything can be sent: the judgement has the code."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision with its public code and a reason without any person in it."""

    decision: Decision
    code: Code | None = None
    reason: str = ""
    limits: tuple[tuple[str, int], ...] = ()
    """Names of too long fields, as Graph spells them, with the length it takes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: which answers, to which acts (`None` is a look-up), mean what."""

    decision: Decision
    statuses: frozenset[int]
    acts: frozenset[Act | None]
    words: re.Pattern[str] | None = None
    code: Code | None = None
    reason: str = ""


_ANY: frozenset[Act | None] = frozenset({*Act, None})
_ALL_STATUSES = frozenset(range(600))
_ACTIVITY: frozenset[Act | None] = frozenset({Act.CREATE, Act.UPDATE, Act.DELETE})
_WITH_BODY: frozenset[Act | None] = frozenset({Act.UPSERT_CONTENT, Act.CREATE, Act.UPDATE})


def _rule(
    decision: Decision,
    statuses: Iterable[int],
    acts: Iterable[Act | None] = _ANY,
    *,
    words: str = "",
    code: Code | None = None,
    reason: str = "",
) -> Rule:
    pattern = re.compile(words, re.IGNORECASE) if words else None
    return Rule(decision, frozenset(statuses), frozenset(acts), pattern, code, reason)


_TOO_LONG = r"(\w+?)['\"]?\s*length\s+exceed\D*(\d+)"
_D = Decision

RULES: tuple[Rule, ...] = (
    _rule(_D.DONE, range(200, 300)),
    _rule(_D.RETRY_LATER, {429, 503}),
    _rule(_D.RETRY, {424}, reason="a call it depends on failed"),
    _rule(
        _D.STOP,
        {401},
        code=Code.GRAPH_PERMISSION_MISSING,
        reason="the token of the managed identity is refused",
    ),
    _rule(
        _D.STOP,
        {400, 403},
        words=r"provider is(n.?t| not) enabled",
        code=Code.PROVIDER_NOT_ENABLED,
        reason="the learning provider is not enabled for this tenant",
    ),
    _rule(
        _D.STOP,
        {400, 403},
        words=r"registration\s?id",
        code=Code.PROVIDER_NOT_ENABLED,
        reason="the provider id is not registered in this tenant",
    ),
    _rule(
        _D.REJECT,
        {403},
        {Act.CREATE, Act.UPDATE},
        words=r"provider is(n.?t| not) valid",
        code=Code.RECORD_REFUSED,
        reason="the content belongs to another learning provider",
    ),
    _rule(
        _D.UNLICENSED,
        {403},
        _ACTIVITY | {None},
        words=r"\b(user|learner)\b.*licen[cs]e|licen[cs]e.*\b(user|learner)\b",
        reason="the learner has no licence for Viva Learning",
    ),
    _rule(
        _D.RETRY,
        {400, 403, 404},
        words=r"unknown\s?error",
        code=Code.GRAPH_PERMISSION_MISSING,
        reason="Graph names no cause, which is typical of a token without the right app roles",
    ),
    _rule(
        _D.STOP,
        {403},
        words=r"service plan|licen[cs]e",
        code=Code.GRAPH_PERMISSION_MISSING,
        reason="the tenant has no adequate service plan (a Viva Learning or Viva Suite licence)",
    ),
    _rule(
        _D.STOP,
        {403},
        code=Code.GRAPH_PERMISSION_MISSING,
        reason="an app role of the managed identity is missing",
    ),
    _rule(_D.SHORTEN, {400}, _WITH_BODY, words=_TOO_LONG, code=Code.RECORD_REFUSED, reason="too long"),
    _rule(
        _D.REJECT,
        {400},
        _WITH_BODY,
        words=r"input field|required|invalid|empty",
        code=Code.RECORD_REFUSED,
        reason="a field is missing or not valid",
    ),
    _rule(_D.ALREADY_GONE, {404, 410}, {Act.DELETE, None}),
    _rule(_D.LOOK_UP, {404, 410}, {Act.UPDATE}),
    _rule(
        _D.REJECT,
        {404},
        {Act.CREATE},
        code=Code.RECORD_REFUSED,
        reason="the learner or the content is not known",
    ),
    _rule(
        _D.STOP,
        {404},
        {Act.UPSERT_CONTENT},
        code=Code.PROVIDER_NOT_ENABLED,
        reason="the learning provider does not exist",
    ),
    _rule(
        _D.ALTERNATE,
        {405},
        {Act.UPDATE, Act.DELETE},
        code=Code.RECORD_REFUSED,
        reason="the method is not accepted",
    ),
    _rule(_D.LOOK_UP, {409}, {Act.CREATE, Act.UPDATE}),
    _rule(_D.RETRY, {409, 412, 423}, reason="the object is being changed"),
    _rule(_D.LOOK_UP_THEN_CREATE, {0, 408, *range(500, 600)}, {Act.CREATE}),
    _rule(_D.RETRY, {0, 408, *range(500, 600)}),
    _rule(_D.RETRY, range(400, 500), {None}, reason="the look-up was refused"),
    _rule(_D.REJECT, _ALL_STATUSES, code=Code.RECORD_REFUSED),
)  # fmt: skip
"""In the order in which they are tried; the last one takes everything."""

FIELDS = frozenset(
    """
    additionalTags assignedDateTime assignerUserId assignmentType completedDateTime completionPercentage
    contentWebUrl contributors createdDateTime description dueDateTime duration externalcourseActivityId
    externalId format isActive isPremium isSearchable languageTag lastModifiedDateTime learnerUserId
    learningContentId learningProviderId level notes numberOfPages registrationId skillTags sourceName
    startedDateTime status thumbnailWebUrl title
    """.split()  # noqa: SIM905 - thirty names read better as a block
)
"""Properties of contents and activities: the only words of Graph's texts that a reason repeats."""

_FIELD_OF = {name.lower(): name for name in FIELDS}
_NAMED = re.compile(r"input field\s+['\"{]?(\w+?)(?:\.\w+)*['\"}]?\s*(?:length|is\b|should)", re.IGNORECASE)


def judge(act: Act | None, status: int, body: Mapping[str, Any]) -> Judgement:
    """Judge one answer; `act` is what was sent, `None` for a look-up by alternate key."""
    error = body.get("error") if status >= 400 else None  # noqa: PLR2004 - the first error status
    text = _text(error)
    for rule in RULES:
        if status in rule.statuses and act in rule.acts and (rule.words is None or rule.words.search(text)):
            return _complete(rule, status, text)
    return _complete(RULES[-1], status, text)  # a status above 599 is not HTTP


def _text(error: object) -> str:
    """Code and message, with those of the details: several faults may come together."""
    if not isinstance(error, Mapping):
        return str(error or "")
    details = error.get("details")
    parts = [error.get("code"), error.get("message")]
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping):
            parts += [detail.get("code"), detail.get("message")]
    return " ".join(str(part) for part in parts if part)


def _complete(rule: Rule, status: int, text: str) -> Judgement:
    if rule.decision is Decision.DONE:
        return _DONE
    reason = f"Graph answered {status}" if status else "Graph did not answer"
    if rule.reason:
        reason = f"{reason}: {rule.reason}"
    limits: tuple[tuple[str, int], ...] = ()
    if rule.decision is Decision.SHORTEN:
        limits = tuple((name, int(limit)) for name, limit in re.findall(_TOO_LONG, text, re.IGNORECASE))
    named = [] if rule.decision is Decision.STOP else [*_NAMED.findall(text), *(name for name, _ in limits)]
    fields = sorted({_FIELD_OF[name.lower()] for name in named if name.lower() in _FIELD_OF})
    if fields:
        reason = f"{reason} ({', '.join(fields)})"
    return Judgement(rule.decision, rule.code, reason, limits)


_DONE = Judgement(Decision.DONE)
