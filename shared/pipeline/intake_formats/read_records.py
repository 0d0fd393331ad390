"""The way in: a file of any of the formats, as records and refusals."""

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import BinaryIO, override

from pydantic import ValidationError

from shared.domain.errors import Code
from shared.domain.faults import ANY_KEY, ROOT, Fault, first_fault
from shared.domain.record_files import FileMapping
from shared.domain.write_back import Completion, Course, Refusal, Schedule, WriteBack
from shared.pipeline.intake_formats.completions import StatementReader
from shared.pipeline.intake_formats.findings import Ignored, UnreadableError, refused
from shared.pipeline.intake_formats.json_values import Found, json_values
from shared.pipeline.intake_formats.rows import Row, Rows
from shared.pipeline.intake_formats.texts import Bytes, Text

BY_LINE = frozenset((".jsonl", ".ndjson"))
JSON = BY_LINE | {".json"}
OWN_KEYS = frozenset((*Completion.model_fields, *Course.model_fields, *Schedule.model_fields))
FORMS = {r"^https://[^\s]+$": "an https address"}
"""What the texts of our own records must be, in words."""

type Record = Completion | Course


class Records(Iterator[Record | Refusal]):
    """The records of one file, one after the other, and a refusal for whatever is none."""

    def __init__(self, file_name: str, stream: Bytes | BinaryIO, write_back: WriteBack) -> None:
        self.ignored: Counter[Ignored] = Counter()
        """What was read well and became no record, so far."""
        self._name = PurePosixPath(file_name).name
        self._stream = stream
        self._write_back = write_back
        self._statements = StatementReader(write_back.statements)
        self._found = self._read()

    @override
    def __next__(self) -> Record | Refusal:
        return next(self._found)

    def _read(self) -> Iterator[Record | Refusal]:
        ending = PurePosixPath(self._name).suffix.lower()
        try:
            if ending in JSON:
                text = Text(self._stream, "utf-8")
                for found in json_values(text, by_line=ending in BY_LINE):
                    yield from (found,) if isinstance(found, Refusal) else self._of_json(found)
            else:
                mapping = self._mapping()
                rows = Rows(Text(self._stream, mapping.encoding), mapping, self.ignored)
                for row in rows.read():
                    yield from (row,) if isinstance(row, Refusal) else self._of_row(row, rows, mapping)
        except UnreadableError as e:
            yield e.refusal()

    def _mapping(self) -> FileMapping:
        """Return the first mapping that is for a file of this name."""
        mappings = self._write_back.mappings
        for mapping in mappings:
            if fnmatchcase(self._name.casefold(), mapping.file_name.casefold()):
                return mapping
        known = ", ".join(f"{each.name} ({each.file_name})" for each in mappings) or "none"
        raise UnreadableError(
            f"No mapping is for files of this name. Those of the connection: {known}. JSON files end in "
            f"{', '.join(sorted(JSON))}.",
            code=Code.SETTINGS_INVALID,
        )

    def _of_json(self, found: Found) -> Iterator[Record | Refusal]:
        value = found.value
        if not isinstance(value, dict):
            yield refused(found.line, Fault(ROOT, Code.RECORD_MALFORMED, "must be an object."))
        elif "actor" in value or "verb" in value:
            yield from self._of_statement(found.line, value, {})
        else:
            kind = Course if "titles" in value or "launch_url" in value else Completion
            try:
                yield kind.model_validate_json(found.text, strict=True)
            except ValidationError as e:
                yield refused(found.line, first_fault(e, OWN_KEYS, FORMS))

    def _of_row(self, row: Row, rows: Rows, mapping: FileMapping) -> Iterator[Record | Refusal]:
        if mapping.into == "statements":
            yield from self._of_statement(row.line, row.value, rows.columns)
            return
        kind = Course if mapping.into == "courses" else Completion
        try:
            yield kind.model_validate(row.value)
        except ValidationError as e:
            yield _of_column(row.line, first_fault(e, OWN_KEYS | rows.keys(), FORMS), rows.columns)

    def _of_statement(self, line: int, value: object, columns: Mapping[str, str]) -> Iterator[Record | Refusal]:
        read = self._statements.read(value)
        if isinstance(read, Completion):
            yield read
        elif isinstance(read, Ignored):
            self.ignored[read] += 1
        else:
            yield _of_column(line, read, columns)


def read_records(file_name: str, stream: Bytes | BinaryIO, write_back: WriteBack) -> Records:
    """Read a file that somebody sent.

    Args:
        file_name: its name, with or without folders; it says which format and which mapping it is
        stream: its bytes, read once and in pieces
        write_back: the connection's settings

    Returns:
        its records and refusals in the order of the file, to be asked for one by one; nothing is raised for what
        the file holds
    """
    return Records(file_name, stream, write_back)


def _of_column(line: int, fault: Fault, columns: Mapping[str, str]) -> Refusal:
    """Say a fault of a row by its column, where it has one."""
    column = columns.get(fault.path) if ANY_KEY not in fault.path else None
    if column is None:
        return refused(line, fault)
    return Refusal(line=line, path=column, code=fault.code, message=f"{column} ({fault.path}) {fault.message}")
