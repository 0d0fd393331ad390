"""How many requests it takes to send what waits, and when it will be done; nothing is sent for it."""

from datetime import datetime, timedelta
from math import ceil

from shared.domain.batches import Kind
from shared.domain.strict import Strict
from shared.domain.write_back import Identity, Pace
from shared.pipeline import journal
from shared.pipeline.parts import Parts
from shared.pipeline.write_back.accept import find_write_back
from shared.pipeline.write_back.opened import Desk, Opened, read_batch
from shared.pipeline.write_back.outbox import kind_of
from shared.pipeline.write_back.pace import Asked, Trouble, allowed_at, get_standing, paces
from shared.pipeline.write_back.push_courses import Change, survey


class Step(Strict):
    """One kind of requests."""

    asked: Asked
    records: int
    requests: int
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    """When the last of them may be made."""


class Plan(Strict):
    """All that waits for a connection."""

    connection: str
    paused: bool
    batches: int
    deactivations: int = 0
    updates: int = 0
    creations: int = 0
    created_inactive: int = 0
    """Courses that the LMS will not offer for import, because they are new and not active."""
    completions: int = 0
    already: int = 0
    """Records for which nothing has to be sent."""
    steps: tuple[Step, ...] = ()
    ends_at: datetime | None = None
    trouble: Trouble | None = None

    @property
    def requests(self) -> int:
        """Return how many requests it takes at most."""
        return sum(each.requests for each in self.steps)


def make_plan(parts: Parts, connection: str) -> Plan:
    """Look at what waits in the outbox of a connection.

    Raises:
        SettingsError: nothing is sent back to this LMS, or the key of the outbox may not be read.
    """
    journal.get_connection(parts, connection)
    _, write_back = find_write_back(parts, connection)
    desk, standing = Desk(parts, connection, write_back), get_standing(parts, connection)
    stems = sorted(desk.outbox.stems())
    courses = survey(desk, _opened(desk, stems, Kind.COURSES))
    count, already, learners = _completions(desk, stems)
    lookups = len(learners) if write_back.identity is Identity.EXTERNAL_REFERENCE else 0
    now, pace = parts.clock(), paces(write_back)
    steps = tuple(
        _step(asked, records, per_request, pace[asked], allowed_at(standing, asked, pace[asked], now))
        for asked, records, per_request in (
            (Asked.COURSES, len(courses.entries), write_back.courses_per_request),
            (Asked.READS, lookups, 1),
            (Asked.COMPLETIONS, count, write_back.completions_per_request),
        )
        if records
    )
    changes = [each.change for each in courses.entries]
    return Plan(
        connection=connection,
        paused=write_back.paused,
        batches=len(stems),
        deactivations=changes.count(Change.DEACTIVATE),
        updates=changes.count(Change.UPDATE),
        creations=changes.count(Change.CREATE),
        created_inactive=sum(each.change is Change.CREATE and not each.active for each in courses.entries),
        completions=count,
        already=already + len(courses.needless),
        steps=steps,
        ends_at=max((each.ends_at for each in steps if each.ends_at), default=None),
        trouble=standing.trouble,
    )


def _opened(desk: Desk, stems: list[str], kind: Kind) -> list[Opened]:
    return [each for stem in stems if kind_of(stem) is kind and (each := read_batch(desk, stem)) is not None]


def _completions(desk: Desk, stems: list[str]) -> tuple[int, int, set[bytes]]:
    """Return how many completions have to be sent, how many need not be, and the hashes of their learners."""
    seen: set[bytes] = set()
    learners: set[bytes] = set()
    already = 0
    for stem in stems:
        if kind_of(stem) is not Kind.COMPLETIONS or (opened := read_batch(desk, stem)) is None:
            continue
        pending = opened.pending
        known = desk.receipts.find(opened.keys[number][0] for number in pending)
        for number in pending:
            digest = opened.keys[number][0]
            if digest in seen or ((sent := known.get(digest)) is not None and sent.is_taken):
                already += 1
                continue
            seen.add(digest)
            learner = getattr(opened.records[number][1], "learner", "")
            learners.add(desk.keyed.digest("learner", learner))
    return len(seen), already, learners


def _step(asked: Asked, records: int, per_request: int, pace: Pace, begins_at: datetime) -> Step:
    requests = ceil(records / per_request)
    # As many as the pace allows at once, then a window's length, and so on.
    windows = ceil(requests / pace.requests) - 1
    ends_at = begins_at + timedelta(seconds=windows * pace.seconds)
    return Step(asked=asked, records=records, requests=requests, begins_at=begins_at, ends_at=ends_at)
