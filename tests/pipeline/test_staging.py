"""From a file to typed rows: the right values, and the right line for everything that is wrong."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from shared.domain.errors import PackageError
from shared.domain.profile import Column, ColumnType, Table
from shared.pipeline.engine import Engine, parquet
from shared.pipeline.reading import NotUtf8Error
from tests.pipeline.conftest import stage
from tests.pipeline.test_engine import by_hand

TEXTS = Table(columns={"ID": Column(key=True), "A": Column(), "B": Column()}, unused=("LEFT_ALONE",))
TYPED = Table(
    columns={
        "ID": Column(key=True),
        "WHO": Column(type=ColumnType.STUDENT),
        "PERSON": Column(type=ColumnType.PERSON, aliases=("EMPLOYEE",)),
        "ON": Column(type=ColumnType.FLAG),
        "AT": Column(type=ColumnType.TIME, text_kept=True),
        "BY": Column(type=ColumnType.DEADLINE),
        "LONG": Column(type=ColumnType.MINUTES),
        "NAME": Column(only_with="publish_author"),
    }
)
HEADER = "ID,WHO,PERSON,ON,AT,BY,LONG"

signs = st.sampled_from(["a", "ü", "日", " ", "\t", ",", "|", '"', "\n", "\r\n", "'", "#", "!", "0"])
words = st.lists(signs, max_size=8).map("".join)
records = st.lists(st.tuples(words, words), max_size=12)


def expected(text: str | None) -> str | None:
    """What is kept of a field: newlines are newlines, blanks around it are none of it, and empty is nothing."""
    return (text or "").replace("\r\n", "\n").strip(" \t") or None


def write(rows: Sequence[tuple[str, ...]], *, end: str, delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@given(
    found=records,
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", "|", "\t"]),
    segment_bytes=st.integers(70, 300),
    chunk_bytes=st.integers(1, 60),
)
@example(found=[('"', "\n"), ("", "")], end="\n", delimiter=",", segment_bytes=200, chunk_bytes=1)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_well_formed_records_are_what_a_csv_reader_makes_of_them(
    columnar: Engine, *, found: list[tuple[str, str]], end: str, delimiter: str, segment_bytes: int, chunk_bytes: int
) -> None:
    """Values and lines, whatever stands in the fields and wherever the file is cut."""
    rows = [("ID", "A", "B"), *((str(number), a, b) for number, (a, b) in enumerate(found))]
    content = write(rows, end=end, delimiter=delimiter)

    result = stage(columnar, TEXTS, content.encode(), segment_bytes=segment_bytes, chunk_bytes=chunk_bytes)

    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    next(reader)
    wanted = []
    line = reader.line_num + 1
    for record in reader:
        wanted.append((line, *map(expected, record)))
        line = reader.line_num + 1
    assert result.rows == wanted
    assert result.rejects == []
    assert result.staged.rows == len(found)


@given(found=records, end=st.sampled_from(["!##!", "!##!\n", "!##!\r\n"]), segment_bytes=st.integers(20, 400))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_marked_records_are_read_as_well(
    columnar: Engine, found: list[tuple[str, str]], end: str, segment_bytes: int
) -> None:
    rows = [("ID", "A", "B"), *((str(number), a, b) for number, (a, b) in enumerate(found))]
    lines = [write([row], end="", delimiter="|") for row in rows]
    # Where a value ends like the mark begins, nobody could tell where the record ends.
    assume(all((line + "!##!").index("!##!") == len(line) for line in lines))

    result = stage(columnar, TEXTS, "".join(line + end for line in lines).encode(), segment_bytes=segment_bytes)

    starts = [1]
    for line in lines[:-1]:
        starts.append(starts[-1] + (line + end).count("\n"))
    wanted = [(start, *map(expected, row)) for start, row in zip(starts[1:], rows[1:], strict=True)]
    assert result.rows == wanted
    assert result.rejects == []


@given(
    content=st.lists(
        st.one_of(signs, st.sampled_from(["1,a,b\n", '"', "\0", "\r", "!##!", "\x1e", "\ue000"])), max_size=30
    ),
    header=st.sampled_from(["ID,A,B\n", "ID|A|B!##!\n", "ID|A|B!##!"]),
    encoding=st.sampled_from(["utf-8", "cp1252"]),
    segment_bytes=st.integers(20, 200),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_every_record_is_a_row_or_a_reject(
    columnar: Engine, content: list[str], header: str, encoding: str, segment_bytes: int
) -> None:
    """Nothing gets lost without a word, and nothing stops the package but what is meant to."""
    end = header.removeprefix("ID,A,B").removeprefix("ID|A|B")
    # A newline right behind the header's mark would be part of the mark.
    body = "".join(content).replace("!##!", end).encode(encoding, errors="ignore").lstrip(b"\r\n")
    raw = header.encode() + body

    try:
        result = stage(columnar, TEXTS, raw, segment_bytes=segment_bytes)
    except (PackageError, NotUtf8Error):
        return

    assert result.staged.rows == len(result.rows) + len(result.rejects)
    assert result.staged.rejected == len(result.rejects)
    lines = raw.count(b"\n") + 1
    assert all(1 <= each[0] <= lines for each in (*result.rows, *result.rejects))


def test_a_newline_in_a_marked_record_needs_no_quotes(columnar: Engine) -> None:
    result = stage(columnar, TEXTS, b"ID|A|B!##!\n1|two\nlines|x!##!\n2|y|z!##!\n")

    assert result.rows == [(2, "1", "two\nlines", "x"), (4, "2", "y", "z")]


@pytest.mark.parametrize(
    ("content", "rows", "rejects"),
    [
        ("1,a,b\n\n2,c,d\n", [(2, "1"), (4, "2")], []),
        ("\n\n1,a,b\n", [(4, "1")], []),
        ("1,a\n2,c,d\n", [(3, "2")], [2]),
        ("1,a,b,c\n2,c,d\n", [(3, "2")], [2]),
        ('1,"a\na",b\n2,c\n3,e,f\n', [(2, "1"), (5, "3")], [4]),
        ('1,5" disk,b\n2,c,d\n', [(2, "1"), (3, "2")], []),
        ('1,"a" b,c\n2,c,d\n', [(3, "2")], [2]),
        ('1,a,b\n2,"c,d\n3,e,f\n', [(2, "1"), (4, "3")], [3]),
        ("1,a,b\n2,x\0y,d\n3,e,f\n", [(2, "1"), (4, "3")], [3]),
        ("1,a,b\n,c,d\n3,e,f", [(2, "1"), (4, "3")], [3]),
        ('1,"a\n\na",b\n,c,d\n3,e,f\n', [(2, "1"), (6, "3")], [5]),
        ("1,a,b\n2\n\n3,e,f\n4,g\n", [(2, "1"), (5, "3")], [3, 6]),
    ],
    ids=[
        *("a blank line", "blank lines first", "too few fields", "too many fields", "after an embedded newline"),
        *("a quote in a text", "text after a quote", "a quote left open", "a NUL", "an empty key"),
        *("an empty key after embedded newlines", "several"),
    ],
)
@pytest.mark.parametrize("segment_bytes", [12, 1000])
def test_a_bad_record_costs_one_reject_on_its_line(
    columnar: Engine, content: str, rows: list[tuple[int, str]], rejects: list[int], segment_bytes: int
) -> None:
    """And nothing else, wherever the file is cut."""
    if segment_bytes < 1000 and '"a\n' in content:
        segment_bytes = 40  # a segment is never smaller than a record
    result = stage(columnar, TEXTS, f"ID,A,B\n{content}".encode(), segment_bytes=segment_bytes)

    assert [row[:2] for row in result.rows] == rows
    assert [line for line, _, _ in result.rejects] == rejects
    assert (result.staged.rows, result.staged.rejected) == (len(rows) + len(rejects), len(rejects))


@pytest.mark.parametrize(
    ("record", "field", "code"),
    [
        (",s,1,Y,,,", "ID", "FIELD_REQUIRED"),
        ("1,s,,Y,,,", "PERSON", "FIELD_REQUIRED"),
        ("1,s,1,yes,,,", "ON", "FIELD_INVALID"),
        ("1,s,1,Y,31.12.2026,,", "AT", "FIELD_INVALID"),
        ("1,s,1,Y,,2026-02-30,", "BY", "FIELD_INVALID"),
        ("1,s,1,Y,,,-1", "LONG", "FIELD_INVALID"),
        ("1,s,1,Y,,,soon", "LONG", "FIELD_INVALID"),
        ("1,s,12345678901234567,Y,,,", "PERSON", "PERSON_ID_TOO_LONG"),
        ("1,s\0,1,Y,,,", "", "FIELD_INVALID"),
        ("1,s", "", "RECORD_MALFORMED"),
        (",s,1,yes,soon,,", "ID", "FIELD_REQUIRED"),
    ],
)
def test_a_reject_names_field_and_code_and_says_how_to_mend(
    columnar: Engine, record: str, field: str, code: str
) -> None:
    strict = {"require_fields": frozenset({"SOME.PERSON"})}

    result = stage(columnar, TYPED, f"{HEADER}\n{record}\n".encode(), settings=strict)

    assert result.rejects == [(2, field, f"CONN_ERROR_{code}")]
    (message,) = result.messages
    assert "at the source" in message
    assert "soon" not in message
    assert "123456" not in message


def test_values_are_typed_and_people_are_hashes(columnar: Engine) -> None:
    record = '1, quokka ,"Quokka 7",y,2026-03-31 17:00:00,2026-03-31,90.5'

    result = stage(columnar, TYPED, f"{HEADER}\n{record}\n".encode(), zone="Europe/Berlin")

    (row,) = result.rows
    line, key, student, person, forms, flag, at, at_text, by, minutes = row
    assert (line, key, flag) == (2, "1", True)
    assert (student, person) == (by_hand("student", "quokka"), by_hand("person", "quokka 7"))
    assert forms == [None, by_hand("person", "quokka7")]
    assert (str(at), at_text, str(by)) == ("2026-03-31 15:00:00", "2026-03-31 17:00:00", "2026-03-31 21:59:59")
    assert float(str(minutes)) == 90.5


def test_a_column_that_a_setting_opens_is_read_only_then(columnar: Engine) -> None:
    content = b"ID,PERSON,NAME\n1,7,Quokka\n"

    closed = stage(columnar, TYPED, content).rows
    opened = stage(columnar, TYPED, content, settings={"switches": frozenset({"publish_author"})}).rows

    assert "Quokka" not in str(closed)
    assert opened[0][-1] == "Quokka"


def test_a_header_may_be_in_any_case_and_order_and_use_an_alias(columnar: Engine) -> None:
    result = stage(columnar, TYPED, b'on,"Employee", id \nN,7,1\n')

    assert result.rows[0][:6] == (2, "1", None, by_hand("person", "7"), None, False)
    assert result.staged.warnings == []


def test_of_a_column_that_comes_twice_the_first_counts(columnar: Engine) -> None:
    assert stage(columnar, TEXTS, b"ID,A,A,B\n1,first,second,b\n").rows == [(2, "1", "first", "b")]


def test_an_unknown_column_is_drift_and_a_known_unused_one_is_not(columnar: Engine) -> None:
    """With a guess, for a column is more often renamed than invented."""
    result = stage(columnar, TYPED, b"ID,PERSN,LONG_,LEFT_ALONE\n1,7,5,x\n")

    assert result.staged.warnings == [
        "SOME: unknown column PERSN was ignored. Did you mean PERSON?",
        "SOME: unknown column LONG_ was ignored. Did you mean LONG?",
        "SOME: unknown column LEFT_ALONE was ignored.",
    ]
    assert stage(columnar, TEXTS, b"ID,LEFT_ALONE\n1,x\n").staged.warnings == []


def test_a_file_without_a_required_column_is_refused_as_a_whole(columnar: Engine) -> None:
    result = stage(columnar, TEXTS, b"IDD,A,B\n1,a,b\n2,c,d\n")

    assert result.staged.refused
    assert result.rows == []
    assert result.rejects == [(1, "ID", "CONN_ERROR_COLUMN_MISSING")]
    assert result.messages == ["The column ID is missing from the header. Did you mean IDD?"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_header_is_refused(columnar: Engine, content: bytes) -> None:
    result = stage(columnar, TEXTS, content)

    assert result.staged.refused
    assert result.rejects == [(1, "ID", "CONN_ERROR_COLUMN_MISSING")]


@pytest.mark.parametrize("content", [b"ID,A,B", b"ID,A,B\r\n", b"ID|A|B!##!"])
def test_a_header_without_rows_is_an_empty_table(columnar: Engine, content: bytes) -> None:
    result = stage(columnar, TEXTS, content)

    assert not result.staged.refused
    assert (result.staged.rows, result.rows, result.rejects) == (0, [], [])
    (part,) = result.staged.parts
    assert [row[0] for row in columnar.rows(f"describe select * from {parquet([part.file])}")] == [
        "record",
        "line",
        "pk",
        "place",
        "ID",
        "A",
        "B",
    ]


def test_windows_1252_is_told_and_read_whole(columnar: Engine) -> None:
    late = "ID,A,B\n1,a,b\n2,Größe,5 €\n".encode("cp1252")

    result = stage(columnar, TEXTS, late, segment_bytes=8)

    assert result.rows == [(2, "1", "a", "b"), (3, "2", "Größe", "5 €")]
    assert result.staged.warnings == ["Some.csv is not UTF-8; it was read as Windows-1252."]


def test_a_file_that_changes_its_encoding_is_read_again(columnar: Engine) -> None:
    mixed = "ID,A,B\n1,größer,b\n".encode() + "2,größer,b\n".encode("cp1252")

    with pytest.raises(NotUtf8Error):
        stage(columnar, TEXTS, mixed, segment_bytes=8)

    assert [row[2] for row in stage(columnar, TEXTS, mixed, windows_1252=True).rows] == ["grÃ¶ÃŸer", "größer"]
