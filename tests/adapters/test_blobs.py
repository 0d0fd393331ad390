from pathlib import Path

import pytest

from shared.adapters.blobs import AzureBlobs
from shared.adapters.storage_account import BLOCK_BYTES, WHOLE_BYTES, StorageAccount
from shared.domain.errors import TransientError
from shared.ports import Blobs
from tests.fakes import MemoryBlobs
from tests.soak_process import forget_peak_memory, peak_memory_kib

MIB = 1024 * 1024


@pytest.fixture
def blobs(account: StorageAccount, name: str, *, on_azure: bool) -> Blobs:
    return AzureBlobs(account, name) if on_azure else MemoryBlobs()


def test_what_is_put_is_got(blobs: Blobs) -> None:
    blobs.put("runs/1/manifest.json", b"old and longer")
    blobs.put("runs/1/manifest.json", b"new")

    assert blobs.get("runs/1/manifest.json") == b"new"


def test_a_missing_blob_is_a_missing_file(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.get("nothing")
    with pytest.raises(FileNotFoundError), blobs.open("nothing"):
        pass
    with pytest.raises(FileNotFoundError):
        blobs.get_file("nothing", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_deleting_twice_is_fine(blobs: Blobs) -> None:
    blobs.put("once", b"")

    blobs.delete("once")
    blobs.delete("once")

    assert list(blobs.list_paths("")) == []


def test_paths_are_listed_by_prefix_in_order(blobs: Blobs) -> None:
    for path in ("b/2", "a/10", "b/1", "b-x", "b/10"):
        blobs.put(path, b"")

    assert list(blobs.list_paths("b/")) == ["b/1", "b/10", "b/2"]
    assert list(blobs.list_paths("c")) == []


def test_listing_goes_on_after_a_page(account: StorageAccount, name: str) -> None:
    """Azure lists 5,000 at a time; here three, so that the test is short."""
    blobs = AzureBlobs(account, name)
    paths = [f"{number}" for number in range(8)]
    for path in paths:
        blobs.put(path, b"")

    pages = account.container(name).list_blob_names(results_per_page=3)

    assert list(pages) == list(blobs.list_paths("")) == paths


@pytest.mark.parametrize(
    "path",
    [
        "ä ö/ü.pgp",
        "日本/語",
        "😀",
        "a%2Fb",
        "a#b?c&d=e+f",
        "a'b\"c",
        "a//b",
        " lead",
        "...",
        "a./.b",
        "x" * 1024,
    ],
)
def test_a_path_may_hold_any_character(blobs: Blobs, path: str) -> None:
    """Packages keep the names their provider gave them."""
    blobs.put(path, b"content")

    assert blobs.get(path) == b"content"
    assert list(blobs.list_paths("")) == [path]


@pytest.mark.parametrize("path", ["", ".", "..", "../a", "a/../b", "a/.", "a\\b", "a\nb", "\x00", "\uffff", "\udcff"])
def test_a_path_that_would_become_another_is_refused(account: StorageAccount, name: str, path: str) -> None:
    """`a/../b` would silently be written as `b`; U+FFFF would make the whole container unlistable."""
    with pytest.raises(ValueError, match="No path for a blob"):
        AzureBlobs(account, name).put(path, b"")


@pytest.mark.parametrize("size", [0, 1, WHOLE_BYTES, WHOLE_BYTES + 1, WHOLE_BYTES + BLOCK_BYTES + 1])
def test_a_file_of_any_size_is_put_and_read_as_a_stream_or_a_file(blobs: Blobs, tmp_path: Path, size: int) -> None:
    file = tmp_path / "file"
    file.write_bytes((bytes(range(251)) * (size // 251 + 1))[:size])

    blobs.put_file("large", file)

    with blobs.open("large") as stream:
        assert stream.read(7) == file.read_bytes()[:7]
        assert stream.read() == file.read_bytes()[7:]
        assert stream.read(1) == b""
    assert blobs.get_file("large", tmp_path / "new" / "copy").read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_a_stream_keeps_a_few_pieces_in_memory(account: StorageAccount, name: str, tmp_path: Path) -> None:
    """A package of 2 GB must fit through an instance with little memory.

    Resident, not allocated: the SDK makes a list eight times too large (a place for every byte of an answer, instead
    of every piece of it), which it never touches.
    """
    blobs = AzureBlobs(account, name)
    file = tmp_path / "file"
    with file.open("wb") as content:
        content.truncate(256 * MIB)
    blobs.put("small", b"")

    forget_peak_memory()
    before_kib = peak_memory_kib()
    blobs.put_file("large", file)
    with blobs.open("large") as stream:
        size = sum(len(piece) for piece in iter(lambda: stream.read(MIB), b""))

    assert size == 256 * MIB
    assert (peak_memory_kib() - before_kib) * 1024 < 4 * WHOLE_BYTES


def test_a_blob_replaced_while_it_is_read_is_no_mixture(account: StorageAccount, name: str) -> None:
    blobs = AzureBlobs(account, name)
    blobs.put("shard", b"a" * (WHOLE_BYTES + 1))

    with blobs.open("shard") as stream:
        stream.read(1)
        blobs.put("shard", b"b" * (WHOLE_BYTES + 1))
        with pytest.raises(TransientError, match="412"):
            stream.read()
