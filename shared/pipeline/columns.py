"""How the text of a column becomes a value, as SQL expressions.

Every expression works on `v`, the trimmed text of a field, null when empty. A value that is there and cannot be
read is a fault; the fault expressions are true (never null) exactly then.
"""

from dataclasses import dataclass

from shared.domain.errors import Code
from shared.domain.matching import EMPLOYEE_ID, longest_id
from shared.domain.profile import Column, ColumnType
from shared.pipeline.engine import text
from shared.pipeline.person_keys import person_forms, person_key
from shared.pipeline.zones import to_utc

_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?"
_OFFSET = r"(Z|z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
_EPOCH = r"-?\d{9,14}"
_FIRST, _LAST = "0001-01-01", "9999-12-31 23:59:59.999999"
"""What can be written down in UTC."""
_MICROSECONDS_BEFORE_1970 = 62_135_596_800_000_000
"""Since `_FIRST`."""
_LAST_SECOND = "'86399 seconds'"
"""Of a day, since it began."""


@dataclass(frozen=True, slots=True)
class Value:
    """One output column: its name, SQL type, and the expression that makes it."""

    name: str
    type: str
    sql: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that a row may break."""

    column: str
    code: Code
    message: str
    sql: str


def student_key(v: str) -> str:
    """Return SQL for the keyed hash of a student id, which is compared as it stands."""
    return f"keyed('student', {v})"


def usual_time(v: str, *, deadline: bool = False) -> str:
    """Return SQL for a time as it stands, if it is `YYYY-MM-DD[ HH:MM:SS]` with all of its digits and nothing else.

    `deadline` as in `time_utc`.
    """
    written = f"{v} >= '0001-01-03' and {v} < '9999-12-30'"
    day = f"try_strptime({v}, '%Y-%m-%d')"
    if deadline:
        day += f" + interval {_LAST_SECOND}"
    # No other text of that length can be read so, but for a day of one digit with a blank behind it.
    return (
        f"case when strlen({v}) = 19 and {written} then try_strptime({v}, '%Y-%m-%d %H:%M:%S') "
        f"when strlen({v}) = 10 and {written} and {v}[10] >= '0' then {day} end"
    )


def time_number(timestamp: str) -> str:
    """Return SQL for a timestamp as a number, each its own and in their order, as UUID; it is below 2 to the 59th."""
    return f"(epoch_us({timestamp}) + {_MICROSECONDS_BEFORE_1970})::uhugeint::uuid"


def time_utc(v: str, zone: str, *, deadline: bool = False, usual: str | None = None, day: str | None = None) -> str:
    """Return SQL for a time as naive UTC timestamp; null when it cannot be read.

    Reads `YYYY-MM-DD[ HH:MM[:SS[.f]]]` with a blank or a T, with or without an offset, and epoch milliseconds.
    Naive times are in `zone`: a doubled hour means the first, a skipped hour moves forward. With `deadline` a
    date alone is the last second of its day. `usual` is the name of its `usual_time`, where that is known, and `day`
    that of its day (see `zones`).
    """
    normal = f"replace(upper({v}), ',', '.')"
    naive = f"try_cast({normal} as timestamp)"
    if deadline:
        naive = f"case when length({v}) = 10 then {naive} + interval {_LAST_SECOND} else {naive} end"
    usual = usual or f"({usual_time(v, deadline=deadline)})"
    unusual = (
        f"case when regexp_full_match({v}, {text(_ISO)}) then {to_utc(naive, zone)} "
        f"when regexp_full_match({v}, {text(_ISO + _OFFSET)}) then try_cast({_offset_form(normal)} as "
        "timestamptz)::timestamp "
        f"when regexp_full_match({v}, {text(_EPOCH)}) and abs(try_cast({v} as bigint)) < 253402300800000 "
        f"then make_timestamp_ms(try_cast({v} as bigint)) end"
    )
    return (
        f"case when {usual} is not null then {to_utc(usual, zone, day=day)} when {v} is not null and ({unusual}) "
        f"between timestamp {text(_FIRST)} and timestamp {text(_LAST)} then {unusual} end"
    )


def _offset_form(v: str) -> str:
    """Return SQL that writes an offset as the engine reads it: `+HH:MM`."""
    return rf"regexp_replace(regexp_replace({v}, 'Z$', '+00:00'), '([+-]\d{{2}}):?(\d{{2}})$', '\1:\2')"


def values(name: str, column: Column, v: str, read: str) -> list[Value]:
    """Return what is kept of a column; `read` is the name of the time or the keyed hash that was made of it."""
    if not column.kept:
        return []
    kept = {
        ColumnType.TEXT: [Value(name, "varchar", v)],
        ColumnType.FLAG: [Value(name, "boolean", f"upper({v}) = 'Y'")],
        ColumnType.MINUTES: [Value(name, "decimal(12,2)", f"try_cast({v} as decimal(12,2))")],
        ColumnType.TIME: [Value(name, "timestamp", read)],
        ColumnType.DEADLINE: [Value(name, "timestamp", read)],
        ColumnType.STUDENT: [Value(name, "uuid", read)],
        ColumnType.PERSON: [Value(name, "uuid", person_key(v)), Value("FORMS", "uuid[]", person_forms(v))],
    }
    # Ids are built from the text as it stands, so that a change of the zone never changes them.
    texts = [Value(f"{name}_TEXT", "varchar", v)] if column.text_kept else []
    return kept[column.type] + texts


def faults(name: str, column: Column, v: str, read: str, *, required: bool, attribute: str) -> list[Fault]:
    """Return the rules of a column, in the order in which they are told; `read` as in `values`.

    `attribute` is that in Entra with which person ids are compared.
    """
    rules = []
    if required:
        message = f"{name} is empty. Fill it in at the source."
        rules.append(Fault(name, Code.FIELD_REQUIRED, message, f"{v} is null"))

    def invalid(what: str, sql: str, code: Code = Code.FIELD_INVALID) -> None:
        rules.append(Fault(name, code, f"{name} {what}", f"coalesce({v} is not null and ({sql}), false)"))

    match column.type:
        case ColumnType.FLAG:
            invalid("is neither Y nor N. Correct it at the source.", f"upper({v}) not in ('Y', 'N')")
        case ColumnType.MINUTES:
            number = f"try_cast({v} as decimal(12,2))"
            negative = f"coalesce(try_cast({v} as double) < 0, false)"
            invalid("is not a number of minutes. Correct it at the source.", f"{number} is null or {negative}")
        case ColumnType.TIME | ColumnType.DEADLINE:
            what = "is no time like 2026-03-31 17:00:00. Correct it at the source, or the profile if the format is new."
            rules.append(Fault(name, Code.FIELD_INVALID, f"{name} {what}", f"{read} is null and {v} is not null"))
        case ColumnType.PERSON:
            longest = longest_id(attribute)
            why = f"that Entra's {attribute} can hold" if attribute == EMPLOYEE_ID else f"to compare with {attribute}"
            invalid(
                f"is longer than {longest} characters, the most {why}. Use a shorter id at the source.",
                f"length(nfc_normalize({v})) > {longest}",
                Code.PERSON_ID_TOO_LONG,
            )
        case ColumnType.TEXT | ColumnType.STUDENT:
            pass
    return rules
