"""Read one package, and its keys package, into staged rows and the tables that follow from them."""

import logging
from dataclasses import dataclass, field

from pydantic import Field

from shared.domain.connection import Connection
from shared.domain.errors import Code, PackageError
from shared.domain.package import Kind
from shared.domain.profile import Profile
from shared.domain.progress import Doing
from shared.domain.runs import Reject, Run, Step
from shared.domain.state import State
from shared.domain.strict import Strict
from shared.domain.table_part import TablePart
from shared.pipeline import journal, rejects
from shared.pipeline.ahead import ahead
from shared.pipeline.engine import Engine, parquet
from shared.pipeline.package_files import PackageFiles
from shared.pipeline.parts import Parts
from shared.pipeline.progress import Reporter, of_run
from shared.pipeline.staging import STUDENTS, Staged, Stager
from shared.pipeline.table_parts import LocalPart, Uploads, download, uploading
from shared.pipeline.tables import Merger

log = logging.getLogger(__name__)

COUNTED = {"PA_CPNT": "contents", "PA_STUD_CPNT": "assignments", "PA_CPNT_EVTHST": "completions"}
"""Tables whose rows the tally counts, and as what."""


class Manifest(Strict):
    """What a run has read; the run's records count as soon as this document exists."""

    key_id: str
    learner_part: bool
    needs_full: bool
    rows: int
    rejected: int
    """Rows and files that were rejected, those of the keys package as well."""
    rejected_rows: dict[str, int]
    """Rejected rows by kind of the tally."""
    left_over: dict[str, str]
    """Paths of the rows that are not in their table, by table, of those that the tally counts (see `tables`)."""
    tables: dict[str, tuple[TablePart, ...]]
    """Every table after this package, whether it changed or not."""
    came: list[str]
    refused: list[str]
    read_now: list[str]
    seen: list[str]
    files: dict[str, str] = Field(default_factory=dict)
    """Names of the files that were read now, by table, without their folders."""
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading came to."""

    manifest: Manifest
    rejects: tuple[Reject, ...]


@dataclass(slots=True)
class PackageReader:
    """Reads for one run."""

    parts: Parts
    connection: Connection
    state: State
    run: Run
    engine: Engine
    warnings: list[str] = field(default_factory=list)
    key_id: str = ""

    def read(self) -> Reading:
        """Read, merge, and upload everything but the manifest.

        Raises:
            PackageError: the package is refused; nothing it held is visible anywhere.
        """
        folder = f"{self.run.connection}/{self.run.run_id}/tables"
        with uploading(self.parts.tables, folder) as uploads:
            return self._read(uploads)

    def _read(self, uploads: Uploads) -> Reading:
        self.engine.set_pepper(journal.get_pepper(self.parts, self.run.connection))
        reporter = self._reporter()
        profile = self.parts.get_profile(self.connection.profile)
        learner_part, needs_full = self._learner_part()
        wanted = {name for name, table in profile.tables.items() if learner_part or not table.learner}

        def keep(table: str, part: LocalPart) -> None:
            # Mostly what was staged of a full package is its table; of any other it goes into one.
            if self.run.kind is Kind.FULL and table in profile.tables:
                uploads.begin(table, part)

        with self.engine.reader() as clear:
            stager = Stager(
                clear,
                self.engine.folder / "staged",
                self.connection.source_time_zone,
                frozenset({"publish_author"} if self.connection.publish_author else ()),
                frozenset(self.connection.require_fields),
                attribute=self.connection.directory_attribute,
                tell=lambda rows: reporter.advance(more_rows=rows),
                keep=keep,
            )
            staged, keys = self._stage_all(profile, stager, wanted, reporter)
            stager.save_rejects()
        self.engine.run(f"create table rejects as from {parquet(stager.rejects)}")
        if self.run.kind is Kind.FULL and learner_part and STUDENTS not in staged:
            hint = "".join(f" {each}" for each in self.warnings if f"Did you mean {STUDENTS}?" in each)
            raise PackageError(
                f"The full package has no file {STUDENTS}, so its records cannot be given to anybody. "
                f"Have it made again, or switch learner_sync off.{hint}",
                Code.FILE_MISSING,
            )
        reporter.finish()
        rows = sum(each.rows for each in staged.values())
        rejected = sum(each.rejected for each in staged.values())
        self._check_limit(rows, rejected, staged)
        manifest = self._merge(profile, uploads, staged, keys, learner_part=learner_part, needs_full=needs_full)
        return Reading(manifest, rejects.report(self.parts, self.engine, self.run))

    def _reporter(self) -> Reporter:
        """Return what tells people how far the reading has come, in bytes as they were sealed."""
        return of_run(self.parts, self.run, Doing.READING, total_bytes=self.run.size_bytes or None)

    def _learner_part(self) -> tuple[bool, bool]:
        """Whether the learner files are read, and whether a full package is needed before they can be."""
        if not self.connection.learner_sync:
            return False, False
        if self.run.kind is Kind.FULL or self.state.learner_base:
            return True, False
        return False, True

    def _stage_all(
        self, profile: Profile, stager: Stager, wanted: set[str], reporter: Reporter
    ) -> tuple[dict[str, Staged], dict[str, Staged]]:
        """Read the package, and its keys package, if it has one or is one; return both."""
        if self.run.kind is Kind.KEYS:
            return {}, self._stage(self.run.sealed_path, profile, stager, wanted, reporter, only_keys=True)
        keys = self._stage_keys(profile, stager, wanted, reporter) if self.run.keys_path else {}
        return self._stage(self.run.sealed_path, profile, stager, wanted, reporter, only_keys=False), keys

    def _stage_keys(self, profile: Profile, stager: Stager, wanted: set[str], reporter: Reporter) -> dict[str, Staged]:
        """Stage the keys package; one that is refused proves nothing, and the main package goes on alone."""
        try:
            return self._stage(str(self.run.keys_path), profile, stager, wanted, reporter, only_keys=True)
        except PackageError as error:
            stager.forget(name + profile.keys_suffix for name in profile.tables)
            self.warnings.append(f"The keys package was refused ({error.code}), so nothing is deleted. {error}")
            return {}

    def _stage(
        self, path: str, profile: Profile, stager: Stager, wanted: set[str], reporter: Reporter, *, only_keys: bool
    ) -> dict[str, Staged]:
        """Read all files of one package."""
        passphrase = self.connection.pgp_passphrase_secret
        secrets = self.parts.secrets
        windows_1252: set[str] = set()
        while True:
            files = PackageFiles(profile, stager, wanted, windows_1252, only_keys=only_keys)
            with (
                self.parts.sealed.open(path) as sealed,
                self.parts.opener.open(
                    reporter.counted(sealed),
                    secrets.list_versions(self.connection.pgp_key_secret),
                    secrets.list_versions(passphrase) if passphrase else (),
                    require_signature=self.connection.require_signature,
                ) as opened,
                ahead(opened.chunks()) as chunks,
            ):
                if not files.read(chunks, self.connection.unpacked_limit_bytes):
                    reporter.restart()
                    continue
            if not only_keys or self.run.kind is Kind.KEYS:
                self.key_id = opened.seal.key_id
            for warning in (*files.warnings, *opened.seal.warnings):
                if warning not in self.warnings:
                    self.warnings.append(warning)
            return files.staged

    def _check_limit(self, rows: int, rejected: int, staged: dict[str, Staged]) -> None:
        percent, count = self.connection.reject_limit_percent, self.connection.reject_limit_count
        if (rows and rejected * 100 > percent * rows) or (count is not None and rejected > count):
            first = rejects.report(self.parts, self.engine, self.run)
            every = self.engine.one("select count(*) from rejects")
            journal.advance(self.parts, self.run, Step.PROCESSING, reject_count=every, rejects=first)
            worst = max(staged.values(), key=lambda each: each.rejected)
            raise PackageError(
                f"{rejected} of {rows} rows were rejected, more than the limit allows; most of them in {worst.file}. "
                "The error CSV names each. Correct them at the source, the profile if the format has changed, or "
                "raise reject_limit_percent.",
                Code.REJECT_LIMIT,
            )

    def _merge(
        self,
        profile: Profile,
        uploads: Uploads,
        staged: dict[str, Staged],
        keys: dict[str, Staged],
        *,
        learner_part: bool,
        needs_full: bool,
    ) -> Manifest:
        tables = dict(self.state.tables)
        left_over: dict[str, str] = {}
        merger = Merger(self.engine, profile, self.run.kind, self.engine.folder / "new")
        for name in profile.tables:
            if name not in staged and name not in keys:
                continue
            old = None
            if name in tables:
                old = download(self.parts.tables, tables[name], self.engine.folder / "old" / name)
            merged = merger.merge(name, staged=staged.get(name), keys=keys.get(name), old=old)
            if merged.parts is not None:
                tables[name] = uploads.end(name, merged.parts)
            if merged.left_over is not None and name in COUNTED:
                left_over[name] = f"{self.run.connection}/{self.run.run_id}/left-over/{name}.parquet"
                self.parts.records.put_file(left_over[name], merged.left_over)
            for part in (*(old or ()), *(merged.parts or ())):
                part.file.unlink(missing_ok=True)
        refused = [name for name, each in staged.items() if each.refused]
        read_now = [name for name in staged if name not in refused]
        return Manifest(
            key_id=self.key_id,
            learner_part=learner_part,
            needs_full=needs_full,
            rows=sum(each.rows for each in staged.values()),
            rejected=self.engine.one("select count(*) from rejects"),
            rejected_rows={kind: staged[name].rejected for name, kind in COUNTED.items() if name in staged},
            left_over=left_over,
            tables=tables,
            came=sorted({*tables, *self.state.seen_tables, *read_now}),
            refused=refused,
            read_now=read_now,
            seen=sorted({*self.state.seen_tables, *(name for name, each in staged.items() if each.rows)}),
            files={name: staged[name].file for name in read_now},
            warnings=self.warnings,
        )
