"""Files for the owner's eyes only: keys, and what stands for a vault."""

import os
from pathlib import Path


def write_private(file: Path, content: bytes) -> None:
    """Write or replace a file that only its owner may read, in one step: it is never half there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    fresh.replace(file)
