"""Courses on their way to the LMS: few requests, far apart, and never one more."""

from datetime import timedelta
from threading import Barrier, Thread

from shared.domain.batches import Kind, Stand
from shared.domain.messages import PUSH_COMPLETIONS, PushCompletions
from shared.domain.write_back import Fate, Pace
from shared.pipeline.write_back.push import push_completions
from tests.desk import NAME, START
from tests.write_back.conftest import Office, completion, course

COURSES = Kind.COURSES


def test_2500_courses_are_three_requests_at_0_5_and_10_minutes(office: Office) -> None:
    """They come in five batches and with four workers; each worker ends with its message, as after a restart."""
    office.lms.limits["courses"] = Pace(requests=1, seconds=300)
    for first in range(0, 2500, 500):
        office.post(COURSES, [course(number) for number in range(first, first + 500)])
    office.desk.messages.take()
    start = Barrier(4)

    def worker() -> None:
        start.wait()
        push_completions(office.parts, PushCompletions(connection=NAME))

    for minute in range(13):
        office.desk.now = START + timedelta(minutes=minute)
        workers = [Thread(target=worker) for _ in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()

    assert office.lms.minutes("courses", START) == [0, 5, 10]
    assert [count for _, _, count in office.lms.requests] == [1000, 1000, 500]
    assert len(office.lms.courses) == 2500
    assert {each.stand for each in office.batches} == {Stand.DONE}
    assert {fate for each in office.batches for fate in each.fates} == {Fate.AWAITS_IMPORT}


def test_nobody_has_to_come_by_for_the_next_request(office: Office) -> None:
    """One message at a time waits for its hour, however many batches there are."""
    office.lms.limits["courses"] = Pace(requests=1, seconds=300)
    for first in range(0, 2500, 500):
        office.post(COURSES, [course(number) for number in range(first, first + 500)])
    messages = office.work()

    assert office.lms.minutes("courses", START) == [0, 5, 10]
    assert messages == 5 + 2


def test_switched_off_before_changed_before_new(office: Office) -> None:
    """Over three requests, when there is room for one course in each."""
    office.post(COURSES, [course(1), course(2)])
    office.work()
    office.lms.kinds.clear()
    office.set(courses_per_request=1)

    office.post(COURSES, [course(3), course(1, titles={"English": "New"})])
    office.post(COURSES, [course(2, active=False)])
    office.work()

    assert office.lms.kinds == [["deactivate"], ["update"], ["create"]]


def test_a_course_that_has_not_changed_is_not_sent(office: Office) -> None:
    """A request is precious."""
    office.post(COURSES, [course(1)])
    office.work()
    office.post(COURSES, [course(1)])
    office.work()
    assert office.batch.fates == {Fate.ALREADY: 1}
    assert office.lms.count("courses") == 1

    for titles in ("Other", "Course 1"):
        office.post(COURSES, [course(1, titles={"English": titles})])
        office.work()
    assert office.lms.courses["X-1"].titles == {"English": "Course 1"}


def test_the_newest_of_several_wins(office: Office) -> None:
    """And the others use up no place in a request."""
    office.post(COURSES, [course(1, titles={"English": "Old"}), course(1, titles={"English": "Newer"})])
    office.post(COURSES, [course(1, titles={"English": "Newest"})])
    office.work()

    assert [count for _, _, count in office.lms.requests] == [1]
    assert office.lms.courses["X-1"].titles == {"English": "Newest"}
    assert [each.fates for each in office.batches] == [{Fate.AWAITS_IMPORT: 1}, {Fate.ALREADY: 2}]


def test_usage_limit_one_now_and_the_other_later(office: Office) -> None:
    office.set(courses_per_request=1)
    office.post(COURSES, [course(1), course(2)])
    push_completions(office.parts, PushCompletions(connection=NAME))
    assert len(office.lms.courses) == 1
    assert office.batch.stand is Stand.WAITING

    office.work()
    assert office.lms.minutes("courses", START) == [0, 5]


def test_without_a_limit_all_go_at_once(office: Office) -> None:
    office.set(courses_per_request=1, courses_pace={"requests": 1000, "seconds": 1})
    office.post(COURSES, [course(number) for number in range(5)])
    push_completions(office.parts, PushCompletions(connection=NAME))

    assert len(office.lms.courses) == 5


def test_completions_do_not_wait_for_the_pace_of_courses(office: Office) -> None:
    office.set(courses_per_request=1)
    office.post(COURSES, [course(1), course(2)])
    office.post(Kind.COMPLETIONS, [completion(1)])
    push_completions(office.parts, PushCompletions(connection=NAME))

    assert [what for what, _, _ in office.lms.requests] == ["courses", "completions"]
    assert [queue for queue, _, _ in office.desk.messages.take()][-1] == PUSH_COMPLETIONS
