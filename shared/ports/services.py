"""What is asked of the vault, of providers' servers, of OpenPGP software, and of Microsoft Graph."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol

from shared.domain.connection import Connection


@dataclass(frozen=True, slots=True)
class Secret:
    """One enabled version of a secret; expired ones are still given (the vault does the same)."""

    version: str
    value: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None


class Secrets(Protocol):
    """The vault. Values are cached for a short while (`LMS_SECRET_CACHE_SECONDS`)."""

    def get(self, name: str) -> Secret:
        """Return the newest enabled version.

        Raises:
            SettingsError: no such secret, no enabled version, or no right to read it.
            TransientError: the vault cannot be reached (`VAULT_UNREACHABLE`).
        """
        ...

    def list_versions(self, name: str) -> Sequence[Secret]:
        """Return every enabled version, newest first; raises like `get`."""
        ...

    def add_version(self, name: str, value: str, *, expires_at: datetime | None = None, enabled: bool = True) -> Secret:
        """Add a version, which is the newest from now on; a second call adds another one.

        For an admin: the app has no right to it. One that is not enabled is used by nobody until `enable`.

        Raises:
            SettingsError: no right to write, or not a name or value that the vault takes.
            TransientError: the vault cannot be reached (`VAULT_UNREACHABLE`).
        """
        ...

    def enable(self, name: str, version: str) -> None:
        """Let a version be used; raises like `add_version`."""
        ...


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new pair of keys. The private half goes into the vault and nowhere else."""

    key_id: str
    """Of OpenPGP the id of the key that packages are sealed for; of SSH the fingerprint."""
    public: str
    """Of OpenPGP armored; of SSH one line."""
    private: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenPgpKey:
    """One secret key or subkey in a version of the secret; nothing of it is secret."""

    key_id: str
    is_primary: bool
    encrypts: bool
    """Whether packages may be sealed for it: so its flags say, or its kind where it has none."""
    kind: str
    """For people, as in `RSA 3072`."""
    rsa_bits: int | None
    created_at: datetime
    expires_at: datetime | None
    """The sooner of its own expiry and its primary key's."""
    is_weakly_signed: bool
    """Whether the only certificates of it by its own primary key are under SHA-1 or MD5."""
    is_unlocked: bool
    """Whether it needs no passphrase, or one of those given fits."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """An SSH private key; nothing of it is secret."""

    kind: str
    """For people, as in `ssh-ed25519`."""
    public: str
    """One line, as servers take it."""
    fingerprint: str


class Keys(Protocol):
    """Makes and examines keys, in memory."""

    def make_openpgp(self, owner: str, passphrase: str | None) -> KeyPair:
        """Make a pair for sealing packages: RSA with 3072 bits, an encryption subkey, no expiry of its own.

        `owner` is its user id, as in `Ann Example <ann@example.com>`.
        """
        ...

    def make_ssh(self, kind: Literal["ed25519", "rsa"]) -> KeyPair:
        """Make a pair for logging in, without a passphrase."""
        ...

    def read_openpgp(self, secret: Secret, passphrases: Sequence[Secret]) -> Sequence[OpenPgpKey]:
        """Return the keys that a version of the secret holds, primary keys first.

        Raises:
            SettingsError: it holds no OpenPGP secret key; the message says what it looks like instead.
        """
        ...

    def seal(self, secret: Secret, key_id: str, content: bytes) -> bytes:
        """Seal something for the public half of a key that `read_openpgp` found, whatever its flags and expiry."""
        ...

    def read_ssh(self, secret: Secret) -> SshKey:
        """Return what is public of an SSH private key.

        Raises:
            SettingsError: it is none, or it is locked.
        """
        ...


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in the provider's folder."""

    name: str
    size_bytes: int
    modified_at: datetime


