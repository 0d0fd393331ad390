"""The largest table comes to the machine while something else is done there."""

import threading
from pathlib import Path
from typing import override

import pytest

from shared.domain.errors import TransientError
from shared.domain.table_part import TablePart
from shared.pipeline.table_parts import downloading
from tests.fakes import MemoryBlobs

PARTS = tuple(TablePart(path=f"{number}", rows=number, first=0, last=number) for number in range(3))


class Slow(MemoryBlobs):
    """Gives its first file when it may, and notes which were asked for."""

    def __init__(self) -> None:
        super().__init__({part.path: part.path.encode() for part in PARTS})
        self.may, self.began = threading.Event(), threading.Event()
        self.asked: list[str] = []

    @override
    def get_file(self, path: str, file: Path) -> Path:
        self.asked.append(path)
        self.began.set()
        assert self.may.wait(10)
        return super().get_file(path, file)


def test_they_are_there_when_somebody_has_waited_for_them(tmp_path: Path) -> None:
    blobs = Slow()

    with downloading(blobs, PARTS, tmp_path) as wait:
        assert blobs.began.wait(10), "nothing comes before it is asked for"
        blobs.may.set()
        found = wait()

    assert [(part.file.read_text(), part.rows, part.last) for part in found] == [("0", 0, 0), ("1", 1, 1), ("2", 2, 2)]


def test_what_nobody_waits_for_is_left(tmp_path: Path) -> None:
    """A run that failed meanwhile does not go on loading."""
    blobs = Slow()

    def fail() -> None:
        with downloading(blobs, PARTS, tmp_path):
            assert blobs.began.wait(10)
            threading.Timer(0.3, blobs.may.set).start()
            raise TransientError("Graph is busy.")

    with pytest.raises(TransientError):
        fail()

    assert blobs.asked == ["0"]


def test_whoever_waits_hears_what_went_wrong(tmp_path: Path) -> None:
    blobs = Slow()
    blobs.delete("1")
    blobs.may.set()

    with downloading(blobs, PARTS, tmp_path) as wait, pytest.raises(FileNotFoundError):
        wait()
