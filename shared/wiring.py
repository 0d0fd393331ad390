"""Which adapter plays which port, put together once a process and no sooner than somebody asks."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from time import monotonic, sleep
from typing import TYPE_CHECKING

from shared.domain.errors import Code, SettingsError

if TYPE_CHECKING:
    from shared.adapters.identity import ManagedIdentity
    from shared.adapters.storage_account import StorageAccount
    from shared.domain.profile import Profile
    from shared.pipeline.parts import Parts
    from shared.ports import (
        Caller,
        Graph,
        Keys,
        LearningTargets,
        PackageOpener,
        RemoteFolders,
        Sealing,
        Secrets,
        Table,
        Webhook,
    )
    from shared.settings import Settings


_PREFIX = "LMS_"
_STORAGE_SCOPE = "https://storage.azure.com/.default"


@cache
def parts() -> "Parts":
    """Return the parts of this process, made from its environment."""
    return make_parts(os.environ)


def make_parts(environment: Mapping[str, str], *, signed_in: bool = False) -> "Parts":
    """Put everything together; for the app, or with `signed_in` for the person at a terminal.

    Raises:
        SettingsError: settings are missing or wrong; all of them are named.
    """
    # Imported here and not above, all over this module: loading the app, which every start does, should not pay.
    from shared.adapters.blobs import AzureBlobs  # noqa: PLC0415
    from shared.adapters.cached_blobs import CachedBlobs  # noqa: PLC0415
    from shared.adapters.documents import AzureDocuments  # noqa: PLC0415
    from shared.adapters.identity import ManagedIdentity  # noqa: PLC0415
    from shared.adapters.intake import AzureIntake  # noqa: PLC0415
    from shared.adapters.late import (  # noqa: PLC0415
        LateFolders,
        LateGraph,
        LateKeys,
        LateOpener,
        LateSealing,
        LateSecrets,
        LateTable,
        LateTargets,
        LateWebhook,
    )
    from shared.adapters.leases import AzureLeases  # noqa: PLC0415
    from shared.adapters.queues import AzureMessages  # noqa: PLC0415
    from shared.adapters.storage_account import StorageAccount  # noqa: PLC0415
    from shared.pipeline.parts import Parts  # noqa: PLC0415

    settings = read_settings(environment)
    clock = make_clock(settings.now)
    account = StorageAccount(environment, signed_in=signed_in)
    identity = ManagedIdentity(settings.identity_client_id, signed_in=signed_in)
    return Parts(
        connections=AzureDocuments(account, "connections"),
        states=AzureDocuments(account, "states"),
        runs=AzureDocuments(account, "runs"),
        ledger=LateTable(lambda: _table(account, "ledger")),
        syncs=LateTable(lambda: _table(account, "syncs")),
        poison=LateTable(lambda: _table(account, "poison")),
        alerts=LateTable(lambda: _table(account, "alerts")),
        intake=AzureIntake(account, "sealed"),
        sealed=AzureBlobs(account, "sealed"),
        records=AzureBlobs(account, "records"),
        tables=CachedBlobs(account, "tables"),
        pushes=AzureBlobs(account, "pushes"),
        reports=AzureBlobs(account, "reports"),
        directory=AzureBlobs(account, "directory"),
        directory_index=AzureDocuments(account, "directory"),
        inbox=AzureBlobs(account, "inbox"),
        outbox=AzureBlobs(account, "outbox"),
        pushing=AzureDocuments(account, "outbox"),
        receipts=AzureBlobs(account, "receipts"),
        batches=LateTable(lambda: _table(account, "batches")),
        messages=AzureMessages(account),
        leases=AzureLeases(account, "leases"),
        secrets=LateSecrets(lambda: _secrets(settings, identity)),
        folders=LateFolders(lambda: _folders(settings)),
        opener=LateOpener(lambda: _opener(settings)),
        keys=LateKeys(_keys),
        graph=LateGraph(lambda: _graph(settings, identity, clock)),
        caller=lambda: _caller(settings, identity),
        webhook=LateWebhook(_webhook),
        sealing=LateSealing(_sealing),
        learning=LateTargets(_targets),
        get_profile=get_profile,
        clock=clock,
        pause=sleep,
        pepper_secret=settings.pepper_secret,
        memory_mb=settings.memory_limit_mb,
        stuck_after=timedelta(seconds=settings.stuck_after_seconds),
        collect_schedule=environment.get("COLLECT_SCHEDULE", ""),
    )


def find_signed_in(environment: Mapping[str, str]) -> str | None:
    """Return the object id in Entra of the person at the terminal; `None` on the local tenant, which knows nobody.

    Raises:
        TransientError: nobody is signed in.
    """
    from shared.adapters.identity import ManagedIdentity  # noqa: PLC0415 - paid by those who approve

    if not any(name.startswith("AzureWebJobsStorage__") for name in environment):
        return None
    return ManagedIdentity(None, signed_in=True).object_id(_STORAGE_SCOPE)


@contextmanager
def person_graph(
    environment: Mapping[str, str],
    permission: str,
    *,
    client_id: str,
    tenant_id: str | None,
    in_browser: bool,
    tell: Callable[[str], object],
) -> Iterator["Graph"]:
    """Yield Graph as a person sees it who signs in for one delegated permission when the first call is sent.

    Nothing else of the environment is needed, so that it may be done before there is a deployment.
    """
    from shared.adapters.graph import HttpxGraph  # noqa: PLC0415 - paid by whoever registers a provider
    from shared.adapters.sign_in import SignIn  # noqa: PLC0415 - the same
    from shared.settings import Settings  # noqa: PLC0415 - the same

    url = _given(environment).get("graph_url") or Settings.model_fields["graph_url"].default
    graph = HttpxGraph(
        url,
        SignIn(client_id, tenant_id, in_browser=in_browser, tell=tell),
        timeout_seconds=Settings.model_fields["graph_timeout_seconds"].default,
        scope=f"{url.rstrip('/')}/{permission}",
        clock=make_clock(None),
    )
    with closing(graph):
        yield graph


def _table(account: "StorageAccount", name: str) -> "Table":
    from shared.adapters.tables import AzureTable  # noqa: PLC0415 - paid by those who keep rows

    return AzureTable(account, name)


def _secrets(settings: "Settings", identity: "ManagedIdentity") -> "Secrets":
    from shared.adapters.key_vault import KeyVaultSecrets  # noqa: PLC0415 - paid by those who need a secret

    return KeyVaultSecrets(
        settings.vault_url,
        identity.credential,
        verify_challenge=settings.vault_verify_challenge,
        cache_seconds=settings.secret_cache_seconds,
    )


def _folders(settings: "Settings") -> "RemoteFolders":
    from shared.adapters.sftp import SftpFolders  # noqa: PLC0415 - paid by those who collect

    return SftpFolders(timeout_seconds=settings.sftp_timeout_seconds)


def _opener(settings: "Settings") -> "PackageOpener":
    from shared.adapters.openpgp import open_with  # noqa: PLC0415 - paid by those who open packages

    return open_with(settings.openpgp)


def _keys() -> "Keys":
    from shared.adapters.key_maker import KeyMaker  # noqa: PLC0415 - paid by admins

    return KeyMaker()


def _graph(settings: "Settings", identity: "ManagedIdentity", clock: Callable[[], datetime]) -> "Graph":
    from shared.adapters.graph import HttpxGraph  # noqa: PLC0415 - paid by those who ask Graph

    return HttpxGraph(
        settings.graph_url,
        identity,
        timeout_seconds=settings.graph_timeout_seconds,
        scope=settings.graph_scope,
        clock=clock,
    )


def _caller(settings: "Settings", identity: "ManagedIdentity") -> "Caller | None":
    from shared.adapters.graph_wire import read_caller  # noqa: PLC0415 - paid by admins

    return read_caller(identity.get_token(settings.graph_scope))


def _webhook() -> "Webhook":
    from shared.adapters.webhook import HttpxWebhook  # noqa: PLC0415 - paid by those who have something to tell

    return HttpxWebhook()


def _sealing() -> "Sealing":
    from shared.adapters.sealing import AesGcm  # noqa: PLC0415 - paid by those who seal records

    return AesGcm()


def _targets() -> "LearningTargets":
    from shared.adapters.learning import HttpxLearningTargets  # noqa: PLC0415 - paid by those who send records back

    return HttpxLearningTargets()


def read_settings(environment: Mapping[str, str]) -> "Settings":
    """Read the settings from an environment.

    Raises:
        SettingsError: all that is missing or wrong, by its name in the environment.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from shared.settings import Settings  # noqa: PLC0415

    try:
        return Settings.model_validate(_given(environment))
    except ValidationError as error:
        wrong = "; ".join(f"{_PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"Settings of the app are wrong. {wrong}", Code.SETTINGS_INVALID) from None


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the app's own settings in an environment, by their names in `Settings`."""
    return {key.removeprefix(_PREFIX).lower(): value for key, value in environment.items() if key.startswith(_PREFIX)}


def make_clock(start: datetime | None) -> Callable[[], datetime]:
    """Return a clock in aware UTC; with a start it runs from there."""
    if start is None:
        return lambda: datetime.now(UTC)
    began, first = monotonic(), start.astimezone(UTC)
    return lambda: first + timedelta(seconds=monotonic() - began)


@cache
def get_profile(name: str) -> "Profile":
    """Return a package profile.

    Raises:
        SettingsError: there is none of that name.
    """
    from shared.domain.profile import Profile  # noqa: PLC0415

    file = files("shared.profiles") / f"{name}.json"
    if not file.is_file():
        raise SettingsError(f"There is no package profile {name!r}.", Code.SETTINGS_INVALID)
    return Profile.model_validate_json(file.read_text("utf-8"))
