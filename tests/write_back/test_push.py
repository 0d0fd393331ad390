"""Completions on their way to the LMS: each is sent once, whatever happens to whoever sends it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.batches import Kind, Stand
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.domain.write_back import Completion, Fate, Pace, Receipt
from shared.pipeline.write_back.pace import get_standing
from shared.pipeline.write_back.push import lease_of, push_completions
from tests.desk import NAME, START
from tests.memory_lms import Killed
from tests.write_back.conftest import Office, as_set, completion, in_history

COMPLETIONS = Kind.COMPLETIONS


def test_what_is_accepted_stands_in_the_lms_afterwards(office: Office) -> None:
    records = [completion(number) for number in range(30)]

    reply = office.post(COMPLETIONS, records)
    assert reply.status == 202
    office.work()

    assert in_history(office.lms.history) == sorted(as_set(records))
    assert (office.batch.stand, office.batch.fates) == (Stand.DONE, {Fate.DONE: 30})
    assert list(office.parts.outbox.list_paths("")) == []


def test_what_was_sent_is_never_sent_again_nor_its_grade(office: Office) -> None:
    """The LMS would have it twice, for it takes no change of a completion; a changed grade is counted."""
    office.post(COMPLETIONS, [completion(1, grade="A"), completion(2), completion(1, grade="A")])
    office.work()

    office.post(COMPLETIONS, [completion(1, grade="B"), completion(2), completion(3)])
    office.work()

    assert len(office.lms.history) == 3
    second, first = office.batches
    assert (first.fates, first.grade_changes) == ({Fate.DONE: 2, Fate.ALREADY: 1}, 0)
    assert (second.fates, second.grade_changes) == ({Fate.DONE: 1, Fate.ALREADY: 2}, 1)
    assert second.stand is Stand.DONE


def test_the_day_or_the_senders_id_tells_completions_apart(office: Office) -> None:
    day_before = (START - timedelta(days=2)).isoformat()
    office.post(
        COMPLETIONS,
        [
            completion(1),
            completion(1, completed_at=day_before),
            completion(1, completion_id="1"),
            completion(1, completion_id="2"),
            completion(1, completion_id="2", completed_at=day_before),
        ],
    )
    office.work()

    assert office.batch.fates == {Fate.ALREADY: 1, Fate.DONE: 4}


def test_a_message_that_comes_five_times_sends_once(office: Office) -> None:
    office.post(COMPLETIONS, [completion(1)])
    for _ in range(5):
        push_completions(office.parts, PushCompletions(connection=NAME))

    assert office.lms.count("completions") == 1


def test_the_pace_is_kept_across_messages_and_nobody_sleeps(office: Office) -> None:
    """More would be refused by the LMS, which is as strict as the pace."""
    office.lms.limits["completions"] = Pace(requests=100, seconds=60)
    office.post(COMPLETIONS, [completion(number) for number in range(250)])

    messages = office.work()

    assert [office.lms.minutes("completions", START).count(minute) for minute in (0, 1, 2)] == [100, 100, 50]
    assert len(office.lms.history) == 250
    assert messages == 3


def test_one_worker_at_a_time_and_none_is_forgotten(office: Office) -> None:
    """Whoever finds somebody at it leaves; what came meanwhile is seen by the one who was."""
    office.post(COMPLETIONS, [completion(1)])
    with office.parts.leases.hold(lease_of(NAME)):
        push_completions(office.parts, PushCompletions(connection=NAME))
    assert office.lms.requests == []

    listed = office.parts.outbox.list_paths
    first = iter([True])

    def late(prefix: str) -> Iterator[str]:
        yield from () if next(first, False) else listed(prefix)

    office.desk.messages.take()
    office.parts.outbox.list_paths = late  # type: ignore[method-assign]
    push_completions(office.parts, PushCompletions(connection=NAME))

    assert [queue for queue, _, _ in office.desk.messages.take()] == [PUSH_COMPLETIONS]


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("error", [Killed(), TransientError("no answer", Code.LMS_UNREACHABLE)])
def test_an_outcome_that_nobody_knows_is_looked_up_or_parked(
    office: Office, error: BaseException, *, tells: bool
) -> None:
    """The request was carried out, but the worker died, or no answer came."""
    office.lms.lose.append(error)
    office.lms.tells = tells
    office.post(COMPLETIONS, [completion(1), completion(2)])
    office.desk.messages.take()

    if isinstance(error, Killed):
        with pytest.raises(Killed):
            push_completions(office.parts, PushCompletions(connection=NAME))
    push_completions(office.parts, PushCompletions(connection=NAME))
    office.desk.pass_time(60)
    office.post(COMPLETIONS, [completion(2)])
    office.work()

    assert len(office.lms.history) == 2
    expected = {Fate.DONE: 2} if tells else {Fate.DONE: 1, Fate.PARKED: 1}
    assert office.batches[1].fates == expected


def test_an_outcome_that_nobody_knows_may_be_sent_again_on_request(office: Office) -> None:
    office.set(on_unknown="resend")
    office.lms.tells = False
    office.lms.lose.append(TransientError("no answer", Code.LMS_UNREACHABLE))
    office.post(COMPLETIONS, [completion(1)])
    office.work()

    assert len(office.lms.history) == 2
    assert office.batch.fates == {Fate.DONE: 1}


def test_a_pause_that_the_lms_asks_for_is_kept(office: Office) -> None:
    """429 without a time means five minutes, and that nothing was recorded."""
    office.lms.refuse += [
        TransientError("API calling limit exceeded, Try later", Code.LMS_REQUESTS_LIMIT),
        TransientError("later", Code.LMS_REQUESTS_LIMIT, START + timedelta(minutes=12)),
    ]
    office.lms.tells = False
    office.post(COMPLETIONS, [completion(1)])
    office.work()

    assert office.lms.minutes("completions", START) == [0, 5, 12]
    assert (len(office.lms.history), office.batch.fates) == (1, {Fate.DONE: 1})


def test_an_lms_that_is_away_is_asked_less_and_less_often(office: Office) -> None:
    office.lms.refuse += [TransientError("away", Code.LMS_UNREACHABLE) for _ in range(7)]
    office.lms.tells = True
    office.post(COMPLETIONS, [completion(1)])
    office.work()

    asked = [round((at - START).total_seconds() / 60, 3) for _, at, _ in office.lms.requests]
    assert asked[:6] == [0, 1, 3, 7, 15, 30]
    assert office.batch.fates == {Fate.DONE: 1}
    assert get_standing(office.parts, NAME).trouble is None


def test_a_secret_that_is_refused_stands_still_and_goes_on_when_mended(office: Office) -> None:
    """It is no fault of the completions: none of them is parked or given up."""
    office.lms.refuse += [SettingsError("login refused", Code.INVALID_CREDENTIALS) for _ in range(6)]
    office.lms.tells = False
    office.post(COMPLETIONS, [completion(1)])
    push_completions(office.parts, PushCompletions(connection=NAME))

    trouble = get_standing(office.parts, NAME).trouble
    assert trouble is not None
    assert trouble.code is Code.INVALID_CREDENTIALS
    office.work()
    assert office.batch.fates == {Fate.DONE: 1}
    assert get_standing(office.parts, NAME).trouble is None


def test_a_partial_outcome_is_told_as_one(office: Office) -> None:
    """One of three is refused, one is about somebody who has left; the report says which, and not who."""
    office.lms.inactive = {"quokka-2"}
    office.lms.unknown_courses = {"C-3"}
    office.post(COMPLETIONS, [completion(1), completion(2), completion(3)])
    office.work()

    assert office.batch.stand is Stand.PARTIAL
    assert office.batch.fates == {Fate.DONE: 1, Fate.PARKED: 1, Fate.REJECTED: 1}
    (path,) = office.parts.reports.list_paths(f"{NAME}/push-")
    report = office.parts.reports.get(path).decode("utf-8-sig").splitlines()
    assert [line.split(",")[1:4] for line in report[1:]] == [
        ["2", "parked", Code.LEARNER_INACTIVE],
        ["3", "rejected", Code.RECORD_REFUSED],
    ]
    assert "quokka" not in "".join(report)


def test_parked_completions_are_sent_when_they_are_replayed(office: Office) -> None:
    office.lms.inactive = {"quokka-2"}
    office.post(COMPLETIONS, [completion(1), completion(2)])
    office.work()
    office.lms.inactive = set()

    office.desk.pass_time(1)
    for _ in range(2):
        push_completions(office.parts, PushCompletions(connection=NAME, replay="*"))
    office.work()

    assert len(office.lms.history) == 2
    replayed = office.batch
    assert (replayed.source, replayed.fates, replayed.stand) == ("replay", {Fate.DONE: 1}, Stand.DONE)
    assert list(office.parts.outbox.list_paths("")) == []


def test_learners_are_looked_up_by_their_external_reference(office: Office) -> None:
    """None or several: nobody is guessed. Reads have their own pace, half a second apart."""
    office.set(identity="external_reference")
    office.lms.users = {"quokka-1": ("U-1",), "quokka-2": ("U-2", "U-3")}
    office.lms.limits["reads"] = Pace(requests=1, seconds=0.5)
    office.post(COMPLETIONS, [completion(1), completion(2), completion(3), completion(1, course_id="C-9")])
    office.work()

    assert [each.learner for each in office.lms.history] == ["U-1", "U-1"]
    assert office.batch.fates == {Fate.DONE: 2, Fate.PARKED: 2}
    assert office.batch.way == "external_reference"
    assert office.lms.count("reads") == 3
    (path,) = office.parts.reports.list_paths(f"{NAME}/push-")
    report = office.parts.reports.get(path).decode()
    assert Code.LEARNER_AMBIGUOUS in report
    assert Code.LEARNER_UNKNOWN in report


def test_what_can_never_be_recorded_is_parked_after_some_tries(office: Office) -> None:
    office.lms._record = lambda _: Receipt(fate=Fate.RETRY, reason="not now")  # type: ignore[method-assign,assignment]
    office.post(COMPLETIONS, [completion(1)])
    office.work()

    assert office.batch.fates == {Fate.PARKED: 1}
    assert office.lms.count("completions") == 5


def test_a_sample_is_sent_while_sending_is_paused(office: Office) -> None:
    """So an admin sees one completion arrive before all the others go."""
    office.set(paused=True)
    office.post(COMPLETIONS, [completion(number) for number in range(5)])
    office.work()
    assert office.lms.requests == []

    push_completions(office.parts, PushCompletions(connection=NAME, sample=1))
    assert len(office.lms.history) == 1
    office.set(paused=False)
    push_completions(office.parts, PushCompletions(connection=NAME))
    assert len(office.lms.history) == 5


@pytest.mark.parametrize("tells", [True, False])
def test_what_was_taken_is_read_back_on_request(office: Office, *, tells: bool) -> None:
    """A success may be none; what the LMS cannot tell is not counted."""
    office.set(read_back=True)
    office.lms.tells = tells
    record = office.lms._record

    def lie(completion: Completion) -> Receipt:
        return Receipt(fate=Fate.DONE) if completion.learner == "quokka-2" else record(completion)

    office.lms._record = lie  # type: ignore[method-assign]
    office.post(COMPLETIONS, [completion(1), completion(2), completion(3)])
    office.work()

    assert office.batch.fates == {Fate.DONE: 3}
    assert (office.batch.confirmed, office.batch.unconfirmed) == ((2, 1) if tells else (0, 0))


def test_without_its_key_nothing_is_lost(office: Office) -> None:
    """Somebody disables the version that records were sealed with, and enables it again."""
    office.post(COMPLETIONS, [completion(1)])
    key = office.desk.secrets.values.pop("write-back-key")
    push_completions(office.parts, PushCompletions(connection=NAME))
    assert office.lms.requests == []

    office.desk.secrets.values["write-back-key"] = key
    office.work()
    assert office.batch.fates == {Fate.DONE: 1}


def test_a_batch_that_somebody_has_altered_does_not_hold_up_the_others(office: Office) -> None:
    office.post(COMPLETIONS, [completion(1)])
    (path,) = office.parts.outbox.list_paths(f"{NAME}/waiting/")
    sealed = office.parts.outbox.get(path)
    office.parts.outbox.put(path, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    office.post(COMPLETIONS, [completion(2)])
    office.work()

    assert in_history(office.lms.history) == [("quokka-2", "C-2")]
    assert sorted(each.stand for each in office.batches) == [Stand.DONE, Stand.PARTIAL]
