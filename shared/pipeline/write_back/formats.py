"""Files with records for the LMS, read as a stream: which format a file has, and what its lines hold."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from pydantic import BaseModel

from shared.domain.batches import Kind
from shared.domain.errors import Code
from shared.domain.write_back import Completion, Course, Refusal
from shared.pipeline.write_back.validate import read_record

JSON_LINES = "json_lines"
_ENDINGS = {".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
LONGEST_LINE_BYTES = 1 << 20


def format_of(file: str) -> str | None:
    """Return the format of a file by its name, or `None`."""
    return next((each for ending, each in _ENDINGS.items() if file.lower().endswith(ending)), None)


def read_records(
    format: str,  # noqa: A002 - the word for it
    stream: BinaryIO,
    mapping: BaseModel | None = None,
) -> Iterator[Completion | Course | Refusal]:
    """Yield what each line of a file holds, in memory that does not grow with the file."""
    del format, mapping
    number = 0
    while line := stream.readline(LONGEST_LINE_BYTES):
        number += 1
        if len(line) == LONGEST_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield Refusal(line=number, path="", code=Code.RECORD_MALFORMED, message="The line is too long.")
        elif line.strip():
            yield _read(number, line)


def _read(number: int, line: bytes) -> Completion | Course | Refusal:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Refusal(line=number, path="", code=Code.RECORD_MALFORMED, message="The line is no JSON.")
    kind = Kind.COURSES if isinstance(value, dict) and "learner" not in value else Kind.COMPLETIONS
    return read_record(kind, number, value)
