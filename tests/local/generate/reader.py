"""An independent reader of packages (GnuPG, zipfile, csv), and what it should find in them."""

import csv
import io
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from infra.local.generate import KeyFiles, Options, generate, parse_defects
from infra.local.generate.tables import MORE_WITH_LEAVERS, PRIMARY_KEYS
from infra.local.generate.world import World

DAY = date(2026, 11, 5)
SMALL = Options(day=DAY, learners=60, items=60, assignments=150, completions=60)
LABELS = "PV_I18N_ACTIVE_LOCALE_LABEL"
Rows = list[dict[str, str]]


def run_gpg(home: Path, keys: KeyFiles, *arguments: str) -> bytes:
    unlocked = ("--pinentry-mode", "loopback", "--passphrase-file", str(keys.passphrase))
    return subprocess.run(
        ["gpg", "--homedir", str(home), "--batch", "--quiet", *unlocked, *arguments],
        check=True,
        capture_output=True,
    ).stdout


class Reader:
    """Opens packages as their receiver would."""

    def __init__(self, home: Path, keys: KeyFiles, out: Path) -> None:
        self.home, self.keys, self.out = home, keys, out

    def clear(self, package: Path) -> bytes:
        return run_gpg(self.home, self.keys, "--decrypt", str(package))

    def files(self, package: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.clear(package))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def damaged(self, defects: str) -> Path:
        """Write a full package with these defects."""
        options = replace(SMALL, defects=parse_defects(defects), key=self.keys.public)
        return generate(self.out, options).packages[0]


def rows_of(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


@cache
def state_of(options: Options, day: date) -> dict[str, Rows]:
    """Every table on that day; not to be changed."""
    with World.of(options) as world:
        world.move_to(day)
        return {table: rows_on(world, table) for table in world.tables}


def rows_on(world: World, table: str, where: str = "true") -> Rows:
    return rows_of(b"".join(world.csv(f"SELECT * EXCLUDE (_day) FROM {table} WHERE {where}")))


def by_key(table: str, rows: Rows) -> dict[tuple[str, ...], dict[str, str]]:
    columns = (PRIMARY_KEYS | MORE_WITH_LEAVERS)[table]
    return {tuple(row[column] for column in columns): row for row in rows}
