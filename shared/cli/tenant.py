"""Which tenant a command speaks to: an environment from a file or from the shell, and one of its connections."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from shared.domain.errors import Code, ConnectorError, SettingsError
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.wiring import make_parts

FILE_VARIABLE = "LMS_ENVIRONMENT"
DEFAULT_FILE = Path("lms.env")
EXIT_FAILED = 1

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)=(.*)")


@dataclass
class Tenant:
    """What every command is given, as `typer.Context.obj`."""

    file: Path | None
    chosen: str | None
    console: Console

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The shell's environment, with what the file says.

        Raises:
            SettingsError: there is no such file, or it cannot be read.
        """
        file = self.file or Path(os.environ.get(FILE_VARIABLE, DEFAULT_FILE))
        if file.is_file():
            # The Azure SDK reads some of these by itself.
            os.environ.update(read_environment(file))
        elif self.file is not None:
            raise SettingsError(f"There is no file {file}.", Code.SETTINGS_INVALID)
        return os.environ

    @cached_property
    def parts(self) -> Parts:
        """The connector's storage and the services around it, as the person signed in.

        Raises:
            SettingsError: the environment does not say where they are.
        """
        return make_parts(self.environment, signed_in=True)

    @property
    def connections(self) -> list[str]:
        """Names of all connections."""
        return sorted(self.parts.connections.list_names())

    @cached_property
    def connection(self) -> str:
        """The connection that was chosen, or the only one.

        Raises:
            SettingsError: there is none of that name, or several to choose from.
        """
        names = self.connections
        if self.chosen is not None:
            journal.get_connection(self.parts, self.chosen)
            return self.chosen
        if len(names) == 1:
            return names[0]
        told = f"--connection is needed: there are {', '.join(names)}." if names else "There is no connection yet."
        raise SettingsError(told, Code.SETTINGS_INVALID)


def read_environment(file: Path) -> dict[str, str]:
    """Read lines of `NAME=VALUE`; blank ones and those that begin with `#` mean nothing.

    Raises:
        SettingsError: a line is something else; it is named by its number.
    """
    found = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            assignment = _ASSIGNMENT.fullmatch(line)
            if assignment is None:
                raise SettingsError(f"{file}, line {number}: NAME=VALUE was expected.", Code.SETTINGS_INVALID)
            found[assignment[1]] = assignment[2].strip().strip("'\"")
    return found


@contextmanager
def telling_errors() -> Iterator[None]:
    """Turn what went wrong into a sentence and an exit status."""
    try:
        yield
    except ConnectorError as error:
        fail(str(error), error.code)


def fail(message: str, code: Code | None = None) -> NoReturn:
    """Say why it did not work, and end."""
    Console(stderr=True, highlight=False).print(
        Text.assemble(("Error: ", "red"), message, f" ({code})" if code else ""), soft_wrap=True
    )
    raise typer.Exit(EXIT_FAILED)


def ask(question: str, *, yes: bool) -> None:
    """Ask before something is changed; `yes` is the answer that was given beforehand."""
    if not yes and not typer.confirm(question, err=True):
        raise typer.Abort
