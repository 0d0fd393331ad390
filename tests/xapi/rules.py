"""The rules of the specification by name: statements that follow one, and statements that break one and where.

The situations are those of ADL's conformance tests for learning record stores, as far as they are about statements and
not about requests; the words are ours.
"""

from typing import Any

from shared.domain.xapi.versions import Version
from tests.xapi.samples import ACCOUNT, ACTIVITY, AGENT, EVENT, GONE, GROUP, LEAST, UUID, changed, full, nested

VOIDING = changed(
    LEAST,
    ("verb.id", "http://adlnet.gov/expapi/verbs/voided"),
    ("object", {"objectType": "StatementRef", "id": UUID}),
)
MEMBER = {"objectType": "Group", "member": [AGENT]}

TAKEN: dict[str, Any] = {
    "the least that a statement needs": LEAST,
    "an agent by the hash of its mailbox": changed(LEAST, ("actor", {"mbox_sha1sum": "ab" * 20})),
    "an agent by openid": changed(LEAST, ("actor", {"openid": "https://id.example.com/1"})),
    "an agent by account": changed(LEAST, ("actor", ACCOUNT)),
    "an anonymous group": changed(LEAST, ("actor", MEMBER)),
    "an identified group without members": changed(LEAST, ("actor", {"objectType": "Group", "mbox": "mailto:a@b.c"})),
    "a verb with an IRI of other letters": changed(LEAST, ("verb.id", "http://example.com/فعل/خواندن")),
    "an urn as IRI": changed(LEAST, ("object.id", "urn:uuid:12345678-1234-5678-1234-567812345678")),
    "an agent as object": changed(LEAST, ("object", AGENT)),
    "a group as object": changed(LEAST, ("object", GROUP)),
    "a statement that voids another": VOIDING,
    "a statement inside another": nested(),
    "a statement inside another about a group": nested(
        changed(EVENT, ("object", GROUP), ("context.revision", GONE), ("context.platform", GONE))
    ),
    "score of exactly one": changed(LEAST, ("result", {"score": {"scaled": 1.0}})),
    "score of minus one": changed(LEAST, ("result", {"score": {"scaled": -1}})),
    "raw score without bounds": changed(LEAST, ("result", {"score": {"raw": -1e9}})),
    "raw score at its bound": changed(LEAST, ("result", {"score": {"raw": 1, "min": 0, "max": 1}})),
    "authority of an agent": changed(LEAST, ("authority", AGENT)),
    "an empty list of attachments": changed(LEAST, ("attachments", [])),
    "an empty language map": changed(LEAST, ("verb", {"id": "a:b", "display": {}})),
    "an interaction of each list": changed(
        LEAST,
        ("object", ACTIVITY),
        ("object.definition.choices", GONE),
        ("object.definition.interactionType", "matching"),
        ("object.definition.source", [{"id": "a"}]),
        ("object.definition.target", [{"id": "a"}]),
    ),
    **{
        f"the language tag {tag}": changed(LEAST, ("context", {"language": tag}))
        for tag in ("en", "es-MX", "zh-Hant-TW", "zh-min-nan", "de-CH-1996", "x-own", "sr-Latn-RS", "i-klingon", "und")
    },
    **{
        f"the duration {text}": changed(LEAST, ("result", {"duration": text}))
        for text in (
            "PT4H35M59.14S",
            "PT16559.14S",
            "P3Y1M29DT4H35M59.14S",
            "P3Y",
            "P4W",
            "PT1H0M0.1S",
            "PT0,5S",
            "P1D",
        )
    },
    **{
        f"the time {text}": changed(LEAST, ("timestamp", text))
        for text in (
            "2026-03-31T17:00:00Z",
            "2026-03-31T17:00:00.123456789Z",
            "2026-03-31 17:00:00.601+00:00",
            "2026-03-31t17:00:00z",
            "2016-12-31T23:59:60Z",
        )
    },
}

