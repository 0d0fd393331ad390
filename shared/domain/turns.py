"""Whose turn it is: which packages are fetched, and which one is processed next.

Newest full first, then deltas by their timestamp, one after the other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from shared.domain.calendar import FIRST_PACKAGE_WORKING_DAYS, add_working_days
from shared.domain.connection import Connection
from shared.domain.errors import Code
from shared.domain.package import Kind, PackageName, pair_keys
from shared.domain.runs import Outcome
from shared.domain.state import Committed
from shared.domain.strict import Strict


class Standing(StrEnum):
    """What became of a package that was fetched."""

    COLLECTED = "collected"
    TAKEN = "taken"
    REFUSED = "refused"


UNFETCHED = "unfetched-"
"""Stands before the size and time of a package whose content nobody has seen."""


class FileSeen(Strict):
    """A file as it stood in the folder when we last looked."""

    name: str
    size_bytes: int
    modified_at: datetime
    seen_at: datetime
    """When it was first seen with this size and time."""
    content_hash: str | None = None
    """Known once it was fetched."""
    gone_at: datetime | None = None
    """When it was first missing in the folder; `None` while it is there."""
    told: bool = False
    """Whether an admin was told that it is skipped or too large."""

    @property
    def is_fetched(self) -> bool:
        """Whether its content is here."""
        return self.content_hash is not None and not self.content_hash.startswith(UNFETCHED)


class Fetched(Strict):
    """A package that was fetched, known by its content."""

    content_hash: str
    file: str
    kind: Kind
    timestamp: datetime
    sealed_path: str
    size_bytes: int
    standing: Standing = Standing.COLLECTED
    belongs_to: str | None = None
    """Of a keys package: the file name of its main package."""
    fingerprint: str = ""
    """Of a refused one: keys, profile and settings at that time."""
    run_id: str = ""

    def may_be_processed(self, committed: Committed | None) -> bool:
        """Tell whether it may have a turn, now, after a change of keys, profile or settings, or as a rerun."""
        if committed is None:
            return True
        if committed.content_hash == self.content_hash or committed.package == self.belongs_to:
            return True
        return self.standing is not Standing.TAKEN and self.timestamp >= committed.timestamp

    def wants_a_turn(self, fingerprint: str) -> bool:
        """Tell whether it is new, or was refused under other keys, profile or settings."""
        return self.standing is Standing.COLLECTED or (
            self.standing is Standing.REFUSED and self.fingerprint != fingerprint
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """What to fetch, in this order, and what has to wait for its keys package."""

    fetch: list[PackageName] = field(default_factory=list)
    waiting: list[PackageName] = field(default_factory=list)
    keys: Mapping[str, PackageName] = field(default_factory=dict)
    """Keys package by the file name of its main package."""
    unmarked: list[PackageName] = field(default_factory=list)
    """What would be fetched if its marker were there."""
    held_up: datetime | None = None
    """Timestamp of the first main package of those: it and what is newer has to wait."""


def choose(
    names: Sequence[PackageName],
    settled: Mapping[str, Fetched],
    *,
    committed: Committed | None,
    keys_wait: timedelta,
    now: datetime,
    fingerprint: str,
    unmarked: Collection[str] = (),
) -> Choice:
    """Choose what to fetch. `settled` holds, by file name, what we already know of the very same files.

    A main package that is `unmarked` holds up those behind it, unless a newer full one is complete; keys packages
    that are count as if they were not there.
    """
    keys = pair_keys([name for name in names if name.kind is not Kind.KEYS or name.file not in unmarked])
    open_names = [
        name for name in sorted(names) if name.file not in settled or settled[name.file].wants_a_turn(fingerprint)
    ]
    floor = committed.timestamp if committed else None
    fulls = [n for n in open_names if n.kind is Kind.FULL and (floor is None or n.timestamp >= floor)]
    full = next((n for n in reversed(fulls) if n.file not in unmarked), None)
    start = full.timestamp if full else floor
    chain = [full] if full else []
    if start is not None:
        chain += [n for n in open_names if n.kind is Kind.DELTA and n.timestamp >= start]
    lacking = [n for n in open_names if n.file in unmarked and (start is None or n.timestamp >= start)]
    held_up = next((n.timestamp for n in lacking if n.kind is not Kind.KEYS), None)
    chain = [n for n in chain if held_up is None or n.timestamp < held_up]
    choice = Choice(keys=keys, unmarked=lacking, held_up=held_up)
    late = keys.get(committed.package) if committed else None
    if late is not None and late in open_names:
        choice.fetch.append(late)
    for main in chain:
        own = keys.get(main.file)
        if own is None and now < main.timestamp + keys_wait:
            choice.waiting.append(main)
            break
        # Keys first: when the main package arrives, all that belongs to it is there.
        if own is not None and own in open_names:
            choice.fetch.append(own)
        choice.fetch.append(main)
    return choice


@dataclass(frozen=True, slots=True)
class Turn:
    """The next package to process."""

    main: Fetched
    keys: Fetched | None = None


def next_turn(
    packages: Sequence[Fetched], *, committed: Committed | None, fingerprint: str, rerun: str | None = None
) -> Turn | None:
    """Return the package whose turn it is, or `None`.

    `rerun` is the content hash of the package that an admin wants processed again.
    """
    floor = committed.timestamp if committed else None
    ready = sorted(
        (
            p
            for p in packages
            if p.sealed_path
            and p.wants_a_turn(fingerprint)
            and (committed is None or p.content_hash != committed.content_hash)
        ),
        key=lambda p: (p.timestamp, p.file),
    )
    again = [p for p in packages if rerun is not None and p.content_hash == rerun]
    fulls = [p for p in ready if p.kind is Kind.FULL and (floor is None or p.timestamp >= floor)]
    late = [p for p in ready if p.kind is Kind.KEYS and committed and p.belongs_to == committed.package]
    deltas = [p for p in ready if p.kind is Kind.DELTA and floor is not None and p.timestamp >= floor]
    candidates = again or fulls[-1:] or late or deltas
    if not candidates:
        return None
    main = candidates[0]
    own = [p for p in ready if p.kind is Kind.KEYS and p.belongs_to == main.file and main.kind is not Kind.KEYS]
    return Turn(main, own[-1] if own else None)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a look into the folder ended when there was nothing to process."""

    outcome: Outcome
    code: Code | None = None
    message: str = ""

    def beside_unmarked(self, told: str) -> Self:
        """Return the judgement where packages were left out of it; `told` says why, and is empty if there are none."""
        if not told:
            return self
        if self.outcome is Outcome.DONE:
            return replace(self, outcome=Outcome.WAITING, message=told)
        return replace(self, message=f"{self.message} {told}")


