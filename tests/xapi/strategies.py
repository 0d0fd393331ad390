"""Statements that follow the specification, made up at random, and the ways to break one rule of it."""

import copy
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from shared.domain.xapi.versions import Version

type Place = tuple[str | int, ...]
type Made = st.SearchStrategy[Any]

TEXTS = st.text(max_size=8)
UUIDS = st.uuids().map(str)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_~äß", min_size=1, max_size=6)
IRIS = st.builds("{}:{}".format, st.sampled_from(["https", "urn", "x+y.z-1"]), WORDS)
TAGS = st.sampled_from(["en", "en-US", "zh-Hant-TW", "de-CH-1996", "x-own"])
MAPS = st.dictionaries(TAGS, TEXTS, max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
EXTENSIONS = st.dictionaries(IRIS, JSON, max_size=2)
NUMBERS = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.isoformat().replace("+00:00", "Z"))
_PARTS = st.integers(0, 99)
DURATIONS = st.one_of(
    st.builds("P{}W".format, _PARTS),
    st.builds("P{}Y{}M{}DT{}H{}M{}.5S".format, *[_PARTS] * 6),
    st.builds("PT{}M".format, _PARTS),
)


def some(needed: dict[str, Made], optional: dict[str, Made]) -> Made:
    """Make an object with all of the one and any of the other."""
    return st.fixed_dictionaries(needed, optional=optional)


IDENTIFIERS = st.one_of(
    st.fixed_dictionaries({"mbox": st.builds("mailto:{}@{}".format, WORDS, WORDS)}),
    st.fixed_dictionaries({"mbox_sha1sum": st.text("0123456789abcdef", min_size=40, max_size=40)}),
    st.fixed_dictionaries({"openid": IRIS}),
    st.fixed_dictionaries({"account": st.fixed_dictionaries({"homePage": IRIS, "name": TEXTS})}),
)
ACCOUNTS = st.fixed_dictionaries({"account": st.fixed_dictionaries({"homePage": IRIS, "name": TEXTS})})


def _joined(*parts: Made) -> Made:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


AGENTS = _joined(some({}, {"objectType": st.just("Agent"), "name": TEXTS}), IDENTIFIERS)
NAMED_AGENTS = _joined(some({"objectType": st.just("Agent")}, {"name": TEXTS}), IDENTIFIERS)
MEMBERS = st.lists(AGENTS, max_size=2)
GROUPS = some({"objectType": st.just("Group"), "member": MEMBERS}, {"name": TEXTS}) | _joined(
    some({"objectType": st.just("Group")}, {"name": TEXTS, "member": MEMBERS}), IDENTIFIERS
)
ACTORS = AGENTS | GROUPS
OAUTH = st.fixed_dictionaries({"objectType": st.just("Group"), "member": st.tuples(ACCOUNTS, AGENTS).map(list)})
COMPONENTS = st.lists(some({"id": TEXTS}, {"description": MAPS}), max_size=2, unique_by=lambda each: str(each["id"]))
PLAIN = {"name": MAPS, "description": MAPS, "type": IRIS, "moreInfo": IRIS, "extensions": EXTENSIONS}
ANSWERS: dict[str, Made] = {"correctResponsesPattern": st.lists(TEXTS, max_size=2)}
DEFINITIONS = (
    some({}, PLAIN)
    | some({"interactionType": st.sampled_from(["choice", "sequencing"])}, {**PLAIN, **ANSWERS, "choices": COMPONENTS})
    | some({"interactionType": st.just("matching")}, {**PLAIN, **ANSWERS, "source": COMPONENTS, "target": COMPONENTS})
    | some({"interactionType": st.sampled_from(["true-false", "other"])}, {**PLAIN, **ANSWERS})
)
ACTIVITIES = some({"id": IRIS}, {"objectType": st.just("Activity"), "definition": DEFINITIONS})
REFERENCES = st.fixed_dictionaries({"objectType": st.just("StatementRef"), "id": UUIDS})
VERBS = some({"id": IRIS}, {"display": MAPS})
SCORES = st.one_of(
    some({}, {"scaled": st.floats(-1, 1) | st.sampled_from([-1, 0, 1]), "raw": NUMBERS}),
    st.lists(NUMBERS, min_size=3, max_size=3, unique=True).map(
        lambda found: dict(zip(("min", "raw", "max"), sorted(found), strict=True))
    ),
)
RESULTS = some(
    {},
    {
        "score": SCORES,
        "success": st.booleans(),
        "completion": st.booleans(),
        "response": TEXTS,
        "duration": DURATIONS,
        "extensions": EXTENSIONS,
    },
)
OTHER_ACTIVITIES = ACTIVITIES | st.lists(ACTIVITIES, max_size=2)
ATTACHMENTS = some(
    {
        "usageType": IRIS,
        "display": MAPS,
        "contentType": st.just("text/plain"),
        "length": st.integers(0, 10**12),
        "sha2": st.text("0123456789abcdef", min_size=64, max_size=64),
    },
    {"description": MAPS, "fileUrl": IRIS},
)


