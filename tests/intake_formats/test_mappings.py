"""Mappings that an admin may save, and those that could never be followed."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from tests.documents import ROOT
from tests.intake_formats.academy import COLUMNS, mapping
from tests.intake_formats.files import read, settings

VERB, OBJECT = {"field": "verb.id", "default": "a:b"}, {"field": "object.id", "default": "a:b"}
MBOX = {"column": "E-mail", "field": "actor.mbox"}
ACCOUNT = [{"field": "actor.account.homePage", "default": "a:b"}, {"column": "Id", "field": "actor.account.name"}]


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ([MBOX, VERB, OBJECT], None),
        ([*ACCOUNT, VERB, OBJECT], None),
        ([VERB, OBJECT], "actor.mbox"),
        ([ACCOUNT[1], VERB, OBJECT], "actor.mbox"),
        ([MBOX, OBJECT], "verb.id"),
        ([MBOX, VERB], "object.id"),
    ],
)
def test_a_mapping_into_statements_needs_who_did_what(columns: list[Any], missing: str | None) -> None:
    given = mapping(into="statements") | {"columns": columns}
    if missing is None:
        assert settings(mappings=[given]).mappings[0].name == "Academy"
    else:
        with pytest.raises(ValidationError, match=f"no column becomes {re.escape(missing)}"):
            settings(mappings=[given])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"columns": COLUMNS[1:]}, "no column becomes learner"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "learner"}]}, "two columns become learner"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "learner.name"}]}, "two columns become learner"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "color"}]}, "have no field color"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "a..b"}]}, "is no path"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "[0]"}]}, "is no path"),
        (
            {"columns": [*COLUMNS, {"column": "X", "field": "a[0]"}, {"column": "X", "field": "a.b"}]},
            "a is both a list and an object",
        ),
        ({"columns": [*COLUMNS, {"field": "grade"}]}, "needs a `column` or a `default`"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "grade", "format": "x"}]}, "does not go with the type string"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "grade", "type": "number", "format": "#"}]}, "number"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "grade", "type": "boolean", "format": "ja"}]}, "boolean"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "grade", "type": "date", "format": "%H:%M"}]}, "date"),
        ({"columns": [*COLUMNS, {"column": "X", "field": "grade", "type": "date", "prefix": "x"}]}, "prefix"),
        ({"into": "courses"}, "no column becomes launch_url, titles"),
        ({"time_zone": "Mars"}, "no IANA time zone"),
        ({"filters": [{"name": "f", "conditions": [{"column": "X", "operator": "equals"}]}]}, "does not go with"),
        (
            {"filters": [{"name": "f", "conditions": [{"column": "X", "operator": "more_than", "value": "x"}]}]},
            "must be a number",
        ),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused_when_it_is_saved(given: Any, says: str) -> None:  # noqa: ANN401 - as JSON
    with pytest.raises(ValidationError, match=says):
        settings(mappings=[mapping() | given])


def test_the_mappings_in_the_document_are_mappings() -> None:
    text = (ROOT / "docs" / "write-back-files.md").read_text("utf-8")
    blocks = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    shown = [each for each in blocks if "file_name" in each]
    records = [json.dumps(each) for each in blocks if "file_name" not in each]
    outcome = read("x.jsonl", "\n".join(records))

    assert [settings(mappings=[each]).mappings[0].name for each in shown] == ["Academy", "Video portal"]
    assert (len(outcome.completions), len(outcome.courses), outcome.refusals) == (2, 1, [])
