"""Dialects, encodings and segments: what is a record, and on which line it starts."""

import csv
from collections.abc import Iterator

import pytest

from shared.domain.errors import Code, PackageError
from shared.pipeline.header import Header
from shared.pipeline.memory_file import MemoryFile
from shared.pipeline.reading import NUL, NotUtf8Error, Segment, TextFile
from shared.pipeline.repair import repair


def chunks(content: bytes, size: int = 5) -> Iterator[bytes]:
    """Cut the content where it hurts."""
    return (content[at : at + size] for at in range(0, len(content), size))


def opened(content: bytes, *, segment_bytes: int = 1000, windows_1252: bool = False) -> TextFile:
    source = TextFile(chunks(content), segment_bytes=segment_bytes, windows_1252=windows_1252)
    source.open()
    return source


def segments(content: bytes, *, segment_bytes: int = 1000) -> list[Segment]:
    return list(opened(content, segment_bytes=segment_bytes).segments())


def repaired(content: bytes) -> tuple[list[list[str]], tuple[int, ...]]:
    """Return the good records, each with its line, and the lines of the malformed ones."""
    source = opened(content)
    header = source.header
    assert header is not None
    results = [repair(segment, header) for segment in source.segments()]
    text = b"".join(result.data for result in results).decode()
    return list(csv.reader(text.splitlines(keepends=True))), tuple(n for r in results for n in r.malformed_lines)


@pytest.mark.parametrize(
    ("content", "delimiter", "marked", "line_per_record"),
    [
        (b"A,B\n", ",", False, True),
        (b"A|B\r\n", "|", False, True),
        (b"A\tB\n", "\t", False, True),
        (b"A,B", ",", False, False),
        (b"A|B!##!\n1|2!##!\n", "|", True, True),
        (b"A|B!##!\r\n1|2!##!\r\n", "|", True, True),
        (b"A|B!##!1|2!##!", "|", True, False),
        (b"A|B!##!", "|", True, False),
        (b"\xef\xbb\xbfA,B\n", ",", False, True),
        (b'"a" , b \n', ",", False, True),
    ],
    ids=[
        *("comma", "pipe and CRLF", "tab", "header alone", "marked", "marked and CRLF", "marked on one line"),
        *("marked header alone", "byte order mark", "quotes, spaces, lower case"),
    ],
)
def test_the_dialect_is_found_from_the_header(
    content: bytes, delimiter: str, *, marked: bool, line_per_record: bool
) -> None:
    assert opened(content).header == Header(("A", "B"), delimiter, marked, line_per_record)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n"])
def test_a_file_without_text_has_no_header(content: bytes) -> None:
    assert opened(content).header is None


def test_a_segment_ends_where_a_record_ends() -> None:
    """Even where the newline that is nearest stands inside quotes."""
    found = segments(b'A,B\n1,x\n2,"y\ny\ny"\n3,z\n', segment_bytes=9)

    assert [(bytes(segment.data), segment.first_line) for segment in found] == [
        (b"1,x\n", 2),
        (b'2,"y\ny\ny"\n', 3),
        (b"3,z\n", 6),
    ]


@pytest.mark.parametrize("moves", [True, False], ids=["in used memory", "in memory of its own"])
def test_nothing_is_left_of_a_segment_in_the_next(*, moves: bool) -> None:
    """A short one follows a longer one whose quotes, letters and newlines are still behind it."""
    content = 'A,B\n1,"größer\n\n"\n2,y\n3,z\n'.encode()
    source, target = opened(content, segment_bytes=16), MemoryFile()

    found, texts = [], []
    for segment in source.segments():
        if moves:
            source.move(segment, target)
            texts.append(target.read().decode())
        else:
            texts.append(bytes(segment.data).decode())
        found.append(segment)
    target.close()

    assert texts == ['1,"größer\n\n"\n', "2,y\n3,z\n"]
    assert [(each.first_line, each.newlines, each.suspicious) for each in found] == [(2, 3, False), (5, 2, False)]
    if not moves:
        assert [bytes(each.data).decode() for each in found] == texts


@pytest.mark.parametrize("newline", [b"", b"\n", b"\r\n"])
def test_a_segment_of_marked_records_ends_with_a_mark(newline: bytes) -> None:
    content = newline.join([b"A|B!##!", b"1|x\nx!##!", b"2|y!##!", b"3|z!##!", b""])

    found = segments(content, segment_bytes=10)

    assert b"".join(segment.data for segment in found) == b"1|x\x1ex\n2|y\n3|z\n"
    lines = 1 if newline else 0
    assert (found[0].first_line, found[-1].first_line) == (1 + lines, 2 + 3 * lines)


def test_a_last_record_needs_no_end() -> None:
    assert [segment.data for segment in segments(b"A,B\n1,2")] == [b"1,2\n"]
    assert [segment.data for segment in segments(b"A,B!##!1,2")] == [b"1,2\n"]


def test_a_file_of_blank_lines_has_no_segment() -> None:
    assert segments(b"A,B\n\r\n \n\n") == []


def test_a_record_without_an_end_is_refused() -> None:
    """Or a file with a record end that nobody knows would fill the memory."""
    with pytest.raises(PackageError, match=r"longer than 40 bytes.*made again") as caught:
        segments(b"A,B\n" + b"x" * 100, segment_bytes=10)

    assert caught.value.code is Code.PACKAGE_DAMAGED


