"""Files in the inbox: read as a stream, accepted once, and deleted when all of it is safe."""

import json
from typing import Any

from shared.domain.batches import Stand
from shared.domain.errors import Code, TransientError
from shared.domain.messages import COMMANDS
from shared.pipeline.sweep import sweep
from shared.pipeline.write_back.read_inbox import lease_of, read_inbox
from tests.company import betrays
from tests.desk import NAME
from tests.write_back.conftest import Office, completion, course

PATH = f"{NAME}/monday.jsonl"


def lines(*records: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def test_a_file_becomes_batches_and_is_deleted(office: Office) -> None:
    office.set(batch_records=2)
    records = [completion(number) for number in range(5)]
    office.parts.inbox.put(PATH, lines(*records, course(1)) + b"\nquokka, this is no JSON\n")

    read_inbox(office.parts, NAME, PATH)
    office.work()

    assert list(office.parts.inbox.list_paths("")) == []
    assert len(office.lms.history) == 5
    assert set(office.lms.courses) == {"X-1"}
    assert sum(each.refused for each in office.batches) == 1
    reports = [office.parts.reports.get(path).decode() for path in office.parts.reports.list_paths(f"{NAME}/push-")]
    assert "7" in reports[0].splitlines()[1]
    assert betrays("".join(reports)) == []


def test_a_worker_that_dies_in_the_middle_of_a_file_is_followed_by_another(office: Office) -> None:
    """What it had accepted is the same batch again."""
    office.set(batch_records=2)
    office.parts.inbox.put(PATH, lines(*(completion(number) for number in range(5))))
    put, left = office.parts.outbox.put, iter(range(2))

    def die(path: str, content: bytes) -> None:
        if next(left, None) is None:
            raise TransientError("the machine is gone")
        put(path, content)

    office.parts.outbox.put = die  # type: ignore[method-assign]
    try:
        read_inbox(office.parts, NAME, PATH)
    except TransientError:
        office.parts.outbox.put = put  # type: ignore[method-assign]
    assert list(office.parts.inbox.list_paths("")) == [PATH]

    read_inbox(office.parts, NAME)
    office.work()
    assert len(office.lms.history) == 5
    assert sorted(each.records for each in office.batches) == [1, 2, 2]


def test_the_same_file_again_is_another_delivery(office: Office) -> None:
    """Courses that were changed in between are set back; completions that were sent are not sent again."""
    for title in ("Old", "New", "Old"):
        office.parts.inbox.put(PATH, lines(completion(1), course(1, titles={"English": title})))
        read_inbox(office.parts, NAME, PATH)
        office.desk.pass_time(1)
        office.work()

    assert len(office.lms.history) == 1
    assert office.lms.courses["X-1"].titles == {"English": "Old"}


def test_a_csv_is_read_by_its_mapping_and_waits_until_there_is_one(office: Office) -> None:
    """Nobody tries it again and again meanwhile."""
    path = f"{NAME}/done.csv"
    office.parts.inbox.put(path, b"who,what,when\nquokka-1,C-1,2026-10-20T10:00:00Z\nquokka-2,,2026-10-20T10:00:00Z\n")
    read_inbox(office.parts, NAME, path)
    assert list(office.parts.inbox.list_paths("")) == [path]
    assert office.batch.stand is Stand.PARTIAL
    sweep(office.parts)
    assert not [body for queue, body, _ in office.desk.messages.take() if queue == COMMANDS and "read_inbox" in body]

    office.set(
        mappings=[
            {
                "name": "done",
                "file_name": "done*.csv",
                "into": "completions",
                "columns": [
                    {"column": "who", "field": "learner"},
                    {"column": "what", "field": "course_id"},
                    {"column": "when", "field": "completed_at", "type": "date"},
                ],
            }
        ]
    )
    sweep(office.parts)
    assert [body for queue, body, _ in office.desk.messages.take() if queue == COMMANDS and "read_inbox" in body]
    read_inbox(office.parts, NAME)
    office.work()

    assert [each.learner for each in office.lms.history] == ["quokka-1"]
    assert list(office.parts.inbox.list_paths("")) == []
    assert sum(each.refused for each in office.batches) == 2
    assert Code.FIELD_REQUIRED in "".join(
        office.parts.reports.get(path).decode() for path in office.parts.reports.list_paths(NAME)
    )


def test_one_worker_at_a_time_reads_and_none_is_forgotten(office: Office) -> None:
    office.parts.inbox.put(PATH, lines(completion(1)))
    with office.parts.leases.hold(lease_of(NAME)):
        read_inbox(office.parts, NAME, PATH)
    assert office.batches == []

    delete = office.parts.inbox.delete

    def late(path: str) -> None:
        delete(path)
        office.parts.inbox.put(f"{NAME}/tuesday.jsonl", lines(completion(2)))

    office.parts.inbox.delete = late  # type: ignore[method-assign]
    read_inbox(office.parts, NAME, PATH)

    assert [queue for queue, _, _ in office.desk.messages.take()][-1] == COMMANDS


def test_the_sweeper_wakes_what_stands_still_and_deletes_what_is_old(office: Office) -> None:
    """A message was lost; later, what is past its time goes, and what is not stays."""
    office.lms.inactive = {"quokka-2"}
    office.parts.inbox.put(PATH, lines(completion(1), completion(2)))
    read_inbox(office.parts, NAME, PATH)
    office.desk.messages.take()
    sweep(office.parts)
    office.work()
    assert len(office.lms.history) == 1
    assert list(office.parts.outbox.list_paths(f"{NAME}/parked/"))

    office.desk.pass_time(29 * 86_400)
    sweep(office.parts)
    assert list(office.parts.outbox.list_paths(f"{NAME}/parked/"))
    office.desk.pass_time(2 * 86_400)
    sweep(office.parts)
    assert not list(office.parts.outbox.list_paths(f"{NAME}/parked/"))
    assert len(office.batches) == 1
    office.desk.pass_time(60 * 86_400)
    sweep(office.parts)
    assert office.batches == []
    assert not list(office.parts.reports.list_paths(f"{NAME}/push-"))
    assert list(office.parts.receipts.list_paths(NAME))
    office.desk.pass_time(1100 * 86_400)
    sweep(office.parts)
    assert not any(office.parts.receipts.get(path) for path in office.parts.receipts.list_paths(NAME))
