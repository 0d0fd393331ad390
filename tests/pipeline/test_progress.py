"""Progress reaches whoever looks, costs little, and is never what work fails for."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest

from shared.domain.errors import TransientError
from shared.domain.progress import Doing, Progress
from shared.domain.runs import Run, Step
from shared.pipeline import journal, progress
from shared.pipeline.collect_packages import collect
from shared.pipeline.download import BLOCK_BYTES
from shared.pipeline.process_package import process_next
from shared.pipeline.progress import Reporter
from tests.company import FULL, full
from tests.desk import NAME, START, Desk


@pytest.fixture
def run(desk: Desk) -> Run:
    """A run whose package has been read."""
    desk.drop(FULL, full())
    collect(desk.parts, NAME, "sync")
    process_next(desk.parts, NAME)
    (run,) = journal.list_runs(desk.parts, NAME)
    return run


def found(desk: Desk, run: Run) -> Run:
    return journal.get_run(desk.parts, NAME, run.run_id)


def test_a_run_says_how_far_it_is_every_few_seconds(desk: Desk, run: Run) -> None:
    """And counts as touched, so that the sweeper lets it be."""
    reporter = progress.of_run(desk.parts, run, Doing.DECIDING, total_rows=100)
    for second in range(1, 5):
        desk.now = START + timedelta(seconds=second)
        reporter.advance(more_rows=10)

    told = found(desk, run)

    assert told.progress is not None
    assert (told.progress.stage, told.progress.package) == (Doing.DECIDING, FULL)
    assert (told.progress.done_rows, told.progress.total_rows) == (30, 100)
    assert told.progress.ends_at == START + timedelta(seconds=10)
    assert told.touched_at == START + timedelta(seconds=3)
    assert told.step is run.step
    reporter.finish()
    assert (found(desk, run).progress or told.progress).done_rows == 40


def test_a_run_knows_how_large_its_package_is(desk: Desk, run: Run) -> None:
    assert run.size_bytes == len(desk.folder.files[FULL])


def test_a_run_that_has_ended_is_left_alone(desk: Desk, run: Run) -> None:
    reporter = progress.of_run(desk.parts, run, Doing.DECIDING)
    journal.advance(desk.parts, run, run.step, step=Step.ENDED)
    before = found(desk, run)

    reporter.advance(more_rows=1)
    reporter.finish()

    assert found(desk, run) == before


def test_a_look_says_how_far_its_download_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it ends; its record says nothing of it any more."""
    desk.folder.files[FULL] = bytes(3 * BLOCK_BYTES + 1)
    told: list[Progress | None] = []
    read = desk.folder.read

    def slow(name: str, *, offset_bytes: int, block_bytes: int) -> Iterator[bytes]:
        for block in read(name, offset_bytes=offset_bytes, block_bytes=block_bytes):
            sync = journal.get_state(desk.parts, NAME).sync
            assert sync is not None
            told.append(sync.progress)
            desk.now += timedelta(seconds=5)
            yield block

    monkeypatch.setattr(desk.folder, "read", slow)
    collect(desk.parts, NAME, "sync")

    assert [each and each.done_bytes for each in told] == [None, *(BLOCK_BYTES * count for count in (1, 2, 3))]
    last = told[-1]
    assert last is not None
    assert (last.stage, last.package, last.total_bytes) == (Doing.COLLECTING, FULL, 3 * BLOCK_BYTES + 1)
    sync = journal.get_state(desk.parts, NAME).sync
    assert sync is not None
    assert sync.progress is None


def new(desk: Desk, told: list[Progress]) -> Reporter:
    began = Progress(stage=Doing.READING, package=FULL, total_bytes=100, started_at=desk.now, updated_at=desk.now)
    return Reporter(began, lambda: desk.now, told.append)


def test_bytes_are_counted_as_they_are_read(desk: Desk) -> None:
    told: list[Progress] = []
    reporter = new(desk, told)
    stream = reporter.counted(BytesIO(b"a" * 5_000_000))

    desk.now += timedelta(seconds=4)
    assert len(stream.read(10)) == 10
    assert 10 <= told[0].done_bytes < 5_000_000
    assert len(stream.read()) == 4_999_990
    reporter.finish()

    assert told[-1].done_bytes == 5_000_000


def test_what_was_there_before_counts_as_done_but_not_for_the_rate(desk: Desk) -> None:
    told: list[Progress] = []
    reporter = new(desk, told)
    reporter.reach(40)
    desk.now += timedelta(seconds=10)

    reporter.reach(60)

    assert (told[0].done_bytes, told[0].bytes_per_second) == (60, 2)
    reporter.restart()
    assert (reporter.progress.done_bytes, reporter.progress.first_bytes) == (0, 0)


def test_work_goes_on_when_nobody_can_be_told(desk: Desk) -> None:
    def fail(_: Progress) -> None:
        raise TransientError("no storage")

    reporter = Reporter(new(desk, []).progress, lambda: desk.now, fail)
    desk.now += timedelta(seconds=10)

    reporter.advance(more_bytes=1)

    assert reporter.progress.done_bytes == 1
