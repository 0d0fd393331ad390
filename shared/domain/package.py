"""Packages: what their names say, and how they stand to each other."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What a package holds; or, of a run without a package, what it does."""

    FULL = "full"
    """Every row of every table."""
    DELTA = "delta"
    """Rows that changed since the day before."""
    KEYS = "keys"
    """The primary keys of all rows, table by table: what is absent has been deleted."""
    REPLAY = "replay"
    """No package: what Viva Learning lacks, or Graph refused, is sent from the tables as they are."""
    BACKFILL = "backfill"
    """No package: records of some days are looked for in Viva Learning, and made anew where they are missing."""

    @property
    def is_package(self) -> bool:
        """Whether a run of this kind reads a package."""
        return self in _KINDS.values()

    @property
    def moves_cursor(self) -> bool:
        """Whether what follows is measured by it: a delta must be newer than the last one of these."""
        return self in (Kind.FULL, Kind.DELTA)


_KINDS = {"F": Kind.FULL, "D": Kind.DELTA, "K": Kind.KEYS}


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """The name of a package file, such as `acme_F_20261101000000.zip.pgp`."""

    timestamp: datetime
    """When the package was made, aware UTC."""
    file: str
    kind: Kind
    customer: str

    @classmethod
    def parse(cls, file: str, *, pattern: re.Pattern[str], zone: ZoneInfo) -> Self | None:
        """Read a file name; `None` when it is no package's name.

        `pattern` has the groups `customer`, `kind` (F, D or K) and `timestamp` (14 digits in the source time zone).
        """
        match = pattern.fullmatch(file)
        if not match:
            return None
        try:
            local = datetime.strptime(match["timestamp"], "%Y%m%d%H%M%S")  # noqa: DTZ007 - zone follows
        except ValueError:
            return None
        timestamp = local.replace(tzinfo=zone).astimezone(UTC)
        return cls(timestamp, file, _KINDS[match["kind"].upper()], match["customer"])


def pair_keys(names: list[PackageName]) -> dict[str, PackageName]:
    """Give each keys package to the main package nearest in time; of two as near, to the earlier one.

    Returns the keys package by the file name of its main package; of several keys packages for one main package,
    the nearest (then the later) one counts.
    """
    mains = sorted(name for name in names if name.kind is not Kind.KEYS)
    paired: dict[str, PackageName] = {}
    for keys in sorted(name for name in names if name.kind is Kind.KEYS):
        if not mains:
            break
        main = min(mains, key=lambda each: (abs(each.timestamp - keys.timestamp), each))
        standing = paired.get(main.file)
        if standing is None or abs(standing.timestamp - main.timestamp) >= abs(keys.timestamp - main.timestamp):
            paired[main.file] = keys
    return paired
