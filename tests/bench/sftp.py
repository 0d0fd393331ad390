"""The connector's SFTP reading beside OpenSSH's own client: same server, same file, near and far.

`python -m tests.bench.sftp` prints it. Each side reads in turn, several times, and its best time counts. OpenSSH's
client has its default options, as whoever types `sftp` has; both sides begin before the login and keep nothing of
what they read. Exit status: 0, or 1 when ours is slower than it must be.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from infra.local.sftp import SftpServer, find_sshd
from tests.bench import delay

FILE_BYTES = 256_000_000
FAR_SECONDS = 0.05

_ROOT = Path(__file__).parents[2]
_FILE = "package.zip.pgp"
_MEGABYTE = 1_000_000
_STREAM_COUNT = 4


class OpenSshMissingError(RuntimeError):
    """There is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One client reads the file once."""

    seconds: float
    """From the dialling to the last byte."""
    peak_memory_bytes: int = 0
    """Of the process, its imports included; 0 where it is not known, and for OpenSSH's."""
    reading_memory_bytes: int = 0
    """What of it came after the imports."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both clients over the same line, each with its best time."""

    line: str
    round_trip_seconds: float
    file_bytes: int
    ours: Reading
    theirs: Reading
    at_least: float
    """What `ratio` must be."""

    @property
    def ours_bytes_per_second(self) -> float:
        return self.file_bytes / self.ours.seconds

    @property
    def theirs_bytes_per_second(self) -> float:
        return self.file_bytes / self.theirs.seconds

    @property
    def ratio(self) -> float:
        """How many times as fast as OpenSSH's client ours is."""
        return self.theirs.seconds / self.ours.seconds

    @property
    def holds(self) -> bool:
        return self.ratio >= self.at_least


@dataclass(frozen=True, slots=True)
class Measured:
    """Near and far."""

    near: Pair
    far: Pair

    @property
    def holds(self) -> bool:
        return self.near.holds and self.far.holds

    @property
    def peak_memory_bytes(self) -> int:
        return max(self.near.ours.peak_memory_bytes, self.far.ours.peak_memory_bytes)

    @property
    def reading_memory_bytes(self) -> int:
        return max(self.near.ours.reading_memory_bytes, self.far.ours.reading_memory_bytes)


def measure(*, file_bytes: int = FILE_BYTES, far_seconds: float = FAR_SECONDS, rounds: int = 2) -> Measured:
    """Read a file of that size over loopback and over a line with that round trip.

    Raises:
        OpenSshMissingError: this machine has no sshd or no sftp.
    """
    if find_sshd() is None or shutil.which("sftp") is None:
        raise OpenSshMissingError("Comparing with OpenSSH needs its server and its client (sshd and sftp).")
    with tempfile.TemporaryDirectory(prefix="bench-sftp-") as name:
        folder, state = Path(name, "folder"), Path(name, "state")
        folder.mkdir()
        state.mkdir(mode=0o700)
        _write_noise(folder / _FILE, file_bytes)
        with SftpServer(folder, state, prefer="sshd") as server:
            client = _Client(server, state / "client-key", file_bytes)
            near = client.measure("loopback", server.port, 0, rounds, at_least=0.3)
            with delay.delayed(server.port, round_trip_seconds=far_seconds) as port:
                far = client.measure(f"{far_seconds * 1000:.0f} ms", port, far_seconds, rounds, at_least=3)
    return Measured(near, far)


def line_speed(*, file_bytes: int = FILE_BYTES, far_seconds: float = FAR_SECONDS) -> str:
    """Tell what the line to the far server carries by itself: nobody can read faster."""
    one = delay.measure(round_trip_seconds=far_seconds, streams=1, bytes_each=_STREAM_COUNT * file_bytes)
    several = delay.measure(round_trip_seconds=far_seconds, streams=_STREAM_COUNT, bytes_each=file_bytes)
    return (
        f"The line of {far_seconds * 1000:.0f} ms carries {one / _MEGABYTE:,.0f} MB/s in one stream, "
        f"{several / _MEGABYTE:,.0f} MB/s in {_STREAM_COUNT}"
    )


def _write_noise(file: Path, size_bytes: int) -> None:
    with file.open("wb") as opened:
        while size_bytes:
            size_bytes -= opened.write(os.urandom(min(size_bytes, _MEGABYTE)))


@dataclass(frozen=True, slots=True)
class _Client:
    """Both clients of one server."""

    server: SftpServer
    key_file: Path
    file_bytes: int

    def measure(self, line: str, port: int, round_trip_seconds: float, rounds: int, *, at_least: float) -> Pair:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(self._ours(port))
            theirs.append(self._theirs(port))
        return Pair(line, round_trip_seconds, self.file_bytes, _best(ours), _best(theirs), at_least)

    def _ours(self, port: int) -> Reading:
        sftp = {
            "host": self.server.host,
            "port": port,
            "user": self.server.user,
            "folder": self.server.folder_path,
            "host_key": self.server.host_key,
        }
        order = {"sftp": sftp, "key": self.server.client_private_key, "file": _FILE}
        command = [sys.executable, "-m", "tests.bench.sftp_child"]
        done = subprocess.run(
            command, cwd=_ROOT, input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=True
        )
        told = json.loads(done.stdout)
        if told.pop("bytes") != self.file_bytes:
            raise RuntimeError("The file was not read as a whole.")
        return Reading(**told)

    def _theirs(self, port: int) -> Reading:
        command = ["sftp", "-F", "none", "-q", "-b", "-", "-P", str(port), "-i", str(self.key_file)]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes"):
            command += ["-o", option]
        command.append(f"{self.server.user}@{self.server.host}")
        order = f'get "{self.server.folder_path}/{_FILE}" /dev/null\n'
        began = time.monotonic()
        subprocess.run(command, input=order.encode(), stdout=subprocess.DEVNULL, check=True)
        return Reading(time.monotonic() - began)


def _best(readings: list[Reading]) -> Reading:
    """Return the best time, and the most memory."""
    return Reading(
        min(reading.seconds for reading in readings),
        max(reading.peak_memory_bytes for reading in readings),
        max(reading.reading_memory_bytes for reading in readings),
    )


def lines(measured: Measured) -> Iterator[str]:
    """Tell the figures, a line each."""
    for pair in (measured.near, measured.far):
        yield (
            f"{pair.line}: ours {pair.ours_bytes_per_second / _MEGABYTE:,.0f} MB/s, "
            f"OpenSSH's sftp {pair.theirs_bytes_per_second / _MEGABYTE:,.0f} MB/s: "
            f"{pair.ratio:.2f} times as fast, {'as' if pair.holds else 'NOT as'} it must be ({pair.at_least:g})"
        )
    yield (
        f"Peak memory of ours: {measured.peak_memory_bytes / _MEGABYTE:,.0f} MB, "
        f"{measured.reading_memory_bytes / _MEGABYTE:,.0f} MB of it for the reading"
    )


def bench(
    *,
    file_bytes: Annotated[int, typer.Option(min=1, help="Size of the file.")] = FILE_BYTES,
    rounds: Annotated[int, typer.Option(min=1, help="Readings of each side; the best counts.")] = 2,
) -> None:
    """Measure both clients near and far."""
    try:
        measured = measure(file_bytes=file_bytes, rounds=rounds)
    except OpenSshMissingError as error:
        typer.echo(error, err=True)
        sys.exit(1)
    for line in lines(measured):
        typer.echo(line)
    typer.echo(line_speed(file_bytes=file_bytes))
    sys.exit(0 if measured.holds else 1)


if __name__ == "__main__":
    typer.run(bench)
