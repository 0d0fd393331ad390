"""A file in memory alone, for clear text that the engine reads by a path."""

import os


class MemoryFile:
    """Holds one thing after the other, in place: new memory costs twice as much as all of the writing.

    Nothing of it ever touches a disk, and nothing is left once it is closed.
    """

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("segment")

    @property
    def path(self) -> str:
        """Under which the engine, and whatever else is in this process, can read it."""
        return f"/proc/self/fd/{self._descriptor}"

    def hold(self, data: bytes | memoryview) -> None:
        """Put these bytes in place of what it held."""
        view = memoryview(data)
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, view[written:], written)
        os.truncate(self._descriptor, written)

    def read(self) -> bytes:
        """Return a copy of what it holds."""
        return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def close(self) -> None:
        """Free the memory."""
        os.close(self._descriptor)