REFUSED: dict[str, tuple[str, Any]] = {
    "no actor": ("actor", changed(LEAST, ("actor", GONE))),
    "no verb": ("verb", changed(LEAST, ("verb", GONE))),
    "no object": ("object", changed(LEAST, ("object", GONE))),
    "no verb id": ("verb.id", changed(LEAST, ("verb", {"display": {}}))),
    "no activity id": ("object.id", changed(LEAST, ("object", {"objectType": "Activity"}))),
    "not an object at all": ("$", [LEAST]),
    "an unknown key": ("*", changed(LEAST, ("extra", 1))),
    "a key in other case": ("actor.*", changed(LEAST, ("actor", {"Mbox": "mailto:a@b.c"}))),
    "an unknown key deep inside": ("result.score.*", changed(LEAST, ("result", {"score": {"scales": 1}}))),
    "null for a text": ("actor.name", changed(LEAST, ("actor", {**AGENT, "name": None}))),
    "null for an object": ("result", changed(LEAST, ("result", None))),
    "null in a language map": ("verb.display.*", changed(LEAST, ("verb", {"id": "a:b", "display": {"en": None}}))),
    "null for a registration": ("context.registration", changed(LEAST, ("context", {"registration": None}))),
    "null for moreInfo": ("object.definition.moreInfo", changed(LEAST, ("object.definition", {"moreInfo": None}))),
    "an empty IRI": ("verb.id", changed(LEAST, ("verb.id", ""))),
    "an IRI without a scheme": ("verb.id", changed(LEAST, ("verb.id", "example.com/did"))),
    "an IRI with a wrong scheme": ("verb.id", changed(LEAST, ("verb.id", "ab=c://should.fail.com"))),
    "an IRI with a blank": ("object.id", changed(LEAST, ("object.id", "https://example.com/a b"))),
    "an id that is a number": ("id", changed(LEAST, ("id", 12345))),
    "an id with too many digits": ("id", changed(LEAST, ("id", "AA97B177-9383-4934-8543-0F91A7A028368"))),
    "an id with another letter": ("id", changed(LEAST, ("id", "MA97B177-9383-4934-8543-0F91A7A02836"))),
    "an id in braces": ("id", changed(LEAST, ("id", "{" + UUID + "}"))),
    "an agent without identifier": ("actor", changed(LEAST, ("actor", {"name": "Ada"}))),
    "an agent with two identifiers": ("actor", changed(LEAST, ("actor", {**AGENT, **ACCOUNT}))),
    "an agent with members": ("actor.member", changed(LEAST, ("actor", {**AGENT, "member": []}))),
    "an actor of another kind": ("actor.objectType", changed(LEAST, ("actor.objectType", "Activity"))),
    "an actor of a kind in other case": ("actor.objectType", changed(LEAST, ("actor.objectType", "agent"))),
    "an actor whose kind is a list": ("actor.objectType", changed(LEAST, ("actor.objectType", ["Agent"]))),
    "an actor that is a text": ("actor", changed(LEAST, ("actor", "Ada"))),
    "a mailbox without mailto": ("actor.mbox", changed(LEAST, ("actor", {"mbox": "ada@example.com"}))),
    "a mailbox without an address": ("actor.mbox", changed(LEAST, ("actor", {"mbox": "mailto:ada"}))),
    "a hash of another length": ("actor.mbox_sha1sum", changed(LEAST, ("actor", {"mbox_sha1sum": "ab" * 19}))),
    "an openid that is no URI": ("actor.openid", changed(LEAST, ("actor", {"openid": "ada"}))),
    "an account without a home page": ("actor.account.homePage", changed(LEAST, ("actor.account.homePage", GONE))),
    "an account without a name": ("actor.account.name", changed(LEAST, ("actor.account.name", GONE))),
    "an account whose home page is no IRL": (
        "actor.account.homePage",
        changed(LEAST, ("actor.account.homePage", "sso")),
    ),
    "an account whose name is an object": ("actor.account.name", changed(LEAST, ("actor.account.name", {"a": 1}))),
    "an anonymous group without members": ("actor.member", changed(LEAST, ("actor", {"objectType": "Group"}))),
    "a group inside a group": (
        "actor.member[0].objectType",
        changed(LEAST, ("actor", {"objectType": "Group", "member": [GROUP]})),
    ),
    "a group with two identifiers": ("actor", changed(LEAST, ("actor", {**AGENT, **ACCOUNT, "objectType": "Group"}))),
    "a member without identifier": (
        "actor.member[1]",
        changed(LEAST, ("actor", {"objectType": "Group", "member": [AGENT, {}]})),
    ),
    "a language tag of too many letters": ("verb.display.*", changed(LEAST, ("verb.display", {"a12345": "x"}))),
    "a language tag that is a word": ("verb.display.*", changed(LEAST, ("verb.display", {"something": "x"}))),
    "a display that is a text": ("verb.display", changed(LEAST, ("verb.display", "did"))),
    "an agent as object without its kind": ("object.id", changed(LEAST, ("object", {"mbox": "mailto:a@b.c"}))),
    "an object of an unknown kind": ("object.objectType", changed(LEAST, ("object.objectType", "Course"))),
    "an activity type that is no IRI": ("object.definition.type", changed(LEAST, ("object.definition", {"type": "x"}))),
    "an unknown type of interaction": (
        "object.definition.interactionType",
        changed(LEAST, ("object.definition", {"interactionType": "dance"})),
    ),
    "choices without a type of interaction": (
        "object.definition.interactionType",
        changed(LEAST, ("object.definition", {"choices": []})),
    ),
    "steps of a choice": (
        "object.definition.steps",
        changed(LEAST, ("object.definition", {"interactionType": "choice", "steps": []})),
    ),
    "a choice without its id": (
        "object.definition.choices[0].id",
        changed(LEAST, ("object.definition", {"interactionType": "choice", "choices": [{}]})),
    ),
    "two choices of one id": (
        "object.definition.choices",
        changed(LEAST, ("object.definition", {"interactionType": "choice", "choices": [{"id": "a"}, {"id": "a"}]})),
    ),
    "an extension key that is no IRI": ("result.extensions.*", changed(LEAST, ("result", {"extensions": {"x": 1}}))),
    "a reference without an id": ("object.id", changed(LEAST, ("object", {"objectType": "StatementRef"}))),
    "a reference to what is no statement": (
        "object.id",
        changed(LEAST, ("object", {"objectType": "StatementRef", "id": "x"})),
    ),
    "voiding an activity": ("object", changed(VOIDING, ("object", ACTIVITY))),
    "a statement inside another with an id": ("object.id", nested({**EVENT, "id": UUID})),
    "a statement inside another with stored": ("object.stored", nested({**EVENT, "stored": "2026-01-01T00:00:00Z"})),
    "a statement inside another with version": ("object.version", nested({**EVENT, "version": "1.0.0"})),
    "a statement inside another with authority": ("object.authority", nested({**EVENT, "authority": AGENT})),
    "a statement inside one that is inside": (
        "object.object.objectType",
        nested(changed(EVENT, ("object", {"objectType": "SubStatement", **EVENT}))),
    ),
    "a bad time inside": ("object.timestamp", nested({**EVENT, "timestamp": "should fail"})),
    "a revision inside about an agent": ("object.context.revision", nested({**EVENT, "object": AGENT})),
    "scaled above one": ("result.score.scaled", changed(LEAST, ("result", {"score": {"scaled": 1.01}}))),
    "scaled below minus one": ("result.score.scaled", changed(LEAST, ("result", {"score": {"scaled": -1.00001}}))),
    "a score that is a text": ("result.score.max", changed(LEAST, ("result", {"score": {"max": "100"}}))),
    "a score that is a boolean": ("result.score.raw", changed(LEAST, ("result", {"score": {"raw": True}}))),
    "a score that is no object": ("result.score", changed(LEAST, ("result", {"score": 5}))),
    "raw above max": ("result.score.raw", changed(LEAST, ("result", {"score": {"raw": 2, "max": 1}}))),
    "raw below min": ("result.score.raw", changed(LEAST, ("result", {"score": {"raw": 0, "min": 1}}))),
    "min that is max": ("result.score.min", changed(LEAST, ("result", {"score": {"min": 1, "max": 1}}))),
    "success that is a text": ("result.success", changed(LEAST, ("result", {"success": "true"}))),
    "completion that is a number": ("result.completion", changed(LEAST, ("result", {"completion": 1}))),
    "a response that is a number": ("result.response", changed(LEAST, ("result", {"response": 1}))),
    "a team that is an agent": ("context.team.objectType", changed(LEAST, ("context", {"team": AGENT}))),
    "an instructor without identifier": ("context.instructor", changed(LEAST, ("context", {"instructor": {}}))),
    "a context activity of another kind": (
        "context.contextActivities.*",
        changed(LEAST, ("context", {"contextActivities": {"sibling": []}})),
    ),
    "a context activity that is an agent": (
        "context.contextActivities.parent[0].objectType",
        changed(LEAST, ("context", {"contextActivities": {"parent": [{"objectType": "Agent", "id": "a:b"}]}})),
    ),
    "a context language that is none": ("context.language", changed(LEAST, ("context", {"language": "a12345"}))),
    "a context statement that is none": (
        "context.statement.objectType",
        changed(LEAST, ("context", {"statement": {"id": UUID}})),
    ),
    "a revision of an agent": ("context.revision", changed(LEAST, ("object", AGENT), ("context", {"revision": "1"}))),
    "a platform of a reference": ("context.platform", changed(VOIDING, ("context", {"platform": "x"}))),
    "authority of an identified group": (
        "authority",
        changed(LEAST, ("authority", {**MEMBER, "mbox": "mailto:a@b.c"})),
    ),
    "authority of one member": ("authority.member", changed(LEAST, ("authority", MEMBER))),
    "authority of two without an account": (
        "authority.member",
        changed(LEAST, ("authority", {"objectType": "Group", "member": [AGENT, AGENT]})),
    ),
    "attachments that are no list": ("attachments", changed(full(Version.V1), ("attachments", {}), ("version", GONE))),
    **{
        f"an attachment without {key}": (
            f"attachments[0].{key}",
            changed(
                LEAST, ("attachments", [{k: v for k, v in full(Version.V1)["attachments"][0].items() if k != key}])
            ),
        )
        for key in ("usageType", "display", "contentType", "length", "sha2")
    },
    **{
        f"an attachment with a wrong {key}": (
            f"attachments[0].{key}",
            changed(LEAST, ("attachments", [{**full(Version.V1)["attachments"][0], key: value}])),
        )
        for key, value in {
            "usageType": "x",
            "contentType": "pdf",
            "length": "27",
            "sha2": "x",
            "fileUrl": "should fail",
        }.items()
    },
    **{
        f"the duration {text}": ("result.duration", changed(LEAST, ("result", {"duration": text})))
        for text in ("PA1H0M0S", "should fail", 12345, "P4W1D", "P", "PT", "P1DT", "P1.5DT1H", "P0001-01-01T00:00:00")
    },
    **{
        f"the time {text}": ("timestamp", changed(LEAST, ("timestamp", text)))
        for text in (
            "should fail",
            "01/011/2015",
            "2026-02-30T10:00:00Z",
            "2026-03-31",
            "2026-03-31T17:00:00.601-00",
            "2026-03-31T17:00:00.601-0000",
            "2026-03-31T17:00:00.601-00:00",
            1774976400,
        )
    },
    **{f"the version {text}": ("version", {**LEAST, "version": text}) for text in ("0.9.9", "1.1.0", "3.0", "x", 1.0)},
}


WIDER_REFUSED = {
    "another kind": ("contextAgents[0].objectType", {"contextAgents": [{"objectType": "x", "agent": AGENT}]}),
    "no kind": ("contextAgents[0].objectType", {"contextAgents": [{"agent": AGENT}]}),
    "no agent": ("contextAgents[0].agent", {"contextAgents": [{"objectType": "contextAgent"}]}),
    "an invalid agent": ("contextAgents[0].agent", {"contextAgents": [{"objectType": "contextAgent", "agent": {}}]}),
    "no types": (
        "contextAgents[0].relevantTypes",
        {"contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": []}]},
    ),
    "a type that is no IRI": (
        "contextGroups[0].relevantTypes[1]",
        {"contextGroups": [{"objectType": "contextGroup", "group": GROUP, "relevantTypes": ["a:b", "abc"]}]},
    ),
    "an agent as group": (
        "contextGroups[0].group.objectType",
        {"contextGroups": [{"objectType": "contextGroup", "group": AGENT}]},
    ),
    "no list": ("contextGroups", {"contextGroups": {}}),
}
