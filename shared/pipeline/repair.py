"""Damaged segments, read record by record."""

import csv
import io
from dataclasses import dataclass

from shared.pipeline.header import Header
from shared.pipeline.marks import INNER_NEWLINE
from shared.pipeline.reading import LONGEST_RECORD_SEGMENTS, SEGMENT_BYTES, Segment
from shared.pipeline.stray_quotes import read_record


@dataclass(frozen=True, slots=True)
class Repaired:
    """A segment read record by record, because the fast reading refused it."""

    data: bytes
    """Good records, every field quoted, with the line they start on as a further field."""
    malformed_lines: tuple[int, ...]


def repair(segment: Segment, header: Header) -> Repaired:
    """Read a damaged segment record by record, so that a malformed one costs nothing but itself.

    A record with too few or too many fields, or whose quotes do not close, is malformed, and reading goes on in
    the line after the one it started on. This is the only place that looks at rows one by one; only segments
    that hold such a record come here.
    """
    csv.field_size_limit(LONGEST_RECORD_SEGMENTS * SEGMENT_BYTES)
    lines = bytes(segment.data).decode().split("\n")[:-1]
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    malformed: list[int] = []
    inner_newline = INNER_NEWLINE if header.marked else "\n"
    position = 0
    skipped = 0
    """Newlines that stand inside records whose end is marked, up to here."""
    while position < len(lines):
        start = position
        record, position, _ = read_record(lines, start, header.delimiter)
        line = segment.first_line + (start if header.line_per_record or not header.marked else 0) + skipped
        if segment.lines:
            line = segment.lines[start]
        skipped += sum(each.count(inner_newline) for each in lines[start:position])
        if record and len(record) == len(header.columns) + 1 and not record[-1]:
            record.pop()  # an end of the last field, which the fast reading does not mind either
        if record is None or len(record) != len(header.columns):
            if record is None or len(record) > 1 or "".join(record).strip():  # else a blank line
                malformed.append(line)
                skipped -= sum(each.count(inner_newline) for each in lines[start + 1 : position])
                position = start + 1
            continue
        writer.writerow([*record, line])
    return Repaired(out.getvalue().encode(), tuple(malformed))
