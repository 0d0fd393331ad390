"""What a person hands over on the command line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from infra.local.connection import read_setting
from infra.local.usage import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Additions to what the tenant holds; what is not given stays as it was."""

    sftp: Path | None = None
    """Folder to show as the provider's."""
    private_keys: tuple[str, ...] = field(default=(), repr=False)
    """Armored OpenPGP secret keys, oldest first."""
    passphrases: tuple[str, ...] = field(default=(), repr=False)
    """One for all keys, or one for each."""
    directory: Path | None = None
    """The users of Entra, all of them."""
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(
        cls,
        *,
        sftp: Path | None,
        private_key_files: Iterable[Path],
        passphrase_files: Iterable[Path],
        directory: Path | None,
        settings: Iterable[str],
    ) -> Self:
        """Read files and settings.

        Raises:
            UsageError: a file cannot be read, or the passphrases do not fit the keys in number.
        """
        keys = tuple(map(_text, private_key_files))
        passphrases = tuple(_text(file).rstrip("\r\n") for file in passphrase_files)
        if keys and len(passphrases) not in {0, 1, len(keys)}:
            raise UsageError(
                f"There are {len(keys)} private keys and {len(passphrases)} passphrase files: "
                "give one for all keys, or one per key in the same order."
            )
        return cls(
            sftp=sftp,
            private_keys=keys,
            passphrases=tuple(filter(None, passphrases)),
            directory=directory,
            settings=tuple(map(read_setting, settings)),
        )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text; keys must be armored (ASCII).") from None
