"""How each defect is done to a package: to its queries, its text, its zip and its seal."""

import codecs
import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.local.generate.defects import Defect
from infra.local.generate.sealing import Member, make_keys, sealed
from infra.local.generate.world import NEWLINE_INSIDE, World

DELIMITERS: Final = {"pipe": "|", "tab": "\t", "semicolon": ";"}
RECORD_ENDS: Final = {"crlf": b"\r\n", "recordend": b"!##!", "recordend-newline": b"!##!\n"}

GOOD_ASSIGNMENT: Final = {
    "STUD_ID": "U0000001",
    "CPNT_TYP_ID": "COURSE",
    "REV_DTE": "2026-01-01 09:00:00",
    "ASSGN_DTE": "2026-01-02 09:00:00",
    "RTYP_ID": "REQ",
    "LST_UPD_TSTMP": "2026-01-02 09:00:00",
}


class EncryptedEntry(zipfile.ZipInfo):
    """A zip entry that says it needs a password."""

    @property
    def flag_bits(self) -> int:
        """Whatever was set, and the bit of encryption."""
        return self._flags | 1

    @flag_bits.setter
    def flag_bits(self, value: int) -> None:
        self._flags = value


class LyingEntry(zipfile.ZipInfo):
    """A zip entry that says its file has one byte."""

    @property
    def file_size(self) -> int:
        """Not what was set."""
        return 1

    @file_size.setter
    def file_size(self, value: int) -> None:
        pass


class Damage:
    """The defects of one package."""

    def __init__(self, defects: Sequence[Defect]) -> None:
        self._defects = defects

    def strikes(self, name: str, table: str = "") -> bool:
        """Tell whether such a defect is wanted, in this table."""
        return any(defect.strikes(name, table) for defect in self._defects)

    def query(self, table: str, query: str) -> str:
        """Take columns and rows away, or add or rename a column."""
        for defect in self._defects:
            if defect.strikes("missing-column", table):
                query = f"SELECT * EXCLUDE ({defect.column}) FROM ({query})"
            if defect.strikes("renamed-column", table):
                query = f"SELECT * EXCLUDE ({defect.column}), {defect.column} AS {defect.column}X FROM ({query})"
            if defect.strikes("extra-column", table):
                query = f"SELECT *, 'x' AS {defect.column} FROM ({query})"
            if defect.strikes("empty-table", table):
                query = f"FROM ({query}) LIMIT 0"
        return query

    def has_rows(self, table: str) -> bool:
        """Tell whether bad rows go into this table."""
        return any(defect.rows and defect.table == table for defect in self._defects)

    def text(self, world: World, table: str, query: str) -> Iterator[bytes]:
        """Yield the file: its bad rows come first, so that the first one is on line 2."""
        delimiter = next((mark for name, mark in DELIMITERS.items() if self.strikes(name, table)), ",")
        end = next((mark for name, mark in RECORD_ENDS.items() if self.strikes(name, table)), None)
        if self.strikes("reordered", table):
            query = f"SELECT {', '.join(reversed(world.columns(query)))} FROM ({query})"
        chunks = world.csv(query, delimiter=delimiter, mark_newlines=end is not None)
        if self.has_rows(table):
            chunks = _after_header(chunks, self._bad_rows(table, world.columns(query), delimiter))
        if end is not None:
            chunks = _with_record_end(chunks, end)
        if self.strikes("latin1", table):
            chunks = _again(chunks, codecs.lookup("cp1252"))
        if self.strikes("utf16", table):
            chunks = _again(chunks, codecs.lookup("utf-16"))
        if self.strikes("bom", table):
            chunks = _with_mark(chunks)
        return chunks

    def entry(self, table: str) -> type[zipfile.ZipInfo]:
        """Choose what writes the zip headers of the file."""
        if self.strikes("encrypted-member", table):
            return EncryptedEntry
        return LyingEntry if self.strikes("lying-size", table) else zipfile.ZipInfo

    def more_members(self) -> Iterator[Member]:
        """Yield the files that should not be there."""
        if self.strikes("unknown-file"):
            yield Member("PA_SOMETHING_NEW.csv", [b"NEW_ID,NEW_DESC\n1,new\n"])
        if self.strikes("path-traversal"):
            yield Member("../PA_CPNT_SRC.csv", [b"CPNT_SRC_ID,CPNT_SRC_DESC\nEVIL,evil\n"])

    def seal(self, path: Path, public_key: Path) -> None:
        """Break the finished package."""
        if self.strikes("not-zip"):
            with sealed(path, public_key) as sink:
                sink.write(b"This is no zip.\n" * 100)
        size = path.stat().st_size
        if self.strikes("truncated-seal"):
            with path.open("r+b") as file:
                file.truncate(size * 2 // 3)
        if self.strikes("flipped-bit"):
            with path.open("r+b") as file:
                file.seek(size // 2)
                byte = file.read(1)[0]
                file.seek(size // 2)
                file.write(bytes([byte ^ 1]))
        if self.strikes("not-pgp"):
            path.write_bytes(b"This is not OpenPGP.\n" * 100)

    @contextmanager
    def key(self, public_key: Path) -> Iterator[Path]:
        """Lend the key to encrypt for, or one whose private half is thrown away."""
        if not self.strikes("wrong-key"):
            yield public_key
            return
        with tempfile.TemporaryDirectory() as folder:
            yield make_keys(Path(folder), bits=2048).public

    def _bad_rows(self, table: str, columns: Sequence[str], delimiter: str) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        for defect in self._defects:
            if defect.table == table:
                writer.writerows(_bad_row(defect.name, number, columns) for number in range(defect.rows))
        return text.getvalue().encode()


def _bad_row(name: str, number: int, columns: Sequence[str]) -> list[str]:
    """Make up a row that is right but for its defect."""
    if name == "long-person-id":
        values = {"STUD_ID": f"UX{number:06d}", "PERSON_ID_EXTERNAL": f"{number:017d}", "NOTACTIVE": "N"}
        return [values.get(column, "") for column in columns]
    values = {
        **GOOD_ASSIGNMENT,
        "CPNT_ID": {"empty-key": "", "nul": f"DEFECT\0{number}"}.get(name, f"DEFECT-{name}-{number}"),
        "REQ_DTE": "2026-13-45 09:00:00" if name == "bad-date" else "2026-12-31 09:00:00",
        "SEQ_NUM": str(900_000_000 + number),
    }
    row = [values.get(column, "") for column in columns]
    if name != "malformed-row":
        return row
    return row[:3] if number % 2 == 0 else [*row, "one", "two", "many"]


def _after_header(chunks: Iterator[bytes], rows: bytes) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        header, newline, rest = head.partition(b"\n")
        if newline:
            yield header + newline + rows + rest
            break
    yield from chunks


def _with_record_end(chunks: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk.replace(b"\n", end).replace(NEWLINE_INSIDE.encode(), b"\n")


def _again(chunks: Iterator[bytes], codec: codecs.CodecInfo) -> Iterator[bytes]:
    """Yield the text in another encoding, with a question mark for what that does not have."""
    decode, encode = codecs.getincrementaldecoder("utf-8")().decode, codec.incrementalencoder("replace").encode
    for chunk in chunks:
        yield encode(decode(chunk))


def _with_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield codecs.BOM_UTF8
    yield from chunks
