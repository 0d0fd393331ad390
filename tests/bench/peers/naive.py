"""What one would write first: PGPy, zipfile, csv, one pydantic model a row. Run by the Python of its own environment.

`python -m tests.bench.peers.naive PACKAGE PRIVATE_KEY PASSPHRASE_FILE DIRECTORY OUT` does what the connector does with
the first package of a tenant, as far as the company of the benchmark needs it: it decrypts and unzips, validates every
row by the same rules, maps the learners, and writes what Viva Learning would be sent, as gzipped NDJSON. Its last line
is JSON: how many rows and unpacked bytes there were, how many rows were refused, and how many records there are of each
kind. It compares with nothing that was sent before, keeps no state and no report, and its memory grows with what it
reads.
"""

import gzip
import io
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

from tests.bench.peers.naive_plan import Pipeline

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pgpy

GZIP_LEVEL = 6


def decrypt(package: str, private_key: str, passphrase: str) -> bytes:
    """Decrypt in memory."""
    key, _ = pgpy.PGPKey.from_file(private_key)
    with key.unlock(passphrase):
        message: Any = key.decrypt(pgpy.PGPMessage.from_file(package)).message
    return bytes(message)


def main(package: str, private_key: str, passphrase_file: str, directory: str, out: str) -> None:
    """Take the package through, and tell what came of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clear = decrypt(package, private_key, Path(passphrase_file).read_text("utf-8"))
    with (
        zipfile.ZipFile(io.BytesIO(clear)) as archive,
        gzip.open(Path(out) / "changes.ndjson.gz", "wt", compresslevel=GZIP_LEVEL, encoding="utf-8") as records,
    ):
        pipeline = Pipeline(archive, records)
        pipeline.run(Path(directory))
        pipeline.counts["unpacked_bytes"] = sum(member.file_size for member in archive.infolist())
    sys.stdout.write(f"{json.dumps(pipeline.counts)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
