"""Reads a file as `collect_packages` does and throws it away; a process of its own, with nothing else in memory.

`python -m tests.bench.sftp_child` takes its order as JSON from its input and prints what it took.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.sftp import SftpFolders
from shared.domain.connection import Connection
from shared.pipeline.download import BLOCK_BYTES
from shared.ports import Secret

_VIVA = {"provider_id": "p", "bizx_host": "b", "learning_host": "l", "company_id": "c"}


def main() -> None:
    order = json.load(sys.stdin)
    connection = Connection.model_validate({"configuration_id": "bench", "sftp": order["sftp"], "viva": _VIVA})
    secret = Secret("1", order["key"], datetime.now(UTC))
    imported_bytes = _peak_memory_bytes()
    began = time.monotonic()
    with SftpFolders(timeout_seconds=60).open(connection, secret) as folder:
        blocks = folder.read(order["file"], offset_bytes=0, block_bytes=BLOCK_BYTES)
        count = sum(len(block) for block in blocks)
        seconds = time.monotonic() - began
    peak_bytes = _peak_memory_bytes()
    json.dump(
        {
            "bytes": count,
            "seconds": seconds,
            "peak_memory_bytes": peak_bytes,
            "reading_memory_bytes": peak_bytes - imported_bytes,
        },
        sys.stdout,
    )


def _peak_memory_bytes() -> int:
    """Ask the kernel for the high-water mark; that of `getrusage` would be the parent's at the fork."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
