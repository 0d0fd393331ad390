"""How the columns of one file become the columns of a table: typed values, rules, the primary key, and the place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from shared.domain.errors import Code
from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline import columns
from shared.pipeline.drift import Match
from shared.pipeline.engine import fingerprint, name, place_of, text
from shared.pipeline.header import Header
from shared.pipeline.marks import INNER_NEWLINE
from shared.pipeline.reading import NUL, Segment
from shared.pipeline.zones import join_days, to_utc

_NUL = "The record holds a NUL character. Remove it at the source."

_BUFFER_BYTES = 1024 * 1024
"""What is read of a segment at once: little enough for the cache, and for memory to be used again.

A record that is longer is read with the damaged ones."""


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How one file's columns become a table's columns."""

    raw: tuple[str, ...]
    """Name of every column of the file, in order."""
    used: tuple[str, ...]
    """Those of them that are columns of the table."""
    students: dict[str, str]
    """Those of them that hold student ids, by the table's columns."""
    times: dict[str, ColumnType]
    """Those of them that hold times (`TIME` or `DEADLINE`)."""
    zone: str
    """The source time zone, which they are in."""
    values: list[columns.Value]
    entered: dict[str, str]
    """Those of students by the fingerprints that they enter, `pk` among them."""
    faults: list[columns.Fault]
    key_faults: list[int]
    """Numbers of the faults that leave the key unreadable."""
    time_faults: list[int]
    """Numbers of the faults that are times which cannot be read."""
    pk: str
    owner: str | None
    """The column that holds whom a row belongs to."""
    missing: dict[str, str]
    """Required columns that are not there, with what may be meant."""
    warnings: list[str]

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
        attribute: str,
    ) -> Self:
        """Match the header against the profile."""
        match = Match.of(header, table)
        places = {column: f"c{number}" for column, number in match.places.items()}
        kept: list[columns.Value] = []
        times: dict[str, ColumnType] = {}
        rules = [columns.Fault("", Code.FIELD_INVALID, _NUL, "has_nul")]
        key_rules = [0]
        time_rules = []
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
                    for value in columns.values(column_name, column, "null", "null")
                ]
                continue
            raw_name = places[column_name]
            v, read = f"v_{raw_name}", f"r_{raw_name}"
            if _is_time(column):
                times[raw_name] = column.type
            kept += columns.values(column_name, column, v, read)
            for rule in columns.faults(column_name, column, v, read, required=required, attribute=attribute):
                if column.key:
                    key_rules.append(len(rules))
                if _is_time(column) and rule.code is Code.FIELD_INVALID:
                    time_rules.append(len(rules))
                rules.append(rule)
        kept += [
            columns.Value(made, "uuid", _fingerprint(table, places, parts))
            for made, parts in table.fingerprints.items()
        ]
        return cls(
            raw=tuple(f"c{number}" for number in range(len(header.columns if header else ()))),
            used=tuple(places.values()),
            students={c: places[c] for c, data in table.columns.items() if c in places and _is_student(data)},
            times=times,
            zone=zone,
            values=kept,
            faults=rules,
            key_faults=key_rules,
            time_faults=time_rules,
            entered={
                made: places[c] for made in ("pk", *table.fingerprints) if (c := table.student_in(made)) in places
            },
            pk=_fingerprint(table, places, table.key),
            owner=places.get(table.owner) if table.owner else None,
            missing={column: match.hint(column) for column in missing},
            warnings=match.warnings(table_name),
        )

    def source(self, path: str, header: Header) -> str:
        """Return the relation of one segment's records, all text, null where empty."""
        return (
            f"{_read_csv(path, self.raw, header.delimiter)}, strict_mode = true, "
            f"buffer_size = {_BUFFER_BYTES}, max_line_size = {_BUFFER_BYTES})"
        )

    def repaired_source(self, path: str) -> str:
        """Return the relation of repaired records, with the line on which each starts."""
        return f"{_read_csv(path, (*self.raw, 'LINE'), ',')}, strict_mode = false, max_line_size = 134217728)"

    def select(self, source: str, segment: Segment, *, any_times: bool, lines: str | None = None) -> str:
        """Return the query that turns records into typed rows, in their order, each with its first fault or none.

        In place of students it has their aliases (`a_` and the column), but ids as clear text (`i_` and the column)
        where they do not own the rows, for those are few, many times over; `finish` puts them in. `lines` is kept
        beside the values, under that name, where there are some. Without `any_times`, times that are not written as
        usual are faults: most files have none, and the engine needs twice as long to plan a query that can read them.
        Needs `zone_days` (see `zones`).
        """
        usual = "".join(f", {self._usual_time(c, c)} as u_{c}" for c in self.times)
        trimmed = ", ".join(f"{self._trimmed(c, segment)} as v_{c}" for c in self.used)
        has_nul = " or ".join(f"contains({c}, {text(NUL)})" for c in self.raw) if segment.has_nul else "false"
        fields = f"(select *, coalesce({has_nul}, false) as has_nul, {trimmed} from (select *{usual} from {source}))"
        if any_times and self.times:
            # Without the blanks around it, a time may be written as usual after all.
            late = ", ".join(f"coalesce(u_{c}, {self._usual_time(c, f'v_{c}')}) as u_{c}" for c in self.times)
            fields = f"(select * replace ({late}) from {fields})"
        aliases = "".join(
            f", alias_of(v_{c}) as a_{c}" if c == self.owner else f", v_{c} as i_{c}" for c in self.students.values()
        )
        times = "".join(f", {self._time(c, any_times=any_times)} as r_{c}" for c in self.times)
        days = join_days({f"d_{c}": f"u_{c}" for c in self.times}, self.zone)
        fault = " ".join(f"when {rule.sql} then {number}" for number, rule in enumerate(self.faults))
        kept = "".join(
            f", ({value.sql})::{value.type} as {name(value.name)}"
            for value in self.values
            if value.name not in self.students
        )
        more = "" if lines is None else f", {lines} as lines"
        return (
            f"select case {fault} end as fault, {self.pk} as pk{more}"
            f"{aliases}{kept} from (select v.*{times} from {fields} v{days})"
        )

    def _is_deadline(self, column: str) -> bool:
        return self.times[column] is ColumnType.DEADLINE

    def _usual_time(self, column: str, v: str) -> str:
        """Return SQL for the time of a column, as it stands, from its text; null unless it is written as usual."""
        return columns.usual_time(v, deadline=self._is_deadline(column))

    def _time(self, column: str, *, any_times: bool) -> str:
        """Return SQL for the time of a column in UTC."""
        v, usual, day = f"v_{column}", f"u_{column}", f"d_{column}"
        if not any_times:
            return to_utc(usual, self.zone, day=day)
        return columns.time_utc(v, self.zone, deadline=self._is_deadline(column), usual=usual, day=day)

    def ids(self, source: str, segment: Segment) -> str:
        """Return the query for all student ids (`id`) in a segment, as clear text."""
        each = ", ".join(self._trimmed(c, segment) for c in self.students.values())
        return f"select id from (select unnest([{each}]) as id from {source}) where id is not null"

    def aliases(self, rows: str) -> str:
        """Return the query for the aliases (`alias`) in rows of `select`; one that stands in many may come as often."""
        each = [f"select a_{self.owner} as alias from {rows} where a_{self.owner} is not null"] if self.owner else []
        if others := self.others(rows):
            each.append(f"select alias_of(id) as alias from ({others})")
        return " union all ".join(each)

    def others(self, rows: str) -> str:
        """Return the query for the ids (`id`) of those in rows of `select` who do not own them, each once.

        Empty where no column holds any.
        """
        columns = [c for c in self.students.values() if c != self.owner]
        return " union ".join(f"select distinct i_{c} as id from {rows} where i_{c} is not null" for c in columns)

    def finish(self, rows: str, seen: str) -> str:
        """Return the query for the rows of a table, from some of `select` with `record` and `line`.

        `seen` are students (alias, student, place); whom it does not have is null, and so is all that is made of them.
        Rows that somebody owns come in the order of `seen` where the engine joins as it is written.
        Needs `others` (id, student) with all that the rows name beside those who own them.
        """
        place = f"s_{self.owner}.place" if self.owner else place_of("r.pk")
        kept = "".join(f", {self._whole(value.name)} as {name(value.name)}" for value in self.values)
        joined = (
            f"{seen} s_{self.owner} right join {rows} r on s_{self.owner}.alias = r.a_{self.owner}"
            if self.owner
            else f"{rows} r"
        )
        for c in self.students.values():
            if c != self.owner:
                joined += f" left join others s_{c} on s_{c}.id = r.i_{c}"
        return f"select r.record, r.line, r.fault, {self._whole('pk')} as pk, {place} as place{kept} from {joined}"

    def _whole(self, value: str) -> str:
        """Return SQL for a value of a row with the student that enters it."""
        if value in self.students:
            return f"s_{self.students[value]}.student"
        if value in self.entered:
            return _together(f"r.{name(value)}", f"s_{self.entered[value]}.student")
        return f"r.{name(value)}"

    def inner_newlines(self, header: Header) -> str:
        """Return SQL for the number of newlines inside a record."""
        whole = f"concat({', '.join(self.raw)})"
        mark = text(INNER_NEWLINE if header.marked else "\n")
        return f"(strlen({whole}) - strlen(replace({whole}, {mark}, '')))"

    def _trimmed(self, column: str, segment: Segment) -> str:
        """Return SQL for a field without blanks around it; to look for them is much cheaper than to trim.

        A time of the usual form has none.
        """
        restored = f"replace({column}, {text(INNER_NEWLINE)}, {text(chr(10))})" if segment.has_marks else column
        # Nothing printable comes before the exclamation mark but the blank.
        margins = f"{restored} < '!' or {restored} like '% '"
        if segment.has_tabs:
            margins += f" or {restored} like '%\t'"
        usual = f"when u_{column} is not null then {column} " if column in self.times else ""
        return f"case {usual}when {margins} then nullif(trim({restored}, {text(' ' + chr(9))}), '') else {restored} end"


