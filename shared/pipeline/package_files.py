"""The files of one package: which table each one is, and its rows staged, in the order in which they come."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import PurePosixPath

from shared.domain.errors import Code, PackageError
from shared.domain.profile import Profile
from shared.pipeline.archive import Member, members
from shared.pipeline.reading import NotUtf8Error, TextFile
from shared.pipeline.staging import Staged, Stager
from shared.pipeline.table_plan import keys_table


class PackageFiles:
    """Reads one package's clear text; `staged` and `warnings` say what was found."""

    def __init__(
        self, profile: Profile, stager: Stager, wanted: set[str], windows_1252: set[str], *, only_keys: bool
    ) -> None:
        """Take the tables that are wanted, and the files known not to be UTF-8; with `only_keys` a keys package."""
        self.staged: dict[str, Staged] = {}
        self.warnings: list[str] = []
        self._profile = profile
        self._stager = stager
        self._wanted = wanted
        self._windows_1252 = windows_1252
        self._only_keys = only_keys
        self._found: set[str] = set()

    def read(self, chunks: Iterator[bytes], unpacked_limit_bytes: int) -> bool:
        """Stage every file; false when all has to be read again, because one turned out not to be UTF-8.

        Raises:
            PackageError: the package is refused.
        """
        for member in members(chunks, unpacked_limit_bytes=unpacked_limit_bytes):
            table = self._table_of(member)
            if table is not None:
                if table in self._found:
                    raise PackageError(
                        f"The package holds {table} more than once. Have it made again.", Code.FILE_AMBIGUOUS
                    )
                self._found.add(table)
                if table in self._wanted and not self._stage(member, table):
                    return False
            # To the end, so that its checksum is looked at even where its content is not.
            for _ in member.chunks():
                pass
        return True

    def _stage(self, member: Member, table: str) -> bool:
        file = PurePosixPath(member.name).name
        spec, name = self._profile.tables[table], table
        if self._only_keys:
            spec, name = keys_table(spec), table + self._profile.keys_suffix
        try:
            source = TextFile(member.chunks(), windows_1252=file in self._windows_1252)
            self.staged[table] = self._stager.stage(name, spec, file, source)
        except NotUtf8Error:
            self._windows_1252.add(file)
            self._stager.forget([name, *(each.table for each in self.staged.values())])
            return False
        self.warnings += self.staged[table].warnings
        return True

    def _table_of(self, member: Member) -> str | None:
        path = PurePosixPath(member.name)
        stem = path.stem.upper()
        suffix = self._profile.keys_suffix
        if path.suffix.lower() in (".csv", ".txt"):
            if self._only_keys and stem.endswith(suffix) and stem.removesuffix(suffix) in self._profile.names:
                return self._profile.names[stem.removesuffix(suffix)]
            if not self._only_keys and stem in self._profile.names:
                return self._profile.names[stem]
        bare = stem.removesuffix(suffix)
        if bare in {*self._profile.unread_tables, *self._profile.names}:
            self.warnings.append(f"{path.name} was left alone: not read for now.")
            return None
        close = get_close_matches(bare, [*self._profile.names, *self._profile.unread_tables], n=1, cutoff=0.8)
        hint = f" Did you mean {close[0]}?" if close else ""
        self.warnings.append(f"{path.name} was left alone: unknown file.{hint}")
        return None
