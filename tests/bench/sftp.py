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
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.local.sftp import SftpServer, find_sshd
from shared.domain.connection import Connection
from tests.bench import delay

FILE_BYTES = 256_000_000
FAR_SECONDS = 0.05
BLOCK_BYTES = 4 * 1024 * 1024

_ROOT = Path(__file__).parents[2]
_FILE = "package.zip.pgp"
_MEGABYTE = 1_000_000
_PROXY_BYTES = 1_000_000_000
_STREAM_COUNT = 4


class OpenSshMissingError(RuntimeError):
    """There is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One client reads the file once."""

    seconds: float
    """From the dialling to the last byte."""
    peak_memory_bytes: int
    """Of the process, its imports included; 0 where it is not known."""


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
    """Near and far, and what the line to the far server could carry."""

    near: Pair
    far: Pair
    far_line_bytes_per_second: float
    """One stream."""
    far_line_streams_bytes_per_second: float
    """Four streams at once, together."""

    @property
    def holds(self) -> bool:
        return self.near.holds and self.far.holds

    @property
    def peak_memory_bytes(self) -> int:
        return max(self.near.ours.peak_memory_bytes, self.far.ours.peak_memory_bytes)


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
    return Measured(
        near,
        far,
        delay.measure(round_trip_seconds=far_seconds, streams=1, bytes_each=_PROXY_BYTES),
        delay.measure(round_trip_seconds=far_seconds, streams=_STREAM_COUNT, bytes_each=_PROXY_BYTES // _STREAM_COUNT),
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
        order = {"sftp": sftp, "key": self.server.client_private_key, "file_bytes": self.file_bytes}
        command = [sys.executable, "-m", "tests.bench.sftp", "--child"]
        done = subprocess.run(
            command, cwd=_ROOT, input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=True
        )
        return Reading(**json.loads(done.stdout))

    def _theirs(self, port: int) -> Reading:
        command = ["sftp", "-F", "none", "-q", "-b", "-", "-P", str(port), "-i", str(self.key_file)]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes"):
            command += ["-o", option]
        command.append(f"{self.server.user}@{self.server.host}")
        order = f'get "{self.server.folder_path}/{_FILE}" /dev/null\n'
        began = time.monotonic()
        subprocess.run(command, input=order.encode(), stdout=subprocess.DEVNULL, check=True)
        return Reading(time.monotonic() - began, 0)


def _best(readings: list[Reading]) -> Reading:
    """Return the best time, and the largest memory of all."""
    return Reading(min(reading.seconds for reading in readings), max(reading.peak_memory_bytes for reading in readings))


def _read_as_child(order: dict[str, Any]) -> Reading:
    """Read the file as `collect_packages` does, and throw it away."""
    # What is imported is not part of the time.
    from shared.adapters.sftp import SftpFolders
    from shared.ports import Secret

    viva = {"provider_id": "p", "bizx_host": "b", "learning_host": "l", "company_id": "c"}
    connection = Connection.model_validate({"configuration_id": "bench", "sftp": order["sftp"], "viva": viva})
    secret = Secret("1", order["key"], datetime.now(UTC))
    began = time.monotonic()
    with SftpFolders(timeout_seconds=60).open(connection, secret) as folder:
        count = sum(len(block) for block in folder.read(_FILE, offset_bytes=0, block_bytes=BLOCK_BYTES))
        seconds = time.monotonic() - began
    if count != order["file_bytes"]:
        raise RuntimeError(f"{count} bytes were read of {order['file_bytes']}.")
    return Reading(seconds, _peak_memory_bytes())


def _peak_memory_bytes() -> int:
    """Ask the kernel for the high-water mark; that of `getrusage` would be the parent's at the fork."""
    status = Path("/proc/self/status")
    lines: Iterator[str] = iter(status.read_text().splitlines() if status.exists() else ())
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def lines(measured: Measured) -> Iterator[str]:
    """Tell the figures, a line each."""
    for pair in (measured.near, measured.far):
        yield (
            f"{pair.line}: ours {pair.ours_bytes_per_second / _MEGABYTE:,.0f} MB/s, "
            f"OpenSSH's sftp {pair.theirs_bytes_per_second / _MEGABYTE:,.0f} MB/s: "
            f"{pair.ratio:.2f} times as fast, {'as' if pair.holds else 'NOT as'} it must be ({pair.at_least:g})"
        )
    yield f"Peak memory of ours: {measured.peak_memory_bytes / _MEGABYTE:,.0f} MB"
    yield (
        f"The line of {measured.far.line} carries {measured.far_line_bytes_per_second / _MEGABYTE:,.0f} MB/s "
        f"in one stream, {measured.far_line_streams_bytes_per_second / _MEGABYTE:,.0f} MB/s in {_STREAM_COUNT}"
    )


def bench(
    *,
    file_bytes: Annotated[int, typer.Option(min=1, help="Size of the file.")] = FILE_BYTES,
    rounds: Annotated[int, typer.Option(min=1, help="Readings of each side; the best counts.")] = 2,
    child: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Measure both clients near and far."""
    if child:
        reading = _read_as_child(json.load(sys.stdin))
        json.dump({"seconds": reading.seconds, "peak_memory_bytes": reading.peak_memory_bytes}, sys.stdout)
        return
    measured = measure(file_bytes=file_bytes, rounds=rounds)
    for line in lines(measured):
        typer.echo(line)
    sys.exit(0 if measured.holds else 1)


if __name__ == "__main__":
    typer.run(bench)
