"""What the benchmark reads: an invented company's full package, made once and kept between runs."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import duckdb

from infra.local import generate
from infra.local.generate.world import World
from infra.local.given import Given

DAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
SETTINGS = ("learner_sync=true", "coverage_minimum_percent=80")
KEY_BITS = 2048
"""Made quickly; how strong the key is changes nothing about a large package."""
_GENERATOR = Path(generate.__file__).parent
_ROWS_PER_MEGABYTE = 23_800
"""Assignments in a packed megabyte, with all that belongs to them."""
_MARK = "made-by.json"
TABLE = "PA_STUD_CPNT"
"""The largest table of a package, which the peers read."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the company is."""

    rows: int
    """Assignments."""
    completions: int
    learners: int
    items: int

    @classmethod
    def of(
        cls, rows: int, *, completions: int | None = None, learners: int | None = None, items: int | None = None
    ) -> Self:
        """Fill in what was not given; it follows from the rows."""
        return cls(
            rows,
            rows // 10 if completions is None else completions,
            max(1, rows // 20) if learners is None else learners,
            max(1, rows // 50) if items is None else items,
        )

    @classmethod
    def packed(cls, megabytes: int) -> Self:
        """Return a company whose full package has about this size."""
        return cls.of(megabytes * _ROWS_PER_MEGABYTE)

    @property
    def name(self) -> str:
        """The name of the folder of their data."""
        return f"{self.rows}-{self.completions}-{self.learners}-{self.items}"


FULL = Sizes.of(10_000_000)
LIMIT = Sizes(53_000_000, 2_650_000, 1_000_000, 200_000)
"""The largest package that is taken: just below 2 GiB packed, which comes before 25 GiB unpacked."""
TENTH = Sizes(5_300_000, 265_000, 100_000, 20_000)


@dataclass(frozen=True, slots=True)
class Data:
    """A folder as the generator leaves it."""

    folder: Path
    text_bytes: int
    """Of the package, unpacked."""

    @property
    def package(self) -> Path:
        """The full package."""
        return next((self.folder / "sftp").glob("*.pgp"))

    @property
    def keys(self) -> generate.KeyFiles:
        """What it is encrypted for."""
        return generate.KeyFiles.within(self.folder / "keys")

    def given(self) -> Given:
        """Hand it over to a tenant."""
        return Given.read(
            sftp=self.folder / "sftp",
            private_key_files=[self.keys.private],
            passphrase_files=[self.keys.passphrase],
            directory=self.folder / "directory.csv",
            settings=SETTINGS,
        )


def find(folder: Path) -> Data | None:
    """Return data that today's generator would make again; `None` when there is none."""
    try:
        mark = json.loads((folder / _MARK).read_text("ascii"))
    except FileNotFoundError:
        return None
    return Data(folder, mark["text_bytes"]) if mark["generator"] == _fingerprint() else None


def make(folder: Path, sizes: Sizes) -> Data:
    """Make the data anew; whole only with its mark, which is written last.

    Raises:
        SealingError: GnuPG is not there or refused.
    """
    shutil.rmtree(folder, ignore_errors=True)
    generate.make_keys(folder / "keys", bits=KEY_BITS, quick=True)
    generated = generate.generate(folder, options(sizes))
    mark = {"generator": _fingerprint(), "text_bytes": generated.text_bytes}
    (folder / _MARK).write_text(json.dumps(mark), "ascii")
    return Data(folder, generated.text_bytes)


def write_table(file: Path, sizes: Sizes, rows: int) -> int:
    """Write the first assignments of such a package as plain CSV, and return how many there are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    query = f"SELECT * EXCLUDE (_day) FROM {TABLE} LIMIT {rows}"
    with World.of(options(sizes)) as world, file.open("wb") as out:
        out.writelines(world.csv(query))
        return world.count(query)


def options(sizes: Sizes) -> generate.Options:
    """Return what the generator is asked for."""
    return generate.Options(
        day=DAY,
        first_day=DAY,
        learners=sizes.learners,
        items=sizes.items,
        assignments=sizes.rows,
        completions=sizes.completions,
    )


def _fingerprint() -> str:
    """Tell one generator from another by its files, and by the engine whose hashes are its chance."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for file in sorted((*_GENERATOR.glob("*.py"), *_GENERATOR.glob("*.sql"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()
