"""How the columns of one file become the columns of a table: typed values, rules, and the primary key."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from shared.domain.errors import Code
from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline import columns
from shared.pipeline.engine import name, text
from shared.pipeline.reading import INNER_NEWLINE, NUL, Header, Segment

_ENOUGH_COLUMNS = 2
"""Known columns without which a first line is believed to be a header only if it has one of the key."""
_NUL = "The record holds a NUL character. Remove it at the source."


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How one file's columns become a table's columns."""

    raw: tuple[str, ...]
    """Name of every column of the file, in order."""
    values: list[columns.Value]
    faults: list[columns.Fault]
    key_faults: list[int]
    """Numbers of the faults that leave the key unreadable."""
    pk: str
    missing: list[str]
    warnings: list[str]
    hint: str

    @classmethod
    def make(
        cls,
        table_name: str,
        table: Table,
        header: Header | None,
        *,
        zone: str,
        switches: frozenset[str],
        require_fields: frozenset[str],
    ) -> Self:
        """Match the header against the profile."""
        present = header.columns if header else ()
        raw = tuple(f"c{number}" for number in range(len(present)))
        places: dict[str, str] = {}
        for column_name, column in table.columns.items():
            for spelling in (column_name, *column.aliases):
                if spelling.upper() in present and column_name not in places:
                    places[column_name] = raw[present.index(spelling.upper())]
        kept: list[columns.Value] = []
        rules = [columns.Fault("", Code.FIELD_INVALID, _NUL, "has_nul")]
        key_rules = [0]
        missing = []
        for column_name, column in table.columns.items():
            if column.only_with and column.only_with not in switches:
                continue
            required = column.is_required or f"{table_name}.{column_name}" in require_fields
            if column_name not in places:
                if required:
                    missing.append(column_name)
                kept += [
                    columns.Value(value.name, value.type, f"null::{value.type}")
                    for value in columns.values(column_name, column, "null::varchar", zone)
                ]
                continue
            v = f"v_{places[column_name]}"
            kept += columns.values(column_name, column, v, zone)
            for rule in columns.faults(column_name, column, v, zone, required=required):
                if column.key:
                    key_rules.append(len(rules))
                rules.append(rule)
        # A first line that hardly knows a column may be no header but somebody's data, which must not be repeated.
        is_header = len(places) >= _ENOUGH_COLUMNS or any(column in places for column in table.key)
        unknown = [c for c in present if not _is_known(c, table)] if is_header else []
        unclaimed = [c for c in table.columns if c not in places]
        return cls(
            raw=raw,
            values=kept,
            faults=rules,
            key_faults=key_rules,
            pk=_primary_key(table, places),
            missing=missing,
            warnings=[_drift(table_name, column, unclaimed) for column in unknown]
            if is_header or not present
            else [f"{table_name}: the first line names no known columns. Does the file begin with a header?"],
            hint=_did_you_mean(missing[0], unknown) if missing else "",
        )

    def source(self, path: str, header: Header, *, strict: bool, with_line: bool = False) -> str:
        """Return the relation of one segment's records, all text."""
        typed = dict.fromkeys((*self.raw, *(("LINE",) if with_line else ())), "VARCHAR")
        delimiter = "," if with_line else header.delimiter
        return (
            f"read_csv({text(path)}, header = false, auto_detect = false, delim = {text(delimiter)}, quote = '\"', "
            f"escape = '\"', new_line = '\\n', nullstr = {text(NUL * 4)}, strict_mode = {str(strict).lower()}, "
            f"max_line_size = 134217728, columns = {typed})"
        )

    def select(self, source: str, segment: Segment, *, line: str = "0::bigint") -> str:
        """Return the query that turns records into typed rows, each with its first fault or none."""
        blank = text(" \t")
        restore = text(INNER_NEWLINE), text("\n")
        trimmed = ", ".join(
            f"nullif(trim(replace({c}, {restore[0]}, {restore[1]}), {blank}), '') as v_{c}" for c in self.raw
        )
        has_nul = " or ".join(f"contains({c}, {text(NUL)})" for c in self.raw) if segment.has_nul else "false"
        fault = " ".join(f"when {rule.sql} then {number}" for number, rule in enumerate(self.faults))
        kept = ", ".join(f"({value.sql})::{value.type} as {name(value.name)}" for value in self.values)
        return (
            f"select line, case {fault} end as fault, {self.pk} as pk, {kept} "
            f"from (select {line} as line, {has_nul} as has_nul, {trimmed} from {source})"
        )


def _primary_key(table: Table, places: dict[str, str]) -> str:
    """Return SQL for 128 bits of the SHA-256 of the key's texts; student ids enter as their keyed hash."""
    parts = []
    for column_name in table.key:
        v = f"v_{places[column_name]}" if column_name in places else "null::varchar"
        column = table.columns[column_name]
        parts.append(f"{columns.student_key(v)}::varchar" if column.type is ColumnType.STUDENT else v)
    return f"sha256(concat_ws(chr(31), {', '.join(f'coalesce({part}, chr(30))' for part in parts)}))[1:32]::uuid"


def _is_known(column: str, table: Table) -> bool:
    spellings = {s.upper() for c, data in table.columns.items() for s in (c, *data.aliases)}
    return column in spellings or column in table.unused


def _drift(table: str, column: str, unclaimed: list[str]) -> str:
    return f"{table}: unknown column {column} was ignored. {_did_you_mean(column, unclaimed)}".strip()


def _did_you_mean(column: str, candidates: list[str]) -> str:
    close = get_close_matches(column, candidates, n=1)
    return f"Did you mean {close[0]}?" if close else ""


def keys_table(table: Table) -> Table:
    """Return the table of a keys package: the key columns alone."""
    key: dict[str, Column] = {c: data for c, data in table.columns.items() if data.key}
    others = tuple(c for c in table.columns if c not in key)
    return Table(learner=table.learner, columns=key, unused=(*others, *table.unused))
