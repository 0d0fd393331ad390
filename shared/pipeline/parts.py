"""Everything a use case may ask for, in one frozen value: the ports, and a few numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.profile import Profile
from shared.ports import (
    Blobs,
    Caller,
    Documents,
    Graph,
    Intake,
    Keys,
    LearningTargets,
    Leases,
    Messages,
    PackageOpener,
    RemoteFolders,
    Sealing,
    Secrets,
    Table,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What wiring puts together. Containers, tables and queues are named after the attribute that holds them."""

    connections: Documents
    """Configuration, one document a connection."""
    states: Documents
    runs: Documents
    ledger: Table
    syncs: Table
    poison: Table
    """Messages that failed too often."""
    alerts: Table
    """What was told to whoever is on call, and is still so."""
    intake: Intake
    sealed: Blobs
    records: Blobs
    tables: Blobs
    """Normalised tables and snapshots of what was published."""
    pushes: Blobs
    reports: Blobs
    directory: Blobs
    directory_index: Documents
    inbox: Blobs
    """Files with records for the LMS, as others have put them there."""
    outbox: Blobs
    """Records for the LMS, sealed, until they have been sent."""
    pushing: Documents
    """How far sending has come and when it may go on, one document a connection; in the container `outbox`."""
    receipts: Blobs
    """What was sent to the LMS, under keyed hashes."""
    batches: Table
    """What became of each batch of records for the LMS."""
    messages: Messages
    leases: Leases
    secrets: Secrets
    folders: RemoteFolders
    opener: PackageOpener
    keys: Keys
    graph: Graph
    caller: Callable[[], Caller | None]
    """Whom Graph takes us for, as our token says; `None` when that cannot be read."""
    webhook: Webhook
    sealing: Sealing
    learning: LearningTargets
    get_profile: Callable[[str], Profile]
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    """Waits so many seconds in place: only for less than a message can be held back by, which is one."""
    pepper_secret: str
    memory_mb: int
    stuck_after: timedelta
    collect_schedule: str
    """When folders are looked into, as NCRONTAB; empty where nobody says."""
