"""Parts travel while something else is done, from storage to the machine and back."""

import threading
from pathlib import Path
from typing import override

import pytest

from shared.domain.errors import TransientError
from shared.domain.table_part import TablePart
from shared.pipeline.table_parts import LocalPart, downloading, uploading
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


class Full(MemoryBlobs):
    """Takes the first file, and has no time for another."""

    @override
    def put_file(self, path: str, file: Path) -> None:
        if self.content:
            raise TransientError("The storage account has no time.")
        super().put_file(path, file)


def written(folder: Path, number: int, content: str = "") -> LocalPart:
    """Write a file that stands for a part."""
    file = folder / f"part-{number}"
    file.write_text(content or str(number))
    return LocalPart(file, rows=number, first=0, last=number)


def test_parts_are_there_when_somebody_has_waited_for_them(tmp_path: Path) -> None:
    """Those that nobody sent on their way as well, and in the order of the table."""
    blobs, parts = MemoryBlobs(), [written(tmp_path, number) for number in range(3)]
    with uploading(blobs, "run/tables") as uploads:
        for number in (2, 0):
            uploads.begin("SOME", parts[number])
        found = uploads.end("SOME", parts)

    assert [part.path for part in found] == [f"run/tables/SOME/part-{number}" for number in range(3)]
    assert [(part.rows, part.first, part.last) for part in found] == [(0, 0, 0), (1, 0, 1), (2, 0, 2)]
    assert [blobs.content[part.path] for part in found] == [b"0", b"1", b"2"]


def test_a_part_that_is_written_anew_is_brought_anew(tmp_path: Path) -> None:
    """A table that turns out not to be UTF-8 is read again from its beginning."""
    blobs = MemoryBlobs()
    with uploading(blobs, "run/tables") as uploads:
        for content in ("old", "new"):
            part = written(tmp_path, 7, content)
            uploads.begin("SOME", part)
        (found,) = uploads.end("SOME", [part])

    assert blobs.content[found.path] == b"new"


def test_a_part_that_another_takes_the_place_of_does_not_stay(tmp_path: Path) -> None:
    """A part with a row that another row outdoes is written without it, elsewhere."""
    blobs, parts = MemoryBlobs(), [written(tmp_path, number) for number in range(3)]
    with uploading(blobs, "run/tables") as uploads:
        for table in ("SOME", "SOMEBODY"):
            uploads.begin(table, parts[0])
        uploads.begin("SOME", parts[1])
        uploads.end("SOME", parts[1:])

    assert set(blobs.content) == {"run/tables/SOME/part-1", "run/tables/SOME/part-2", "run/tables/SOMEBODY/part-0"}


def test_whoever_waits_for_parts_hears_what_went_wrong_and_nothing_is_left(tmp_path: Path) -> None:
    blobs = Full()

    def bring() -> None:
        with uploading(blobs, "run/tables") as uploads:
            for number in range(2):
                uploads.begin("SOME", written(tmp_path, number))
            uploads.end("SOME", [written(tmp_path, 1)])

    with pytest.raises(TransientError):
        bring()

    assert not blobs.content
