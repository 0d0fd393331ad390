"""Whom we need: what the pipeline asks of the outside world, as small promises.

Verbs: `get` returns or raises; `find` returns or `None`; `list` yields, perhaps nothing; `put` twice leaves
one; `delete` is fine when it is already gone; `open` and `hold` are context managers.
Every adapter raises `SettingsError`, `TransientError` or `PackageError` (see `shared.domain.errors`) and never a
vendor's own exception.
"""

from shared.ports.learning import LearningTarget, LearningTargets
from shared.ports.sealing import Sealing
from shared.ports.services import (
    Answer,
    Call,
    Caller,
    Graph,
    KeyPair,
    Keys,
    OpenedPackage,
    OpenPgpKey,
    PackageOpener,
    RemoteFile,
    RemoteFolder,
    RemoteFolders,
    Seal,
    Secret,
    Secrets,
    SshKey,
    Webhook,
)
from shared.ports.storage import Blobs, Document, Documents, Intake, Leases, Messages, Table

__all__ = [
    "Answer",
    "Blobs",
    "Call",
    "Caller",
    "Document",
    "Documents",
    "Graph",
    "Intake",
    "KeyPair",
    "Keys",
    "LearningTarget",
    "LearningTargets",
    "Leases",
    "Messages",
    "OpenPgpKey",
    "OpenedPackage",
    "PackageOpener",
    "RemoteFile",
    "RemoteFolder",
    "RemoteFolders",
    "Seal",
    "Sealing",
    "Secret",
    "Secrets",
    "SshKey",
    "Table",
    "Webhook",
]
