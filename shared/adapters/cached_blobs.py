"""Blobs of which this process keeps what it wrote for a run, so that nothing has to come back that was here already.

Whoever reads a package writes its tables, and mostly the same process maps their learners next, twice a run.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import override

from shared.adapters.blobs import AzureBlobs
from shared.adapters.storage_account import StorageAccount


@dataclass(frozen=True, slots=True)
class _Kept:
    file: Path
    etag: str
    """Of the version in the storage account that it is."""


class CachedBlobs(AzureBlobs):
    """The port `Blobs` over one container, whose paths begin with a connection and a run.

    Files are kept for one run at a time: those of another take their place. They are on the disk where they were
    already, under a second name; where there can be none, or somebody else has written the blob since, it is
    downloaded. Several threads may call at once.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        super().__init__(account, container)
        self._kept: dict[str, _Kept] = {}
        self._folder: TemporaryDirectory[str] | None = None
        self._run = ""
        self._names = 0
        self._lock = Lock()

    @override
    def put_file(self, path: str, file: Path) -> str:
        kept = self._link(path, file)
        # Of the second name, for the first may be written anew meanwhile.
        etag = super().put_file(path, kept or file)
        if kept:
            with self._lock:
                self._kept[path] = _Kept(kept, etag)
        return etag

    @override
    def get_file(self, path: str, file: Path) -> Path:
        with self._lock:
            kept = self._kept.get(path)
        if kept and self.find_etag(path) == kept.etag:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            with suppress(OSError):
                os.link(kept.file, file)
                return file
        return super().get_file(path, file)

    @override
    def release(self, prefix: str) -> None:
        with self._lock:
            if f"{self._run}/".startswith(prefix):
                self._let_go()

    def _link(self, path: str, file: Path) -> Path | None:
        """Give a file a second name; `None` where there can be none."""
        run = "/".join(path.split("/")[:2])
        with self._lock:
            if run != self._run:
                self._let_go()
                self._run = run
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="lms-", ignore_cleanup_errors=True)
            self._names += 1
            kept = Path(self._folder.name) / f"{self._names}{file.suffix}"
            try:
                os.link(file, kept)
            except OSError:
                return None
            if former := self._kept.pop(path, None):
                former.file.unlink(missing_ok=True)
            return kept

    def _let_go(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = None
        self._kept.clear()
