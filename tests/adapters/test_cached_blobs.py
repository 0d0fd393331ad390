"""What a process wrote for a run does not come back through the network, unless it is no longer what is stored."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.blobs import AzureBlobs
from shared.adapters.cached_blobs import CachedBlobs
from shared.adapters.storage_account import StorageAccount
from shared.ports import Blobs

PATH = "contoso/run-1/tables/PA_CPNT/00000.parquet"


@pytest.fixture
def stored(account: StorageAccount, name: str) -> AzureBlobs:
    """The same container, as another process sees it."""
    return AzureBlobs(account, name)


@pytest.fixture
def blobs(account: StorageAccount, name: str) -> Iterator[CachedBlobs]:
    blobs = CachedBlobs(account, name)
    yield blobs
    blobs.release("")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file in a folder that goes away once it is stored."""
    file = tmp_path / "engine" / "00000.parquet"
    file.parent.mkdir()
    file.write_bytes(b"rows")
    return file


def get(blobs: Blobs, tmp_path: Path, path: str = PATH) -> tuple[bytes, bool]:
    """Return the content, and whether it was here already."""
    file = blobs.get_file(path, tmp_path / "other" / "00000.parquet")
    return file.read_bytes(), file.stat().st_nlink > 1


def test_what_was_written_here_is_not_downloaded(blobs: CachedBlobs, written: Path, tmp_path: Path) -> None:
    """However often it is asked for, and although whoever wrote it has deleted it."""
    blobs.put_file(PATH, written)
    written.unlink()

    assert get(blobs, tmp_path) == (b"rows", True)
    assert get(blobs, tmp_path) == (b"rows", True)
    assert blobs.get(PATH) == b"rows"


def test_what_somebody_else_has_written_since_is_downloaded(
    blobs: CachedBlobs, stored: AzureBlobs, written: Path, tmp_path: Path
) -> None:
    """Two processes may have tried the same run: what counts is what is stored, and not what was meant to be."""
    blobs.put_file(PATH, written)
    stored.put(PATH, b"their rows")

    assert get(blobs, tmp_path) == (b"their rows", False)

    stored.delete(PATH)
    with pytest.raises(FileNotFoundError):
        get(blobs, tmp_path)


def test_a_file_that_is_written_anew_is_stored_anew(blobs: CachedBlobs, written: Path, tmp_path: Path) -> None:
    """The first version stays what it was, for it may still be on its way."""
    blobs.put_file(PATH, written)
    anew = written.with_suffix(".new")
    anew.write_bytes(b"all rows")
    anew.replace(written)

    assert get(blobs, tmp_path) == (b"rows", True)
    blobs.put_file(PATH, written)
    assert get(blobs, tmp_path) == (b"all rows", True)


def test_one_run_at_a_time_is_kept_until_it_is_released(blobs: CachedBlobs, written: Path, tmp_path: Path) -> None:
    """The disk holds no more than it had to hold before; a run of another connection is nobody's business."""
    other = PATH.replace("run-1", "run-2")
    blobs.put_file(PATH, written)
    blobs.put_file(other, written)

    assert get(blobs, tmp_path) == (b"rows", False)
    assert get(blobs, tmp_path, other) == (b"rows", True)

    blobs.release("contoso/run-1/")
    assert get(blobs, tmp_path, other) == (b"rows", True)
    blobs.release("contoso/run-2/")
    blobs.release("contoso/run-2/")
    (tmp_path / "other" / "00000.parquet").unlink()
    assert written.stat().st_nlink == 1
    assert get(blobs, tmp_path, other) == (b"rows", False)


def test_a_disk_without_second_names_is_no_matter(
    blobs: CachedBlobs, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    blobs.put_file(PATH, written)
    monkeypatch.setattr(os, "link", refuse)
    assert get(blobs, tmp_path) == (b"rows", False)

    blobs.put_file(PATH, written)
    assert get(blobs, tmp_path) == (b"rows", False)


def test_a_file_that_could_not_be_stored_is_not_kept(
    blobs: CachedBlobs, stored: AzureBlobs, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.put(PATH, b"former rows")

    def fail(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(AzureBlobs, "put_file", fail)
        with pytest.raises(ConnectionError):
            blobs.put_file(PATH, written)

    assert get(blobs, tmp_path) == (b"former rows", False)
