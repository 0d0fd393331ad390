"""CSV files by their mapping, whole and damaged, and rows that become courses and statements."""

import io
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.domain.errors import Code
from shared.domain.record_files import FileMapping
from shared.domain.write_back import Refusal
from shared.pipeline.intake_formats.findings import Ignored
from shared.pipeline.intake_formats.rows import Row, Rows
from shared.pipeline.intake_formats.texts import Text
from tests.intake_formats.academy import COLUMNS, ROW, mapping, read_csv
from tests.intake_formats.files import read

GOLDEN = Path(__file__).parent / "golden"


def test_a_row_that_cannot_be_read_stops_no_other_row() -> None:
    body = (
        "Who,Course,When\n"
        "u-1,C-1,2026-03-31\n"
        "u-2,C-1\n"
        "u-3,C-1,2026-03-31,more\n"
        "\n"
        ",C-1,2026-03-31\n"
        'u-4,"C-1"x,2026-03-31\n'
        '"u-5\n(five)",C-1,2026-03-31\n'
        "u-6,C-1,later\n"
        f"{'u' * 256},C-1,2026-03-31\n"
    )
    outcome = read_csv(body)

    assert [each.learner for each in outcome.completions] == ["u-1", "u-5\n(five)"]
    assert outcome.faults == [
        (3, "$", "RECORD_MALFORMED"),
        (4, "$", "RECORD_MALFORMED"),
        (6, "Who", "FIELD_REQUIRED"),
        (7, "$", "RECORD_MALFORMED"),
        (10, "When", "FIELD_INVALID"),
        (11, "Who", "FIELD_INVALID"),
    ]
    assert not any("u-" in each.message or "later" in each.message for each in outcome.refusals)


@pytest.mark.parametrize(
    ("delimiter", "encoding", "mark"),
    [
        ("semicolon", "utf-8", ";"),
        ("tab", "windows-1252", "\t"),
        ("pipe", "utf-8", "|"),
        ("comma", "windows-1252", ","),
    ],
)
def test_delimiters_and_encodings(delimiter: str, encoding: str, mark: str) -> None:
    body = "Who,Course,When\r\nJörg €,C-1,2026-03-31\r\n".replace(",", mark).encode(encoding)
    outcome = read_csv(body, delimiter=delimiter, encoding=encoding)

    assert [each.learner for each in outcome.completions] == ["Jörg €"]


def test_the_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_first_column() -> None:
    assert len(read_csv("\ufeff" + ROW).completions) == 1


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("", "COLUMN_MISSING", "no header"),
        ("Who,Where\n", "COLUMN_MISSING", "Course, When"),
        ("Who,Course,When,Who\n", "RECORD_MALFORMED", "twice"),
        ("Who,Course,When\nü,C-1,2026-03-31".encode("latin-1"), "RECORD_MALFORMED", "utf-8"),
    ],
)
def test_a_file_that_is_not_what_its_mapping_says_is_refused_as_one(body: str | bytes, code: str, says: str) -> None:
    outcome = read_csv(body)

    assert outcome.completions == []
    assert [(path, found) for _, path, found in outcome.faults] == [("$", code)]
    assert says in outcome.refusals[0].message


def test_a_column_that_only_a_filter_names_must_be_there() -> None:
    given = [{"name": "f", "conditions": [{"column": "State", "operator": "not_empty"}]}]

    assert read_csv("Who,Course,When\n", filters=given).refusals[0].code is Code.COLUMN_MISSING


def test_the_mapping_is_found_by_the_name_of_the_file_and_a_stranger_is_told_which_there_are() -> None:
    other = mapping(name="Other", file_name="other_????.csv") | {
        "columns": [{"field": "course_id", "default": "C-2"}, COLUMNS[0], COLUMNS[2]]
    }
    mappings = [mapping(file_name="academy*.csv"), other]
    one = read("inbox/Academy_7.CSV", ROW, mappings=mappings)
    two = read("other_2026.csv", ROW, mappings=mappings)
    none = read("inbox/zebedee.csv", ROW, mappings=mappings)

    assert [each.completions[0].course_id for each in (one, two)] == ["C-1", "C-2"]
    assert none.faults == [(None, "$", "SETTINGS_INVALID")]
    assert "Academy (academy*.csv), Other (other_????.csv)" in none.refusals[0].message
    assert "zebedee" not in none.refusals[0].message


def test_rows_may_be_courses() -> None:
    columns = [
        {"column": "Id", "field": "course_id"},
        {"column": "Name", "field": "titles.English"},
        {"column": "Name (de)", "field": 'titles["German (Austria)"]'},
        {"column": "Link", "field": "launch_url"},
        {"column": "From", "field": "schedule[0].start", "type": "date"},
        {"column": "Until", "field": "schedule[0].end", "type": "date"},
        {"column": "Price", "field": "price", "type": "number"},
    ]
    body = (
        "Id,Name,Name (de),Link,From,Until,Price\n"
        "C-1,Fire,Feuer,https://example.com/1,2026-01-01,2026-12-31,10\n"
        "C-2,,,https://example.com/2,,,\n"
        "C-3,Ice,,http://example.com/3,,,\n"
    )
    outcome = read("x.csv", body, mappings=[mapping(into="courses") | {"columns": columns}])
    course = outcome.courses[0]

    assert course.titles == {"English": "Fire", "German (Austria)": "Feuer"}
    assert (course.schedule[0].end, course.price) == (datetime(2026, 12, 31, tzinfo=UTC), 10)
    assert outcome.faults == [(3, "titles", "FIELD_REQUIRED"), (4, "Link", "FIELD_INVALID")]


def golden_mapping() -> FileMapping:
    return FileMapping.model_validate_json((GOLDEN / "views.mapping.json").read_bytes())


def test_rows_become_these_statements() -> None:
    """The golden file: `views.csv` by `views.mapping.json` is `views.json`, statement for statement."""
    ignored: Counter[Ignored] = Counter()
    rows = Rows(Text(io.BytesIO((GOLDEN / "views.csv").read_bytes()), "utf-8"), golden_mapping(), ignored)
    found = list(rows.read())

    assert [each.value for each in found if isinstance(each, Row)] == json.loads((GOLDEN / "views.json").read_bytes())
    assert [(each.line, each.path) for each in found if isinstance(each, Refusal)] == [(8, "Seen on")]
    assert ignored == {Ignored.FILTERED: 1}


def test_statements_of_rows_go_the_way_of_all_statements_and_their_faults_name_the_column() -> None:
    outcome = read("views_7.csv", (GOLDEN / "views.csv").read_bytes(), mappings=[golden_mapping().model_dump()])

    assert [(each.learner, each.course_id, each.passed) for each in outcome.completions] == [
        ("ada@example.com", "https://video.example.com/v/1", True),
        ("bob@example.com", "https://video.example.com/v/2", False),
    ]
    assert outcome.faults == [(7, "Video", "FIELD_INVALID"), (8, "Seen on", "FIELD_INVALID")]
    assert "object.id" in outcome.refusals[0].message
