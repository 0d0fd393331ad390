"""Zip and OpenPGP: the envelope of a package, written as one stream."""

import os
import secrets
import subprocess
import tempfile
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from shared.adapters.gnupg import stop_agent

OWNER: Final = "Acme Learning <learning@example.com>"
"""The key's user id, which SuccessFactors is told as `keyOwner`."""
DEFLATE_LEVEL: Final = 3
"""Twice as fast as the usual 6, for files a tenth larger."""
ZIP_DATE: Final = (2026, 11, 1, 0, 0, 0)


class SealingError(Exception):
    """GnuPG did not do what was asked; the message is its own."""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """An OpenPGP key pair on disk: armored keys, and the passphrase without a line end."""

    private: Path
    public: Path
    passphrase: Path

    @classmethod
    def within(cls, folder: Path) -> "KeyFiles":
        """Name the files of a folder; they need not be there."""
        return cls(folder / "private.asc", folder / "public.asc", folder / "passphrase.txt")


@dataclass(frozen=True, slots=True)
class Member:
    """One inner file."""

    name: str
    chunks: Iterable[bytes]
    large: bool = False
    """It may pass 2 GiB and so needs the wider fields of zip64."""
    entry: type[zipfile.ZipInfo] = zipfile.ZipInfo
    """What writes its headers."""


def make_keys(folder: Path, *, bits: int = 3072, quick: bool = False) -> KeyFiles:
    """Make an RSA key pair with a new passphrase in the folder, or return the one that is there.

    `quick` protects the private key with few rounds, for tests that unlock it many times.
    """
    files = KeyFiles.within(folder)
    if files.private.exists() and files.public.exists() and files.passphrase.exists():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    name, email = OWNER.removesuffix(">").split(" <")
    passphrase = secrets.token_urlsafe(24)
    with _gnupg_home() as home:
        if quick:
            (home / "gpg-agent.conf").write_text("s2k-count 65536\n", encoding="ascii")
        _gpg(
            home,
            "--gen-key",
            stdin=f"Key-Type: RSA\nKey-Length: {bits}\nKey-Usage: sign,cert\n"
            f"Subkey-Type: RSA\nSubkey-Length: {bits}\nSubkey-Usage: encrypt\n"
            f"Name-Real: {name}\nName-Email: {email}\nExpire-Date: 0\nPassphrase: {passphrase}\n%commit\n",
        )
        public = _gpg(home, "--armor", "--export")
        private = _gpg(
            home,
            "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--armor", "--export-secret-keys",
            stdin=passphrase,
        )  # fmt: skip
    files.public.write_bytes(public)
    for file, content in ((files.private, private), (files.passphrase, passphrase.encode())):
        file.touch(mode=0o600)
        file.write_bytes(content)
    return files


@contextmanager
def sealed(path: Path, public_key: Path) -> Iterator[IO[bytes]]:
    """Take clear text and leave its encryption at `path`, which appears when all of it is there.

    Raises:
        SealingError: GnuPG gave up, for example on a key that is none.
    """
    unfinished = path.with_name(f".{path.name}.part")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home, tempfile.TemporaryFile() as complaint:
        gpg = subprocess.Popen(
            [
                *_command(Path(home)),
                *("--trust-model", "always", "--recipient-file", str(public_key), "--cipher-algo", "AES256"),
                *("--compress-algo", "none", "--output", str(unfinished), "--encrypt"),
            ],
            stdin=subprocess.PIPE,
            stderr=complaint,
        )
        cut = False
        try:
            with cast("IO[bytes]", gpg.stdin) as sink:
                yield sink
        except BrokenPipeError:
            cut = True
        except BaseException:
            gpg.kill()
            unfinished.unlink(missing_ok=True)
            raise
        finally:
            gpg.wait()
        if gpg.returncode or cut:
            unfinished.unlink(missing_ok=True)
            complaint.seek(0)
            raise SealingError(complaint.read().decode(errors="replace").strip())
        unfinished.replace(path)


def write_zip(sink: IO[bytes], members: Iterable[Member]) -> int:
    """Write a deflated zip as a stream: with data descriptors, as SuccessFactors' own Java does.

    Returns the size of all members, unpacked.
    """
    with zipfile.ZipFile(sink, "w") as archive:
        for member in members:
            entry = member.entry(member.name, ZIP_DATE)
            entry.compress_type, entry.compress_level = zipfile.ZIP_DEFLATED, DEFLATE_LEVEL
            with archive.open(entry, "w", force_zip64=member.large) as file:
                _copy(member.chunks, file)
        return sum(entry.file_size for entry in archive.infolist())


def write_package(path: Path, tables: Mapping[str, bytes], public_key: Path) -> None:
    """Zip the inner files, by name, and encrypt them for an armored public key: a package of one's own."""
    with sealed(path, public_key) as sink:
        write_zip(sink, (Member(name, [content]) for name, content in tables.items()))


def _copy(chunks: Iterable[bytes], file: IO[bytes]) -> None:
    """Write all chunks; a generator of them is ended here, whether or not all of it was wanted."""
    try:
        for chunk in chunks:
            file.write(chunk)
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


@contextmanager
def _gnupg_home() -> Iterator[Path]:
    """Lend a GnuPG folder with an agent of its own, which is gone afterwards.

    Under `/tmp` because the agent's socket there must have a path of fewer than 108 characters.
    """
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as folder:
        try:
            yield Path(folder)
        finally:
            stop_agent(Path(folder))


def _command(home: Path) -> list[str]:
    return ["gpg", "--homedir", str(home), "--batch", "--yes", "--no-tty", "--quiet", "--no-options"]


def _gpg(home: Path, *arguments: str, stdin: str = "") -> bytes:
    done = subprocess.run(
        [*_command(home), *arguments],
        input=stdin.encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise SealingError(done.stderr.decode(errors="replace").strip())
    return done.stdout
