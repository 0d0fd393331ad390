"""The tenant: storage, vault, Graph, the provider's SFTP server, and the app that runs among them."""

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local import connection
from infra.local.alone import alone
from infra.local.azurite import Azurite
from infra.local.certificate import Certificate
from infra.local.connection import NAME, read_setting
from infra.local.given import Given
from infra.local.graph import LICENCE_SERVICE_PLAN_ID, PROVIDER_ID, GraphSimulator
from infra.local.graph.state import State
from infra.local.learning.pace import LIMITS, Limits
from infra.local.peak_memory import PeakMemory
from infra.local.private_file import write_private
from infra.local.sftp import SftpServer
from infra.local.sftp_folder import SftpFolder
from infra.local.successfactors import SuccessFactorsSimulator
from infra.local.usage import UsageError
from infra.local.vault import VaultSimulator
from infra.local.vault_store import VaultError
from infra.local.worker import Host, Worker
from shared.domain.connection import Connection
from shared.domain.messages import COMMANDS, Approve, Collect
from shared.domain.runs import Run
from shared.pipeline import rejects
from shared.pipeline.journal import new_run_id
from shared.pipeline.parts import Parts
from shared.wiring import make_parts

PEPPER_SECRET = "pepper"  # noqa: S105 - the name of a secret
STUCK_AFTER_SECONDS = 5
LOOPBACK = "127.0.0.1,localhost"


