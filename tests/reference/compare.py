"""Viva's content, as the local tenant writes it, in the terms of the reference."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from tests.reference.contract import AssignmentFact, ContentFact, CourseFact, Fact, Facts, Item

DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.0*)?S)?)?"
)


def read_viva(lines: Iterable[str]) -> Facts:
    """Read the lines of `--viva`: equal ones are counted, ids made by the connector are left out."""
    records: list[Mapping[str, Any]] = [json.loads(line) for line in lines if line.strip()]
    contents = [_read_content(record) for record in records if record["_type"] == "learningContent"]
    items = {
        record["externalId"]: _read_link(record["contentWebUrl"])[0]
        for record in records
        if record["_type"] == "learningContent"
    }
    facts: list[Fact] = list(contents)
    for record in records:
        if record["_type"] == "learningContent":
            continue
        external_id = record.get("_contentExternalId")
        item = items.get(str(external_id), Item("?", str(external_id)))
        facts.append(_read_activity(record, item))
    return Counter(facts)


def difference(expected: Facts, actual: Facts) -> str:
    """Say what is missing (`-`) and what should not be there (`+`), a line each; empty if equal."""
    missing = [f"- {fact}" for fact in (expected - actual).elements()]
    unexpected = [f"+ {fact}" for fact in (actual - expected).elements()]
    return "\n".join(sorted(missing + unexpected, key=lambda line: (line[2:], line)))


def _read_content(record: Mapping[str, Any]) -> ContentFact:
    item, revision = _read_link(record["contentWebUrl"])
    if record.get("isActive") is False:
        return ContentFact(item, is_active=False)
    return ContentFact(
        item=item,
        is_active=True,
        title=record["title"],
        description=record.get("description") or "",
        language_tag=record["languageTag"],
        duration_seconds=_read_duration(record["duration"]) if record.get("duration") else None,
        thumbnail=record.get("thumbnailWebUrl") or "",
        revision=revision,
        modified=_read_moment(record.get("lastModifiedDateTime")),
    )


def _read_link(link: str) -> tuple[Item, datetime | None]:
    """Find item and revision in the deep link, which holds a link of its own."""
    target = parse_qs(urlsplit(link).query, strict_parsing=True)["destUrl"][0]
    query = parse_qs(urlsplit(target).query, strict_parsing=True)
    revision = query.get("revisionDate")
    return Item(query["componentTypeID"][0], query["componentID"][0]), (
        datetime.fromtimestamp(int(revision[0]) / 1000, UTC) if revision else None
    )


def _read_activity(record: Mapping[str, Any], item: Item) -> Fact:
    user, completed = record["learnerUserId"], _read_moment(record.get("completedDateTime"))
    if record["_type"] == "learningSelfInitiatedCourse":
        if record["status"] != "completed" or completed is None:
            raise ValueError("a self-initiated course that is not completed")
        return CourseFact(user, item, completed)
    return AssignmentFact(
        user=user,
        item=item,
        status=record["status"],
        type=record["assignmentType"],
        assigned=_read_moment(record.get("assignedDateTime")),
        due=_read_zoned(record.get("dueDateTime")),
        completed=completed,
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _read_zoned(value: Mapping[str, str] | None) -> datetime | None:
    """Read `{dateTime, timeZone}`."""
    if not value:
        return None
    moment = datetime.fromisoformat(value["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(value.get("timeZone") or "UTC"))
    return moment.astimezone(UTC)


def _read_duration(text: str) -> int:
    match = DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no ISO 8601 duration")
    parts = {name: int(value) for name, value in match.groupdict().items() if value}
    return int(timedelta(**parts).total_seconds())
