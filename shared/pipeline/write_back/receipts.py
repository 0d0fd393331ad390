"""What was sent, so that it is not sent again: rows of 32 bytes under keyed hashes, sorted, in 256 blobs a connection.

A row holds the hash of the record (16 bytes), the minute it was settled (4), its fate (1), its code (1), two bytes to
spare, and a hash of what may change of it (8): a completion's grade, or all of a course. A hundred thousand receipts
are 3 MB, and the blobs that were read are kept in memory, up to a bound, as long as a worker is at it.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from struct import Struct

from shared.domain.errors import Code
from shared.domain.write_back import Fate
from shared.pipeline.write_back.keyed import DIGEST_BYTES
from shared.ports import Blobs

_ROW = Struct(">16sIBBxx8s")
_FATES: Sequence[Fate] = (Fate.DONE, Fate.AWAITS_IMPORT, Fate.REJECTED, Fate.PARKED)
"""In the order of their numbers, which are kept: new ones go to the end."""
_CODES: Sequence[Code | None] = (
    None,
    Code.UNEXPECTED,
    Code.FIELD_REQUIRED,
    Code.FIELD_INVALID,
    Code.RECORD_REFUSED,
    Code.LEARNER_UNKNOWN,
    Code.LEARNER_AMBIGUOUS,
    Code.LEARNER_INACTIVE,
    Code.LMS_UNREACHABLE,
)
"""The same; any other code is kept as `UNEXPECTED`."""
_NO_CHANGE = bytes(8)
_CACHED_BYTES = 32 << 20
_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sent:
    """A receipt as it is kept."""

    settled_at: datetime
    fate: Fate
    code: Code | None = None
    content: bytes = _NO_CHANGE
    """Of what may change: a hash of 8 bytes."""

    @property
    def is_taken(self) -> bool:
        """Tell whether the LMS has it."""
        return self.fate in (Fate.DONE, Fate.AWAITS_IMPORT)


class Receipts:
    """The receipts of one connection; one worker at a time may add to them."""

    def __init__(self, blobs: Blobs, connection: str) -> None:
        self._blobs = blobs
        self._connection = connection
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached_bytes = 0

    def find(self, digests: Iterable[bytes]) -> dict[bytes, Sent]:
        """Return the receipts that there are, by hash."""
        found = {}
        for shard, wanted in _by_shard(digests).items():
            content = self._read(shard)
            for digest in wanted:
                at = _place(content, digest)
                if content[at : at + DIGEST_BYTES] == digest:
                    found[digest] = _unpacked(content[at : at + _ROW.size])
        return found

    def add(self, receipts: Mapping[bytes, Sent]) -> None:
        """Keep receipts, the new one where there are two; a second call changes nothing."""
        for shard, digests in _by_shard(receipts).items():
            rows = dict(_rows(self._read(shard)))
            rows |= {digest: _packed(digest, receipts[digest]) for digest in digests}
            self._write(shard, b"".join(rows[digest] for digest in sorted(rows)))

    def forget(self, before: datetime) -> int:
        """Delete what was settled before that; return how many that were."""
        count = 0
        for path in list(self._blobs.list_paths(f"{self._connection}/")):
            shard = int(path.rpartition("/")[2], 16)
            rows = dict(_rows(self._read(shard)))
            kept = {digest: row for digest, row in rows.items() if _unpacked(row).settled_at >= before}
            if len(kept) < len(rows):
                count += len(rows) - len(kept)
                self._write(shard, b"".join(kept.values()))
        return count

    def _path(self, shard: int) -> str:
        return f"{self._connection}/{shard:02x}"

    def _read(self, shard: int) -> bytes:
        if shard in self._cache:
            self._cache.move_to_end(shard)
            return self._cache[shard]
        try:
            content = self._blobs.get(self._path(shard))
        except FileNotFoundError:
            content = b""
        self._remember(shard, content)
        return content

    def _write(self, shard: int, content: bytes) -> None:
        self._blobs.put(self._path(shard), content)
        self._remember(shard, content)

    def _remember(self, shard: int, content: bytes) -> None:
        self._cached_bytes += len(content) - len(self._cache.pop(shard, b""))
        self._cache[shard] = content
        while self._cached_bytes > _CACHED_BYTES and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= len(dropped)


def _by_shard(digests: Iterable[bytes]) -> dict[int, list[bytes]]:
    sorted_out: defaultdict[int, list[bytes]] = defaultdict(list)
    for digest in digests:
        sorted_out[digest[0]].append(digest)
    return sorted_out


def _place(content: bytes, digest: bytes) -> int:
    """Return where the row of a hash is, or would be."""
    low, high = 0, len(content) // _ROW.size
    while low < high:
        middle = (low + high) // 2
        at = middle * _ROW.size
        if content[at : at + DIGEST_BYTES] < digest:
            low = middle + 1
        else:
            high = middle
    return low * _ROW.size


def _rows(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(content), _ROW.size):
        yield content[at : at + DIGEST_BYTES], content[at : at + _ROW.size]


def _packed(digest: bytes, sent: Sent) -> bytes:
    code = _CODES.index(sent.code) if sent.code in _CODES else 1
    minute = int(sent.settled_at.timestamp() // _MINUTE_SECONDS)
    return _ROW.pack(digest, minute, _FATES.index(sent.fate), code, sent.content)


def _unpacked(row: bytes) -> Sent:
    _, minute, fate, code, content = _ROW.unpack(row)
    return Sent(datetime.fromtimestamp(minute * _MINUTE_SECONDS, UTC), _FATES[fate], _CODES[code], content)
