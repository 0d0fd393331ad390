"""Send the courses that wait, of all batches together: what is switched off first, then what changes, then what is new.

A request takes many courses and may be made seldom, so that it is filled from as many batches as it takes. Sending a
course twice does no harm; a request that a worker was killed in is made again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.domain.batches import Kind
from shared.domain.write_back import Course, Fate, Receipt
from shared.pipeline.write_back.opened import ALREADY, Desk, Opened, open_batch
from shared.pipeline.write_back.outbox import kind_of
from shared.pipeline.write_back.pace import Asked
from shared.pipeline.write_back.receipts import Sent
from shared.pipeline.write_back.session import Session

_BATCHES_AT_ONCE = 200
"""Most batches that are looked into for one request."""


class Change(IntEnum):
    """What a course means to the LMS, in the order of sending."""

    DEACTIVATE = 0
    UPDATE = 1
    CREATE = 2


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A course that waits; the smallest goes first."""

    change: Change
    stem: str
    number: int
    digest: bytes
    content: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """All courses that wait, and those for which there is nothing to be done."""

    entries: Sequence[Entry]
    needless: Sequence[tuple[str, int]]
    """Batch and number of those that the LMS has already, or that a newer one replaces."""


def survey(desk: Desk, opened: Iterable[Opened]) -> Survey:
    """Tell what the courses of batches mean to the LMS; the batches come in the order of their arrival."""
    latest: dict[bytes, Entry] = {}
    needless: list[tuple[str, int]] = []
    for each in opened:
        pending = each.pending
        known = desk.receipts.find(each.keys[number][0] for number in pending)
        for number in pending:
            digest, content = each.keys[number]
            course = each.records[number][1]
            assert isinstance(course, Course)  # noqa: S101 - the path of a batch says what it holds
            receipt = known.get(digest)
            entry = Entry(_change(course, receipt), each.batch.stem, number, digest, content, course.active)
            if digest in latest:
                needless.append((latest[digest].stem, latest[digest].number))
            latest[digest] = entry
            if receipt is not None and receipt.is_taken and receipt.content == content:
                needless.append((entry.stem, entry.number))
                del latest[digest]
    return Survey(sorted(latest.values()), needless)


def push_courses(desk: Desk, session: Session, stems: Sequence[str]) -> None:
    """Send courses until none is left.

    Raises:
        Pause: the LMS has to be left alone for a while.
        SettingsError: somebody has to change something.
    """
    waiting = [stem for stem in stems if kind_of(stem) is Kind.COURSES]
    while waiting:
        session.wait(Asked.COURSES)
        at_hand = waiting[:_BATCHES_AT_ONCE]
        opened = {each.batch.stem: each for stem in at_hand if (each := open_batch(desk, stem)) is not None}
        found = survey(desk, opened.values())
        for stem, number in found.needless:
            opened[stem].progress.settle(number, ALREADY)
        if found.entries:
            _send(desk, session, opened, found.entries[: desk.write_back.courses_per_request])
        left = _keep(opened.values())
        waiting = [stem for stem in waiting if stem in left or stem not in at_hand]


def _send(desk: Desk, session: Session, opened: dict[str, Opened], chosen: Sequence[Entry]) -> None:
    courses = [course for each in chosen if isinstance(course := opened[each.stem].records[each.number][1], Course)]
    receipts = session.send_courses(courses)
    now = desk.parts.clock()
    desk.receipts.add(
        {
            entry.digest: Sent(now, receipt.fate, receipt.code, entry.content)
            for entry, receipt in zip(chosen, receipts, strict=True)
            if receipt.fate in (Fate.DONE, Fate.AWAITS_IMPORT)
        }
    )
    settled: defaultdict[str, list[tuple[int, Receipt]]] = defaultdict(list)
    for entry, receipt in zip(chosen, receipts, strict=True):
        settled[entry.stem].append((entry.number, _told(entry, receipt)))
    for stem, results in settled.items():
        for number, receipt in results:
            opened[stem].progress.settle(number, receipt)


def _keep(opened: Iterable[Opened]) -> set[str]:
    """Keep how far batches have come, and end those that have come to their end; return which have not."""
    left = set()
    for each in opened:
        if each.pending:
            each.progress.keep()
            left.add(each.batch.stem)
        else:
            each.finish()
    return left


def _change(course: Course, receipt: Sent | None) -> Change:
    if receipt is None or not receipt.is_taken:
        return Change.CREATE
    return Change.UPDATE if course.active else Change.DEACTIVATE


def _told(entry: Entry, receipt: Receipt) -> Receipt:
    """Say why a course that never was active will not be found in the LMS's list of what can be imported."""
    if entry.change is Change.CREATE and not entry.active and receipt.fate is Fate.AWAITS_IMPORT:
        return receipt.model_copy(update={"reason": "It was made inactive: the LMS does not offer it for import."})
    return receipt