def _read_csv(path: str, names: Sequence[str], delimiter: str) -> str:
    typed = dict.fromkeys(names, "VARCHAR")
    return (
        f"read_csv({text(path)}, header = false, auto_detect = false, delim = {text(delimiter)}, quote = '\"', "
        f"escape = '\"', new_line = '\\n', nullstr = '', columns = {typed}"
    )


def _is_student(column: Column) -> bool:
    return column.type is ColumnType.STUDENT


def _is_time(column: Column) -> bool:
    return column.type in (ColumnType.TIME, ColumnType.DEADLINE)


def _fingerprint(table: Table, places: dict[str, str], parts: Sequence[str]) -> str:
    """Return SQL for 128 bits of some columns' texts; a student that enters it is not among them."""
    others = [part for part in parts if part != "pk" and not _is_student(table.columns[part])]
    texts = [_entering(table, places, part) for part in others] or ["''"]
    made = fingerprint(texts)
    if "pk" not in parts:
        return made
    if len(others) == 1 and others[0] in places and _is_time(table.columns[others[0]]):
        # A key and a number are as good as two hashes, and a time is one without being hashed.
        u = f"u_{places[others[0]]}"
        made = f"case when {u} is not null then {columns.time_number(u)} else {made} end"
    return _together(_fingerprint(table, places, table.key), made)


def _entering(table: Table, places: dict[str, str], column: str) -> str:
    """Return SQL for the text of a column as it enters a fingerprint."""
    if column not in places:
        return "chr(30)"
    value = f"v_{places[column]}"
    return value if table.columns[column].is_required else f"coalesce({value}, chr(30))"


def _together(one: str, other: str) -> str:
    """Return SQL for 128 bits of two hashes that have nothing to do with each other; a further one is not needed."""
    return f"xor({one}::uhugeint, {other}::uhugeint)::uuid"


def keys_table(table: Table) -> Table:
    """Return the table of a keys package: the key columns alone."""
    key: dict[str, Column] = {c: data for c, data in table.columns.items() if data.key}
    others = tuple(c for c in table.columns if c not in key)
    return Table(learner=table.learner, columns=key, unused=(*others, *table.unused))
