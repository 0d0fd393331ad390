"""What holds in every world, and the way from Viva's lines and to the packages' files."""

import json
from collections import Counter

from hypothesis import HealthCheck, given, settings

from tests.reference import Package, Reference, World, difference, read_viva, to_csv, worlds
from tests.reference.cases import (
    Sync,
    done,
    item,
    plan,
)
from tests.reference.contract import CLASSES


def test_vivas_lines_read_as_the_same_facts() -> None:
    expected = Sync().full(
        PA_CPNT=[item(CPNT_LEN="90", CPNT_ID="a/b & c")],
        PA_STUD_CPNT=[plan(CPNT_ID="a/b & c", REQ_DTE="2026-12-24")],
        PA_CPNT_EVTHST=[done(CPNT_ID="a/b & c", COMPL_DTE="2026-09-01")],
    )
    target = (
        "https%3A%2F%2Flearning.example%2Flearning%2Fuser%2Fdeeplink_redirect.jsp%3FlinkId%3DITEM_DETAILS"
        "%26componentID%3Da%252Fb%2520%2526%2520c%26componentTypeID%3DCOURSE"
        "%26revisionDate%3D1735689600000%26fromSF%3DY"
    )
    lines = [
        {
            "_type": "learningContent",
            "externalId": "x",
            "title": "First aid",
            "languageTag": "en-us",
            "isActive": True,
            "duration": "PT1H30M",
            "contentWebUrl": f"https://bizx.example/sf/learning?destUrl={target}&company=acme",
        },
        {
            "_type": "learningAssignment",
            "_contentExternalId": "x",
            "learnerUserId": "u-ada",
            "status": "notStarted",
            "assignmentType": "required",
            "assignedDateTime": "2026-10-01T00:00:00Z",
            "dueDateTime": {"dateTime": "2026-12-24T23:59:59.0000000", "timeZone": "UTC"},
        },
        {
            "_type": "learningSelfInitiatedCourse",
            "_contentExternalId": "x",
            "learnerUserId": "u-ada",
            "status": "completed",
            "completedDateTime": "2026-09-01T00:00:00Z",
        },
    ]

    actual = read_viva(json.dumps(line) for line in lines)

    assert difference(expected.viva, actual) == ""
    assert difference(expected.viva, Counter()).count("\n- ") == 2


def test_a_table_is_written_with_its_odd_texts_quoted() -> None:
    assert to_csv([{"A": 'say "x",\ny'}], ("A", "B")) == b'A,B\r\n"say ""x"",\ny",\r\n'


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_every_tally_adds_up(world: World) -> None:
    """And what a world brings is stable: the same package once more would change nothing."""
    reference = Reference(world.settings)
    for step in world.steps:
        expected = reference.apply(step.package, step.directory, step.now)

        for kind, counts in (expected.tally or {}).items():
            assert counts["read"] == sum(counts.get(name, 0) for name in CLASSES), kind
        if expected.coverage is not None:
            coverage = expected.coverage
            found = coverage.mapped + coverage.unmatched + coverage.ambiguous + coverage.disabled
            assert coverage.learners == found
            assert coverage.near_miss <= coverage.unmatched


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_the_same_rows_once_more_change_nothing(world: World) -> None:
    reference = Reference(world.settings)
    for step in world.steps:
        expected = reference.apply(step.package, step.directory, step.now)
    if expected.tally is None:
        return

    again = Package("delta", "20270101000000", step.package.tables)
    repeated = reference.apply(again, step.directory, step.now)

    assert repeated.viva == expected.viva
    for counts in (repeated.tally or {}).values():
        assert counts["published"] == counts["withdrawn"] == 0
