"""A mapping to change, and how a CSV file is read by it."""

from typing import Any

from tests.intake_formats.files import Outcome, read

COLUMNS: list[dict[str, Any]] = [
    {"column": "Who", "field": "learner"},
    {"column": "Course", "field": "course_id"},
    {"column": "When", "field": "completed_at", "type": "date"},
]
ROW = "Who,Course,When,More\nu-1,C-1,2026-03-31T17:00:00Z,"


def mapping(*columns: dict[str, Any], **given: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON
    return {"name": "Academy", "file_name": "*.csv", "columns": [*COLUMNS, *columns], **given}


def read_csv(body: str | bytes, *columns: dict[str, Any], **given: Any) -> Outcome:  # noqa: ANN401 - as JSON
    return read("inbox/academy/x.csv", body, mappings=[mapping(*columns, **given)])
