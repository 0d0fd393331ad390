"""Opens packages with GnuPG, streaming: `gpg` reads sealed bytes from one pipe and clear text to another.

Memory stays constant whatever the package's size. GnuPG releases clear text before its integrity check at the
end, so `chunks` ends without an error only after GnuPG has said that the check passed.

Each opening has a home directory of its own, private to this user, in memory where the machine has a place
for that. It holds no more than the still locked keys and GnuPG's remarks, and goes away, with its agent, at
the end.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from shared.adapters.decrypting import (
    TIMEOUT_SECONDS,
    DecryptedPackage,
    answering_in_time,
    decrypting,
    first_lines,
)
from shared.adapters.gnupg_status import Remarks
from shared.domain.armor import key_blocks
from shared.domain.envelope import (
    ANYONE,
    Envelope,
    damaged,
    no_matching_key,
    passphrase_refused,
    read_envelope,
    read_head,
    unreadable_key,
    weak_key,
)
from shared.ports import Seal, Secret

_RSA = {"1", "2", "3"}

_OPTIONS = (
    "--no-options",
    "--batch",
    "--no-tty",
    "--trust-model=always",
    "--no-auto-check-trustdb",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--disable-dirmngr",
    "--allow-non-selfsigned-uid",
    "--pinentry-mode=loopback",
)
_STOP_SECONDS = 10
_AGENT_OPTIONS = "allow-loopback-pinentry\ndisable-scdaemon\nno-allow-external-cache\ns2k-count 1048576\n"


class GnupgOpener:
    """Decrypts with the `gpg` program, version 2.2 or later.

    Home directories are made in `memory`, where the machine has it; its path must be short, for it is the
    beginning of the names of the agent's sockets.
    """

    def __init__(self, program: str = "gpg", *, memory: Path = Path("/dev/shm")) -> None:  # noqa: S108 - private names in it
        self._program = program
        self._memory = memory

    @contextmanager
    def open(
        self,
        sealed: BinaryIO,
        keys: Sequence[Secret],
        passphrases: Sequence[Secret],
        *,
        require_signature: bool,
    ) -> Iterator[DecryptedPackage]:
        """See the port. Which key fits, and its passphrase, are found out before the first chunk."""
        head = read_head(sealed)
        envelope = read_envelope(head)
        with _home(self._program, self._memory) as home:
            gpg = _Gpg(self._program, home)
            key_rings = [_KeyRing(gpg, key) for key in keys]
            key_ring, passphrase, key_id = _find_key(gpg, head, envelope, key_rings, passphrases)
            for other in key_rings:  # whoever signs may stand beside any version of the key
                gpg.import_keys(other.public_keys)
            seal = Seal(key_id, key_ring.warnings(key_id))
            verdict = partial(gpg.judge, require_signature=require_signature)
            with (
                gpg.starting(passphrase, key_id) as process,
                decrypting(process, head, sealed, seal, verdict) as package,
            ):
                yield package


class _Gpg:
    """Runs `gpg` in one home directory."""

    def __init__(self, program: str, home: Path) -> None:
        self._home = home
        self._remarks = home / "remarks"
        self._command = [program, "--homedir", str(home), *_OPTIONS, "--status-file", str(self._remarks)]

    def remarks(self) -> Remarks:
        """What the last run said about what it did."""
        return Remarks.parse(self._remarks.read_text(encoding="utf-8", errors="replace"))

    def run(self, *arguments: str, given: bytes, kept_open: Sequence[int] = ()) -> str:
        """Run it to its end and return what it printed; how it went is in the remarks."""
        with answering_in_time():
            finished = subprocess.run(  # noqa: S603 - our own program with our own arguments
                [*self._command, *arguments],
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=kept_open,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        return finished.stdout.decode(errors="replace")

    def import_keys(self, armored: str) -> None:
        """Put keys into the home directory, as they are: locked ones stay locked."""
        if armored:
            self.run("--import", given=armored.encode())

    def unlock(self, head: bytes, passphrase: str) -> Remarks:
        """Try to open the beginning of a message; the remarks tell which key did it, if any."""
        with _handing_over(passphrase) as descriptor:
            self.run("--output", os.devnull, *_decrypt(descriptor), given=head, kept_open=[descriptor])
        return self.remarks()

    @contextmanager
    def starting(self, passphrase: str, key_id: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Start to decrypt what will be written to the process.

        For a hidden recipient the key is tried first: one that does not fit would spoil the exit status.
        """
        with _handing_over(passphrase) as descriptor:
            yield subprocess.Popen(  # noqa: S603 - our own program with our own arguments
                [*self._command, "--try-secret-key", f"{key_id}!", *_decrypt(descriptor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[descriptor],
                env=_environment(),
            )

    def judge(self, exit_status: int, *, require_signature: bool) -> tuple[str, ...]:
        """Return the warnings of the last run, or raise when its clear text is not to be trusted."""
        return self.remarks().judge(exit_status, require_signature=require_signature)


class _KeyRing:
    """What one version of the secret holds."""

    def __init__(self, gpg: _Gpg, secret: Secret) -> None:
        try:
            blocks = key_blocks(secret.value)
        except ValueError:
            raise unreadable_key(secret.version) from None
        self.armored = "".join(block.armored for block in blocks)
        self.public_keys = "".join(block.armored for block in blocks if not block.is_secret)
        listing = gpg.run("--show-keys", "--with-colons", given=self.armored.encode())
        rows = [line.split(":") for line in listing.splitlines()]
        self._bits = {row[4]: int(row[2]) if row[3] in _RSA else None for row in rows if row[0] in {"sec", "ssb"}}
        if not self._bits:
            raise unreadable_key(secret.version)

    def fits(self, envelope: Envelope) -> bool:
        return any(key_id == ANYONE or key_id in self._bits for key_id in envelope.key_ids)

    def warnings(self, key_id: str) -> tuple[str, ...]:
        return weak_key(key_id, self._bits.get(key_id))


def _find_key(
    gpg: _Gpg,
    head: bytes,
    envelope: Envelope,
    key_rings: Sequence[_KeyRing],
    passphrases: Sequence[Secret],
) -> tuple[_KeyRing, str, str]:  # with the passphrase and the key id
    """Import fitting keys, newest first, until one of them opens the head of the message."""
    refused = False
    for key_ring in key_rings:
        if not key_ring.fits(envelope):
            continue
        gpg.import_keys(key_ring.armored)
        for passphrase in first_lines(passphrases) or [""]:
            remarks = gpg.unlock(head, passphrase)
            if key_id := remarks.opened_by():
                return key_ring, passphrase, key_id
            if remarks.is_session_key_damaged():
                raise damaged()
            refused = refused or remarks.is_passphrase_refused()
    if refused:
        raise passphrase_refused(envelope)
    raise no_matching_key(envelope)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _decrypt(passphrase: int) -> list[str]:
    return ["--passphrase-fd", str(passphrase), "--yes", "--decrypt"]


@contextmanager
def _handing_over(passphrase: str) -> Iterator[int]:
    """Give a passphrase through a pipe, so that it is in no argument, environment or file."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(passphrase.encode() + b"\n")
        yield reading
    finally:
        os.close(reading)


@contextmanager
def _home(program: str, memory: Path) -> Iterator[Path]:
    """Make a home directory, and see at the end that neither it nor its agent is left."""
    place = memory if os.access(memory, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="gpg-", dir=place, ignore_cleanup_errors=True) as name:
        home = Path(name)
        (home / "gpg-agent.conf").write_text(_AGENT_OPTIONS)
        try:
            yield home
        finally:
            stop_agent(home, program)


def stop_agent(home: Path, program: str = "gpg") -> None:
    """Stop the agent of a home directory that is about to go.

    One that does not answer ends by itself, for it sees that its home has gone.
    """
    gpgconf = shutil.which("gpgconf", path=str(Path(shutil.which(program) or program).parent))
    if gpgconf:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - our own program with our own arguments
                [gpgconf, "--homedir", str(home), "--kill", "gpg-agent"],
                stderr=subprocess.DEVNULL,
                env=_environment(),
                timeout=_STOP_SECONDS,
                check=False,
            )