def contexts(version: Version, *, about_activity: bool) -> Made:
    optional: dict[str, Made] = {
        "registration": UUIDS,
        "instructor": ACTORS,
        "team": GROUPS,
        "contextActivities": some({}, dict.fromkeys(("parent", "grouping", "category", "other"), OTHER_ACTIVITIES)),
        "language": TAGS,
        "statement": REFERENCES,
        "extensions": EXTENSIONS,
    }
    if about_activity:
        optional |= {"revision": TEXTS, "platform": TEXTS}
    if version is Version.V2:
        types: dict[str, Made] = {"relevantTypes": st.lists(IRIS, min_size=1, max_size=2)}
        agent = some({"objectType": st.just("contextAgent"), "agent": AGENTS}, types)
        group = some({"objectType": st.just("contextGroup"), "group": GROUPS}, types)
        optional |= {"contextAgents": st.lists(agent, max_size=2), "contextGroups": st.lists(group, max_size=2)}
    return some({}, optional)


def events(version: Version, about: Made, *, about_activity: bool, more: dict[str, Made], needed: bool) -> Made:
    optional: dict[str, Made] = {
        "result": RESULTS,
        "context": contexts(version, about_activity=about_activity),
        "timestamp": TIMES,
        "attachments": st.lists(ATTACHMENTS, max_size=2),
    }
    whole: dict[str, Made] = {"actor": ACTORS, "verb": VERBS, "object": about}
    return some(whole | more, optional) if needed else some(whole, optional | more)


def statements(version: Version) -> Made:
    """Make statements that follow a version of the specification."""
    mark: dict[str, Made] = {"objectType": st.just("SubStatement")}
    others = NAMED_AGENTS | GROUPS | REFERENCES
    inner = events(version, ACTIVITIES, about_activity=True, more=mark, needed=True) | events(
        version, others, about_activity=False, more=mark, needed=True
    )
    number = "2.0.0" if version is Version.V2 else "1.0.3"
    more: dict[str, Made] = {
        "id": UUIDS,
        "stored": TIMES,
        "authority": AGENTS | OAUTH,
        "version": st.just(number),
    }
    return events(version, ACTIVITIES, about_activity=True, more=more, needed=False) | events(
        version, others | inner, about_activity=False, more=more, needed=False
    )


_FORMED = frozenset(("mbox", "mbox_sha1sum", "openid", "homePage", "type", "moreInfo", "registration", "duration"))
_FORMED |= {"timestamp", "stored", "usageType", "contentType", "sha2", "fileUrl", "language", "version", "objectType"}
_FORMED |= {"interactionType"}
_NEEDED = {
    "": ("actor", "verb", "object"),
    "verb": ("id",),
    "account": ("homePage", "name"),
    "attachments": ("usageType", "display", "contentType", "length", "sha2"),
    "statement": ("id",),
}
_FREE = ("extensions",)
_MAPS = ("display", "description", "name")


def breaks(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:  # noqa: ANN401 - any part of a statement
    """Yield where and how one rule can be broken, so that nothing else is wrong then."""
    name = next((step for step in reversed(place) if isinstance(step, str)), "")
    if isinstance(value, dict):
        yield from _breaks_of_object(value, name, place)
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from breaks(part, (*place, at))
    elif isinstance(value, (bool, int, float)):
        yield place, "quote"
    elif name in _FORMED:
        yield place, "empty"


def _breaks_of_object(value: dict[str, Any], name: str, place: Place) -> Iterator[tuple[Place, str]]:
    # No language tag, no IRI, and no key of xAPI: it is wrong everywhere.
    yield (*place, "no such key"), "put"
    if name in _FREE:
        return
    for key, part in value.items():
        yield (*place, key), "null"
        if name not in _MAPS:
            yield from breaks(part, (*place, key))
    for key in _NEEDED.get(name, ()):
        yield (*place, key), "drop"


def broken(statement: Any, place: Place, how: str) -> Any:  # noqa: ANN401 - as above
    """Return the statement with one rule broken."""
    statement = copy.deepcopy(statement)
    node = statement
    for step in place[:-1]:
        node = node[step]
    last: Any = place[-1]
    match how:
        case "put":
            node[last] = "x"
        case "drop":
            del node[last]
        case "null":
            node[last] = None
        case "quote":
            node[last] = str(node[last])
        case _:
            node[last] = ""
    return statement