@pytest.mark.parametrize(
    ("record", "suspicious"),
    [
        (b"1,plain", False),
        (b'1,"a, b"', False),
        (b'1,"say ""x"""', False),
        (b'1,"a\nb"', False),
        (b'1,5" disk', True),
        (b'1,"open', True),
        (b'1,two 5" and 3" disks', True),
    ],
)
def test_quotes_out_of_place_are_noticed(record: bytes, *, suspicious: bool) -> None:
    """The engine's fast reading may misunderstand them; the slow one does not."""
    (segment,) = segments(b"A,B\n" + record + b"\n")

    assert segment.suspicious is suspicious


def test_quotes_out_of_place_are_noticed_behind_a_segment_of_blank_lines() -> None:
    """Nothing is known of them from the lines before."""
    (segment,) = segments(b"A,B\n" + 20 * b"\n" + b'1,5" 3"\n', segment_bytes=20)

    assert segment.suspicious
    assert segment.first_line == 22


def test_a_nul_is_kept_apart_so_that_its_row_can_be_named() -> None:
    (segment,) = segments(b"A,B\n1,x\0y\n")

    assert segment.has_nul
    assert bytes(segment.data).decode() == f"1,x{NUL}y\n"


def test_a_lone_carriage_return_is_a_blank() -> None:
    (segment,) = segments(b"A,B\r\n1,a\rb\r\n")

    assert bytes(segment.data) == b"1,a b\n"


@pytest.mark.parametrize("text", ["naïve", "日本語", "emoji 🦘"])
def test_utf_8_is_read_wherever_it_is_cut(text: str) -> None:
    (segment,) = segments(f"A,B\n1,{text}\n".encode())

    assert bytes(segment.data).decode() == f"1,{text}\n"


def test_another_encoding_is_windows_1252() -> None:
    source = opened("A,B\n1,Größe … 5 €\n".encode("cp1252"))

    assert bytes(next(source.segments()).data).decode() == "1,Größe … 5 €\n"
    assert source.windows_1252


def test_it_may_show_late_as_long_as_all_before_was_ascii() -> None:
    """Until then both encodings say the same."""
    source = opened("A,B\n1,plain\n2,plain\n3,Größe\n4,größer\n".encode("cp1252"), segment_bytes=8)

    text = b"".join(segment.data for segment in source.segments()).decode()

    assert text == "1,plain\n2,plain\n3,Größe\n4,größer\n"
    assert source.windows_1252


def test_it_may_not_show_after_something_was_read_as_utf_8() -> None:
    """`Ã¶` may have been read as `ö`: the file has to be read again, all of it the other way."""
    content = "A,B\n1,größer\n".encode() + "2,größer\n".encode("cp1252")

    with pytest.raises(NotUtf8Error):
        segments(content, segment_bytes=8)

    again = opened(content, segment_bytes=8, windows_1252=True)
    assert b"".join(segment.data for segment in again.segments()).decode() == "1,grÃ¶ÃŸer\n2,größer\n"


@pytest.mark.parametrize(
    ("records", "good", "bad"),
    [
        ('1,"a\n2,b\n3,c\n', ["2", "3"], (2,)),
        ("1,a\n2,b,c\n3,c\n", ["1", "3"], (3,)),
        ("1,a\n2\n3,c\n", ["1", "3"], (3,)),
        ('1,"a"b\n2,b\n', ["2"], (2,)),
        ('1,a\n2,"b\n3,"c"\n4,d\n', ["1", "3", "4"], (3,)),
        ('1,"a\na"\n2,b,c\n3,c\n', ["1", "3"], (4,)),
        ("1,a\n\n2,b,c\n", ["1"], (4,)),
        ('1,5" disk\n2,b\n', ["1", "2"], ()),
    ],
    ids=[
        *("a quote left open at the start", "too many", "too few", "text after a quote", "a quote left open"),
        *("after a record of two lines", "after a blank line", "a quote inside a text"),
    ],
)
def test_a_malformed_record_costs_nothing_but_itself(records: str, good: list[str], bad: tuple[int, ...]) -> None:
    found, malformed = repaired(f"A,B\n{records}".encode())

    assert [record[0] for record in found] == good
    assert malformed == bad


@pytest.mark.parametrize(
    ("content", "lines", "bad"),
    [
        ('A,B\n1,"x\nx"\n2,y,y\n3,z\n', ["2", "5"], (4,)),
        ("A|B!##!\n1|x\nx!##!\n2|y|y!##!\n3|z!##!\n", ["2", "5"], (4,)),
        ("A|B!##!1|x\nx!##!2|y|y!##!3|z!##!", ["1", "2"], (2,)),
        ("A|B!##!\n1|x\nx|x!##!\n2|y!##!\n3|z!##!\n", ["4", "5"], (2,)),
    ],
    ids=["by newline", "by mark and newline", "by mark alone", "malformed over two lines"],
)
def test_lines_are_physical_ones(content: str, lines: list[str], bad: tuple[int, ...]) -> None:
    """Somebody will look for them in an editor."""
    found, malformed = repaired(content.encode())

    assert [record[-1] for record in found] == lines
    assert malformed == bad


@pytest.mark.parametrize("content", [bytes(200_000), b"A,B" + b"," * 200_000 + b"\n1,2\n"], ids=["endless", "long"])
def test_a_header_without_end_is_refused(content: bytes) -> None:
    """It is not searched for longer than any header is, and what is wrong is said."""
    with pytest.raises(PackageError, match="record end") as refused:
        TextFile(iter([content])).open()

    assert refused.value.code is Code.PACKAGE_DAMAGED


def test_a_stray_carriage_return_in_the_header_is_a_blank() -> None:
    header = TextFile(iter([b"A\rB,C\r\n1,2\r\n"])).open()

    assert header is not None
    assert header.columns == ("A B", "C")
