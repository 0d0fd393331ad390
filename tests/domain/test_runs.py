"""How bad things are, and that every row is accounted for."""

from datetime import UTC, datetime
from itertools import combinations

import pytest
from pydantic import ValidationError

from shared.domain.errors import Code
from shared.domain.package import Kind
from shared.domain.runs import ActivityTally, ContentTally, Coverage, Outcome, Run, Step, Tally, worst

FROM_GOOD_TO_BAD = ("done", "waiting", "partial", "halted", "rejected", "failed")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(("better", "worse"), [*combinations(FROM_GOOD_TO_BAD, 2)])
def test_a_sync_is_as_bad_as_its_worst_run(better: str, worse: str) -> None:
    both: list[tuple[Outcome, Code | None]] = [(Outcome(worse), None), (Outcome(better), None)]

    assert worst(both) == worst(both[::-1]) == (Outcome(worse), None)


def test_a_skipped_package_is_nothing_bad() -> None:
    skipped = (Outcome.SKIPPED, None)

    assert worst([skipped]) == (Outcome.DONE, None)
    assert worst([skipped, (Outcome.WAITING, None)]) == (Outcome.WAITING, None)


def test_nothing_to_do_is_done() -> None:
    assert worst([]) == (Outcome.DONE, None)


def test_of_equally_bad_ones_the_first_code_is_told() -> None:
    outcomes = [
        (Outcome.DONE, Code.ITEM_LIMIT),
        (Outcome.FAILED, None),
        (Outcome.FAILED, Code.ACCESS_DENIED),
        (Outcome.FAILED, Code.FOLDER_NOT_FOUND),
    ]

    assert worst(outcomes) == (Outcome.FAILED, Code.ACCESS_DENIED)


def test_a_tally_adds_up_when_every_row_is_counted_once() -> None:
    contents = ContentTally(read=15, published=5, unchanged=4, parked=3, ignored=2, rejected=1, withdrawn=9)
    activities = ActivityTally(
        read=21, published=1, unchanged=2, parked=3, ignored=4, rejected=5, unmapped=6, withdrawn=7
    )

    assert Tally(contents=contents, assignments=activities, completions=activities).adds_up()


@pytest.mark.parametrize("kind", ["contents", "assignments", "completions"])
def test_a_tally_with_a_lost_row_does_not_add_up(kind: str) -> None:
    assert not Tally.model_validate({kind: {"read": 3, "published": 1, "rejected": 1, "withdrawn": 1}}).adds_up()


def test_coverage_of_nobody_is_complete() -> None:
    """A catalog without learners must pass a gate of 100 %."""
    assert Coverage().percent == 100
    assert Coverage(learners=8, mapped=6, unmatched=2, near_miss=1).percent == 75


def test_a_changed_run_is_checked_like_a_new_one() -> None:
    run = Run(
        run_id="1",
        connection="acme",
        sync_id="1",
        package="p",
        kind=Kind.FULL,
        content_hash="",
        sealed_path="",
        timestamp=NOW,
        touched_at=NOW,
        started_at=NOW,
    )

    assert run.changed(step="ended").step is Step.ENDED
    assert run.step is Step.PROCESSING
    with pytest.raises(ValidationError, match="outcom"):
        run.changed(outcom="done")
