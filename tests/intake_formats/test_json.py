"""JSON files of every shape, whole and damaged, and what of them is held in memory."""

import json
import tracemalloc
from datetime import UTC, datetime
from itertools import chain, repeat

import pytest

from shared.domain.record_files import COMPLETION_FIELDS, COURSE_FIELDS
from shared.domain.write_back import Completion, Course
from shared.pipeline.intake_formats.findings import LONGEST_RECORD
from shared.pipeline.intake_formats.read_records import read_records
from shared.pipeline.intake_formats.texts import PIECE
from tests.intake_formats.files import by_line, read, settings

ONE = {"learner": "u-1", "course_id": "C-1", "completed_at": "2026-03-31T17:00:00Z"}
COURSE = {"course_id": "C-1", "titles": {"English": "Fire"}, "launch_url": "https://example.com/1"}
MANY = [{**ONE, "learner": f"u-{i}", "comments": 'ü[]{}\\",' * 20} for i in range(2000)]

SHAPES = {
    "a value a line": ("x.jsonl", by_line(*MANY)),
    "a value a line in a .json": ("x.json", by_line(*MANY)),
    "a value a line with returns and blank lines": ("x.ndjson", by_line(*MANY).replace("\n", "\r\n\r\n")),
    "a list": ("x.json", json.dumps(MANY)),
    "a list in its own lines, not escaped": ("x.json", json.dumps(MANY, indent=2, ensure_ascii=False)),
    "the answer of a store": ("x.json", json.dumps({"statements": MANY, "more": "/next"})),
    "the answer of a store that begins with more": ("x.json", json.dumps({"more": "", "statements": MANY})),
    "values behind each other": ("x.json", "".join(json.dumps(each, indent=1) for each in MANY)),
    "with a byte order mark": ("x.json", "\ufeff" + json.dumps(MANY)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_records(shape: str) -> None:
    name, body = SHAPES[shape]
    outcome = read(name, body)

    assert outcome.refusals == []
    assert outcome.completions == [Completion.model_validate(each) for each in MANY]


def test_records_of_both_kinds_may_stand_in_one_file() -> None:
    outcome = read("x.jsonl", by_line(ONE, COURSE, ONE))

    assert (len(outcome.completions), len(outcome.courses)) == (2, 1)
    assert outcome.courses[0] == Course.model_validate(COURSE)
    assert outcome.completions[0].completed_at == datetime(2026, 3, 31, 17, tzinfo=UTC)


def test_what_is_refused_on_a_line_stops_no_other_line() -> None:
    body = by_line(ONE) + "\n" + '{"learner": \n' + "[1]\n" + by_line({**ONE, "passed": "yes"}, {**ONE, "new": 1}, ONE)
    outcome = read("x.jsonl", body)

    assert len(outcome.completions) == 2
    assert outcome.faults == [
        (3, "$", "RECORD_MALFORMED"),
        (4, "$", "RECORD_MALFORMED"),
        (5, "passed", "FIELD_INVALID"),
        (6, "*", "FIELD_INVALID"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("learner", "", "FIELD_INVALID"),
        ("learner", 7, "FIELD_INVALID"),
        ("course_id", None, "FIELD_INVALID"),
        ("completed_at", "2026-03-31T17:00:00", "FIELD_INVALID"),
        ("completed_at", 1774976400, "FIELD_INVALID"),
        ("total_hours", -1, "FIELD_INVALID"),
        ("total_hours", "1", "FIELD_INVALID"),
        ("comments", "x" * 4001, "FIELD_INVALID"),
    ],
)
def test_a_field_of_a_completion_is_checked_as_it_is_written(field: str, value: object, code: str) -> None:
    assert read("x.jsonl", by_line({**ONE, field: value})).faults == [(1, field, code)]


def test_a_missing_field_is_told_as_missing() -> None:
    assert read("x.jsonl", by_line({"learner": "u-1", "course_id": "C-1"})).faults == [
        (1, "completed_at", "FIELD_REQUIRED")
    ]


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("titles", {}, "titles"),
        ("titles", {"English": 1}, "titles.*"),
        ("launch_url", "http://example.com", "launch_url"),
        ("schedule", [{"start": "2026-01-01T00:00:00Z"}], "schedule[0].end"),
        ("currency", "usd", "currency"),
        ("price", "1", "price"),
    ],
)
def test_a_field_of_a_course_is_checked_as_it_is_written(field: str, value: object, path: str) -> None:
    assert [each[1] for each in read("x.jsonl", by_line({**COURSE, field: value})).faults] == [path]


DAMAGED = {
    "cut off inside a record": (json.dumps([ONE, ONE])[:-20], 1, 1),
    "cut off between records": (json.dumps([ONE, ONE])[:-1], 2, 1),
    "cut off behind a comma": (json.dumps([ONE])[:-1] + ",", 1, 1),
    "a comma too many": (json.dumps([ONE])[:-1] + ",]", 1, 1),
    "a comma too few": (f"[{json.dumps(ONE)} {json.dumps(ONE)}]", 1, 1),
    "something behind the list": (json.dumps([ONE]) + "\n\n{}", 1, 3),
    "a bad record in the middle": (f"[{json.dumps(ONE)},\n{{'x'}},\n{json.dumps(ONE)}]", 1, 2),
    "no number": (f'[{json.dumps(ONE)},\n{{"total_hours": NaN}}]', 1, 2),
    "a number of too many digits": (f"[{json.dumps(ONE)},\n{'9' * 5000}]", 1, 2),
    "nested too deeply": (f"[{json.dumps(ONE)},\n{'[' * 200_000}", 1, 2),
    "two values behind each other, the second cut off": (json.dumps(ONE, indent=1) + "\n{", 1, 6),
    "a record without an end": (f'[{json.dumps(ONE)},\n"{"x" * (LONGEST_RECORD + 2 * PIECE)}"]', 1, 2),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_comes_before_the_damage_is_taken_and_the_rest_is_refused_once(damage: str) -> None:
    body, taken, line = DAMAGED[damage]
    outcome = read("x.json", body)

    assert len(outcome.completions) == taken
    assert outcome.faults == [(line, "$", "RECORD_MALFORMED")]


def test_what_is_no_utf_8_is_refused() -> None:
    body = json.dumps([{**ONE, "comments": "é"}], ensure_ascii=False).encode("latin-1")

    assert [each.path for each in read("x.json", body).refusals] == ["$"]


@pytest.mark.parametrize("body", ["", " \n ", "[]", '{"statements": []}'])
def test_an_empty_file_holds_nothing(body: str) -> None:
    outcome = read("x.json", body)

    assert (outcome.completions, outcome.courses, outcome.refusals) == ([], [], [])


class Endless:
    """A list of many records that nobody has in memory."""

    def __init__(self, record: bytes, count: int) -> None:
        self._parts = chain([b"["], repeat(record + b",", count - 1), [record + b"]"])

    def read(self, size: int, /) -> bytes:
        part = next(self._parts, b"")
        assert len(part) <= size
        return part


def test_a_list_is_never_held_whole() -> None:
    count = 3000
    record = json.dumps({**ONE, "comments": "x" * 3900}).encode()
    tracemalloc.start()
    try:
        found = sum(1 for _ in read_records("x.json", Endless(record, count), settings()))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found == count
    assert peak_bytes < 2 * 1024 * 1024 < count * len(record) / 5


def test_the_fields_that_a_mapping_knows_are_those_of_the_records() -> None:
    assert frozenset(Completion.model_fields) == COMPLETION_FIELDS
    assert frozenset(Course.model_fields) == COURSE_FIELDS