def judge_idle(
    names: Sequence[PackageName],
    *,
    folder_empty: bool,
    waiting: bool,
    committed: Committed | None,
    enabled_at: datetime,
    connection: Connection,
    now: datetime,
) -> Judgement:
    """Say whether nothing to do is in order, too early, or a failure."""
    if waiting:
        return Judgement(Outcome.WAITING, None, "A package waits for its keys package, or is still being written.")
    mains = [name.timestamp for name in names if name.kind is not Kind.KEYS]
    if committed is None:
        if any(name.kind is Kind.FULL for name in names):
            return Judgement(Outcome.DONE)
        code = Code.NO_FILES_FOUND if folder_empty else Code.INITIAL_PACKAGE_NOT_FOUND
        if now <= add_working_days(enabled_at, FIRST_PACKAGE_WORKING_DAYS):
            return Judgement(
                Outcome.WAITING, None, "No full package yet; SuccessFactors may take up to 7 working days to make it."
            )
        return Judgement(
            Outcome.FAILED,
            code,
            f"No full package in {connection.sftp.folder} after 7 working days. Check the folder, and "
            "PARTNER_EXTRACT in SuccessFactors; ask SAP support if the package was never made.",
        )
    last = max([committed.timestamp, *mains])
    if now > last + timedelta(hours=connection.delta_expected_hours):
        return Judgement(
            Outcome.FAILED,
            Code.DELTA_PACKAGE_NOT_FOUND,
            f"The last package is of {last:%Y-%m-%d %H:%M} UTC; a new delta was expected within "
            f"{connection.delta_expected_hours:g} hours. Check the job in SuccessFactors and the folder.",
        )
    return Judgement(Outcome.DONE)
