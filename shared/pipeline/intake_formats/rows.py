"""CSV files as their mapping describes them: each row becomes an object with the fields, or paths, of its columns."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.errors import Code
from shared.domain.faults import ROOT, path_of
from shared.domain.record_files import FileMapping, MappedColumn, steps
from shared.domain.write_back import Refusal
from shared.pipeline.intake_formats.cells import Cast, CellError, cast_for, passes
from shared.pipeline.intake_formats.findings import Ignored, UnreadableError
from shared.pipeline.intake_formats.texts import Text

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_MOST_NAMED = 10


class _Reader(Iterator[list[str]], Protocol):
    """What the csv module's own reader is."""

    @property
    def line_num(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One row as an object."""

    line: int
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Field:
    column: MappedColumn
    at: int | None
    """Place of its column; `None` for a value that is the same in all rows."""
    place: tuple[str | int, ...]
    cast: Cast


class Rows:
    """The rows of one file."""

    def __init__(self, text: Text, mapping: FileMapping, ignored: Counter[Ignored]) -> None:
        self._text = text
        self._mapping = mapping
        self._ignored = ignored
        self._lists = any(isinstance(step, int) for each in mapping.columns for step in steps(each.field))
        self.columns = {
            path_of(steps(each.field), self.keys()): each.column for each in mapping.columns if each.column is not None
        }
        """The column of each field, by the path of the field."""

    def keys(self) -> frozenset[str]:
        """Return the keys that stand in the mapping; they are the admin's words and may be told."""
        return frozenset(step for each in self._mapping.columns for step in steps(each.field) if isinstance(step, str))

    def read(self) -> Iterator[Row | Refusal]:
        """Yield the rows that pass the filters, and a refusal for each that cannot be read.

        Raises:
            UnreadableError: the header lacks a column, or the file is no text.
        """
        reader = csv.reader(self._text.lines(), delimiter=_DELIMITERS[self._mapping.delimiter], strict=True)
        header = self._header(reader)
        fields = [
            _Field(
                each,
                None if each.column is None else header[each.column],
                steps(each.field),
                cast_for(each, self._mapping),
            )
            for each in self._mapping.columns
        ]
        width = len(header)
        while (line := reader.line_num + 1) and (cells := _next(reader, line)) is not None:
            if isinstance(cells, Refusal):
                yield cells
            elif any(cells):
                yield from self._row(line, cells, width, header, fields)

    def _header(self, reader: _Reader) -> Mapping[str, int]:
        names = _next(reader, 1)
        if names is None or isinstance(names, Refusal):
            raise UnreadableError("The file has no header.", 1, Code.COLUMN_MISSING)
        header = {name.strip(): at for at, name in reversed(list(enumerate(names)))}
        filtered = {each.column for row_filter in self._mapping.filters for each in row_filter.conditions}
        wanted = {each.column for each in self._mapping.columns if each.column is not None} | filtered
        if missing := sorted(wanted - header.keys()):
            raise UnreadableError(
                f"The header lacks {', '.join(missing[:_MOST_NAMED])}, which the mapping {self._mapping.name} names. "
                "Correct the file, or the mapping if the file is right.",
                1,
                Code.COLUMN_MISSING,
            )
        if len(header) != len(names):
            raise UnreadableError("The header names a column twice.", 1, Code.RECORD_MALFORMED)
        return header

    def _row(
        self, line: int, cells: list[str], width: int, header: Mapping[str, int], fields: list[_Field]
    ) -> Iterator[Row | Refusal]:
        if len(cells) != width:
            message = f"The row has {len(cells)} cells, the header {width}. Correct it at the source."
            yield Refusal(line=line, path=ROOT, code=Code.RECORD_MALFORMED, message=message)
            return
        cells = [cell.strip() for cell in cells]
        if self._mapping.filters:
            named = {name: cells[at] for name, at in header.items()}
            if not all(passes(each, named) for each in self._mapping.filters):
                self._ignored[Ignored.FILTERED] += 1
                return
        value: dict[Any, Any] = {}
        for field in fields:
            text = ("" if field.at is None else cells[field.at]) or field.column.default
            if text:
                try:
                    _put(value, field.place, field.cast(text))
                except CellError as e:
                    name = field.column.column or field.column.field
                    yield Refusal(line=line, path=name, code=Code.FIELD_INVALID, message=f"{name} {e}")
                    return
        yield Row(line, _settled(value) if self._lists else value)


def _next(reader: _Reader, line: int) -> list[str] | Refusal | None:
    """Return the cells of the next row, a refusal of it, or `None` at the end."""
    try:
        return next(reader, None)
    except csv.Error:
        message = "The row cannot be read: a quote in it does not close, or a cell is longer than any."
        return Refusal(line=line, path=ROOT, code=Code.RECORD_MALFORMED, message=message)


def _put(value: dict[Any, Any], place: tuple[str | int, ...], part: object) -> None:
    for step in place[:-1]:
        value = value.setdefault(step, {})
    value[place[-1]] = part


def _settled(node: Any) -> Any:  # noqa: ANN401 - any part of a JSON value
    """Make lists of what was put by number; what is empty in a row leaves no gap."""
    if not isinstance(node, dict):
        return node
    if all(isinstance(key, int) for key in node):
        return [_settled(node[key]) for key in sorted(node)]
    return {key: _settled(part) for key, part in node.items()}
