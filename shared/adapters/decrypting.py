"""A package that another process decrypts: sealed bytes go into one pipe, clear text comes out of another."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO

from shared.domain.errors import TransientError
from shared.ports import Seal, Secret

CHUNK_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60
"""For everything but the decryption itself, whose pace is that of its two ends."""

type Verdict = Callable[[int], tuple[str, ...]]
"""Told the exit status, returns the warnings, or raises `PackageError` when nothing may be trusted."""


class DecryptedPackage:
    """The clear text as it comes out of the process."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", feeding: "Future[None]", seal: Seal, verdict: Verdict
    ) -> None:
        self._process = process
        self._feeding = feeding
        self._seal = seal
        self._verdict = verdict

    @property
    def seal(self) -> Seal:
        """See the port."""
        return self._seal

    def chunks(self) -> Iterator[bytes]:
        """See the port."""
        if self._process.stdout is not None:
            while chunk := self._process.stdout.read(CHUNK_BYTES):
                yield chunk
        self._feeding.result()  # what went wrong with the sealed stream is not the package's fault
        with answering_in_time():
            exit_status = self._process.wait(TIMEOUT_SECONDS)
        self._seal = Seal(self._seal.key_id, self._seal.warnings + self._verdict(exit_status))


@contextmanager
def decrypting(
    process: "subprocess.Popen[bytes]", beginning: bytes, sealed: BinaryIO, seal: Seal, verdict: Verdict
) -> Iterator[DecryptedPackage]:
    """Feed the process, first with the beginning; when the block ends it is gone, finished or not."""
    with process, ThreadPoolExecutor(1, "decrypting") as feeder:
        try:
            _widen(process.stdin)
            _widen(process.stdout)
            feeding = feeder.submit(_feed, process, beginning, sealed)
            yield DecryptedPackage(process, feeding, seal, verdict)
        finally:
            process.kill()  # so that the feeder, if it still waits for the process to read, is set free


@contextmanager
def answering_in_time() -> Iterator[None]:
    """Say what it means when a process takes longer than it was given."""
    try:
        yield
    except subprocess.TimeoutExpired:
        raise TransientError(f"The OpenPGP software did not finish within {TIMEOUT_SECONDS} seconds.") from None


def first_lines(passphrases: Sequence[Secret]) -> list[str]:
    """Return the passphrases without the line break that a file or terminal may have left at their end."""
    return [secret.value.partition("\n")[0].rstrip("\r") for secret in passphrases]


def _widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold a whole chunk, where the system has it so, instead of waking its two ends for every 64 KiB."""
    if pipe is not None and sys.platform == "linux":
        with suppress(OSError):  # a system may allow less; what it gives will do
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)


def _feed(process: "subprocess.Popen[bytes]", beginning: bytes, sealed: BinaryIO) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError), process.stdin as stdin:  # the process has seen enough; it will say why
        stdin.write(beginning)
        while chunk := sealed.read(CHUNK_BYTES):
            stdin.write(chunk)
