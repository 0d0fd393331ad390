"""Packages full of faults, the same for the same seed: every fault that the rules know, in every dialect.

Between the faulty rows stand good ones, some of which look faulty: they must all survive.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self

from tests.reference.records import MARK
from tests.reference.rows import TABLES, is_required

GOOD_PER_FAULT = 2
KEYS_PER_ROW = 0.2
REFUSED = "PA_CATALOG_ITEM"
"""The table that comes without a column of its key in the last package."""
WIDE = "PA_STUD_CPNT"
"""The table whose rows are so long in the first package that no reader takes the file in one piece."""
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
READABLE_ONLY_IN_UTF8 = (
    "日本語",
    "naïve 🦘",
    "Größe\u200b",
    "\u0301lone",
    "\ue000",
)
UNREADABLE: Mapping[str, Sequence[str]] = {
    "time": (
        *("2026-02-30", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31 10:00:00"),
        *("31.12.2026", "03/31/2026", "2026/03/31", "26-03-31", "26-03-31 17:00:00", "2026-3-1", "20260331", "12345"),
        *("2026-03-31 25:00:00", "2026-03-31 23:60:00", "2026-03-31 23:59:60", "2026-03-31 24:00:01", "2026-03-31 17"),
        *("2026-03-31T17:00:00+15:00", "2026-03-31T17:00:00+2:00", "2026-03-31T17:00:00+0260", "2026-03-31Z"),
        *("2026-03-31 17:00:00 CET", "2026-03-31 17:00:00 Z", "2026-03-31t17:00:00", "2026-03-31  17:00:00"),
        *("2026-03-31 17:00:00.", "2026-03-31 17:00:00.1234567890", "2026-03-31 17:00:00 and later", "soon", "now"),
        *("0000-01-01", "-62135596800001", "-99999999999999", "9999-12-31T23:59:59-05:00"),
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
        *(
            "soon",
            "-1",
            "-90.5",
            "-0.001",
            "-0.004",
            "1,5",
            "1 000",
            "30 min",
            "PT30M",
            "10000000000",
            "1e10",
            "1e400",
            "NaN",
            "inf",
        ),
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
SPELLINGS: Sequence[Callable[[str], str]] = (str, str.lower, str.title)
EMPTY = ("", "", " ", "   ", "\t", " \t ")
GARBAGE = ("31.02.2026", "-1", "Y or N", '"quoted"', "9" * 40, "x" * 90, "", " ", "ß")
PARAGRAPH = 'Long text, with "quotes" | and tabs\t, that only takes place; ' * 90


@dataclass(frozen=True, slots=True)
class FaultyPackage:
    """Inner files, those of the keys package of a delta, and how many of their rows were made faulty."""

    files: dict[str, bytes]
    keys: dict[str, bytes]
    faults: int


def make_packages(seed: int, *, faults: int, fulls: int, wide: bool = False) -> list[FaultyPackage]:
    """Make full packages and then a delta, which hold so many faults together."""
    chance = Random(seed)  # noqa: S311 - no secret
    count = fulls + 1
    packages = []
    for number in range(count):
        share, is_delta = faults // count + (number < faults % count), number == fulls
        key_share = int(share * KEYS_PER_ROW) if is_delta else 0
        files = _files(chance, share - key_share, wide=wide and not number, refused=is_delta)
        keys = _files(chance, key_share, only_key=True) if is_delta else {}
        packages.append(FaultyPackage(files, keys, share))
    return packages


def _files(
    chance: Random, faults: int, *, only_key: bool = False, wide: bool = False, refused: bool = False
) -> dict[str, bytes]:
    names = [name for name in TABLES if not (refused and name == REFUSED)]
    files = dict(
        _File(chance, name, only_key=only_key, wide=wide and name == WIDE).write(
            faults // len(names) + (number < faults % len(names))
        )
        for number, name in enumerate(names)
    )
    if refused:
        files[f"{REFUSED}.csv"] = b"CATALOG_ID,CPNT_TYP_ID,CPNT_IDD,REV_DTE\n1,a,b,c\n2\n"
    return files


@dataclass(frozen=True, slots=True)
class _Column:
    """What may stand in a column, in the encoding of its file."""

    name: str
    required: bool
    key: bool
    is_free: bool
    """Whether any text will do."""
    readable: Sequence[str]
    unreadable: Sequence[str]

    @classmethod
    def make(cls, name: str, data: Mapping[str, Any], encoding: str) -> Self:
        kind = "time" if data.get("type") == "deadline" else data.get("type", "text")
        is_free = kind in ("text", "student")
        readable, unreadable = [*READABLE[kind]], [*UNREADABLE.get(kind, ())]
        if encoding == "cp1252":
            readable = [unicodedata.normalize("NFC", value) for value in readable]
            readable, unreadable = (
                [value.encode(encoding, errors="ignore").decode(encoding) for value in values]
                for values in (readable, unreadable)
            )
        else:
            readable += READABLE_ONLY_IN_UTF8 if is_free else ()
            unreadable += UNREADABLE_ONLY_IN_UTF8.get(kind, ())
        return cls(name, is_required(data), bool(data.get("key")), is_free, readable, unreadable)


class _File:
    """One file being written, in a dialect of its own and with faults of some kinds."""

    def __init__(self, chance: Random, table: str, *, only_key: bool, wide: bool) -> None:
        self.chance = chance
        self.spellings = (table, *TABLES[table].get("aliases", ()))
        self.only_key = only_key
        self.delimiter = chance.choice(",|\t")
        self.end = chance.choice(("\n", "\n", "\r\n", MARK, MARK + "\n", MARK + "\r\n"))
        self.encoding = chance.choice(("utf-8", "utf-8", "utf-8-sig", "cp1252"))
        self.special = {self.delimiter, '"', "\r"} | (set() if MARK in self.end else {"\n"})
        self.quotes_all = chance.random() < 1 / 4
        traits = ("malformed", "nul", "stray quotes", "newlines", "blank lines", "garbage", "blanks around")
        self.traits = {trait for trait in traits if chance.random() < 1 / 2}
        self.keys: list[dict[str, str]] = []
        used = [
            _Column.make(name, data, self.encoding)
            for name, data in TABLES[table]["columns"].items()
            if (data.get("key") or not only_key) and (is_required(data) or chance.random() < 9 / 10)
        ]
        unused = [*TABLES[table].get("unused", ()), "DRIFT"][: chance.randrange(2, 9)]
        self.columns: list[_Column | str] = [*used, *unused, *(["WIDE"] if wide else [])]
        if chance.random() < 1 / 2:
            chance.shuffle(self.columns)
        self.required = [column.name for column in used if column.required]
        self.typed = [column for column in used if column.unreadable]

    def pick[T](self, options: Sequence[T]) -> T:
        """Choose one, faster than `Random.choice` does."""
        return options[int(self.chance.random() * len(options))]

    def write(self, faults: int) -> tuple[str, bytes]:
        rows = [True] * faults + [False] * (faults * GOOD_PER_FAULT)
        self.chance.shuffle(rows)
        spell = self.pick(SPELLINGS)
        header = [column if isinstance(column, str) else column.name for column in self.columns]
        lines = [self.delimiter.join(map(spell, header))]
        for number, faulty in enumerate(rows):
            if "blank lines" in self.traits and MARK not in self.end and self.chance.random() < 1 / 50:
                lines.append("")
            lines.append(self._row(number, faulty=faulty))
        text = self.end.join(lines) + (self.end if self.chance.random() < 3 / 4 else "")
        stem = spell(self.pick(self.spellings) + "_K" * self.only_key)
        path = f"{self.pick(('', '', 'out/', 'a/b/'))}{stem}.{self.pick(('csv', 'txt', 'CSV'))}"
        return path, text.encode(self.encoding)

    def _row(self, number: int, *, faulty: bool) -> str:
        values = self._values(number)
        kinds = [kind for kind in ("malformed", "nul") if kind in self.traits]
        kind = self.pick(("field", "field", "field", *kinds)) if faulty else ""
        spoiled = self.pick((1, 1, 1, 2, 3)) if kind == "field" else int(faulty and self.chance.random() < 1 / 5)
        for _ in range(spoiled):
            self._spoil(values)
        if kind == "nul":
            name = self.pick([*values])
            values[name] = self.pick(("\0", f"{values[name]}\0", f"\0{values[name]}"))
        fields = [self._field(value) for value in values.values()]
        if not faulty and "stray quotes" in self.traits and self.chance.random() < 1 / 5:
            self._stray(fields)
        return self.delimiter.join(self._broken(fields) if kind == "malformed" else fields)

    def _values(self, number: int) -> dict[str, str]:
        """Return readable values; now and then under the key of an earlier row, good or bad."""
        values = {}
        for column in self.columns:
            if isinstance(column, str):
                values[column] = self._unused(column)
            elif not column.required and self.chance.random() < 1 / 4:
                values[column.name] = self.pick(EMPTY)
            else:
                values[column.name] = self._readable(column, number)
        if self.keys and self.chance.random() < 1 / 10:
            return values | self.pick(self.keys)
        self.keys.append({c.name: values[c.name] for c in self.columns if isinstance(c, _Column) and c.key})
        return values

    def _unused(self, name: str) -> str:
        if name == "WIDE":
            return PARAGRAPH + "\nand a second line" * ("newlines" in self.traits)
        return self.pick(GARBAGE) if "garbage" in self.traits else "x"

    def _readable(self, column: _Column, number: int) -> str:
        value = self.pick(column.readable)
        if column.is_free and column.key:
            value = f"{value} {number}"
        elif column.is_free and "newlines" in self.traits and self.chance.random() < 1 / 4:
            value = self.pick((f"{value}\n2nd line", "\n" + value, f"{value}\r\n\n4th", f"{value}\ragain"))
        if "blanks around" in self.traits and self.chance.random() < 1 / 4:
            value = f"{self.pick(EMPTY)}{value}{self.pick(EMPTY)}"
        return value

    def _spoil(self, values: dict[str, str]) -> None:
        """Make one column wrong. Every table has a required one."""
        if self.typed and self.chance.random() < 3 / 4:
            column = self.pick(self.typed)
            values[column.name] = self.pick(column.unreadable)
        else:
            values[self.pick(self.required)] = self.pick(EMPTY)

    def _field(self, value: str) -> str:
        """Write a field, with quotes where it needs them, and sometimes where it does not."""
        if value.isspace() and self.special.isdisjoint(value):
            return f'{value}""'
        if self.quotes_all or not self.special.isdisjoint(value) or self.chance.random() < 1 / 20:
            return '"' + value.replace('"', '""') + '"'
        return value

    def _stray(self, fields: list[str]) -> None:
        """Put quotes where they mean themselves, which is no fault: behind the beginning of a field without any."""
        at = self.chance.randrange(len(fields))
        column = self.columns[at]
        if isinstance(column, str) or (column.is_free and not column.key):
            texts = ('5" disk', 'a "b" c', 'x"', 'two 5" and 3" disks', ' "a"', 'x""', 'a;"b', 'a|"b"', 'a,"b"')
            fields[at] = self.pick([text for text in texts if self.delimiter not in text])

    def _broken(self, fields: list[str]) -> list[str]:
        at = self.chance.randrange(len(fields))
        match self.chance.randrange(5):
            case 0:
                return fields[: max(at, 1)]
            case 1:
                return [*fields[:at], *["one more"] * self.chance.randrange(1, 4), *fields[at:]]
            case 2:
                fields[at] = f'"left open {at}'
            case 3:
                fields[at] = '"closed" too early'
            case _:
                fields[at] = '"" and on'
        return fields
