"""Writes packages as SuccessFactors would: one zip of tables, encrypted, named by customer, kind and time."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from infra.local.generate.damage import Damage
from infra.local.generate.options import Kind, Options
from infra.local.generate.sealing import KeyFiles, Member, make_keys, sealed, write_zip
from infra.local.generate.world import World

KEYS_AFTER: Final = timedelta(minutes=90)
DUE_AFTER: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written."""

    packages: tuple[Path, ...]
    """In the order of their timestamps."""
    sftp: Path
    """The folder of the packages, to be served as the connection's."""
    public_key: Path
    private_key: Path | None
    """`None` when the packages were encrypted for a key that was given."""
    passphrase: Path | None
    directory: Path
    text_bytes: int
    """Of all files in all packages, unpacked."""
    now: datetime
    """A time by which the packages are due, keys or no keys."""

    @property
    def command(self) -> str:
        """The sync to try next."""
        parts = ["python", "-m", "infra.local", "sync", "--sftp", str(self.sftp)]
        if self.private_key and self.passphrase:
            parts += ["--private-key", str(self.private_key), "--passphrase-file", str(self.passphrase)]
        parts += ["--directory", str(self.directory), "--state", str(self.sftp.parent / "state")]
        return shlex.join([*parts, "--set", "learner_sync=true", "--now", self.now.isoformat()])


def generate(out: Path, options: Options) -> Generated:
    """Write the packages into `out/sftp`, a key pair into `out/keys` and the directory beside them.

    Raises:
        SealingError: GnuPG refused, for example a key that is none.
    """
    sftp = out / "sftp"
    sftp.mkdir(parents=True, exist_ok=True)
    keys = None if options.key else make_keys(out / "keys")
    public_key = options.key or KeyFiles.within(out / "keys").public
    directory = options.directory or out / "directory.csv"
    packages = []
    text_bytes = 0
    with World.of(options) as world:
        for day, kinds in _plan(options):
            world.move_to(day)
            for kind in kinds:
                stamp = _stamp(options, kind, day)
                path = sftp / f"{options.customer}_{kind.letter}_{stamp:%Y%m%d%H%M%S}.zip.pgp"
                text_bytes += _write(path, world, kind, Damage(options.defects), public_key)
                packages.append(path)
        _write_directory(directory, world)
    return Generated(
        packages=tuple(packages),
        sftp=sftp,
        public_key=public_key,
        private_key=keys.private if keys else None,
        passphrase=keys.passphrase if keys else None,
        directory=directory,
        text_bytes=text_bytes,
        now=_stamp(options, Kind.FULL, options.day) + DUE_AFTER,
    )


def _plan(options: Options) -> Iterator[tuple[date, list[Kind]]]:
    """Yield the days in order, with what is written of each."""
    kinds = set(options.kinds)
    if Kind.DELTA in kinds and options.keys:
        kinds.add(Kind.KEYS)
    if {Kind.FULL, Kind.DELTA} <= kinds:
        kinds.remove(Kind.FULL)
        yield options.day - timedelta(days=1), [Kind.FULL]
    yield options.day, [kind for kind in Kind if kind in kinds]


def _stamp(options: Options, kind: Kind, day: date) -> datetime:
    stamp = datetime.combine(day, options.time, UTC)
    return stamp + KEYS_AFTER if kind is Kind.KEYS else stamp


def _write(path: Path, world: World, kind: Kind, damage: Damage, public_key: Path) -> int:
    if kind is Kind.KEYS:
        with sealed(path, public_key) as sink:
            return write_zip(sink, members(world, kind, damage))
    with damage.key(public_key) as key:
        with sealed(path, key) as sink:
            text_bytes = write_zip(sink, chain(members(world, kind, damage), damage.more_members()))
        damage.seal(path, key)
    return text_bytes


def members(world: World, kind: Kind, damage: Damage) -> Iterator[Member]:
    """Yield the files one by one; each has to be read before the next is asked for."""
    for table, key in world.tables.items():
        name = f"{table}_K" if kind is Kind.KEYS else table
        query = {
            Kind.FULL: f"SELECT * EXCLUDE (_day) FROM {table}",
            Kind.DELTA: f"SELECT * EXCLUDE (_day) FROM {table} WHERE _day = today()",
            Kind.KEYS: f"SELECT {', '.join(key)} FROM {table}",
        }[kind]
        if damage.strikes("missing-file", name):
            continue
        expected = kind is not Kind.DELTA or damage.has_rows(name) or damage.strikes("empty-table", name)
        if not expected and not world.count(query):
            continue  # A delta has only the files in which something is new.
        query = damage.query(name, query)
        folders = ("", "copy/") if damage.strikes("duplicate-file", name) else ("",)
        for folder in folders:
            yield Member(
                f"{folder}{name}.csv",
                damage.text(world, name, query),
                large=world.is_large,
                entry=damage.entry(name),
            )


def _write_directory(path: Path, world: World) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in world.csv("FROM directory"):
            file.write(chunk)
