"""A desk that is in good health, with real keys and a vault of several versions, for whoever looks for illnesses."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.graph import GraphSimulator
from infra.local.identity import GRAPH_RESOURCE, token_for
from shared.adapters.key_maker import KeyMaker
from shared.adapters.openpgp import open_with
from shared.domain.connection import Connection
from shared.domain.errors import Code, ConnectorError, SettingsError
from shared.pipeline.doctor import Check, examine
from shared.ports import KeyPair, RemoteFolder, Secret
from tests.adapters.openpgp import Workshop
from tests.company import make_directory
from tests.desk import NAME, Desk
from tests.desk_connection import DEFAULTS

PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of keys that live for the tests
PERSON = ("User.Read", "LearningProvider.Read", "Organization.Read.All", "User.Read.All")
"""Scopes of somebody who may look at everything."""


@cache
def pgp_pair() -> KeyPair:
    """A locked pair with an encryption subkey; one of elliptic curves, for those are made in no time."""
    with TemporaryDirectory(prefix="gpg-tests-") as folder, Workshop(Path(folder)) as workshop:
        made = workshop.key("clinic", passphrase=PASSPHRASE)
    return KeyPair(made.encrypts, made.public, made.secret)


@cache
def ssh_pair() -> KeyPair:
    return KeyMaker().make_ssh("ed25519")


class Vault:
    """Secrets with versions, in memory, as the port promises."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._versions: dict[str, list[Secret]] = {}
        self.disabled: set[str] = set()

    def list_versions(self, name: str) -> Sequence[Secret]:
        found = [each for each in self._versions.get(name, ()) if each.version not in self.disabled]
        if not found:
            raise SettingsError(f"The vault has no secret {name!r}.", Code.SECRET_MISSING)
        return found[::-1]

    def get(self, name: str) -> Secret:
        return self.list_versions(name)[0]

    def add_version(self, name: str, value: str, *, expires_at: datetime | None = None, enabled: bool = True) -> Secret:
        versions = self._versions.setdefault(name, [])
        added = Secret(f"{name}-{len(versions) + 1}", value, self._now + timedelta(seconds=len(versions)), expires_at)
        versions.append(added)
        if not enabled:
            self.disabled.add(added.version)
        return added

    def enable(self, name: str, version: str) -> None:
        if version not in {each.version for each in self._versions.get(name, ())}:
            raise SettingsError(f"The vault has no secret {name!r}.", Code.SECRET_MISSING)
        self.disabled.discard(version)

    def put(self, name: str, value: str, *, expires_at: datetime | None = None) -> None:
        """Let the secret have this version alone."""
        self._versions[name] = []
        self.add_version(name, value, expires_at=expires_at)

    def lose(self, name: str) -> None:
        del self._versions[name]


class Clinic:
    """The desk, its vault, and what the doctor finds."""

    def __init__(self, graph: GraphSimulator) -> None:
        self.desk = Desk(graph, {"pgp_passphrase_secret": "pgp-passphrase", "viva": self._viva(graph)})
        self.graph = graph
        self.desk.now = datetime.now(UTC)
        self.vault = Vault(self.desk.now)
        self.vault.put("pepper", "5a" * 32)
        self.vault.put("sftp-login", ssh_pair().private)
        self.vault.put("pgp-private-key", pgp_pair().private)
        self.vault.put("pgp-passphrase", PASSPHRASE)
        self.be_app()
        self.drop(self.package)
        self.examine_with_real_keys()

    def _viva(self, graph: GraphSimulator) -> dict[str, object]:
        return {**DEFAULTS["viva"], "provider_id": graph.provider_id}

    @property
    def package(self) -> str:
        """Name of a full package that waits for no keys package any more."""
        return f"acme_F_{self.desk.now - timedelta(hours=6):%Y%m%d%H}0000.zip.pgp"

    def drop(self, *names: str) -> None:
        """Let the folder hold just these files."""
        self.desk.folder.files = dict.fromkeys(names, b"sealed")

    def examine_with_real_keys(self) -> None:
        """From here on packages are opened for real, so that nothing is synced any more."""
        self.desk.parts = replace(self.desk.parts, secrets=self.vault, opener=open_with("auto"))

    def be_app(self, *roles: str) -> None:
        """Let tokens be the app's; with all roles unless some are named."""
        self.desk.tokens.value = token_for(GRAPH_RESOURCE, int(time.time()) + 3600, roles=roles or None)

    def be_person(self, *scopes: str) -> None:
        """Let tokens be those of somebody who has signed in."""
        self.desk.tokens.value = token_for(GRAPH_RESOURCE, int(time.time()) + 3600, scopes=scopes or PERSON)

    def set(self, part: str, **settings: object) -> None:
        """Change settings of a part of the connection."""
        document = self.desk.parts.connections.find(NAME)
        assert document is not None
        self.desk.set(**{part: {**document.value[part], **settings}})

    def lock_out(self, error: ConnectorError) -> None:
        """Let the SFTP server refuse."""

        @contextmanager
        def refuse(connection: Connection, secret: Secret) -> Iterator[RemoteFolder]:
            del connection, secret
            raise error
            yield

        def opened(connection: Connection, secret: Secret) -> AbstractContextManager[RemoteFolder]:
            return refuse(connection, secret)

        self.desk.folder.open = opened  # type: ignore[method-assign]  # a server that refuses

    def let_in(self) -> None:
        """Undo `lock_out`."""
        del self.desk.folder.open

    def checks(self, *, schedule: str = "0 0 * * * *") -> dict[str, Check]:
        """Return all that the doctor finds, by name."""
        found = list(examine(replace(self.desk.parts, collect_schedule=schedule), [NAME]))
        by_name = {check.name: check for check in found}
        assert len(by_name) == len(found), "two checks of one name"
        return by_name


@contextmanager
def open_clinic(folder: Path) -> Iterator[Clinic]:
    """Give a clinic whose Graph knows the small company's directory: everything is there, nothing has been synced."""
    with GraphSimulator(folder / "graph") as graph:
        make_directory(graph, folder)
        clinic = Clinic(graph)
        yield clinic
        clinic.desk.close()
