"""The first record of a file: its columns, and what it tells of the dialect."""

import csv
import io
from dataclasses import dataclass
from typing import Self

MARK = b"!##!"
"""The record end of SuccessFactors' own connector files."""
DELIMITERS = (",", "|", "\t")


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file, and how its records are written."""

    columns: tuple[str, ...]
    delimiter: str
    marked: bool
    """Whether records end in `!##!`."""
    line_per_record: bool
    """Whether a newline follows the end of every record."""
    line: int = 1
    """Physical line of the file; there may be blank ones above it."""
    is_torn: bool = False
    """Whether a carriage return stands inside, so that a part of it may be somebody's data."""

    @classmethod
    def of(cls, raw: bytes, line: int) -> Self:
        """Read the record with its end, which stands on that line."""
        text = raw.decode("utf-8", errors="replace")
        record = text.replace(MARK.decode(), "").strip("\r\n")
        plain = record.replace("\r", " ")
        delimiter = max(DELIMITERS, key=plain.count)
        columns = next(csv.reader(io.StringIO(plain), delimiter=delimiter, skipinitialspace=True), [])
        return cls(
            tuple(column.strip().upper() for column in columns),
            delimiter,
            marked=MARK.decode() in text,
            line_per_record=raw.endswith(b"\n"),
            line=line,
            is_torn="\r" in record,
        )

    @property
    def doubt(self) -> str:
        """A sentence on what may be wrong with a header that names no known columns; nothing of it is repeated."""
        if len(self.columns) == 1 and self.columns[0].count(";") > 1:
            return "The first line is separated by semicolons. Have the file written with commas, pipes or tabs."
        return "The first line names no known columns. Does the file begin with a header?"
