"""The limit: `gpg --decrypt`, an unzipper and DuckDB one after the other, without a rule, a hash or a check.

`python -m tests.bench.chain PACKAGE HOME PASSPHRASE_FILE OUT` runs it; `measure` runs that and looks at the clock.
"""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
from stream_unzip import stream_unzip

from shared.adapters.gnupg import stop_agent
from tests.bench import meter
from tests.bench.data import Data
from tests.bench.result import Figures

ROOT = Path(__file__).parents[2]
CHUNK_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 1800.0


def measure(data: Data) -> Figures:
    """Run it in a child process, into a folder that goes away."""
    # The agent's socket must have a short path.
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp") as home, tempfile.TemporaryDirectory() as out:
        passphrase = str(data.keys.passphrase)
        subprocess.run([*_gpg(home, passphrase), "--import", str(data.keys.private)], check=True)
        try:
            # Its agent would have begun before the measuring does.
            stop_agent(Path(home))
            done = meter.run(
                [sys.executable, "-m", "tests.bench.chain", str(data.package), home, passphrase, out],
                folder=ROOT,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        finally:
            stop_agent(Path(home))
    return Figures.of(done.use, rows=int(done.last_line), text_bytes=data.text_bytes)


def main(package: str, home: str, passphrase_file: str, out: str) -> None:
    """Turn every file of the package into Parquet, and tell how many rows there were."""
    command = [*_gpg(home, passphrase_file), "--decrypt", package]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as gpg, duckdb.connect() as database:
        members = stream_unzip(_clear_text(gpg), chunk_size=CHUNK_BYTES)
        rows = sum(_convert(database, content, f"{out}/{name.decode()}.parquet") for name, _, content in members)
    if gpg.returncode:
        raise subprocess.CalledProcessError(gpg.returncode, command)
    print(rows)  # noqa: T201 - to the one who measures


def _gpg(home: str, passphrase_file: str) -> list[str]:
    command = ["gpg", "--homedir", home, "--no-options", "--batch", "--no-tty", "--quiet", "--trust-model", "always"]
    return [*command, "--pinentry-mode", "loopback", "--passphrase-file", passphrase_file]


def _clear_text(gpg: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    while gpg.stdout and (chunk := gpg.stdout.read(CHUNK_BYTES)):
        yield chunk


def _convert(database: duckdb.DuckDBPyConnection, content: Iterator[bytes], target: str) -> int:
    """Read a CSV through a pipe, all of it as text; return the number of rows."""
    reading, writing = os.pipe()

    def feed() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for chunk in content:
                pipe.write(chunk)

    feeder = threading.Thread(target=feed, name="feeder")
    feeder.start()
    try:
        copied = database.execute(
            f"copy (from read_csv('/dev/fd/{reading}', header = true, all_varchar = true, delim = ',', quote = '\"', "
            f"escape = '\"')) to '{target}' (format parquet, compression zstd)"
        ).fetchone()
    finally:
        os.close(reading)
        feeder.join()
    return int(copied[0]) if copied else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
