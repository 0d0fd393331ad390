"""Which columns of a file are those of its table, and what is told of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from shared.domain.profile import Table
from shared.pipeline.header import Header

_ENOUGH_COLUMNS = 2
"""Known columns without which a first line is believed to be a header only if it has one of the key."""


@dataclass(frozen=True, slots=True)
class Match:
    """A header, matched against a table of the profile."""

    places: dict[str, int]
    """Which column of the file is a column of the table, by any of its spellings; the first one of several."""
    unknown: list[str]
    """Columns that the table does not know, as far as they may be repeated."""
    unclaimed: list[str]
    """Columns of the table that the file does not have."""
    twice: list[str]
    """Columns of the table that the file has more than once."""
    doubt: str
    """What may be wrong with a first line that hardly knows a column."""

    @classmethod
    def of(cls, header: Header | None, table: Table) -> Self:
        """Match them."""
        present = header.columns if header else ()
        spellings = {c: [s.upper() for s in (c, *data.aliases)] for c, data in table.columns.items()}
        places = {
            column: present.index(found)
            for column, each in spellings.items()
            if (found := next((spelling for spelling in each if spelling in present), None)) is not None
        }
        # A first line that hardly knows a column, or goes on behind a carriage return, may hold somebody's data, which
        # must not be repeated.
        is_known = len(places) >= _ENOUGH_COLUMNS or any(column in places for column in table.key)
        known = {spelling for each in spellings.values() for spelling in each} | set(table.unused)
        told = header is not None and is_known and not header.is_torn
        return cls(
            places,
            unknown=[c for c in present if c and c not in known] if told else [],
            unclaimed=[c for c in table.columns if c not in places],
            twice=[c for c, each in spellings.items() if sum(map(present.count, each)) > 1],
            doubt=header.doubt if header and not is_known else "",
        )

    def hint(self, missing: str) -> str:
        """Say what may be meant by a column of the table that is not there."""
        return _did_you_mean(missing, self.unknown) or self.doubt

    def warnings(self, table_name: str) -> list[str]:
        """Say what is odd about the header."""
        return [
            *(
                f"{table_name}: unknown column {column} was ignored. {_did_you_mean(column, self.unclaimed)}".strip()
                for column in self.unknown
            ),
            *(f"{table_name}: column {column} is there twice; the first one counts." for column in self.twice),
            *([f"{table_name}: {self.doubt}"] if self.doubt else []),
        ]


def _did_you_mean(column: str, candidates: Sequence[str]) -> str:
    same = [each for each in candidates if each.endswith(f".{column}") or column.endswith(f".{each}")]
    close = same or get_close_matches(column, candidates, n=1)
    return f"Did you mean {close[0]}?" if close else ""