class RemoteFolder(Protocol):
    """The provider's folder, while a session is open."""

    def list_files(self) -> Sequence[RemoteFile]:
        """Return the plain files of the folder, by name; folders and links are left out.

        Raises:
            SettingsError: no such folder (`FOLDER_NOT_FOUND`) or no right to it (`ACCESS_DENIED`).
        """
        ...

    def stat(self, name: str) -> RemoteFile:
        """Look at one file again; raise `FileNotFoundError` when it has gone."""
        ...

    def read(self, name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        """Yield the content from the offset in blocks of that size; the last one may be smaller.

        When the connection breaks, what has come of a block is yielded first. What is under way is bounded.

        Raises:
            TransientError: the connection broke; what was yielded before is good.
        """
        ...


class RemoteFolders(Protocol):
    """Opens sessions to providers' folders."""

    def open(self, connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
        """Log in with the pinned host key, and log out at the end.

        Raises:
            SettingsError: login refused (`INVALID_CREDENTIALS`), host key unknown or changed (`HOST_KEY_CHANGED`).
            TransientError: the server cannot be reached (`SERVER_UNREACHABLE`).
        """
        ...


@dataclass(frozen=True, slots=True)
class Seal:
    """What was found out about the seal of a package; complete once the stream has ended."""

    key_id: str
    """The OpenPGP key id (16 hex digits, upper case) that opened it."""
    warnings: tuple[str, ...] = ()


class OpenedPackage(Protocol):
    """A package being decrypted."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the clear text in pieces of about 1 MiB.

        Nothing of it may be trusted before the iterator has ended without an error: the integrity check is
        at the end of an OpenPGP message.

        Raises:
            PackageError: `NO_MATCHING_KEY`, `PASSPHRASE_INVALID`, `NOT_OPENPGP`, `PACKAGE_DAMAGED`,
                `PACKAGE_UNPROTECTED` or `SIGNATURE_INVALID`.
        """
        ...

    @property
    def seal(self) -> Seal:
        """What is known of the seal; the warnings are complete after the last chunk."""
        ...


class PackageOpener(Protocol):
    """Decrypts OpenPGP messages."""

    def open(
        self, sealed: BinaryIO, keys: Sequence[Secret], passphrases: Sequence[Secret], *, require_signature: bool
    ) -> AbstractContextManager[OpenedPackage]:
        """Decrypt with the first of the keys (newest first) that fits, trying the passphrases newest first.

        Keys are armored secret keys. The clear text never touches a disk, and neither does an unlocked key.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Graph: a path below the version, and a JSON body."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Graph's answer to one call, whether it went alone or in a batch."""

    status: int
    """HTTP status; 0 when no answer came at all (timeout, broken connection)."""
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after_seconds: float | None = None
    """From the header, or from the minutes in the text of the error; `None` when neither is there."""
    served_at: datetime | None = field(default=None, compare=False)
    """What the other side's clock said, to the second; of calls sent alone."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom Graph takes us for, as our token says."""

    roles: frozenset[str] = frozenset()
    """App roles: what an app may do by itself."""
    scopes: frozenset[str] = frozenset()
    """What may be done in the name of a person who has signed in; empty for an app."""


class Graph(Protocol):
    """Microsoft Graph, as a plain way to send calls. Judging answers is the pipeline's work."""

    def send(self, calls: Sequence[Call], *, batch: bool) -> Sequence[Answer]:
        """Send the calls, at most 20 of them when `batch`, and return their answers in the same order.

        In a batch, items are judged one by one; a whole batch that fails gives every item the same answer.
        A 401 is retried once with a fresh token before it is returned.
        """
        ...

    def pages(self, url: str) -> Iterator[tuple[bytes, str | None]]:
        """Follow a listing from a path or link; yield each page's raw JSON and its delta link, if it has one.

        Raises:
            SettingsError: `GRAPH_PERMISSION_MISSING`.
            TransientError: throttled or unavailable; with `not_before` when Graph gave one.
            LookupError: 410, the delta link is no longer good; the message is the link to start again from.
        """
        ...


class Webhook(Protocol):
    """A place that people read, such as a channel of Teams or Slack."""

    def post(self, url: str, text: str) -> None:
        """Send a message there; `url` is a secret, and stands in no error and no log.

        Raises:
            SettingsError: the address is none that may be used, or the other side does not know it.
            TransientError: it could not be delivered now.
        """
        ...
