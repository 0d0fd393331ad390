"""Packages full of faults, the same for the same seed: every fault that the rules know, in every dialect.

Between the faulty rows stand good ones, some of which look faulty: they must all survive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.reference.records import MARK
from tests.reference.rows import TABLES, is_required

GOOD_PER_FAULT = 2
KEYS_PER_ROW = 0.2
REFUSED = "PA_CATALOG_ITEM"
"""The table that comes without a column of its key in the last package."""
WIDE = ("PA_STUD_CPNT", "PA_CPNT")
"""Tables whose rows are so long in the first package that no reader takes the file in one piece."""

READABLE: Mapping[str, Sequence[str]] = {
    "time": (
        *("2026-03-31 17:00:00", "2026-03-31", "2026-03-31T17:00:00Z", "2026-03-31 17:00", "2024-02-29", "2000-02-29"),
        *("2026-03-31T17:00:00+02:00", "2026-03-31T17:00:00-0530", "2026-03-31 17:00:00+14:59", "2026-03-31 17:00z"),
        *("1774976400000", "-1000000000", "123456789", "99999999999999", "2026-03-31 17:00:00.5", "0001-01-02"),
        *("2026-03-31 17:00:00,123456789", "2026-03-31 24:00:00", "2026-03-29 02:30:00", "9999-12-30 23:59:59"),
    ),
    "flag": ("Y", "N", "y", "n"),
    "minutes": ("0", "30", "90.5", "1e3", "+5", ".5", "5.", "9999999999.99", "1_000", "00030", "-0", "1.239"),
    "person": ("1", "0042", "Quokka 7", "1234567890123456", "e\u0301" * 16, "é" * 16, " 1234567890123456\t", "ﬁ" * 16),
    "student": ("quokka", "00042", "Ada@Acme", "A long student id that no directory has to hold"),
    "text": ("First aid", "Erste Hilfe, für Anfänger", 'say "hello"', "a|b", "a\tb", "'; drop table", "!", "Y", "#1"),
}
READABLE_ONLY_IN_UTF8 = ("日本語", "naïve 🦘", "Größe\u200b", "\u0301lone")
UNREADABLE: Mapping[str, Sequence[str]] = {
    "time": (
        *("2026-02-30", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31 10:00:00"),
        *("31.12.2026", "03/31/2026", "2026/03/31", "26-03-31", "26-03-31 17:00:00", "2026-3-1", "20260331", "12345"),
        *("2026-03-31 25:00:00", "2026-03-31 23:60:00", "2026-03-31 23:59:60", "2026-03-31 24:00:01", "2026-03-31 17"),
        *("2026-03-31T17:00:00+15:00", "2026-03-31T17:00:00+2:00", "2026-03-31T17:00:00+0260", "2026-03-31Z"),
        *("2026-03-31 17:00:00 CET", "2026-03-31 17:00:00 Z", "2026-03-31t17:00:00", "2026-03-31  17:00:00"),
        *("2026-03-31 17:00:00.", "2026-03-31 17:00:00.1234567890", "2026-03-31 17:00:00 and later", "soon", "now"),
        *("999999999999999", "12345678", "-12345678", "1774976400000.5", "+1774976400000", "0000-00-00 00:00:00"),
        *(
            "infinity",
            "epoch",
            "'; drop table rejects",
            "2026-03-31,",
            "Y",
            "-",
            "2026-03-31\u00a0",
            "2026-02-30T10:00Z",
        ),
    ),
    "flag": ("yes", "no", "1", "0", "true", "J", "YY", "y n", "-", "Y\u00a0", "Y.", "N/A"),
    "minutes": (
        *("soon", "-1", "-90.5", "1,5", "1 000", "30 min", "PT30M", "10000000000", "1e10", "1e400", "NaN", "inf"),
        *("0x10", "1__0", "_1", "1_", "1e", "e5", ".", "-", "+", "--5", "1.2.3", "1e3.5", "9999999999.995", "5\u00a0"),
    ),
    "person": ("12345678901234567", "e\u0301" * 17, "é" * 17, "q\u0301" * 9, "1234567890123456 7", "x" * 300),
}
UNREADABLE_ONLY_IN_UTF8: Mapping[str, Sequence[str]] = {
    "time": ("\u0662\u0660\u0662\u0666-03-31", "\uff12026-03-31", "2026\u201003\u201031"),
    "flag": ("\uff39", "\u0177", "✓"),
    "minutes": ("\uff11\uff12", "\u0663", "½"),
    "person": ("日" * 17, "🦘" * 17, "👩\u200d🚀" * 6),
}
"""Among them digits and letters that only look like those we read."""
NOT_YET_REFUSED: Mapping[str, Sequence[str]] = {
    "time": ("0000-01-01", "-62135596800001", "-99999999999999", "9999-12-31T23:59:59-05:00"),
    "minutes": ("-0.001", "-0.004"),
}
"""Values that the rules refuse and the connector takes: years that no record can hold, and less than no minutes.

