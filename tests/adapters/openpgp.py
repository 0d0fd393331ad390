"""Keys and packages as providers make them, with GnuPG."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from shared.adapters.gnupg import stop_agent
from shared.ports import Secret


@dataclass(frozen=True)
class Key:
    """A key pair; `encrypts` is the id of the key or subkey that packages are sealed for."""

    name: str
    passphrase: str
    secret: str
    public: str
    fingerprint: str
    encrypts: str


class Workshop:
    """A GnuPG home of its own; make it in a folder with a short path."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.chmod(0o700)
        (home / "gpg-agent.conf").write_text("s2k-count 65536\n")  # quick to unlock; the strength is not our subject

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        stop_agent(self._home)

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self._home), "--batch", "--no-tty", "--yes", "--no-auto-key-locate"]
        command += ["--trust-model", "always", "--pinentry-mode", "loopback", *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=True).stdout

    def key(self, name: str, *, passphrase: str = "", options: Sequence[str] = (), kind: str = "") -> Key:
        """Make an ECC key with an encryption subkey, or only a primary key of the given kind and usage."""
        address = f"{name}@example.com"
        unlocking = ["--passphrase", passphrase]
        algorithm = kind.split() if kind else ["future-default", "default"]
        self.run(*unlocking, *options, "--quick-generate-key", address, *algorithm, "never")
        rows = [row.split(":") for row in self.run("--with-colons", "-k", address).decode().splitlines()]
        return Key(
            name=name,
            passphrase=passphrase,
            secret=self.run(*unlocking, "--armor", "--export-secret-keys", address).decode(),
            public=self.run("--armor", "--export", address).decode(),
            fingerprint=next(row[9] for row in rows if row[0] == "fpr"),
            encrypts=[row[4] for row in rows if row[0] in {"pub", "sub"}][-1],
        )

    def seal(self, content: bytes, *recipients: Key, options: Sequence[str] = (), signer: Key | None = None) -> bytes:
        """Encrypt as `gpg` does by default, binary and compressed."""
        arguments = [word for key in recipients for word in ("--recipient", key.fingerprint)]
        if signer:
            arguments += ["--passphrase", signer.passphrase, "--local-user", signer.fingerprint, "--sign"]
        return self.run(*options, *arguments, "--encrypt", given=content)


def as_secret(value: str, version: str = "v1") -> Secret:
    return Secret(version, value, datetime(2026, 1, 1, tzinfo=UTC))
