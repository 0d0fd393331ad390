"""What the text of a cell is, by the type that its mapping gives it, and which rows filters let through."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.pipeline.intake_formats.findings import Ignored
from tests.intake_formats.academy import COLUMNS, ROW, mapping, read_csv
from tests.intake_formats.files import read


def cell(text: str, **column: Any) -> Any:  # noqa: ANN401 - the value, or the faults
    """Read one cell as the column says, into `field`."""
    outcome = read_csv(ROW + f'"{text}"', {"column": "More", **column})
    return getattr(outcome.completions[0], column["field"]) if outcome.completions else outcome.faults


BAD = [(2, "More", "FIELD_INVALID")]


@pytest.mark.parametrize(
    ("text", "form", "hours"),
    [
        ("1.5", None, 1.5),
        ("1,234.5", None, 1234.5),
        ("1 234", None, 1234),
        ("1.234,5", ",", 1234.5),
        ("1'234,5", ",", 1234.5),
        ("+2", None, 2),
        ("1,5", None, BAD),
        ("1,23,456", None, BAD),
        ("1.5", ",", BAD),
        ("1e3", None, BAD),
        ("x", None, BAD),
        ("٣", None, BAD),
        ("9" * 400, None, BAD),
    ],
)
def test_cells_that_are_numbers(text: str, form: str | None, hours: object) -> None:
    assert cell(text, field="total_hours", type="number", format=form) == hours


@pytest.mark.parametrize(
    ("text", "form", "passed"),
    [
        ("true", None, True),
        ("YES", None, True),
        ("y", None, True),
        ("1", None, True),
        ("False", None, False),
        ("no", None, False),
        ("N", None, False),
        ("0", None, False),
        ("Ja", "ja/nein", True),
        ("nein", "ja/nein", False),
        ("yes", "ja/nein", BAD),
        ("maybe", None, BAD),
        ("2", None, BAD),
    ],
)
def test_cells_that_are_booleans(text: str, form: str | None, passed: object) -> None:
    assert cell(text, field="passed", type="boolean", format=form) == passed


@pytest.mark.parametrize(
    ("text", "form", "time"),
    [
        ("2026-03-31T17:00:00+02:00", None, datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("2026-03-31 17:00", None, datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("2026-01-31", None, datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("31.03.2026", "%d.%m.%Y", datetime(2026, 3, 30, 22, tzinfo=UTC)),
        ("3/31/26 5:00 PM", "%m/%d/%y %I:%M %p", datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("30.02.2026", "%d.%m.%Y", None),
        ("2026-03-31", "%d.%m.%Y", None),
        ("0001-01-01", None, None),
        ("soon", None, None),
    ],
)
def test_cells_that_are_dates(text: str, form: str | None, time: datetime | None) -> None:
    column = {"column": "When", "field": "completed_at", "type": "date", "format": form}
    body = f"Who,Course,When\nu-1,C-1,{text}\n"
    outcome = read(
        "x.csv", body, mappings=[mapping() | {"columns": [*COLUMNS[:2], column], "time_zone": "Europe/Berlin"}]
    )

    assert [each.completed_at for each in outcome.completions] == ([time] if time else [])
    assert outcome.faults == ([] if time else [(2, "When", "FIELD_INVALID")])


def test_cells_that_are_strings_are_trimmed_and_begin_with_their_prefix() -> None:
    assert cell(" a b ", field="grade") == "a b"
    assert cell("7", field="completion_id", prefix="x-") == "x-7"
    assert cell("x-7", field="completion_id", prefix="x-") == "x-7"


def test_a_typed_value_in_a_field_of_text_is_written_as_text() -> None:
    assert cell("1.234,50", field="grade", type="number", format=",") == "1234.5"
    assert cell("ja", field="grade", type="boolean", format="ja/nein") == "true"
    assert cell("2026-03-31", field="comments", type="date") == "2026-03-31T00:00:00Z"


def test_an_empty_cell_is_the_default_or_left_out_and_a_value_may_stand_in_every_row() -> None:
    assert cell("", field="grade") is None
    assert cell("", field="grade", default="none") == "none"
    assert cell("", field="total_hours", type="number", default="1.5") == 1.5
    body = "Who,When\nu-1,2026-03-31\n"
    always = {"field": "course_id", "default": "C-9"}
    outcome = read("x.csv", body, mappings=[mapping() | {"columns": [COLUMNS[0], COLUMNS[2], always]}])
    assert outcome.completions[0].course_id == "C-9"


CONDITIONS = {
    "equals": ("red", "red", "Red"),
    "not_equals": ("red", "blue", "red"),
    "contains": ("e", "red", "x"),
    "not_contains": ("e", "x", "red"),
    "starts_with": ("re", "red", "are"),
    "ends_with": ("ed", "red", "eds"),
    "empty": ("", "", "x"),
    "not_empty": ("", "x", ""),
    "more_than": ("5", "5.5", "5"),
    "less_than": ("5", "-1", "soon"),
}


@pytest.mark.parametrize("operator", CONDITIONS)
def test_a_filter_of_one_condition(operator: str) -> None:
    value, through, out = CONDITIONS[operator]
    given = {"column": "More", "operator": operator, "value": value}
    body = f"{ROW}{through}\nu-2,C-1,2026-03-31,{out}\n"
    outcome = read_csv(body, filters=[{"name": "f", "conditions": [given]}])

    assert [each.learner for each in outcome.completions] == ["u-1"]
    assert (outcome.refusals, outcome.ignored) == ([], {Ignored.FILTERED: 1})


def test_filters_ask_for_all_or_any_of_their_conditions_and_a_row_must_pass_all_filters() -> None:
    red = {"column": "Who", "operator": "starts_with", "value": "red"}
    big = {"column": "More", "operator": "more_than", "value": "5"}
    late = {"column": "When", "operator": "contains", "value": "2026"}
    body = "Who,Course,When,More\n" + "".join(
        f"{who},C-1,{when}-03-31,{more}\n"
        for who in ("red", "blue")
        for more in ("9", "1")
        for when in ("2025", "2026")
    )

    def left(*filters: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - as JSON
        outcome = read_csv(body, filters=[{"name": "f", **each} for each in filters])
        return [(each.learner, each.completed_at.year) for each in outcome.completions]

    assert left({"match": "all", "conditions": [red, big]}) == [("red", 2025), ("red", 2026)]
    assert len(left({"match": "any", "conditions": [red, big]})) == 6
    assert left({"conditions": [red]}, {"conditions": [big]}, {"conditions": [late]}) == [("red", 2026)]
    assert len(left()) == 8
