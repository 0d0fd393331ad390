"""Whatever a file holds, reading it ends, raises nothing, and every refusal says something."""

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.domain.write_back import Refusal
from shared.pipeline.intake_formats.read_records import read_records
from tests.intake_formats.files import by_line, read, settings
from tests.xapi.samples import LEAST, STATEMENT, changed

NAMES = st.sampled_from(["x.json", "x.jsonl", "x.csv"])
MAPPING = {
    "name": "Any",
    "file_name": "*.csv",
    "columns": [
        {"column": "a", "field": "learner"},
        {"column": "b", "field": "completed_at", "type": "date"},
        {"column": "b", "field": "total_hours", "type": "number"},
        {"field": "course_id", "default": "C"},
    ],
}
MARKS = "[]{},:\"'\\\n\r\t ;ab01-."
WORDS = ("null", "NaN", "1e999", "\\ud800", "\ufeff", "é", '"a"', "a,b\n", '{"learner":"u"}\n', '{"statements":[')
PIECES = st.sampled_from([*MARKS, *WORDS, json.dumps(LEAST), "9" * 5000])
SETTINGS = settings(mappings=[MAPPING])


def check(name: str, body: bytes) -> None:
    for found in read_records(name, io.BytesIO(body), SETTINGS):
        if isinstance(found, Refusal):
            assert found.message.endswith(".")
            assert found.path


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=NAMES, pieces=st.lists(PIECES, max_size=30))
@example(name="x.csv", pieces=["a,b\n", '"'])
@example(name="x.json", pieces=["[", '"\\u'])
def test_any_text(name: str, pieces: list[str]) -> None:
    check(name, "".join(pieces).encode())


@hypothesis_settings(max_examples=50, deadline=None)
@given(name=NAMES, body=st.binary(max_size=50))
def test_any_bytes(name: str, body: bytes) -> None:
    check(name, body)


ODD: dict[str, Any] = {
    "half a character": "\ud800",
    "a huge number": 10**400,
    "an endless number": 1e308 * 10,
    "a long text": "x" * 100_000,
    "a deep list": json.loads("[" * 200 + "]" * 200),
    "an empty key": {"": ""},
    "half a character as key": {"\ud800": 1},
    "a null character": "\0",
}


PATHS = ("id", "actor", "actor.name", "actor.mbox", "verb.id", "object.id", "object.definition.name", "timestamp")
MORE = ("result.score.raw", "result.duration", "result.extensions", "context", "context.language", "version")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("path", [*PATHS, *MORE])
def test_an_odd_value_anywhere_is_taken_or_refused(path: str, odd: str) -> None:
    line = by_line(changed(STATEMENT, (path, ODD[odd]))).replace("Infinity", "1e999")
    outcome = read("x.jsonl", line + by_line(STATEMENT))

    assert len(outcome.completions) + len(outcome.refusals) == 2
    assert len(outcome.completions) >= 1


@pytest.mark.parametrize("hours", ["1e999", "9" * 400])
def test_a_number_beyond_all_numbers_is_refused(hours: str) -> None:
    line = f'{{"learner":"u","course_id":"C","completed_at":"2026-03-31T17:00:00Z","total_hours":{hours}}}'

    assert [each.path for each in read("x.jsonl", line).refusals] == ["total_hours"]


def test_a_duration_beyond_all_numbers_is_refused() -> None:
    statement = changed(STATEMENT, ("result.duration", f"P{'9' * 400}W"))

    assert [each.path for each in read("x.jsonl", by_line(statement)).refusals] == ["result.duration"]
