"""Statements that hold everything the specification allows, and how to change them in one place."""

import copy
from typing import Any

from shared.domain.record_files import steps
from shared.domain.xapi.versions import Version

GONE = object()
"""Instead of a value: nothing stands there."""

UUID = "12345678-1234-5678-1234-567812345678"
AGENT = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@example.com"}
ACCOUNT = {"account": {"homePage": "https://sso.example.com/", "name": "u-1"}}
GROUP = {"objectType": "Group", "name": "Team", "member": [AGENT, ACCOUNT]}
ACTIVITY = {
    "objectType": "Activity",
    "id": "https://example.com/courses/7",
    "definition": {
        "name": {"en-US": "Fire safety", "de": "Brandschutz"},
        "description": {"en": "How to get out"},
        "type": "http://adlnet.gov/expapi/activities/course",
        "moreInfo": "https://example.com/about/7",
        "extensions": {"https://example.com/x": None},
        "interactionType": "choice",
        "correctResponsesPattern": ["a[,]b"],
        "choices": [{"id": "a", "description": {"en": "A"}}, {"id": "b"}],
    },
}
CONTEXT = {
    "registration": UUID,
    "instructor": AGENT,
    "team": GROUP,
    "contextActivities": {
        "parent": [{"id": "https://example.com/p"}],
        "grouping": {"id": "https://example.com/g"},
        "category": [],
        "other": [{"id": "https://example.com/o"}, {"id": "https://example.com/o2"}],
    },
    "revision": "3",
    "platform": "Academy",
    "language": "en-GB",
    "statement": {"objectType": "StatementRef", "id": UUID},
    "extensions": {"https://example.com/x": {"deep": [None, 1]}},
}
ATTACHMENT = {
    "usageType": "http://adlnet.gov/expapi/attachments/certificate",
    "display": {"en": "Certificate"},
    "description": {"en": "Of the course"},
    "contentType": "application/pdf; x=y",
    "length": 27,
    "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a",
    "fileUrl": "https://example.com/file.pdf",
}
EVENT = {
    "actor": AGENT,
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
    "object": ACTIVITY,
    "result": {
        "score": {"scaled": 0.5, "raw": 50, "min": 0, "max": 100},
        "success": True,
        "completion": True,
        "response": "a",
        "duration": "PT1H30M",
        "extensions": {"https://example.com/y": [1]},
    },
    "context": CONTEXT,
    "timestamp": "2026-03-31T17:00:00.123Z",
    "attachments": [ATTACHMENT],
}
STATEMENT = {
    "id": UUID,
    **EVENT,
    "stored": "2026-03-31T17:00:01Z",
    "authority": {"objectType": "Group", "member": [ACCOUNT, AGENT]},
}
WIDER = {
    "contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["https://example.com/t"]}],
    "contextGroups": [{"objectType": "contextGroup", "group": GROUP}],
}
LEAST = {"actor": ACCOUNT, "verb": {"id": "https://example.com/did"}, "object": {"id": "https://example.com/it"}}


def full(version: Version) -> dict[str, Any]:
    """Return a statement in which every key of the version occurs."""
    statement: dict[str, Any] = copy.deepcopy(STATEMENT)
    statement["version"] = "2.0.0" if version is Version.V2 else "1.0.3"
    if version is Version.V2:
        statement["context"].update(copy.deepcopy(WIDER))
    return statement


def changed(statement: dict[str, Any], *changes: tuple[str, object]) -> dict[str, Any]:
    """Return a statement with other values at the paths."""
    statement = copy.deepcopy(statement)
    for path, value in changes:
        *outer, last = steps(path)
        node: Any = statement
        for step in outer:
            node = node[step]
        if value is GONE:
            del node[last]
        else:
            node[last] = value
    return statement


def nested(event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a statement whose object is another one."""
    return {**LEAST, "object": {"objectType": "SubStatement", **copy.deepcopy(event or EVENT)}}
