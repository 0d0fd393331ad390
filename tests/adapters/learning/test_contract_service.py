"""What `LearningTarget` promises of logins, users and a service in trouble, of both adapters."""

from datetime import timedelta

import pytest

from infra.local.learning.faults import Faults
from infra.local.learning.lms import User
from shared.domain.errors import Code, SettingsError, TransientError
from shared.domain.write_back import Fate
from tests.adapters.learning.scene import NOW, Scene, completion, course, secret
from tests.company import ADA, BEA

ADA_DONE = completion()


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(None, 300), ("7", 7), ("Mon, 02 Nov 2026 09:45:00 GMT", 600), ("soon", 300)],
)
def test_a_request_for_a_pause_says_until_when(scene: Scene, retry_after: str | None, seconds: float) -> None:
    scene.offer("C-1")
    scene.simulator.inject(Faults(throttle=1, area="completions", retry_after=retry_after))

    with pytest.raises(TransientError, match="pause") as raised:
        scene.send(ADA_DONE)

    assert raised.value.code is Code.LMS_REQUESTS_LIMIT
    assert raised.value.not_before is not None
    late = raised.value.not_before - (scene.clock.now + timedelta(seconds=seconds))
    assert abs(late) < timedelta(seconds=5)


@pytest.mark.parametrize("secrets", [["wrong"], ["wrong", "older"]])
def test_a_login_that_is_refused_is_for_a_person(scene: Scene, secrets: list[str]) -> None:
    scene.secrets = [secret(value, age_days=age) for age, value in enumerate(secrets)]

    with pytest.raises(SettingsError) as raised:
        scene.send_courses(course())

    assert raised.value.code is Code.INVALID_CREDENTIALS
    assert scene.simulator.seen("courses") == [] or {each.status for each in scene.simulator.seen("courses")} == {401}


def test_the_newest_secret_that_is_accepted_is_used(scene: Scene) -> None:
    """Whichever side learns of a new one first, the other's is still tried."""
    good = scene.simulator.secret
    scene.secrets = [secret(good, age_days=5), secret("not yet good there"), secret("long gone", age_days=9)]

    assert scene.send_courses(course())[0].fate is Fate.AWAITS_IMPORT


def test_a_secret_that_is_replaced_in_the_middle_is_found(scene: Scene) -> None:
    """The earlier one, and the token it gave, are good no longer; the newer version is tried again."""
    scene.offer("C-1")
    scene.secrets = [secret("newer"), secret(scene.simulator.secret, age_days=1)]

    with scene.session() as target:
        target.send_completions([ADA_DONE])
        scene.simulator.rotate_secret("newer")
        (receipt,) = target.send_completions([completion(completed_at=NOW - timedelta(days=9))])

    assert receipt.fate is Fate.DONE
    assert len(scene.simulator.history()) == 2


def test_a_secret_that_is_replaced_behind_our_back_is_for_a_person(scene: Scene) -> None:
    scene.offer("C-1")

    with scene.session() as target:
        target.send_completions([ADA_DONE])
        scene.simulator.rotate_secret()
        with pytest.raises(SettingsError) as raised:
            target.send_completions([completion(completed_at=NOW - timedelta(days=9))])

    assert raised.value.code is Code.INVALID_CREDENTIALS
    assert len(scene.simulator.history()) == 1


def test_users_are_found_by_their_external_reference(scene: Scene) -> None:
    """Nobody, one, or two of them, who are not guessed among; whatever the reference is written with."""
    odd = "O'Hara & Söhne #7/+ eq"
    scene.simulator.add_users(User("u-1", odd, active=True), *(User(f"t-{n}", "twin", active=True) for n in range(3)))
    found = {}
    with scene.session() as target:
        for reference in ("nobody", odd, "twin"):
            scene.clock.move(1)
            found[reference] = target.find_users(reference)

    assert {reference: len(ids) for reference, ids in found.items()} == {"nobody": 0, odd: 1, "twin": 2}


def test_the_id_that_was_found_is_good_for_a_completion(scene: Scene) -> None:
    scene.offer("C-1")

    with scene.session() as target:
        (found,) = target.find_users(ADA.key)
    receipt = scene.send(completion(found))

    assert receipt.fate is Fate.DONE
    assert [event.user_id for event in scene.simulator.history()] == [ADA.student]


def test_users_who_are_not_active_are_listed_page_by_page(scene: Scene) -> None:
    """Between the pages it waits, for nobody else can; the simulator turns away who comes too soon."""
    scene.simulator.add_users(*(User(f"gone-{n:04}", "", active=False) for n in range(510)))

    with scene.session() as target:
        found = list(target.list_inactive())

    assert len(found) == len(set(found)) == 511
    assert scene.waits
    assert set(scene.waits) == {0.5}


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_right_or_a_path_that_is_missing_is_for_a_person(scene: Scene, status: int) -> None:
    """Not for the record: a hundred thousand of them would be refused one by one."""
    scene.offer("C-1")
    scene.simulator.inject(Faults(fail=1, fail_status=status, area="completions"))

    with pytest.raises(SettingsError) as raised:
        scene.send(ADA_DONE)

    assert raised.value.code is (Code.ACCESS_DENIED if status == 403 else Code.SETTINGS_INVALID)


def test_a_redirection_is_not_followed(scene: Scene) -> None:
    scene.simulator.inject(Faults(fail=1, fail_status=302, area="courses"))

    with pytest.raises(SettingsError, match="another address"):
        scene.send_courses(course())

    assert len(scene.simulator.seen("courses")) == 1


def test_a_certificate_that_nobody_trusts_is_no_answer(scene: Scene, untrusting: None) -> None:
    del untrusting

    with pytest.raises(TransientError, match="no answer"):
        scene.send_courses(course())


def test_requests_come_one_after_the_other(scene: Scene) -> None:
    scene.offer("C-1")
    for learner in (ADA.student, BEA.student):
        scene.send(completion(learner))

    assert scene.simulator.front.most_at_once == 1
