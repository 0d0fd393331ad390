"""What the benchmark reads: an invented company's full package, made once and kept between runs."""

import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import duckdb

from infra.local import generate
from infra.local.given import Given

DAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
SETTINGS = ("learner_sync=true", "coverage_minimum_percent=80")
KEY_BITS = 2048
"""Made quickly; how strong the key is changes nothing about a large package."""
_GENERATOR = Path(generate.__file__).parent


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the company is; what is not said follows from the rows."""

    rows: int
    """Assignments."""
    completions: int
    learners: int
    items: int

    @classmethod
    def of(cls, rows: int, *, completions: int | None, learners: int | None, items: int | None) -> Self:
        """Fill in what was not given."""
        return cls(
            rows,
            rows // 4 if completions is None else completions,
            max(1, rows // 20) if learners is None else learners,
            max(1, rows // 100) if items is None else items,
        )

    @property
    def name(self) -> str:
        """The name of the folder of their data."""
        return f"{self.rows}-{self.completions}-{self.learners}-{self.items}"


@dataclass(frozen=True, slots=True)
class Data:
    """A folder as the generator leaves it."""

    folder: Path

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
    mark = _mark(folder)
    return Data(folder) if mark.is_file() and mark.read_text("ascii") == _fingerprint() else None


def make(folder: Path, sizes: Sizes) -> Data:
    """Make the data anew; whole only with its mark, which is written last.

    Raises:
        SealingError: GnuPG is not there or refused.
    """
    shutil.rmtree(folder, ignore_errors=True)
    generate.make_keys(folder / "keys", bits=KEY_BITS, quick=True)
    generate.generate(
        folder,
        generate.Options(
            day=DAY,
            first_day=DAY,
            learners=sizes.learners,
            items=sizes.items,
            assignments=sizes.rows,
            completions=sizes.completions,
        ),
    )
    _mark(folder).write_text(_fingerprint(), "ascii")
    return Data(folder)


def _mark(folder: Path) -> Path:
    return folder / "made-by"


def _fingerprint() -> str:
    """Tell one generator from another by its files, and by the engine whose hashes are its chance."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for file in sorted((*_GENERATOR.glob("*.py"), *_GENERATOR.glob("*.sql"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()
