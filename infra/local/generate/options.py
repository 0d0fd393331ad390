"""What can be asked of the generator."""

from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Final

from infra.local.generate.defects import Defect

FIRST_DAY: Final = date(2026, 11, 1)
PERSON_IDS: Final = 99_999_989
"""How many different eight-digit person ids there are."""


class Kind(StrEnum):
    """The packages that SuccessFactors writes; the letter stands in the file name."""

    FULL = "full"
    DELTA = "delta"
    KEYS = "keys"

    @property
    def letter(self) -> str:
        """The part of a file name that tells the kind."""
        return self.value[0].upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The world to invent and the packages to write of it.

    The same options give the same tables, whenever and wherever they are generated (with the same version of
    DuckDB, whose hash function is the source of chance).
    """

    day: date
    """The packages hold the state at the midnight that begins it, or what changed in the 24 hours before."""
    first_day: date = FIRST_DAY
    """On this day the world has the sizes below; each later day changes about half a percent of it."""
    kinds: tuple[Kind, ...] = (Kind.FULL,)
    """With both `full` and `delta`, the full is of the day before, so that the delta goes on top of it."""
    keys: bool = True
    """Whether a delta is followed by its keys package."""
    learners: int = 500
    items: int = 200
    assignments: int = 5000
    completions: int = 2000
    leavers: int = 0
    """Sets of 18 more learners, who are deactivated on the second day; `leavers.sql` says how, and what follows."""
    seed: int = 1
    customer: str = "acme"
    time: time = field(default=time())
    """In the names of main packages; the one of a keys package is 90 minutes later."""
    defects: tuple[Defect, ...] = ()
    key: Path | None = None
    """Armored public key to encrypt for; without it a key pair is made, or the one made before is used."""
    directory: Path | None = None
    """Where the Entra users go; without it to `directory.csv` in the output folder."""

    def __post_init__(self) -> None:
        """Refuse what makes no world."""
        if not (0 < self.learners <= PERSON_IDS // 2 and self.items > 0):
            raise ValueError(f"there must be at least one item, and 1 to {PERSON_IDS // 2} learners")
        if self.assignments < 0 or self.completions < 0 or self.leavers < 0:
            raise ValueError("there cannot be fewer than no assignments, completions or leavers")
        if not self.kinds:
            raise ValueError("at least one kind of package must be asked for")
        if self.day < self.first_day:
            raise ValueError(f"{self.day} is before the first day of this world, {self.first_day}")
        if Kind.DELTA in self.kinds and self.day == self.first_day:
            raise ValueError(f"nothing has changed by the first day, {self.first_day}: a delta needs a later one")
        if not self.customer or "/" in self.customer:
            raise ValueError("the customer is the first part of a file name")
