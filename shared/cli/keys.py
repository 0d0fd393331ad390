"""`lms keys`: pairs that are made straight into the vault, what the enabled versions are good for, and what expires."""

from datetime import datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli import generate_keys
from shared.cli.options import Json, Yes
from shared.cli.show import print_json, time_text
from shared.cli.tenant import EXIT_FAILED, Tenant, ask, telling_errors
from shared.domain.connection import Connection
from shared.domain.errors import SettingsError
from shared.pipeline import journal
from shared.pipeline.doctor.key_use import VersionUse, list_use
from shared.pipeline.doctor.keys import KeyVersion, check_versions
from shared.pipeline.key_expiry import list_expiring
from shared.pipeline.parts import Parts

app = typer.Typer(help="Make keys straight into the vault, check them, and list them.", no_args_is_help=True)
app.add_typer(generate_keys.app, name="generate")


@app.command("enable")
def enable(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="As `lms keys generate ssh` said.")],
    *,
    yes: Yes = False,
) -> None:
    """Let the SFTP login use a version that was added disabled."""
    tenant: Tenant = context.obj
    with telling_errors():
        secret = journal.get_connection(tenant.parts, tenant.connection).sftp.secret
        ask(f"Log in with version {version} of the secret {secret!r} from now on?", yes=yes)
        tenant.parts.secrets.enable(secret, version)
    tenant.console.print(Text("It is used from the next look on, within minutes."))


@app.command("check")
def check(context: typer.Context, *, json: Json = False) -> None:
    """Try out every enabled version of the OpenPGP key and the SSH key; ends with 1 when one is no good."""
    tenant: Tenant = context.obj
    with telling_errors():
        connection = journal.get_connection(tenant.parts, tenant.connection)
        versions = check_versions(tenant.parts, connection)
        if connection.sftp.login == "key":
            versions += _check_ssh(tenant.parts, connection)
        now = tenant.parts.clock()
        endings = [each.sentence(now) for each in list_expiring(tenant.parts, connection) if each.mark(now) is not None]
    if json:
        print_json(versions)
    else:
        for version in versions:
            _show_version(tenant, version)
        for ending in endings:
            tenant.console.print(Text(f"Warning: {ending}", style="yellow"))
    if any(version.problems for version in versions):
        raise typer.Exit(EXIT_FAILED)


@app.command("list")
def list_keys(context: typer.Context, *, json: Json = False) -> None:
    """List the enabled versions of the OpenPGP key: when they came, when they end, when they opened a package last."""
    tenant: Tenant = context.obj
    with telling_errors():
        connection = journal.get_connection(tenant.parts, tenant.connection)
        found = list_use(tenant.parts, tenant.connection, connection)
    if json:
        print_json(found)
    else:
        tenant.console.print(_use_table(found))


def _check_ssh(parts: Parts, connection: Connection) -> list[KeyVersion]:
    """Only the newest version is ever used for the login."""
    secret = parts.secrets.get(connection.sftp.secret)
    found = KeyVersion(
        secret=connection.sftp.secret,
        version=secret.version,
        created_at=secret.created_at,
        expires_at=secret.expires_at,
    )
    try:
        key = parts.keys.read_ssh(secret)
    except SettingsError as error:
        return [found.model_copy(update={"problems": (str(error),)})]
    told = f"SSH, {key.kind}, {key.fingerprint}; its public half: {key.public}"
    return [found.model_copy(update={"remarks": (told,)})]


def _show_version(tenant: Tenant, version: KeyVersion) -> None:
    title = Text(f"{version.secret}, version {version.version}", style="bold")
    title.append("  no good" if version.problems else "  good", style="red" if version.problems else "green")
    tenant.console.print(title)
    tenant.console.print(Text(f"  created {time_text(version.created_at)}, expires {_ends(version.expires_at)}"))
    for key in version.keys:
        place = "primary key" if key.is_primary else "subkey"
        use = "packages are sealed for it" if key.encrypts else "not for encryption"
        tenant.console.print(Text(f"  {key.key_id}  {key.kind}  {place}, {use}"))
    for problem in version.problems:
        tenant.console.print(Text(f"  Problem: {problem}", style="red"))
    for remark in version.remarks:
        tenant.console.print(Text(f"  Remark: {remark}"), soft_wrap=True)


def _use_table(found: list[VersionUse]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("version", "key", "created", "expires", "last use", "package"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(
            each.version,
            ", ".join(each.key_ids) or "cannot be read",
            time_text(each.created_at),
            _ends(each.expires_at),
            time_text(each.used_at) or "never",
            each.package,
        )
    return table


def _ends(moment: datetime | None) -> str:
    return time_text(moment) or "never"