class Tenant:
    """All that the app finds around it, while the `with` block lasts; one block at a time on one `state`.

    | below `state` | holds |
    | --- | --- |
    | `storage/` | the storage account: what the app keeps |
    | `simulators/` | what only the others know: the vault, the directory, the provider's folder |
    | `logs/host.log` | what the functions host has said |
    """

    parts: Parts
    """The app's own view of the storage account. Its vault and its Graph are for the worker only."""

    def __init__(self, state: Path, now: datetime | None = None, *, lms_limits: Limits = LIMITS) -> None:
        self.state = state.absolute()
        self.now = now
        """Where the clock of the next worker starts; `None` is the real time."""
        self.log_file = self.state / "logs" / "host.log"
        self.memory = PeakMemory()
        self.worker = Worker(self.log_file, self.memory)
        simulators = self.state / "simulators"
        self._folder_path = simulators / "sftp"
        self._sftp_state = simulators / "sftp-server"
        self._vault_state, self._graph_state = simulators / "vault", simulators / "graph"
        self._lms_state = simulators / "lms"
        self._lms_limits = lms_limits
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start everything but the worker.

        Raises:
            UsageError: another process works on this state.
            AzuriteError, OpenSshError: that server does not start.
        """
        with ExitStack() as starting:
            self.state.mkdir(parents=True, exist_ok=True)
            starting.enter_context(alone(self.state / "lock"))
            for private in (self._sftp_state, self._vault_state, self._graph_state, self._lms_state):
                private.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.azurite = starting.enter_context(Azurite(self.state / "storage"))
            self.vault = starting.enter_context(VaultSimulator(self._vault_state))
            self.graph = starting.enter_context(GraphSimulator(self._graph_state))
            self.lms = starting.enter_context(
                SuccessFactorsSimulator(
                    self._lms_state, certificate=Certificate.kept_in(self._vault_state), limits=self._lms_limits
                )
            )
            self.folder = SftpFolder(self._folder_path)
            starting.callback(self.folder.keep)
            self.sftp = starting.enter_context(SftpServer(self._folder_path, self._sftp_state))
            starting.callback(self.worker.stop)
            self.parts = make_parts(self.environment())
            self._running = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End everything, the worker first."""
        self._running.close()

    def environment(self, *, scheduled: bool = False) -> dict[str, str]:
        """Return the app settings. Unless `scheduled`, nothing is collected that nobody has asked for."""
        extensions = "AzureFunctionsJobHost__extensions__"
        settings = {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "LMS_VAULT_URL": self.vault.url,
            "LMS_VAULT_VERIFY_CHALLENGE": "false",
            "LMS_PEPPER_SECRET": PEPPER_SECRET,
            "LMS_GRAPH_URL": self.graph.url,
            "LMS_STUCK_AFTER_SECONDS": str(STUCK_AFTER_SECONDS),
            "REQUESTS_CA_BUNDLE": str(self.vault.ca_file),
            "SSL_CERT_FILE": str(self.vault.ca_file),
            "LOCAL_HOST_FUNCTION_KEY": self.function_key,
            "IDENTITY_ENDPOINT": self.vault.identity_endpoint,
            "IDENTITY_HEADER": self.vault.identity_header,
            "NO_PROXY": ",".join(filter(None, (LOOPBACK, os.environ.get("NO_PROXY")))),
            "COLLECT_SCHEDULE": "0 0 * * * *",
            "SWEEP_SCHEDULE": "*/5 * * * * *",
            f"{extensions}queues__maxPollingInterval": "00:00:00.2000000",
            f"{extensions}queues__visibilityTimeout": "00:00:01",
            "LOCAL_HOST_BLOB_SCAN_SECONDS": "0.5",
        }
        if not scheduled:
            settings["AzureWebJobs.collect_packages.Disabled"] = "true"
        if self.now is not None:
            settings["LMS_NOW"] = self.now.isoformat()
        return settings

    @property
    def function_key(self) -> str:
        """The key that the app's HTTP functions ask for; the same at every start."""
        file = self.state / "simulators" / "function-key"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(32).encode())
        return file.read_text("ascii")

    def write_environment(self) -> Path:
        """Write what `lms` needs to find this tenant, for this user only; return the file."""
        file = self.state / "lms.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in self.environment().items()), "utf-8")
        return file

    def configure(self, given: Given) -> None:
        """Add what is given to the connection, the vault, the directory and the provider's folder.

        Only the address of the SFTP server is always written: its port is another one at every start.

        Raises:
            UsageError: something of it cannot be accepted.
        """
        if given.sftp is not None:
            self.folder.show(given.sftp)
        if given.directory is not None:
            try:
                self.graph.load_directory(given.directory)
            except (ValueError, OSError) as error:
                raise UsageError(f"--directory {given.directory}: {error}") from None
        document = self.parts.connections.find(NAME)
        before = (
            document.value
            if document
            else connection.first_connection(provider_id=PROVIDER_ID, licence_service_plan_id=LICENCE_SERVICE_PLAN_ID)
        )
        if given.passphrases and not before.get("pgp_passphrase_secret"):
            before = {**before, "pgp_passphrase_secret": connection.PASSPHRASE_SECRET}
        before = {
            **before,
            "sftp": self._address(before.get("sftp", {})),
            "write_back": self._way_back(before.get("write_back")),
        }
        after = connection.change(before, given.settings)
        self._fill_vault(after, given)
        value = after.model_dump(mode="json")
        if document is None or value != document.value:
            self.parts.connections.put(NAME, value, document.etag if document else None)

    def set(self, name: str, value: object) -> None:
        """Change a setting of the connection, by the same names as `--set`.

        Raises:
            UsageError: there is no such setting, or it does not take this value.
        """
        text = value if isinstance(value, str) else json.dumps(value)
        self.configure(Given(settings=(read_setting(f"{name}={text}"),)))

    def add_private_key(self, file: Path, passphrase: str | None = None) -> None:
        """Put an armored OpenPGP secret key into the vault, as the newest version."""
        passphrases = () if passphrase is None else (passphrase,)
        self.configure(Given(private_keys=(file.read_text("utf-8"),), passphrases=passphrases))

    def export_viva(self, file: Path) -> None:
        """Write what Viva Learning holds, one JSON object a line, whether anything runs or not."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(State(self._graph_state)) as kept:
            kept.export_viva(file)

    def export_rejects(self, runs: Iterable[Run]) -> Path | None:
        """Write the rejected rows of these runs as CSV, one file a run; return the last file if there is one."""
        folder = self.state / "reports"
        exported = None
        for run in runs:
            if run.reject_count:
                folder.mkdir(exist_ok=True)
                with suppress(FileNotFoundError):
                    content = self.parts.reports.get(rejects.path(run))
                    exported = folder / f"{run.run_id}-rejects.csv"
                    exported.write_bytes(content)
        return exported

    def start_worker(self, *, scheduled: bool = False, host: Host = "small", port: int = 0) -> None:
        """Start the functions host; its clock begins at `now`."""
        self.worker.start(self.environment(scheduled=scheduled), host=host, port=port, quiet=not scheduled)

    def stop_worker(self) -> None:
        """End the functions host in an orderly way."""
        self.worker.stop()

    def kill_worker(self) -> None:
        """End the functions host as if its machine had died."""
        self.worker.kill()

    def collect(self, *, dry_run: bool = False) -> str:
        """Ask for a look into the provider's folder, and return the id of this sync."""
        sync_id = self._new_id()
        command = Collect(connection=NAME, sync_id=sync_id, dry_run=dry_run)
        self.parts.messages.send(COMMANDS, command.model_dump_json())
        return sync_id

    def approve(self, run_id: str) -> str:
        """Let a halted run go on, and return the id of this sync."""
        sync_id = self._new_id()
        command = Approve(connection=NAME, run_id=run_id, sync_id=sync_id)
        self.parts.messages.send(COMMANDS, command.model_dump_json())
        return sync_id

    def _new_id(self) -> str:
        return new_run_id(self.now or datetime.now(UTC))

    def _address(self, before: dict[str, object]) -> dict[str, object]:
        return {
            **before,
            "host": self.sftp.host,
            "port": self.sftp.port,
            "user": self.sftp.user,
            "folder": self.sftp.folder_path,
            "host_key": self.sftp.host_key,
        }

    def _way_back(self, before: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return where records go back to: at first to the simulator, whose port may be another one at every start."""
        if before is None:
            return connection.first_write_back(self.lms)
        if before["target"]["base_url"].startswith("https://127.0.0.1:"):
            return {**before, "target": {**before["target"], "base_url": self.lms.url}}
        return before

    def _fill_vault(self, settings: Connection, given: Given) -> None:
        if not self.vault.has(PEPPER_SECRET):
            self.vault.put_secret(PEPPER_SECRET, secrets.token_hex(32))
        self._put_versions(settings.sftp.secret, [self.sftp.client_private_key])
        if settings.write_back is not None:
            self._put_versions(settings.write_back.target.secret, [self.lms.secret])
            if not self.vault.has(settings.write_back.sealed_secret):
                self.vault.put_secret(settings.write_back.sealed_secret, secrets.token_hex(32))
        self._put_versions(settings.pgp_key_secret, given.private_keys)
        if settings.pgp_passphrase_secret:
            passphrases = list(dict.fromkeys(given.passphrases))
            self._put_versions(settings.pgp_passphrase_secret, passphrases)

    def _put_versions(self, name: str, values: Sequence[str]) -> None:
        """Make these the newest versions, the last the newest, unless they are already."""
        known = [version.value for version in self.vault.versions(name)]
        if not values or known[-len(values) :] == list(values):
            return
        for value in values:
            if known[-1:] == [value]:
                continue
            try:
                self.vault.put_secret(name, value)
            except VaultError as error:
                raise UsageError(f"The vault does not take the secret {name!r}: {error}") from None
            known.append(value)
