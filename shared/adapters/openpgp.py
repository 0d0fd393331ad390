"""Which OpenPGP software opens packages on this machine."""

import shutil

from shared.adapters.gnupg import GnupgOpener
from shared.adapters.sequoia import SequoiaOpener
from shared.domain.errors import Code, SettingsError
from shared.ports import PackageOpener


def open_with(choice: str) -> PackageOpener:
    """Return the opener for the setting `openpgp`: `auto` takes GnuPG where `gpg` is installed.

    Raises:
        SettingsError: `gnupg` was asked for and is not there, or the choice is unknown.
    """
    gpg = shutil.which("gpg")
    match choice:
        case "auto" | "gnupg" if gpg:
            return GnupgOpener(gpg)
        case "auto" | "sequoia":
            return SequoiaOpener()
        case "gnupg":
            raise SettingsError(
                "The program gpg is not installed. Install GnuPG, or set LMS_OPENPGP to auto or sequoia.",
                Code.SETTINGS_INVALID,
            )
    raise SettingsError(f"LMS_OPENPGP is {choice!r}; it must be auto, gnupg or sequoia.", Code.SETTINGS_INVALID)
