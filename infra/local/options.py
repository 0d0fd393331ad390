"""Options that several commands of the local tenant share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.local.usage import UsageError

Sftp = Annotated[
    Path | None,
    typer.Option(
        "--sftp",
        metavar="DIR",
        file_okay=False,
        help="Served as the connection's folder by a real SSH server. (default: as it was last time)",
    ),
]
PrivateKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--private-key",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Armored OpenPGP secret key, put into the vault as a new version; may be repeated, oldest first.",
    ),
]
PassphraseFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Its passphrase: once for all keys, or once per key in the same order.",
    ),
]
Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="FILE.csv",
        exists=True,
        dir_okay=False,
        help="The whole Entra directory: id,employeeId,accountEnabled,userType,licensed.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of the connection, such as `coverage_minimum_percent=80`; may be repeated.",
    ),
]
Now = Annotated[
    str | None,
    typer.Option("--now", metavar="TIMESTAMP", help="The clock starts here: ISO 8601 with offset."),
]


def read_now(text: str | None) -> datetime | None:
    """Read a moment with its zone.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--now {text}: it should look like 2026-11-02T06:00:00Z.") from None
    if moment.tzinfo is None:
        raise UsageError(f"--now {text}: the offset is missing, as in {text}Z or {text}+02:00.")
    return moment
