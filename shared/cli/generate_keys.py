"""`lms keys generate`: new pairs, whose private halves go into the vault and nowhere else."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from secrets import token_urlsafe
from typing import Annotated

import typer

from shared.cli.options import Json, Yes
from shared.cli.show import print_json
from shared.cli.tenant import Tenant, ask, fail, telling_errors
from shared.domain.connection import Connection
from shared.domain.errors import Code, SettingsError
from shared.domain.partner_extract import LONGEST_PARTNER_ID, lines_to_compare, lines_to_paste
from shared.domain.strict import Strict
from shared.pipeline import journal
from shared.pipeline.parts import Parts

app = typer.Typer(help="Make a new pair of keys straight into the vault.", no_args_is_help=True)

_PASSPHRASE_BYTES = 32


class MadePgp(Strict):
    """A new OpenPGP pair, without its private half."""

    secret: str
    version: str
    key_id: str
    expires_at: datetime | None
    public_key: str
    partner_extract: tuple[str, ...]
    compare: tuple[str, ...]


class MadeSsh(Strict):
    """A new SSH pair, without its private half."""

    secret: str
    version: str
    fingerprint: str
    expires_at: datetime | None
    public_key: str
    enabled: bool


ExpiresIn = Annotated[
    int,
    typer.Option(
        "--expires-in-days",
        min=0,
        metavar="DAYS",
        help="When warnings of the version's end begin; the vault still gives it afterwards. 0 for never.",
    ),
]


@app.command("pgp")
def generate_pgp(
    context: typer.Context,
    *,
    owner: Annotated[
        str, typer.Option(metavar="NAME <ADDRESS>", help="The key's user id, which SuccessFactors wants as keyOwner.")
    ],
    email: Annotated[
        str | None, typer.Option(help="Where SAP reports on its jobs. (default: the address in --owner)")
    ] = None,
    partner_id: Annotated[
        str | None,
        typer.Option(help="At most 10 characters; Viva's own connector is MVL. (default: the configuration id)"),
    ] = None,
    slot: Annotated[int, typer.Option(min=1, max=3, help="Which of SuccessFactors' three partners it is.")] = 1,
    expires_in_days: ExpiresIn = 730,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make an OpenPGP pair: the private half goes into the vault, the lines for PARTNER_EXTRACT are printed."""
    tenant: Tenant = context.obj
    with telling_errors():
        connection = journal.get_connection(tenant.parts, tenant.connection)
        address = parseaddr(owner)[1]
        if "@" not in address:
            fail(f"--owner {owner!r} is not of the form 'Name <address>'.", Code.SETTINGS_INVALID)
        partner = partner_id if partner_id is not None else connection.configuration_id
        if not 0 < len(partner) <= LONGEST_PARTNER_ID:
            fail(f"--partner-id is needed: {partner!r} has not 1 to {LONGEST_PARTNER_ID} characters.")
        ask(
            f"Add a new version to the secret {connection.pgp_key_secret!r} of the vault? "
            "Packages sealed for its other versions still open.",
            yes=yes,
        )
        with tenant.console.status("Making a key of 3072 bits ..."):
            made = _make_pgp(tenant.parts, connection, owner, _end(tenant.parts, expires_in_days))
        lines = lines_to_paste(
            slot, partner_id=partner, public_key=made.public_key, owner=owner, email=email or address
        )
        made = made.model_copy(
            update={"partner_extract": tuple(lines), "compare": tuple(lines_to_compare(slot, connection.sftp))}
        )
    if json:
        print_json(made)
    else:
        _show_pgp(made)


@app.command("ssh")
def generate_ssh(
    context: typer.Context,
    *,
    rsa: Annotated[
        bool, typer.Option("--rsa", help="RSA with 3072 bits, for servers that do not take Ed25519.")
    ] = False,
    expires_in_days: ExpiresIn = 730,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make an SSH pair: the private half goes into the vault, the public half is printed for the SFTP server.

    Where a key is in use already, the new one is added disabled, so that logins go on; `lms keys enable` switches over.
    """
    tenant: Tenant = context.obj
    with telling_errors():
        connection = journal.get_connection(tenant.parts, tenant.connection)
        secret = connection.sftp.secret
        if connection.sftp.login != "key":
            fail(
                "The connection logs in with a password. Set sftp.login to key and sftp.secret to another name first.",
                Code.SETTINGS_INVALID,
            )
        first = not _versions_of(tenant.parts, secret)
        ask(
            f"Add a new version{'' if first else ', disabled for now,'} to the secret {secret!r} of the vault?", yes=yes
        )
        pair = tenant.parts.keys.make_ssh("rsa" if rsa else "ed25519")
        end = _end(tenant.parts, expires_in_days)
        added = tenant.parts.secrets.add_version(secret, pair.private, expires_at=end, enabled=first)
    made = MadeSsh(
        secret=secret,
        version=added.version,
        fingerprint=pair.key_id,
        expires_at=end,
        public_key=pair.public,
        enabled=first,
    )
    if json:
        print_json(made)
        return
    typer.echo(f"Version {made.version} of the secret {secret!r} holds the private half of {made.fingerprint}.")
    typer.echo("Have this put on the SFTP server as an authorised key of the user in sftp.user:\n")
    typer.echo(made.public_key)
    if not first:
        typer.echo(f"\nOnce it is there, switch over with: lms keys enable {made.version}")


def _end(parts: Parts, days: int) -> datetime | None:
    return parts.clock() + timedelta(days=days) if days else None


def _make_pgp(parts: Parts, connection: Connection, owner: str, end: datetime | None) -> MadePgp:
    """Put the passphrase first: a key without it opens nothing, and a passphrase without a key does no harm."""
    passphrase = token_urlsafe(_PASSPHRASE_BYTES) if connection.pgp_passphrase_secret else None
    pair = parts.keys.make_openpgp(owner, passphrase)
    if connection.pgp_passphrase_secret and passphrase:
        parts.secrets.add_version(connection.pgp_passphrase_secret, passphrase, expires_at=end)
    added = parts.secrets.add_version(connection.pgp_key_secret, pair.private, expires_at=end)
    return MadePgp(
        secret=connection.pgp_key_secret,
        version=added.version,
        key_id=pair.key_id,
        expires_at=end,
        public_key=pair.public,
        partner_extract=(),
        compare=(),
    )


def _versions_of(parts: Parts, secret: str) -> int:
    try:
        return len(parts.secrets.list_versions(secret))
    except SettingsError as error:
        if error.code is Code.SECRET_MISSING:
            return 0
        raise


def _show_pgp(made: MadePgp) -> None:
    """Print without any wrapping: it is to be copied."""
    typer.echo(f"Version {made.version} of the secret {made.secret!r} holds the private half.")
    typer.echo(f"Packages are sealed for the key {made.key_id}. Its public half:\n")
    typer.echo(made.public_key)
    typer.echo("In SuccessFactors, System Configuration, PARTNER_EXTRACT:\n")
    for line in made.partner_extract:
        typer.echo(line)
    typer.echo("\nAnd see that these agree with the connection:\n")
    for line in made.compare:
        typer.echo(line)
    typer.echo("\nLeave older versions enabled until the last package sealed for them is done.")
