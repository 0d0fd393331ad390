"""Receipts in their compact form."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import perf_counter

import pytest

from shared.domain.errors import Code
from shared.domain.write_back import Fate
from shared.pipeline.write_back.receipts import Receipts, Sent
from tests.fakes import MemoryBlobs

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)


def digest(number: int) -> bytes:
    return sha256(str(number).encode()).digest()[:16]


def test_what_is_added_is_found_by_another_worker() -> None:
    blobs = MemoryBlobs()
    kept = {
        digest(1): Sent(NOW, Fate.DONE, None, b"12345678"),
        digest(2): Sent(NOW, Fate.PARKED, Code.LEARNER_INACTIVE),
        digest(3): Sent(NOW, Fate.REJECTED, Code.MASS_CHANGE),
    }

    Receipts(blobs, "a").add(kept)
    found = Receipts(blobs, "a").find([*kept, digest(4)])

    assert found[digest(3)].code is Code.UNEXPECTED
    assert {key: each for key, each in found.items() if key != digest(3)} == {
        digest(1): kept[digest(1)],
        digest(2): kept[digest(2)],
    }
    assert Receipts(blobs, "b").find(kept) == {}


def test_the_newer_one_counts() -> None:
    receipts = Receipts(MemoryBlobs(), "a")
    receipts.add({digest(1): Sent(NOW, Fate.PARKED)})
    receipts.add({digest(1): Sent(NOW, Fate.DONE)})

    assert receipts.find([digest(1)])[digest(1)].is_taken


def test_old_ones_are_forgotten() -> None:
    receipts = Receipts(MemoryBlobs(), "a")
    receipts.add({digest(1): Sent(NOW - timedelta(days=10), Fate.DONE), digest(2): Sent(NOW, Fate.DONE)})

    assert receipts.forget(NOW - timedelta(days=5)) == 1
    assert set(receipts.find([digest(1), digest(2)])) == {digest(2)}


@pytest.mark.slow
@pytest.mark.parametrize("cached", [1, 32 << 20])
def test_a_hundred_thousand_are_found_in_seconds(monkeypatch: pytest.MonkeyPatch, cached: int) -> None:
    """A second push of the same completions finds all of them, and sends nothing; memory is bounded."""
    monkeypatch.setattr("shared.pipeline.write_back.receipts._CACHED_BYTES", cached)
    blobs = MemoryBlobs()
    digests = [digest(number) for number in range(100_000)]
    Receipts(blobs, "a").add(dict.fromkeys(digests, Sent(NOW, Fate.DONE)))
    began = perf_counter()

    receipts = Receipts(blobs, "a")
    found = sum(len(receipts.find(digests[start : start + 5000])) for start in range(0, 100_000, 5000))

    assert found == 100_000
    assert perf_counter() - began < 10
    assert sum(map(len, blobs.content.values())) == 3_200_000
    assert receipts._cached_bytes <= max(cached, 20_000)
