"""Bytes on their way through memory that is used again."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_PIECE_BYTES = 1024 * 1024
_BLANK_BYTES = 1024
"""Looked at first, to see whether there is anything else."""


@dataclass(slots=True)
class Buffer:
    """What has been read, and what is known of it without another look."""

    memory: bytearray = field(default_factory=bytearray)
    """Behind `size` it has what is left of whatever was there before."""
    size: int = 0
    newlines: int = 0
    quotes: int = 0
    is_ascii: bool = True

    def append(self, data: bytes) -> None:
        """Put these bytes behind the others."""
        self.memory[self.size : self.size + len(data)] = data
        self.size += len(data)
        # Newlines are rare, and to leave them out takes half as long as `count`, which looks at every byte by itself;
        # of quotes there may be many, and then it takes four times as long. Most pieces have none, which shows at once.
        self.newlines += len(data) - len(data.replace(b"\n", b""))
        self.quotes += data.count(b'"') if b'"' in data else 0
        self.is_ascii = self.is_ascii and data.isascii()

    def find(self, wanted: bytes) -> int:
        """Return where that stands for the first time, or -1."""
        return self.memory.find(wanted, 0, self.size)

    def rfind(self, wanted: bytes, end: int | None = None) -> int:
        """Return where that stands for the last time, before `end`, or -1."""
        return self.memory.rfind(wanted, 0, self.size if end is None else end)

    def is_blank(self, end: int) -> bool:
        """Tell whether nothing but blanks and newlines stands before `end`."""
        return not self.memory[: min(end, _BLANK_BYTES)].strip() and not self.memory[:end].strip()

    def pieces(self, end: int) -> Iterator[bytearray]:
        """Yield copies of what stands before `end`, in small pieces."""
        for start in range(0, end, _PIECE_BYTES):
            yield self.memory[start : min(end, start + _PIECE_BYTES)]

    def before(self, end: int) -> bytes:
        """Return a copy of what stands before `end`."""
        return bytes(memoryview(self.memory)[:end])

    def behind(self, start: int) -> bytes:
        """Return a copy of what stands from `start` on."""
        return bytes(memoryview(self.memory)[start : self.size])