Add them to `UNREADABLE`, and `read_time` in `rows.py` its limits, when the connector refuses them.
"""
EMPTY = ("", "", " ", "   ", "\t", " \t ")
GARBAGE = ("31.02.2026", "-1", "Y or N", '"quoted"', "9" * 40, "x" * 90, "", " ", "ß")
PARAGRAPH = 'Long text, with "quotes" | and tabs\t, that only takes place; ' * 90 + "\nand a second line"


@dataclass(frozen=True, slots=True)
class FaultyPackage:
    """Inner files, and those of the keys package of a delta."""

    files: dict[str, bytes]
    keys: dict[str, bytes]
    faults: int
    """How many rows were made faulty."""


def make_packages(seed: int, *, faults: int, fulls: int, wide: bool = False) -> list[FaultyPackage]:
    """Make full packages and then a delta, which hold so many faults together."""
    chance = Random(seed)  # noqa: S311 - no secret
    count = fulls + 1
    packages = []
    for number in range(count):
        share = faults // count + (number < faults % count)
        is_delta = number == fulls
        key_share = int(share * KEYS_PER_ROW) if is_delta else 0
        files = _files(chance, share - key_share, wide=wide and not number, refused=is_delta)
        keys = _files(chance, key_share, only_key=True) if is_delta else {}
        packages.append(FaultyPackage(files, keys, share))
    return packages


def _files(
    chance: Random, faults: int, *, only_key: bool = False, wide: bool = False, refused: bool = False
) -> dict[str, bytes]:
    names = [name for name in TABLES if not (refused and name == REFUSED)]
    files = {}
    for number, name in enumerate(names):
        share = faults // len(names) + (number < faults % len(names))
        path, content = _File(chance, name, only_key=only_key, wide=wide and name in WIDE).write(share)
        files[path] = content
    if refused:
        files[f"{REFUSED}.csv"] = b"CATALOG_ID,CPNT_TYP_ID,CPNT_IDD,REV_DTE\n1,a,b,c\n2\n"
    return files


class _File:
    """One file being written, in a dialect of its own and with faults of some kinds."""

    def __init__(self, chance: Random, table: str, *, only_key: bool, wide: bool) -> None:
        self.chance = chance
        self.table = table
        self.only_key = only_key
        self.wide = wide
        self.delimiter = chance.choice(",|\t")
        self.end = chance.choice(("\n", "\n", "\r\n", MARK, MARK + "\n", MARK + "\r\n"))
        self.encoding = chance.choice(("utf-8", "utf-8", "utf-8-sig", "cp1252"))
        self.quotes_all = chance.random() < 1 / 4
        # A file without malformed records is read in another way than one with them.
        traits = ("malformed", "nul", "stray quotes", "newlines", "blank lines", "garbage", "blanks around")
        self.traits = {trait for trait in traits if chance.random() < 1 / 2}
        columns: Mapping[str, Mapping[str, Any]] = TABLES[table]["columns"]
        self.used = {name: data for name, data in columns.items() if data.get("key") or not only_key}
        header = [name for name, data in self.used.items() if is_required(data) or chance.random() < 9 / 10]
        header += [*TABLES[table].get("unused", ()), "DRIFT"][: chance.randrange(2, 9)]
        if wide:
            header.append("WIDE")
        if chance.random() < 1 / 2:
            chance.shuffle(header)
        self.header = header

    def write(self, faults: int) -> tuple[str, bytes]:
        rows = [True] * faults + [False] * (faults * GOOD_PER_FAULT)
        self.chance.shuffle(rows)
        spell = self.chance.choice((str, str.lower, str.title))
        lines = [self.delimiter.join(map(spell, self.header))]
        for number, faulty in enumerate(rows):
            if "blank lines" in self.traits and MARK not in self.end and self.chance.random() < 1 / 50:
                lines.append("")
            lines.append(self._row(number, faulty=faulty))
        text = self.end.join(lines) + (self.end if self.chance.random() < 3 / 4 else "")
        spellings = (self.table, *TABLES[self.table].get("aliases", ()))
        stem = self.chance.choice(spellings) + ("_K" if self.only_key else "")
        folder = self.chance.choice(("", "", "out/", "a/b/"))
        return f"{folder}{spell(stem)}.{self.chance.choice(('csv', 'txt', 'CSV'))}", text.encode(self.encoding)

    def _row(self, number: int, *, faulty: bool) -> str:
        values = {name: self._value(name, number) for name in self.header}
        kinds = [kind for kind in ("malformed", "nul") if kind in self.traits]
        kind = self.chance.choice(("field", "field", "field", *kinds)) if faulty else ""
        spoiled = 0
        if kind == "field":
            spoiled = self.chance.choice((1, 1, 1, 2, 3))
        elif faulty and self.chance.random() < 1 / 5:
            spoiled = 1
        for _ in range(spoiled):
            self._spoil(values)
        if kind == "nul":
            name = self.chance.choice(self.header)
            values[name] = self.chance.choice(("\0", f"{values[name]}\0", f"\0{values[name]}"))
        fields = [self._field(value) for value in values.values()]
        if not faulty and "stray quotes" in self.traits and self.chance.random() < 1 / 5:
            self._stray(fields)
        if kind == "malformed":
            self._break(fields)
        return self.delimiter.join(fields)

    def _value(self, name: str, number: int) -> str:
        """Return a readable value; now and then that of an earlier row, so that keys repeat."""
        column = self.used.get(name)
        if column is None:
            return PARAGRAPH if name == "WIDE" else self.chance.choice(GARBAGE) if "garbage" in self.traits else "x"
        if not is_required(column) and self.chance.random() < 1 / 4:
            return self.chance.choice(EMPTY)
        kind = "time" if column.get("type") == "deadline" else column.get("type", "text")
        value = self.chance.choice(READABLE[kind])
        if kind in ("text", "student"):
            if self.encoding != "cp1252" and self.chance.random() < 1 / 10:
                value = self.chance.choice(READABLE_ONLY_IN_UTF8)
            if column.get("key"):
                value = f"{value} {number if self.chance.random() < 9 / 10 else self.chance.randrange(number + 1)}"
            elif "newlines" in self.traits and self.chance.random() < 1 / 4:
                value = self.chance.choice((f"{value}\n2nd line", f"\n{value}", f"{value}\r\n\n4th", f"{value}\ragain"))
        elif self.encoding == "cp1252":
            value = value.replace("e\u0301", "é")
        if "blanks around" in self.traits and self.chance.random() < 1 / 4:
            value = f"{self.chance.choice(EMPTY)}{value}{self.chance.choice(EMPTY)}"
        return self._fit(value)

    def _spoil(self, values: dict[str, str]) -> None:
        """Make one column wrong. Every table has a required one."""
        required = [name for name in self.header if name in self.used and is_required(self.used[name])]
        typed = [name for name in self.header if name in self.used and self._bad(self.used[name])]
        if typed and self.chance.random() < 3 / 4:
            name = self.chance.choice(typed)
            values[name] = self._fit(self.chance.choice(self._bad(self.used[name])))
        else:
            values[self.chance.choice(required)] = self.chance.choice(EMPTY)

    def _bad(self, column: Mapping[str, Any]) -> Sequence[str]:
        kind = "time" if column.get("type") == "deadline" else column.get("type", "text")
        more = UNREADABLE_ONLY_IN_UTF8.get(kind, ()) if self.encoding != "cp1252" else ()
        return (*UNREADABLE.get(kind, ()), *more)

    def _fit(self, value: str) -> str:
        return value.encode("cp1252", errors="ignore").decode("cp1252") if self.encoding == "cp1252" else value

    def _field(self, value: str) -> str:
        """Write a field, with quotes where it needs them, and sometimes where it does not."""
        special = {self.delimiter, '"', "\r"} | (set() if MARK in self.end else {"\n"})
        if self.quotes_all or special & set(value) or self.chance.random() < 1 / 20:
            return '"' + value.replace('"', '""') + '"'
        return value

    def _stray(self, fields: list[str]) -> None:
        """Put quotes where they mean themselves, which is no fault: behind the beginning of a field without any."""
        name = self.chance.choice(self.header)
        column = self.used.get(name)
        if column is None or column.get("type", "text") == "text":
            at = self.header.index(name)
            fields[at] = self.chance.choice(
                ('5" disk', 'a "b" c', 'x"', 'two 5" and 3" disks', ' "a"', 'x""', "a|\"b'")
            )
            if self.delimiter in fields[at]:
                fields[at] = 'x"y'

    def _break(self, fields: list[str]) -> None:
        at = self.chance.randrange(len(fields))
        match self.chance.randrange(6):
            case 0:
                del fields[at:]
                fields[:] = fields or ["x"]
            case 1:
                fields.insert(at, "one more")
            case 2:
                fields += [""] * self.chance.randrange(1, 4)
            case 3:
                fields[at] = f'"left open {at}'
            case 4:
                fields[at] = '"closed" too early'
            case _:
                fields[at] = '"" and on'
